/* SPDX-License-Identifier: MIT
 *
 * Indexed 4-ary min-heap of timers, ordered by deadline and then by order of insertion. The loop
 * keeps one; libuv's own timers are ten times slower. Invariant: entry i of the array belongs to
 * the timer whose `index` is i + 1; a timer with index 0 is in no heap. */
#ifndef AIO_BASE_HEAP_H
#define AIO_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

typedef struct aio_timer {
  void (*fire)(struct aio_timer *); /* called once, after the timer has left the heap */
  uint32_t index;                   /* place in the heap + 1; 0: not armed */
  uint32_t seq;                     /* order of insertion, compared modulo 2^32 */
} aio_timer;

typedef struct aio_heap_entry {
  double when;
  aio_timer *timer;
} aio_heap_entry;

typedef struct aio_heap {
  aio_heap_entry *entries;
  size_t size, room;
  uint32_t seq;
} aio_heap;

static inline bool aio_timer_armed(const aio_timer *t) {
  return t->index != 0;
}

/* Makes room for one more timer. False when memory is out; the heap is then as it was. */
bool aio_heap_reserve(aio_heap *h, const aio_mem *mem);
/* Adds `t`, which is not armed; room must have been reserved, so this cannot fail. */
void aio_heap_add(aio_heap *h, aio_timer *t, double when);
/* Takes `t` out; nothing happens when it is not armed. */
void aio_heap_del(aio_heap *h, aio_timer *t);
/* The earliest entry, or NULL. */
static inline const aio_heap_entry *aio_heap_top(const aio_heap *h) {
  return h->size ? h->entries : NULL;
}
/* Frees the array. Timers still inside are forgotten, not fired. */
void aio_heap_fini(aio_heap *h, const aio_mem *mem);

#endif
