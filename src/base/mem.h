/* SPDX-License-Identifier: MIT
 *
 * The allocator that floors 0 to 2 use. It has the shape of Lua's own, because a loop gets the one
 * of its Lua state: memory limits, counters and failure injection of a host see all of it. Used in
 * the loop's thread only; what other threads hand over is malloc'ed. */
#ifndef AIO_BASE_MEM_H
#define AIO_BASE_MEM_H

#include <stddef.h>

typedef struct aio_mem {
  void *(*fn)(void *ud, void *ptr, size_t old_size, size_t new_size);
  void *ud;
} aio_mem;

/* New memory, not cleared, or NULL. */
static inline void *aio_mem_new(const aio_mem *m, size_t size) {
  return m->fn(m->ud, NULL, 0, size);
}

/* Resizes; NULL when memory is out (the old block is then untouched). */
static inline void *aio_mem_resize(const aio_mem *m, void *p, size_t old_size, size_t new_size) {
  return m->fn(m->ud, p, old_size, new_size);
}

static inline void aio_mem_free(const aio_mem *m, void *p, size_t size) {
  if (p) m->fn(m->ud, p, size, 0);
}

#endif
