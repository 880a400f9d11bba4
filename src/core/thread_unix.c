/* SPDX-License-Identifier: MIT
 *
 * Threads on POSIX systems. */
#include "core/thread.h"

#include <pthread.h>
#include <sched.h>
#include <uv.h>

bool aio_thread_detached(void (*fn)(void *), void *arg) {
  uv_thread_t tid;
  if (uv_thread_create(&tid, fn, arg)) return false;
  pthread_detach(tid);
  return true;
}

void aio_thread_yield(void) {
  sched_yield();
}
