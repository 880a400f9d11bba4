/* SPDX-License-Identifier: MIT
 *
 * The class Process: a full userdata around an aio_child of floor 2. Started by aio.process (Lua),
 * which checks the options and adds what only combines. Invariants: everything that can fail, the
 * userdata, its streams and their places, exists before the child is started; after that nothing
 * can be raised. */
#include "bind/process.h"

#include <string.h>

#include "bind/error.h"
#include "bind/made.h"
#include "bind/signal.h"
#include "bind/stream.h"
#include "core/child.h"
#include "core/signo.h"

typedef struct process_ud {
  aio_child *c; /* NULL before it was made and after the finalizer */
} process_ud;

/* The table FIELDS has pid, the streams, and what aio.process (Lua) notes down. */
enum { UV_LOOP = 1, UV_FIELDS, UV_WHERE, UVS = 3 };
enum { SELF = 1 };

static process_ud *self(lua_State *L) {
  process_ud *u = aio_object_check(L, aio_state_up(L), SELF, AIO_REF_PROCESS);
  if (!u->c)
    aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                    "this process was never started, or is gone");
  return u;
}

/* ---- starting ---- */

/* Stack of core._spawn: what is to be started, then the process and its fields. */
enum { SPEC = 1, PROCESS, FIELDS };

/* Pushes an array of the strings in the list at the top (popped, it stays in SPEC). */
static char **push_list(lua_State *L) {
  int list = lua_gettop(L);
  size_t n = (size_t)lua_rawlen(L, list);
  char **v = lua_newuserdatauv(L, (n + 1) * sizeof *v, 0);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, list, (lua_Integer)i + 1);
    v[i] = (char *)(uintptr_t)luaL_checkstring(L, -1);
    lua_pop(L, 1);
  }
  v[n] = NULL;
  lua_replace(L, list);
  return v;
}

static const char *string_field(lua_State *L, const char *name) {
  lua_getfield(L, SPEC, name);
  const char *s = lua_tostring(L, -1);
  lua_pop(L, 1);
  return s;
}

static bool flag(lua_State *L, const char *name) {
  lua_getfield(L, SPEC, name);
  bool on = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return on;
}

static long number_field(lua_State *L, const char *name, bool *there) {
  *there = lua_getfield(L, SPEC, name) != LUA_TNIL;
  long n = (long)lua_tointeger(L, -1);
  lua_pop(L, 1);
  return n;
}

static aio_stream *push_pipe(lua_State *L, aio_state *st, aio_lloop *l) {
  lua_getfield(L, SPEC, "limit");
  size_t limit = (size_t)lua_tointeger(L, -1);
  lua_pop(L, 1);
  aio_stream_ud *u = aio_stream_push(L, st, l);
  aio_lloop_check_open(L, l);
  u->s = aio_stream_new(l->core, limit);
  if (!u->s) luaL_error(L, "not enough memory");
  return u->s;
}

/* SPEC[i] is a descriptor, or one of these; the stream of a "feed" is not for the user. */
static void read_stdio(lua_State *L, aio_state *st, aio_lloop *l, aio_stdio *io) {
  static const char *const names[] = {"stdin", "stdout", "stderr"};
  static const char *const kinds[] = {"inherit", "null", "same", "pipe", "feed", NULL};
  for (int i = 0; i < AIO_CHILD_STDIO; i++) {
    io[i].stream = NULL;
    if (lua_rawgeti(L, SPEC, i) == LUA_TNUMBER) {
      io[i].kind = AIO_STDIO_FD;
      io[i].fd = (int)lua_tointeger(L, -1);
      lua_pop(L, 1);
      continue;
    }
    static const enum aio_stdio_kind of[] = {AIO_STDIO_INHERIT, AIO_STDIO_NULL, AIO_STDIO_SAME,
                                             AIO_STDIO_PIPE, AIO_STDIO_PIPE};
    int kind = luaL_checkoption(L, -1, NULL, kinds);
    lua_pop(L, 1);
    io[i].kind = of[kind];
    io[i].fd = i - 1;
    if (io[i].kind != AIO_STDIO_PIPE) continue;
    lua_pushfstring(L, "%s%s", strcmp(kinds[kind], "feed") == 0 ? "_" : "", names[i]);
    io[i].stream = push_pipe(L, st, l);
    lua_rawset(L, FIELDS);
  }
}

static process_ud *push_new(lua_State *L, aio_state *st, aio_lloop *l) {
  process_ud *u = aio_object_new(L, st, AIO_REF_PROCESS, sizeof *u, UVS);
  aio_lloop_push(L, l);
  lua_setiuservalue(L, -2, UV_LOOP);
  lua_createtable(L, 0, 8);
  lua_pushinteger(L, 0);
  lua_setfield(L, -2, "pid");
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, -3, UV_FIELDS);
  if (l->debug) {
    aio_error_where(L, st);
    lua_setiuservalue(L, PROCESS, UV_WHERE);
    aio_made_note(L, st, PROCESS);
  }
  return u;
}

/* core._spawn(spec): a process, or nil and an OSError. */
static int spawn(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_PROCESS);
  luaL_checktype(L, SPEC, LUA_TTABLE);
  lua_settop(L, SPEC);
  aio_lloop *l = aio_lloop_here(L, st);
  process_ud *u = push_new(L, st, l);
  aio_child_opts opts;
  memset(&opts, 0, sizeof opts);
  opts.file = string_field(L, "file");
  opts.cwd = string_field(L, "cwd");
  opts.uid = number_field(L, "uid", &opts.set_uid);
  opts.gid = number_field(L, "gid", &opts.set_gid);
  opts.new_session = flag(L, "new_session");
  opts.detached = flag(L, "detached");
  opts.verbatim = flag(L, "verbatim");
  lua_getfield(L, SPEC, "args");
  opts.args = push_list(L);
  if (lua_getfield(L, SPEC, "env") == LUA_TTABLE) opts.env = push_list(L);
  read_stdio(L, st, l, opts.stdio);
  aio_lloop_check_open(L, l);
  u->c = aio_child_new();
  if (!u->c) return luaL_error(L, "not enough memory");
  const char *call = "spawn";
  int err = aio_child_start(u->c, l->core, &opts, &call);
  if (err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  if (err) {
    lua_pushnil(L);
    aio_error_push_os(L, st, err, call);
    return 2;
  }
  lua_pushinteger(L, u->c->pid);
  lua_setfield(L, FIELDS, "pid"); /* the key exists */
  lua_settop(L, PROCESS);
  return 1;
}

/* ---- waiting ---- */

static int push_returncode(lua_State *L, const aio_child *c) {
  if (c->state == AIO_CHILD_LOST)
    return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                           "the loop of this process was closed before the process ended");
  lua_pushinteger(L, c->returncode);
  return 1;
}

static int wait_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, wait_k);
  return push_returncode(L, self(L)->c);
}

static aio_task *waiter(lua_State *L, const aio_child *c) {
  aio_task *t = aio_task_waiter_in(L, c->loop, SELF);
  aio_task_hold(L, t, SELF);
  return t;
}

static int process_wait(lua_State *L) {
  aio_child *c = self(L)->c;
  lua_settop(L, SELF);
  if (c->state != AIO_CHILD_RUNNING) return push_returncode(L, c);
  return aio_task_suspend(L, waiter(L, c), &c->waiters, NULL, wait_k);
}

/* ---- signals ---- */

static int deliver(lua_State *L, int sig) {
  int err = aio_child_signal(self(L)->c, sig);
  if (!err) return 0;
  aio_error_push_os(L, aio_state_up(L), err, "kill");
  if (err == UV_ESRCH) {
    lua_pushliteral(L, "kill: the process has ended");
    lua_setfield(L, -2, "message");
  }
  return lua_error(L);
}

static int process_send_signal(lua_State *L) {
  self(L);
  return deliver(L, aio_signal_at(L, 2));
}

static int process_terminate(lua_State *L) {
  return deliver(L, aio_signo_of("SIGTERM"));
}

static int process_kill(lua_State *L) {
  return deliver(L, aio_signo_of("SIGKILL"));
}

/* ---- closing ---- */

static void abort_field(lua_State *L, int fields, const char *name) {
  lua_getfield(L, fields, name);
  aio_stream_ud *u = lua_touserdata(L, -1);
  if (u && u->s) {
    aio_stream_abort(u->s);
    u->told = true; /* what is lost now is given up on purpose */
  }
  lua_pop(L, 1);
}

/* What was fed by a task may still have output to carry, when the process ended by itself. */
static void abort_pipes(lua_State *L, bool all) {
  lua_getiuservalue(L, SELF, UV_FIELDS);
  int fields = lua_gettop(L);
  abort_field(L, fields, "stdin");
  abort_field(L, fields, "stdout");
  abort_field(L, fields, "stderr");
  if (all) {
    abort_field(L, fields, "_stdin");
    abort_field(L, fields, "_stdout");
    abort_field(L, fields, "_stderr");
  }
  lua_settop(L, fields - 1);
}

static int close_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, close_k);
  return 0;
}

/* `local p <close>`: what runs is killed, and waited for where that is possible. */
static int close_scope(lua_State *L) {
  const aio_state *st = aio_state_up(L);
  aio_child *c = self(L)->c;
  lua_settop(L, SELF);
  bool runs = c->state == AIO_CHILD_RUNNING;
  if (runs) aio_child_signal(c, aio_signo_of("SIGKILL"));
  abort_pipes(L, runs);
  aio_task *t = st->current;
  bool can_wait = t && L == t->top && !t->atomic && !st->atomic && lua_isyieldable(L);
  if (!runs || !can_wait || t->fut.loop->core != c->loop) return 0;
  return aio_task_suspend(L, waiter(L, c), &c->waiters, NULL, close_k);
}

static void report_unclosed(lua_State *L, aio_lloop *l, const aio_child *c) {
  lua_createtable(L, 0, 3);
  lua_pushliteral(L, "unclosed");
  lua_setfield(L, -2, "kind");
  lua_getiuservalue(L, SELF, UV_WHERE);
  const char *where = lua_tostring(L, -1);
  lua_pushfstring(L,
                  "process %d was collected while it ran, and goes on; wait for it, or write local "
                  "p <close>%s%s",
                  c->pid, where ? "; it was started at " : "", where ? where : "");
  lua_setfield(L, -3, "message");
  lua_pop(L, 1);
  lua_pushliteral(L, "warning");
  lua_setfield(L, -2, "level");
  aio_lloop_report(L, l);
}

/* core._process_is_left(process): does it run, and was it not meant to outlive its loop? */
static int process_is_left(lua_State *L) {
  const aio_child *c = self(L)->c;
  lua_pushboolean(L, c->state == AIO_CHILD_RUNNING && !c->detached);
  return 1;
}

static int process_gc(lua_State *L) {
  process_ud *u = lua_touserdata(L, SELF);
  aio_child *c = u->c;
  if (!c) return 0;
  lua_getiuservalue(L, SELF, UV_LOOP);
  aio_lloop *l = lua_touserdata(L, -1);
  if (l && l->core && l->debug && c->state == AIO_CHILD_RUNNING && !c->detached)
    report_unclosed(L, l, c);
  u->c = NULL;
  aio_child_release(c);
  return 0;
}

/* ---- what it tells ---- */

/* Methods, then returncode, then pid and the streams. */
static int process_index(lua_State *L) {
  aio_state *st = aio_state_up(L);
  const aio_child *c = self(L)->c;
  aio_push_ref(L, st, AIO_REF_PROCESS);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, -2) != LUA_TNIL) return 1;
  if (lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "returncode") == 0) {
    if (c->state != AIO_CHILD_ENDED) return 0;
    lua_pushinteger(L, c->returncode);
    return 1;
  }
  lua_getiuservalue(L, SELF, UV_FIELDS);
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  return 1;
}

/* core._process_fields(process) */
static int process_fields(lua_State *L) {
  self(L);
  lua_getiuservalue(L, SELF, UV_FIELDS);
  return 1;
}

static int process_tostring(lua_State *L) {
  const aio_child *c = self(L)->c;
  if (c->state == AIO_CHILD_RUNNING)
    lua_pushfstring(L, "Process %d (running)", c->pid);
  else if (c->state == AIO_CHILD_ENDED)
    lua_pushfstring(L, "Process %d (returncode %d)", c->pid, c->returncode);
  else
    lua_pushfstring(L, "Process %d (its loop is closed)", c->pid);
  return 1;
}

/* ---- for the errors and the options of aio.process ---- */

/* core._path_kind(path): "directory", "file" for all else that exists, or nil. */
static int path_kind(lua_State *L) {
  uv_fs_t r;
  const char *path = luaL_checkstring(L, 1);
  int err = uv_fs_stat(NULL, &r, path, NULL);
  enum { TYPE_MASK = 0170000, DIRECTORY = 0040000 };
  bool directory = !err && (r.statbuf.st_mode & TYPE_MASK) == DIRECTORY;
  uv_fs_req_cleanup(&r);
  if (err) return 0;
  lua_pushstring(L, directory ? "directory" : "file");
  return 1;
}

static int copy_environ(lua_State *L) {
  const uv_env_item_t *items = lua_touserdata(L, 1);
  int n = (int)lua_tointeger(L, 2);
  lua_createtable(L, 0, n);
  for (int i = 0; i < n; i++) {
    lua_pushstring(L, items[i].value);
    lua_setfield(L, -2, items[i].name);
  }
  return 1;
}

/* core._environ(): the environment of this process, name -> value. */
static int environ_table(lua_State *L) {
  uv_env_item_t *items;
  int n;
  luaL_checkstack(L, 4, NULL);
  lua_pushcfunction(L, copy_environ);
  if (uv_os_environ(&items, &n)) return luaL_error(L, "not enough memory");
  lua_pushlightuserdata(L, items);
  lua_pushinteger(L, n);
  int status = lua_pcall(L, 2, 1, 0);
  uv_os_free_environ(items, n);
  return status == LUA_OK ? 1 : lua_error(L);
}

void aio_process_open_class(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"wait", process_wait},
                                     {"send_signal", process_send_signal},
                                     {"terminate", process_terminate},
                                     {"kill", process_kill},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__index", process_index},
                                  {"__close", close_scope},
                                  {"__gc", process_gc},
                                  {"__tostring", process_tostring},
                                  {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_spawn", spawn},
                                 {"_process_fields", process_fields},
                                 {"_process_is_left", process_is_left},
                                 {"_path_kind", path_kind},
                                 {"_environ", environ_table},
                                 {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_PROCESS, "Process", methods, meta);
  lua_setfield(L, -2, "_Process");
  aio_setfuncs(L, st, fns);
}
