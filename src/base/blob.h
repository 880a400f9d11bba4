/* SPDX-License-Identifier: MIT
 *
 * A block of bytes that goes from one thread to another, with the things that its bytes refer to:
 * large strings, channels, ways into a loop. All of it is malloc'ed, because neither side's
 * allocator may be used by the other. Who has the blob owns its parts; freeing it releases them.
 *
 * It is written once, by one thread, and read by readers of their own, so that many threads may
 * read the same blob. A blob is read only by the code that wrote it: nothing is checked. */
#ifndef AIO_BASE_BLOB_H
#define AIO_BASE_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct aio_blob_part {
  void *p;
  size_t len;
  void (*release)(void *p);
} aio_blob_part;

typedef struct aio_blob {
  char *data;
  size_t size, room;
  aio_blob_part *parts;
  uint32_t nparts, parts_room;
} aio_blob;

/* A cleared blob is an empty one. */
void aio_blob_fini(aio_blob *b);
/* Empties it; the memory for its bytes stays. */
void aio_blob_clear(aio_blob *b);

/* Sees to it that `n` more bytes can be written. False: memory is out. */
bool aio_blob_reserve(aio_blob *b, size_t n);
bool aio_blob_put(aio_blob *b, const void *p, size_t n);
bool aio_blob_byte(aio_blob *b, uint8_t v);
/* A number, in as few bytes as it needs. */
bool aio_blob_uint(aio_blob *b, uint64_t v);
/* Length and bytes. */
bool aio_blob_string(aio_blob *b, const char *s, size_t len);
/* Takes over one thing and writes its number; when memory is out it is released and false. */
bool aio_blob_add(aio_blob *b, void *p, size_t len, void (*release)(void *p));

typedef struct aio_reader {
  const aio_blob *b;
  size_t pos;
} aio_reader;

static inline uint8_t aio_read_byte(aio_reader *r) {
  return (uint8_t)r->b->data[r->pos++];
}
static inline void aio_read(aio_reader *r, void *p, size_t n) {
  memcpy(p, r->b->data + r->pos, n);
  r->pos += n;
}
uint64_t aio_read_uint(aio_reader *r);
/* The bytes stay in the blob. */
const char *aio_read_string(aio_reader *r, size_t *len);
const aio_blob_part *aio_read_part(aio_reader *r);

#endif
