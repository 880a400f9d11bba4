/* SPDX-License-Identifier: MIT
 *
 * Descriptors that have come over a Unix socket and that nobody has taken yet, each with the place
 * in the stream where the bytes end that it came with: the kernel joins bytes before a message with
 * descriptors to it, but none behind it. A socket fills it, the Lua face takes from it.
 * Invariant: it owns the descriptors in it; there are at most `max`. */
#ifndef AIO_CORE_FDBOX_H
#define AIO_CORE_FDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

typedef struct aio_fdbox_entry {
  uint64_t at;
  int fd;
} aio_fdbox_entry;

typedef struct aio_fdbox {
  uint64_t received; /* bytes of the stream so far */
  size_t n, max;
  aio_fdbox_entry entries[];
} aio_fdbox;

/* NULL when memory is out. */
aio_fdbox *aio_fdbox_new(const aio_mem *mem, size_t max);
/* Closes what is in it; NULL is allowed. */
void aio_fdbox_free(aio_fdbox *b, const aio_mem *mem);
/* Takes over a descriptor that came with the bytes up to `received`; false, and it is closed, when
 * the box is full. */
bool aio_fdbox_put(aio_fdbox *b, int fd);
/* Closes all but the first `n`. */
void aio_fdbox_drop(aio_fdbox *b, size_t n);
/* How many of the `unread` last bytes can be read together with at most one batch of descriptors.
 */
size_t aio_fdbox_cut(const aio_fdbox *b, size_t unread);
/* How many descriptors are due when all but `unread` bytes have been read. */
size_t aio_fdbox_due(const aio_fdbox *b, size_t unread);
/* The first descriptor, which is the caller's now. */
int aio_fdbox_take(aio_fdbox *b);

#endif
