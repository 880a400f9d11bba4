/* SPDX-License-Identifier: MIT
 *
 * See ws_frame.h. */
#include "proto/ws_frame.h"

#include <string.h>

enum { MASKED = 0x80, LENGTH_16 = 126, LENGTH_64 = 127, LENGTH_BITS = 0x7f };

static const char *check_first_two(const uint8_t *p) {
  uint8_t opcode = p[0] & AIO_WS_OPCODE;
  if (opcode > AIO_WS_PONG || (opcode > AIO_WS_BINARY && opcode < AIO_WS_CLOSE))
    return "unknown opcode";
  if (opcode < AIO_WS_CLOSE) return NULL;
  if (!(p[0] & AIO_WS_FIN)) return "fragmented control frame";
  if ((p[1] & LENGTH_BITS) > AIO_WS_CONTROL_MAX) return "control frame of more than 125 bytes";
  return NULL;
}

static uint64_t big_endian(const uint8_t *p, int n) {
  uint64_t v = 0;
  for (int i = 0; i < n; i++) v = v << 8 | p[i];
  return v;
}

static const char *check_length(uint64_t length, uint8_t announced) {
  if (length >> 63) return "length with the highest bit set";
  if (length < (announced == LENGTH_16 ? LENGTH_16 : 0x10000))
    return "length in a longer form than needed";
  return NULL;
}

int aio_ws_head_read(aio_ws_head *h, const uint8_t *p, size_t n, const char **why) {
  if (n < 2) return 0;
  if ((*why = check_first_two(p))) return -1;
  h->first = p[0];
  h->masked = (p[1] & MASKED) != 0;
  uint8_t announced = p[1] & LENGTH_BITS;
  size_t extra = announced == LENGTH_64 ? 8 : announced == LENGTH_16 ? 2 : 0;
  size_t size = 2 + extra + (h->masked ? 4 : 0);
  if (n < 2 + extra) return 0;
  h->length = extra ? big_endian(p + 2, (int)extra) : announced;
  if (extra && (*why = check_length(h->length, announced))) return -1;
  if (n < size) return 0;
  if (h->masked) memcpy(h->mask, p + size - 4, 4);
  return (int)size;
}

size_t aio_ws_head_write(uint8_t *to, uint8_t first, uint64_t length, const uint8_t *mask) {
  int extra = length > 0xffff ? 8 : length > AIO_WS_CONTROL_MAX ? 2 : 0;
  to[0] = first;
  to[1] = (uint8_t)((mask ? MASKED : 0) | (extra == 8   ? LENGTH_64
                                           : extra == 2 ? LENGTH_16
                                                        : (int)length));
  for (int i = 0; i < extra; i++) to[2 + i] = (uint8_t)(length >> 8 * (extra - 1 - i));
  size_t size = 2 + (size_t)extra;
  if (!mask) return size;
  memcpy(to + size, mask, 4);
  return size + 4;
}

/* The mask as it stands from `offset` on, twice. */
static uint64_t mask_word(const uint8_t mask[4], uint64_t offset) {
  uint8_t turned[8];
  for (unsigned i = 0; i < 8; i++) turned[i] = mask[(offset + i) & 3];
  uint64_t word;
  memcpy(&word, turned, sizeof word);
  return word;
}

void aio_ws_mask(char *to, const char *from, size_t n, const uint8_t mask[4], uint64_t offset) {
  uint64_t key = mask_word(mask, offset), word;
  size_t i = 0;
  for (; n - i >= sizeof word; i += sizeof word) {
    memcpy(&word, from + i, sizeof word);
    word ^= key;
    memcpy(to + i, &word, sizeof word);
  }
  for (; i < n; i++) to[i] = (char)(from[i] ^ (char)mask[(offset + i) & 3]);
}

bool aio_ws_code_is_valid(unsigned code) {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}
