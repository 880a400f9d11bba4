/* SPDX-License-Identifier: MIT
 *
 * The system's calls on a socket, each tried once. Called by Lua and by sockwait.c. Invariant: what
 * can run a finalizer comes before the call, which then looks whether the socket is still open. */
#include "bind/address.h"
#include "bind/socket.h"
#include "core/datagram.h"

enum { SELF = 1, ARG = 2, TO = 3 };
enum { RECV_MAX = AIO_PACKETS_ROOM }; /* bytes that one call receives at most */
enum { BACKLOG = 128 };

static aio_socket_ud *self(lua_State *L) {
  return aio_socket_check(L, SELF);
}

/* ---- arguments and results ---- */

void aio_socket_address_at(lua_State *L, int arg, int family, aio_address *a) {
  int err = UV_EINVAL;
  if (family == AF_UNIX) {
    luaL_argexpected(L, lua_type(L, arg) == LUA_TSTRING, arg, "path of a Unix socket");
    err = aio_address_at(L, arg, a);
    luaL_argcheck(L, err != UV_ENAMETOOLONG, arg, "this path is too long for a Unix socket");
    luaL_argcheck(L, !err, arg, "a path, not empty, expected");
    return;
  }
  if (lua_istable(L, arg)) {
    err = aio_address_at(L, arg, a);
  } else if (lua_type(L, arg) == LUA_TSTRING) {
    lua_Integer port = luaL_checkinteger(L, arg + 1);
    luaL_argcheck(L, port >= 0 && port <= 65535, arg + 1, "a port from 0 to 65535 expected");
    err = aio_address_ip(a, lua_tostring(L, arg), (int)port);
  } else {
    luaL_typeerror(L, arg, "host and port, or an address");
  }
  luaL_argcheck(L, !err, arg, "a host in digits, and a port, expected; getaddrinfo looks names up");
  luaL_argcheck(L, a->ip.sa.sa_family == family, arg,
                "this address is not of the family of the socket");
}

size_t aio_socket_size_at(lua_State *L, int arg) {
  lua_Integer n = luaL_checkinteger(L, arg);
  luaL_argcheck(L, n > 0, arg, "a positive number of bytes expected");
  return n < RECV_MAX ? (size_t)n : RECV_MAX;
}

/* Pushes host and port, or the path; how many. */
static int push_address(lua_State *L, const aio_address *a) {
  int family = a->ip.sa.sa_family;
  if (family != AF_INET && family != AF_INET6) {
    aio_address_push(L, a);
    return 1;
  }
  char host[AIO_HOST_MAX];
  if (aio_ip_host(&a->ip, host, sizeof host)) host[0] = '\0';
  lua_pushstring(L, host);
  lua_pushinteger(L, aio_ip_port(&a->ip));
  return 2;
}

/* ---- connecting ---- */

static int socket_bind(lua_State *L) {
  const aio_socket_ud *u = self(L);
  aio_address a;
  aio_socket_address_at(L, ARG, u->family, &a);
  int err = aio_sock_bind(u->s, &a);
  return err ? aio_socket_raise_at(L, err, "bind", &a) : 0;
}

static int socket_listen(lua_State *L) {
  const aio_socket_ud *u = self(L);
  lua_Integer backlog = luaL_optinteger(L, ARG, BACKLOG);
  luaL_argcheck(L, backlog >= 0 && backlog <= INT32_MAX, ARG, "a number, not negative, expected");
  int err = aio_sock_listen(u->s, (int)backlog);
  return err ? aio_socket_raise(L, err, "listen") : 0;
}

static int socket_connect(lua_State *L) {
  const aio_socket_ud *u = self(L);
  aio_address a;
  aio_socket_address_at(L, ARG, u->family, &a);
  int err = aio_sock_connect(u->s, &a);
  return err ? aio_socket_raise_at(L, err, "connect", &a) : 0;
}

int aio_socket_accept(lua_State *L, const aio_socket_ud *u, const char *call) {
  aio_address peer;
  aio_socket_ud *c = aio_socket_push(L, aio_state_up(L), u->family, SOCK_STREAM);
  c->connected = u->connected;
  if (u->s == AIO_SOCK_NONE) return aio_socket_raise_closed(L); /* by a finalizer */
  int err = aio_sock_accept(u->s, &c->s, &peer);
  if (!err) return 1 + push_address(L, &peer);
  lua_pop(L, 1);
  return err == UV_EAGAIN ? -1 : aio_socket_raise(L, err, call);
}

static int would_block(lua_State *L, const char *call) {
  return aio_socket_raise(L, UV_EAGAIN, call);
}

static int socket_accept(lua_State *L) {
  int n = aio_socket_accept(L, self(L), "accept");
  return n < 0 ? would_block(L, "accept") : n;
}

/* ---- sending and receiving ---- */

/* Room to receive into: the running loop's, or of one's own; pushes one value. [may throw] */
static char *push_room(lua_State *L, size_t n) {
  const aio_state *st = aio_state_up(L);
  char *room = st->running ? aio_packets_get(st->running->core) : NULL;
  if (room)
    lua_pushnil(L);
  else
    room = lua_newuserdatauv(L, n, 0);
  return room;
}

int aio_socket_recv(lua_State *L, const aio_socket_ud *u, size_t n, bool from_whom,
                    const char *call) {
  aio_address from;
  char *room = push_room(L, n);
  if (u->s == AIO_SOCK_NONE) return aio_socket_raise_closed(L); /* by a finalizer */
  ptrdiff_t got = aio_sock_recv(u->s, room, n, from_whom ? &from : NULL);
  if (got == UV_EAGAIN) {
    lua_pop(L, 1);
    return -1;
  }
  if (got < 0) return aio_socket_raise(L, (int)got, call);
  if (got == 0 && u->connected)
    lua_pushnil(L);
  else
    lua_pushlstring(L, room, (size_t)got);
  return from_whom ? 1 + push_address(L, &from) : 1;
}

int aio_socket_recv_into(lua_State *L, const aio_socket_ud *u, aio_buffer_place to, bool from_whom,
                         const char *call) {
  aio_address from;
  ptrdiff_t got = aio_sock_recv(u->s, to.ptr, to.len, from_whom ? &from : NULL);
  if (got == UV_EAGAIN) return -1;
  if (got < 0) return aio_socket_raise(L, (int)got, call);
  if (got == 0 && u->connected)
    lua_pushnil(L);
  else
    lua_pushinteger(L, got);
  return from_whom ? 1 + push_address(L, &from) : 1;
}

ptrdiff_t aio_socket_send(lua_State *L, const aio_socket_ud *u, const char *ptr, size_t len,
                          const aio_address *to, const char *call) {
  ptrdiff_t sent = aio_sock_send(u->s, ptr, len, to);
  if (sent == UV_EAGAIN) return -1;
  if (sent >= 0) return sent;
  if (to) aio_socket_raise_at(L, (int)sent, call, to);
  return aio_socket_raise(L, (int)sent, call);
}

static int recv_any(lua_State *L, bool from_whom, const char *call) {
  const aio_socket_ud *u = self(L);
  int n = aio_socket_recv(L, u, aio_socket_size_at(L, ARG), from_whom, call);
  return n < 0 ? would_block(L, call) : n;
}

static int socket_recv(lua_State *L) {
  return recv_any(L, false, "recv");
}

static int socket_recvfrom(lua_State *L) {
  return recv_any(L, true, "recvfrom");
}

static int send_any(lua_State *L, const aio_address *to, const char *call) {
  size_t len;
  const char *data = luaL_checklstring(L, ARG, &len);
  ptrdiff_t sent = aio_socket_send(L, self(L), data, len, to, call);
  if (sent < 0) return would_block(L, call);
  lua_pushinteger(L, sent);
  return 1;
}

static int socket_send(lua_State *L) {
  self(L);
  return send_any(L, NULL, "send");
}

static int socket_sendto(lua_State *L) {
  aio_address to;
  luaL_checkstring(L, ARG);
  aio_socket_address_at(L, TO, self(L)->family, &to);
  return send_any(L, &to, "sendto");
}

static int socket_shutdown(lua_State *L) {
  static const char *const names[] = {"rd", "wr", "rdwr", NULL};
  const aio_socket_ud *u = self(L);
  int err = aio_sock_shutdown(u->s, (enum aio_sock_end)luaL_checkoption(L, ARG, "rdwr", names));
  return err ? aio_socket_raise(L, err, "shutdown") : 0;
}

/* ---- the addresses ---- */

static int name_of(lua_State *L, bool peer, const char *call) {
  aio_address a;
  int err = aio_sock_address(self(L)->s, peer, &a);
  return err ? aio_socket_raise(L, err, call) : push_address(L, &a);
}

static int socket_getsockname(lua_State *L) {
  return name_of(L, false, "getsockname");
}

static int socket_getpeername(lua_State *L) {
  return name_of(L, true, "getpeername");
}

const luaL_Reg aio_socket_call_methods[] = {{"bind", socket_bind},
                                            {"listen", socket_listen},
                                            {"connect", socket_connect},
                                            {"accept", socket_accept},
                                            {"recv", socket_recv},
                                            {"recvfrom", socket_recvfrom},
                                            {"send", socket_send},
                                            {"sendto", socket_sendto},
                                            {"shutdown", socket_shutdown},
                                            {"getsockname", socket_getsockname},
                                            {"getpeername", socket_getpeername},
                                            {NULL, NULL}};
