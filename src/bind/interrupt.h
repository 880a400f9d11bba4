/* SPDX-License-Identifier: MIT
 *
 * What Ctrl-C does to a running loop: the first cancels main (the hook "interrupt"), the second
 * raises KeyboardInterrupt at once, inside a busy loop too. */
#ifndef AIO_BIND_INTERRUPT_H
#define AIO_BIND_INTERRUPT_H

#include "bind/lloop.h"

/* Adds core._signals to the module table at the top. */
void aio_interrupt_open(lua_State *L, aio_state *st);

/* Called by the turn when `l->interrupts` is set. Never throws. */
void aio_interrupt_deliver(lua_State *L, aio_lloop *l);

#endif
