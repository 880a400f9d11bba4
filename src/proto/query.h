/* SPDX-License-Identifier: MIT
 *
 * The fields of a query or of a form: name=value pairs between "&", as slices that are still
 * encoded. Used by src/http/url.c. */
#ifndef AIO_PROTO_QUERY_H
#define AIO_PROTO_QUERY_H

#include "proto/slice.h"

/* Takes the next field off the front of `rest`, empty ones left out; false when there is none. A
 * field without "=" has an empty value. */
bool aio_query_next(aio_slice *rest, aio_slice *name, aio_slice *value);

#endif
