/* SPDX-License-Identifier: MIT
 *
 * Values of headers with parameters behind them: `text/html; charset=utf-8`, or lists of such:
 * `gzip;q=0.5, br`. Lenient as receivers are meant to be: what makes no sense is passed over. Used
 * by src/http/value.c and multipart.c. */
#ifndef AIO_PROTO_PARAM_H
#define AIO_PROTO_PARAM_H

#include "proto/slice.h"

typedef struct aio_param {
  aio_slice name, value; /* the value without its quotes, but with the backslashes in it */
  bool quoted;
} aio_param;

/* Takes the next value off the front, without its parameters; with `list` a comma ends it too.
 * False when nothing but blanks and commas is left. */
bool aio_value_next(aio_slice *rest, bool list, aio_slice *value);
/* Takes the next parameter of that value off the front; false when it has no more. */
bool aio_param_next(aio_slice *rest, bool list, aio_param *p);
/* Writes the value of a parameter to `to`, which has room for as much. With `paths` only those
 * backslashes are taken away that stand before a quote or another: browsers write C:\folder\file.
 */
size_t aio_param_unquote(char *to, const aio_param *p, bool paths);

#endif
