/* SPDX-License-Identifier: MIT
 *
 * Prodding a thread: another thread makes it call a function at once, in the middle of what it
 * does. On POSIX systems by a signal; the handler is there from the first prod on, and hands on
 * what is not ours. Where there are no such signals nothing happens. One file per system. */
#ifndef AIO_CORE_PROD_H
#define AIO_CORE_PROD_H

#include <stdbool.h>

#include <uv.h>

typedef struct aio_prod aio_prod;

/* Starts a thread in which the signals of the process are blocked, but for that one. 0 or libuv's
 * error code. */
int aio_prod_thread(uv_thread_t *thread, void (*fn)(void *arg), void *arg);
/* The thread that nobody will join goes on alone. Called in it. */
void aio_prod_detach(void);

/* Called in the thread that may be prodded: from now on a prod calls `fn(arg)`, which may do only
 * what is allowed in a signal handler. NULL: memory is out. */
aio_prod *aio_prod_enter(void (*fn)(void *arg), void *arg);
/* The end of it, in the same thread. NULL is allowed. */
void aio_prod_leave(aio_prod *p);
/* [any thread] The thread must be between enter and leave: hold a lock that it takes for `leave`.
 */
void aio_prod_send(aio_prod *p);

#endif
