/* SPDX-License-Identifier: MIT
 *
 * Reading from files: read, lines, pread, stat. A read takes what the buffer has; only when that is
 * not enough an operation fills it, keeps the file to itself until the call is done, and the
 * reading goes on. Invariant: bytes leave the buffer after the value made of them exists. */
#include <stdlib.h>
#include <string.h>

#include "bind/file.h"
#include "bind/fs.h"

/* Stack of a read: the file, the operation once there is one, formats, results. */
enum { SELF = AIO_FILE_SELF, OP = AIO_FILE_OP, MOST_FORMATS = 250 };

/* What a format needs that the buffer does not have. */
typedef struct need {
  enum aio_file_kind kind;
  size_t n;
} need;

/* ---- taking ---- */

/* Drops bytes; a buffer that has become large is given back by who has the file to itself. */
static void consume(aio_file *f, size_t n, bool ours) {
  f->in_pos += n;
  if (!ours || aio_file_ahead(f) || f->in_room <= AIO_FILE_KEEP) return;
  free(f->in);
  f->in = NULL;
  f->in_pos = f->in_len = f->in_room = 0;
}

/* Pushes the first `n` bytes and drops `gone`. False, and nothing pushed: a finalizer has used this
 * very file meanwhile; look again. */
static bool take(lua_State *L, aio_file *f, size_t n, size_t gone, bool ours) {
  size_t pos = f->in_pos, len = f->in_len;
  lua_pushlstring(L, f->in + pos, n);
  if (f->in_pos != pos || f->in_len != len) {
    lua_pop(L, 1);
    return false;
  }
  consume(f, gone, ours);
  return true;
}

static int push_nil(lua_State *L) {
  lua_pushnil(L);
  return 0;
}

/* These push a value and return 1, or push nil and return 0, or return -1: then *want is needed.
 * `op`: has the file to itself; NULL: nobody has. */

static int take_line(lua_State *L, aio_file *f, const aio_file_op *op, bool keep, need *want) {
  for (;;) {
    size_t ahead = aio_file_ahead(f);
    const char *p = f->in + f->in_pos, *newline = ahead ? memchr(p, '\n', ahead) : NULL;
    if (newline) {
      size_t n = (size_t)(newline - p);
      if (take(L, f, n + keep, n + 1, op != NULL)) return 1;
    } else if (op && op->eof) {
      if (!ahead) return push_nil(L);
      if (take(L, f, ahead, ahead, true)) return 1;
    } else {
      *want = (need){AIO_FILE_LINES, ahead};
      return -1;
    }
  }
}

static int take_count(lua_State *L, aio_file *f, const aio_file_op *op, size_t n, need *want) {
  for (;;) {
    size_t ahead = aio_file_ahead(f);
    if (ahead && ahead >= n) {
      if (take(L, f, n, n, op != NULL)) return 1;
    } else if (op && op->eof) {
      if (!ahead) return push_nil(L);
      if (take(L, f, ahead, ahead, true)) return 1;
    } else {
      *want = (need){AIO_FILE_COUNT, n ? n : 1};
      return -1;
    }
  }
}

static int take_all(lua_State *L, aio_file *f, const aio_file_op *op, need *want) {
  *want = (need){AIO_FILE_ALL, 0};
  if (!op || !op->eof) return -1;
  size_t ahead = aio_file_ahead(f);
  if (!ahead)
    lua_pushliteral(L, "");
  else
    take(L, f, ahead, ahead, true);
  return 1;
}

static int take_number(lua_State *L, aio_file *f, const aio_file_op *op, need *want) {
  char text[256];
  size_t blanks = 0, ahead = aio_file_ahead(f);
  bool eof = op && op->eof;
  ptrdiff_t len = ahead ? aio_file_numeral(f->in + f->in_pos, ahead, eof, &blanks) : eof - 1;
  if (len < 0) {
    *want = (need){AIO_FILE_NUMBER, 0};
    return -1;
  }
  memcpy(text, ahead ? f->in + f->in_pos + blanks : "", (size_t)len);
  text[len] = '\0';
  consume(f, blanks + (size_t)len, op != NULL);
  return lua_stringtonumber(L, text) ? 1 : push_nil(L);
}

static char letter_of(const char *format) {
  return *format == '*' ? format[1] : *format; /* as in Lua 5.2 */
}

static int take_format(lua_State *L, aio_file *f, const aio_file_op *op, int format, need *want) {
  if (lua_type(L, format) == LUA_TNUMBER)
    return take_count(L, f, op, (size_t)lua_tointeger(L, format), want);
  switch (letter_of(lua_tostring(L, format))) {
  case 'l':
    return take_line(L, f, op, false, want);
  case 'L':
    return take_line(L, f, op, true, want);
  case 'a':
    return take_all(L, f, op, want);
  default:
    return take_number(L, f, op, want);
  }
}

/* ---- read ---- */

/* The call has the file to itself. */
static int read_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_file_op *op = aio_file_resumed(L, ctx);
  if (!op) return aio_suspend_again(L, ctx, read_k);
  aio_file *f = op->file;
  int n = op->user, first = OP + n;
  for (int i = lua_gettop(L) - first + 1; i <= n; i++) {
    need want;
    int got = take_format(L, f, op, OP + i, &want);
    if (got == 0) break;
    if (got > 0) continue;
    op->kind = (uint8_t)want.kind;
    op->n = want.n;
    aio_file_op_again(op);
    return aio_file_wait(L, (aio_task *)ctx, read_k);
  }
  aio_file_end(L);
  return lua_gettop(L) - first;
}

/* As much as can be had without waiting; then with it. */
static int read_now(lua_State *L, aio_file *f) {
  int n = lua_gettop(L) - SELF;
  need want = {AIO_FILE_COUNT, 0};
  bool free_now = aio_file_idle(f);
  for (int i = 1; i <= n; i++) {
    int got = -1;
    if (free_now || i > 1) got = take_format(L, f, NULL, SELF + i, &want);
    if (got == 0) return i;
    if (got > 0 && i == n) return n;
    if (got > 0) continue;
    aio_task *t = aio_task_waiter(L, aio_state_up(L));
    aio_file_begin(L, t, want.kind, 0, want.n, NULL, 0)->user = n;
    return aio_file_wait(L, t, read_k);
  }
  return n;
}

static int gave_way_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, gave_way_k);
  return read_now(L, aio_file_self(L));
}

static void check_format(lua_State *L, int arg) {
  if (lua_type(L, arg) == LUA_TNUMBER) {
    luaL_argcheck(L, luaL_checkinteger(L, arg) >= 0, arg,
                  "a number of bytes, not negative, expected");
    return;
  }
  char letter = letter_of(luaL_checkstring(L, arg));
  luaL_argcheck(L, letter && strchr("lLan", letter), arg,
                "a number of bytes, \"l\", \"L\", \"n\" or \"a\" expected");
}

/* The file and its formats, which are right, are all that is on the stack. */
static int read_formats(lua_State *L) {
  aio_file *f = aio_file_for(L, "read");
  if (lua_gettop(L) == SELF) lua_pushliteral(L, "l");
  aio_task *t = aio_task_tired_here(L, aio_state_up(L));
  return t ? aio_task_give_way(L, t, gave_way_k) : read_now(L, f);
}

/* file:read(formats...) [may yield] */
static int file_read(lua_State *L) {
  aio_file_self(L);
  int top = lua_gettop(L);
  luaL_argcheck(L, top - SELF <= MOST_FORMATS, MOST_FORMATS + 1, "too many formats");
  luaL_checkstack(L, top + LUA_MINSTACK, NULL);
  for (int i = SELF + 1; i <= top; i++) check_format(L, i);
  return read_formats(L);
}

/* ---- lines ---- */

/* Upvalues: state, file, count of formats, formats. */
static int lines_next(lua_State *L) {
  enum { UP_FILE = 2, UP_COUNT = 3 };
  int n = (int)lua_tointeger(L, lua_upvalueindex(UP_COUNT));
  lua_settop(L, 0);
  luaL_checkstack(L, 2 * n + LUA_MINSTACK, NULL);
  lua_pushvalue(L, lua_upvalueindex(UP_FILE));
  for (int i = 1; i <= n; i++) lua_pushvalue(L, lua_upvalueindex(UP_COUNT + i));
  return read_formats(L);
}

static int file_lines(lua_State *L) {
  aio_file_for(L, "read");
  int n = lua_gettop(L) - SELF;
  luaL_argcheck(L, n <= MOST_FORMATS, MOST_FORMATS + 1, "too many formats");
  for (int i = 1; i <= n; i++) check_format(L, SELF + i);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, SELF);
  lua_pushinteger(L, n);
  lua_insert(L, SELF + 2);
  lua_pushcclosure(L, lines_next, n + 3);
  return 1;
}

/* ---- at a position ---- */

static int pread_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  const aio_file_op *op = aio_file_resumed(L, ctx);
  if (!op) return aio_suspend_again(L, ctx, pread_k);
  if (op->len)
    lua_pushlstring(L, op->data, op->len);
  else
    lua_pushnil(L);
  aio_file_end(L);
  return 1;
}

/* file:pread(n, offset): up to n bytes, fewer only at the end; nil behind it. [may yield] */
static int file_pread(lua_State *L) {
  aio_file *f = aio_file_for(L, "read");
  lua_Integer n = luaL_checkinteger(L, 2), offset = luaL_checkinteger(L, 3);
  luaL_argcheck(L, n >= 0, 2, "a number of bytes, not negative, expected");
  luaL_argcheck(L, offset >= 0, 3, "an offset, not negative, expected");
  if (!f->seeks) return aio_file_raise(L, UV_ESPIPE, "pread");
  lua_settop(L, SELF);
  if (n == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  aio_task *t = aio_task_waiter(L, aio_state_up(L));
  aio_file_begin(L, t, AIO_FILE_PREAD, offset, (size_t)n, NULL, 0);
  return aio_file_wait(L, t, pread_k);
}

/* ---- what it is ---- */

static int stat_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  const aio_file_op *op = aio_file_resumed(L, ctx);
  if (!op) return aio_suspend_again(L, ctx, stat_k);
  aio_fs_push_stat(L, &op->stat);
  aio_file_end(L);
  return 1;
}

/* file:stat(): as aio.fs.stat, of what is open; what is held back is written first. [may yield] */
static int file_stat(lua_State *L) {
  aio_file_self(L);
  aio_task *t = aio_task_waiter(L, aio_state_up(L));
  lua_settop(L, SELF);
  aio_file_begin(L, t, AIO_FILE_STAT, 0, 0, NULL, 0);
  return aio_file_wait(L, t, stat_k);
}

const luaL_Reg aio_file_read_methods[] = {{"read", file_read},
                                          {"lines", file_lines},
                                          {"pread", file_pread},
                                          {"stat", file_stat},
                                          {NULL, NULL}};
