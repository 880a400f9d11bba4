/* SPDX-License-Identifier: MIT
 *
 * Pointer -> number, malloc'ed: which objects a copy has met. A cleared map is an empty one. */
#ifndef AIO_BASE_PTRMAP_H
#define AIO_BASE_PTRMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct aio_ptrmap {
  struct aio_ptrmap_entry {
    const void *key; /* NULL: free */
    uint32_t value;
  } * entries;
  size_t room; /* a power of two, or 0 */
  size_t count;
} aio_ptrmap;

void aio_ptrmap_fini(aio_ptrmap *m);
/* Takes all out; the memory stays. */
void aio_ptrmap_clear(aio_ptrmap *m);
/* The number of the pointer, 0 when it is not there. */
uint32_t aio_ptrmap_get(const aio_ptrmap *m, const void *key);
/* Adds a pointer that is not there, with a number that is not 0. False: memory is out. */
bool aio_ptrmap_add(aio_ptrmap *m, const void *key, uint32_t value);

#endif
