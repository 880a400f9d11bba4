/* SPDX-License-Identifier: MIT
 *
 * llhttp as we use it: without its sources' warnings, in a version whose structures we know. */
#ifndef AIO_PROTO_LLHTTP_H
#define AIO_PROTO_LLHTTP_H

#ifndef LLHTTP_STRICT_MODE
#define LLHTTP_STRICT_MODE 1
#endif

#include <llhttp.h>

#if LLHTTP_VERSION_MAJOR < 8 || (LLHTTP_VERSION_MAJOR == 8 && LLHTTP_VERSION_MINOR < 1)
#error "llhttp 8.1 or newer is needed (Debian: node-llhttp)"
#endif

#endif
