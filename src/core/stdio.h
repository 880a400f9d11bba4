/* SPDX-License-Identifier: MIT
 *
 * What descriptors have to do with the process: the three that it is expected to have, and those
 * that the programs it starts inherit. One file for each kind of system. */
#ifndef AIO_CORE_STDIO_H
#define AIO_CORE_STDIO_H

#include <stdbool.h>

/* Opens the null device at those of the descriptors 0 to 2 that are closed: a program started
 * without them would else find a socket of the loop where it prints to, and libuv ends the process
 * when it has to close one of those numbers. 0 or a libuv error code. */
int aio_stdio_secure(void);
/* Whether programs that are started inherit `fd`. 0 or a libuv error code. */
int aio_stdio_inherit(int fd, bool inherit);

#endif
