/* SPDX-License-Identifier: MIT
 *
 * See base64.h. */
#include "proto/base64.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three bytes, as four characters. */
static void write_group(char *to, const unsigned char *p, size_t n) {
  uint32_t bits = (uint32_t)p[0] << 16;
  if (n > 1) bits |= (uint32_t)p[1] << 8;
  if (n > 2) bits |= p[2];
  to[0] = digits[bits >> 18];
  to[1] = digits[bits >> 12 & 63];
  to[2] = n > 1 ? digits[bits >> 6 & 63] : '=';
  to[3] = n > 2 ? digits[bits & 63] : '=';
}

void aio_base64_write(char *to, const char *bytes, size_t n) {
  const unsigned char *p = (const unsigned char *)bytes;
  for (; n > 3; n -= 3, p += 3, to += 4) write_group(to, p, 3);
  if (n > 0) write_group(to, p, n);
}
