/* SPDX-License-Identifier: MIT
 *
 * The transport of a stream: what happens on the stream below becomes callbacks of the protocol, in
 * asyncio's order: connection_made, what arrives, the end, connection_lost. Reading, sending and
 * closing are the stream's. Invariant: while the stream is told to make the handle's node ready
 * (`above`), the transport is anchored. */
#include "bind/transport_stream.h"
#include "bind/buffer.h"
#include "bind/lloop.h"

enum { SELF = 1 };
enum { MOST_AT_ONCE = 256 * 1024 }; /* bytes in one data_received */

typedef aio_stream_transport stream_transport;

static aio_stream *stream_of(const stream_transport *u) {
  return aio_stream_transport_below(u);
}

aio_stream_transport *aio_stream_transport_self(lua_State *L) {
  return aio_object_check(L, aio_state_up(L), SELF, AIO_REF_TRANSPORT);
}

void aio_stream_transport_replace(lua_State *L) {
  lua_getiuservalue(L, SELF, AIO_TRANSPORT_UV_BELOW);
  lua_replace(L, SELF);
}

/* A connection that was lost while nothing had to be sent: while it is paused that is not told, as
 * what arrived before is not. */
static bool is_kept(const stream_transport *u) {
  const aio_stream *s = stream_of(u);
  return u->paused && u->reads && s->read_error && !s->lost;
}

/* The error that ended writing; that one cannot write at all is none. */
static int write_error(const stream_transport *u) {
  return u->writes && !is_kept(u) ? stream_of(u)->write_error : 0;
}

static bool is_closing(const stream_transport *u) {
  const aio_stream *s = stream_of(u);
  return u->t.closing || !s || s->state >= AIO_STREAM_CLOSING || write_error(u);
}

bool aio_stream_transport_is_live(const aio_stream_transport *u) {
  return !is_closing(u) && aio_stream_is_open(stream_of(u));
}

void aio_stream_transport_unkeep(aio_stream_transport *u) {
  aio_stream *s = stream_of(u);
  if (!s || !aio_stream_is_open(s) || !is_kept(u)) return;
  s->lost = true;
  aio_stream_transport_wake(u);
}

/* ---- what happens ---- */

/* What the protocol is to hear next, in this order. */
enum event { NOTHING, MADE, RECEIVED, FAILED, ENDED, LOST };

static enum event next_event(const stream_transport *u) {
  const aio_stream *s = stream_of(u);
  if (u->t.lost || !s) return NOTHING;
  if (!u->t.made) return MADE;
  if (s->state == AIO_STREAM_CLOSED) return LOST;
  if (!aio_stream_is_open(s)) return NOTHING;
  if (s->in.total > 0 && !u->paused) return RECEIVED;
  bool ended = s->eof && u->reads && !u->paused && !u->eof_told;
  if (ended && !s->read_error) return ENDED;
  return ended || write_error(u) ? FAILED : NOTHING;
}

void aio_stream_transport_wake(aio_stream_transport *u) {
  aio_loop *l = u->t.handle.loop->core;
  if (l && next_event(u) != NOTHING) aio_loop_tell(l, &u->t.handle.node);
}

static void received(lua_State *L, stream_transport *u) {
  aio_stream *s = stream_of(u);
  bool there = aio_transport_callback(L, &u->t, "data_received", true);
  if (next_event(u) != RECEIVED) return; /* a metamethod of the protocol has closed it */
  size_t n = s->in.total < MOST_AT_ONCE ? s->in.total : MOST_AT_ONCE;
  if (!there)
    aio_stream_consume(s, n);
  else if (aio_stream_take(L, s, n)) /* false: a finalizer has closed it */
    lua_call(L, 2, 0);
}

/* Calls get_buffer; its three results are on the stack. */
static void ask_buffer(lua_State *L, stream_transport *u) {
  aio_transport_callback(L, &u->t, "get_buffer", true);
  lua_pushinteger(L, -1);
  lua_call(L, 2, 3);
}

static void received_into_buffer(lua_State *L, stream_transport *u) {
  ask_buffer(L, u);
  aio_buffer_place to = aio_buffer_place_at(L, u->t.handle.loop->st, -3);
  aio_stream *s = stream_of(u);
  if (next_event(u) != RECEIVED) return; /* get_buffer has paused or closed it */
  size_t n = s->in.total < to.len ? s->in.total : to.len;
  aio_recvq_copy(&s->in, 0, to.ptr, n);
  aio_stream_consume(s, n);
  lua_settop(L, SELF);
  if (!aio_transport_callback(L, &u->t, "buffer_updated", true)) return;
  lua_pushinteger(L, (lua_Integer)n);
  lua_call(L, 2, 0);
}

static void ended(lua_State *L, stream_transport *u) {
  aio_stream *s = stream_of(u);
  u->eof_told = true;
  u->eof_final = s->source->ops->finish != NULL;
  /* as in asyncio, where a place is asked for before it is known that nothing comes */
  if (u->t.buffered && !u->eof_final) ask_buffer(L, u);
  lua_settop(L, SELF);
  bool stay = false;
  if (aio_transport_callback(L, &u->t, "eof_received", true)) {
    lua_call(L, 1, 1);
    stay = lua_toboolean(L, -1) && u->writes && !u->eof_final;
  }
  if (stay || u->t.closing) return;
  u->t.closing = true;
  aio_stream_close(s);
}

/* The error that ended the connection. That the peer is gone is none when nothing was lost: the
 * reader of a pipe, or a peer that has ended TLS. */
static int last_error(const stream_transport *u) {
  const aio_stream *s = stream_of(u);
  int err = write_error(u);
  if (is_kept(u) || (err == UV_EPIPE && !s->lost && (!u->reads || u->eof_final))) return 0;
  return err || !u->reads ? err : s->read_error;
}

/* Pushes what connection_lost is told: the error of a callback, or of the connection, or nil. */
static void push_error(lua_State *L, const stream_transport *u) {
  const aio_stream *s = stream_of(u);
  int err = last_error(u);
  if (u->t.broken)
    lua_getiuservalue(L, SELF, AIO_TRANSPORT_UV_ERROR);
  else if (err)
    aio_stream_push_error(L, u->t.handle.loop->st, s, err, write_error(u) ? "write" : "read");
  else
    lua_pushnil(L);
}

/* Drops the strings that have been sent. */
static void unanchor(lua_State *L, const stream_transport *u) {
  if (u->below->released == u->below->s->out.released) return;
  lua_getiuservalue(L, SELF, AIO_TRANSPORT_UV_BELOW);
  aio_stream_unanchor(L, u->below, lua_gettop(L));
  lua_pop(L, 1);
}

/* The body of the handle: one event. */
static int run(lua_State *L) {
  stream_transport *u = lua_touserdata(L, SELF);
  aio_transport *t = &u->t;
  aio_stream *s = stream_of(u);
  if (!s) return 0;
  aio_transport_begin(t);
  unanchor(L, u);
  if (t->write_paused && !s->write_error && !s->lost)
    aio_transport_pace(L, t, SELF, s->out.total, s->low, SIZE_MAX);
  enum event e = next_event(u);
  if (e == FAILED) {
    aio_transport_abort(&u->t);
    e = LOST;
  }
  if (t->fresh && (e == RECEIVED || e == ENDED)) e = NOTHING; /* next time */
  t->fresh = false;
  switch (e) {
  case MADE:
    aio_transport_made(L, t);
    break;
  case RECEIVED:
    if (t->buffered)
      received_into_buffer(L, u);
    else
      received(L, u);
    break;
  case ENDED:
    ended(L, u);
    break;
  case LOST:
    push_error(L, u);
    aio_transport_lost(L, t);
    break;
  default:
    break;
  }
  aio_transport_end(t);
  return 0;
}

/* After each run, also one that failed. */
static void after_run(lua_State *L, aio_handle *h, bool starved) {
  (void)starved;
  stream_transport *u = (stream_transport *)(void *)h;
  aio_stream *s = stream_of(u);
  if (u->t.failed && u->t.fatal && s && s->state < AIO_STREAM_CLOSED) {
    if (!u->t.broken && !last_error(u)) s->write_error = s->read_error = UV_ENOMEM;
    aio_transport_abort(&u->t);
  }
  if (u->t.lost || !s) {
    if (s) s->above = NULL;
    aio_transport_stop(L, &u->t);
  } else {
    if (aio_stream_is_open(s) && !u->paused && s->in.total == 0) aio_stream_pull(s);
    aio_stream_transport_wake(u);
  }
}

/* ---- what kind it is ---- */

static bool kind_is_closing(const aio_transport *t) {
  return is_closing((const stream_transport *)(const void *)t);
}

static void kind_close(aio_transport *t) {
  aio_stream_close(stream_of((stream_transport *)(void *)t));
}

static void kind_abort(aio_transport *t) {
  aio_stream *s = stream_of((stream_transport *)(void *)t);
  if (s) aio_stream_abort(s);
}

static int kind_address(const aio_transport *t, bool peer, aio_address *a) {
  aio_stream *s = stream_of((const stream_transport *)(const void *)t);
  return s ? aio_stream_address(s, peer, a) : UV_ENOTCONN;
}

static void kind_info(lua_State *L, const aio_transport *t, const char *name) {
  const stream_transport *u = (const stream_transport *)(const void *)t;
  if (!stream_of(u)) return;
  aio_stream_transport_replace(L);
  aio_stream_info(L, u->below, name);
}

static const aio_transport_kind kind = {
    .name = "Transport",
    .class = AIO_REF_TRANSPORT,
    .size = sizeof(stream_transport),
    .body = run,
    .is_closing = kind_is_closing,
    .close = kind_close,
    .abort = kind_abort,
    .address = kind_address,
    .info = kind_info,
};

/* ---- making ---- */

/* core._transport(stream, protocol): the transport of an open stream that nobody reads; it calls
 * the protocol's connection_made on the next turn. */
static int make_transport(lua_State *L) {
  enum { STREAM = 1, PROTOCOL = 2 };
  aio_state *st = aio_state_up(L);
  aio_stream_ud *below = aio_stream_self(L);
  if (!aio_stream_is_open(below->s)) return aio_stream_raise_closed(L);
  lua_getiuservalue(L, STREAM, AIO_STREAM_UV_LOOP);
  aio_lloop *l = lua_touserdata(L, -1);
  stream_transport *u = (stream_transport *)(void *)aio_transport_push(L, st, &kind, l, PROTOCOL);
  lua_pushvalue(L, STREAM);
  lua_setiuservalue(L, -2, AIO_TRANSPORT_UV_BELOW);
  u->below = below;
  aio_transport_keep_names(L, &u->t);
  aio_handle_anchor(L, &u->t.handle, -1);
  if (!below->s || !aio_stream_is_open(below->s)) { /* a finalizer */
    aio_handle_unanchor(L, &u->t.handle);
    return aio_stream_raise_closed(L);
  }
  aio_stream *s = below->s;
  u->reads = !s->eof || s->read_error != UV_EBADF;
  u->writes = s->write_error != UV_EBADF;
  u->t.handle.again = after_run;
  s->above = &u->t.handle.node;
  s->lazy = false; /* a protocol always waits */
  aio_stream_hold(s, false);
  aio_stream_transport_wake(u);
  return 1;
}

/* core._transport_stream(transport): the stream below. */
static int transport_stream(lua_State *L) {
  aio_stream_transport_self(L);
  lua_getiuservalue(L, SELF, AIO_TRANSPORT_UV_BELOW);
  return 1;
}

static int transport_gc(lua_State *L) {
  stream_transport *u = lua_touserdata(L, SELF);
  aio_stream *s = stream_of(u);
  if (s && s->above == &u->t.handle.node) s->above = NULL;
  u->below = NULL;
  return 0;
}

/* ---- reading ---- */

static int set_paused(lua_State *L, bool paused) {
  stream_transport *u = aio_stream_transport_self(L);
  aio_stream *s = stream_of(u);
  /* also one that is lost, as long as it does not know: what arrived before may still be held */
  if (u->t.closing || !s || !aio_stream_is_open(s) || u->paused == paused) return 0;
  u->paused = paused;
  aio_stream_hold(s, paused);
  aio_stream_transport_wake(u);
  return 0;
}

static int transport_pause_reading(lua_State *L) {
  return set_paused(L, true);
}

static int transport_resume_reading(lua_State *L) {
  return set_paused(L, false);
}

static int transport_is_reading(lua_State *L) {
  const stream_transport *u = aio_stream_transport_self(L);
  lua_pushboolean(L, !is_closing(u) && !u->paused);
  return 1;
}

void aio_transport_open(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"pause_reading", transport_pause_reading},
                                     {"resume_reading", transport_resume_reading},
                                     {"is_reading", transport_is_reading},
                                     {NULL, NULL}};
  static const luaL_Reg fns[] = {
      {"_transport", make_transport}, {"_transport_stream", transport_stream}, {NULL, NULL}};
  aio_transport_class_open(L, st, &kind, methods, transport_gc);
  aio_setfuncs(L, st, aio_stream_transport_write_methods);
  lua_setfield(L, -2, "_Transport");
  aio_setfuncs(L, st, fns);
  aio_setfuncs(L, st, aio_stream_transport_functions);
}
