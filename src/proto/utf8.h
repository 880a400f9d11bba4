/* SPDX-License-Identifier: MIT
 *
 * UTF-8 as it comes, in pieces that may end inside a character. Refuses what RFC 3629 does: longer
 * forms than needed, surrogates, and what is above U+10FFFF, each at the first wrong byte. */
#ifndef AIO_PROTO_UTF8_H
#define AIO_PROTO_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cleared: at the beginning of a character. */
typedef struct aio_utf8 {
  uint8_t more;      /* bytes that the character still needs */
  uint8_t low, high; /* what the next of them must be within */
} aio_utf8;

/* Goes on with `n` bytes. False: they are no UTF-8; then the state means nothing. */
bool aio_utf8_feed(aio_utf8 *u, const char *bytes, size_t n);

/* Is there no half character at the end? */
static inline bool aio_utf8_complete(const aio_utf8 *u) {
  return u->more == 0;
}

#endif
