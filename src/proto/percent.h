/* SPDX-License-Identifier: MIT
 *
 * Percent coding. What has to be encoded depends on where it stands: the sets are those of the URL
 * Standard. "%" itself is encoded in the last two sets only: the others are for text that may be
 * encoded in parts already. */
#ifndef AIO_PROTO_PERCENT_H
#define AIO_PROTO_PERCENT_H

#include "proto/slice.h"

enum aio_percent_set {
  AIO_PERCENT_FRAGMENT = 1,
  AIO_PERCENT_QUERY = 2,
  AIO_PERCENT_PATH = 4,
  AIO_PERCENT_USERINFO = 8,
  AIO_PERCENT_SEGMENT = 16,  /* one segment of a path: "/" and "%" too */
  AIO_PERCENT_COMPONENT = 32 /* all but letters, digits and "-._~" */
};

/* Writes `s` to `to`, which has room for three times as much; returns how much it became. */
size_t aio_percent_encode(char *to, aio_slice s, enum aio_percent_set set);
/* The same for a field of a form: a space becomes "+", and "~" is encoded. */
size_t aio_percent_encode_form(char *to, aio_slice s);
/* Writes `s` to `to`, which has room for as much and may be where `s` is; what is no valid sequence
 * stays. With `plus` a "+" becomes a space. */
size_t aio_percent_decode(char *to, aio_slice s, bool plus);
/* The value of a hexadecimal digit, or -1. */
int aio_hex_value(char c);

#endif
