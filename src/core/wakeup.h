/* SPDX-License-Identifier: MIT
 *
 * Ends the wait of a loop in the kernel, from another thread or a signal handler. A part of
 * aio_loop; one file for each kind of system. On Unix not libuv's async handle: the thread that is
 * woken by one spins, in the libuv of today's distributions, until the one that woke it has
 * returned from its system call, which takes longest when both share a processor. */
#ifndef AIO_CORE_WAKEUP_H
#define AIO_CORE_WAKEUP_H

#include <uv.h>

typedef struct aio_wakeup {
#ifdef _WIN32
  uv_async_t async;
#else
  uv_poll_t poll;
  int fds[2]; /* to read, to write; of an eventfd the same */
#endif
  void (*woken)(void *arg);
  void *arg;
} aio_wakeup;

/* `woken` is called in the loop's thread. 0 or libuv's error code. The handle in it is closed with
 * all others of the loop; aio_wakeup_fini comes after that. */
int aio_wakeup_init(uv_loop_t *uv, aio_wakeup *w, void (*woken)(void *arg), void *arg);
void aio_wakeup_fini(aio_wakeup *w);
/* [any thread, any signal handler] */
void aio_wakeup_send(aio_wakeup *w);

#endif
