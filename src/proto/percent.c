/* SPDX-License-Identifier: MIT
 *
 * See percent.h. One table of 256 bytes has a bit for each set; the compiler makes it. */
#include "proto/percent.h"

#include <stdint.h>

#define IS(c, a, b, d, e) ((c) == (a) || (c) == (b) || (c) == (d) || (c) == (e))

#define EVERYWHERE(c)  ((c) <= ' ' || (c) > '~' || IS(c, '"', '<', '>', '>'))
#define IN_FRAGMENT(c) (EVERYWHERE(c) || (c) == '`')
#define IN_QUERY(c)    (EVERYWHERE(c) || IS(c, '#', '\'', '#', '#'))
#define IN_PATH(c)     (EVERYWHERE(c) || IS(c, '#', '?', '^', '`') || IS(c, '{', '}', '{', '{'))
#define IN_USERINFO(c)                                                                             \
  (IN_PATH(c) || IS(c, '/', ':', ';', '=') || IS(c, '@', '[', ']', '\\') || (c) == '|')
#define IN_SEGMENT(c)   (IN_PATH(c) || IS(c, '/', '%', '\\', '|'))
#define ALPHA(c)        (((c) >= 'A' && (c) <= 'Z') || ((c) >= 'a' && (c) <= 'z'))
#define IN_COMPONENT(c) (!(ALPHA(c) || ((c) >= '0' && (c) <= '9') || IS(c, '-', '.', '_', '~')))

#define BYTE(c)                                                                                    \
  ((IN_FRAGMENT(c) ? AIO_PERCENT_FRAGMENT : 0) | (IN_QUERY(c) ? AIO_PERCENT_QUERY : 0) |           \
   (IN_PATH(c) ? AIO_PERCENT_PATH : 0) | (IN_USERINFO(c) ? AIO_PERCENT_USERINFO : 0) |             \
   (IN_SEGMENT(c) ? AIO_PERCENT_SEGMENT : 0) | (IN_COMPONENT(c) ? AIO_PERCENT_COMPONENT : 0))
#define FOUR(c)    BYTE(c), BYTE((c) + 1), BYTE((c) + 2), BYTE((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
#define QUARTER(c) SIXTEEN(c), SIXTEEN((c) + 16), SIXTEEN((c) + 32), SIXTEEN((c) + 48)

static const uint8_t sets[256] = {QUARTER(0), QUARTER(64), QUARTER(128), QUARTER(192)};

static char *write_encoded(char *to, char c) {
  static const char digits[] = "0123456789ABCDEF";
  unsigned char byte = (unsigned char)c;
  *to++ = '%';
  *to++ = digits[byte >> 4];
  *to++ = digits[byte & 15];
  return to;
}

size_t aio_percent_encode(char *to, aio_slice s, enum aio_percent_set set) {
  char *at = to;
  for (size_t i = 0; i < s.len; i++) {
    if (sets[(unsigned char)s.at[i]] & set)
      at = write_encoded(at, s.at[i]);
    else
      *at++ = s.at[i];
  }
  return (size_t)(at - to);
}

size_t aio_percent_encode_form(char *to, aio_slice s) {
  char *at = to;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.at[i];
    if (c == ' ')
      *at++ = '+';
    else if (c == '~' || (c != '*' && sets[(unsigned char)c] & AIO_PERCENT_COMPONENT))
      at = write_encoded(at, c);
    else
      *at++ = c;
  }
  return (size_t)(at - to);
}

int aio_hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = aio_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t aio_percent_decode(char *to, aio_slice s, bool plus) {
  char *at = to;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.at[i];
    if (c == '%' && s.len - i > 2) {
      int high = aio_hex_value(s.at[i + 1]), low = aio_hex_value(s.at[i + 2]);
      if (high >= 0 && low >= 0) {
        c = (char)(high << 4 | low);
        i += 2;
      }
    } else if (plus && c == '+') {
      c = ' ';
    }
    *at++ = c;
  }
  return (size_t)(at - to);
}
