/* SPDX-License-Identifier: MIT
 *
 * Dates of headers: written in the one form that HTTP has now, read in its three, and for cookies
 * in any order as browsers do. Seconds since 1970, in UTC. No system, so no zone and no clock. */
#ifndef AIO_PROTO_DATE_H
#define AIO_PROTO_DATE_H

#include <stdint.h>

#include "proto/slice.h"

enum { AIO_DATE_LEN = 29 }; /* "Sun, 06 Nov 1994 08:49:37 GMT" */

/* The seconds that have a date of four digits for the year. */
#define AIO_DATE_MIN INT64_C(-62167219200)
#define AIO_DATE_MAX INT64_C(253402300799)

/* Writes AIO_DATE_LEN bytes; `seconds` is within AIO_DATE_MIN and AIO_DATE_MAX. */
void aio_date_write(char *to, int64_t seconds);
/* Reads "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" or
 * "Sun Nov  6 08:49:37 1994"; a year of two digits is in the fifty years after `now` or before. */
bool aio_date_parse(aio_slice s, int64_t now, int64_t *seconds);
/* Reads the date of a cookie (RFC 6265, 5.1.1): a day, a month, a year and a time in any order. */
bool aio_date_parse_cookie(aio_slice s, int64_t *seconds);

#endif
