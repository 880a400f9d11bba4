/* SPDX-License-Identifier: MIT
 *
 * What libuv's threads lack: one that nobody joins, and waiting without sleeping. One file per
 * system. */
#ifndef AIO_CORE_THREAD_H
#define AIO_CORE_THREAD_H

#include <stdbool.h>

/* Runs `fn(arg)` in a thread that cleans up after itself. False when there is no thread to have. */
bool aio_thread_detached(void (*fn)(void *), void *arg);
/* Lets other threads have the processor, if any wants it. */
void aio_thread_yield(void);

/* Tells the processor that this thread only waits for another. */
static inline void aio_thread_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

#endif
