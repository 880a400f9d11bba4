/* SPDX-License-Identifier: MIT
 *
 * Writing to files, and positions: write, pwrite, flush, sync, truncate, seek, setvbuf. A write is
 * held back while there is room for it; else an operation takes a copy, which it writes whatever
 * becomes of who waits for it. */
#include "bind/error.h"
#include "bind/file.h"

enum { SELF = AIO_FILE_SELF };

/* Gives the file back, as most methods do. */
static int done_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_file_resumed(L, ctx)) return aio_suspend_again(L, ctx, done_k);
  aio_file_end(L);
  lua_settop(L, SELF);
  return 1;
}

/* Runs an operation and gives the file back. [yields] */
static int perform(lua_State *L, enum aio_file_kind kind, int64_t arg, const char *data,
                   size_t len) {
  aio_task *t = aio_task_waiter(L, aio_state_up(L));
  aio_file_begin(L, t, kind, arg, 0, data, len);
  return aio_file_wait(L, t, done_k);
}

/* ---- write ---- */

static int gave_way_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, gave_way_k);
  lua_settop(L, SELF);
  return 1;
}

/* Makes one string of the values from slot 2 on, at slot 2. */
static const char *join(lua_State *L, size_t *len) {
  int n = lua_gettop(L) - SELF;
  for (int i = SELF + 1; i <= SELF + n; i++) luaL_checklstring(L, i, NULL);
  if (n == 0) lua_pushliteral(L, "");
  if (n > 1) lua_concat(L, n);
  return lua_tolstring(L, SELF + 1, len);
}

/* file:write(values...): the file. [may yield] */
static int file_write(lua_State *L) {
  size_t len;
  aio_file_for(L, "write");
  const char *data = join(L, &len);
  aio_file *f = aio_file_for(L, "write"); /* a finalizer may have closed it */
  if (!aio_file_hold(f, data, len)) return perform(L, AIO_FILE_WRITE, 0, data, len);
  lua_settop(L, SELF);
  aio_task *t = aio_task_tired_here(L, aio_state_up(L));
  return t ? aio_task_give_way(L, t, gave_way_k) : 1;
}

/* file:pwrite(data, offset): the file; the position stays. [may yield] */
static int file_pwrite(lua_State *L) {
  size_t len;
  const aio_file *f = aio_file_for(L, "write");
  const char *data = luaL_checklstring(L, 2, &len);
  lua_Integer offset = luaL_checkinteger(L, 3);
  luaL_argcheck(L, offset >= 0, 3, "an offset, not negative, expected");
  if (!f->seeks) return aio_file_raise(L, UV_ESPIPE, "pwrite");
  return perform(L, AIO_FILE_PWRITE, offset, data, len);
}

/* ---- what is held back ---- */

/* file:flush(): gives all to the system. [may yield] */
static int file_flush(lua_State *L) {
  const aio_file *f = aio_file_self(L);
  lua_settop(L, SELF);
  if (aio_file_idle(f) && !f->out_len && !f->lost) return 1;
  return perform(L, AIO_FILE_FLUSH, 0, NULL, 0);
}

/* file:sync(): and the system to the disk. [may yield] */
static int file_sync(lua_State *L) {
  aio_file_self(L);
  lua_settop(L, SELF);
  return perform(L, AIO_FILE_SYNC, 0, NULL, 0);
}

/* file:setvbuf(mode, size) */
static int file_setvbuf(lua_State *L) {
  static const char *const names[] = {"full", "line", "no", NULL};
  enum { MOST = 1 << 30 };
  aio_file *f = aio_file_self(L);
  int mode = luaL_checkoption(L, 2, NULL, names);
  lua_Integer size = luaL_optinteger(L, 3, AIO_FILE_BUFFER);
  luaL_argcheck(L, size > 0 && size <= MOST, 3, "a positive number of bytes expected");
  if (!aio_file_idle(f))
    return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                           "setvbuf while another task uses this file; call it before");
  f->buffering = (uint8_t)mode;
  f->out_limit = f->chunk = (size_t)size;
  lua_settop(L, SELF);
  return 1;
}

/* ---- length and position ---- */

/* file:truncate(size or nil: the position). [may yield] */
static int file_truncate(lua_State *L) {
  aio_file_for(L, "write");
  lua_Integer size = luaL_optinteger(L, 2, -1);
  luaL_argcheck(L, lua_isnoneornil(L, 2) || size >= 0, 2, "a size, not negative, expected");
  lua_settop(L, SELF);
  return perform(L, AIO_FILE_TRUNCATE, size, NULL, 0);
}

static int seek_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  const aio_file_op *op = aio_file_resumed(L, ctx);
  if (!op) return aio_suspend_again(L, ctx, seek_k);
  lua_pushinteger(L, op->result);
  aio_file_end(L);
  return 1;
}

/* Where it can be done without waiting: the new position, else -1. */
static int64_t seek_now(aio_file *f, int whence, int64_t offset) {
  if (!aio_file_idle(f) || whence == AIO_FILE_END) return -1;
  if (f->out_len && (f->appends || whence != AIO_FILE_CUR || offset)) return -1;
  int64_t base = whence == AIO_FILE_CUR ? aio_file_tell(f) : 0;
  if (offset > 0 ? base > INT64_MAX - offset : base + offset < 0) return -1;
  if (!f->out_len) aio_file_move(f, base + offset);
  return base + offset;
}

/* file:seek(whence, offset): the new position. [may yield] */
static int file_seek(lua_State *L) {
  static const char *const names[] = {"set", "cur", "end", NULL};
  aio_file *f = aio_file_self(L);
  int whence = luaL_checkoption(L, 2, "cur", names);
  lua_Integer offset = luaL_optinteger(L, 3, 0);
  lua_settop(L, SELF);
  if (!f->seeks) return aio_file_raise(L, UV_ESPIPE, "seek");
  int64_t at = seek_now(f, whence, offset);
  if (at >= 0) {
    lua_pushinteger(L, at);
    return 1;
  }
  aio_task *t = aio_task_waiter(L, aio_state_up(L));
  aio_file_begin(L, t, AIO_FILE_SEEK, offset, (size_t)whence, NULL, 0);
  return aio_file_wait(L, t, seek_k);
}

const luaL_Reg aio_file_write_methods[] = {{"write", file_write},       {"pwrite", file_pwrite},
                                           {"flush", file_flush},       {"sync", file_sync},
                                           {"setvbuf", file_setvbuf},   {"seek", file_seek},
                                           {"truncate", file_truncate}, {NULL, NULL}};
