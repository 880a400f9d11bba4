/* SPDX-License-Identifier: MIT
 *
 * Cookies, read as RFC 6265, section 5, says, and checked as its section 4 says before they are
 * written. Used by src/http/cookie.c. */
#ifndef AIO_PROTO_COOKIE_H
#define AIO_PROTO_COOKIE_H

#include <stdint.h>

#include "proto/slice.h"

enum {
  AIO_COOKIE_MAX = 4096,          /* bytes of a name with its value */
  AIO_COOKIE_ATTRIBUTE_MAX = 1024 /* bytes of an attribute's value */
};

/* What a Set-Cookie header says. An attribute that there is not, or is not valid, is empty. */
typedef struct aio_set_cookie {
  aio_slice name, value, domain, path, same_site;
  int64_t expires, max_age;
  bool has_expires, has_max_age, secure, http_only, partitioned;
} aio_set_cookie;

/* Takes the next cookie of a Cookie header off the front; false when there is none. */
bool aio_cookie_next(aio_slice *rest, aio_slice *name, aio_slice *value);
/* Reads a Set-Cookie header; false when it is to be ignored. */
bool aio_set_cookie_parse(aio_slice s, aio_set_cookie *c);

/* The first byte that cannot be in a name (a token), in a value, in an attribute's value; NULL when
 * all can. */
const char *aio_cookie_bad_name(aio_slice s);
const char *aio_cookie_bad_value(aio_slice s);
const char *aio_cookie_bad_attribute(aio_slice s);

#endif
