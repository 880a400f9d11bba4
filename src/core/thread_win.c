/* SPDX-License-Identifier: MIT
 *
 * Threads on Windows. */
#include "core/thread.h"

#include <uv.h>

bool aio_thread_detached(void (*fn)(void *), void *arg) {
  uv_thread_t tid;
  if (uv_thread_create(&tid, fn, arg)) return false;
  CloseHandle(tid);
  return true;
}

void aio_thread_yield(void) {
  SwitchToThread();
}
