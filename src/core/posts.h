/* SPDX-License-Identifier: MIT
 *
 * What other threads hand over to a loop. A part of aio_loop; they come by its port (core/port.h).
 *
 * Waking a loop that waits in the kernel costs both threads system calls, and the time until it
 * runs again. So a loop that runs is *awake*: it looks here before it waits, and nobody writes
 * anything to wake it. Invariant: a loop that waits in the kernel is not awake, and found nothing
 * here when it went to sleep. */
#ifndef AIO_CORE_POSTS_H
#define AIO_CORE_POSTS_H

#include <stdatomic.h>
#include <uv.h>

#include "core/wait.h"

typedef struct aio_posts {
  uv_mutex_t lock;
  atomic_bool any; /* the list is not empty; written under the lock */
  aio_link list;   /* of aio_node.link; under the lock, as the rest */
  bool closed;     /* no more are taken */
  bool awake;      /* no need to wake it */
} aio_posts;

/* 0 or libuv's error code. */
int aio_posts_init(aio_posts *p);
void aio_posts_fini(aio_posts *p);

/* [any thread] Hands a node over, whose `run` or `drop` will own it in the loop's thread. False
 * when the loop is closed (the caller still owns it); `*wake`: it waits, wake it. */
bool aio_posts_add(aio_posts *p, aio_cnode *c, bool *wake);
/* [any thread] A guess: has anything come? */
static inline bool aio_posts_any(const aio_posts *p) {
  return atomic_load_explicit(&((aio_posts *)(uintptr_t)p)->any, memory_order_relaxed);
}
/* Moves all that came to the end of `to`. */
void aio_posts_take(aio_posts *p, aio_link *to);
/* The loop will look here before it waits; until aio_posts_sleep. */
void aio_posts_wake(aio_posts *p);
/* From now on it has to be woken. False when there is something already: it stays awake. */
bool aio_posts_sleep(aio_posts *p);
/* The same in any case; true when something is there. */
bool aio_posts_leave(aio_posts *p);
/* Takes no more; what came is moved to `to`. */
void aio_posts_close(aio_posts *p, aio_link *to);

#endif
