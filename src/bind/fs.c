/* SPDX-License-Identifier: MIT
 *
 * The calls of aio.fs that are one job each, as a table of functions; aio.fs (Lua) publishes those
 * that need nothing more, and combines the others. Each reads its arguments by its row of the table
 * below. Invariant: all that can throw happens before the job is started, or after it has ended. */
#include "bind/fs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind/file.h"
#include "bind/job.h"
#include "bind/lloop.h"

/* ---- arguments ---- */

const char *aio_fs_path_at(lua_State *L, int arg) {
  size_t len;
  const char *path = luaL_checklstring(L, arg, &len);
  luaL_argcheck(L, strlen(path) == len, arg, "a path without zero bytes expected");
  return path;
}

/* 644 for 0644: its digits are octal, what it means as a number (sticky, and not to be read) is
 * not. */
static void refuse_octal(lua_State *L, int arg, lua_Integer mode) {
  enum { MOST = 0777, LAST = 777 };
  if (mode <= MOST || mode > LAST || mode % 10 > 7 || mode / 10 % 10 > 7) return;
  char octal[8];
  snprintf(octal, sizeof octal, "%o", (unsigned)mode);
  luaL_argerror(
      L, arg,
      lua_pushfstring(L, "the number %d is octal %s; write \"%d\"", (int)mode, octal, (int)mode));
}

int aio_fs_mode_at(lua_State *L, int arg, int unset) {
  enum { ALL = 07777 };
  if (lua_isnoneornil(L, arg)) return unset;
  lua_Integer mode = -1;
  if (lua_type(L, arg) == LUA_TSTRING) {
    const char *s = lua_tostring(L, arg);
    size_t digits = strspn(s, "01234567");
    if (digits && digits <= 5 && !s[digits]) mode = strtol(s, NULL, 8);
  } else {
    int ok;
    mode = lua_tointegerx(L, arg, &ok);
    if (!ok) mode = -1;
    refuse_octal(L, arg, mode);
  }
  luaL_argcheck(L, mode >= 0 && mode <= ALL, arg,
                "permissions expected: octal digits in a string, as \"644\", or their number");
  return (int)mode;
}

static int64_t id_at(lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg)) return -1;
  lua_Integer id = luaL_checkinteger(L, arg);
  luaL_argcheck(L, id >= -1 && id < 0xFFFFFFFF, arg,
                "the number of a user or group, or nil, expected");
  return id;
}

static double time_at(lua_State *L, int arg) {
  if (!lua_isnoneornil(L, arg)) return luaL_checknumber(L, arg);
  uv_timeval64_t now;
  uv_gettimeofday(&now);
  return (double)now.tv_sec + now.tv_usec / 1e6;
}

/* ---- results ---- */

static const char *type_name(enum aio_fs_type t) {
  static const char *const names[] = {"unknown", "file",   "directory", "link",
                                      "fifo",    "socket", "char",      "block"};
  return names[t];
}

static void set_integer(lua_State *L, const char *name, uint64_t v) {
  lua_pushinteger(L, (lua_Integer)v);
  lua_setfield(L, -2, name);
}

static void set_time(lua_State *L, const char *name, const uv_timespec_t *t) {
  lua_pushnumber(L, (double)t->tv_sec + (double)t->tv_nsec / 1e9);
  lua_setfield(L, -2, name);
}

void aio_fs_push_stat(lua_State *L, const uv_stat_t *s) {
  lua_createtable(L, 0, 16);
  lua_pushstring(L, type_name(aio_fs_type_of(s->st_mode)));
  lua_setfield(L, -2, "type");
  set_integer(L, "mode", s->st_mode & 07777);
  set_integer(L, "size", s->st_size);
  set_integer(L, "uid", s->st_uid);
  set_integer(L, "gid", s->st_gid);
  set_integer(L, "nlink", s->st_nlink);
  set_integer(L, "dev", s->st_dev);
  set_integer(L, "ino", s->st_ino);
  set_integer(L, "rdev", s->st_rdev);
  set_integer(L, "blksize", s->st_blksize);
  set_integer(L, "blocks", s->st_blocks);
  set_time(L, "atime", &s->st_atim);
  set_time(L, "mtime", &s->st_mtim);
  set_time(L, "ctime", &s->st_ctim);
  set_time(L, "birthtime", &s->st_birthtim);
}

static int push_nothing(lua_State *L, aio_fs *f) {
  (void)L;
  (void)f;
  return 0;
}

static int push_stat(lua_State *L, aio_fs *f) {
  aio_fs_push_stat(L, &f->req.statbuf);
  return 1;
}

static int push_data(lua_State *L, aio_fs *f) {
  lua_pushlstring(L, f->data, f->len);
  return 1;
}

static int push_entries(lua_State *L, aio_fs *f) {
  uv_dirent_t e;
  lua_createtable(L, (int)f->req.result, 0);
  for (lua_Integer i = 1; uv_fs_scandir_next(&f->req, &e) == 0; i++) {
    lua_createtable(L, 0, 2);
    lua_pushstring(L, e.name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, type_name(aio_fs_type_of_entry(e.type)));
    lua_setfield(L, -2, "type");
    lua_rawseti(L, -2, i);
  }
  return 1;
}

/* ---- the calls ---- */

/* `args`, one letter for each: p a path, q the second path, d bytes to be written, m permissions,
 * n a number, u and g who owns it, t and T times. m and n may be nil: then `unset`. */
typedef struct fs_call {
  const char *name;
  const char *args;
  aio_fs_fn fn;
  int (*push)(lua_State *L, aio_fs *f);
  int unset;
} fs_call;

static const fs_call calls[] = {
    {"stat", "p", aio_fs_stat, push_stat, 0},
    {"lstat", "p", aio_fs_lstat, push_stat, 0},
    {"mkdir", "pm", aio_fs_mkdir, push_nothing, 0777},
    {"rmdir", "p", aio_fs_rmdir, push_nothing, 0},
    {"unlink", "p", aio_fs_unlink, push_nothing, 0},
    {"rename", "pq", aio_fs_rename, push_nothing, 0},
    {"link", "pq", aio_fs_link, push_nothing, 0},
    {"symlink", "pqn", aio_fs_symlink, push_nothing, 0},
    {"readlink", "p", aio_fs_readlink, push_data, 0},
    {"realpath", "p", aio_fs_realpath, push_data, 0},
    {"chmod", "pm", aio_fs_chmod, push_nothing, -1},
    {"chown", "pug", aio_fs_chown, push_nothing, 0},
    {"utime", "ptT", aio_fs_utime, push_nothing, 0},
    {"remove_tree", "p", aio_fs_remove_tree, push_nothing, 0},
    {"scandir", "p", aio_fs_scandir, push_entries, 0},
    {"copyfile", "pqn", aio_fs_copyfile, push_nothing, 0},
    {"mkdtemp", "p", aio_fs_mkdtemp, push_data, 0},
    {"read", "p", aio_fs_read, push_data, 0},
    {"write", "pdmn", aio_fs_write, push_nothing, 0666},
};

/* What a call has read from its arguments, before there is anything to free. */
typedef struct fs_args {
  const char *path, *path2, *data;
  size_t len;
  int64_t number[2];
  double time[2];
} fs_args;

static void read_arg(lua_State *L, const fs_call *c, int arg, fs_args *a, int *numbers) {
  switch (c->args[arg - 1]) {
  case 'p':
    a->path = aio_fs_path_at(L, arg);
    break;
  case 'q':
    a->path2 = aio_fs_path_at(L, arg);
    break;
  case 'd':
    a->data = luaL_checklstring(L, arg, &a->len);
    break;
  case 'm':
    if (c->unset < 0) luaL_argcheck(L, !lua_isnoneornil(L, arg), arg, "permissions expected");
    a->number[(*numbers)++] = aio_fs_mode_at(L, arg, c->unset);
    break;
  case 'n':
    a->number[(*numbers)++] = luaL_optinteger(L, arg, 0);
    break;
  case 't':
    a->time[0] = time_at(L, arg);
    break;
  case 'T':
    a->time[1] = time_at(L, arg);
    break;
  default:
    a->number[(*numbers)++] = id_at(L, arg);
    break;
  }
}

/* The call, with copies of all that was read; NULL: memory is out. */
static aio_fs *make(const fs_call *c, const fs_args *a) {
  aio_fs *f = aio_fs_new(c->fn, a->path, a->path2);
  if (!f) return NULL;
  f->a = a->number[0];
  f->b = a->number[1];
  f->atime = a->time[0];
  f->mtime = a->time[1];
  if (!a->data) return f;
  f->data = malloc(a->len ? a->len : 1);
  if (!f->data) {
    aio_fs_free(f);
    return NULL;
  }
  memcpy(f->data, a->data, a->len);
  f->len = a->len;
  return f;
}

/* The second path of these is what the error is about. */
static const char *blamed(const aio_fs *f) {
  if (f->fn == aio_fs_remove_tree && f->data) return f->data;
  return f->fn == aio_fs_symlink || (f->err == UV_EEXIST && f->path2) ? f->path2 : f->path;
}

static const fs_call *call_of(const aio_fs *f) {
  const fs_call *c = calls;
  while (c->fn != f->fn) c++;
  return c;
}

static int failed(lua_State *L, const aio_fs *f, int err) {
  lua_pushstring(L, blamed(f));
  const char *call = f->call;
  bool creates = f->fn == aio_fs_write;
  aio_job_end(L);
  return aio_fs_raise(L, err, call, lua_tostring(L, -1), creates);
}

/* A second result: it is no regular file, and nothing was done (true), or what it is read from (a
 * file). */
static int done_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_job *j = aio_job_resumed(L, ctx);
  if (!j) return aio_suspend_again(L, ctx, done_k);
  aio_fs *f = aio_fs_of(j);
  if (f->err) return failed(L, f, f->err);
  int n = 2, err = 0;
  if (!f->special) {
    n = call_of(f)->push(L, f);
  } else {
    lua_pushnil(L);
    if (f->fd < 0)
      lua_pushboolean(L, 1);
    else
      err = aio_file_push_opened(L, (aio_task *)ctx, f);
  }
  if (err) return failed(L, f, err);
  aio_job_end(L);
  return n;
}

/* Upvalue 2: which row of the table. [may yield] */
static int fs_function(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_FS);
  const fs_call *c = &calls[lua_tointeger(L, lua_upvalueindex(2))];
  fs_args a;
  memset(&a, 0, sizeof a);
  int numbers = 0;
  for (int arg = 1; c->args[arg - 1]; arg++) read_arg(L, c, arg, &a, &numbers);
  aio_task *t = aio_task_waiter(L, st);
  aio_job **owner = aio_job_push(L, st);
  if (aio_task_cancel_due(t)) return aio_task_suspend(L, t, NULL, NULL, done_k);
  aio_fs *f = make(c, &a);
  if (!f) return luaL_error(L, "not enough memory");
  if (f->fn == aio_fs_read && !aio_task_tired(t) && aio_fs_read_now(f)) {
    aio_fs_give(f, owner);
    push_data(L, f);
    aio_job_end(L);
    return 1;
  }
  int err = aio_fs_start(t->fut.loop->core, owner, f);
  if (err) return aio_fs_raise(L, err, c->name, NULL, false);
  lua_settop(L, 1);
  return aio_job_wait(L, t, *owner, done_k);
}

/* core._tmpdir(): the system's folder for temporary files. */
static int tmpdir(lua_State *L) {
  char path[4096];
  size_t len = sizeof path;
  int err = uv_os_tmpdir(path, &len);
  if (err) return aio_fs_raise(L, err, "tmpdir", NULL, false);
  lua_pushlstring(L, path, len);
  return 1;
}

void aio_fs_open_functions(lua_State *L, aio_state *st) {
  lua_createtable(L, 0, sizeof calls / sizeof *calls);
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    aio_push_ref(L, st, AIO_REF_STATE);
    lua_pushinteger(L, (lua_Integer)i);
    lua_pushcclosure(L, fs_function, 2);
    lua_setfield(L, -2, calls[i].name);
  }
  lua_setfield(L, -2, "_fs");
  static const luaL_Reg fns[] = {{"_tmpdir", tmpdir}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
