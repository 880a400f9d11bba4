/* SPDX-License-Identifier: MIT
 *
 * The way into a loop from other threads, for those who cannot know whether it still lives: a
 * counted structure that outlives the loop. One for each loop, made when it is first asked for.
 * Invariant: `loop` is set exactly while posts reach the loop; it is read and cleared under `lock`.
 */
#ifndef AIO_CORE_PORT_H
#define AIO_CORE_PORT_H

#include "core/loop.h"

typedef struct aio_port aio_port;

/* The loop's port with one reference for the caller, or NULL when memory is out. Called in the
 * loop's thread. */
aio_port *aio_port_get(aio_loop *l);
/* [any thread] One more reference. */
void aio_port_retain(aio_port *p);
/* [any thread] Gives a reference back. */
void aio_port_release(aio_port *p);
/* [any thread] As aio_loop_post; false when the loop is closed. */
bool aio_port_post(aio_port *p, aio_cnode *c);

#endif
