/* SPDX-License-Identifier: MIT
 *
 * The virtual clock. The scheduler polls with a time limit only when nothing is ready; here this
 * means that time may jump. Invariant: it never jumps while a pool job (a look-up) is under way, or
 * before real descriptors, if there are any, were quiet for a while. While a child or a call in
 * another thread works, whose time is real, this clock goes at its pace. */
#include "core/clock_virtual.h"

enum { QUIET_MS = 10 }; /* so long must descriptors and other threads be silent */

static double virtual_now(aio_loop *l) {
  const aio_clock_virtual *c = l->clock;
  return c->now;
}

/* It may be due before uv_run polls: uv_stop makes that poll one that does not wait. */
static void on_quiet(uv_timer_t *t) {
  *(bool *)t->data = true;
  uv_stop(t->loop);
}

/* Handles what comes in within QUIET_MS; true when nothing came. Bytes that a parser or a buffer
 * swallows make nobody ready, and on a busy machine handling them may last until the alarm. */
static bool is_quiet(aio_loop *l) {
  bool quiet = false;
  uint64_t before = l->events;
  l->alarm.data = &quiet;
  uv_update_time(&l->uv);
  uv_timer_start(&l->alarm, on_quiet, QUIET_MS, 0);
  uv_run(&l->uv, UV_RUN_ONCE);
  uv_timer_stop(&l->alarm);
  return quiet && l->events == before && aio_list_empty(&l->ready);
}

/* Can anything outside this thread still become ready? */
static bool has_outside(const aio_loop *l) {
  const aio_clock_virtual *c = l->clock;
  return l->live > 0 || l->remotes > c->held;
}

/* Nobody can run: those who wait for this moment go on, else the next timer is due. */
static void jump(aio_loop *l, double timeout) {
  aio_clock_virtual *c = l->clock;
  const aio_heap_entry *next = aio_heap_top(&l->timers);
  if (!aio_list_empty(&c->blocked))
    aio_wake_all(l, &c->blocked);
  else if (next && next->when > c->now)
    c->now = next->when;
  else
    aio_engine_real.poll(l, timeout);
}

/* As long as the real clock does; those who wait for this moment go on when all is quiet. */
static void keep_pace(aio_loop *l, double timeout) {
  aio_clock_virtual *c = l->clock;
  double before = aio_engine_real.now(l);
  if (aio_list_empty(&c->blocked))
    aio_engine_real.poll(l, timeout);
  else if (is_quiet(l))
    aio_wake_all(l, &c->blocked);
  c->now += aio_engine_real.now(l) - before;
}

static void virtual_poll(aio_loop *l, double timeout) {
  if (timeout == 0) {
    aio_engine_real.poll(l, 0);
  } else if (l->uv.active_reqs.count > 0) {
    aio_engine_real.poll(l, -1);
  } else if (l->working > 0) {
    keep_pace(l, timeout);
  } else if (has_outside(l)) {
    if (is_quiet(l)) jump(l, timeout);
  } else {
    aio_engine_real.poll(l, 0); /* callbacks of what was closed */
    if (aio_list_empty(&l->ready)) jump(l, timeout);
  }
}

static const aio_engine_ops engine_virtual = {virtual_now, virtual_poll};

void aio_clock_virtual_start(aio_loop *l, aio_clock_virtual *c) {
  c->now = 0;
  c->held = 0;
  aio_link_init(&c->blocked);
  l->clock = c;
  l->ops = &engine_virtual;
}

aio_clock_virtual *aio_clock_virtual_of(aio_loop *l) {
  return l->ops == &engine_virtual ? l->clock : NULL;
}

void aio_clock_virtual_hold(aio_loop *l) {
  aio_clock_virtual_of(l)->held++;
  l->remotes++;
}

void aio_clock_virtual_release(aio_loop *l) {
  aio_clock_virtual_of(l)->held--;
  l->remotes--;
}
