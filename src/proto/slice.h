/* SPDX-License-Identifier: MIT
 *
 * A slice: bytes that stand somewhere else. All of this floor works on them and copies only where
 * bytes change. Invariant: a slice is valid as long as what it points into. */
#ifndef AIO_PROTO_SLICE_H
#define AIO_PROTO_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct aio_slice {
  const char *at;
  size_t len;
} aio_slice;

static inline aio_slice aio_slice_of(const char *at, const char *end) {
  aio_slice s = {at, (size_t)(end - at)};
  return s;
}

static inline const char *aio_slice_end(aio_slice s) {
  return s.at + s.len;
}

static inline char aio_lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* The same bytes, but for the case of ASCII letters; `word` is in lower case. */
static inline bool aio_slice_is(aio_slice s, const char *word) {
  size_t i = 0;
  while (i < s.len && word[i] && aio_lower(s.at[i]) == word[i]) i++;
  return i == s.len && !word[i];
}

static inline bool aio_is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* Without the blanks and tabs at both ends. */
static inline aio_slice aio_slice_trim(aio_slice s) {
  while (s.len && aio_is_blank(s.at[0])) s.at++, s.len--;
  while (s.len && aio_is_blank(s.at[s.len - 1])) s.len--;
  return s;
}

#endif
