/* SPDX-License-Identifier: MIT
 *
 * How a task of a library beside the core lets a parser take what a stream receives: in place, in
 * the callback that received it, with limits of time that ride on the task's wait. Called by
 * lua/aio/http. Invariant: the stream holds the sink's userdata as long as it may call the sink. */
#include "bind/stream_read.h"
#include "core/api.h"

/* Stack slots: the stream, the sink or a count, the limits, whether the sink's results are wanted;
 * then whether the task has waited. */
enum { SELF = 1, WHAT = 2, SECONDS = 3, HEAD = 4, RESULTS = 5, WAITED = 6 };

/* ---- limits of time ---- */

static void expire(aio_timer *timer) {
  aio_wait *w = AIO_CONTAINER(timer, aio_wait, timer);
  aio_wake(aio_task_of_wait(w)->fut.loop->core, w);
}

/* The seconds at `idx`, -1 for nil. [may throw] */
static double limit(lua_State *L, int idx) {
  int ok;
  double seconds = lua_tonumberx(L, idx, &ok);
  if (ok && seconds >= 0) return seconds;
  if (!lua_isnil(L, idx))
    luaL_argerror(L, idx, "a number of seconds, not negative, or nil expected");
  return -1;
}

/* Suspends in the stream's readers, for so many seconds at most (< 0: any). [may throw, may yield]
 */
static int wait_for(lua_State *L, aio_task *t, aio_stream *s, double seconds, lua_KFunction k) {
  aio_loop *l = t->fut.loop->core;
  lua_pushboolean(L, true);
  lua_replace(L, WAITED);
  bool limited = seconds >= 0 && !aio_task_cancel_due(t);
  t->wait.timer.fire = expire;
  if (limited && !aio_loop_timer_start(l, &t->wait.timer, aio_loop_now(l) + seconds)) {
    s->sink = NULL;
    return luaL_error(L, "not enough memory");
  }
  t->wait.target = NULL;
  return aio_task_suspend(L, t, &s->readers, NULL, k);
}

/* ---- core._feed ---- */

/* From the first byte on another limit holds. */
static void begin(aio_sink_ud *u) {
  aio_link *first = aio_list_first(&u->stream->readers);
  u->begun = true;
  if (!first || u->head < 0) return;
  aio_loop *l = u->stream->loop;
  aio_wait *w = aio_wait_of(first);
  if (aio_loop_timer_start(l, &w->timer, aio_loop_now(l) + u->head)) return;
  u->unlimited = true;
  aio_wake(l, w);
}

/* Stands in front of the library's sink. */
static size_t feed_front(aio_sink *self, const char *ptr, size_t len, bool *done) {
  aio_sink_ud *u = AIO_CONTAINER(self, aio_sink_ud, front);
  size_t used = u->sink->feed(u->sink, ptr, len, done);
  if (!u->begun && used > 0 && !*done) begin(u);
  return used;
}

static bool is_done(aio_sink_ud *u) {
  bool done = false;
  u->sink->feed(u->sink, "", 0, &done);
  return done;
}

static int feed_try(lua_State *L, aio_stream_ud *u);
static int feed_k(lua_State *L, int status, lua_KContext ctx);
static const aio_read_op feed_op = {feed_try, feed_k};

/* What the wait has come to. */
static int fed(lua_State *L, const aio_stream *s, aio_sink_ud *sink) {
  if (is_done(sink)) {
    if (sink->results && lua_toboolean(L, RESULTS)) return sink->results(L, sink);
    lua_pushboolean(L, true);
    return 1;
  }
  if (sink->unlimited) return luaL_error(L, "not enough memory");
  if (s->eof || !aio_stream_is_open(s)) return aio_read_end(L, s);
  lua_pushboolean(L, false);
  return 1;
}

static int feed_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  const aio_task *t = (aio_task *)ctx;
  aio_stream_ud *u = lua_touserdata(L, SELF);
  aio_sink_ud *sink = lua_touserdata(L, WHAT);
  if (t->wait.node.state == AIO_IDLE && u->s->sink == &sink->front) u->s->sink = NULL;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, feed_k);
  return lua_toboolean(L, WAITED) ? fed(L, u->s, sink) : feed_try(L, u);
}

static int feed_try(lua_State *L, aio_stream_ud *u) {
  aio_stream *s = u->s;
  aio_sink_ud *sink = lua_touserdata(L, WHAT);
  double first = limit(L, SECONDS), head = limit(L, HEAD);
  if (is_done(sink)) return fed(L, s, sink);
  aio_task *t = aio_task_waiter_in(L, s->loop, SELF);
  sink->begun = sink->unlimited = false;
  sink->stream = s;
  sink->head = head;
  aio_stream_set_sink(s, &sink->front);
  if (s->sink) aio_stream_pull(s);
  if (!s->sink || s->eof) return fed(L, s, sink);
  return wait_for(L, t, s, sink->begun && head >= 0 ? head : first, feed_k);
}

void aio_stream_drop_sink(lua_State *L, const aio_stream_ud *u) {
  lua_getiuservalue(L, SELF, AIO_STREAM_UV_SINK);
  aio_sink_ud *sink = lua_touserdata(L, -1);
  if (sink && sink->stream == u->s) sink->stream = NULL;
  lua_pop(L, 1);
}

/* The stream keeps what its sink points into. [may throw] */
static aio_sink_ud *hold_sink(lua_State *L) {
  aio_sink_ud *sink = lua_touserdata(L, WHAT);
  bool ok = sink && lua_rawlen(L, WHAT) >= sizeof *sink && sink->tag == &aio_api_here;
  if (!ok) luaL_argerror(L, WHAT, "a parser that takes bytes from a stream expected");
  if (lua_getiuservalue(L, SELF, AIO_STREAM_UV_SINK) == LUA_TNIL || lua_touserdata(L, -1) != sink) {
    aio_stream_drop_sink(L, lua_touserdata(L, SELF));
    lua_pushvalue(L, WHAT);
    lua_setiuservalue(L, SELF, AIO_STREAM_UV_SINK);
  }
  lua_pop(L, 1);
  sink->front.feed = feed_front;
  return sink;
}

/* core._feed(stream, sink, seconds or nil, seconds from the first byte on or nil, results): true
 * when the sink is done, and behind that what it has if `results` asks for it, nil at the end of
 * the stream, false when the time is over. What the sink has used up stays in it, also when the
 * task is cancelled. [may throw, may yield] */
static int stream_feed(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  lua_settop(L, WAITED);
  if (aio_list_empty(&u->s->readers)) hold_sink(L);
  return aio_read_start(L, u, &feed_op);
}

/* ---- core._read ---- */

static int read_try(lua_State *L, aio_stream_ud *u);
static int read_k(lua_State *L, int status, lua_KContext ctx);
static const aio_read_op read_op = {read_try, read_k};

static int read_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return aio_read_resume(L, ctx, &read_op);
}

static int read_try(lua_State *L, aio_stream_ud *u) {
  aio_stream *s = u->s;
  size_t n = (size_t)lua_tointeger(L, WHAT);
  do {
    while (s->in.total > 0) {
      if (aio_stream_take(L, s, n < s->in.total ? n : s->in.total)) return 1;
    }
    if (s->eof || !aio_stream_is_open(s)) return aio_read_end(L, s);
  } while (!lua_toboolean(L, WAITED) && aio_stream_pull(s));
  if (lua_toboolean(L, WAITED)) {
    lua_pushboolean(L, false);
    return 1;
  }
  aio_task *t = aio_task_waiter_in(L, s->loop, SELF);
  aio_stream_want(s, 1, -1);
  return s->eof ? read_try(L, u) : wait_for(L, t, s, limit(L, SECONDS), read_k);
}

/* core._read(stream, n, seconds or nil): as stream:read(n), but false when the time is over. [may
 * throw, may yield] */
static int stream_read_for(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  luaL_argcheck(L, luaL_checkinteger(L, WHAT) > 0, WHAT, "a number of bytes, above 0, expected");
  lua_settop(L, WAITED);
  limit(L, SECONDS);
  return aio_read_start(L, u, &read_op);
}

/* core._look(stream): receives what has come already, for the task that waits for it. */
static int stream_look(lua_State *L) {
  aio_stream_look(aio_stream_self(L)->s);
  return 0;
}

void aio_feed_open_functions(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {
      {"_feed", stream_feed}, {"_read", stream_read_for}, {"_look", stream_look}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
