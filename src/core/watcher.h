/* SPDX-License-Identifier: MIT
 *
 * A thread that tells a host when its loop wants a step, for hosts that cannot wait for a
 * descriptor. It sleeps until it is armed, then waits for the loop's own kernel queue without
 * taking anything out of it, and calls the host once. How it waits is one file for each system.
 *
 * Invariant: `armed` means that the host will be called at `deadline` at the latest. */
#ifndef AIO_CORE_WATCHER_H
#define AIO_CORE_WATCHER_H

#include "core/loop.h"

typedef struct aio_watcher {
  aio_loop *loop;
  void (*ready)(void *ud); /* called in the watcher's thread */
  void *ud;
  uv_thread_t thread;
  uv_mutex_t lock;
  uv_cond_t changed;
  double deadline; /* real time in seconds; < 0: none */
  bool armed, waiting, quit;
  int wake[2]; /* pipe that ends the waiting (POSIX) */
} aio_watcher;

/* Starts the thread. NULL with *err set to libuv's error code. */
aio_watcher *aio_watcher_new(aio_loop *l, void (*ready)(void *ud), void *ud, int *err);
/* The host will be called when the kernel queue has something, or at `deadline` by the real clock
 * of loops (< 0: no limit). Called in the loop's thread. */
void aio_watcher_arm(aio_watcher *w, double deadline);
/* Ends the thread, waiting for a call of `ready` that is under way. NULL is allowed. */
void aio_watcher_free(aio_watcher *w);

/* What each system has: 0 or an error; the end of the waiting from another thread; and the waiting
 * itself, true when the loop's queue has something or `timeout` seconds are over. */
int aio_watcher_sys_init(aio_watcher *w);
void aio_watcher_sys_fini(aio_watcher *w);
void aio_watcher_sys_wake(aio_watcher *w);
bool aio_watcher_sys_wait(aio_watcher *w, double timeout, bool *expired);

#endif
