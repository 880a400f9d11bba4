/* SPDX-License-Identifier: MIT
 *
 * A clock that jumps over every wait, for programs that order events by sleeping: they run at once,
 * thousands of times (allocation failure), and the same on a busy machine. Real sockets work as
 * ever. */
#ifndef AIO_TESTS_CLOCK_H
#define AIO_TESTS_CLOCK_H

/* From now on the monotonic clock stands still, but for a microsecond at each look, and a wait in
 * epoll that nothing ends at once does not last: its length is added to the clock. A wait without a
 * limit lasts as ever. */
void aio_test_clock_fast(void);

#endif
