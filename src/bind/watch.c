/* SPDX-License-Identifier: MIT
 *
 * add_reader, add_writer, and what waiting sockets share with them. Called by Lua and by
 * bind/sockwait.c. Invariants: a handle here is anchored; an open watch stands in its loop's table
 * under its descriptor. */
#include "bind/watch.h"

#include <limits.h>
#include <stdio.h>

#include "bind/error.h"
#include "bind/handle.h"
#include "bind/made.h"
#include "bind/socket.h"

enum { LOOP_AT = 1, FD_AT = 2, FN_AT = 3 };
enum { UV_HANDLES = 1, WATCH_UVS = 2 }; /* user values: a handle for each direction */

static const unsigned event_of[] = {UV_READABLE, UV_WRITABLE};

/* ---- finding ---- */

/* Pushes the table of the loop's watches. */
static void push_watches(lua_State *L, aio_lloop *l) {
  aio_lloop_push(L, l);
  lua_getiuservalue(L, -1, AIO_LOOP_UV_FIELDS);
  if (lua_getfield(L, -1, "watches") == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "watches");
  }
  lua_replace(L, -3);
  lua_pop(L, 1);
}

static aio_watch *find(lua_State *L, aio_lloop *l, aio_sock fd) {
  push_watches(L, l);
  lua_rawgeti(L, -1, (lua_Integer)fd);
  lua_replace(L, -2);
  return lua_touserdata(L, -1);
}

static void on_fire(aio_fdwatch *fd, unsigned events);

aio_watch *aio_watch_push(lua_State *L, aio_lloop *l, aio_sock fd) {
  aio_watch *w = find(L, l, fd);
  if (w) return w;
  lua_pop(L, 1);
  w = aio_object_new(L, l->st, AIO_REF_WATCH, sizeof *w, WATCH_UVS);
  w->loop = l;
  aio_link_init(&w->waiters[AIO_READING]);
  aio_link_init(&w->waiters[AIO_WRITING]);
  aio_watch *other = find(L, l, fd);
  if (other) { /* made by a finalizer */
    lua_replace(L, -2);
    return other;
  }
  lua_pop(L, 1);
  push_watches(L, l);
  aio_lloop_check_open(L, l);
  int err;
  w->fd = aio_fdwatch_new(l->core, fd, &err);
  if (!w->fd) aio_socket_raise(L, err, "epoll_create");
  w->fd->fire = on_fire;
  w->fd->owner = w;
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (lua_Integer)fd);
  lua_pop(L, 1);
  return w;
}

/* ---- being ready ---- */

/* From floor 2. A direction in which nobody is interested any more is dropped here rather than when
 * the last one went: often the next one comes before this. */
static void on_fire(aio_fdwatch *fd, unsigned events) {
  aio_watch *w = fd->owner;
  unsigned unwanted = 0;
  for (int d = AIO_READING; d <= AIO_WRITING; d++) {
    if (!(events & event_of[d])) continue;
    aio_handle *h = w->handles[d];
    bool woken = aio_wake_first(fd->loop, &w->waiters[d]);
    if (h && h->node.state == AIO_IDLE) aio_loop_ready(fd->loop, &h->node);
    if (!h && !woken) unwanted |= event_of[d];
  }
  if (unwanted) aio_fdwatch_ask(fd, fd->asked & ~unwanted);
}

int aio_watch_ask(aio_watch *w, enum aio_direction d, bool again) {
  if (!again && (w->fd->asked & event_of[d])) return 0;
  return aio_fdwatch_ask(w->fd, w->fd->asked | event_of[d]);
}

/* ---- ending ---- */

static void drop_handle(lua_State *L, aio_watch *w, enum aio_direction d) {
  aio_handle *h = w->handles[d];
  w->handles[d] = NULL;
  h->cancelled = true;
  aio_list_del(&h->node.link);
  h->node.state = AIO_IDLE;
  aio_handle_unanchor(L, h);
}

/* Takes it out of the loop's table, where its key exists; a loop that is being collected has let
 * go of its table. */
static void forget(lua_State *L, aio_watch *w) {
  aio_lloop_push(L, w->loop);
  if (!lua_isnil(L, -1)) {
    push_watches(L, w->loop);
    lua_pushnil(L);
    lua_rawseti(L, -2, (lua_Integer)w->fd->fd);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  aio_fdwatch_free(w->fd);
  w->fd = NULL;
}

void aio_watch_end(lua_State *L, aio_watch *w) {
  if (!w->fd) return;
  if (!w->fd->loop) { /* the loop was closed, and has dropped the handles */
    aio_fdwatch_free(w->fd);
    w->fd = NULL;
    return;
  }
  aio_loop *core = w->fd->loop;
  for (int d = AIO_READING; d <= AIO_WRITING; d++) {
    if (w->handles[d]) drop_handle(L, w, (enum aio_direction)d);
    aio_wake_all(core, &w->waiters[d]);
  }
  forget(L, w);
}

static int watch_gc(lua_State *L) {
  aio_watch *w = lua_touserdata(L, 1);
  if (w->fd) aio_fdwatch_free(w->fd);
  w->fd = NULL;
  return 0;
}

/* ---- loop:add_reader(fd, fn, ...) and the others ---- */

/* The descriptor at FD_AT: a number, an io file, or what has a method fileno. [may throw] */
static aio_sock check_fd(lua_State *L) {
  const luaL_Stream *file = luaL_testudata(L, FD_AT, LUA_FILEHANDLE);
  if (file) {
    luaL_argcheck(L, file->closef, FD_AT, "this file is closed");
    return (aio_sock)fileno(file->f);
  }
  int top = lua_gettop(L), ok;
  if (lua_type(L, FD_AT) == LUA_TNUMBER) {
    lua_pushvalue(L, FD_AT);
  } else if (luaL_getmetafield(L, FD_AT, "__index") != LUA_TNIL || lua_istable(L, FD_AT)) {
    lua_getfield(L, FD_AT, "fileno");
    luaL_argexpected(L, !lua_isnil(L, -1), FD_AT, "descriptor, or an object with fileno()");
    lua_pushvalue(L, FD_AT);
    lua_call(L, 1, 1);
    luaL_argcheck(L, !lua_isnil(L, -1), FD_AT, "this object is closed: it has no descriptor");
  } else {
    luaL_typeerror(L, FD_AT, "descriptor, or an object with fileno()");
  }
  lua_Integer fd = lua_tointegerx(L, -1, &ok);
  luaL_argcheck(L, ok && fd >= 0 && fd <= INT_MAX, FD_AT,
                "a descriptor is an integer, not negative");
  lua_settop(L, top);
  return (aio_sock)fd;
}

static void after_run(lua_State *L, aio_handle *h, bool starved) {
  (void)L;
  (void)h;
  (void)starved; /* it stays until it is removed */
}

/* Raises why a descriptor cannot be watched. [throws] */
static int raise_refused(lua_State *L, aio_sock fd, int err, const char *call) {
  const aio_state *st = aio_state_up(L);
  if (err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  aio_error_push_os(L, st, err, call);
  const char *why = err == UV_EPERM   ? "the system cannot watch a regular file: it is always ready"
                    : err == UV_EBADF ? "no such descriptor is open"
                                      : NULL;
  if (why) {
    lua_pushfstring(L, "%s: descriptor %d: %s", call, (int)fd, why);
    lua_setfield(L, -2, "message");
  }
  return lua_error(L);
}

/* The handle for the function at FN_AT and what follows it, pushed, not anchored. [may throw] */
static aio_handle *push_handle(lua_State *L, aio_state *st, aio_lloop *l) {
  int n = lua_gettop(L) - FN_AT;
  luaL_argexpected(L, aio_handle_callable(L, FN_AT), FN_AT, "function");
  luaL_argcheck(L, n < USHRT_MAX - AIO_HANDLE_UV_ARG, FN_AT + n, "too many arguments");
  aio_handle *h = aio_handle_new(L, st, l, n);
  for (int i = 0; i <= n; i++) {
    lua_pushvalue(L, FN_AT + i);
    lua_setiuservalue(L, -2, i == 0 ? AIO_HANDLE_UV_FN : AIO_HANDLE_UV_ARG + i - 1);
  }
  aio_context_inherit(L, st);
  lua_setiuservalue(L, -2, AIO_HANDLE_UV_CONTEXT);
  if (l->debug) aio_made_note(L, st, -1);
  h->again = after_run;
  return h;
}

static void forget_if_idle(lua_State *L, aio_watch *w) {
  if (w->handles[AIO_READING] || w->handles[AIO_WRITING]) return;
  if (aio_watch_busy(w, AIO_READING) || aio_watch_busy(w, AIO_WRITING)) return;
  forget(L, w);
}

static int add(lua_State *L, enum aio_direction d, const char *call) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_check(L, st, LOOP_AT);
  aio_sock fd = check_fd(L);
  aio_handle *h = push_handle(L, st, l);
  int handle = lua_gettop(L);
  aio_watch *w = aio_watch_push(L, l, fd);
  int watch = lua_gettop(L);
  aio_socket_note_watch(L, FD_AT, watch);
  aio_handle_anchor(L, h, handle);
  aio_lloop_check_open(L, l); /* again: anything above may have run a finalizer */
  if (!w->fd) {
    aio_handle_unanchor(L, h);
    return raise_refused(L, fd, UV_EBADF, call);
  }
  int err = aio_watch_ask(w, d, true);
  if (err) {
    aio_handle_unanchor(L, h);
    forget_if_idle(L, w);
    return raise_refused(L, fd, err, call);
  }
  if (w->handles[d]) drop_handle(L, w, d);
  w->handles[d] = h;
  lua_pushvalue(L, handle);
  lua_setiuservalue(L, watch, UV_HANDLES + (int)d);
  return 0;
}

static int remove_from(lua_State *L, enum aio_direction d) {
  aio_lloop *l = aio_lloop_check(L, aio_state_up(L), LOOP_AT);
  aio_sock fd = check_fd(L);
  aio_lloop_check_open(L, l);
  aio_watch *w = find(L, l, fd);
  bool there = w && w->fd && w->handles[d];
  if (there) {
    drop_handle(L, w, d);
    lua_pushnil(L);
    lua_setiuservalue(L, -2, UV_HANDLES + (int)d);
    if (!aio_watch_busy(w, d)) aio_fdwatch_ask(w->fd, w->fd->asked & ~event_of[d]);
    forget_if_idle(L, w);
  }
  lua_pushboolean(L, there);
  return 1;
}

static int add_reader(lua_State *L) {
  return add(L, AIO_READING, "add_reader");
}

static int add_writer(lua_State *L) {
  return add(L, AIO_WRITING, "add_writer");
}

static int remove_reader(lua_State *L) {
  return remove_from(L, AIO_READING);
}

static int remove_writer(lua_State *L) {
  return remove_from(L, AIO_WRITING);
}

const luaL_Reg aio_watch_loop_methods[] = {{"add_reader", add_reader},
                                           {"remove_reader", remove_reader},
                                           {"add_writer", add_writer},
                                           {"remove_writer", remove_writer},
                                           {NULL, NULL}};

void aio_watch_open(lua_State *L, aio_state *st) {
  static const luaL_Reg meta[] = {{"__gc", watch_gc}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_WATCH, "Watch", NULL, meta);
  lua_pop(L, 1);
}
