/* SPDX-License-Identifier: MIT
 *
 * The Lua face of a plain socket: a full userdata around a descriptor. Its life is in socket.c. Its
 * methods, in socket_call.c and sockopt.c, never wait; those of the loop that do are in sockwait.c.
 * Invariant: `s` is AIO_SOCK_NONE before the socket is made and after its close. */
#ifndef AIO_BIND_SOCKET_H
#define AIO_BIND_SOCKET_H

#include "bind/buffer.h"
#include "bind/state.h"
#include "bind/watch.h"
#include "core/sock.h"

typedef struct aio_socket_ud {
  aio_sock s;
  int family;
  bool connected; /* by kind: no bytes received mean the end */
} aio_socket_ud;

/* Opens the class Socket and the functions of the module table at the top. */
void aio_socket_open_class(lua_State *L, aio_state *st);
extern const luaL_Reg aio_socket_call_methods[];   /* socket_call.c */
extern const luaL_Reg aio_socket_option_methods[]; /* sockopt.c */
extern const luaL_Reg aio_socket_loop_methods[];   /* sockwait.c */

/* Pushes a socket without a descriptor, for `s` to be set. [may throw] */
aio_socket_ud *aio_socket_push(lua_State *L, aio_state *st, int family, int type);
/* The socket at `arg`; raises when it is not one, or closed. [may throw] */
aio_socket_ud *aio_socket_check(lua_State *L, int arg);
/* The descriptor of a connected or bound stream socket at `arg`, an open Socket or a number; what
 * is no stream socket: UV_ENOTSOCK and others. 0 or an error code. [may throw] */
int aio_socket_offered(lua_State *L, int arg, aio_sock *s, bool *is_unix);
/* Somebody else owns the descriptor of the value at `arg` now. Cannot fail. */
void aio_socket_gave(lua_State *L, int arg);
/* Raises that the socket is closed. [throws] */
int aio_socket_raise_closed(lua_State *L);
/* Raises an OSError. [throws] */
int aio_socket_raise(lua_State *L, int err, const char *call);
/* The same, with the address that it is about. [throws] */
int aio_socket_raise_at(lua_State *L, int err, const char *call, const aio_address *a);
/* When the value at `arg` is a socket: it ends the watch at `watch` when it closes. True when that
 * is new. */
bool aio_socket_note_watch(lua_State *L, int arg, int watch);

/* Reads the address for a socket at `arg`: host and port, a table of them, or a path. [may throw]
 */
void aio_socket_address_at(lua_State *L, int arg, int family, aio_address *a);
/* The most that one call receives. [may throw] */
size_t aio_socket_size_at(lua_State *L, int arg);

/* One try each. They return the count of pushed results, or -1: not now. [may throw] */
int aio_socket_recv(lua_State *L, const aio_socket_ud *u, size_t n, bool from_whom,
                    const char *call);
int aio_socket_recv_into(lua_State *L, const aio_socket_ud *u, aio_buffer_place to, bool from_whom,
                         const char *call);
int aio_socket_accept(lua_State *L, const aio_socket_ud *u, const char *call);
/* The count of bytes, or -1: not now. [may throw] */
ptrdiff_t aio_socket_send(lua_State *L, const aio_socket_ud *u, const char *ptr, size_t len,
                          const aio_address *to, const char *call);

#endif
