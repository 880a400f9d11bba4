/* SPDX-License-Identifier: MIT
 *
 * The class Socket: its making, its errors, its close, and how it is given away; the system's calls
 * are in socket_call.c.
 * Invariant: the userdata exists, with its metatable, before its descriptor does. */
#include "bind/socket.h"

#include <string.h>

#include "bind/address.h"
#include "bind/error.h"
#include "bind/made.h"
#include "core/listener.h"

enum { UV_LOOP = 1, UV_WHERE, UV_WATCH, UVS = 3 };
enum { SELF = 1 };

/* ---- errors ---- */

int aio_socket_raise_closed(lua_State *L) {
  return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                         "this socket is closed; make another one");
}

static void push_error(lua_State *L, int err, const char *call) {
  if (err == UV_ENOMEM) luaL_error(L, "not enough memory");
  aio_error_push_os(L, aio_state_up(L), err, call);
  if (err != AIO_SOCK_CONNECTING) return;
  lua_pushliteral(L, "EINPROGRESS");
  lua_setfield(L, -2, "code");
  lua_pushliteral(L, "connect: under way; loop:sock_connect waits until it is done");
  lua_setfield(L, -2, "message");
}

int aio_socket_raise(lua_State *L, int err, const char *call) {
  push_error(L, err, call);
  return lua_error(L);
}

int aio_socket_raise_at(lua_State *L, int err, const char *call, const aio_address *a) {
  push_error(L, err, call);
  aio_address_push(L, a);
  lua_setfield(L, -2, a->path_len ? "filename" : "address");
  return lua_error(L);
}

/* ---- finding ---- */

/* The socket at `arg`, open or closed, else NULL. */
static aio_socket_ud *socket_at(lua_State *L, int arg) {
  return aio_object_test(L, aio_state_up(L), arg, AIO_REF_SOCKET);
}

aio_socket_ud *aio_socket_check(lua_State *L, int arg) {
  aio_socket_ud *u = aio_object_check(L, aio_state_up(L), arg, AIO_REF_SOCKET);
  if (u->s == AIO_SOCK_NONE) aio_socket_raise_closed(L);
  return u;
}

static aio_socket_ud *self(lua_State *L) {
  return aio_socket_check(L, SELF);
}

bool aio_socket_note_watch(lua_State *L, int arg, int watch) {
  if (!socket_at(L, arg)) return false;
  lua_getiuservalue(L, arg, UV_WATCH);
  aio_watch *old = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (old == lua_touserdata(L, watch)) return false;
  if (old) aio_watch_end(L, old); /* in another loop, or of a callback that was removed */
  lua_pushvalue(L, watch);
  lua_setiuservalue(L, arg, UV_WATCH);
  return true;
}

/* ---- families and types ---- */

typedef struct named {
  const char *name;
  int value;
} named;

static const named families[] = {
    {"inet", AF_INET}, {"inet6", AF_INET6}, {"unix", AF_UNIX}, {NULL, 0}};
static const named types[] = {{"stream", SOCK_STREAM},
                              {"dgram", SOCK_DGRAM},
                              {"seqpacket", SOCK_SEQPACKET},
                              {"raw", SOCK_RAW},
                              {NULL, 0}};

static int check_named(lua_State *L, int arg, const named *table, int unset, const char *expected) {
  if (lua_isnoneornil(L, arg)) return unset;
  const char *name = lua_type(L, arg) == LUA_TSTRING ? lua_tostring(L, arg) : "";
  for (; table->name; table++) {
    if (strcmp(table->name, name) == 0) return table->value;
  }
  return luaL_argerror(L, arg, expected);
}

static int check_family(lua_State *L, int unset) {
  return check_named(L, 1, families, unset, "\"inet\", \"inet6\" or \"unix\" expected");
}

static int check_type(lua_State *L) {
  return check_named(L, 2, types, SOCK_STREAM,
                     "\"stream\", \"dgram\", \"seqpacket\" or \"raw\" expected");
}

/* ---- making ---- */

static bool known(const named *table, int value) {
  while (table->name && table->value != value) table++;
  return table->name != NULL;
}

/* Do no bytes mean the end? */
static bool is_connected_kind(int type) {
  return type == SOCK_STREAM || type == SOCK_SEQPACKET;
}

aio_socket_ud *aio_socket_push(lua_State *L, aio_state *st, int family, int type) {
  aio_socket_ud *u = aio_object_new(L, st, AIO_REF_SOCKET, sizeof *u, UVS);
  u->s = AIO_SOCK_NONE;
  u->family = family;
  u->connected = is_connected_kind(type);
  aio_lloop *l = st->running ? st->running : st->loop;
  if (!l || !l->debug) return u;
  aio_lloop_push(L, l);
  lua_setiuservalue(L, -2, UV_LOOP);
  aio_error_where(L, st);
  lua_setiuservalue(L, -2, UV_WHERE);
  return u;
}

/* aio.socket{fileno=fd} */
static int adopt(lua_State *L, aio_state *st) {
  int ok, family = AF_UNSPEC, type = 0;
  lua_getfield(L, 1, "fileno");
  lua_Integer fd = lua_tointegerx(L, -1, &ok);
  luaL_argcheck(L, ok && fd >= 0 && fd <= INT32_MAX, 1,
                "option 'fileno': the number of a descriptor expected");
  aio_socket_ud *u = aio_socket_push(L, st, AF_UNSPEC, SOCK_STREAM);
  int err = aio_sock_adopt((aio_sock)fd, &family, &type);
  if (!err && !known(families, family)) err = UV_EAFNOSUPPORT;
  if (err) return aio_socket_raise(L, err, "socket");
  u->s = (aio_sock)fd;
  u->family = family;
  u->connected = is_connected_kind(type);
  return 1;
}

static int new_socket(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_NET);
  if (lua_istable(L, 1)) return adopt(L, st);
  int family = check_family(L, AF_INET), type = check_type(L);
  int proto = (int)luaL_optinteger(L, 3, 0);
  aio_socket_ud *u = aio_socket_push(L, st, family, type);
  int err = aio_sock_open(family, type, proto, &u->s);
  return err ? aio_socket_raise(L, err, "socket") : 1;
}

static int new_pair(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_NET);
  int family = check_family(L, AF_UNIX), type = check_type(L);
  luaL_argcheck(L, family == AF_UNIX, 1, "pairs are of the family \"unix\"");
  int proto = (int)luaL_optinteger(L, 3, 0);
  aio_sock pair[2];
  aio_socket_ud *a = aio_socket_push(L, st, family, type),
                *b = aio_socket_push(L, st, family, type);
  int err = aio_sock_pair(type, proto, pair);
  if (err) return aio_socket_raise(L, err, "socketpair");
  a->s = pair[0];
  b->s = pair[1];
  return 2;
}

/* ---- what it tells ---- */

static int socket_fileno(lua_State *L) {
  const aio_socket_ud *u = aio_object_check(L, aio_state_up(L), SELF, AIO_REF_SOCKET);
  if (u->s == AIO_SOCK_NONE) return 0;
  lua_pushinteger(L, (lua_Integer)u->s);
  return 1;
}

static int socket_tostring(lua_State *L) {
  const aio_socket_ud *u = aio_object_check(L, aio_state_up(L), SELF, AIO_REF_SOCKET);
  if (u->s == AIO_SOCK_NONE)
    lua_pushfstring(L, "Socket (closed): %p", lua_topointer(L, SELF));
  else
    lua_pushfstring(L, "Socket (%I): %p", (lua_Integer)u->s, lua_topointer(L, SELF));
  return 1;
}

/* ---- closing ---- */

/* Ends what waits for the socket at `idx` and gives the descriptor up. Cannot fail. */
static aio_sock let_go_at(lua_State *L, aio_socket_ud *u, int idx) {
  aio_sock s = u->s;
  u->s = AIO_SOCK_NONE;
  if (lua_getiuservalue(L, idx, UV_WATCH) == LUA_TUSERDATA) {
    aio_watch_end(L, lua_touserdata(L, -1));
    lua_pushnil(L);
    lua_setiuservalue(L, idx, UV_WATCH);
  }
  lua_pop(L, 1);
  return s;
}

static aio_sock let_go(lua_State *L, aio_socket_ud *u) {
  return let_go_at(L, u, SELF);
}

/* ---- giving it to a stream or a server ---- */

int aio_socket_offered(lua_State *L, int arg, aio_sock *s, bool *is_unix) {
  int family = AF_UNSPEC, type = 0;
  const aio_socket_ud *u = socket_at(L, arg);
  if (u && u->s == AIO_SOCK_NONE) aio_socket_raise_closed(L);
  *s = u ? u->s : (aio_sock)luaL_checkinteger(L, arg);
  int err = aio_sock_adopt(*s, &family, &type);
  *is_unix = family == AF_UNIX;
  if (!err && !known(families, family)) return UV_EAFNOSUPPORT;
  return !err && type != SOCK_STREAM ? UV_EPROTOTYPE : err;
}

void aio_socket_gave(lua_State *L, int arg) {
  aio_socket_ud *u = socket_at(L, arg);
  if (u && u->s != AIO_SOCK_NONE) let_go_at(L, u, arg);
}

static void close_it(lua_State *L, aio_socket_ud *u) {
  if (u->s == AIO_SOCK_NONE) return;
  aio_sock_close(let_go(L, u));
  const aio_state *st = aio_state_up(L);
  if (st->running && st->running->core) aio_listener_revive(st->running->core);
}

static int socket_close(lua_State *L) {
  close_it(L, aio_object_check(L, aio_state_up(L), SELF, AIO_REF_SOCKET));
  return 0;
}

static int socket_detach(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)let_go(L, self(L)));
  return 1;
}

static void report_unclosed(lua_State *L, aio_lloop *l) {
  aio_made_report_unclosed(L, l,
                           "a socket was collected while open; close it, or write local s <close>",
                           "socket", UV_WHERE);
}

static int socket_gc(lua_State *L) {
  aio_socket_ud *u = lua_touserdata(L, SELF);
  lua_getiuservalue(L, SELF, UV_LOOP);
  aio_lloop *l = lua_touserdata(L, -1);
  aio_sock s = u->s;
  if (s != AIO_SOCK_NONE && l && l->core) {
    let_go(L, u); /* the report hands it to the user, for whom it is closed */
    report_unclosed(L, l);
    aio_sock_close(s);
  } else {
    close_it(L, u);
  }
  return 0;
}

/* core._socket_family(value): "inet", "inet6" or "unix", and whether it is of a connected kind; nil
 * when it is no socket. */
static int family_of(lua_State *L) {
  const aio_socket_ud *u = socket_at(L, SELF);
  for (const named *f = families; u && f->name; f++) {
    if (f->value != u->family) continue;
    lua_pushstring(L, f->name);
    lua_pushboolean(L, u->connected);
    return 2;
  }
  return 0;
}

void aio_socket_open_class(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {
      {"fileno", socket_fileno}, {"detach", socket_detach}, {"close", socket_close}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__close", socket_close},
                                  {"__gc", socket_gc},
                                  {"__tostring", socket_tostring},
                                  {NULL, NULL}};
  static const luaL_Reg fns[] = {{"socket", new_socket},
                                 {"socketpair", new_pair},
                                 {"_socket_family", family_of},
                                 {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_SOCKET, "Socket", methods, meta);
  aio_setfuncs(L, st, aio_socket_call_methods);
  aio_setfuncs(L, st, aio_socket_option_methods);
  lua_setfield(L, -2, "_Socket");
  aio_setfuncs(L, st, fns);
}
