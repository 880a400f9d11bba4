/* SPDX-License-Identifier: MIT
 *
 * loop:sock_recv and the others: the calls of a socket, repeated when it is ready. Called by Lua.
 * Invariant: nothing is received or accepted before the task has been resumed and is known not to
 * be cancelled; so a cancellation loses nothing. */
#include "bind/error.h"
#include "bind/sendfile.h"
#include "bind/socket.h"

enum { LOOP_AT = 1, SOCKET_AT = 2, DATA = 3, SIZE_AT = 3, TO = 3, SENDTO_AT = 4, FILE_AT = 4 };
/* The last slots: how far it is (an integer, nil: not begun), and which operation. */
enum { PROGRESS = 6, OPERATION = 7 };

/* An operation that may have to wait. */
typedef struct operation {
  const char *call;
  enum aio_direction direction;
  /* Tries once: the count of pushed results, or -1: not now. [may throw] */
  int (*attempt)(lua_State *L, const aio_socket_ud *u, const char *call);
} operation;

static int resumed(lua_State *L, int status, lua_KContext ctx);

static int raise_second(lua_State *L, const operation *op) {
  bool reading = op->direction == AIO_READING;
  return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                         "another task %s on this socket already; let one task do it, or use a "
                         "lock",
                         reading ? "waits to receive or accept" : "waits to send or connect");
}

/* Pushes the watch of the socket and asks for what the operation needs. */
static aio_watch *watch_for(lua_State *L, aio_task *t, const aio_socket_ud *u,
                            const operation *op) {
  aio_watch *w = aio_watch_push(L, t->fut.loop, u->s);
  if (aio_watch_busy(w, op->direction)) raise_second(L, op);
  bool first = aio_socket_note_watch(L, SOCKET_AT, lua_gettop(L));
  bool open = w->fd && u->s != AIO_SOCK_NONE; /* a finalizer may have run */
  int err = open ? aio_watch_ask(w, op->direction, first) : UV_ECONNABORTED;
  if (err) aio_socket_raise(L, err, op->call);
  return w;
}

static int attempt(lua_State *L) {
  const operation *op = lua_touserdata(L, OPERATION);
  const aio_socket_ud *u = lua_touserdata(L, SOCKET_AT);
  if (u->s == AIO_SOCK_NONE) return aio_socket_raise(L, UV_ECONNABORTED, op->call);
  int n = op->attempt(L, u, op->call);
  if (n >= 0) return n;
  aio_task *t = aio_task_waiter(L, aio_state_up(L));
  aio_task_hold(L, t, SOCKET_AT);
  aio_watch *w = watch_for(L, t, u, op);
  lua_settop(L, OPERATION);
  return aio_task_suspend(L, t, &w->waiters[op->direction], NULL, resumed);
}

static int resumed(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, resumed);
  return attempt(L);
}

/* The arguments are checked, and stand below PROGRESS. */
static int perform(lua_State *L, const operation *op) {
  aio_state *st = aio_state_up(L);
  lua_settop(L, PROGRESS - 1);
  lua_pushnil(L);
  lua_pushlightuserdata(L, (void *)(uintptr_t)op);
  aio_task *t = aio_task_tired_here(L, st);
  return t ? aio_task_give_way(L, t, resumed) : attempt(L);
}

/* The loop and the socket, checked. [may throw] */
static aio_socket_ud *check(lua_State *L) {
  aio_state *st = aio_state_up(L);
  const aio_lloop *l = aio_lloop_check(L, st, LOOP_AT);
  aio_socket_ud *u = aio_socket_check(L, SOCKET_AT);
  if (st->running != l)
    aio_error_state(L, st, AIO_E_RUNTIME,
                    "this is not the running loop; use the one of aio.get_running_loop()");
  return u;
}

/* ---- receiving ---- */

static int try_recv(lua_State *L, const aio_socket_ud *u, const char *call) {
  return aio_socket_recv(L, u, (size_t)lua_tointeger(L, SIZE_AT), false, call);
}

static int try_recvfrom(lua_State *L, const aio_socket_ud *u, const char *call) {
  return aio_socket_recv(L, u, (size_t)lua_tointeger(L, SIZE_AT), true, call);
}

static int receive(lua_State *L, const operation *op) {
  check(L);
  lua_pushinteger(L, (lua_Integer)aio_socket_size_at(L, SIZE_AT));
  lua_replace(L, SIZE_AT);
  return perform(L, op);
}

static int sock_recv(lua_State *L) {
  static const operation op = {"sock_recv", AIO_READING, try_recv};
  return receive(L, &op);
}

static int sock_recvfrom(lua_State *L) {
  static const operation op = {"sock_recvfrom", AIO_READING, try_recvfrom};
  return receive(L, &op);
}

static int into(lua_State *L, const aio_socket_ud *u, bool from_whom, const char *call) {
  aio_buffer_place to = aio_buffer_place_arg(L, aio_state_up(L), DATA);
  return aio_socket_recv_into(L, u, to, from_whom, call);
}

static int try_recv_into(lua_State *L, const aio_socket_ud *u, const char *call) {
  return into(L, u, false, call);
}

static int try_recvfrom_into(lua_State *L, const aio_socket_ud *u, const char *call) {
  return into(L, u, true, call);
}

/* Into a buffer, which keeps its size: what is right now is right when bytes come. */
static int receive_into(lua_State *L, const operation *op) {
  check(L);
  lua_settop(L, PROGRESS - 1);
  aio_buffer_place_arg(L, aio_state_up(L), DATA);
  return perform(L, op);
}

static int sock_recv_into(lua_State *L) {
  static const operation op = {"sock_recv_into", AIO_READING, try_recv_into};
  return receive_into(L, &op);
}

static int sock_recvfrom_into(lua_State *L) {
  static const operation op = {"sock_recvfrom_into", AIO_READING, try_recvfrom_into};
  return receive_into(L, &op);
}

static int try_accept(lua_State *L, const aio_socket_ud *u, const char *call) {
  return aio_socket_accept(L, u, call);
}

static int sock_accept(lua_State *L) {
  static const operation op = {"sock_accept", AIO_READING, try_accept};
  check(L);
  return perform(L, &op);
}

/* ---- sending ---- */

/* Sends what is left, as far as it goes; counts it in *count too. */
static int send_rest(lua_State *L, const aio_socket_ud *u, const char *call, int64_t *count) {
  size_t len, at = (size_t)lua_tointeger(L, PROGRESS);
  const char *data = lua_tolstring(L, DATA, &len);
  while (at < len) {
    ptrdiff_t sent = aio_socket_send(L, u, data + at, len - at, NULL, call);
    if (sent < 0) break;
    at += (size_t)sent;
    *count += sent;
  }
  lua_pushinteger(L, (lua_Integer)at);
  lua_replace(L, PROGRESS);
  return at < len ? -1 : 0;
}

static int try_sendall(lua_State *L, const aio_socket_ud *u, const char *call) {
  int64_t count = 0;
  return send_rest(L, u, call, &count);
}

static int sock_sendall(lua_State *L) {
  static const operation op = {"sock_sendall", AIO_WRITING, try_sendall};
  check(L);
  luaL_checkstring(L, DATA);
  return perform(L, &op);
}

static int try_sendto(lua_State *L, const aio_socket_ud *u, const char *call) {
  size_t len;
  aio_address to;
  const char *data = lua_tolstring(L, DATA, &len);
  aio_socket_address_at(L, SENDTO_AT, u->family, &to);
  ptrdiff_t sent = aio_socket_send(L, u, data, len, &to, call);
  if (sent < 0) return -1;
  lua_pushinteger(L, sent);
  return 1;
}

static int sock_sendto(lua_State *L) {
  static const operation op = {"sock_sendto", AIO_WRITING, try_sendto};
  aio_address to;
  const aio_socket_ud *u = check(L);
  luaL_checkstring(L, DATA);
  aio_socket_address_at(L, SENDTO_AT, u->family, &to);
  return perform(L, &op);
}

static int try_sendfile(lua_State *L, const aio_socket_ud *u, const char *call) {
  aio_sending *f = lua_touserdata(L, DATA);
  ptrdiff_t sent = aio_file_part_send(&f->part, u->s);
  if (sent == UV_EAGAIN || (sent > 0 && aio_file_part_next(&f->part, 1))) return -1;
  if (sent < 0 && sent != UV_ENOTSUP) return aio_socket_raise(L, (int)sent, call);
  lua_pushboolean(L, sent >= 0);
  return 1;
}

static int try_send_part(lua_State *L, const aio_socket_ud *u, const char *call) {
  aio_sending *f = lua_touserdata(L, FILE_AT);
  return send_rest(L, u, call, &f->part.at);
}

/* loop:_sock_send_part(socket, data, file): sends bytes that were read from the file, and counts
 * them there. */
static int sock_send_part(lua_State *L) {
  static const operation op = {"sock_sendfile", AIO_WRITING, try_send_part};
  check(L);
  luaL_checkstring(L, DATA);
  aio_sending_check(L, FILE_AT);
  return perform(L, &op);
}

/* loop:_sock_sendfile(socket, file): true when all was sent, false when the kernel does not send
 * this file. After each chunk it is asked again, so that others are not kept waiting. */
static int sock_sendfile(lua_State *L) {
  static const operation op = {"sock_sendfile", AIO_WRITING, try_sendfile};
  check(L);
  aio_sending_check(L, DATA);
  return perform(L, &op);
}

/* ---- connecting ---- */

/* Whether a connection that was begun is there: 0, UV_EAGAIN, or why it failed. */
static int connect_outcome(aio_sock s) {
  int value = 0;
  size_t len = sizeof value;
  aio_address peer;
  int err = aio_sock_get(s, SOL_SOCKET, SO_ERROR, &value, &len);
  if (!err && value) err = uv_translate_sys_error(value);
  if (!err && aio_sock_address(s, true, &peer) == UV_ENOTCONN) err = UV_EAGAIN;
  return err;
}

static int try_connect(lua_State *L, const aio_socket_ud *u, const char *call) {
  aio_address to;
  aio_socket_address_at(L, TO, u->family, &to);
  bool begun = !lua_isnil(L, PROGRESS);
  int err = begun ? connect_outcome(u->s) : aio_sock_connect(u->s, &to);
  if (err && err != (begun ? UV_EAGAIN : AIO_SOCK_CONNECTING))
    return aio_socket_raise_at(L, err, call, &to);
  lua_pushinteger(L, 1);
  lua_replace(L, PROGRESS);
  return err ? -1 : 0;
}

/* loop:_sock_connect(socket, address): the host is in digits. */
static int sock_connect(lua_State *L) {
  static const operation op = {"sock_connect", AIO_WRITING, try_connect};
  aio_address to;
  aio_socket_address_at(L, TO, check(L)->family, &to);
  return perform(L, &op);
}

const luaL_Reg aio_socket_loop_methods[] = {{"sock_recv", sock_recv},
                                            {"sock_recvfrom", sock_recvfrom},
                                            {"sock_recv_into", sock_recv_into},
                                            {"sock_recvfrom_into", sock_recvfrom_into},
                                            {"sock_accept", sock_accept},
                                            {"sock_sendall", sock_sendall},
                                            {"sock_sendto", sock_sendto},
                                            {"_sock_connect", sock_connect},
                                            {"_sock_send_part", sock_send_part},
                                            {"_sock_sendfile", sock_sendfile},
                                            {NULL, NULL}};
