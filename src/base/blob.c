/* SPDX-License-Identifier: MIT
 *
 * Blobs, see the header. Written and read by what copies values between states. Invariant: `size`
 * never exceeds `room`, and what was written stays where it is relative to the start. */
#include "base/blob.h"

#include <stdlib.h>

#ifdef AIO_HOSTILE
enum { FIRST_ROOM = 1, FIRST_PARTS = 1 };
#else
enum { FIRST_ROOM = 64, FIRST_PARTS = 4 };
#endif
enum { SEVEN_BITS = 0x7f, MORE = 0x80 };

void aio_blob_clear(aio_blob *b) {
  for (uint32_t i = 0; i < b->nparts; i++) b->parts[i].release(b->parts[i].p);
  free(b->parts);
  b->parts = NULL;
  b->size = b->nparts = b->parts_room = 0;
}

void aio_blob_fini(aio_blob *b) {
  aio_blob_clear(b);
  free(b->data);
  *b = (aio_blob){0};
}

bool aio_blob_reserve(aio_blob *b, size_t n) {
  if (b->room - b->size >= n) return true;
  size_t room = b->room ? b->room : FIRST_ROOM;
  while (room - b->size < n) {
    if (room > SIZE_MAX / 2) return false;
    room *= 2;
  }
  char *p = realloc(b->data, room);
  if (!p) return false;
  b->data = p;
  b->room = room;
  return true;
}

bool aio_blob_put(aio_blob *b, const void *p, size_t n) {
  if (!aio_blob_reserve(b, n)) return false;
  if (n) memcpy(b->data + b->size, p, n);
  b->size += n;
  return true;
}

bool aio_blob_byte(aio_blob *b, uint8_t v) {
  if (b->size == b->room && !aio_blob_reserve(b, 1)) return false;
  b->data[b->size++] = (char)v;
  return true;
}

bool aio_blob_uint(aio_blob *b, uint64_t v) {
  for (; v > SEVEN_BITS; v >>= 7)
    if (!aio_blob_byte(b, (uint8_t)(v & SEVEN_BITS) | MORE)) return false;
  return aio_blob_byte(b, (uint8_t)v);
}

bool aio_blob_string(aio_blob *b, const char *s, size_t len) {
  return aio_blob_uint(b, len) && aio_blob_put(b, s, len);
}

static bool room_for_part(aio_blob *b) {
  if (b->nparts < b->parts_room) return true;
  uint32_t room = b->parts_room ? b->parts_room * 2 : FIRST_PARTS;
  aio_blob_part *p = realloc(b->parts, room * sizeof *p);
  if (!p) return false;
  b->parts = p;
  b->parts_room = room;
  return true;
}

bool aio_blob_add(aio_blob *b, void *p, size_t len, void (*release)(void *p)) {
  if (!room_for_part(b)) {
    release(p);
    return false;
  }
  b->parts[b->nparts++] = (aio_blob_part){p, len, release};
  return aio_blob_uint(b, b->nparts - 1);
}

uint64_t aio_read_uint(aio_reader *r) {
  uint64_t v = 0;
  for (int shift = 0;; shift += 7) {
    uint8_t c = aio_read_byte(r);
    v |= (uint64_t)(c & SEVEN_BITS) << shift;
    if (!(c & MORE)) return v;
  }
}

const char *aio_read_string(aio_reader *r, size_t *len) {
  *len = (size_t)aio_read_uint(r);
  const char *s = r->b->data + r->pos;
  r->pos += *len;
  return s;
}

const aio_blob_part *aio_read_part(aio_reader *r) {
  return &r->b->parts[aio_read_uint(r)];
}
