/* SPDX-License-Identifier: MIT
 *
 * Bytes that the kernel has not taken yet, of one stream, in order. Short pieces are copied, long
 * ones are borrowed: the writer keeps them alive until `released` has counted them. Streams call
 * it. Invariant: every segment has bytes left; `total` is their sum. */
#ifndef AIO_CORE_SENDQ_H
#define AIO_CORE_SENDQ_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/mem.h"

/* A piece of this many bytes or more is borrowed, a shorter one copied. */
#ifdef AIO_HOSTILE
enum { AIO_BORROW_MIN = 3 };
#else
enum { AIO_BORROW_MIN = 16 * 1024 + 1 };
#endif

typedef struct aio_segment aio_segment;

typedef struct aio_sendq {
  aio_segment *head, *tail;
  size_t total;
  uint64_t taken;    /* bytes that have left it, ever */
  uint64_t released; /* long pieces that are no longer needed, counted in the order given */
} aio_sendq;

/* Adds bytes of a short piece, or the copied rest of one. False when memory is out. */
bool aio_sendq_copy(aio_sendq *q, const aio_mem *mem, const char *ptr, size_t len);
/* Adds a long piece without copying it. False when memory is out. */
bool aio_sendq_borrow(aio_sendq *q, const aio_mem *mem, const char *ptr, size_t len);
/* Describes the first bytes in at most `max` buffers; returns how many. */
unsigned aio_sendq_bufs(const aio_sendq *q, uv_buf_t *bufs, unsigned max);
/* Drops the first `n` bytes: they have been sent. */
void aio_sendq_consume(aio_sendq *q, const aio_mem *mem, size_t n);
/* Copies what is borrowed, since its owner goes away. False when memory is out. */
bool aio_sendq_own(aio_sendq *q, const aio_mem *mem);
/* Moves all bytes to `to`, which is empty; who is counted as released does not change. */
void aio_sendq_move(aio_sendq *to, aio_sendq *from);
/* Drops everything. */
void aio_sendq_clear(aio_sendq *q, const aio_mem *mem);

#endif
