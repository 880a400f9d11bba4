/* SPDX-License-Identifier: MIT
 *
 * What a byte may stand for in HTTP (RFC 9110, 9112): one table of bits for all grammars here. */
#ifndef AIO_PROTO_CHARS_H
#define AIO_PROTO_CHARS_H

#include <stdbool.h>
#include <stddef.h>

enum {
  CHARS_TOKEN = 1,   /* tchar: names of fields, methods */
  CHARS_VALUE = 2,   /* in a value or a reason: visible, from 0x80 on, space, tab */
  CHARS_VISIBLE = 4, /* 0x21 to 0x7e: a target */
  CHARS_DIGIT = 8,
  CHARS_HEX = 16,
  CHARS_HOST = 32, /* in a Host field */
  CHARS_NAME = 64, /* the same without ":", "[" and "]" */
};

extern const unsigned char chars_bits[256];

static inline bool chars_is(char c, unsigned bits) {
  return (chars_bits[(unsigned char)c] & bits) != 0;
}

/* How many bytes from the start are of that kind. */
static inline size_t chars_span(const char *ptr, size_t len, unsigned bits) {
  size_t n = 0;
  while (n < len && chars_is(ptr[n], bits)) n++;
  return n;
}

static inline char chars_lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The value of a hexadecimal digit. */
static inline unsigned chars_hex(char c) {
  return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* As chars_span for CHARS_VALUE, and quicker. */
size_t chars_value_span(const char *ptr, size_t len);

/* Equal but for the case of ASCII letters? `lower` has none in upper case. */
bool chars_same(const char *ptr, const char *lower, size_t len);
/* The same with neither prepared. */
bool chars_same_any(const char *a, const char *b, size_t len);

/* Writes an excerpt of bytes for an error text: escaped, at most `room` - 1 bytes and a zero; a
 * longer one ends with dots. Returns its length. */
size_t chars_excerpt(char *to, size_t room, const char *ptr, size_t len);

#endif
