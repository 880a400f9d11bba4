/* SPDX-License-Identifier: MIT
 *
 * A descriptor that libuv polls, for the sources of this floor. What is asked for is told to libuv
 * just before the loop's next poll, once, whatever was asked for and taken back meanwhile; a
 * descriptor that is closed before costs no system call for it.
 *
 * libuv ends the process when the kernel refuses a descriptor: when somebody has closed the number
 * behind our back, or has put a file there. So each is looked at first, and that is an error of its
 * owner instead. Invariants: `asked` is what libuv polls for; `joiner` is in the loop's list while
 * `wanted` is something else. */
#ifndef AIO_CORE_POLL_UNIX_H
#define AIO_CORE_POLL_UNIX_H

#include "core/loop.h"

typedef struct aio_poll aio_poll;

typedef struct aio_poll_ops {
  /* `status` < 0: the kernel tells of an error (EPOLLERR), libuv has stopped, nothing is wanted any
   * more; `events` is then what was. */
  void (*ready)(aio_poll *p, int status, int events);
  /* It cannot be polled; nothing is wanted any more. */
  void (*refused)(aio_poll *p, int err);
  /* The owner's memory is free to go. Called by aio_poll_close, or later. */
  void (*closed)(aio_poll *p);
} aio_poll_ops;

struct aio_poll {
  aio_joiner joiner;
  uv_poll_t handle; /* once it is `known` */
  const aio_poll_ops *ops;
  aio_loop *loop;
  int fd;
  uint8_t wanted, asked; /* UV_READABLE, UV_WRITABLE, UV_DISCONNECT */
  bool known;            /* to libuv */
};

/* Makes no system call. */
void aio_poll_init(aio_poll *p, aio_loop *l, int fd, const aio_poll_ops *ops);
/* Lets libuv look at the descriptor now, and makes it non-blocking. 0 or an error code. */
int aio_poll_meet(aio_poll *p);
void aio_poll_ask(aio_poll *p, unsigned events);
/* Before the descriptor itself is closed. */
void aio_poll_close(aio_poll *p);

#endif
