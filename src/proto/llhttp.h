/* SPDX-License-Identifier: MIT
 *
 * llhttp as we use it, in a version whose structures we know. AIO_LLHTTP is defined where it is
 * there: as a library (AIO_LLHTTP_LIBRARY), or as C sources in the include path. */
#ifndef AIO_PROTO_LLHTTP_H
#define AIO_PROTO_LLHTTP_H

#if !defined AIO_NO_LLHTTP && __has_include(<llhttp.h>)
#if defined AIO_LLHTTP_LIBRARY || __has_include(<llhttp.c>)
#define AIO_LLHTTP 1
#endif
#endif

#ifdef AIO_LLHTTP
#ifndef LLHTTP_STRICT_MODE
#define LLHTTP_STRICT_MODE 1
#endif

#include <llhttp.h>

#if LLHTTP_VERSION_MAJOR < 8 || (LLHTTP_VERSION_MAJOR == 8 && LLHTTP_VERSION_MINOR < 1)
#error "llhttp 8.1 or newer is needed (Debian: node-llhttp)"
#endif
#endif

#endif
