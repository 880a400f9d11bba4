/* SPDX-License-Identifier: MIT
 *
 * The crew of an executor as Lua sees it: making it, submitting calls, closing, waiting for the
 * workers. Called in the thread of the executor, by aio.executor. Invariant: a call in the queue
 * has a worker that will take it, or one that is about to start. */
#include "bind/crew.h"

#include <stdlib.h>
#include <string.h>

#include "bind/error.h"
#include "bind/host.h"
#include "bind/worker.h"

/* What Lua holds. */
typedef struct handle {
  aio_crew *crew;
} handle;

/* ---- the structure ---- */

static void crew_free(aio_crew *crew) {
  for (unsigned i = 0; i < crew->nloaders; i++) free(crew->loaders[i].name);
  free(crew->loaders);
  free(crew->path);
  free(crew->cpath);
  aio_blob_fini(&crew->setup);
  uv_mutex_destroy(&crew->lock);
  free(crew);
}

void aio_crew_release(aio_crew *crew) {
  if (atomic_fetch_sub(&crew->refs, 1) > 1) return;
  crew_free(crew);
}

int aio_crew_hire(aio_crew *crew) {
  aio_worker *w = calloc(1, sizeof *w);
  if (!w) return UV_ENOMEM;
  w->crew = crew;
  atomic_init(&w->stop, AIO_STOP_NO);
  aio_link_init(&w->link);
  aio_link_init(&w->idle);
  aio_link_init(&w->over);
  atomic_fetch_add(&crew->refs, 1);
  int err = aio_prod_thread(&w->thread, aio_worker_main, w);
  if (err) {
    atomic_fetch_sub(&crew->refs, 1);
    free(w);
    return err;
  }
  aio_list_push(&crew->workers, &w->link);
  crew->count++;
  return 0;
}

/* Joins those who have ended; they are about to return, or have. */
static void join_dead(aio_crew *crew) {
  aio_link dead;
  aio_link_init(&dead);
  uv_mutex_lock(&crew->lock);
  aio_list_splice(&dead, &crew->dead);
  uv_mutex_unlock(&crew->lock);
  for (aio_link *p; (p = aio_list_shift(&dead));) {
    aio_worker *w = AIO_CONTAINER(p, aio_worker, link);
    uv_thread_join(&w->thread);
    free(w);
  }
}

/* No more calls; with `cancel` those in the queue come into `left`. */
static void close_crew(aio_crew *crew, bool cancel, aio_link *left) {
  uv_mutex_lock(&crew->lock);
  crew->closed = true;
  if (cancel) aio_list_splice(left, &crew->queue);
  for (aio_link *p = left->next; p != left; p = p->next)
    AIO_CONTAINER(p, aio_call, link)->over = true;
  for (aio_link *p; (p = aio_list_shift(&crew->idle));) { /* nobody becomes idle any more */
    aio_worker *w = AIO_CONTAINER(p, aio_worker, idle);
    crew->nidle--;
    aio_port *port = aio_worker_wants_poke(w);
    uv_mutex_unlock(&crew->lock);
    aio_worker_poke(w, port);
    uv_mutex_lock(&crew->lock);
  }
  uv_mutex_unlock(&crew->lock);
}

static void answer_all(aio_link *left) {
  for (aio_link *p; (p = aio_list_shift(left));)
    aio_call_answer(AIO_CONTAINER(p, aio_call, link), AIO_CALL_CANCELLED);
}

/* Every worker is to end at the next instruction. */
static void stop_crew(aio_crew *crew) {
  uv_mutex_lock(&crew->lock);
  for (aio_link *p = crew->workers.next; p != &crew->workers; p = p->next) {
    aio_worker *w = AIO_CONTAINER(p, aio_worker, link);
    atomic_store(&w->stop, AIO_STOP_ALL);
    if (w->call && !w->call->cancelled && w->port) {
      w->call->cancelled = true;
      aio_call_retain(w->call);
      if (!aio_port_post(w->port, &w->call->cancel)) aio_call_release(w->call);
    }
    aio_worker_poke(w, aio_worker_wants_poke(w));
    if (w->prod) aio_prod_send(w->prod);
  }
  uv_mutex_unlock(&crew->lock);
}

/* ---- making ---- */

static handle *check(lua_State *L, int arg) {
  return aio_object_check(L, aio_state_up(L), arg, AIO_REF_POOL_HANDLE);
}

static int handle_gc(lua_State *L) {
  handle *h = lua_touserdata(L, 1);
  aio_crew *crew = h->crew;
  if (!crew) return 0;
  h->crew = NULL;
  aio_link left;
  aio_link_init(&left);
  close_crew(crew, true, &left);
  answer_all(&left);
  stop_crew(crew);
  uv_mutex_lock(&crew->lock);
  crew->orphaned = true;
  uv_mutex_unlock(&crew->lock);
  join_dead(crew);
  aio_crew_release(crew);
  return 0;
}

static char *copy_text(lua_State *L, const char *s) {
  size_t n = strlen(s) + 1;
  char *copy = malloc(n);
  if (!copy) luaL_error(L, "not enough memory");
  memcpy(copy, s, n);
  return copy;
}

/* Notes a C function of package.preload that is good in any state. */
static void add_loader(lua_State *L, aio_crew *crew, const char *name, lua_CFunction open) {
  struct aio_crew_loader *list = realloc(crew->loaders, (crew->nloaders + 1) * sizeof *list);
  if (!list) luaL_error(L, "not enough memory");
  crew->loaders = list;
  list[crew->nloaders].name = copy_text(L, name);
  list[crew->nloaders++].open = open;
}

/* Is the value at the top a C function without upvalues? */
static bool is_bare(lua_State *L) {
  if (!lua_iscfunction(L, -1)) return false;
  if (!lua_getupvalue(L, -1, 1)) return true;
  lua_pop(L, 1);
  return false;
}

static void inherit_paths(lua_State *L, aio_crew *crew) {
  lua_getglobal(L, "package");
  if (!lua_istable(L, -1)) luaL_error(L, "there is no table 'package', workers could load nothing");
  lua_getfield(L, -1, "path");
  crew->path = copy_text(L, luaL_optstring(L, -1, ""));
  lua_getfield(L, -2, "cpath");
  crew->cpath = copy_text(L, luaL_optstring(L, -1, ""));
  lua_pop(L, 2);
  if (lua_getfield(L, -1, "preload") == LUA_TTABLE)
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
      if (lua_type(L, -2) == LUA_TSTRING && is_bare(L))
        add_loader(L, crew, lua_tostring(L, -2), lua_tocfunction(L, -1));
  lua_pop(L, 2);
}

static void inherit_host(const aio_state *st, aio_crew *crew) {
  const aio_crew *of = st->worker ? st->worker->crew : NULL;
  crew->preload = of ? of->preload : st->preload;
  crew->denied = st->denied;
  if (of) {
    crew->worker_open = of->worker_open;
    crew->ud = of->ud;
  } else if (st->host) {
    crew->worker_open = st->host->options.worker_open;
    crew->ud = st->host->options.ud;
  }
}

/* core._crew(max_workers, memory_limit, initializer, preload) */
static int crew_new(lua_State *L) {
  enum { MAX = 1, LIMIT, INITIALIZER, PRELOAD, HANDLE };
  aio_state *st = aio_state_up(L);
  lua_settop(L, PRELOAD);
  aio_state_require(L, st, AIO_FEATURE_THREADS);
  handle *h = aio_object_new(L, st, AIO_REF_POOL_HANDLE, sizeof *h, 0);
  aio_crew *crew = calloc(1, sizeof *crew);
  if (!crew || uv_mutex_init(&crew->lock)) {
    free(crew);
    return luaL_error(L, "not enough memory");
  }
  aio_link *const lists[] = {&crew->queue, &crew->idle, &crew->workers, &crew->dead,
                             &crew->joiners};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) aio_link_init(lists[i]);
  atomic_init(&crew->refs, 1);
  h->crew = crew;
  crew->max = (unsigned)luaL_checkinteger(L, MAX);
  crew->memory_limit = (size_t)luaL_optinteger(L, LIMIT, 0);
  inherit_host(st, crew);
  inherit_paths(L, crew);
  aio_copy_out(L, st, INITIALIZER, 2, (aio_copy_names){"option 'initializer'", -1, 0},
               &crew->setup);
  return 1;
}

/* ---- submitting ---- */

/* The caller's future has its outcome, or is not wanted any more. */
static void call_gone(void *ud, bool unwanted) {
  aio_call *call = ud;
  aio_crew *crew = call->crew;
  bool answer = false, release = false;
  uv_mutex_lock(&crew->lock);
  aio_worker *w = call->worker;
  if (unwanted && !call->over && !w) {
    aio_list_del(&call->link);
    call->over = answer = true;
  } else if (unwanted && !call->over && !call->cancelled) {
    call->cancelled = true;
    aio_call_retain(call);
    release = !w->port || !aio_port_post(w->port, &call->cancel);
    int none = AIO_STOP_NO;
    atomic_compare_exchange_strong(&w->stop, &none, AIO_STOP_CALL);
    if (w->prod) aio_prod_send(w->prod);
  }
  uv_mutex_unlock(&crew->lock);
  if (release) aio_call_release(call);
  if (answer) aio_call_answer(call, AIO_CALL_CANCELLED);
  aio_call_release(call);
}

static void cancel_run(aio_loop *core, aio_cnode *c) {
  aio_call *call = AIO_CONTAINER(c, aio_call, cancel);
  aio_lloop *l = core->owner;
  aio_worker *w = l->st->worker;
  int stop = AIO_STOP_CALL;
  if (atomic_compare_exchange_strong(&w->stop, &stop, AIO_STOP_NO)) aio_worker_unstop(w);
  if (!call->stopped) aio_call_cancel(l->L, call);
  aio_call_release(call);
}

static void cancel_drop(aio_cnode *c) {
  aio_call_release(AIO_CONTAINER(c, aio_call, cancel));
}

/* Puts a call into the queue, and sees to it that somebody takes it. 0 or libuv's error code; then
 * nothing has happened. */
static int enqueue(aio_crew *crew, aio_call *call) {
  int err = 0;
  aio_worker *w = NULL;
  aio_port *port = NULL;
  uv_mutex_lock(&crew->lock);
  aio_link *idle = aio_list_shift(&crew->idle);
  if (idle) {
    crew->nidle--;
    w = AIO_CONTAINER(idle, aio_worker, idle);
    port = aio_worker_wants_poke(w);
  } else if (crew->count < crew->max) {
    err = aio_crew_hire(crew);
  }
  if (err && crew->count > 0) err = 0; /* the others do it */
  if (!err) aio_list_push(&crew->queue, &call->link);
  uv_mutex_unlock(&crew->lock);
  if (w) aio_worker_poke(w, port);
  return err;
}

/* core._crew_submit(crew, number, context, fn, ...): the future of a call; the function is argument
 * `number` of whoever is to be blamed. */
static int crew_submit(lua_State *L) {
  enum { HANDLE = 1, NUMBER, CONTEXT };
  aio_state *st = aio_state_up(L);
  aio_crew *crew = check(L, HANDLE)->crew;
  if (crew->closed)
    return aio_error_state(L, st, AIO_E_RUNTIME, "this executor is shut down; make a new one");
  aio_lloop_here(L, st);
  join_dead(crew);
  int first = (int)luaL_checkinteger(L, NUMBER) - 1; /* of the context, which always crosses */
  aio_call *call =
      aio_call_new(L, st, CONTEXT, lua_gettop(L) - 2, (aio_copy_names){"argument", first, 0});
  atomic_fetch_add(&crew->refs, 1);
  call->crew = crew;
  call->cancel.run = cancel_run;
  call->cancel.drop = cancel_drop;
  aio_call_future(L, call, call_gone);
  aio_call_retain(call); /* the worker's */
  int err = enqueue(crew, call);
  if (!err) return 1;
  uv_mutex_lock(&crew->lock);
  call->over = true;
  uv_mutex_unlock(&crew->lock);
  aio_call_answer(call, AIO_CALL_CANCELLED);
  aio_error_push_os(L, st, err, "uv_thread_create");
  return lua_error(L);
}

/* ---- the end ---- */

/* core._crew_close(crew, cancel): no more calls; with `cancel` those that have not begun are
 * cancelled. */
static int crew_close(lua_State *L) {
  aio_link left;
  aio_link_init(&left);
  close_crew(check(L, 1)->crew, lua_toboolean(L, 2), &left);
  answer_all(&left);
  return 0;
}

/* core._crew_stop(crew): whatever runs in the workers is ended where it is, and what has not begun
 * is cancelled: new workers, which nobody stops, would run it. */
static int crew_stop(lua_State *L) {
  aio_crew *crew = check(L, 1)->crew;
  aio_link left;
  aio_link_init(&left);
  close_crew(crew, true, &left);
  answer_all(&left);
  stop_crew(crew);
  return 0;
}

static void watch_free(aio_cnode *c) {
  aio_crew_watch *w = AIO_CONTAINER(c, aio_crew_watch, node);
  aio_port_release(w->port);
  aio_crew_release(w->crew);
  free(w);
}

/* In the loop that asked for it: some worker has ended. Other loops have watches of their own. */
static void watch_run(aio_loop *core, aio_cnode *c) {
  aio_link *joiners = &AIO_CONTAINER(c, aio_crew_watch, node)->crew->joiners;
  core->remotes--;
  core->working--;
  for (aio_link *p = joiners->next, *next; p != joiners; p = next) {
    next = p->next;
    aio_wait *w = aio_wait_of(p);
    if (aio_task_of_wait(w)->fut.loop->core == core) aio_wake(core, w);
  }
  watch_free(c);
}

void aio_crew_tell(aio_crew *crew) {
  for (aio_crew_watch *w = crew->watches, *next; w; w = next) {
    next = w->next;
    aio_port *port = w->port;
    aio_port_retain(port); /* the other thread may run, and free, it at once */
    if (!aio_port_post(port, &w->node)) watch_free(&w->node); /* the loop is closed */
    aio_port_release(port);
  }
  crew->watches = NULL;
}

static unsigned living(aio_crew *crew) {
  uv_mutex_lock(&crew->lock);
  unsigned n = crew->count;
  uv_mutex_unlock(&crew->lock);
  return n;
}

static aio_crew_watch *watch_new(aio_crew *crew, aio_loop *core) {
  aio_port *port = aio_port_get(core);
  aio_crew_watch *w = port ? calloc(1, sizeof *w) : NULL;
  if (!w) {
    if (port) aio_port_release(port);
    return NULL;
  }
  aio_link_init(&w->node.node.link);
  w->node.run = watch_run;
  w->node.drop = watch_free;
  w->crew = crew;
  w->port = port;
  atomic_fetch_add(&crew->refs, 1);
  return w;
}

static bool has_watch(const aio_crew *crew, const aio_port *port) {
  const aio_crew_watch *w = crew->watches;
  while (w && w->port != port) w = w->next;
  return w != NULL;
}

/* Asks by `w`, which is used up, for the news of the next end of a worker. False: none is left. */
static bool watch(aio_crew *crew, aio_loop *core, aio_crew_watch *w) {
  uv_mutex_lock(&crew->lock);
  bool any = crew->count > 0, taken = any && !has_watch(crew, w->port);
  if (taken) {
    w->next = crew->watches;
    crew->watches = w;
    core->remotes++;
    core->working++;
  }
  uv_mutex_unlock(&crew->lock);
  if (!taken) watch_free(&w->node);
  return any;
}

static int join_wait(lua_State *L, handle *h);

static int join_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, join_k);
  return join_wait(L, lua_touserdata(L, 1));
}

static int join_wait(lua_State *L, handle *h) {
  aio_state *st = aio_state_up(L);
  if (living(h->crew) == 0) {
    join_dead(h->crew);
    return 0;
  }
  aio_task *t = aio_task_waiter(L, st);
  aio_crew_watch *w = watch_new(h->crew, t->fut.loop->core);
  if (!w) return luaL_error(L, "not enough memory");
  if (!watch(h->crew, t->fut.loop->core, w)) {
    join_dead(h->crew);
    return 0;
  }
  aio_task_hold(L, t, 1);
  t->wait.target = NULL;
  return aio_task_suspend(L, t, &h->crew->joiners, NULL, join_k);
}

/* core._crew_join(crew): waits until all workers have ended. [may yield] */
static int crew_join(lua_State *L) {
  handle *h = check(L, 1);
  lua_settop(L, 1);
  return join_wait(L, h);
}

/* core._crew_workers(crew): how many there are. */
static int crew_workers(lua_State *L) {
  lua_pushinteger(L, living(check(L, 1)->crew));
  return 1;
}

/* core._check_wait(): raises where a task cannot wait. */
static int check_wait(lua_State *L) {
  aio_task_waiter(L, aio_state_up(L));
  return 0;
}

/* core._processors(): on how many this process may run. */
static int processors(lua_State *L) {
  lua_pushinteger(L, uv_available_parallelism());
  return 1;
}

void aio_crew_open(lua_State *L, aio_state *st) {
  static const luaL_Reg meta[] = {{"__gc", handle_gc}, {NULL, NULL}};
  static const luaL_Reg fns[] = {
      {"_crew", crew_new},         {"_crew_submit", crew_submit}, {"_crew_close", crew_close},
      {"_crew_stop", crew_stop},   {"_crew_join", crew_join},     {"_crew_workers", crew_workers},
      {"_processors", processors}, {"_check_wait", check_wait},   {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_POOL_HANDLE, "aio.crew", NULL, meta);
  lua_pop(L, 1);
  aio_setfuncs(L, st, fns);
}
