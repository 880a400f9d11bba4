/* SPDX-License-Identifier: MIT
 *
 * The thread of a worker: opens its Lua state, runs a loop in it, and takes calls out of the queue
 * of its crew. Invariant: a call that it has taken is answered before it takes another one, or
 * ends.
 */
#include "bind/worker.h"

#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

#include "bind/chunks.h"
#include "bind/error.h"
#include "bind/module.h"

/* ---- the Lua state ---- */

static void *worker_alloc(void *ud, void *ptr, size_t old_size, size_t new_size) {
  aio_worker *w = ud;
  size_t limit = w->crew->memory_limit;
  if (!ptr) old_size = 0;
  if (new_size == 0) {
    w->used -= old_size;
    free(ptr);
    return NULL;
  }
  if (limit && new_size > old_size && w->used + (new_size - old_size) > limit) return NULL;
  void *p = realloc(ptr, new_size);
  if (p) w->used += new_size - old_size;
  return p;
}

/* Pops a string and makes it a field of `package`, which is at the top. */
static void set_path(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

static void open_paths(lua_State *L, const aio_crew *crew) {
  lua_getglobal(L, "package");
  set_path(L, "path", crew->path);
  set_path(L, "cpath", crew->cpath);
  lua_getfield(L, -1, "preload");
  for (unsigned i = 0; i < crew->nloaders; i++) {
    lua_pushcfunction(L, crew->loaders[i].open);
    lua_setfield(L, -2, crew->loaders[i].name);
  }
  lua_pushcfunction(L, luaopen_aio_core); /* this very library, wherever it was found */
  lua_setfield(L, -2, "aio.core");
  lua_pop(L, 2);
  if (crew->preload) crew->preload(L);
}

/* Pushes what require(name) returns. */
static void require(lua_State *L, const char *name) {
  lua_getglobal(L, "require");
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
}

/* Stack: light userdata of the worker. Leaves the function of aio.worker and its arguments. */
static int open_protected(lua_State *L) {
  aio_worker *w = lua_touserdata(L, 1);
  const aio_crew *crew = w->crew;
  luaL_openlibs(L);
  if (crew->worker_open && crew->worker_open(crew->ud, L) != 0)
    return luaL_error(L, "the host refused to open a worker's state");
  lua_settop(L, 1);
  open_paths(L, crew);
  require(L, "aio.core");
  lua_pop(L, 1);
  w->st = aio_state_of(L);
  aio_chunks_open(L);
  require(L, "aio.worker");
  w->st->worker = w;
  w->st->denied = crew->denied;
  aio_track_open(L, w->st);
  lua_replace(L, 1);
  return 1 + aio_copy_in(L, w->st, &crew->setup);
}

/* ---- taking calls ---- */

/* The next call, or NULL: then the worker is idle, or is to end. The lock is held. */
static aio_call *next(aio_worker *w) {
  aio_crew *crew = w->crew;
  aio_call *call = NULL;
  if (atomic_load(&w->stop) == AIO_STOP_ALL) w->ending = true;
  if (!w->port || w->call || w->ending || w->falls) return NULL;
  aio_link *first = aio_list_shift(&crew->queue);
  if (first) {
    call = AIO_CONTAINER(first, aio_call, link);
    call->worker = w;
    w->call = call;
  } else if (crew->closed) {
    w->ending = true;
  }
  bool idle = !first && !crew->closed, was = aio_link_linked(&w->idle);
  /* Before the others: who was busy a moment ago is the quickest to begin again. */
  if (idle && !was) aio_list_push(crew->idle.next, &w->idle);
  if (!idle) aio_list_del(&w->idle);
  crew->nidle += (unsigned)idle - (unsigned)was;
  return call;
}

static aio_call *take(aio_worker *w) {
  uv_mutex_lock(&w->crew->lock);
  aio_call *call = next(w);
  uv_mutex_unlock(&w->crew->lock);
  return call;
}

/* Begins a call, and, if it was answered at once, the next; NULL: there is none. */
static void begin(lua_State *L, aio_worker *w, aio_call *call) {
  for (; call; call = take(w)) {
    if (aio_call_begin(L, w->loop, call)) return;
    uv_mutex_lock(&w->crew->lock);
    w->call = NULL; /* nobody looks at `call` any more: it has been answered */
    uv_mutex_unlock(&w->crew->lock);
    w->ending = true;
  }
  if (w->ending && w->loop) aio_wake_all(w->loop->core, &w->over);
}

static void pull(lua_State *L, aio_worker *w) {
  if (w->loop) begin(L, w, take(w)); /* else its main task has ended */
}

static void poke_run(aio_loop *core, aio_cnode *c) {
  aio_worker *w = AIO_CONTAINER(c, aio_worker, poke);
  aio_lloop *l = core->owner;
  uv_mutex_lock(&w->crew->lock);
  w->poked = false;
  uv_mutex_unlock(&w->crew->lock);
  pull(l->L, w);
}

aio_port *aio_worker_wants_poke(aio_worker *w) {
  if (w->poked || !w->port) return NULL;
  w->poked = true;
  w->poke.run = poke_run;
  aio_port_retain(w->port);
  return w->port;
}

void aio_worker_poke(aio_worker *w, aio_port *port) {
  if (!port) return;
  (void)aio_port_post(port, &w->poke); /* if not, its loop is closed: it takes nothing more */
  aio_port_release(port);
}

/* The main task has ended, so the loop winds up because of an error that worker_end will know: a
 * call that was cancelled by that waits for it. */
static bool dies(const aio_worker *w, enum aio_call_outcome how) {
  return !w->loop && !w->ending && (how == AIO_CALL_CANCELLED || how == AIO_CALL_ABANDONED);
}

void aio_worker_ended(aio_worker *w, aio_call *call, enum aio_call_outcome how) {
  if (dies(w, how)) return;
  bool goes_on = w->loop && w->loop->core;
  uv_mutex_lock(&w->crew->lock);
  w->call = NULL;
  call->worker = NULL;
  call->over = true;
  if (atomic_load(&w->stop) == AIO_STOP_CALL) atomic_store(&w->stop, AIO_STOP_NO);
  if (how == AIO_CALL_NOMEM) w->ending = true; /* who knows what it has left */
  /* Before the answer: whoever gets it and calls again finds this worker idle. */
  aio_call *then = goes_on ? next(w) : NULL;
  uv_mutex_unlock(&w->crew->lock);
  aio_worker_unstop(w);
  aio_call_answer(call, how);
  if (goes_on) begin(w->loop->L, w, then);
}

/* ---- the main task ---- */

static void leave(aio_worker *w) {
  aio_crew *crew = w->crew;
  uv_mutex_lock(&crew->lock);
  if (aio_link_linked(&w->idle)) crew->nidle--;
  aio_list_del(&w->idle);
  uv_mutex_unlock(&crew->lock);
  if (w->loop && w->loop->core) w->loop->core->remotes--;
  w->loop = NULL;
}

static int wait_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_task *t = (aio_task *)ctx;
  if (t->wait.node.state != AIO_IDLE) return aio_suspend_again(L, ctx, wait_k);
  aio_worker *w = aio_state_up(L)->worker;
  leave(w);
  return aio_task_cancel_due(t) ? aio_task_raise_cancel(L, t) : 0;
}

/* core._worker_wait(): runs the calls of the crew, until it is to end. [may yield] */
static int worker_wait(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_worker *w = st->worker;
  if (!w || w->port) return luaL_error(L, "this is for the main task of a worker");
  aio_task *t = aio_task_waiter(L, st);
  aio_port *port = aio_port_get(t->fut.loop->core);
  if (!port) return luaL_error(L, "not enough memory");
  uv_mutex_lock(&w->crew->lock);
  w->port = port;
  uv_mutex_unlock(&w->crew->lock);
  w->loop = t->fut.loop;
  w->loop->core->remotes++; /* calls may come at any time: no deadlock */
  pull(L, w);
  if (w->ending) {
    leave(w);
    return 0;
  }
  t->wait.target = NULL;
  return aio_task_suspend(L, t, &w->over, NULL, wait_k);
}

/* ---- from the first to the last ---- */

static bool run(aio_worker *w) {
  lua_State *L = w->L = lua_newstate(worker_alloc, w);
  if (!L) return false;
  lua_pushcfunction(L, open_protected);
  lua_pushlightuserdata(L, w);
  if (lua_pcall(L, 1, LUA_MULTRET, 0) != LUA_OK) return false;
  return lua_pcall(L, lua_gettop(L) - 1, 0, 0) == LUA_OK;
}

/* Stack: what happened, the error. A message; an OSError, which is for programs to look at, stays
 * one. */
static int explain(lua_State *L) {
  enum { WHAT = 1, CAUSE, STATE };
  static const char *const fields[] = {"code", "errno", "syscall", "filename"};
  const aio_state *st = lua_touserdata(L, STATE);
  bool os = st && aio_error_is(L, st, CAUSE, AIO_E_OS);
  if (os)
    lua_getfield(L, CAUSE, "message");
  else
    aio_error_text(L, CAUSE);
  const char *message = lua_pushfstring(L, "%s: %s", lua_tostring(L, WHAT), lua_tostring(L, -1));
  if (!os) return 1;
  aio_error_new(L, st, AIO_E_OS, message);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    lua_getfield(L, CAUSE, fields[i]);
    lua_setfield(L, -2, fields[i]);
  }
  return 1;
}

/* Answers a call that the error at the top of the worker's stack has ended, or kept from starting.
 */
static void fail_call(aio_worker *w, aio_call *call) {
  lua_State *L = w->L;
  if (!L) {
    aio_call_answer(call, AIO_CALL_NOMEM);
    return;
  }
  /* A loop that was left open, since its worker was stopped where it was, would answer again. */
  aio_call_disown(L, call);
  if (atomic_load(&w->stop) == AIO_STOP_ALL && call->cancelled) {
    aio_call_answer(call, AIO_CALL_CANCELLED);
    return;
  }
  int error = lua_gettop(L);
  if (w->st && aio_error_is_fatal(L, w->st, error)) {
    lua_pushvalue(L, error);
    aio_call_answer_error(L, call);
  } else {
    lua_pushcfunction(L, explain);
    lua_pushstring(L, call->worker ? "the worker ended during this call"
                                   : "the worker could not start");
    lua_pushvalue(L, error);
    lua_pushlightuserdata(L, w->st);
    bool ok = lua_pcall(L, 3, 1, 0) == LUA_OK;
    if (ok && lua_istable(L, -1))
      aio_call_answer_error(L, call);
    else
      aio_call_answer_message(call, ok ? lua_tostring(L, -1) : "not enough memory in the worker");
  }
  lua_settop(L, error);
}

/* It takes no more posts or prods. The call that it has not answered, and, when nobody is left to
 * run them, those of the queue, come into `left`. */
static void resign(aio_worker *w, bool ok, aio_link *left) {
  aio_crew *crew = w->crew;
  uv_mutex_lock(&crew->lock);
  if (aio_link_linked(&w->idle)) crew->nidle--;
  aio_list_del(&w->idle);
  aio_prod *prod = w->prod;
  w->prod = NULL;
  if (w->call) aio_list_push(left, &w->call->link);
  w->call = NULL; /* for whoever stops the crew */
  if (!ok && !w->port && crew->count == 1) aio_list_splice(left, &crew->queue);
  for (aio_link *p = left->next; p != left; p = p->next)
    AIO_CONTAINER(p, aio_call, link)->over = true;
  uv_mutex_unlock(&crew->lock);
  aio_prod_leave(prod);
}

/* A worker has gone: somebody has to take what is in the queue. Where nobody can be found its calls
 * come into `left`, and libuv's error code is returned. The lock is held. */
static int replace(aio_crew *crew, bool started, aio_link *left) {
  /* One that could not start leaves the queue to the others; without others, to the next. */
  bool wanted = !aio_list_empty(&crew->queue) && crew->nidle == 0;
  int err = wanted && (started || crew->count == 0) ? aio_crew_hire(crew) : 0;
  if (!err || crew->count > 0) return 0;
  aio_list_splice(left, &crew->queue);
  for (aio_link *p = left->next; p != left; p = p->next)
    AIO_CONTAINER(p, aio_call, link)->over = true;
  return err;
}

static void answer_unserved(aio_link *left, int err) {
  char message[128];
  snprintf(message, sizeof message, "the last worker has ended, and no other could start: %s",
           uv_strerror(err));
  for (aio_link *p; (p = aio_list_shift(left));)
    aio_call_answer_message(AIO_CONTAINER(p, aio_call, link), message);
}

/* The last: the structure is not the thread's any more when this returns. */
static void bury(aio_worker *w) {
  aio_crew *crew = w->crew;
  aio_port *port = w->port;
  aio_link unserved;
  aio_link_init(&unserved);
  uv_mutex_lock(&crew->lock);
  w->port = NULL;
  crew->count--;
  aio_list_del(&w->link);
  int err = replace(crew, port != NULL, &unserved);
  bool orphaned = crew->orphaned;
  if (!orphaned) aio_list_push(&crew->dead, &w->link);
  aio_crew_tell(crew);
  uv_mutex_unlock(&crew->lock);
  if (port) aio_port_release(port);
  if (err) answer_unserved(&unserved, err);
  if (!orphaned) return;
  aio_prod_detach();
  free(w);
}

void aio_worker_main(void *arg) {
  aio_worker *w = arg;
  aio_crew *crew = w->crew;
  aio_link left;
  aio_link_init(&left);
  aio_prod *prod = aio_prod_enter(aio_worker_prodded, w);
  uv_mutex_lock(&crew->lock);
  w->prod = prod;
  uv_mutex_unlock(&crew->lock);
  bool stopped = atomic_load(&w->stop) == AIO_STOP_ALL; /* before it could be prodded */
  bool ok = !stopped && run(w);
  if (w->L) lua_sethook(w->L, NULL, 0, 0);
  resign(w, ok, &left);
  for (aio_link *p; (p = aio_list_shift(&left));) fail_call(w, AIO_CONTAINER(p, aio_call, link));
  if (w->L) lua_close(w->L);
  w->L = NULL;
  bury(w);
  aio_crew_release(crew);
}

void aio_worker_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_worker_wait", worker_wait}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
