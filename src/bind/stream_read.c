/* SPDX-License-Identifier: MIT
 *
 * Reading from a stream: read, readline, readexactly, readuntil, lines, at_eof. Each operation is a
 * function that tries and, when what it wants is not there, waits and is called again. Invariant:
 * bytes leave the stream only after the string made of them exists, so neither an error nor a
 * cancellation loses any. */
#include <string.h>

#include "bind/error.h"
#include "bind/select.h"
#include "bind/stream.h"
#include "bind/stream_read.h"

/* Stack slots of every operation. */
enum { SELF = 1, WHAT = 2 };
enum { SEPARATORS = 100 }; /* at most, in one readuntil */

int aio_read_resume(lua_State *L, lua_KContext ctx, const aio_read_op *op) {
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, op->k);
  return op->try(L, aio_stream_self_again(L));
}

/* Begins an operation: the first try, after a turn for the others when it is time for that. */
int aio_read_start(lua_State *L, aio_stream_ud *u, const aio_read_op *op) {
  aio_stream *s = u->s;
  if (!aio_stream_is_open(s)) return aio_stream_raise_closed(L);
  if (!aio_list_empty(&s->readers))
    return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                           "another task reads from this stream already; let one task read and "
                           "hand the data on, by a queue for example");
  u->scanned = 0;
  aio_task *t = aio_task_tired_here(L, aio_state_up(L));
  return t ? aio_task_give_way(L, t, op->k) : op->try(L, u);
}

/* Waits until `need` bytes are there, or `byte` (-1: none) has come, and tries again; at once when
 * there is more already. */
int aio_read_wait(lua_State *L, aio_stream_ud *u, size_t need, int byte, const aio_read_op *op) {
  aio_stream *s = u->s;
  aio_task *t = aio_task_waiter_in(L, s->loop, SELF);
  if (!aio_list_empty(&s->readers)) return aio_read_start(L, u, op); /* raises */
  if (aio_stream_pull(s)) return op->try(L, u);
  aio_stream_want(s, need, byte);
  if (s->eof) return op->try(L, u);
  return aio_task_suspend(L, t, &s->readers, NULL, op->k);
}

/* The collector may run a finalizer of the user while the string is made. */
bool aio_stream_take(lua_State *L, aio_stream *s, size_t n) {
  size_t before = s->in.total, len;
  const char *ptr = aio_recvq_peek(&s->in, &len);
  if (n <= len) {
    lua_pushlstring(L, ptr, n);
  } else {
    luaL_Buffer b;
    char *to = luaL_buffinitsize(L, &b, n);
    if (s->in.total == before) aio_recvq_copy(&s->in, 0, to, n);
    luaL_pushresultsize(&b, n);
  }
  if (s->in.total != before) {
    lua_pop(L, 1);
    return false;
  }
  if (n) aio_stream_consume(s, n);
  return true;
}

/* The end, as a result: nil, or the error that it was. */
int aio_read_end(lua_State *L, const aio_stream *s) {
  if (aio_stream_is_open(s) && s->read_error) return aio_stream_raise(L, s, s->read_error, "read");
  lua_pushnil(L);
  return 1;
}

/* ---- read(n) ---- */

static int some_try(lua_State *L, aio_stream_ud *u);
static int some_k(lua_State *L, int status, lua_KContext ctx);
static const aio_read_op some_op = {some_try, some_k};

static int some_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return aio_read_resume(L, ctx, &some_op);
}

static int some_try(lua_State *L, aio_stream_ud *u) {
  aio_stream *s = u->s;
  size_t n = (size_t)lua_tointeger(L, WHAT);
  while (s->in.total > 0) {
    if (aio_stream_take(L, s, n < s->in.total ? n : s->in.total)) return 1;
  }
  if (s->eof || !aio_stream_is_open(s)) return aio_read_end(L, s);
  return aio_read_wait(L, u, 1, -1, &some_op);
}

/* ---- read("a") ---- */

static int all_try(lua_State *L, aio_stream_ud *u);
static int all_k(lua_State *L, int status, lua_KContext ctx);
static const aio_read_op all_op = {all_try, all_k};

static int all_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return aio_read_resume(L, ctx, &all_op);
}

static int all_try(lua_State *L, aio_stream_ud *u) {
  aio_stream *s = u->s;
  if (!s->eof && aio_stream_is_open(s)) return aio_read_wait(L, u, SIZE_MAX, -1, &all_op);
  if (s->read_error) return aio_read_end(L, s);
  while (!aio_stream_take(L, s, s->in.total)) {
  }
  return 1;
}

/* ---- readexactly(n) ---- */

static int exactly_try(lua_State *L, aio_stream_ud *u);
static int exactly_k(lua_State *L, int status, lua_KContext ctx);
static const aio_read_op exactly_op = {exactly_try, exactly_k};

static int exactly_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return aio_read_resume(L, ctx, &exactly_op);
}

/* Raises IncompleteReadError with all that is left; `expected` < 0: until a separator. */
static int raise_incomplete(lua_State *L, aio_stream *s, lua_Integer expected) {
  if (aio_stream_is_open(s) && s->read_error) return aio_read_end(L, s);
  while (!aio_stream_take(L, s, s->in.total)) {
  }
  int partial = lua_gettop(L);
  if (expected < 0)
    lua_pushfstring(L, "%d bytes read, then the end before the separator",
                    (int)lua_rawlen(L, partial));
  else
    lua_pushfstring(L, "%d bytes read of %I expected", (int)lua_rawlen(L, partial), expected);
  aio_error_new(L, aio_state_up(L), AIO_E_INCOMPLETE_READ, lua_tostring(L, -1));
  lua_pushvalue(L, partial);
  lua_setfield(L, -2, "partial");
  if (expected >= 0) {
    lua_pushinteger(L, expected);
    lua_setfield(L, -2, "expected");
  }
  return lua_error(L);
}

static int exactly_try(lua_State *L, aio_stream_ud *u) {
  aio_stream *s = u->s;
  size_t n = (size_t)lua_tointeger(L, WHAT);
  while (s->in.total >= n) {
    if (aio_stream_take(L, s, n)) return 1;
  }
  if (s->eof || !aio_stream_is_open(s)) return raise_incomplete(L, s, (lua_Integer)n);
  return aio_read_wait(L, u, n, -1, &exactly_op);
}

static int stream_readexactly(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  lua_Integer n = luaL_checkinteger(L, WHAT);
  luaL_argcheck(L, n >= 0, WHAT, "a number of bytes, not negative, expected");
  lua_settop(L, WHAT);
  u->discarded = 0;
  return aio_read_start(L, u, &exactly_op);
}

/* ---- readuntil(separators) ---- */

static int until_try(lua_State *L, aio_stream_ud *u);
static int until_k(lua_State *L, int status, lua_KContext ctx);
static const aio_read_op until_op = {until_try, until_k};

static int until_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return aio_read_resume(L, ctx, &until_op);
}

static int raise_overrun(lua_State *L, const char *message, size_t consumed) {
  aio_error_new(L, aio_state_up(L), AIO_E_LIMIT_OVERRUN, message);
  lua_pushinteger(L, (lua_Integer)consumed);
  lua_setfield(L, -2, "consumed");
  return lua_error(L);
}

/* The separators stand at the slots from WHAT to the top, all of them strings, none empty. */
typedef struct separators {
  size_t longest;
  int last;          /* the byte that all of them end with, or -1 */
  ptrdiff_t at, end; /* the match that ends first, of several the shortest; at < 0: none */
} separators;

static separators search(lua_State *L, const aio_stream_ud *u) {
  separators found = {0, -1, -1, 0};
  for (int i = WHAT; i <= lua_gettop(L); i++) {
    size_t len;
    const char *sep = lua_tolstring(L, i, &len);
    int last = (unsigned char)sep[len - 1];
    found.last = i == WHAT || found.last == last ? last : -1;
    if (len > found.longest) found.longest = len;
    ptrdiff_t at = aio_recvq_find(&u->s->in, u->scanned, sep, len);
    ptrdiff_t end = at + (ptrdiff_t)len;
    bool later = end > found.end || (end == found.end && at < found.at);
    if (at < 0 || (found.at >= 0 && later)) continue;
    found.at = at;
    found.end = end;
  }
  return found;
}

static int until_try(lua_State *L, aio_stream_ud *u) {
  aio_stream *s = u->s;
  separators found;
  while ((found = search(L, u)).at >= 0) {
    if ((size_t)found.at > s->limit)
      return raise_overrun(L, "the separator is behind more bytes than the limit",
                           (size_t)found.at);
    if (aio_stream_take(L, s, (size_t)found.end)) return 1;
    u->scanned = 0;
  }
  u->scanned = s->in.total + 1 > found.longest ? s->in.total + 1 - found.longest : 0;
  if (u->scanned > s->limit)
    return raise_overrun(L, "no separator in more bytes than the limit", u->scanned);
  if (s->eof || !aio_stream_is_open(s)) return raise_incomplete(L, s, -1);
  size_t need = found.last < 0 ? s->in.total + 1 : s->limit + found.longest;
  return aio_read_wait(L, u, need, found.last, &until_op);
}

static void check_separator(lua_State *L, int idx) {
  bool ok = lua_type(L, idx) == LUA_TSTRING && lua_rawlen(L, idx) > 0;
  luaL_argcheck(L, ok, WHAT, "a separator that is not empty, or a list of such, expected");
}

static int stream_readuntil(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  if (lua_isnoneornil(L, WHAT)) {
    lua_settop(L, SELF);
    lua_pushliteral(L, "\n");
  }
  lua_settop(L, WHAT);
  u->discarded = 0;
  if (!lua_istable(L, WHAT)) {
    check_separator(L, WHAT);
    return aio_read_start(L, u, &until_op);
  }
  lua_Integer n = luaL_len(L, WHAT);
  luaL_argcheck(L, n > 0 && n <= SEPARATORS, WHAT, "1 to 100 separators expected");
  luaL_checkstack(L, SEPARATORS, NULL);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, WHAT, i);
    check_separator(L, -1);
  }
  lua_remove(L, WHAT);
  return aio_read_start(L, u, &until_op);
}

/* ---- lines ---- */

static int line_try(lua_State *L, aio_stream_ud *u);
static int line_k(lua_State *L, int status, lua_KContext ctx);
static const aio_read_op line_op = {line_try, line_k};

static int line_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return aio_read_resume(L, ctx, &line_op);
}

/* Throws away what belongs to a line over the limit. True when that is its end. */
static bool discard(aio_stream_ud *u, ptrdiff_t newline) {
  aio_stream *s = u->s;
  bool ends = newline >= 0 || s->eof || !aio_stream_is_open(s);
  size_t n = newline >= 0 ? (size_t)newline + 1 : s->in.total;
  u->discarded += n;
  u->scanned = 0;
  if (n) aio_stream_consume(s, n);
  return ends;
}

static int raise_discarded(lua_State *L, aio_stream_ud *u) {
  size_t n = u->discarded;
  u->discarded = 0;
  const char *message =
      lua_pushfstring(L,
                      "a line of %I bytes, over the limit of %I (option 'limit' of who opened the "
                      "stream), was thrown away",
                      (LUAI_UACINT)n, (LUAI_UACINT)u->s->limit);
  return raise_overrun(L, message, n);
}

/* The line that ends at `newline` (-1: with the stream). False: look again. */
static bool take_line(lua_State *L, aio_stream *s, ptrdiff_t newline) {
  bool keep = lua_toboolean(L, WHAT) != 0;
  size_t n = newline >= 0 ? (size_t)newline + keep : s->in.total;
  if (!aio_stream_take(L, s, n)) return false;
  if (newline >= 0 && !keep && s->in.total) aio_stream_consume(s, 1);
  return true;
}

static int line_try(lua_State *L, aio_stream_ud *u) {
  aio_stream *s = u->s;
  for (;;) {
    ptrdiff_t newline = aio_recvq_find(&s->in, u->scanned, "\n", 1);
    size_t line = newline >= 0 ? (size_t)newline : s->in.total;
    if (u->discarded || line > s->limit) {
      if (discard(u, newline)) return raise_discarded(L, u);
    } else if (newline >= 0 ||
               ((s->eof || !aio_stream_is_open(s)) && s->in.total && !s->read_error)) {
      if (take_line(L, s, newline)) return 1;
      u->scanned = 0;
      continue;
    }
    if (s->eof || !aio_stream_is_open(s)) return aio_read_end(L, s);
    u->scanned = s->in.total;
    return aio_read_wait(L, u, s->limit + 1, '\n', &line_op);
  }
}

/* Reads a line, with its newline or without. */
static int read_line(lua_State *L, aio_stream_ud *u, bool keep) {
  lua_settop(L, SELF);
  lua_pushboolean(L, keep);
  return aio_read_start(L, u, &line_op);
}

static int stream_readline(lua_State *L) {
  return read_line(L, aio_stream_self(L), true);
}

/* ---- read ---- */

static int read_format(lua_State *L, aio_stream_ud *u) {
  const char *format = lua_tostring(L, WHAT);
  if (*format == '*') format++; /* as in Lua 5.2 */
  switch (*format) {
  case 'l':
    return read_line(L, u, false);
  case 'L':
    return read_line(L, u, true);
  case 'a':
    u->discarded = 0;
    return aio_read_start(L, u, &all_op);
  default:
    return luaL_argerror(L, WHAT, "a number of bytes, \"a\", \"l\" or \"L\" expected");
  }
}

static int stream_read(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  if (lua_type(L, WHAT) == LUA_TSTRING) return read_format(L, u);
  luaL_argcheck(L, !lua_isnoneornil(L, WHAT), WHAT,
                "say how much: read(n) for up to n bytes, read(\"a\") to the end, read(\"l\") for "
                "a line");
  lua_Integer n = luaL_checkinteger(L, WHAT);
  lua_settop(L, WHAT);
  luaL_argcheck(L, n >= -1, WHAT, "a number of bytes, or -1 for all, expected");
  u->discarded = 0;
  if (n > 0) return aio_read_start(L, u, &some_op);
  if (n < 0) return aio_read_start(L, u, &all_op);
  lua_pushliteral(L, "");
  return 1;
}

/* ---- aio.select{{stream, "read", n}} ---- */

static void clause_check(lua_State *L, aio_state *st, int obj) {
  aio_object_check(L, st, obj, AIO_REF_STREAM);
  if (lua_isinteger(L, obj + 1) && lua_tointeger(L, obj + 1) > 0) return;
  luaL_error(L, "a stream is read in select by {stream, \"read\", n}, with a positive number of "
                "bytes");
}

static int clause_take(lua_State *L, aio_state *st, int obj, bool turn) {
  const aio_stream_ud *u = aio_object_check(L, st, obj, AIO_REF_STREAM);
  aio_stream *s = u->s;
  if (!s || (!aio_stream_is_open(s) && !turn)) return aio_stream_raise_closed(L);
  if (!aio_list_empty(&s->readers)) return -1; /* arming says so */
  size_t n = (size_t)lua_tointeger(L, obj + 1);
  while (s->in.total > 0) {
    if (aio_stream_take(L, s, n < s->in.total ? n : s->in.total)) return 1;
  }
  return s->eof || !aio_stream_is_open(s) ? aio_read_end(L, s) : -1;
}

static const char *clause_arm(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w) {
  (void)st;
  aio_stream *s = ((aio_stream_ud *)lua_touserdata(L, obj))->s;
  if (!s || !aio_stream_is_open(s)) return "%s is closed";
  if (s->loop != t->fut.loop->core) return AIO_FOREIGN_LOOP;
  if (!aio_list_empty(&s->readers)) return "another task, or clause, reads from %s already";
  aio_list_push(&s->readers, &w->node.link);
  aio_stream_want(s, 1, -1);
  if (s->eof) aio_wake(s->loop, w);
  return NULL;
}

const aio_clause_ops aio_stream_clause = {clause_check, clause_take, clause_arm, NULL};

/* The iterator of lines: upvalues state, stream, format. */
static int lines_next(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushvalue(L, lua_upvalueindex(3));
  return stream_read(L);
}

static int stream_lines(lua_State *L) {
  aio_stream_self(L);
  lua_settop(L, WHAT);
  if (lua_isnil(L, WHAT)) {
    lua_pushliteral(L, "l");
    lua_replace(L, WHAT);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_pushcclosure(L, lines_next, 3);
  return 1;
}

static int stream_at_eof(lua_State *L) {
  const aio_stream *s = aio_stream_self(L)->s;
  lua_pushboolean(L, (s->eof || !aio_stream_is_open(s)) && s->in.total == 0);
  return 1;
}

const luaL_Reg aio_stream_read_methods[] = {{"read", stream_read},
                                            {"readline", stream_readline},
                                            {"readuntil", stream_readuntil},
                                            {"readexactly", stream_readexactly},
                                            {"lines", stream_lines},
                                            {"at_eof", stream_at_eof},
                                            {NULL, NULL}};
