/* SPDX-License-Identifier: MIT
 *
 * aio for programs that embed Lua: games, servers, editors. The host owns its own loop; it opens
 * aio in a Lua state and gives it a step now and then. Link the static library `aio` (CMake:
 * aio::static), libuv and Lua 5.4; the Lua files are built in.
 *
 *   lua_State *L = luaL_newstate();
 *   luaL_openlibs(L);
 *   if (aio_host_open(L, NULL) != AIO_HOST_OK) ...   // the message is at the top of the stack
 *   lua_setglobal(L, "aio");
 *   luaL_dostring(L, "function hello() aio.sleep(1) print 'hello' end");
 *   lua_getglobal(L, "hello");
 *   aio_host_spawn(L, 0);                            // a task; it runs in the steps below
 *   while (the game runs) {
 *     aio_host_step(L, 0.002);                       // at most 2 ms of each frame
 *     ...
 *   }
 *   aio_host_close(L, 0.1);
 *   lua_close(L);
 *
 * The handle of everything is the Lua state: any number of them may be open in one process, and
 * nothing is global. A state belongs to one thread at a time; only what is marked [any thread] may
 * be called from others. No function here raises a Lua error or lets one pass, and none waits.
 * A stepped loop never changes what a signal does, and sends so that a closed peer raises no
 * SIGPIPE. */
#ifndef LUAAIO_H
#define LUAAIO_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lua_State;

#define AIO_HOST_VERSION 1

/* What functions return. What went wrong is below zero. */
enum aio_host_status {
  AIO_HOST_OK = 0,       /* done; of a step: nothing is ready now */
  AIO_HOST_MORE = 1,     /* of a step: work is ready, give another one soon */
  AIO_HOST_ERROR = -1,   /* a Lua error: its value is at the top of the stack */
  AIO_HOST_EXIT = -2,    /* a script raised SystemExit or KeyboardInterrupt: at the top */
  AIO_HOST_CLOSED = -3,  /* there is no loop (any more) */
  AIO_HOST_BUSY = -4,    /* called inside a step of the same state */
  AIO_HOST_NOMEM = -5,   /* no memory; nothing has happened */
  AIO_HOST_SETTLED = -6, /* the future has its outcome already; nothing has happened */
};

/* What scripts may be kept from. A function that needs what is denied raises a RuntimeError. */
enum aio_host_feature {
  AIO_HOST_NET = 1,
  AIO_HOST_FS = 2,
  AIO_HOST_PROCESS = 4,
  AIO_HOST_THREADS = 8,
};

/* Loads aio as `require "aio"` would, without a file system, and leaves the module at the top: for
 * luaL_requiref and for programs whose scripts call aio.run. Hosts that step call aio_host_open. */
int luaopen_aio(struct lua_State *L);

/* ---- opening, closing ---- */

/* Set `size`, leave the rest zero or fill it in: what is zero has its default. */
typedef struct aio_host_options {
  size_t size;     /* sizeof(aio_host_options): fields that come later are zero for older hosts */
  void *ud;        /* given to all functions below */
  unsigned denied; /* of enum aio_host_feature; 0: scripts may do everything */
  /* Seconds that never go back, for all timers: game time that stands still in a pause, or runs
   * slower. Default: the system's monotonic clock. Budgets of steps are always real time. */
  double (*clock)(void *ud);
  /* A task step longer than this, or than the whole budget, is reported. 0: 0.1 s. */
  double slow_callback;
  /* Called where an error has no one to go to, and for other reports, as an exception handler that
   * is a Lua function would be: `kind` is "callback_error", "never_retrieved", "slow_callback",
   * "swallowed_cancel", "unclosed", "lost_write" or "handler_error", `message` one line, and the
   * context table with all there is (exception, task, traceback...) is at the top of L's stack. It
   * may raise. */
  void (*on_error)(void *ud, struct lua_State *L, const char *kind, const char *message);
  /* Gets what aio would write to stderr: `level` is "error" or "warning", `text` has several lines
   * and ends with a newline. With on_error this is only what on_error itself failed to handle. */
  void (*log)(void *ud, const char *level, const char *text);
  /* Called once when a step is wanted, after each step: descriptors, posts from other threads,
   * timers that are due, work that the last step left. [It is called in a thread of aio's own, made
   * by aio_host_open]: it should only set a flag or wake the host's loop, and must not use L. It
   * may come once too often. With a `clock` it does not cover timers; what Lua code starts outside
   * a step without aio_host_spawn is covered from the next aio_host_deadline on. */
  void (*on_ready)(void *ud);
  /* Prepares the Lua state of a worker thread; called for every worker state that scripts of this
   * state start, in the worker's thread, after the standard libraries are open. Returns 0, or
   * another number to refuse. */
  int (*worker_open)(void *ud, struct lua_State *L);
} aio_host_options;

/* Opens aio in L, which has the standard libraries, with a loop that becomes the state's current
 * one: create_task, call_soon and futures use it also outside steps; aio.run is refused. Pushes the
 * module table. `options` may be NULL; what they point to (`ud`) must outlive the loop. */
int aio_host_open(struct lua_State *L, const aio_host_options *options);

/* Asks every task of the loop to cancel that has not been asked; returns how many have not ended.
 * For a host that lets a level run down over some frames before aio_host_close. */
int aio_host_cancel(struct lua_State *L);

/* Ends everything: cancels all tasks, gives them at most AIO_HOST_CLOSE_STEPS steps and about
 * `seconds` (below 0: one; each step gets at least 1 ms) to clean up, then closes the loop with all
 * sockets. A look-up that hangs is left behind. Returns how many tasks had not ended by then; they
 * are dropped, their `__close` handlers run without waiting, and each is reported. Below zero:
 * AIO_HOST_BUSY, AIO_HOST_CLOSED. Callbacks of the options are not called any more afterwards.
 * lua_close without it is allowed, and drops everything. */
int aio_host_close(struct lua_State *L, double seconds);
enum { AIO_HOST_CLOSE_STEPS = 10 };

/* ---- running ---- */

/* One step: asks the kernel once, without waiting, then runs what is ready, looking at the budget
 * (seconds of real time) after each task step. Below 0: until nothing is ready; 0: one task step.
 * AIO_HOST_OK, AIO_HOST_MORE, or below zero; after AIO_HOST_EXIT the loop can go on. */
int aio_host_step(struct lua_State *L, double budget);

/* A descriptor that becomes readable when a step is wanted (for poll, epoll, kqueue), or -1 on
 * systems without one (Windows): see on_ready. */
int aio_host_fileno(struct lua_State *L);

/* When a step is wanted at the latest even if the descriptor says nothing, by aio_host_time; below
 * 0: nothing is planned. Ask after each step. */
double aio_host_deadline(struct lua_State *L);
double aio_host_time(struct lua_State *L);

/* Starts a task: the function and its `nargs` arguments are at the top of the stack and are popped,
 * the Task is pushed. Or AIO_HOST_ERROR with the error pushed. Also inside a step. */
int aio_host_spawn(struct lua_State *L, int nargs);

/* ---- from other threads: posting ---- */

/* A way into the loop that stays good when the loop is closed. While one is held, a loop under
 * aio.run that waits is no deadlock. */
typedef struct aio_remote aio_remote;

/* The state's running or current loop; one reference for the caller. NULL: no memory, no loop. */
aio_remote *aio_remote_open(struct lua_State *L);
void aio_remote_retain(aio_remote *r);  /* [any thread] */
void aio_remote_release(aio_remote *r); /* [any thread] */

/* A posted function. It is called exactly once: in the loop's thread at the next step, protected
 * (an error that it raises is reported) and unable to wait; or, when the loop closes before, with L
 * NULL, only to free `ud`. */
typedef void aio_posted(struct lua_State *L, void *ud);

/* [any thread] AIO_HOST_OK: `fn` will be called. AIO_HOST_CLOSED, AIO_HOST_NOMEM: it will not. */
int aio_remote_post(aio_remote *r, aio_posted *fn, void *ud);

/* ---- from other threads: futures ---- */

/* The C side of a future: completes it from any thread. */
typedef struct aio_promise aio_promise;

/* Pushes a new future of the running or current loop and returns its C side with one reference, or
 * NULL with an error pushed (nil: no loop). While it is held and the future pending, the future is
 * kept alive. */
aio_promise *aio_promise_open(struct lua_State *L);
void aio_promise_retain(aio_promise *p); /* [any thread] */
/* [any thread] Releasing the last reference of a promise that was never completed makes the future
 * fail with a RuntimeError ("abandoned"). */
void aio_promise_release(aio_promise *p);

/* [any thread] Completes the future with one value; it happens in the next step. AIO_HOST_OK: the
 * outcome is handed over (whoever awaits may still be cancelled before). AIO_HOST_SETTLED: it was
 * completed before, or cancelled. AIO_HOST_CLOSED, AIO_HOST_NOMEM. None of them releases `p`. */
int aio_promise_set_nil(aio_promise *p);
int aio_promise_set_boolean(aio_promise *p, int value);
int aio_promise_set_integer(aio_promise *p, long long value);
int aio_promise_set_number(aio_promise *p, double value);
int aio_promise_set_string(aio_promise *p, const char *s, size_t len); /* copied */
int aio_promise_set_pointer(aio_promise *p, void *value);              /* a light userdata */
/* [any thread] The future fails with an Error that has this message (copied), or is cancelled. */
int aio_promise_fail(aio_promise *p, const char *message);
int aio_promise_cancel(aio_promise *p);

/* Pushes the values of a future and returns how many; called in the loop's thread, protected: when
 * it raises, the future fails with that error. When nobody wants the values any more it is called
 * with L NULL, in some thread, only to free `ud`. After AIO_HOST_OK it is called exactly once. */
typedef int aio_promised(struct lua_State *L, void *ud);
int aio_promise_set_values(aio_promise *p, aio_promised *push, void *ud);

/* [any thread] 0 once the outcome is settled or the loop closed: the work can stop. */
int aio_promise_wanted(const aio_promise *p);

#ifdef __cplusplus
}
#endif

#endif
