/* SPDX-License-Identifier: MIT
 *
 * The send queue: a list of segments, each a block of copied bytes with some room for more, or a
 * pointer to borrowed ones. Streams call it. Invariant: only the last segment is appended to, and
 * only when it is a copy. */
#include "core/sendq.h"

#include <string.h>

enum { ROOM_MIN = 512, ROOM_MAX = 16 * 1024 }; /* sizes of a block of copied bytes */

struct aio_segment {
  aio_segment *next;
  const char *ptr; /* the bytes left: in `data`, or borrowed */
  size_t len;
  size_t room; /* size of `data`; 0: borrowed */
  char data[];
};

static void segment_free(const aio_mem *mem, aio_segment *s) {
  aio_mem_free(mem, s, sizeof *s + s->room);
}

static aio_segment *segment_new(const aio_mem *mem, size_t room) {
  aio_segment *s = aio_mem_new(mem, sizeof *s + room);
  if (!s) return NULL;
  s->next = NULL;
  s->ptr = s->data;
  s->len = 0;
  s->room = room;
  return s;
}

static void sendq_push(aio_sendq *q, aio_segment *s) {
  if (q->tail)
    q->tail->next = s;
  else
    q->head = s;
  q->tail = s;
}

/* Bytes that still fit behind those of the last segment. */
static size_t spare(const aio_segment *s) {
  return s && s->room ? s->room - (size_t)(s->ptr - s->data) - s->len : 0;
}

static void append(aio_segment *s, const char *ptr, size_t len) {
  memcpy(s->data + (s->ptr - s->data) + s->len, ptr, len);
  s->len += len;
}

bool aio_sendq_copy(aio_sendq *q, const aio_mem *mem, const char *ptr, size_t len) {
  if (len == 0) return true;
  size_t fits = spare(q->tail);
  if (fits > len) fits = len;
  aio_segment *s = NULL;
  if (len > fits) {
    size_t room = ROOM_MIN;
    while (room < len - fits) room *= 2;
    /* Behind bytes that wait already more will follow. */
    if (q->tail && room < ROOM_MAX) room = ROOM_MAX;
    if (!(s = segment_new(mem, room))) return false;
  }
  q->total += len;
  if (fits) append(q->tail, ptr, fits);
  if (s) {
    append(s, ptr + fits, len - fits);
    sendq_push(q, s);
  }
  return true;
}

bool aio_sendq_borrow(aio_sendq *q, const aio_mem *mem, const char *ptr, size_t len) {
  aio_segment *s = segment_new(mem, 0);
  if (!s) return false;
  s->ptr = ptr;
  s->len = len;
  q->total += len;
  sendq_push(q, s);
  return true;
}

unsigned aio_sendq_bufs(const aio_sendq *q, uv_buf_t *bufs, unsigned max) {
  unsigned n = 0;
  for (const aio_segment *s = q->head; s && n < max; s = s->next, n++) {
    unsigned len = s->len < INT32_MAX ? (unsigned)s->len : INT32_MAX;
    bufs[n] = uv_buf_init((char *)(uintptr_t)s->ptr, len);
    if (len < s->len) return n + 1;
  }
  return n;
}

void aio_sendq_consume(aio_sendq *q, const aio_mem *mem, size_t n) {
  q->total -= n;
  q->taken += n;
  while (q->head && n >= q->head->len) {
    aio_segment *s = q->head;
    n -= s->len;
    if (!s->room) q->released++;
    if (!(q->head = s->next)) q->tail = NULL;
    segment_free(mem, s);
  }
  if (n) {
    q->head->ptr += n;
    q->head->len -= n;
  }
}

bool aio_sendq_own(aio_sendq *q, const aio_mem *mem) {
  for (aio_segment **link = &q->head, *s; (s = *link); link = &s->next) {
    if (s->room) continue;
    aio_segment *copy = segment_new(mem, s->len);
    if (!copy) return false;
    append(copy, s->ptr, s->len);
    copy->next = s->next;
    *link = copy;
    if (q->tail == s) q->tail = copy;
    segment_free(mem, s);
    q->released++;
    s = copy;
  }
  return true;
}

void aio_sendq_move(aio_sendq *to, aio_sendq *from) {
  to->head = from->head;
  to->tail = from->tail;
  to->total = from->total;
  from->head = from->tail = NULL;
  from->total = 0;
}

void aio_sendq_clear(aio_sendq *q, const aio_mem *mem) {
  aio_sendq_consume(q, mem, q->total);
}
