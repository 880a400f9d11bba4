/* SPDX-License-Identifier: MIT
 *
 * The fields of a message that was received, as one immutable userdata: fields and bytes in one
 * block, without a finalizer. Values become Lua strings when they are asked for. */
#ifndef AIO_HTTP_HEADERS_H
#define AIO_HTTP_HEADERS_H

#include "http/http.h"
#include "proto/head.h"

#define HTTP_HEADERS "aio.http.headers" /* in the registry */

typedef struct http_headers {
  uint32_t n;
  head_field fields[]; /* the bytes behind them; offsets from `fields + n` on */
} http_headers;

static inline const char *http_headers_text(const http_headers *h) {
  return (const char *)(h->fields + h->n);
}

/* Pushes the fields of a complete head; the metatable is at `meta`. [may throw] */
void http_headers_push(lua_State *L, const head *from, int meta);
/* The userdata at `idx`, or NULL. */
const http_headers *http_headers_test(lua_State *L, int idx);

#endif
