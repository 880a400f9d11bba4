/* SPDX-License-Identifier: MIT
 *
 * Watches on signals, see the header: one uv_signal_t each. Invariant: a watch whose `loop` is set
 * is in its list of objects, counts in its `live`, and covers the disposition of its signal. */
#include "core/sigwatch.h"

#include <string.h>

#include "core/disposition.h"

static void on_signal(uv_signal_t *h, int sig) {
  (void)sig;
  aio_sigwatch *w = h->data;
  if (w->loop) w->fired(w);
}

static void on_closed(uv_handle_t *h) {
  aio_sigwatch *w = h->data;
  aio_loop *l = h->loop->data;
  aio_mem_free(&l->mem, w, sizeof *w);
}

static void stop(void *arg) {
  aio_sigwatch *w = arg;
  uv_signal_stop(&w->uv);
}

static void let_go(aio_sigwatch *w) {
  aio_list_del(&w->object.link);
  w->loop->live--;
  w->loop = NULL;
  aio_disposition_uncover(w->sig, stop, w);
  uv_close((uv_handle_t *)&w->uv, on_closed);
}

static void detach(aio_object *o) {
  let_go(AIO_CONTAINER(o, aio_sigwatch, object));
}

static int watch(aio_sigwatch *w, aio_loop *l) {
  int err = uv_signal_init(&l->uv, &w->uv);
  if (err) {
    aio_mem_free(&l->mem, w, sizeof *w);
    return err;
  }
  w->uv.data = w;
  aio_disposition_cover(w->sig);
  err = uv_signal_start(&w->uv, on_signal, w->sig);
  if (err) {
    aio_disposition_uncover(w->sig, stop, w);
    uv_close((uv_handle_t *)&w->uv, on_closed);
    return err;
  }
  aio_list_push(&l->objects, &w->object.link);
  w->loop = l;
  l->live++;
  l->watchers_changed = true;
  return 0;
}

aio_sigwatch *aio_sigwatch_new(aio_loop *l, int sig, void (*fired)(aio_sigwatch *w), void *owner,
                               int *err) {
  aio_sigwatch *w = aio_mem_new(&l->mem, sizeof *w);
  *err = UV_ENOMEM;
  if (!w) return NULL;
  memset(w, 0, sizeof *w);
  w->object.detach = detach;
  w->sig = sig;
  w->fired = fired;
  w->owner = owner;
  *err = watch(w, l);
  return *err ? NULL : w;
}

void aio_sigwatch_free(aio_sigwatch *w) {
  if (w && w->loop) let_go(w);
}
