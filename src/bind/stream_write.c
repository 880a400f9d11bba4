/* SPDX-License-Identifier: MIT
 *
 * Writing to a stream: write, write_nowait, writelines, drain, write_eof, set_limits. The pieces of
 * one call are checked and anchored first, then sent by one system call from where they are.
 * Invariant: every long string that the send queue may borrow is a value of the anchor table under
 * a key from `first` to `last`, in the order in which the queue releases them. */
#include <limits.h>
#include <string.h>

#include "bind/error.h"
#include "bind/stream.h"

enum { SELF = 1, DATA = 2 };
enum { FEW = 16 }; /* pieces that need no memory of their own */

/* What one call writes: strings at the stack slots from `first` on. */
typedef struct gather {
  int first;
  size_t n, total, longs;
  aio_piece *pieces, few[FEW];
} gather;

/* ---- own: everything that can throw, or run a finalizer ---- */

static bool is_data(int type) {
  return type == LUA_TSTRING || type == LUA_TNUMBER;
}

/* Pushes the items of the list at `idx`. */
static void push_items(lua_State *L, int idx) {
  size_t n = (size_t)lua_rawlen(L, idx);
  luaL_argcheck(L, n < INT_MAX / 2, idx, "too many items");
  luaL_checkstack(L, (int)n + 1, "too many items in a list");
  for (size_t i = 1; i <= n; i++) {
    int type = lua_rawgeti(L, idx, (lua_Integer)i);
    if (is_data(type)) continue;
    lua_pushfstring(L, "item %d of the list is a %s; strings and numbers expected", (int)i,
                    lua_typename(L, type));
    luaL_argerror(L, idx, lua_tostring(L, -1));
  }
}

/* Brings all pieces, as strings, to the stack slots from g->first to the top. */
static void spread(lua_State *L, gather *g) {
  int top = lua_gettop(L);
  bool lists = false;
  for (int i = DATA; i <= top; i++) {
    int type = lua_type(L, i);
    lists |= type == LUA_TTABLE;
    luaL_argexpected(L, is_data(type) || type == LUA_TTABLE, i, "string, number or list");
  }
  g->first = DATA;
  if (lists) {
    g->first = top + 1;
    luaL_checkstack(L, top + LUA_MINSTACK, NULL);
    for (int i = DATA; i <= top; i++) {
      if (lua_istable(L, i))
        push_items(L, i);
      else
        lua_pushvalue(L, i);
    }
  }
  g->n = (size_t)(lua_gettop(L) - g->first + 1);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  for (int i = g->first; i < g->first + (int)g->n; i++) lua_tolstring(L, i, NULL);
}

/* Puts the long strings into the anchor table, behind those that are in use. */
static void anchor(lua_State *L, const aio_stream_ud *u, const gather *g) {
  if (lua_getiuservalue(L, SELF, AIO_STREAM_UV_ANCHORS) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, SELF, AIO_STREAM_UV_ANCHORS);
  }
  lua_Integer key = u->last;
  for (int i = g->first; i < g->first + (int)g->n; i++) {
    if (lua_rawlen(L, i) < AIO_BORROW_MIN) continue;
    lua_pushvalue(L, i);
    lua_rawseti(L, -2, ++key);
  }
  lua_pop(L, 1);
}

static void own(lua_State *L, const aio_stream_ud *u, gather *g) {
  spread(L, g);
  g->pieces = g->n <= FEW ? g->few : lua_newuserdatauv(L, g->n * sizeof *g->pieces, 0);
  g->total = g->longs = 0;
  for (size_t i = 0; i < g->n; i++) {
    aio_piece *p = &g->pieces[i];
    p->ptr = lua_tolstring(L, g->first + (int)i, &p->len);
    g->total += p->len;
    g->longs += p->len >= AIO_BORROW_MIN;
  }
  if (g->longs) anchor(L, u, g);
}

void aio_stream_unanchor(lua_State *L, aio_stream_ud *u, int idx) {
  if (u->released == u->s->out.released) return;
  lua_getiuservalue(L, idx, AIO_STREAM_UV_ANCHORS);
  for (; u->released != u->s->out.released; u->released++) {
    lua_pushnil(L);
    lua_rawseti(L, -2, u->first++);
  }
  lua_pop(L, 1);
  if (u->first > u->last) {
    u->first = 1;
    u->last = 0;
  }
}

/* ---- act ---- */

/* Raises the error that ended all writing. [throws] */
static int raise_write_error(lua_State *L, aio_stream_ud *u) {
  u->told = true;
  return aio_stream_raise(L, u->s, u->s->write_error, "write");
}

/* While a file is sent only its task may write, and end the writing. */
static void check_sender(lua_State *L, const aio_stream_ud *u) {
  if (u->sender && u->sender != aio_state_up(L)->current)
    aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                    "a file is being sent on this stream; write when sendfile has returned");
}

aio_stream *aio_stream_check_writable(lua_State *L, aio_stream_ud *u) {
  aio_stream *s = u->s;
  if (!aio_stream_is_open(s)) aio_stream_raise_closed(L);
  if (s->end_wanted)
    aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME, "cannot write after write_eof()");
  if (s->write_error) raise_write_error(L, u);
  check_sender(L, u);
  return s;
}

static void put(lua_State *L, aio_stream_ud *u, const gather *g) {
  aio_stream *s = aio_stream_check_writable(L, u); /* again: a finalizer may have closed it */
  int err = g->total ? aio_stream_write(s, g->pieces, g->n) : 0;
  u->last += (lua_Integer)g->longs;
  aio_stream_unanchor(L, u, SELF);
  if (s->write_error) raise_write_error(L, u);
  if (err) aio_stream_raise(L, s, err, "write");
}

void aio_stream_put(lua_State *L, aio_stream_ud *u) {
  gather g;
  own(L, u, &g);
  aio_stream *s = u->s;
  if (!s || !aio_stream_is_open(s) || s->write_error || g.total == 0) return; /* a finalizer */
  int err = aio_stream_write(s, g.pieces, g.n);
  u->last += (lua_Integer)g.longs;
  aio_stream_unanchor(L, u, SELF);
  if (err == UV_ENOMEM && !s->write_error) aio_stream_raise(L, s, err, "write");
}

/* ---- waiting ---- */

void aio_stream_check_sent(lua_State *L, aio_stream_ud *u) {
  const aio_stream *s = u->s;
  aio_stream_unanchor(L, u, SELF);
  if (s->write_error) raise_write_error(L, u);
  if (s->lost) aio_stream_raise(L, s, UV_ECONNABORTED, "write");
}

static int below_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_task *t = aio_task_resumed(L, ctx);
  if (!t) return aio_suspend_again(L, ctx, below_k);
  aio_stream_ud *u = aio_stream_self_again(L);
  aio_stream_check_sent(L, u);
  if (u->s->out.total <= u->s->low) return 0;
  return aio_task_suspend(L, t, &u->s->writers, NULL, below_k);
}

static int gave_way_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, gave_way_k);
  aio_stream_check_sent(L, aio_stream_self_again(L));
  return 0;
}

/* The end of an operation: waits while too much is queued, or gives way when it is time. `t` may
 * be NULL when nothing can be above the mark. */
static int settle(lua_State *L, aio_stream *s, aio_task *t) {
  if (s->out.total > s->high) return aio_task_suspend(L, t, &s->writers, NULL, below_k);
  t = aio_task_tired_here(L, aio_state_up(L));
  return t ? aio_task_give_way(L, t, gave_way_k) : 0;
}

static int write_and_wait(lua_State *L, aio_stream_ud *u) {
  gather g;
  aio_stream *s = aio_stream_check_writable(L, u);
  own(L, u, &g);
  /* Where waiting is impossible, nothing is written that might have to wait. */
  bool may_wait = s->out.total + g.total > s->high;
  aio_task *t = may_wait ? aio_task_waiter_in(L, s->loop, SELF) : NULL;
  put(L, u, &g);
  return settle(L, s, t);
}

static int stream_write(lua_State *L) {
  return write_and_wait(L, aio_stream_self(L));
}

static int stream_writelines(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  luaL_checktype(L, DATA, LUA_TTABLE);
  lua_settop(L, DATA);
  return write_and_wait(L, u);
}

static int stream_write_nowait(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  gather g;
  aio_stream_check_writable(L, u);
  own(L, u, &g);
  put(L, u, &g);
  lua_pushboolean(L, u->s->out.total <= u->s->high);
  return 1;
}

static int stream_drain(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  aio_stream *s = u->s;
  aio_stream_check_sent(L, u);
  lua_settop(L, SELF);
  return settle(L, s, s->out.total > s->high ? aio_task_waiter_in(L, s->loop, SELF) : NULL);
}

static int stream_write_eof(lua_State *L) {
  aio_stream *s = aio_stream_self(L)->s;
  if (!aio_stream_is_open(s)) return aio_stream_raise_closed(L);
  check_sender(L, aio_stream_self(L));
  int err = aio_stream_write_eof(s);
  return err ? aio_stream_raise(L, s, err, "shutdown") : 0;
}

static int stream_can_write_eof(lua_State *L) {
  lua_pushboolean(L, aio_stream_can_end(aio_stream_self(L)->s));
  return 1;
}

/* A water mark of the option table at DATA, or `unset`. */
static size_t mark(lua_State *L, const char *name, size_t unset) {
  size_t value = unset;
  if (lua_getfield(L, DATA, name) != LUA_TNIL) {
    int ok;
    lua_Integer n = lua_tointegerx(L, -1, &ok);
    if (!ok || n < 0) {
      lua_pushfstring(L, "'%s' must be a number of bytes, not negative", name);
      luaL_argerror(L, DATA, lua_tostring(L, -1));
    }
    value = (size_t)n;
  }
  lua_pop(L, 1);
  return value;
}

void aio_stream_marks(lua_State *L, size_t *high, size_t *low) {
  luaL_checktype(L, DATA, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, DATA); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (strcmp(key, "high") == 0 || strcmp(key, "low") == 0) continue;
    lua_pushfstring(L, "unknown option '%s' (there is: high, low)", luaL_tolstring(L, -2, NULL));
    luaL_argerror(L, DATA, lua_tostring(L, -1));
  }
  *high = mark(L, "high", SIZE_MAX);
  *low = mark(L, "low", SIZE_MAX);
}

static int stream_set_limits(lua_State *L) {
  aio_stream *s = aio_stream_self(L)->s;
  size_t high, low;
  aio_stream_marks(L, &high, &low);
  if (low == SIZE_MAX) low = high == SIZE_MAX ? s->low : high / 4;
  if (high == SIZE_MAX) high = low > s->high ? low : s->high;
  luaL_argcheck(L, low <= high, DATA, "'low' must not be above 'high'");
  s->high = high;
  s->low = low;
  return 0;
}

const luaL_Reg aio_stream_write_methods[] = {{"write", stream_write},
                                             {"writelines", stream_writelines},
                                             {"write_nowait", stream_write_nowait},
                                             {"drain", stream_drain},
                                             {"write_eof", stream_write_eof},
                                             {"can_write_eof", stream_can_write_eof},
                                             {"set_limits", stream_set_limits},
                                             {NULL, NULL}};
