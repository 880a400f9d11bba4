/* SPDX-License-Identifier: MIT
 *
 * Two connected streams in memory, for tests: what one writes the other reads, after a turn of the
 * loop, in pieces and with faults that a seed decides. No descriptor, no system call. Floor 3 makes
 * them for aio.testing. */
#ifndef AIO_CORE_PAIR_H
#define AIO_CORE_PAIR_H

#include "core/stream.h"

typedef struct aio_pair_opts {
  size_t capacity;    /* bytes that one direction holds before the writer must queue (> 0) */
  size_t chunk;       /* at most so many bytes at once, written and read; 0: any number */
  uint64_t seed;      /* not 0: pieces of 1 to `chunk` bytes, as the seed decides */
  size_t reset_after; /* not 0: after so many bytes in all the connection is reset */
} aio_pair_opts;

/* Connects two new streams of one loop. 0 or an error code; then both are as they were. */
int aio_pair_open(aio_stream *a, aio_stream *b, const aio_pair_opts *opts);

#endif
