/* SPDX-License-Identifier: MIT
 *
 * A watch on a signal for one loop. Any number of them may watch the same signal, in any number of
 * loops and threads: each is told. Nothing of a loop ever runs inside a signal handler: libuv's
 * writes a byte into a pipe of the loop, whose poll then calls `fired`. Knows no Lua. */
#ifndef AIO_CORE_SIGWATCH_H
#define AIO_CORE_SIGWATCH_H

#include "core/loop.h"

typedef struct aio_sigwatch {
  aio_object object;
  uv_signal_t uv;
  aio_loop *loop; /* NULL once stopped */
  int sig;
  void (*fired)(struct aio_sigwatch *w); /* once for each time that the loop has seen it */
  void *owner;                           /* for `fired` */
} aio_sigwatch;

/* Watches; NULL with *err set to libuv's error code. */
aio_sigwatch *aio_sigwatch_new(aio_loop *l, int sig, void (*fired)(aio_sigwatch *w), void *owner,
                               int *err);
/* Ends it and frees it; the former disposition is put back after the last one of the process. */
void aio_sigwatch_free(aio_sigwatch *w);

#endif
