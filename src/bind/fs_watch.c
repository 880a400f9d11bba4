/* SPDX-License-Identifier: MIT
 *
 * The class FsWatch. An event leaves the queue when its table exists, so that neither an error nor
 * a cancellation loses one. Invariant: the userdata exists before its watch does. */
#include "bind/fs_watch.h"

#include "bind/error.h"
#include "bind/fs.h"
#include "bind/lloop.h"
#include "bind/made.h"
#include "core/fswatch.h"

typedef struct fs_watch_ud {
  aio_fswatch *w; /* NULL before it was made and after the finalizer */
} fs_watch_ud;

enum { SELF = 1 };
enum { UV_LOOP = 1, UV_PATH, UV_WHERE, UVS = 3 };

static fs_watch_ud *self(lua_State *L) {
  return aio_object_check(L, aio_state_up(L), SELF, AIO_REF_FS_WATCH);
}

/* ---- making ---- */

/* Stack of core._fs_watch. */
enum { PATH = 1, FOLDER, BASE, IS_FOLDER, SHOWN };

/* core._fs_watch(path, folder, base, is folder, path for the user): a watch. */
static int watch(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_FS);
  lua_settop(L, SHOWN);
  aio_lloop *l = aio_lloop_here(L, st);
  fs_watch_ud *u = aio_object_new(L, st, AIO_REF_FS_WATCH, sizeof *u, UVS);
  aio_lloop_push(L, l);
  lua_setiuservalue(L, -2, UV_LOOP);
  lua_pushvalue(L, SHOWN);
  lua_setiuservalue(L, -2, UV_PATH);
  if (l->debug) {
    aio_error_where(L, st);
    lua_setiuservalue(L, -2, UV_WHERE);
    aio_made_note(L, st, -1);
  }
  int err;
  const char *path = luaL_checkstring(L, PATH), *folder = luaL_checkstring(L, FOLDER);
  const char *base = luaL_checkstring(L, BASE);
  aio_lloop_check_open(L, l);
  u->w = aio_fswatch_new(l->core, path, folder, base, lua_toboolean(L, IS_FOLDER), &err);
  return u->w ? 1 : aio_fs_raise(L, err, "watch", lua_tostring(L, SHOWN), false);
}

/* ---- events ---- */

static void push_event(lua_State *L, const aio_fsevent *e) {
  static const char *const types[] = {"change", "rename", "overflow"};
  lua_createtable(L, 0, 3);
  lua_pushstring(L, types[e->type]);
  lua_setfield(L, -2, "type");
  lua_pushstring(L, e->name);
  lua_setfield(L, -2, "name");
  lua_getiuservalue(L, SELF, UV_PATH);
  if (e->inside) {
    lua_pushfstring(L, "%s/%s", lua_tostring(L, -1), e->name);
    lua_replace(L, -2);
  }
  lua_setfield(L, -2, "path");
}

static int next_k(lua_State *L, int status, lua_KContext ctx);

static int next_try(lua_State *L, aio_task *t) {
  const fs_watch_ud *u = lua_touserdata(L, SELF);
  for (aio_fsevent *e; u->w && (e = aio_fswatch_first(u->w));) {
    push_event(L, e);
    if (u->w && aio_fswatch_first(u->w) == e) {
      aio_fswatch_drop(u->w, e);
      return 1;
    }
    lua_settop(L, SELF); /* a finalizer has used this very watch */
  }
  if (!u->w || !u->w->loop) return 0;
  if (!t) t = aio_task_waiter(L, aio_state_up(L));
  if (t->fut.loop->core != u->w->loop)
    return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME, "this watch belongs to another loop");
  aio_task_hold(L, t, SELF);
  return aio_task_suspend(L, t, &u->w->waiters, NULL, next_k);
}

static int next_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_task *t = aio_task_resumed(L, ctx);
  return t ? next_try(L, t) : aio_suspend_again(L, ctx, next_k);
}

/* watch(): the next event; nil when it is closed. [may yield] */
static int next_event(lua_State *L) {
  self(L);
  lua_settop(L, SELF);
  aio_task *t = aio_task_tired_here(L, aio_state_up(L));
  return t ? aio_task_give_way(L, t, next_k) : next_try(L, NULL);
}

/* ---- closing ---- */

static int watch_close(lua_State *L) {
  const fs_watch_ud *u = self(L);
  if (u->w) aio_fswatch_close(u->w);
  return 0;
}

/* core._fs_watch_is_open(watch) */
static int watch_is_open(lua_State *L) {
  const fs_watch_ud *u = self(L);
  lua_pushboolean(L, u->w && u->w->loop);
  return 1;
}

static int watch_gc(lua_State *L) {
  fs_watch_ud *u = lua_touserdata(L, SELF);
  aio_fswatch *w = u->w;
  if (!w) return 0;
  lua_getiuservalue(L, SELF, UV_LOOP);
  aio_lloop *l = lua_touserdata(L, -1);
  bool report = w->loop && l && l->core && l->debug;
  u->w = NULL;
  aio_fswatch_release(w);
  if (report)
    aio_made_report_unclosed(L, l,
                             "a watch was collected while open; close it, or write local w <close>",
                             "watch", UV_WHERE);
  return 0;
}

static int watch_tostring(lua_State *L) {
  const fs_watch_ud *u = self(L);
  lua_getiuservalue(L, SELF, UV_PATH);
  lua_pushfstring(L, "FsWatch (%s%s): %p", u->w && u->w->loop ? "" : "closed ", lua_tostring(L, -1),
                  lua_topointer(L, SELF));
  return 1;
}

void aio_fs_watch_open(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"close", watch_close}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__call", next_event},
                                  {"__close", watch_close},
                                  {"__gc", watch_gc},
                                  {"__tostring", watch_tostring},
                                  {NULL, NULL}};
  static const luaL_Reg fns[] = {
      {"_fs_watch", watch}, {"_fs_watch_is_open", watch_is_open}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_FS_WATCH, "FsWatch", methods, meta);
  lua_setfield(L, -2, "_FsWatch");
  aio_setfuncs(L, st, fns);
}
