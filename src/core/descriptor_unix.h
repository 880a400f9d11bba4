/* SPDX-License-Identifier: MIT
 *
 * What kind of thing a descriptor is, and one's own way to it: the file description behind it may
 * be shared with other processes (the shell, the other end of a pipeline), so its O_NONBLOCK is
 * never changed for longer than libuv needs to start. For pipe_unix.c. */
#ifndef AIO_CORE_DESCRIPTOR_UNIX_H
#define AIO_CORE_DESCRIPTOR_UNIX_H

#include <stdbool.h>

enum aio_descriptor_kind {
  AIO_DESCRIPTOR_PIPE, /* or a FIFO */
  AIO_DESCRIPTOR_TTY,
  AIO_DESCRIPTOR_SOCKET, /* a connected stream socket */
  AIO_DESCRIPTOR_DEVICE, /* another character device */
  AIO_DESCRIPTOR_FILE,
};

typedef struct aio_descriptor {
  int fd;
  enum aio_descriptor_kind kind;
  bool reads, writes; /* what it was opened for */
  bool blocks;        /* reads and writes may block, see aio_descriptor_take */
  bool master;        /* of a pseudo terminal */
  int flags;          /* its F_GETFL */
} aio_descriptor;

/* Says what `fd` is. 0 or a libuv error code. */
int aio_descriptor_look(int fd, aio_descriptor *d, const char **call);
/* Makes d->fd one's own: the same number when `own` is set, else a new one, closed on exec. Pipes
 * and ttys are opened again where the system allows it, so that they are non-blocking for nobody
 * else; otherwise `blocks` is set. 0 or an error code; then nothing has changed. */
int aio_descriptor_take(aio_descriptor *d, bool own);
/* Gives the file description back its flags, after uv_poll_init has changed them. */
void aio_descriptor_unpolled(const aio_descriptor *d);

#endif
