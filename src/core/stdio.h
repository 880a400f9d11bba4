/* SPDX-License-Identifier: MIT
 *
 * The three descriptors that every process is expected to have. One file for each kind of system.
 */
#ifndef AIO_CORE_STDIO_H
#define AIO_CORE_STDIO_H

/* Opens the null device at those of the descriptors 0 to 2 that are closed: a program started
 * without them would else find a socket of the loop where it prints to, and libuv ends the process
 * when it has to close one of those numbers. 0 or a libuv error code. */
int aio_stdio_secure(void);

#endif
