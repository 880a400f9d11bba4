/* SPDX-License-Identifier: MIT
 *
 * The table of bytes, and texts of errors made of what peers have sent. */
#include "proto/chars.h"

#include <stdint.h>
#include <string.h>

/* clang-format off */
const unsigned char chars_bits[256] = {
      0,   0,   0,   0,   0,   0,   0,   0,   0,   2,   0,   0,   0,   0,   0,   0,
      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
      2, 103,   6,   7, 103, 103, 103, 103, 102, 102, 103, 103, 102, 103, 103,   6,
    127, 127, 127, 127, 127, 127, 127, 127, 127, 127,  38, 102,   6, 102,   6,   6,
      6, 119, 119, 119, 119, 119, 119, 103, 103, 103, 103, 103, 103, 103, 103, 103,
    103, 103, 103, 103, 103, 103, 103, 103, 103, 103, 103,  38,   6,  38,   7, 103,
      7, 119, 119, 119, 119, 119, 119, 103, 103, 103, 103, 103, 103, 103, 103, 103,
    103, 103, 103, 103, 103, 103, 103, 103, 103, 103, 103,   6,   7,   6, 103,   0,
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,
};
/* clang-format on */

bool chars_same(const char *ptr, const char *lower, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (chars_lower(ptr[i]) != lower[i]) return false;
  }
  return true;
}

bool chars_same_any(const char *a, const char *b, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (a[i] != b[i] && chars_lower(a[i]) != chars_lower(b[i])) return false;
  }
  return true;
}

size_t chars_excerpt(char *to, size_t room, const char *ptr, size_t len) {
  static const char digits[] = "0123456789abcdef";
  enum { LONGEST = 4, DOTS = 3 }; /* of an escaped byte; behind what is cut off */
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    if (n + LONGEST + DOTS >= room) {
      memcpy(to + n, "...", DOTS);
      n += DOTS;
      break;
    }
    if (ptr[i] == '\\' || ptr[i] == '"') {
      to[n++] = '\\';
      to[n++] = ptr[i];
    } else if (ptr[i] == ' ' || chars_is(ptr[i], CHARS_VISIBLE)) {
      to[n++] = ptr[i];
    } else {
      unsigned char c = (unsigned char)ptr[i];
      to[n++] = '\\';
      to[n++] = 'x';
      to[n++] = digits[c >> 4];
      to[n++] = digits[c & 15];
    }
  }
  to[n] = '\0';
  return n;
}

/* Eight bytes at once: a control character is below 0x20, or 0x7f; a
 * word with one (or a tab) is looked at byte by byte. */
size_t chars_value_span(const char *s, size_t len) {
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
  size_t n = 0;
  while (n + sizeof ones <= len) {
    uint64_t w, del;
    memcpy(&w, s + n, sizeof w);
    del = w ^ (ones * 0x7f);
    if ((((w - ones * 0x20) & ~w) | ((del - ones) & ~del)) & tops) {
      size_t some = chars_span(s + n, sizeof w, CHARS_VALUE);
      if (some < sizeof w) return n + some;
    }
    n += sizeof w;
  }
  return n + chars_span(s + n, len - n, CHARS_VALUE);
}
