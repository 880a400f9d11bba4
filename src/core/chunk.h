/* SPDX-License-Identifier: MIT
 *
 * Memory for received bytes. A loop has one pool: a big scratch chunk into which sockets are read,
 * and free chunks of four sizes. A few received bytes are copied into a chunk of the right size, so
 * that the scratch serves the next socket; many bytes take the scratch chunk itself with them. An
 * idle connection holds no chunk. Invariant: a chunk is in one queue, in one free list, or is the
 * scratch; `start <= end <= room`. */
#ifndef AIO_CORE_CHUNK_H
#define AIO_CORE_CHUNK_H

#include <uv.h>

#include "core/loop.h"

typedef struct aio_chunk {
  struct aio_chunk *next;
  uint32_t start, end; /* the bytes not yet consumed */
  uint32_t room;       /* size of `data` */
  uint32_t sort;       /* which free list it belongs to */
  char data[];
} aio_chunk;

typedef struct aio_pool aio_pool;

/* The loop's pool, made at the first call; NULL when memory is out. */
aio_pool *aio_pool_get(aio_loop *l);
/* Frees the pool of a loop that closes, if it has one. Chunks still in queues must be gone. */
void aio_pool_fini(aio_loop *l);

/* Received bytes of one stream, in order. */
typedef struct aio_recvq {
  aio_chunk *head, *tail;
  size_t total; /* bytes in it */
} aio_recvq;

/* The bytes of the first chunk; *len is 0 when the queue is empty. */
static inline const char *aio_recvq_peek(const aio_recvq *q, size_t *len) {
  if (!q->head) return *len = 0, NULL;
  *len = q->head->end - q->head->start;
  return q->head->data + q->head->start;
}

/* Where to receive into: the room left in the last chunk, then the scratch. Returns how many of the
 * two buffers are filled in; 0 when memory is out. */
unsigned aio_recvq_space(aio_recvq *q, aio_pool *p, uv_buf_t space[2]);
/* The same for at most `most` bytes: what fits into a small chunk is received into one, and need
 * not be copied. */
unsigned aio_recvq_space_for(aio_recvq *q, aio_pool *p, size_t most, uv_buf_t space[2]);
/* Takes over `n` bytes received into that space. Cannot fail. */
void aio_recvq_commit(aio_recvq *q, aio_pool *p, size_t n);
/* Drops the first `n` bytes, at most `total`; their chunks go back to the pool. */
void aio_recvq_consume(aio_recvq *q, aio_pool *p, size_t n);
/* Copies the `n` bytes from `offset` on to `to`; they are there. */
void aio_recvq_copy(const aio_recvq *q, size_t offset, char *to, size_t n);
/* Offset of the first place at or after `from` where the `n` (> 0) bytes at `what` stand, or -1. */
ptrdiff_t aio_recvq_find(const aio_recvq *q, size_t from, const char *what, size_t n);
/* Brings the first `n` bytes, which are there, together; NULL when memory is out (then nothing has
 * changed). */
const char *aio_recvq_pullup(aio_recvq *q, aio_pool *p, size_t n);

#endif
