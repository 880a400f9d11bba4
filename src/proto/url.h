/* SPDX-License-Identifier: MIT
 *
 * URLs of the schemes http, https, ws and wss, read as browsers read them (URL Standard), into one
 * spelling: scheme and host in lower case, the port only when it is not the scheme's own, dot
 * segments gone, what must be percent-encoded is. A relative one is joined to a base. Used by
 * src/http/url.c. */
#ifndef AIO_PROTO_URL_H
#define AIO_PROTO_URL_H

#include <stdint.h>

#include "proto/slice.h"

enum { AIO_URL_MAX = 1 << 20 }; /* bytes of a URL; a longer one is refused */

typedef struct aio_span {
  uint32_t at, len;
} aio_span;

/* Parts stand in `text`. A part that there is not has the length 0; has_query and has_fragment tell
 * an empty one from none. */
typedef struct aio_url {
  char *text;
  size_t len;
  aio_span scheme, user, password, host, path, query, fragment;
  int port; /* the scheme's own when none is written */
  bool port_written, has_query, has_fragment;
} aio_url;

/* How much room aio_url_parse needs for a text of `n` bytes; `base` may be NULL. */
size_t aio_url_room(size_t n, const aio_url *base);
/* Parses `s`; `room` becomes u->text. NULL, or why it is no URL (a text that stays). */
const char *aio_url_parse(aio_url *u, char *room, aio_slice s, const aio_url *base);

static inline aio_slice aio_url_part(const aio_url *u, aio_span part) {
  aio_slice s = {u->text + part.at, part.len};
  return s;
}

#endif
