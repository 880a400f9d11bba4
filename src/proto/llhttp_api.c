/* SPDX-License-Identifier: MIT
 *
 * llhttp's functions around its state machine, where the system has its C sources and no library
 * (Debian: node-llhttp). They are found in the include path. */
#include "proto/llhttp.h"

#if defined AIO_LLHTTP && !defined AIO_LLHTTP_LIBRARY
#include <api.c>
#include <http.c>
#endif
