/* SPDX-License-Identifier: MIT
 *
 * llhttp's state machine, as llhttp_api.c: a unit of its own, since it declares what is defined
 * there with other types. */
#include "proto/llhttp.h"

#if defined AIO_LLHTTP && !defined AIO_LLHTTP_LIBRARY
#include <llhttp.c>
#endif
