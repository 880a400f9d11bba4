/* SPDX-License-Identifier: MIT
 *
 * A Task: a future whose outcome a coroutine produces. This header is what every file that can
 * make a task wait needs; the pattern of a waiting C function is
 *
 *   static int take_k(lua_State *L, int status, lua_KContext ctx) {
 *     aio_task *t = aio_task_resumed(L, ctx);        -- yields again / raises CancelledError
 *     if (!t) return aio_suspend_again(L, ctx, take_k);
 *     ... retry the operation, push its results, return their count
 *   }
 *   static int take(lua_State *L) {
 *     ... check; done at once? push and return
 *     aio_task *t = aio_task_waiter(L, st);          -- raises where waiting is impossible
 *     aio_task_hold(L, t, 1);                        -- anchors what it waits for
 *     return aio_task_suspend(L, t, &object->waiters, NULL, take_k);
 *   }
 */
#ifndef AIO_BIND_TASK_H
#define AIO_BIND_TASK_H

#include "bind/future.h"

enum aio_task_flag {
  AIO_TASK_STARTED = 1,
  AIO_TASK_MUST_CANCEL = 2, /* raise CancelledError at the next step */
  AIO_TASK_EXPOSED = 4,     /* somebody may hold the coroutine: never reuse it */
  AIO_TASK_SCOPES = 8,      /* EXTRA.scopes is not empty */
  AIO_TASK_MESSAGE = 16,    /* EXTRA.cancel_message is set */
  AIO_TASK_INJECT = 32,     /* raise EXTRA.inject at the next step instead */
  AIO_TASK_VISITED = 64,    /* a cancel is being passed on through it */
  AIO_TASK_WITHDRAWN = 128, /* its wait was cancelled; a further message comes too late */
};

struct aio_task {
  aio_future fut; /* must be first */
  aio_wait wait;
  lua_State *co;    /* its coroutine once started */
  lua_State *top;   /* the thread that may wait for it: co, or one of aio.coroutine inside */
  const void *held; /* what aio_task_hold holds, so that it need not be held again */
  uint32_t id, slot;
  uint16_t cancelling;
  uint16_t ops;    /* operations in this step that did not have to wait */
  uint16_t atomic; /* depth of aio.atomic */
  uint8_t tflags;  /* enum aio_task_flag */
  uint8_t nargs;   /* before the start: 0, 1, or 2 for a table in AIO_UV_RESULT */
};

_Static_assert(sizeof(aio_task) <= 128, "a million tasks count on it");

/* After so many operations that did not wait, the next one gives way. */
#ifdef AIO_HOSTILE
enum { AIO_TASK_OPS = 2 };
#else
enum { AIO_TASK_OPS = 256 };
#endif

void aio_task_open(lua_State *L, aio_state *st);

static inline aio_task *aio_task_of_wait(aio_wait *w) {
  return AIO_CONTAINER(w, aio_task, wait);
}

/* Pushes a new task that will run the function and `nargs` arguments at the top (popped).
 * [may throw] */
aio_task *aio_task_new(lua_State *L, aio_state *st, aio_lloop *loop, int nargs);

/* The task that may wait here; raises RuntimeError that says why not. [may throw] */
aio_task *aio_task_waiter(lua_State *L, aio_state *st);
/* The same for the object at `obj`, which only tasks of the loop `core` can wait for; NULL: of no
 * loop any more. [may throw] */
aio_task *aio_task_waiter_in(lua_State *L, const aio_loop *core, int obj);
/* Keeps the object at `idx` alive while the task waits for it. Cannot fail. */
void aio_task_hold(lua_State *L, aio_task *t, int idx);
/* Suspends: links the wait into `list` (NULL: none), sets its cancel function (NULL: unlink and
 * wake) and yields; `k` gets the task as its context. Use as `return aio_task_suspend(...)`. */
int aio_task_suspend(lua_State *L, aio_task *t, aio_link *list, bool (*cancel)(aio_wait *),
                     lua_KFunction k);
/* The same until `when` (by the loop's clock) at the latest; raises when memory is out. */
int aio_task_sleep_until(lua_State *L, aio_task *t, double when, lua_KFunction k);
/* Is a finalizer among the callers? Lua would hide an error there. */
bool aio_in_finalizer(lua_State *L);
/* First call of a continuation: the task, NULL when its wait is still pending (somebody else
 * resumed the thread: yield again); raises a pending cancellation. [may throw] */
aio_task *aio_task_resumed(lua_State *L, lua_KContext ctx);
/* What that somebody has passed is dropped. */
static inline int aio_suspend_again(lua_State *L, lua_KContext ctx, lua_KFunction k) {
  int top = (int)((aio_task *)ctx)->fut.top;
  if (lua_gettop(L) > top) lua_settop(L, top);
  return lua_yieldk(L, 0, ctx, k);
}
/* Counts an operation that did not have to wait; true when it is time to give way
 * (`return aio_task_give_way(L, t, k)`, then k is called on the next turn). */
static inline bool aio_task_tired(aio_task *t) {
  return ++t->ops > AIO_TASK_OPS;
}
int aio_task_give_way(lua_State *L, aio_task *t, lua_KFunction k);
/* The task, when it is time for it to give way and it can. Called once by each operation. */
static inline aio_task *aio_task_tired_here(lua_State *L, const aio_state *st) {
  aio_task *t = st->current;
  if (!t || !aio_task_tired(t)) return NULL;
  return L == t->top && !t->atomic && !st->atomic && lua_isyieldable(L) ? t : NULL;
}
/* Like aio_task_resumed, but for operations that must end even when cancelled: says so instead of
 * raising. The caller raises later with aio_task_raise_cancel. */
bool aio_task_cancel_due(const aio_task *t);
/* Raises the pending CancelledError (or injected error). [throws] */
int aio_task_raise_cancel(lua_State *L, aio_task *t);

/* Cancels the future at `idx` (a plain one at once), or asks the task to cancel, with the message
 * at `msg` (0: none). True when it will. [may throw; called again, it then does the rest] */
bool aio_future_cancel(lua_State *L, aio_state *st, int idx, int msg);
/* The same as a part of the request under way: for what passes one on to several futures. */
bool aio_future_pass_cancel(lua_State *L, aio_state *st, int idx, int msg);
/* Numbers a request that does not begin with aio_future_cancel. */
void aio_cancel_begin(aio_state *st);
/* Pushes the message of a pending cancel and returns its index, or 0 when there is none. */
int aio_task_message(lua_State *L, aio_task *t);

/* One step: start or resume. Called by the scheduler only. Never throws. */
void aio_task_step(lua_State *L, aio_task *t);

/* Pushes the task object. It must not have ended. */
void aio_task_push(lua_State *L, aio_task *t);
/* Sets EXTRA[key] of an unfinished task to the value at the top (popped). [may throw] */
void aio_task_set_extra(lua_State *L, aio_task *t, const char *key);
/* Lua: loop:create_task(fn, ...). */
int aio_task_create_on(lua_State *L);
/* The task at `arg`, else NULL. */
aio_task *aio_task_test(lua_State *L, const aio_state *st, int arg);

/* Makes the value at the top (popped) the context of the task at `idx`. */
void aio_context_give(lua_State *L, int idx);
/* Pushes a copy of the current context for a new task or callback. */
void aio_context_inherit(lua_State *L, aio_state *st);
/* Makes the value at the top the context outside tasks; it is replaced by the former one. The key
 * exists, so this cannot fail. */
void aio_context_swap(lua_State *L, aio_state *st);
void aio_context_open(lua_State *L, aio_state *st);

#endif
