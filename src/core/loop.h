/* SPDX-License-Identifier: MIT
 *
 * The engine below one event loop: ready queue, timers, libuv, posts from other threads. Knows no
 * Lua. The scheduler (bind/scheduler.c) drives it; streams, listeners and look-ups hang on it.
 *
 * An aio_loop is malloc'ed and belongs to its Lua object until `aio_loop_close`; then it frees
 * itself, at the latest when the last pool job that could not be cancelled has returned. */
#ifndef AIO_CORE_LOOP_H
#define AIO_CORE_LOOP_H

#include <uv.h>

#include "core/lookout.h"
#include "core/posts.h"
#include "core/wakeup.h"

/* How a loop learns the time and waits. Real time, a host's clock and the virtual clock of
 * aio.testing are three of these; chosen per loop at run time. */
typedef struct aio_engine_ops {
  double (*now)(aio_loop *l);                /* seconds, monotonic */
  void (*poll)(aio_loop *l, double timeout); /* waits at most `timeout` s (< 0: no limit) */
} aio_engine_ops;

extern const aio_engine_ops aio_engine_real;

/* Something that hangs on a loop and must let go when the loop closes: streams, listeners. Linked
 * into `aio_loop.objects` by its owner; `detach` is called once, must unlink it, and may not throw
 * or wait. What it leaves to libuv (uv_close callbacks) runs before aio_loop_close returns. */
typedef struct aio_object {
  aio_link link;
  void (*detach)(struct aio_object *self);
} aio_object;

/* Something that libuv is to learn of just before the next poll, and not at all when it is gone by
 * then: that saves a short-lived connection its system calls. In `aio_loop.joining` by `link`;
 * `join` is called once, unlinked, and may make nodes ready. */
typedef struct aio_joiner {
  aio_link link;
  void (*join)(struct aio_joiner *self);
} aio_joiner;

struct aio_loop {
  uv_loop_t uv;
  const aio_engine_ops *ops;
  void *clock;    /* for `ops` */
  aio_mem mem;    /* the Lua state's allocator */
  aio_link ready; /* of aio_node.link, first in, first out */
  aio_link batch; /* the nodes of the turn under way, taken from `ready` */
  aio_heap timers;
  uv_timer_t alarm; /* libuv's view of the earliest timer */
  bool closed;      /* it is being closed: nobody is woken any more */
  aio_posts posts;
  aio_wakeup wakeup;
  aio_lookout lookout;
  bool attended;           /* a run is under way, which looks at `posts` before each wait */
  unsigned live;           /* descriptors, look-ups, pool jobs: what can still wake somebody */
  unsigned remotes;        /* thread-safe handles given out to C: they can wake somebody too */
  unsigned working;        /* of both, children and calls in other threads; see clock_virtual.c */
  bool watchers_changed;   /* reads were started since the last poll: a step must ask again */
  aio_link objects;        /* of aio_object.link */
  aio_link joining;        /* of aio_joiner.link */
  aio_link starved;        /* listeners that found no descriptor, see core/listener.h */
  struct aio_pool *chunks; /* receive buffers, see core/chunk.h */
  struct aio_port *port;   /* see core/port.h; NULL until somebody asks for it */
  struct aio_fdset *fdset; /* watched descriptors, see core/fdwatch.h */
  char *packets;           /* room to receive datagrams into, or NULL; see core/datagram.h */
  uint64_t polls;          /* how often the kernel was asked */
  uint64_t events;         /* how often it had something to say of a stream */
  void *owner;             /* the scheduler's own structure (bind) */
};

/* A new engine, or NULL with *err set to libuv's error code. */
aio_loop *aio_loop_new(aio_mem mem, int *err);
/* Closes every handle, drops posts, timers and ready C nodes, frees the engine (see above). Ready
 * tasks and callbacks must have been unlinked by the caller. Never waits for a pool job. */
void aio_loop_close(aio_loop *l);

/* Monotonic seconds by this loop's clock, read fresh. */
static inline double aio_loop_now(aio_loop *l) {
  return l->ops->now(l);
}

/* Puts a node at the end of the ready queue. */
static inline void aio_loop_ready(aio_loop *l, aio_node *n) {
  n->state = AIO_READY;
  aio_list_push(&l->ready, &n->link);
}

/* The same, unless it is there already. */
static inline void aio_loop_tell(aio_loop *l, aio_node *n) {
  if (n->state == AIO_IDLE) aio_loop_ready(l, n);
}

/* Makes a pending wait ready; one that is not pending stays as it is. Its timer is disarmed. */
void aio_wake(aio_loop *l, aio_wait *w);
/* Wakes the first waiter of a list, if there is one; true when there was. */
bool aio_wake_first(aio_loop *l, aio_link *waiters);
/* Wakes all waiters in order. */
void aio_wake_all(aio_loop *l, aio_link *waiters);

/* Arms `t` to fire at `when`, or moves it there. False when memory is out: it is then disarmed. */
bool aio_loop_timer_start(aio_loop *l, aio_timer *t, double when);
static inline void aio_loop_timer_stop(aio_loop *l, aio_timer *t) {
  aio_heap_del(&l->timers, t);
}

/* Moves the timers that are due out of the heap and fires each, in order. */
void aio_loop_expire(aio_loop *l);
/* Asks the kernel once and handles what it reports; waits at most `timeout` s (< 0: no limit). */
void aio_loop_poll(aio_loop *l, double timeout);
/* Makes what other threads have posted ready. Cheap when there is nothing. */
static inline void aio_loop_collect(aio_loop *l) {
  if (aio_posts_any(&l->posts)) aio_posts_take(&l->posts, &l->ready);
}
/* A run begins, which collects before each poll: nobody needs to wake the loop until it waits. */
void aio_loop_attend(aio_loop *l);
/* It ends: whoever waits for the loop's descriptor has to see what comes. */
void aio_loop_unattend(aio_loop *l);
/* How long a poll may wait: 0 with ready work, else until the earliest timer, < 0: for ever. */
double aio_loop_timeout(aio_loop *l);

/* [any thread] Hands over a malloc'ed node, whose `run` or `drop` will own it in the loop's thread;
 * false when the loop is closed (the caller still owns it). */
bool aio_loop_post(aio_loop *l, aio_cnode *c);
/* [any thread] Wakes a loop that waits in the kernel. The loop must be alive. */
void aio_loop_interrupt(aio_loop *l);

#endif
