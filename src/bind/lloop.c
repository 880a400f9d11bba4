/* SPDX-License-Identifier: MIT
 *
 * The class of event loops. Running, stepping, closing; the current loop of the state. What only
 * combines (run_until_complete, shutdown) is in aio.runner (Lua). */
#include "bind/lloop.h"

#include <math.h>
#include <string.h>

#include "bind/error.h"
#include "bind/handle.h"
#include "bind/scheduler.h"
#include "bind/socket.h"
#include "bind/worker.h"

static const double SLOW_CALLBACK_S = 0.1;

/* ---- anchoring ---- */

void aio_lloop_push(lua_State *L, aio_lloop *l) {
  if (l->work) { /* then it is anchored, which is quicker to find */
    aio_push_anchored(L, l->st, l->slot);
    return;
  }
  aio_push_ref(L, l->st, AIO_REF_LOOPS);
  lua_rawgetp(L, -1, l);
  lua_replace(L, -2);
}

void aio_lloop_hold(lua_State *L, aio_lloop *l) {
  if (l->work == 0) {
    aio_push_ref(L, l->st, AIO_REF_ANCHORS);
    aio_lloop_push(L, l);
    lua_rawseti(L, -2, l->slot);
    lua_pop(L, 1);
  }
  l->work++;
}

void aio_lloop_release(lua_State *L, aio_lloop *l) {
  if (--l->work) return;
  aio_push_ref(L, l->st, AIO_REF_ANCHORS);
  lua_pushboolean(L, 0);
  lua_rawseti(L, -2, l->slot);
  lua_pop(L, 1);
}

/* ---- making and finding ---- */

aio_lloop *aio_lloop_new(lua_State *L, aio_state *st) {
  aio_lloop *l = aio_object_new(L, st, AIO_REF_LOOP, sizeof *l, AIO_LOOP_UVS);
  aio_link_init(&l->steppers);
  l->st = st;
  l->slow = SLOW_CALLBACK_S;
  l->debug = st->debug;
  lua_newtable(L);
  lua_setiuservalue(L, -2, AIO_LOOP_UV_FIELDS);
  aio_push_ref(L, st, AIO_REF_LOOPS);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, l);
  lua_pushboolean(L, 0);
  l->slot = aio_anchor(L, st, -1);
  lua_pop(L, 2);
  aio_mem mem;
  mem.fn = lua_getallocf(L, &mem.ud);
  int err;
  l->core = aio_loop_new(mem, &err);
  if (!l->core) {
    aio_error_push_os(L, st, err, "uv_loop_init");
    lua_error(L);
  }
  l->core->owner = l;
  st->nloops++;
  return l;
}

static void closed_error(lua_State *L, aio_state *st) {
  aio_error_state(L, st, AIO_E_RUNTIME, "this loop is closed; make a new one with new_event_loop");
}

void aio_lloop_check_open(lua_State *L, const aio_lloop *l) {
  if (!l->core) closed_error(L, l->st);
}

aio_lloop *aio_lloop_here(lua_State *L, aio_state *st) {
  aio_lloop *l = st->running ? st->running : st->loop;
  if (!l)
    aio_error_state(L, st, AIO_E_RUNTIME,
                    "no running loop; call this in a task: aio.run(fn, ...) starts one");
  if (!l->core) closed_error(L, st);
  return l;
}

aio_lloop *aio_lloop_current(lua_State *L) {
  if (!lua_checkstack(L, AIO_LLOOP_STACK)) return NULL;
  const aio_state *st = aio_state_of(L);
  aio_lloop *l = !st ? NULL : st->running ? st->running : st->loop;
  return l && l->core ? l : NULL;
}

aio_lloop *aio_lloop_at(lua_State *L, const aio_state *st, int arg) {
  void *l = aio_object_test(L, st, arg, AIO_REF_LOOP_TUNED);
  return l ? l : aio_object_check(L, st, arg, AIO_REF_LOOP);
}

aio_lloop *aio_lloop_check(lua_State *L, aio_state *st, int arg) {
  aio_lloop *l = aio_lloop_at(L, st, arg);
  if (!l->core) closed_error(L, st);
  return l;
}

/* ---- errors that nobody awaits ---- */

void aio_lloop_report(lua_State *L, aio_lloop *l) {
  aio_push_hook(L, l->st, "report");
  lua_insert(L, -2);
  aio_lloop_push(L, l);
  lua_insert(L, -2);
  if (!lua_isfunction(L, -3)) {
    lua_pop(L, 3);
    return;
  }
  if (lua_pcall(L, 2, 0, 0) == LUA_OK) return;
  if (aio_error_is_fatal(L, l->st, -1))
    aio_lloop_fatal(L, l);
  else
    lua_pop(L, 1);
}

void aio_lloop_fatal(lua_State *L, aio_lloop *l) {
  aio_lloop_push(L, l);
  lua_insert(L, -2);
  lua_setiuservalue(L, -2, AIO_LOOP_UV_FATAL);
  lua_pop(L, 1);
  l->fatal = true;
  if (l->st->worker) l->st->worker->falls = true;
}

/* Raises what aio_lloop_fatal kept; the loop is at stack index 1. */
static void raise_fatal(lua_State *L, aio_lloop *l) {
  if (!l->fatal) return;
  l->fatal = false;
  lua_getiuservalue(L, 1, AIO_LOOP_UV_FATAL);
  lua_pushnil(L);
  lua_setiuservalue(L, 1, AIO_LOOP_UV_FATAL);
  lua_error(L);
}

/* ---- running ---- */

/* Raises when a loop runs already, here or around, or is being closed, and when memory is out:
 * nothing may be raised between the hold and the release of a run. */
static void check_idle(lua_State *L, aio_state *st, const aio_lloop *l) {
  if (l->dropping) aio_error_state(L, st, AIO_E_RUNTIME, "this loop is being closed");
  if (l->running)
    aio_error_state(L, st, AIO_E_RUNTIME, "this loop is running already; await what you need");
  if (st->running)
    aio_error_state(L, st, AIO_E_RUNTIME,
                    "cannot run a loop while another one runs in this Lua state; wait in a task "
                    "instead");
  if (!aio_scheduler_room(L)) luaL_error(L, "not enough memory");
}

static int loop_run_forever(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_check(L, st, 1);
  check_idle(L, st, l);
  aio_future *main = aio_future_test(L, st, 2);
  aio_lloop_hold(L, l);
  aio_scheduler_run(L, l, main);
  aio_lloop_release(L, l);
  raise_fatal(L, l);
  return 0;
}

static int loop_stop(lua_State *L) {
  aio_lloop *l = aio_lloop_check(L, aio_state_up(L), 1);
  l->stopping = true;
  return 0;
}

static int loop_step(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_check(L, st, 1);
  double budget = luaL_optnumber(L, 2, -1);
  luaL_argcheck(L, !isnan(budget), 2, "a number of seconds expected, got nan");
  if (!lua_isnoneornil(L, 2) && budget < 0) budget = 0;
  check_idle(L, st, l);
  aio_lloop_hold(L, l);
  bool more = aio_scheduler_step(L, l, budget);
  aio_lloop_release(L, l);
  raise_fatal(L, l);
  lua_pushboolean(L, more);
  return 1;
}

static int step_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, step_k);
  return 0;
}

/* aio.next_step(): waits for the host's next step. [may yield] */
static int next_step(lua_State *L) {
  aio_task *t = aio_task_waiter(L, aio_state_up(L));
  return aio_task_suspend(L, t, &t->fut.loop->steppers, NULL, step_k);
}

static int loop_fileno(lua_State *L) {
  aio_lloop *l = aio_lloop_check(L, aio_state_up(L), 1);
  int fd = uv_backend_fd(&l->core->uv);
  if (fd < 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, fd);
  return 1;
}

/* loop:next_deadline(): when the loop wants a step at the latest, by loop:time(), or nil. */
static int loop_next_deadline(lua_State *L) {
  aio_lloop *l = aio_lloop_check(L, aio_state_up(L), 1);
  double when = aio_scheduler_deadline(l);
  if (when < 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, when);
  return 1;
}

static int loop_time(lua_State *L) {
  lua_pushnumber(L, aio_loop_now(aio_lloop_check(L, aio_state_up(L), 1)->core));
  return 1;
}

static int loop_is_running(lua_State *L) {
  const aio_lloop *l = aio_lloop_at(L, aio_state_up(L), 1);
  lua_pushboolean(L, l->running);
  return 1;
}

static int loop_is_closed(lua_State *L) {
  const aio_lloop *l = aio_lloop_at(L, aio_state_up(L), 1);
  lua_pushboolean(L, !l->core);
  return 1;
}

/* ---- closing ---- */

/* Forgets the object in slot `s` when it is of this loop: a task (its `__close` handlers run) or a
 * scheduled callback. True when it was. */
static bool drop_anchored(lua_State *L, aio_state *st, aio_lloop *l, uint32_t s) {
  int top = lua_gettop(L);
  aio_push_anchored(L, st, s);
  aio_task *t = aio_task_test(L, st, -1);
  aio_handle *h = aio_handle_test(L, st, -1);
  bool ours = true;
  if (t && t->fut.loop == l) {
    aio_loop_timer_stop(l->core, &t->wait.timer);
    /* one that somebody is closing, and that has come here from a `__close`, closes itself */
    if (t->co && lua_status(t->co) != LUA_OK) aio_thread_reset(t->co, L);
    aio_list_del(&t->wait.node.link); /* a handler may have cancelled it */
    aio_unanchor(L, st, t->slot);
    t->slot = 0;
    st->ntasks--;
    lua_pushvalue(L, 1); /* the loop: what the task's last user value is after its end */
    lua_setiuservalue(L, top + 1, AIO_UV_THREAD);
    t->co = t->top = NULL;
    t->fut.state = AIO_FUT_CANCELLED;
    lua_pushnil(L);
    lua_setiuservalue(L, top + 1, AIO_UV_RESULT);
    aio_lloop_release(L, l);
  } else if (h && h->loop == l) {
    aio_list_del(&h->node.link);
    aio_loop_timer_stop(l->core, &h->timer);
    aio_handle_unanchor(L, h);
  } else {
    ours = false;
  }
  lua_settop(L, top);
  return ours;
}

/* True when there was anything to drop: then its handlers may have made something new. */
static bool drop_all(lua_State *L, aio_state *st, aio_lloop *l) {
  bool any = false;
  for (uint32_t s = 1; s <= st->slots; s++) any |= drop_anchored(L, st, l, s);
  return any;
}

static void unlink_lua_nodes(aio_link *list) {
  for (aio_link *p = list->next, *next; p != list; p = next) {
    next = p->next;
    if (aio_node_of(p)->kind != AIO_NODE_C) aio_list_del(p);
  }
}

static void close_core(lua_State *L, aio_lloop *l) {
  aio_loop *core = l->core;
  l->L = L; /* what hangs on the loop lets go of Lua values */
  unlink_lua_nodes(&core->ready);
  unlink_lua_nodes(&core->batch);
  l->core = NULL;
  l->st->nloops--;
  if (l->st->loop == l) l->st->loop = NULL;
  aio_loop_close(core);
  l->L = NULL;
}

/* loop:_close(): the engine part of close; aio.runner reports what is left before. */
static int loop_close(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_at(L, st, 1);
  if (!l->core || l->dropping) return 0;
  if (l->running)
    return aio_error_state(L, st, AIO_E_RUNTIME, "cannot close a running loop; stop it first");
  l->closing = l->dropping = true;
  while (drop_all(L, st, l)) {
  }
  close_core(L, l);
  return 0;
}

static int loop_gc(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_at(L, st, 1);
  if (l->running && !aio_in_finalizer(L))
    return aio_error_state(L, st, AIO_E_RUNTIME, "cannot close a running loop; stop it first");
  if (l->slot) aio_unanchor(L, st, l->slot);
  l->slot = 0;
  if (l->core) close_core(L, l);
  return 0;
}

/* ---- fields ---- */

/* Methods must be found by a plain table, for that is quickest. So the one field that a loop has is
 * a field of the class, and a loop for which it was set gets another metatable. */

static const char SLOW_FIELD[] = "slow_callback_duration";

static bool is_slow_field(lua_State *L, int key) {
  return lua_type(L, key) == LUA_TSTRING && strcmp(lua_tostring(L, key), SLOW_FIELD) == 0;
}

static int tuned_index(lua_State *L) {
  aio_state *st = aio_state_up(L);
  const aio_lloop *l = aio_lloop_at(L, st, 1);
  if (is_slow_field(L, 2)) {
    lua_pushnumber(L, l->slow);
    return 1;
  }
  aio_push_ref(L, st, AIO_REF_LOOP);
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  return 1;
}

/* Pushes the class for such loops: a copy of the class with another __index. */
static void push_tuned(lua_State *L, aio_state *st) {
  aio_push_ref(L, st, AIO_REF_LOOP_TUNED);
  int tuned = lua_gettop(L);
  aio_push_ref(L, st, AIO_REF_LOOP);
  for (lua_pushnil(L); lua_next(L, tuned + 1); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, tuned);
  }
  lua_settop(L, tuned);
  static const luaL_Reg meta[] = {{"__index", tuned_index}, {NULL, NULL}};
  aio_setfuncs(L, st, meta);
}

void aio_lloop_set_slow(lua_State *L, int idx, double seconds) {
  aio_lloop *l = lua_touserdata(L, idx);
  idx = lua_absindex(L, idx);
  push_tuned(L, l->st);
  lua_setmetatable(L, idx);
  l->slow = seconds;
}

static int loop_newindex(lua_State *L) {
  aio_lloop_at(L, aio_state_up(L), 1);
  if (!is_slow_field(L, 2))
    return luaL_error(L,
                      "a loop has no field '%s' that can be set (there is: "
                      "slow_callback_duration)",
                      luaL_tolstring(L, 2, NULL));
  lua_Number s = luaL_checknumber(L, 3);
  luaL_argcheck(L, s >= 0, 3, "a number of seconds, not negative, expected");
  aio_lloop_set_slow(L, 1, s);
  return 0;
}

/* loop:_fields(): the table of what Lua modules keep for a loop. */
static int loop_fields(lua_State *L) {
  aio_lloop_at(L, aio_state_up(L), 1);
  lua_getiuservalue(L, 1, AIO_LOOP_UV_FIELDS);
  return 1;
}

static int loop_set_debug(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_check(L, st, 1);
  luaL_checkany(L, 2);
  l->debug = lua_toboolean(L, 2);
  if (st->running == l) st->debug_any = l->debug;
  return 0;
}

static int loop_get_debug(lua_State *L) {
  const aio_lloop *l = aio_lloop_at(L, aio_state_up(L), 1);
  lua_pushboolean(L, l->debug);
  return 1;
}

/* loop:_flags{closing=, factory=} */
static int loop_flags(lua_State *L) {
  aio_lloop *l = aio_lloop_at(L, aio_state_up(L), 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  if (lua_getfield(L, 2, "closing") != LUA_TNIL) l->closing = lua_toboolean(L, -1);
  if (lua_getfield(L, 2, "factory") != LUA_TNIL) l->factory = lua_toboolean(L, -1);
  return 0;
}

/* ---- the current loop ---- */

static int new_event_loop(lua_State *L) {
  aio_lloop_new(L, aio_state_up(L));
  return 1;
}

static int get_running_loop(lua_State *L) {
  aio_state *st = aio_state_up(L);
  if (!st->running)
    return aio_error_state(L, st, AIO_E_RUNTIME,
                           "no running loop; call this in a task or callback, or use "
                           "get_event_loop");
  aio_lloop_push(L, st->running);
  return 1;
}

/* core._running(): the running loop or nil. */
static int running(lua_State *L) {
  aio_state *st = aio_state_up(L);
  if (!st->running) return 0;
  aio_lloop_push(L, st->running);
  return 1;
}

/* core._current_loop(): what set_event_loop or a host made current, or nil. */
static int current_loop(lua_State *L) {
  aio_state *st = aio_state_up(L);
  if (!st->loop) return 0;
  aio_lloop_push(L, st->loop);
  return 1;
}

/* core._hosted(): whether a C host opened this state. */
static int hosted(lua_State *L) {
  lua_pushboolean(L, aio_state_up(L)->hosted);
  return 1;
}

static int set_event_loop(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = NULL;
  if (!lua_isnoneornil(L, 1)) l = aio_lloop_at(L, st, 1);
  lua_settop(L, 1);
  aio_push_ref(L, st, AIO_REF_HOOKS);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "current_loop"); /* keeps it alive */
  st->loop = l && l->core ? l : NULL;
  return 0;
}

static int get_event_loop(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = st->running ? st->running : st->loop;
  if (l) {
    aio_lloop_push(L, l);
    return 1;
  }
  lua_settop(L, 0);
  aio_lloop_new(L, st);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 1);
  aio_push_ref(L, st, AIO_REF_HOOKS);
  lua_insert(L, -2);
  lua_setfield(L, -2, "current_loop");
  st->loop = lua_touserdata(L, 1);
  lua_settop(L, 1);
  return 1;
}

void aio_lloop_open(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"run_forever", loop_run_forever},
                                     {"stop", loop_stop},
                                     {"step", loop_step},
                                     {"fileno", loop_fileno},
                                     {"next_deadline", loop_next_deadline},
                                     {"time", loop_time},
                                     {"is_running", loop_is_running},
                                     {"is_closed", loop_is_closed},
                                     {"_close", loop_close},
                                     {"_fields", loop_fields},
                                     {"_flags", loop_flags},
                                     {"set_debug", loop_set_debug},
                                     {"get_debug", loop_get_debug},
                                     {"create_future", aio_future_make_on},
                                     {"create_task", aio_task_create_on},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__newindex", loop_newindex}, {NULL, NULL}};
  static const luaL_Reg gc[] = {{"__gc", loop_gc}, {NULL, NULL}}; /* of both classes */
  static const luaL_Reg fns[] = {{"new_event_loop", new_event_loop},
                                 {"get_running_loop", get_running_loop},
                                 {"get_event_loop", get_event_loop},
                                 {"set_event_loop", set_event_loop},
                                 {"next_step", next_step},
                                 {"_running", running},
                                 {"_current_loop", current_loop},
                                 {"_hosted", hosted},
                                 {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_LOOP, "Loop", methods, meta);
  aio_setfuncs(L, st, gc);
  aio_setfuncs(L, st, aio_handle_loop_methods);
  aio_setfuncs(L, st, aio_watch_loop_methods);
  aio_setfuncs(L, st, aio_socket_loop_methods);
  lua_pushnumber(L, SLOW_CALLBACK_S);
  lua_setfield(L, -2, SLOW_FIELD);
  lua_setfield(L, -2, "_Loop");
  aio_class_open(L, st, AIO_REF_LOOP_TUNED, "Loop", NULL, NULL);
  lua_pop(L, 1);
  aio_setfuncs(L, st, fns);
}
