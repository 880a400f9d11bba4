/* SPDX-License-Identifier: MIT
 *
 * Ctrl-C for run and main: the signal handler leaves a count in the loop and wakes it; the second
 * also sets a debug hook in the thread that runs, which raises there. Called by aio.runner and by
 * the turn. Invariant: `l->interrupts` is what no one has acted upon yet; who acts clears it. */
#include "bind/interrupt.h"

#include "bind/error.h"
#include "bind/scheduler.h"
#include "core/interrupt.h"

enum { AT_ONCE = 2 }; /* this Ctrl-C does not wait for the loop */

static void push_interrupt(lua_State *L, const aio_state *st) {
  aio_error_new(L, st, AIO_E_KEYBOARD_INTERRUPT, NULL);
}

/* Runs at the next instruction of the busy thread. */
static void raise_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_sethook(L, NULL, 0, 0);
  aio_state *st = aio_state_of(L);
  aio_lloop *l = st ? st->running : NULL;
  if (!l || l->interrupts < AT_ONCE) return; /* the loop was faster */
  l->interrupts = 0;
  push_interrupt(L, st);
  lua_error(L);
}

static void set_hook(lua_State *L) {
  if (L) lua_sethook(L, raise_hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

/* In a signal handler: lua_sethook may be called there, and so may uv_async_send. */
static void on_interrupt(void *arg, int count) {
  aio_lloop *l = arg;
  l->interrupts = count;
  aio_loop_interrupt(l->core);
  if (count < AT_ONCE) return;
  const aio_task *t = l->st->current;
  if (!t) {
    set_hook(l->L);
    return;
  }
  set_hook(t->co);
  if (t->top != t->co) set_hook(t->top);
}

static int interrupt_protected(lua_State *L) {
  push_interrupt(L, aio_state_of(L));
  return 1;
}

void aio_interrupt_deliver(lua_State *L, aio_lloop *l) {
  int count = l->interrupts;
  l->interrupts = 0;
  if (count < AT_ONCE) {
    aio_scheduler_hook(L, l, "interrupt");
    return;
  }
  lua_pushcfunction(L, interrupt_protected);
  (void)lua_pcall(L, 0, 1, 0); /* without memory, Lua's own error stands in for it */
  aio_lloop_fatal(L, l);
}

/* core._signals(loop, on): takes Ctrl-C for the loop, or puts everything back. */
static int signals(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_at(L, st, 1);
  if (lua_toboolean(L, 2)) {
    if (!l->core || st->hosted) return 0;
    l->interrupts = 0;
    aio_interrupt_start(on_interrupt, l);
  } else {
    aio_interrupt_stop(l);
    l->interrupts = 0;
  }
  return 0;
}

void aio_interrupt_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_signals", signals}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
