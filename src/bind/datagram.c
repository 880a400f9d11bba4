/* SPDX-License-Identifier: MIT
 *
 * The class Datagram: a full userdata around an aio_datagram of floor 2. Opened by aio.datagram
 * (Lua), which checks the options. Invariants: the userdata exists, with its metatable, before the
 * aio_datagram and its descriptor do; a packet leaves the queue only after the strings made of it
 * exist, so neither an error nor a cancellation loses one. */
#include "bind/datagram.h"

#include <string.h>

#include "bind/address.h"
#include "bind/error.h"
#include "bind/line.h"
#include "bind/made.h"
#include "bind/select.h"

typedef aio_datagram_ud datagram_ud;

enum { UV_LOOP = AIO_DATAGRAM_UV_LOOP, UV_WHERE = AIO_DATAGRAM_UV_WHERE, UVS = AIO_DATAGRAM_UVS };
enum { SELF = 1, DATA = 2, ADDRESS = 3, GROUP_AT = 2, VIA_AT = 3 };

/* ---- errors ---- */

static int raise_closed(lua_State *L) {
  return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                         "this datagram endpoint is closed; open another one");
}

static int raise_os(lua_State *L, int err, const char *call) {
  if (err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  aio_error_push_os(L, aio_state_up(L), err, call);
  return lua_error(L);
}

/* Raises why a packet was not sent, with where it should have gone. [throws] */
static int raise_unsent(lua_State *L, int err, size_t len) {
  if (err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  aio_error_push_os(L, aio_state_up(L), err, "send");
  if (err == UV_EMSGSIZE) {
    lua_pushfstring(L, "send: a datagram of %I bytes is too long for this socket",
                    (lua_Integer)len);
    lua_setfield(L, -2, "message");
  }
  if (!lua_isnil(L, ADDRESS)) {
    lua_pushvalue(L, ADDRESS);
    lua_setfield(L, -2, lua_istable(L, ADDRESS) ? "address" : "filename");
  }
  return lua_error(L);
}

static datagram_ud *self(lua_State *L) {
  datagram_ud *u = aio_object_check(L, aio_state_up(L), SELF, AIO_REF_DATAGRAM);
  if (!u->d) raise_closed(L); /* somebody called the finalizer */
  return u;
}

aio_datagram_ud *aio_datagram_at(lua_State *L, const aio_state *st, int idx) {
  return aio_object_check(L, st, idx, AIO_REF_DATAGRAM);
}

/* The same, while it is open. [may throw] */
static datagram_ud *self_open(lua_State *L) {
  datagram_ud *u = self(L);
  if (!aio_datagram_is_open(u->d)) raise_closed(L);
  return u;
}

/* ---- opening ---- */

/* Stack of core._datagram: the arguments, then the endpoint. */
enum { LOCAL = 1, PEER, BOUND, BROADCAST, REUSE_PORT, TTL, LOOP, OUTGOING, ENDPOINT };

static datagram_ud *push_new(lua_State *L, aio_state *st, aio_lloop *l) {
  datagram_ud *u = aio_object_new(L, st, AIO_REF_DATAGRAM, sizeof *u, UVS);
  aio_lloop_push(L, l);
  lua_setiuservalue(L, -2, UV_LOOP);
  if (l->debug) {
    aio_error_where(L, st);
    lua_setiuservalue(L, -2, UV_WHERE);
    aio_made_note(L, st, -1);
  }
  return u;
}

static aio_datagram_opts options(lua_State *L) {
  aio_datagram_opts opts = {
      .broadcast = lua_toboolean(L, BROADCAST),
      .reuse_port = lua_toboolean(L, REUSE_PORT),
      .ttl = lua_isnil(L, TTL) ? -1 : (int)luaL_checkinteger(L, TTL),
      .loop = lua_isnil(L, LOOP) ? -1 : lua_toboolean(L, LOOP),
      .via = lua_tostring(L, OUTGOING),
  };
  return opts;
}

/* nil and the error object, since the caller may have other addresses to try. */
static int open_failed(lua_State *L, int err, const char *call) {
  int at = strcmp(call, "bind") == 0 || lua_isnil(L, PEER) ? LOCAL : PEER;
  if (err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  aio_error_push_os(L, aio_state_up(L), err, call);
  lua_pushvalue(L, at);
  lua_setfield(L, -2, lua_istable(L, at) ? "address" : "filename");
  return 2;
}

/* core._datagram(local or nil, peer or nil, bound, broadcast, reuse_port, ttl or nil, loop or nil,
 * interface or nil): an endpoint, or nil and an OSError. */
static int open_datagram(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_NET);
  lua_settop(L, OUTGOING);
  aio_address local, peer;
  int err = lua_isnil(L, LOCAL) ? 0 : aio_address_at(L, LOCAL, &local);
  if (!err && !lua_isnil(L, PEER)) err = aio_address_at(L, PEER, &peer);
  aio_datagram_opts opts = options(L);
  aio_lloop *l = aio_lloop_here(L, st);
  datagram_ud *u = push_new(L, st, l);
  aio_lloop_check_open(L, l);
  u->d = aio_datagram_new(l->core, (size_t)luaL_checkinteger(L, BOUND));
  if (!u->d) return luaL_error(L, "not enough memory");
  const char *call = "bind";
  if (!err)
    err = aio_datagram_open(u->d, lua_isnil(L, LOCAL) ? NULL : &local,
                            lua_isnil(L, PEER) ? NULL : &peer, &opts, &call);
  if (!err) return 1;
  aio_datagram_close(u->d);
  return open_failed(L, err, call);
}

/* ---- sending ---- */

void aio_datagram_address_at(lua_State *L, int arg, aio_address *a) {
  if (lua_isnil(L, arg))
    luaL_argerror(L, arg, "address expected, since this endpoint has no remote_addr");
  if (aio_address_at(L, arg, a) || (!a->path_len && aio_ip_port(&a->ip) == 0))
    luaL_argerror(L, arg,
                  "address {host=, port=} in digits, or a path, expected; getaddrinfo looks names "
                  "up");
}

/* Reads the address of a packet; NULL: to the peer. [may throw] */
static const aio_address *destination(lua_State *L, const aio_datagram *d, aio_address *a) {
  if (d->connected) {
    luaL_argcheck(L, lua_isnil(L, ADDRESS), ADDRESS,
                  "this endpoint has a remote_addr: leave the address out");
    return NULL;
  }
  aio_datagram_address_at(L, ADDRESS, a);
  return a;
}

/* After an error: was it a path for UDP, or a host for a Unix socket? The system's own words for
 * that ("invalid argument") name neither. [may throw] */
static void check_kind(lua_State *L, const aio_datagram *d, const aio_address *to) {
  aio_address own;
  if (!to || aio_dport_address(d->port, false, &own)) return;
  bool udp = own.ip.sa.sa_family == AF_INET || own.ip.sa.sa_family == AF_INET6;
  luaL_argcheck(L, !udp || !to->path_len, ADDRESS,
                "address {host=, port=} expected, since this endpoint is of UDP; got a path");
  luaL_argcheck(L, udp || to->path_len, ADDRESS,
                "path expected, since this endpoint is a Unix socket; got a host");
}

static int send_k(lua_State *L, int status, lua_KContext ctx);

/* Sends, or waits until that is possible. */
static int send_try(lua_State *L, const datagram_ud *u) {
  aio_address a;
  size_t len;
  const char *data = lua_tolstring(L, DATA, &len);
  const aio_address *to = destination(L, u->d, &a);
  if (!u->d || !aio_datagram_is_open(u->d)) return raise_closed(L); /* a metamethod, a finalizer */
  int err = aio_datagram_take_error(u->d);
  if (!err) err = aio_datagram_send(u->d, data, len, to);
  if (err == UV_EAGAIN)
    return aio_task_suspend(L, aio_task_waiter_in(L, u->d->loop, SELF), &u->d->writers, NULL,
                            send_k);
  if (!err) return 0;
  check_kind(L, u->d, to);
  return raise_unsent(L, err, len);
}

static int send_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, send_k);
  const datagram_ud *u = lua_touserdata(L, SELF);
  if (!u->d || !aio_datagram_is_open(u->d)) return raise_os(L, UV_ECONNABORTED, "send");
  return send_try(L, u);
}

/* A turn for the others comes before the sending, so that what is cancelled is not sent. */
static int datagram_send(lua_State *L) {
  const datagram_ud *u = self_open(L);
  int type = lua_type(L, DATA);
  luaL_argexpected(L, type == LUA_TSTRING || type == LUA_TNUMBER, DATA, "string or number");
  lua_settop(L, ADDRESS);
  aio_task *t = aio_task_tired_here(L, aio_state_up(L));
  return t ? aio_task_give_way(L, t, send_k) : send_try(L, u);
}

/* ---- receiving ---- */

/* Pushes data and address of the oldest packet and takes it out; < 0: there is none. The collector
 * may run a finalizer of the user meanwhile, which may use this very endpoint: then look again. */
static int take(lua_State *L, const datagram_ud *u) {
  const aio_packet *p;
  while (u->d && (p = aio_datagram_first(u->d))) {
    uint64_t before = u->d->gone;
    aio_address from = p->from;
    lua_pushlstring(L, p->data, p->len);
    aio_address_push(L, &from);
    if (u->d && u->d->gone == before) {
      aio_datagram_consume(u->d);
      return 2;
    }
    lua_pop(L, 2);
  }
  return -1;
}

/* As take, or the end (nil), or an error of an earlier packet. */
static int take_any(lua_State *L, const datagram_ud *u) {
  int n = take(L, u);
  if (n >= 0) return n;
  if (!u->d || !aio_datagram_is_open(u->d)) {
    lua_pushnil(L);
    return 1;
  }
  int err = aio_datagram_take_error(u->d);
  return err ? raise_os(L, err, "recv") : -1;
}

static int recv_k(lua_State *L, int status, lua_KContext ctx);

static int raise_second(lua_State *L) {
  return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                         "another task receives from this datagram endpoint already; let one task "
                         "receive and hand the datagrams on, by a queue for example");
}

static int recv_try(lua_State *L, const datagram_ud *u) {
  int n = take_any(L, u);
  if (n >= 0) return n;
  aio_task *t = aio_task_waiter_in(L, u->d->loop, SELF);
  if (!aio_list_empty(&u->d->readers)) return raise_second(L);
  int err = aio_datagram_want(u->d);
  if (err) return raise_os(L, err, "recv");
  return aio_task_suspend(L, t, &u->d->readers, NULL, recv_k);
}

static int recv_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, recv_k);
  return recv_try(L, lua_touserdata(L, SELF));
}

/* Begins to receive, after a turn for the others when it is time for that. */
static int recv_start(lua_State *L, const datagram_ud *u) {
  lua_settop(L, SELF);
  if (!aio_list_empty(&u->d->readers)) return raise_second(L);
  aio_task *t = aio_task_tired_here(L, aio_state_up(L));
  return t ? aio_task_give_way(L, t, recv_k) : recv_try(L, u);
}

static int datagram_recv(lua_State *L) {
  return recv_start(L, self_open(L));
}

/* The iterator of datagrams: upvalues state and endpoint. Ends when that is closed. */
static int next_datagram(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(2));
  const datagram_ud *u = lua_touserdata(L, SELF);
  if (u->d && aio_datagram_is_open(u->d)) return recv_start(L, u);
  lua_pushnil(L);
  return 1;
}

static int datagram_datagrams(lua_State *L) {
  self(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, SELF);
  lua_pushcclosure(L, next_datagram, 2);
  return 1;
}

/* ---- aio.select{{datagram, "recv"}} ---- */

static void clause_check(lua_State *L, aio_state *st, int obj) {
  aio_object_check(L, st, obj, AIO_REF_DATAGRAM);
}

static int clause_take(lua_State *L, aio_state *st, int obj, bool turn) {
  const datagram_ud *u = aio_object_check(L, st, obj, AIO_REF_DATAGRAM);
  if (!turn && (!u->d || !aio_datagram_is_open(u->d))) return raise_closed(L);
  if (u->d && !aio_list_empty(&u->d->readers)) return -1; /* arming says so */
  return take_any(L, u);
}

static const char *clause_arm(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w) {
  (void)st;
  aio_datagram *d = ((datagram_ud *)lua_touserdata(L, obj))->d;
  if (!d || !aio_datagram_is_open(d)) return "%s is closed";
  if (d->loop != t->fut.loop->core) return AIO_FOREIGN_LOOP;
  if (!aio_list_empty(&d->readers)) return "another task, or clause, receives from %s already";
  if (aio_datagram_want(d)) return "%s cannot be received from";
  aio_list_push(&d->readers, &w->node.link);
  return NULL;
}

static const aio_clause_ops recv_clause = {clause_check, clause_take, clause_arm, NULL};

/* ---- multicast ---- */

static int member(lua_State *L, bool join) {
  const datagram_ud *u = self_open(L);
  aio_address group;
  lua_settop(L, VIA_AT);
  luaL_checkstring(L, GROUP_AT);
  const char *via = luaL_optstring(L, VIA_AT, NULL);
  luaL_argcheck(L, aio_address_ip(&group, lua_tostring(L, GROUP_AT), 0) == 0, GROUP_AT,
                "address of a group in digits expected");
  int err = aio_dport_member(u->d->port, &group, via, join);
  return err ? raise_os(L, err, join ? "join_group" : "leave_group") : 0;
}

static int datagram_join_group(lua_State *L) {
  return member(L, true);
}

static int datagram_leave_group(lua_State *L) {
  return member(L, false);
}

/* ---- closing ---- */

/* Also `local d <close>`: nothing is left to be waited for. */
static int datagram_close(lua_State *L) {
  aio_datagram_close(self(L)->d);
  return 0;
}

static void report_unclosed(lua_State *L, aio_lloop *l) {
  aio_made_report_unclosed(
      L, l, "a datagram endpoint was collected while open; close it, or write local d <close>",
      "transport", UV_WHERE);
}

static int datagram_gc(lua_State *L) {
  datagram_ud *u = lua_touserdata(L, SELF);
  aio_datagram *d = u->d;
  if (!d) return 0;
  lua_getiuservalue(L, SELF, UV_LOOP);
  aio_lloop *l = lua_touserdata(L, -1);
  if (l && l->core && l->debug && aio_datagram_is_open(d)) report_unclosed(L, l);
  u->d = NULL;
  aio_datagram_release(d);
  return 0;
}

static int datagram_is_closing(lua_State *L) {
  lua_pushboolean(L, self(L)->d->closed);
  return 1;
}

/* ---- what it tells ---- */

static bool push_address(lua_State *L, const aio_datagram *d, bool peer) {
  aio_address a;
  if (aio_dport_address(d->port, peer, &a)) return false;
  aio_address_push(L, &a);
  return true;
}

bool aio_datagram_info(lua_State *L, const aio_datagram *d, const char *name) {
  if (!d->port) return false;
  if (strcmp(name, "peername") == 0) return push_address(L, d, true);
  if (strcmp(name, "sockname") == 0) return push_address(L, d, false);
  int fd = strcmp(name, "fileno") == 0 ? aio_dport_fileno(d->port) : -1;
  if (fd < 0) return false;
  lua_pushinteger(L, fd);
  return true;
}

static int datagram_get_extra_info(lua_State *L) {
  const aio_datagram *d = self(L)->d;
  const char *name = luaL_checkstring(L, 2);
  lua_settop(L, 3);
  aio_datagram_info(L, d, name);
  return 1;
}

static int datagram_dropped(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)aio_datagram_dropped(self(L)->d));
  return 1;
}

static int datagram_tostring(lua_State *L) {
  const aio_datagram *d = self(L)->d;
  lua_pushfstring(L, "Datagram (%s): %p", aio_datagram_is_open(d) ? "open" : "closed",
                  lua_topointer(L, SELF));
  return 1;
}

void aio_datagram_open_class(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"send", datagram_send},
                                     {"recv", datagram_recv},
                                     {"datagrams", datagram_datagrams},
                                     {"join_group", datagram_join_group},
                                     {"leave_group", datagram_leave_group},
                                     {"dropped", datagram_dropped},
                                     {"close", datagram_close},
                                     {"is_closing", datagram_is_closing},
                                     {"get_extra_info", datagram_get_extra_info},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__close", datagram_close},
                                  {"__gc", datagram_gc},
                                  {"__tostring", datagram_tostring},
                                  {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_datagram", open_datagram}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_DATAGRAM, "Datagram", methods, meta);
  aio_class_selectable(L, "recv", &recv_clause);
  lua_setfield(L, -2, "_Datagram");
  aio_setfuncs(L, st, fns);
}
