/* SPDX-License-Identifier: MIT
 *
 * See utf8.h. Runs of ASCII, of which most texts consist, are skipped eight bytes at a time. */
#include "proto/utf8.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Where the run of ASCII ends. */
static const unsigned char *skip_ascii(const unsigned char *p, const unsigned char *end) {
  uint64_t word;
  for (; end - p >= (ptrdiff_t)sizeof word; p += sizeof word) {
    memcpy(&word, p, sizeof word);
    if (word & HIGH_BITS) break;
  }
  while (p < end && *p < 0x80) p++;
  return p;
}

/* The first byte of a longer character: how many more there are, and what the second may be. */
static bool begin(aio_utf8 *u, unsigned char c) {
  u->low = 0x80;
  u->high = 0xbf;
  if (c < 0xc2 || c > 0xf4) return false;
  u->more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
  if (c == 0xe0) u->low = 0xa0;
  if (c == 0xed) u->high = 0x9f;
  if (c == 0xf0) u->low = 0x90;
  if (c == 0xf4) u->high = 0x8f;
  return true;
}

bool aio_utf8_feed(aio_utf8 *u, const char *bytes, size_t n) {
  const unsigned char *p = (const unsigned char *)bytes, *end = p + n;
  while (p < end) {
    if (u->more > 0) {
      if (*p < u->low || *p > u->high) return false;
      u->more--;
      u->low = 0x80;
      u->high = 0xbf;
      p++;
    } else if (*p < 0x80) {
      p = skip_ascii(p, end);
    } else if (!begin(u, *p++)) {
      return false;
    }
  }
  return true;
}
