/* SPDX-License-Identifier: MIT
 *
 * Signals at floor 3, see signal.c. */
#ifndef AIO_BIND_SIGNAL_H
#define AIO_BIND_SIGNAL_H

#include "bind/lloop.h"

/* Opens the functions in the module table at the top. */
void aio_signal_open(lua_State *L, aio_state *st);

/* The number of the signal at `arg`, given by name or number. [may throw] */
int aio_signal_at(lua_State *L, int arg);

#endif
