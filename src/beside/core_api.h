/* SPDX-License-Identifier: MIT
 *
 * What the libraries beside the core that reach into its loop (aio/tls.so, aio/http/core.so) share:
 * the way to the functions that the core hands over. Compiled into each of them. */
#ifndef AIO_BESIDE_CORE_API_H
#define AIO_BESIDE_CORE_API_H

#include <lua.h>

#include "core/api.h"

/* The functions of the core that is loaded, for the library `file` ("aio/tls.so"); raises when it
 * was compiled for another core. [may throw] */
const aio_api *aio_core_api(lua_State *L, const char *file);

#endif
