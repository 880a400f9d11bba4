/* SPDX-License-Identifier: MIT
 *
 * The virtual clock of aio.testing: time stands still while anybody can run, and jumps to the next
 * timer when nobody can. Chosen for a loop by its `ops` and `clock`, before it has timers. */
#ifndef AIO_CORE_CLOCK_VIRTUAL_H
#define AIO_CORE_CLOCK_VIRTUAL_H

#include "core/loop.h"

typedef struct aio_clock_virtual {
  double now;       /* seconds since the start */
  aio_link blocked; /* waits that end when nobody else can run, before the clock jumps */
  unsigned held;    /* how many of the loop's `remotes` stand for them */
} aio_clock_virtual;

/* Gives a new loop this clock, at 0 seconds. It must live as long as the loop. */
void aio_clock_virtual_start(aio_loop *l, aio_clock_virtual *c);
/* The clock of a loop, NULL when it has another one. */
aio_clock_virtual *aio_clock_virtual_of(aio_loop *l);
/* Counts a wait in `blocked`: with it, a loop without any other work is not deadlocked. */
void aio_clock_virtual_hold(aio_loop *l);
void aio_clock_virtual_release(aio_loop *l);

#endif
