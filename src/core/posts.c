/* SPDX-License-Identifier: MIT
 *
 * What other threads hand over, see the header. */
#include "core/posts.h"

int aio_posts_init(aio_posts *p) {
  aio_link_init(&p->list);
  atomic_init(&p->any, false);
  p->closed = p->awake = false;
  return uv_mutex_init(&p->lock);
}

void aio_posts_fini(aio_posts *p) {
  uv_mutex_destroy(&p->lock);
}

bool aio_posts_add(aio_posts *p, aio_cnode *c, bool *wake) {
  c->node.kind = AIO_NODE_C;
  c->node.state = AIO_READY;
  uv_mutex_lock(&p->lock);
  bool taken = !p->closed;
  *wake = taken && !p->awake;
  if (taken) {
    aio_list_push(&p->list, &c->node.link);
    atomic_store_explicit(&p->any, true, memory_order_relaxed);
  }
  uv_mutex_unlock(&p->lock);
  return taken;
}

static void take(aio_posts *p, aio_link *to) {
  aio_list_splice(to, &p->list);
  atomic_store_explicit(&p->any, false, memory_order_relaxed);
}

void aio_posts_take(aio_posts *p, aio_link *to) {
  uv_mutex_lock(&p->lock);
  take(p, to);
  uv_mutex_unlock(&p->lock);
}

void aio_posts_wake(aio_posts *p) {
  uv_mutex_lock(&p->lock);
  p->awake = true;
  uv_mutex_unlock(&p->lock);
}

bool aio_posts_leave(aio_posts *p) {
  uv_mutex_lock(&p->lock);
  bool any = !aio_list_empty(&p->list);
  p->awake = false;
  uv_mutex_unlock(&p->lock);
  return any;
}

bool aio_posts_sleep(aio_posts *p) {
  uv_mutex_lock(&p->lock);
  p->awake = !aio_list_empty(&p->list);
  bool asleep = !p->awake;
  uv_mutex_unlock(&p->lock);
  return asleep;
}

void aio_posts_close(aio_posts *p, aio_link *to) {
  uv_mutex_lock(&p->lock);
  p->closed = true;
  take(p, to);
  uv_mutex_unlock(&p->lock);
}
