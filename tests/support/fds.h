/* SPDX-License-Identifier: MIT
 *
 * Descriptors for the tests, as plain Lua has none: pipes, pairs of sockets, pseudo terminals.
 * Invariant: every function raises when the system call fails. */
#ifndef AIO_TEST_FDS_H
#define AIO_TEST_FDS_H

#include <lauxlib.h>

extern const luaL_Reg aio_test_fds[];

#endif
