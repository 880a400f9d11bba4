/* SPDX-License-Identifier: MIT
 *
 * The timer heap. Four children to a node: the tree is half as deep as a binary one and the four
 * keys that are compared on the way down share a cache line. */
#include "base/heap.h"

#include <assert.h>

#ifdef AIO_HOSTILE
enum { FIRST_ROOM = 1, ARITY = 4 };
#else
enum { FIRST_ROOM = 64, ARITY = 4 };
#endif

bool aio_heap_reserve(aio_heap *h, const aio_mem *mem) {
  if (h->size < h->room) return true;
  size_t room = h->room ? h->room * 2 : FIRST_ROOM;
  size_t unit = sizeof(aio_heap_entry);
  aio_heap_entry *e = aio_mem_resize(mem, h->entries, h->room * unit, room * unit);
  if (!e) return false;
  h->entries = e;
  h->room = room;
  return true;
}

static inline bool before(const aio_heap_entry *a, const aio_heap_entry *b) {
  if (a->when != b->when) return a->when < b->when;
  return (int32_t)(a->timer->seq - b->timer->seq) < 0;
}

static inline void place(aio_heap *h, size_t i, aio_heap_entry e) {
  h->entries[i] = e;
  e.timer->index = (uint32_t)(i + 1);
}

static void sift_up(aio_heap *h, size_t i, aio_heap_entry e) {
  while (i > 0) {
    size_t parent = (i - 1) / ARITY;
    if (!before(&e, &h->entries[parent])) break;
    place(h, i, h->entries[parent]);
    i = parent;
  }
  place(h, i, e);
}

static void sift_down(aio_heap *h, size_t i, aio_heap_entry e) {
  for (;;) {
    size_t first = i * ARITY + 1, last = first + ARITY, least = first;
    if (first >= h->size) break;
    if (last > h->size) last = h->size;
    for (size_t c = first + 1; c < last; c++)
      if (before(&h->entries[c], &h->entries[least])) least = c;
    if (!before(&h->entries[least], &e)) break;
    place(h, i, h->entries[least]);
    i = least;
  }
  place(h, i, e);
}

void aio_heap_add(aio_heap *h, aio_timer *t, double when) {
  t->seq = h->seq++;
  sift_up(h, h->size++, (aio_heap_entry){when, t});
}

void aio_heap_del(aio_heap *h, aio_timer *t) {
  if (!t->index) return;
  size_t i = t->index - 1;
  assert(i < h->size && h->entries[i].timer == t); /* of this heap, not of another loop's */
  aio_heap_entry last = h->entries[--h->size];
  t->index = 0;
  if (last.timer == t) return;
  if (i > 0 && before(&last, &h->entries[(i - 1) / ARITY]))
    sift_up(h, i, last);
  else
    sift_down(h, i, last);
}

void aio_heap_fini(aio_heap *h, const aio_mem *mem) {
  aio_mem_free(mem, h->entries, h->room * sizeof *h->entries);
  *h = (aio_heap){0};
}
