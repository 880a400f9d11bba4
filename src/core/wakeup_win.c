/* SPDX-License-Identifier: MIT
 *
 * Waking on Windows: libuv's async handle. Called by core/loop.c. */
#include "core/wakeup.h"

static void on_async(uv_async_t *a) {
  aio_wakeup *w = a->data;
  w->woken(w->arg);
}

int aio_wakeup_init(uv_loop_t *uv, aio_wakeup *w, void (*woken)(void *arg), void *arg) {
  w->async.data = w;
  w->woken = woken;
  w->arg = arg;
  return uv_async_init(uv, &w->async, on_async);
}

void aio_wakeup_fini(aio_wakeup *w) {
  (void)w;
}

void aio_wakeup_send(aio_wakeup *w) {
  uv_async_send(&w->async);
}
