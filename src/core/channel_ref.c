/* SPDX-License-Identifier: MIT
 *
 * The lives of channels, see the header. Called by core/channel.c and by who writes messages.
 * Invariant: outside the lock, a channel without handles that is in no queue is dead or freed. */
#include "core/channel_ref.h"

#include <stdlib.h>
#include <uv.h>

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t lock;
static bool usable;
static aio_link dead; /* of aio_channel_ref.link; each with one handle, that of `sweep` */
static bool sweeping; /* somebody takes care of them */

static void init(void) {
  aio_link_init(&dead);
  usable = uv_mutex_init(&lock) == 0;
}

static aio_channel_ref *ref_of(aio_link *l) {
  return AIO_CONTAINER(l, aio_channel_ref, link);
}

bool aio_channel_ref_init(aio_channel_ref *r) {
  uv_once(&once, init);
  r->handles = 1;
  aio_link_init(&r->carriers);
  aio_link_init(&r->link);
  return usable;
}

/* Finds all from which one could get to it, but those that are dead; true: one of them has a
 * handle. The lock is held. */
static bool reachable(aio_channel_ref *r, aio_link *found) {
  bool alive = false;
  aio_list_push(found, &r->link);
  for (aio_link *p = found->next; p != found && !alive; p = p->next) {
    const aio_channel_ref *at = ref_of(p);
    alive = at->handles > 0;
    for (aio_link *e = at->carriers.next; e != &at->carriers; e = e->next) {
      aio_channel_ref *from = AIO_CONTAINER(e, aio_carried, link)->inside;
      if (!aio_link_linked(&from->link)) aio_list_push(found, &from->link);
    }
  }
  return alive;
}

/* It has lost a handle, or a place in a queue. The lock is held. */
static void judge(aio_channel_ref *r) {
  if (r->handles > 0 || aio_link_linked(&r->link)) return;
  aio_link found;
  aio_link_init(&found);
  if (reachable(r, &found)) {
    while (aio_list_shift(&found)) {
    }
    return;
  }
  for (aio_link *p = found.next; p != &found; p = p->next) ref_of(p)->handles++;
  aio_list_splice(&dead, &found);
}

/* Ends those that are dead, one after the other: what is freed with one may be the end of the next,
 * in a chain of any length. The lock is held; it is given up meanwhile. */
static void sweep(void) {
  if (sweeping) return;
  sweeping = true;
  for (aio_link *p; (p = aio_list_first(&dead));) {
    aio_channel_ref *r = ref_of(p);
    uv_mutex_unlock(&lock);
    aio_channel_drain(r);
    uv_mutex_lock(&lock);
    aio_list_del(&r->link);
    r->handles--;
    if (r->handles > 0 || !aio_list_empty(&r->carriers)) continue; /* the others hold it still */
    uv_mutex_unlock(&lock);
    aio_channel_free(r);
    uv_mutex_lock(&lock);
  }
  sweeping = false;
}

void aio_channel_ref_retain(aio_channel_ref *r) {
  uv_mutex_lock(&lock);
  r->handles++;
  uv_mutex_unlock(&lock);
}

void aio_channel_ref_release(aio_channel_ref *r) {
  uv_mutex_lock(&lock);
  r->handles--;
  judge(r);
  sweep();
  uv_mutex_unlock(&lock);
}

aio_carried *aio_carried_new(aio_channel_ref *what) {
  aio_carried *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  aio_link_init(&c->link);
  c->what = what;
  aio_channel_ref_retain(what);
  return c;
}

void aio_carried_free(void *carried) {
  aio_carried *c = carried;
  uv_mutex_lock(&lock);
  if (c->inside)
    aio_list_del(&c->link);
  else
    c->what->handles--;
  judge(c->what);
  free(c);
  sweep();
  uv_mutex_unlock(&lock);
}

void aio_carried_enter(aio_carried *c, aio_channel_ref *inside) {
  uv_mutex_lock(&lock);
  c->inside = inside;
  aio_list_push(&c->what->carriers, &c->link);
  c->what->handles--; /* no need to judge: `inside` has a handle */
  uv_mutex_unlock(&lock);
}

void aio_carried_leave(aio_carried *c) {
  uv_mutex_lock(&lock);
  c->inside = NULL;
  aio_list_del(&c->link);
  c->what->handles++;
  uv_mutex_unlock(&lock);
}
