/* SPDX-License-Identifier: MIT
 *
 * The host interface: opening a state, stepping, spawning. Called by the embedding program only;
 * all that can throw runs in a protected call. Invariant: the aio_host is a userdata that the hook
 * table keeps, so it lives as long as the state. */
#include "bind/host.h"

#include <string.h>

#include "bind/builtin.h"
#include "bind/error.h"
#include "bind/scheduler.h"

_Static_assert(AIO_HOST_NET == (int)AIO_FEATURE_NET && AIO_HOST_FS == (int)AIO_FEATURE_FS &&
                   AIO_HOST_PROCESS == (int)AIO_FEATURE_PROCESS &&
                   AIO_HOST_THREADS == (int)AIO_FEATURE_THREADS,
               "a mask of luaaio.h is kept as it is");

static const double ASK_AGAIN_S = 0.01; /* a loop that blocks on game time looks that often */

/* ---- finding ---- */

aio_host *aio_host_of(lua_State *L) {
  if (!lua_checkstack(L, AIO_LLOOP_STACK)) return NULL;
  const aio_state *st = aio_state_of(L);
  aio_host *h = st ? st->host : NULL;
  return h && h->loop && h->loop->core ? h : NULL;
}

/* ---- the host's clock ---- */

static double host_now(aio_loop *l) {
  const aio_host *h = l->clock;
  return h->options.clock(h->options.ud);
}

/* Nobody knows when game time will have passed, so a loop that blocks asks again and again. */
static void host_poll(aio_loop *l, double timeout) {
  aio_engine_real.poll(l, timeout > ASK_AGAIN_S ? ASK_AGAIN_S : timeout);
}

static const aio_engine_ops host_engine = {host_now, host_poll};

/* ---- hooks ---- */

/* The exception handler for on_error: handler(loop, ctx). */
static int report(lua_State *L) {
  const aio_host *h = lua_touserdata(L, lua_upvalueindex(1));
  lua_settop(L, 2);
  lua_getfield(L, 2, "kind");
  const char *kind = lua_tostring(L, -1);
  lua_getfield(L, 2, "message");
  const char *message = luaL_tolstring(L, -1, NULL);
  if (lua_getfield(L, 2, "exception") != LUA_TNIL)
    message = lua_pushfstring(L, "%s: %s", message, luaL_tolstring(L, -1, NULL));
  lua_pushvalue(L, 2);
  if (h->loop) h->options.on_error(h->options.ud, L, kind ? kind : "", message);
  return 0;
}

/* Stops the watcher and forgets the loop. Twice is allowed. */
static void let_go(aio_host *h) {
  aio_watcher_free(h->watcher);
  h->watcher = NULL;
  if (!h->loop) return;
  aio_list_del(&h->object.link);
  h->loop->st->log = NULL;
  h->loop = NULL;
}

static void host_detach(aio_object *o) {
  let_go(AIO_CONTAINER(o, aio_host, object));
}

static int host_gc(lua_State *L) {
  let_go(lua_touserdata(L, 1));
  return 0;
}

/* ---- opening ---- */

/* Pushes the userdata of the host with its options, and keeps it in the hook table. */
static aio_host *host_new(lua_State *L, const aio_state *st, const aio_host_options *options) {
  aio_host *h = lua_newuserdatauv(L, sizeof *h, 0);
  memset(h, 0, sizeof *h);
  if (options) {
    size_t size = options->size < sizeof *options ? options->size : sizeof *options;
    memcpy(&h->options, options, size);
  }
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, host_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  aio_push_ref(L, st, AIO_REF_HOOKS);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "host");
  lua_pop(L, 1);
  return h;
}

/* Pushes a new loop and makes it the current one. */
static aio_lloop *loop_new(lua_State *L, aio_state *st) {
  aio_lloop *l = aio_lloop_new(L, st);
  aio_push_ref(L, st, AIO_REF_HOOKS);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "current_loop");
  lua_pop(L, 1);
  return l;
}

/* Gives the loop at stack slot `loop` what the options ask for; the host is at the top. */
static void loop_setup(lua_State *L, aio_host *h, aio_lloop *l, int loop) {
  const aio_host_options *o = &h->options;
  if (o->slow_callback > 0) aio_lloop_set_slow(L, loop, o->slow_callback);
  if (o->clock) {
    l->core->clock = h;
    l->core->ops = &host_engine;
  }
  if (!o->on_error) return;
  lua_getfield(L, loop, "set_exception_handler");
  lua_pushvalue(L, loop);
  lua_pushvalue(L, -3);
  lua_pushcclosure(L, report, 1);
  lua_call(L, 2, 0);
}

static void watcher_start(lua_State *L, const aio_state *st, aio_host *h, aio_lloop *l) {
  int err;
  if (!h->options.on_ready) return;
  h->watcher = aio_watcher_new(l->core, h->options.on_ready, h->options.ud, &err);
  if (h->watcher) return;
  aio_error_push_os(L, st, err, "on_ready");
  lua_error(L);
}

static int open_protected(lua_State *L) {
  const aio_host_options *options = lua_touserdata(L, 1);
  if (options && options->size == 0) return luaL_error(L, "aio_host_open: options.size is not set");
  lua_pushcfunction(L, luaopen_aio);
  lua_call(L, 0, 1);
  aio_state *st = aio_state_of(L);
  if (aio_host_of(L) || st->running) return luaL_error(L, "aio_host_open: this state is open");
  aio_lloop *l = loop_new(L, st);
  aio_host *h = host_new(L, st, options); /* made later, so that lua_close finalizes it before */
  loop_setup(L, h, l, lua_gettop(L) - 1);
  watcher_start(L, st, h, l);
  h->loop = st->loop = l;
  h->object.detach = host_detach;
  aio_list_push(&l->core->objects, &h->object.link);
  st->host = h;
  st->denied = h->options.denied;
  st->log = h->options.log;
  st->log_ud = h->options.ud;
  st->hosted = true;
  lua_pop(L, 2);
  return 1;
}

int aio_host_open(lua_State *L, const aio_host_options *options) {
  if (!lua_checkstack(L, AIO_LLOOP_STACK)) return AIO_HOST_NOMEM;
  lua_pushcfunction(L, open_protected);
  lua_pushlightuserdata(L, (void *)options);
  return lua_pcall(L, 1, 1, 0) == LUA_OK ? AIO_HOST_OK : AIO_HOST_ERROR;
}

/* ---- running ---- */

void aio_host_rearm(aio_host *h) {
  if (!h->watcher || h->loop->running) return;
  double when = aio_scheduler_deadline(h->loop);
  if (h->options.clock) /* only the host knows when its time will come */
    when = when >= 0 && when <= aio_loop_now(h->loop->core) ? 0 : -1;
  aio_watcher_arm(h->watcher, when);
}

/* Pushes what was kept by aio_lloop_fatal. */
static int take_fatal(lua_State *L, aio_lloop *l) {
  l->fatal = false;
  aio_lloop_push(L, l);
  lua_getiuservalue(L, -1, AIO_LOOP_UV_FATAL);
  lua_pushnil(L);
  lua_setiuservalue(L, -3, AIO_LOOP_UV_FATAL);
  lua_replace(L, -2);
  return AIO_HOST_EXIT;
}

int aio_host_step(lua_State *L, double budget) {
  aio_host *h = aio_host_of(L);
  if (!h) return AIO_HOST_CLOSED;
  aio_lloop *l = h->loop;
  if (l->st->running || l->dropping) return AIO_HOST_BUSY;
  aio_lloop_hold(L, l);
  int status = aio_scheduler_step(L, l, budget == budget ? budget : 0);
  aio_lloop_release(L, l);
  if (!l->core) return AIO_HOST_CLOSED;
  aio_host_rearm(h);
  return l->fatal ? take_fatal(L, l) : status;
}

int aio_host_fileno(lua_State *L) {
  const aio_host *h = aio_host_of(L);
  return h ? uv_backend_fd(&h->loop->core->uv) : -1;
}

double aio_host_deadline(lua_State *L) {
  aio_host *h = aio_host_of(L);
  if (!h) return -1;
  aio_host_rearm(h);
  return aio_scheduler_deadline(h->loop);
}

double aio_host_time(lua_State *L) {
  const aio_host *h = aio_host_of(L);
  return h ? aio_loop_now(h->loop->core) : 0;
}

/* Stack: the function and its arguments. */
static int spawn_protected(lua_State *L) {
  aio_state *st = aio_state_of(L);
  aio_push_ref(L, st, AIO_REF_STATE);
  lua_pushcclosure(L, aio_task_create_on, 1);
  lua_insert(L, 1);
  aio_lloop_push(L, aio_lloop_here(L, st));
  lua_insert(L, 2);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

int aio_host_spawn(lua_State *L, int nargs) {
  if (!lua_checkstack(L, AIO_LLOOP_STACK)) return AIO_HOST_NOMEM;
  if (!aio_lloop_current(L)) return AIO_HOST_CLOSED;
  lua_pushcfunction(L, spawn_protected);
  lua_insert(L, -nargs - 2);
  int status = lua_pcall(L, nargs + 1, 1, 0);
  aio_host *h = aio_host_of(L);
  if (h) aio_host_rearm(h);
  return status == LUA_OK ? AIO_HOST_OK : AIO_HOST_ERROR;
}
