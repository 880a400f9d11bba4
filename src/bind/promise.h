/* SPDX-License-Identifier: MIT
 *
 * What the calls from thread to thread need of futures that C completes, beside what luaaio.h says
 * of them. */
#ifndef AIO_BIND_PROMISE_H
#define AIO_BIND_PROMISE_H

#include "bind/lloop.h"
#include "luaaio.h"

/* As aio_promise_set_values, but `push` leaves `ud` alone, and may be called again when it failed
 * for want of memory; it finds the future at stack index 2. After AIO_HOST_OK, `drop` is called
 * exactly once, in the loop's thread. [any thread] */
int aio_promise_set_kept(aio_promise *p, aio_promised *push, void (*drop)(void *ud), void *ud);

/* `gone` is called exactly once, in the loop's thread, when the future has its outcome or the loop
 * closes; `unwanted`: it is not the outcome of this promise. Called right after aio_promise_open.
 */
void aio_promise_on_gone(aio_promise *p, void (*gone)(void *ud, bool unwanted), void *ud);

#endif
