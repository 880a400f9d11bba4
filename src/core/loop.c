/* SPDX-License-Identifier: MIT
 *
 * The engine: libuv for readiness, our own heap for time, a locked list for other threads. The
 * scheduler calls it from one thread; only aio_loop_post and aio_loop_interrupt may be called from
 * another. Invariant: nothing here runs Lua or allocates Lua memory that could run a finalizer. */
#include "core/loop.h"

#include <math.h>
#include <stdlib.h>

#include "core/chunk.h"
#include "core/datagram.h"
#include "core/stdio.h"
#include "core/thread.h"

static const double NS_PER_S = 1e9, MS_PER_S = 1e3;
static const double LONGEST_POLL_S = 24 * 3600; /* libuv takes milliseconds in an int */
enum { CLOSE_TURNS = 8 };                       /* libuv needs two to run all close callbacks */

static double real_now(aio_loop *l) {
  (void)l;
  return (double)uv_hrtime() / NS_PER_S;
}

/* uv_run fires due timers before it polls too. An alarm that is due by then would leave nothing to
 * end the poll, which would last for ever; uv_stop makes that poll one that does not wait. */
static void on_alarm(uv_timer_t *t) {
  uv_stop(t->loop);
}

static void real_poll(aio_loop *l, double timeout) {
  if (timeout == 0) {
    uv_run(&l->uv, UV_RUN_NOWAIT);
    return;
  }
  if (timeout > 0) {
    if (timeout > LONGEST_POLL_S) timeout = LONGEST_POLL_S;
    uv_update_time(&l->uv);
    uv_timer_start(&l->alarm, on_alarm, (uint64_t)ceil(timeout * MS_PER_S), 0);
  }
  uv_run(&l->uv, UV_RUN_ONCE);
  uv_timer_stop(&l->alarm);
}

const aio_engine_ops aio_engine_real = {real_now, real_poll};

/* A post has ended the wait. */
static void on_wakeup(void *arg) {
  aio_loop *l = arg;
  if (aio_posts_any(&l->posts)) aio_loop_lookout_late(l);
  aio_loop_collect(l);
}

/* Fills an engine whose memory is cleared. 0 or libuv's error code; then nothing is left open. */
static int engine_init(aio_loop *l) {
  int err = aio_stdio_secure();
  if (!err) err = aio_posts_init(&l->posts);
  if (err) return err;
  if ((err = uv_loop_init(&l->uv))) {
    aio_posts_fini(&l->posts);
    return err;
  }
  uv_timer_init(&l->uv, &l->alarm);
  if ((err = aio_wakeup_init(&l->uv, &l->wakeup, on_wakeup, l))) {
    uv_close((uv_handle_t *)&l->alarm, NULL);
    uv_run(&l->uv, UV_RUN_NOWAIT);
    uv_loop_close(&l->uv);
    aio_posts_fini(&l->posts);
    return err;
  }
  l->uv.data = l;
  return 0;
}

aio_loop *aio_loop_new(aio_mem mem, int *err) {
  aio_loop *l = calloc(1, sizeof *l);
  *err = l ? engine_init(l) : UV_ENOMEM;
  if (*err) {
    free(l);
    return NULL;
  }
  l->ops = &aio_engine_real;
  l->mem = mem;
  aio_link_init(&l->ready);
  aio_link_init(&l->batch);
  aio_link_init(&l->objects);
  aio_link_init(&l->joining);
  aio_link_init(&l->starved);
  return l;
}

static void close_handle(uv_handle_t *h, void *arg) {
  (void)arg;
  if (!uv_is_closing(h)) uv_close(h, NULL);
}

static void drop_nodes(aio_link *list) {
  for (aio_link *p; (p = aio_list_shift(list));) {
    aio_cnode *c = AIO_CONTAINER(p, aio_cnode, node.link);
    if (c->drop) c->drop(c);
  }
}

static void drop_posts(aio_loop *l) {
  aio_link posts;
  aio_link_init(&posts);
  l->closed = true;
  aio_posts_close(&l->posts, &posts);
  drop_nodes(&posts);
  drop_nodes(&l->batch);
  drop_nodes(&l->ready);
}

static bool engine_fini(aio_loop *l) {
  for (int i = 0; i < CLOSE_TURNS; i++) {
    if (uv_loop_close(&l->uv) == 0) {
      aio_wakeup_fini(&l->wakeup);
      aio_posts_fini(&l->posts);
      free(l);
      return true;
    }
    uv_run(&l->uv, UV_RUN_NOWAIT);
  }
  return false;
}

/* A thread of its own waits for the pool jobs of a closed loop that could not be cancelled. */
static void reap(void *arg) {
  aio_loop *l = arg;
  do uv_run(&l->uv, UV_RUN_DEFAULT);
  while (!engine_fini(l));
}

void aio_loop_close(aio_loop *l) {
  drop_posts(l);
  for (aio_link *o; (o = aio_list_first(&l->objects));) {
    aio_object *object = AIO_CONTAINER(o, aio_object, link);
    object->detach(object);
  }
  aio_pool_fini(l);
  aio_packets_fini(l);
  aio_heap_fini(&l->timers, &l->mem);
  uv_walk(&l->uv, close_handle, NULL);
  if (engine_fini(l)) return;
  /* Without a thread the engine stays: a leak is better than a wait or a dangling job. */
  aio_thread_detached(reap, l);
}

void aio_wake(aio_loop *l, aio_wait *w) {
  if (w->node.state != AIO_PENDING) return;
  aio_list_del(&w->node.link);
  aio_heap_del(&l->timers, &w->timer);
  aio_loop_ready(l, &w->node);
}

bool aio_wake_first(aio_loop *l, aio_link *waiters) {
  aio_link *first = aio_list_first(waiters);
  if (first) aio_wake(l, aio_wait_of(first));
  return first != NULL;
}

void aio_wake_all(aio_loop *l, aio_link *waiters) {
  while (aio_wake_first(l, waiters)) {
  }
}

bool aio_loop_timer_start(aio_loop *l, aio_timer *t, double when) {
  aio_heap_del(&l->timers, t);
  if (!aio_heap_reserve(&l->timers, &l->mem)) return false;
  aio_heap_add(&l->timers, t, when);
  return true;
}

void aio_loop_expire(aio_loop *l) {
  const aio_heap_entry *top = aio_heap_top(&l->timers);
  if (!top) return;
  double now = aio_loop_now(l);
  for (; top && top->when <= now; top = aio_heap_top(&l->timers)) {
    aio_timer *t = top->timer;
    aio_heap_del(&l->timers, t);
    t->fire(t);
  }
}

double aio_loop_timeout(aio_loop *l) {
  if (!aio_list_empty(&l->ready) || !aio_list_empty(&l->batch)) return 0;
  const aio_heap_entry *top = aio_heap_top(&l->timers);
  if (!top) return -1;
  double rest = top->when - aio_loop_now(l);
  return rest > 0 ? rest : 0;
}

void aio_loop_attend(aio_loop *l) {
  l->attended = true;
  aio_posts_wake(&l->posts);
}

void aio_loop_unattend(aio_loop *l) {
  l->attended = false;
  if (aio_posts_leave(&l->posts)) aio_wakeup_send(&l->wakeup);
}

static void join_all(aio_loop *l) {
  for (aio_link *j; (j = aio_list_shift(&l->joining));) {
    aio_joiner *joiner = AIO_CONTAINER(j, aio_joiner, link);
    joiner->join(joiner);
  }
}

void aio_loop_poll(aio_loop *l, double timeout) {
  join_all(l);
  if (!aio_list_empty(&l->ready)) timeout = 0; /* one could not join */
  l->polls++;
  l->watchers_changed = false;
  bool waits = timeout != 0 && l->attended && l->port; /* without a port nothing can be posted */
  if (waits && !aio_posts_sleep(&l->posts)) {
    waits = false;
    timeout = 0;
  }
  l->ops->poll(l, timeout);
  if (waits) aio_posts_wake(&l->posts);
  aio_loop_collect(l);
}

bool aio_loop_post(aio_loop *l, aio_cnode *c) {
  bool wake, taken = aio_posts_add(&l->posts, c, &wake);
  if (wake) aio_wakeup_send(&l->wakeup); /* not under the lock, which the woken thread takes */
  return taken;
}

void aio_loop_interrupt(aio_loop *l) {
  aio_wakeup_send(&l->wakeup);
}
