/* SPDX-License-Identifier: MIT
 *
 * Prods on Windows: there is no way to interrupt a thread safely, so a busy one hears of a
 * cancellation at its next wait. */
#include "core/prod.h"

int aio_prod_thread(uv_thread_t *thread, void (*fn)(void *arg), void *arg) {
  return uv_thread_create(thread, fn, arg);
}

void aio_prod_detach(void) {}

aio_prod *aio_prod_enter(void (*fn)(void *arg), void *arg) {
  (void)fn;
  (void)arg;
  return NULL;
}

void aio_prod_leave(aio_prod *p) {
  (void)p;
}

void aio_prod_send(aio_prod *p) {
  (void)p;
}
