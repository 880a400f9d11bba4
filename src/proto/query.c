/* SPDX-License-Identifier: MIT
 *
 * See query.h. */
#include "proto/query.h"

bool aio_query_next(aio_slice *rest, aio_slice *name, aio_slice *value) {
  while (rest->len && *rest->at == '&') rest->at++, rest->len--;
  if (!rest->len) return false;
  const char *end = memchr(rest->at, '&', rest->len);
  if (!end) end = aio_slice_end(*rest);
  const char *equals = memchr(rest->at, '=', (size_t)(end - rest->at));
  *name = aio_slice_of(rest->at, equals ? equals : end);
  *value = aio_slice_of(equals ? equals + 1 : end, end);
  *rest = aio_slice_of(end, aio_slice_end(*rest));
  return true;
}
