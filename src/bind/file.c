/* SPDX-License-Identifier: MIT
 *
 * The class File: opening, closing, and how operations are waited for. Invariants: the userdata
 * exists before its descriptor does, and so does the owner of an operation. */
#include "bind/file.h"

#include <string.h>

#include "bind/error.h"
#include "bind/fs.h"
#include "bind/job.h"
#include "bind/made.h"
#include "core/sendfile.h"

enum { SELF = AIO_FILE_SELF, OP = AIO_FILE_OP };

/* ---- operations ---- */

static void op_end(aio_file_op **op) {
  if (*op) aio_file_op_release(*op);
  *op = NULL;
}

static int op_gc(lua_State *L) {
  op_end(lua_touserdata(L, 1));
  return 0;
}

void aio_file_end(lua_State *L) {
  op_end(lua_touserdata(L, OP));
}

aio_file_op *aio_file_begin(lua_State *L, aio_task *t, enum aio_file_kind kind, int64_t arg,
                            size_t n, const char *data, size_t len) {
  const aio_state *st = aio_state_up(L);
  aio_file_op **owner = aio_object_new(L, st, AIO_REF_FILE_OP, sizeof *owner, 1);
  lua_pushvalue(L, SELF); /* the file lives as long as who may hold its turn */
  lua_setiuservalue(L, -2, 1);
  lua_insert(L, OP);
  aio_file *f = aio_file_self(L);
  if (t->fut.loop->core != f->loop)
    aio_error_state(L, st, AIO_E_RUNTIME, "this file belongs to another loop");
  aio_file_op *op = aio_file_op_new(f, kind, data, len);
  if (!op) luaL_error(L, "not enough memory");
  op->arg = arg;
  op->n = n;
  aio_file_op_start(op, owner);
  return op;
}

int aio_file_wait(lua_State *L, aio_task *t, lua_KFunction k) {
  aio_file_op *op = *(aio_file_op **)lua_touserdata(L, OP);
  aio_task_hold(L, t, OP);
  if (op->done && aio_task_tired(t)) return aio_task_give_way(L, t, k);
  if (op->done && !aio_task_cancel_due(t)) return k(L, LUA_YIELD, (lua_KContext)t);
  return aio_task_suspend(L, t, &op->waiters, NULL, k);
}

int aio_file_raise(lua_State *L, int err, const char *call) {
  lua_getiuservalue(L, SELF, AIO_FILE_UV_PATH);
  return aio_fs_raise(L, err, call, lua_tostring(L, -1), false);
}

/* Raises the error of the operation at slot 2, if it has one. */
static void check_error(lua_State *L) {
  aio_file_op *op = *(aio_file_op **)lua_touserdata(L, OP);
  if (!op->err) return;
  int err = op->err;
  const char *call = op->call;
  op->err = 0; /* it is being told */
  aio_file_end(L);
  aio_file_raise(L, err, call);
}

aio_file_op *aio_file_resumed(lua_State *L, lua_KContext ctx) {
  const aio_task *t = (aio_task *)ctx;
  if (t->wait.node.state == AIO_IDLE && aio_task_cancel_due(t)) aio_file_end(L);
  if (!aio_task_resumed(L, ctx)) return NULL;
  check_error(L);
  return *(aio_file_op **)lua_touserdata(L, OP);
}

/* ---- finding ---- */

static aio_file_ud *object(lua_State *L) {
  return aio_object_check(L, aio_state_up(L), SELF, AIO_REF_FILE);
}

static int raise_closed(lua_State *L) {
  return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME, "this file is closed; open it again");
}

aio_file *aio_file_self(lua_State *L) {
  aio_file *f = object(L)->f;
  if (!f || f->closing || f->fd < 0) raise_closed(L);
  return f;
}

aio_file *aio_file_for(lua_State *L, const char *call) {
  aio_file *f = aio_file_self(L);
  if (!(*call == 'r' ? f->reads : f->writes)) aio_file_raise(L, UV_EBADF, call);
  return f;
}

/* ---- opening ---- */

/* Stack of core._open and of its continuation: the job takes the first place. */
enum { JOB = 1, PATH, FILE_AT };

static aio_file_ud *push_file(lua_State *L, aio_state *st, aio_lloop *l) {
  aio_file_ud *u = aio_object_new(L, st, AIO_REF_FILE, sizeof *u, AIO_FILE_UVS);
  if (!l->debug) return u;
  aio_lloop_push(L, l);
  lua_setiuservalue(L, -2, AIO_FILE_UV_LOOP);
  aio_error_where(L, st);
  lua_setiuservalue(L, -2, AIO_FILE_UV_WHERE);
  aio_made_note(L, st, -1);
  return u;
}

static int open_failed(lua_State *L, int err, const char *call, bool creates) {
  aio_job_end(L);
  return aio_fs_raise(L, err, call, lua_tostring(L, PATH), creates);
}

/* Gives what a call has opened to the file at `at`, whose path is at the top (popped). 0 or an
 * error code, then it is the call's still. */
static int take_over(lua_State *L, int at, const aio_task *t, aio_fs *fs) {
  aio_file_ud *u = lua_touserdata(L, at);
  lua_setiuservalue(L, at, AIO_FILE_UV_PATH);
  aio_file_new(&u->f);
  if (!u->f) return UV_ENOMEM;
  int err = aio_file_open(u->f, t->fut.loop->core, fs->fd, &fs->req.statbuf, (int)fs->a);
  if (!err) fs->fd = -1;
  return err;
}

int aio_file_push_opened(lua_State *L, const aio_task *t, aio_fs *fs) {
  push_file(L, aio_state_up(L), t->fut.loop);
  lua_pushstring(L, fs->path);
  return take_over(L, lua_gettop(L) - 1, t, fs);
}

/* A file; nil when a FIFO has no reader yet. And the path of a file that got its name here. */
static int opened_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_job *j = aio_job_resumed(L, ctx);
  if (!j) return aio_suspend_again(L, ctx, opened_k);
  aio_fs *fs = aio_fs_of(j);
  bool creates = fs->fn == aio_fs_open && (fs->a & UV_FS_O_CREAT), named = fs->data != NULL;
  if (fs->err && fs->special) return 0;
  if (fs->err) return open_failed(L, fs->err, fs->call, creates);
  if (aio_fs_type_of(fs->req.statbuf.st_mode) == AIO_FS_DIRECTORY)
    return open_failed(L, UV_EISDIR, "open", false);
  if (named) {
    lua_pushlstring(L, fs->data, fs->len);
    lua_replace(L, PATH);
  }
  lua_pushvalue(L, PATH);
  int err = take_over(L, FILE_AT, (aio_task *)ctx, fs);
  if (err) return open_failed(L, err, "open", false);
  aio_job_end(L);
  lua_pushvalue(L, FILE_AT);
  lua_pushvalue(L, PATH);
  return 2;
}

static int open_by(lua_State *L, aio_fs_fn fn, int flags, int mode) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_FS);
  aio_task *t = aio_task_waiter(L, st);
  lua_settop(L, 1);
  aio_job **owner = aio_job_push(L, st);
  push_file(L, st, t->fut.loop);
  if (aio_task_cancel_due(t)) return aio_task_suspend(L, t, NULL, NULL, opened_k);
  aio_fs *fs = aio_fs_new(fn, lua_tostring(L, PATH), NULL);
  if (!fs) return luaL_error(L, "not enough memory");
  fs->a = flags;
  fs->b = mode;
  int err = aio_fs_start(t->fut.loop->core, owner, fs);
  if (err) return aio_fs_raise(L, err, "open", NULL, false);
  return aio_job_wait(L, t, *owner, opened_k);
}

/* The flags for a mode of io.open, which is right. */
static int flags_of(const char *mode) {
  bool plus = strchr(mode, '+') != NULL;
  int flags = *mode == 'r' ? 0 : UV_FS_O_CREAT | (*mode == 'w' ? UV_FS_O_TRUNC : UV_FS_O_APPEND);
  if (strchr(mode, 'x')) flags |= UV_FS_O_EXCL;
  if (plus) return flags | UV_FS_O_RDWR;
  return flags | (*mode == 'r' ? UV_FS_O_RDONLY : UV_FS_O_WRONLY);
}

/* core._open(path, mode, permissions): a file, nil when a FIFO has no reader yet. [may yield] */
static int open_path(lua_State *L) {
  aio_fs_path_at(L, 1);
  int flags = flags_of(luaL_checkstring(L, 2));
  return open_by(L, aio_fs_open, flags, aio_fs_mode_at(L, 3, 0666));
}

/* core._mkstemp(template): a new file, and its path. [may yield] */
static int open_temporary(lua_State *L) {
  aio_fs_path_at(L, 1);
  return open_by(L, aio_fs_mkstemp, UV_FS_O_RDWR, 0);
}

/* ---- closing ---- */

static int closed_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_file_resumed(L, ctx)) return aio_suspend_again(L, ctx, closed_k);
  aio_file_end(L);
  return 0;
}

static bool can_wait(lua_State *L, const aio_state *st) {
  const aio_task *t = st->current;
  return t && L == t->top && !t->atomic && !st->atomic && lua_isyieldable(L);
}

/* file:close(), and the end of a scope. [may yield] */
static int file_close(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_file *f = object(L)->f;
  lua_settop(L, SELF);
  if (!f || f->closing || f->fd < 0 || aio_file_close_now(f)) return 0;
  aio_task *t = aio_task_waiter(L, st);
  aio_file_begin(L, t, AIO_FILE_CLOSE, 0, 0, NULL, 0);
  return aio_file_wait(L, t, closed_k);
}

/* Where nobody can wait, it is closed all the same, by and by. */
static int close_scope(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_file_ud *u = object(L);
  aio_file *f = u->f;
  bool open = f && !f->closing && f->fd >= 0;
  if (!open || can_wait(L, st)) return file_close(L);
  u->f = NULL;
  aio_file_release(f);
  return 0;
}

static int file_gc(lua_State *L) {
  aio_file_ud *u = lua_touserdata(L, SELF);
  aio_file *f = u->f;
  if (!f) return 0;
  lua_getiuservalue(L, SELF, AIO_FILE_UV_LOOP);
  aio_lloop *l = lua_touserdata(L, -1);
  u->f = NULL; /* the report hands it to the user, for whom it is closed */
  bool open = !f->closing && f->fd >= 0;
  aio_file_release(f);
  if (open && l && l->core)
    aio_made_report_unclosed(L, l,
                             "a file was collected while open; close it, or write local f <close>",
                             "file", AIO_FILE_UV_WHERE);
  return 0;
}

/* ---- what it tells ---- */

static int file_fileno(lua_State *L) {
  const aio_file *f = object(L)->f;
  if (!f || f->closing || f->fd < 0) return 0;
  if (f->seeks && aio_file_idle(f) && !f->appends) aio_file_seek(f->fd, aio_file_tell(f));
  lua_pushinteger(L, f->fd);
  return 1;
}

/* core._file_is_open(file) */
static int file_is_open(lua_State *L) {
  const aio_file *f = object(L)->f;
  lua_pushboolean(L, f && !f->closing && f->fd >= 0);
  return 1;
}

static int file_tostring(lua_State *L) {
  const aio_file *f = object(L)->f;
  lua_getiuservalue(L, SELF, AIO_FILE_UV_PATH);
  const char *path = lua_tostring(L, -1);
  lua_pushfstring(L, "File (%s%s): %p", !f || f->closing || f->fd < 0 ? "closed " : "",
                  path ? path : "", lua_topointer(L, SELF));
  return 1;
}

void aio_file_open_class(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"close", file_close}, {"fileno", file_fileno}, {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__close", close_scope}, {"__gc", file_gc}, {"__tostring", file_tostring}, {NULL, NULL}};
  static const luaL_Reg op_meta[] = {{"__gc", op_gc}, {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_open", open_path},
                                 {"_mkstemp", open_temporary},
                                 {"_file_is_open", file_is_open},
                                 {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_FILE_OP, "FileOperation", NULL, op_meta);
  lua_pop(L, 1);
  aio_class_open(L, st, AIO_REF_FILE, "File", methods, meta);
  aio_setfuncs(L, st, aio_file_read_methods);
  aio_setfuncs(L, st, aio_file_write_methods);
  lua_setfield(L, -2, "_File");
  aio_setfuncs(L, st, fns);
}
