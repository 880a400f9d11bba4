/* SPDX-License-Identifier: MIT
 *
 * Hosts of URLs: a name in ASCII, an IPv4 address in any of its old spellings, an IPv6 address in
 * brackets, as the URL Standard reads them. Used by url.c. */
#ifndef AIO_PROTO_HOST_H
#define AIO_PROTO_HOST_H

#include "proto/slice.h"

enum { AIO_HOST_EXTRA = 48 }; /* what a host can get longer by */

/* Writes the host in its one spelling to `to`, which has room for AIO_HOST_EXTRA more bytes than it
 * has; `len` becomes its length. NULL, or why it is none. */
const char *aio_host_write(char *to, size_t *len, aio_slice host);

#endif
