/* SPDX-License-Identifier: MIT
 *
 * Base64 of RFC 4648, with padding: for keys of WebSocket and credentials. */
#ifndef AIO_PROTO_BASE64_H
#define AIO_PROTO_BASE64_H

#include <stddef.h>

/* How long the text of `n` bytes is. */
static inline size_t aio_base64_size(size_t n) {
  return (n + 2) / 3 * 4;
}

/* Writes that text. */
void aio_base64_write(char *to, const char *bytes, size_t n);

#endif
