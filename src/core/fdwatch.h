/* SPDX-License-Identifier: MIT
 *
 * Readiness of descriptors that are not streams of ours: sockets of the user, and foreign ones that
 * a library brought. One watch for a descriptor in a loop; it reports as long as the descriptor is
 * ready. On Linux they hang on a kernel queue of their own below libuv's: libuv would end the
 * process when somebody closes a descriptor that it was told to watch, and would refuse the next
 * socket that gets the same number.
 *
 * An aio_fdwatch has one owner, who calls aio_fdwatch_free once. Invariant: `loop` is NULL when the
 * loop has closed; then it watches nothing. */
#ifndef AIO_CORE_FDWATCH_H
#define AIO_CORE_FDWATCH_H

#include "core/loop.h"
#include "core/sock.h"

typedef struct aio_fdwatch aio_fdwatch;
struct aio_fdwatch {
  aio_object object;
  aio_link asking; /* of those that ask for something, where there is epoll */
  aio_loop *loop;
  aio_mem mem;
  aio_sock fd;
  uint8_t asked; /* UV_READABLE and UV_WRITABLE */
  /* From the loop's callbacks: it is ready for `events`. May ask for less. */
  void (*fire)(aio_fdwatch *self, unsigned events);
  void *owner; /* for `fire` */
};

/* Fills in a new watch; called by aio_fdwatch_new. */
void aio_fdwatch_init(aio_fdwatch *w, aio_loop *l, aio_sock fd);

/* ---- one file for each kind of system: fdwatch_unix.c, fdwatch_uv.c ---- */

/* A watch that asks for nothing yet, or NULL with libuv's error code in *err. */
aio_fdwatch *aio_fdwatch_new(aio_loop *l, aio_sock fd, int *err);
/* Asks for `events` from now on; 0: for none. A descriptor that was closed and opened again since
 * is found out. 0 or an error code: UV_EBADF, UV_EPERM (a regular file). To ask for less cannot
 * fail. */
int aio_fdwatch_ask(aio_fdwatch *w, unsigned events);
/* Asks for nothing more, and frees it. */
void aio_fdwatch_free(aio_fdwatch *w);

#endif
