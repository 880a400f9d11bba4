/* SPDX-License-Identifier: MIT
 *
 * What libuv's threads lack: one that nobody joins. One file per system. */
#ifndef AIO_CORE_THREAD_H
#define AIO_CORE_THREAD_H

#include <stdbool.h>

/* Runs `fn(arg)` in a thread that cleans up after itself. False when there is no thread to have. */
bool aio_thread_detached(void (*fn)(void *), void *arg);

#endif
