/* SPDX-License-Identifier: MIT
 *
 * The Lua object of a loop, around the engine of floor 2. Anchored while it has work (tasks,
 * scheduled callbacks, streams), so that a pointer to it in an unfinished task is good. */
#ifndef AIO_BIND_LLOOP_H
#define AIO_BIND_LLOOP_H

#include "bind/task.h"

struct aio_lloop {
  aio_loop *core; /* NULL once closed */
  aio_state *st;
  uint32_t slot;       /* in the anchor table: this object while work > 0, else false */
  uint32_t work;       /* anchored tasks, callbacks, streams */
  uint32_t since_poll; /* nodes run since the kernel was asked */
  bool running, stepping, stopping, debug, closing;
  bool dropping;           /* its close is under way; handlers of tasks may run */
  volatile int interrupts; /* Ctrl-C: which one it was, set by a signal handler; 0: none */
  lua_State *L;            /* the thread in which the loop runs, steps or closes, else NULL */
  bool fatal;              /* a SystemExit or KeyboardInterrupt waits to be raised from run */
  bool factory;            /* a task factory is set */
  double slow;             /* slow_callback_duration, seconds */
  double budget;           /* of the step under way, seconds */
  uint64_t step;           /* number of the host's step, for next_step */
  aio_link steppers;       /* waits of aio.next_step */
};

/* User values of a loop. */
enum { AIO_LOOP_UV_FIELDS = 1, AIO_LOOP_UV_FATAL, AIO_LOOP_UVS = 2 };

void aio_lloop_open(lua_State *L, aio_state *st);

/* Pushes a new loop. [may throw] */
aio_lloop *aio_lloop_new(lua_State *L, aio_state *st);
/* The open loop for new tasks, callbacks and futures: the running one, else the current one;
 * raises RuntimeError when there is none. [may throw] */
aio_lloop *aio_lloop_here(lua_State *L, aio_state *st);
/* The same for who has only the Lua state: NULL when there is none, or no room on its stack for
 * what a function of luaaio.h may use. */
aio_lloop *aio_lloop_current(lua_State *L);
enum { AIO_LLOOP_STACK = 40 };
/* The loop at `arg`, open or closed; raises when it is not one. [may throw] */
aio_lloop *aio_lloop_at(lua_State *L, const aio_state *st, int arg);
/* The loop at `arg`; raises when it is not one, or closed. [may throw] */
aio_lloop *aio_lloop_check(lua_State *L, aio_state *st, int arg);
/* Sets slow_callback_duration of the loop at `idx`. [may throw] */
void aio_lloop_set_slow(lua_State *L, int idx, double seconds);
/* Again, after something that may have run a finalizer. [may throw] */
void aio_lloop_check_open(lua_State *L, const aio_lloop *l);

/* Counts work up and down; `obj` is the loop's own anchor. Cannot fail. */
void aio_lloop_hold(lua_State *L, aio_lloop *l);
void aio_lloop_release(lua_State *L, aio_lloop *l);
/* Pushes the loop object; it must have work. */
void aio_lloop_push(lua_State *L, aio_lloop *l);

/* Hands a context table (at the top, popped) to the exception handler. Never throws. */
void aio_lloop_report(lua_State *L, aio_lloop *l);
/* Keeps the fatal error at the top (popped) and stops the loop. */
void aio_lloop_fatal(lua_State *L, aio_lloop *l);

#endif
