/* SPDX-License-Identifier: MIT
 *
 * Listeners above their doors: who has been accepted, how many may be, and what happens when there
 * is no descriptor left. Called by the Lua face and by doors. Invariant: after every change each
 * door accepts exactly when the listener is hungry. */
#include "core/listener.h"

#include <string.h>

static const double RETRY_S = 0.1; /* another process may have closed a descriptor */

static void update_doors(aio_listener *ls) {
  for (aio_link *d = ls->doors.next; d != &ls->doors; d = d->next)
    aio_door_update(AIO_CONTAINER(d, aio_door, link));
}

static void feed(aio_listener *ls) {
  aio_list_del(&ls->starving);
  if (ls->loop) aio_heap_del(&ls->loop->timers, &ls->retry);
  update_doors(ls);
}

static void on_retry(aio_timer *t) {
  feed(AIO_CONTAINER(t, aio_listener, retry));
}

static void listener_detach(aio_object *o) {
  aio_listener *ls = AIO_CONTAINER(o, aio_listener, object);
  while (aio_list_shift(&ls->closers)) {
  }
  aio_listener_close(ls);
  aio_list_del(&ls->object.link);
  ls->loop = NULL;
}

aio_listener *aio_listener_new(aio_loop *l, void (*notify)(aio_listener *), void *owner) {
  aio_listener *ls = aio_mem_new(&l->mem, sizeof *ls);
  if (!ls) return NULL;
  memset(ls, 0, sizeof *ls);
  ls->object.detach = listener_detach;
  aio_list_push(&l->objects, &ls->object.link);
  ls->loop = l;
  ls->mem = l->mem;
  aio_link_init(&ls->doors);
  aio_link_init(&ls->accepted);
  aio_link_init(&ls->conns);
  aio_link_init(&ls->closers);
  aio_link_init(&ls->starving);
  ls->retry.fire = on_retry;
  ls->notify = notify;
  ls->owner = owner;
  return ls;
}

static aio_stream *stream_of(aio_link *sibling) {
  return AIO_CONTAINER(sibling, aio_stream, sibling);
}

void aio_listener_release(aio_listener *ls) {
  aio_listener_close(ls);
  for (aio_link *s; (s = aio_list_first(&ls->accepted));) aio_stream_abort(stream_of(s));
  for (aio_link *s; (s = aio_list_shift(&ls->conns));) stream_of(s)->listener = NULL;
  if (ls->loop) listener_detach(&ls->object);
  aio_mem_free(&ls->mem, ls, sizeof *ls);
}

void aio_listener_start(aio_listener *ls) {
  ls->serving = true;
  update_doors(ls);
}

static void wake_closers(aio_listener *ls) {
  if (ls->loop && ls->closed && ls->count == 0 && !ls->loop->closed)
    aio_wake_all(ls->loop, &ls->closers);
}

void aio_listener_drain(aio_listener *ls) {
  for (aio_link *d = ls->doors.next; d != &ls->doors; d = d->next)
    aio_door_drain(AIO_CONTAINER(d, aio_door, link));
}

void aio_listener_close(aio_listener *ls) {
  if (ls->closed) return;
  ls->closed = true;
  aio_list_del(&ls->starving);
  if (ls->loop) aio_heap_del(&ls->loop->timers, &ls->retry);
  for (aio_link *d; (d = aio_list_shift(&ls->doors));)
    aio_door_close(AIO_CONTAINER(d, aio_door, link));
  wake_closers(ls);
}

static void end_streams(aio_link *list, bool abort) {
  for (aio_link *s = list->next, *next; s != list; s = next) {
    next = s->next;
    if (abort)
      aio_stream_abort(stream_of(s));
    else
      aio_stream_close(stream_of(s));
  }
}

void aio_listener_end_conns(aio_listener *ls, bool abort) {
  end_streams(&ls->accepted, abort);
  end_streams(&ls->conns, abort);
}

aio_stream *aio_listener_take(aio_listener *ls) {
  aio_link *s = aio_list_shift(&ls->accepted);
  if (!s) return NULL;
  aio_list_push(&ls->conns, s);
  stream_of(s)->released = false;
  return stream_of(s);
}

void aio_listener_accepted(aio_listener *ls, aio_stream *s) {
  bool first = aio_list_empty(&ls->accepted);
  s->listener = ls;
  s->released = true; /* until somebody takes it */
  aio_list_push(&ls->accepted, &s->sibling);
  ls->count++;
  if (first) ls->notify(ls);
}

void aio_listener_failed(aio_listener *ls, int err) {
  ls->error = err;
  ls->notify(ls);
}

void aio_listener_starve(aio_listener *ls) {
  aio_loop *l = ls->loop;
  /* Without memory for the timer the doors stay open: busy is better than deaf. */
  if (!aio_loop_timer_start(l, &ls->retry, aio_loop_now(l) + RETRY_S)) return;
  aio_list_push(&l->starved, &ls->starving);
  update_doors(ls);
}

void aio_listener_forget(aio_stream *s) {
  aio_listener *ls = s->listener;
  s->listener = NULL;
  aio_list_del(&s->sibling);
  bool full = ls->count-- == ls->max;
  if (full) update_doors(ls);
  wake_closers(ls);
}

void aio_listener_revive(aio_loop *l) {
  for (aio_link *s; (s = aio_list_first(&l->starved));)
    feed(AIO_CONTAINER(s, aio_listener, starving));
}
