/* SPDX-License-Identifier: MIT
 *
 * The pool of receive chunks and the queue made of them. Streams call it. Invariant: a free list
 * holds at most POOL_BYTES; what comes back above that is freed. */
#include "core/chunk.h"

#include <string.h>

/* Small chunks are for bytes that are copied out of the scratch; the third holds 4 KiB, and what
 * TLS makes of them. POOL_BYTES is what each free list keeps. */
#ifdef AIO_HOSTILE
enum { TINY = 1, MIDDLING = 3, SMALL = 7, SCRATCH = 64, POOL_BYTES = 128 };
#else
enum { TINY = 232, MIDDLING = 1000, SMALL = 4096 + 256, SCRATCH = 65536, POOL_BYTES = 1024 * 1024 };
#endif

static const uint32_t ROOMS[] = {TINY, MIDDLING, SMALL, SCRATCH};
enum { SORTS = 4, SORT_SMALL = 2, SORT_SCRATCH = 3, SORT_ODD = SORTS /* never kept */ };

struct aio_pool {
  aio_mem mem;
  aio_chunk *scratch; /* or NULL */
  aio_chunk *staged;  /* or NULL: a small one in its place, until the next commit */
  aio_chunk *free[SORTS];
  size_t kept[SORTS]; /* bytes in each free list */
};

aio_pool *aio_pool_get(aio_loop *l) {
  if (l->chunks) return l->chunks;
  aio_pool *p = aio_mem_new(&l->mem, sizeof *p);
  if (!p) return NULL;
  memset(p, 0, sizeof *p);
  p->mem = l->mem;
  return l->chunks = p;
}

static size_t chunk_size(const aio_chunk *c) {
  return sizeof *c + c->room;
}

void aio_pool_fini(aio_loop *l) {
  aio_pool *p = l->chunks;
  if (!p) return;
  for (int i = 0; i < SORTS; i++) {
    for (aio_chunk *c; (c = p->free[i]);) {
      p->free[i] = c->next;
      aio_mem_free(&p->mem, c, chunk_size(c));
    }
  }
  if (p->scratch) aio_mem_free(&p->mem, p->scratch, chunk_size(p->scratch));
  if (p->staged) aio_mem_free(&p->mem, p->staged, chunk_size(p->staged));
  aio_mem_free(&p->mem, p, sizeof *p);
  l->chunks = NULL;
}

static aio_chunk *chunk_new(aio_pool *p, uint32_t room, uint32_t sort) {
  aio_chunk *c = aio_mem_new(&p->mem, sizeof *c + room);
  if (!c) return NULL;
  c->next = NULL;
  c->start = c->end = 0;
  c->room = room;
  c->sort = sort;
  return c;
}

static aio_chunk *chunk_take(aio_pool *p, uint32_t sort) {
  aio_chunk *c = p->free[sort];
  if (!c) return chunk_new(p, ROOMS[sort], sort);
  p->free[sort] = c->next;
  p->kept[sort] -= chunk_size(c);
  c->next = NULL;
  c->start = c->end = 0;
  return c;
}

static void chunk_give(aio_pool *p, aio_chunk *c) {
  size_t size = chunk_size(c);
  if (c->sort == SORT_ODD || p->kept[c->sort] + size > POOL_BYTES) {
    aio_mem_free(&p->mem, c, size);
    return;
  }
  c->next = p->free[c->sort];
  p->free[c->sort] = c;
  p->kept[c->sort] += size;
}

static void recvq_push(aio_recvq *q, aio_chunk *c) {
  if (q->tail)
    q->tail->next = c;
  else
    q->head = c;
  q->tail = c;
}

/* Nothing came of the last one. */
static void unstage(aio_pool *p) {
  if (p->staged) chunk_give(p, p->staged);
  p->staged = NULL;
}

unsigned aio_recvq_space(aio_recvq *q, aio_pool *p, uv_buf_t space[2]) {
  unstage(p);
  if (!p->scratch && !(p->scratch = chunk_take(p, SORT_SCRATCH))) return 0;
  unsigned n = 0;
  aio_chunk *t = q->tail;
  if (t && t->end < t->room) space[n++] = uv_buf_init(t->data + t->end, t->room - t->end);
  space[n++] = uv_buf_init(p->scratch->data, p->scratch->room);
  return n;
}

/* The smallest size that holds `n` bytes. Behind unread bytes more will come, so there it is not
 * the smallest: many tiny packets must not become many tiny chunks. */
static uint32_t fitting_sort(const aio_recvq *q, size_t n) {
  uint32_t sort = q->head ? SORT_SMALL : 0;
  while (sort < SORT_SCRATCH && ROOMS[sort] < n) sort++;
  return sort;
}

unsigned aio_recvq_space_for(aio_recvq *q, aio_pool *p, size_t most, uv_buf_t space[2]) {
  unstage(p);
  uint32_t sort = fitting_sort(q, most);
  if (q->tail || sort == SORT_SCRATCH || !(p->staged = chunk_take(p, sort)))
    return aio_recvq_space(q, p, space);
  space[0] = uv_buf_init(p->staged->data, p->staged->room);
  return 1;
}

void aio_recvq_commit(aio_recvq *q, aio_pool *p, size_t n) {
  q->total += n;
  aio_chunk *t = q->tail;
  size_t spare = t ? t->room - t->end : 0;
  if (spare > n) spare = n;
  if (spare) t->end += (uint32_t)spare;
  if ((n -= spare) == 0) return;
  if (p->staged) {
    p->staged->end = (uint32_t)n;
    recvq_push(q, p->staged);
    p->staged = NULL;
    return;
  }
  uint32_t sort = fitting_sort(q, n);
  aio_chunk *c = sort < SORT_SCRATCH ? chunk_take(p, sort) : NULL;
  if (c) {
    memcpy(c->data, p->scratch->data, n);
  } else {
    c = p->scratch;
    p->scratch = NULL;
  }
  c->end = (uint32_t)n;
  recvq_push(q, c);
}

void aio_recvq_consume(aio_recvq *q, aio_pool *p, size_t n) {
  if (n > q->total) n = q->total;
  q->total -= n;
  while (q->head) {
    aio_chunk *c = q->head;
    size_t len = c->end - c->start;
    if (n < len) {
      c->start += (uint32_t)n;
      return;
    }
    n -= len;
    q->head = c->next;
    chunk_give(p, c);
  }
  q->tail = NULL;
}

/* Moves `*offset` from the queue's beginning to the chunk where it lies; NULL behind the end. */
static const aio_chunk *chunk_at(const aio_recvq *q, size_t *offset) {
  const aio_chunk *c = q->head;
  while (c && *offset >= (size_t)(c->end - c->start)) {
    *offset -= c->end - c->start;
    c = c->next;
  }
  return c;
}

void aio_recvq_copy(const aio_recvq *q, size_t offset, char *to, size_t n) {
  for (const aio_chunk *c = chunk_at(q, &offset); n > 0; c = c->next, offset = 0) {
    size_t len = c->end - c->start - offset;
    if (len > n) len = n;
    memcpy(to, c->data + c->start + offset, len);
    to += len;
    n -= len;
  }
}

/* Do the bytes at `what` stand at `offset` of chunk `c`, or there and in the chunks after it? */
static bool stands_at(const aio_chunk *c, size_t offset, const char *what, size_t n) {
  for (; n > 0; c = c->next, offset = 0) {
    if (!c) return false;
    size_t len = c->end - c->start - offset;
    if (len > n) len = n;
    if (memcmp(c->data + c->start + offset, what, len) != 0) return false;
    what += len;
    n -= len;
  }
  return true;
}

ptrdiff_t aio_recvq_find(const aio_recvq *q, size_t from, const char *what, size_t n) {
  size_t offset = from, before = from;
  for (const aio_chunk *c = chunk_at(q, &offset); c; c = c->next, offset = 0) {
    const char *base = c->data + c->start, *end = c->data + c->end, *at = base + offset;
    before -= offset;
    for (; at < end && (at = memchr(at, what[0], (size_t)(end - at))); at++) {
      if (stands_at(c, (size_t)(at - base), what, n))
        return (ptrdiff_t)(before + (size_t)(at - base));
    }
    before += (size_t)(end - base);
  }
  return -1;
}

const char *aio_recvq_pullup(aio_recvq *q, aio_pool *p, size_t n) {
  size_t first;
  const char *at = aio_recvq_peek(q, &first);
  if (first >= n) return at;
  if (n > UINT32_MAX) return NULL;
  aio_chunk *c = n <= SCRATCH ? chunk_take(p, SORT_SCRATCH) : chunk_new(p, (uint32_t)n, SORT_ODD);
  if (!c) return NULL;
  aio_recvq_copy(q, 0, c->data, n);
  c->end = (uint32_t)n;
  aio_recvq_consume(q, p, n);
  q->total += n;
  c->next = q->head;
  q->head = c;
  if (!q->tail) q->tail = c;
  return c->data;
}
