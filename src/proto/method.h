/* SPDX-License-Identifier: MIT
 *
 * The methods of HTTP. */
#ifndef AIO_PROTO_METHOD_H
#define AIO_PROTO_METHOD_H

#include <stdbool.h>
#include <stddef.h>

/* Is it a method that is known here, in upper case? */
bool method_is_known(const char *s, size_t len);

#endif
