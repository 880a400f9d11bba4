/* SPDX-License-Identifier: MIT
 *
 * The transport of a datagram endpoint: packets and errors become callbacks of the protocol; what
 * the system does not take at once waits in the endpoint's queue. Invariant: while the endpoint is
 * told to make the handle's node ready (`above`), the transport is anchored. */
#include <string.h>

#include "bind/address.h"
#include "bind/datagram.h"
#include "bind/error.h"
#include "bind/lloop.h"
#include "bind/transport.h"

enum { SELF = 1, DATA = 2, ADDRESS = 3 };

typedef struct packet_transport {
  aio_transport t;        /* must be first */
  aio_datagram_ud *below; /* user value BELOW; NULL after the finalizer */
  size_t low, high;       /* water marks of what waits to be sent */
  bool taking;            /* the first packet is being delivered */
} packet_transport;

static packet_transport *self(lua_State *L) {
  return aio_object_check(L, aio_state_up(L), SELF, AIO_REF_DATAGRAM_TRANSPORT);
}

static aio_datagram *endpoint_of(const packet_transport *u) {
  return u->below ? u->below->d : NULL;
}

static bool is_closing(const packet_transport *u) {
  const aio_datagram *d = endpoint_of(u);
  return u->t.closing || !d || !aio_datagram_is_open(d);
}

/* ---- what happens ---- */

enum event { NOTHING, MADE, RECEIVED, FAILED, LOST };

static enum event next_event(const packet_transport *u) {
  const aio_datagram *d = endpoint_of(u);
  if (u->t.lost || !d) return NOTHING;
  if (!u->t.made) return MADE;
  if (d->closed) return LOST;
  if (d->closing) return d->error ? FAILED : NOTHING;
  return d->count > 0 ? RECEIVED : d->error ? FAILED : NOTHING;
}

static void wake(packet_transport *u) {
  aio_loop *l = u->t.handle.loop->core;
  if (l && next_event(u) != NOTHING) aio_loop_tell(l, &u->t.handle.node);
}

/* A finalizer of the user may use this very endpoint while the values are made. */
static void received(lua_State *L, packet_transport *u) {
  u->taking = true;
  bool there = aio_transport_callback(L, &u->t, "datagram_received", false);
  aio_datagram *d = endpoint_of(u);
  const aio_packet *p = aio_datagram_first(d);
  if (!p) return;
  uint64_t before = d->gone;
  aio_address from = p->from;
  if (there) {
    lua_pushlstring(L, p->data, p->len);
    aio_address_push(L, &from);
  }
  if (d->gone != before) return;
  aio_datagram_consume(d);
  u->taking = false;
  if (there) lua_call(L, 3, 0);
}

static void failed(lua_State *L, packet_transport *u) {
  int err = aio_datagram_take_error(endpoint_of(u));
  if (!aio_transport_callback(L, &u->t, "error_received", false)) return;
  aio_error_push_os(L, u->t.handle.loop->st, err, "recv");
  lua_call(L, 2, 0);
}

/* The body of the handle: one event. */
static int run(lua_State *L) {
  packet_transport *u = lua_touserdata(L, SELF);
  aio_transport *t = &u->t;
  const aio_datagram *d = endpoint_of(u);
  if (!d) return 0;
  aio_transport_begin(t);
  u->taking = false;
  if (t->write_paused && (!d->closed || d->closing))
    aio_transport_pace(L, t, SELF, d->unsent_size, u->low, SIZE_MAX);
  enum event e = next_event(u);
  if (t->fresh && e == RECEIVED) e = NOTHING; /* next time */
  t->fresh = false;
  switch (e) {
  case MADE:
    aio_transport_made(L, t);
    break;
  case RECEIVED:
    received(L, u);
    break;
  case FAILED:
    failed(L, u);
    break;
  case LOST:
    lua_pushnil(L);
    aio_transport_lost(L, t);
    break;
  default:
    break;
  }
  u->taking = false;
  aio_transport_end(t);
  return 0;
}

/* After each run. A packet for which there was no memory is lost. */
static void after_run(lua_State *L, aio_handle *h, bool starved) {
  (void)starved;
  packet_transport *u = (packet_transport *)(void *)h;
  aio_datagram *d = endpoint_of(u);
  if (u->taking && d && d->count > 0) aio_datagram_consume(d);
  u->taking = false;
  if (u->t.lost || !d) {
    if (d) d->above = NULL;
    aio_transport_stop(L, &u->t);
  } else {
    wake(u);
  }
}

/* ---- what kind it is ---- */

static bool kind_is_closing(const aio_transport *t) {
  return is_closing((const packet_transport *)(const void *)t);
}

static void kind_close(aio_transport *t) {
  aio_datagram_finish(endpoint_of((packet_transport *)(void *)t));
}

static void kind_abort(aio_transport *t) {
  aio_datagram *d = endpoint_of((packet_transport *)(void *)t);
  if (d) aio_datagram_close(d);
}

static int kind_address(const aio_transport *t, bool peer, aio_address *a) {
  const aio_datagram *d = endpoint_of((const packet_transport *)(const void *)t);
  if (!d || !d->port || (peer && !d->connected)) return UV_ENOTCONN;
  return aio_dport_address(d->port, peer, a);
}

static void kind_info(lua_State *L, const aio_transport *t, const char *name) {
  const aio_datagram *d = endpoint_of((const packet_transport *)(const void *)t);
  if (d) aio_datagram_info(L, d, name);
}

static const aio_transport_kind kind = {
    .name = "DatagramTransport",
    .class = AIO_REF_DATAGRAM_TRANSPORT,
    .size = sizeof(packet_transport),
    .body = run,
    .is_closing = kind_is_closing,
    .close = kind_close,
    .abort = kind_abort,
    .address = kind_address,
    .info = kind_info,
};

/* ---- making ---- */

/* core._datagram_transport(endpoint, protocol): the transport of an open endpoint that nobody
 * reads; it calls the protocol's connection_made on the next turn. */
static int make_transport(lua_State *L) {
  enum { ENDPOINT = 1, PROTOCOL = 2 };
  aio_state *st = aio_state_up(L);
  aio_datagram_ud *below = aio_datagram_at(L, st, ENDPOINT);
  lua_getiuservalue(L, ENDPOINT, AIO_DATAGRAM_UV_LOOP);
  aio_lloop *l = lua_touserdata(L, -1);
  packet_transport *u = (packet_transport *)(void *)aio_transport_push(L, st, &kind, l, PROTOCOL);
  lua_pushvalue(L, ENDPOINT);
  lua_setiuservalue(L, -2, AIO_TRANSPORT_UV_BELOW);
  u->below = below;
  u->high = AIO_TRANSPORT_HIGH;
  u->low = AIO_TRANSPORT_HIGH / 4;
  aio_transport_keep_names(L, &u->t);
  aio_handle_anchor(L, &u->t.handle, -1);
  u->t.handle.again = after_run;
  below->d->above = &u->t.handle.node;
  wake(u);
  return 1;
}

static int transport_gc(lua_State *L) {
  packet_transport *u = lua_touserdata(L, SELF);
  aio_datagram *d = endpoint_of(u);
  if (d && d->above == &u->t.handle.node) d->above = NULL;
  u->below = NULL;
  return 0;
}

/* ---- sending ---- */

/* Reads where a packet shall go; NULL: to the peer. [may throw] */
static const aio_address *destination(lua_State *L, const aio_datagram *d, aio_address *a) {
  if (d->connected && lua_isnil(L, ADDRESS)) return NULL;
  memset(a, 0, sizeof *a); /* it is compared as bytes */
  aio_datagram_address_at(L, ADDRESS, a);
  if (!d->connected) return a;
  size_t len;
  lua_getiuservalue(L, SELF, AIO_TRANSPORT_UV_PEER_NAME);
  const char *peer = lua_tolstring(L, -1, &len);
  luaL_argcheck(L, !peer || memcmp(peer, a, len) == 0, ADDRESS,
                "this endpoint has another remote_addr: leave the address out");
  lua_pop(L, 1);
  return NULL;
}

/* Sends, or leaves the packet in the queue; an error is told at once, as in asyncio. */
static void send_packet(lua_State *L, packet_transport *u, const aio_address *to) {
  aio_datagram *d = endpoint_of(u);
  size_t len;
  const char *data = lua_tolstring(L, DATA, &len);
  int err = d->unsent_size > 0 ? UV_EAGAIN : aio_datagram_send(d, data, len, to);
  if (err == UV_EAGAIN) err = aio_datagram_leave(d, data, len, to);
  if (err == UV_ENOMEM) luaL_error(L, "not enough memory");
  if (err) {
    aio_error_push_os(L, aio_state_up(L), err, "send");
    aio_transport_call_now(L, &u->t, SELF, "error_received");
  } else {
    aio_transport_pace(L, &u->t, SELF, d->unsent_size, 0, u->high);
  }
}

static int transport_sendto(lua_State *L) {
  packet_transport *u = self(L);
  int type = lua_type(L, DATA);
  luaL_argexpected(L, type == LUA_TSTRING || type == LUA_TNUMBER, DATA, "string or number");
  lua_settop(L, ADDRESS);
  lua_tolstring(L, DATA, NULL);
  aio_address a;
  const aio_datagram *d = endpoint_of(u);
  const aio_address *to = d ? destination(L, d, &a) : NULL;
  if (is_closing(u))
    aio_transport_drop(L, &u->t, SELF);
  else
    send_packet(L, u, to);
  return 0;
}

static int transport_set_limits(lua_State *L) {
  packet_transport *u = self(L);
  const aio_datagram *d = endpoint_of(u);
  aio_transport_limits(L, &u->low, &u->high);
  if (d && !is_closing(u)) aio_transport_pace(L, &u->t, SELF, d->unsent_size, 0, u->high);
  return 0;
}

static int transport_get_limits(lua_State *L) {
  const packet_transport *u = self(L);
  lua_pushinteger(L, (lua_Integer)u->low);
  lua_pushinteger(L, (lua_Integer)u->high);
  return 2;
}

static int transport_get_size(lua_State *L) {
  const aio_datagram *d = endpoint_of(self(L));
  lua_pushinteger(L, d ? (lua_Integer)d->unsent_size : 0);
  return 1;
}

void aio_datagram_transport_open(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"sendto", transport_sendto},
                                     {"set_write_buffer_limits", transport_set_limits},
                                     {"get_write_buffer_limits", transport_get_limits},
                                     {"get_write_buffer_size", transport_get_size},
                                     {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_datagram_transport", make_transport}, {NULL, NULL}};
  aio_transport_class_open(L, st, &kind, methods, transport_gc);
  lua_setfield(L, -2, "_DatagramTransport");
  aio_setfuncs(L, st, fns);
}
