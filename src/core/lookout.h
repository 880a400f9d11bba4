/* SPDX-License-Identifier: MIT
 *
 * Looking out for posts for a moment before the loop waits in the kernel: two threads that answer
 * each other within microseconds then need no system call, whose cost is several times that of
 * handing over. A part of aio_loop.
 *
 * It is done only while it pays: after waits that were short (so many that it takes twice as many
 * after each look that was in vain), for one moment before each wait, with a way into the loop in
 * other hands, and by no more threads at once than there are processors; on one never. */
#ifndef AIO_CORE_LOOKOUT_H
#define AIO_CORE_LOOKOUT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct aio_loop aio_loop;

typedef struct aio_lookout {
  uint64_t since;        /* when the wait under way began, in ns; 0: it does not count */
  unsigned wanted, seen; /* after so many short waits one looks out; so many there were */
} aio_lookout;

/* Nothing is ready, and the loop may wait `timeout` s (< 0: for ever). True: something was posted
 * meanwhile. */
bool aio_loop_lookout(aio_loop *l, double timeout);
/* The kernel was asked instead; a post has ended the wait. */
void aio_loop_lookout_late(aio_loop *l);

#endif
