/* SPDX-License-Identifier: MIT
 *
 * Input that ends where memory does: a parser that reads one byte too many crashes. Part of the
 * module `testhost`. */
#ifndef AIO_TEST_GUARD_H
#define AIO_TEST_GUARD_H

#include <lauxlib.h>

extern const luaL_Reg aio_test_guard[];

#endif
