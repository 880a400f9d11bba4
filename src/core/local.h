/* SPDX-License-Identifier: MIT
 *
 * What only sockets within one machine can do: tell who the peer is, and carry descriptors. One
 * file for each kind of system. */
#ifndef AIO_CORE_LOCAL_H
#define AIO_CORE_LOCAL_H

#include "core/fdbox.h"
#include "core/stream.h"

enum { AIO_FDS_MAX = 253 }; /* in one message, by the kernel */

typedef struct aio_peercred {
  long pid, uid, gid; /* pid -1: the system does not tell */
} aio_peercred;

/* Who has opened the other end. 0 or a libuv error code. */
int aio_local_peercred(int fd, aio_peercred *cred);
/* Sends the first bytes of `buf` (not empty) with copies of the descriptors. The count of bytes
 * (0: none now, and no descriptors), or an error code. */
ptrdiff_t aio_local_send(int fd, uv_buf_t buf, const int *fds, size_t n);
/* Receives bytes, and descriptors into the box, those closed on exec. As recvmsg, with a libuv
 * error code; UV_EMFILE when descriptors were lost, by either side's limit; then the whole message
 * is. */
ptrdiff_t aio_local_receive(int fd, const uv_buf_t *space, unsigned n, aio_fdbox *box);
/* Gives the stream's source a box for at most `max` descriptors; before it is given none, what a
 * peer sends is dropped. 0, UV_ENOMEM, or UV_ENOTSUP when it is no Unix socket. */
int aio_local_keep(aio_stream *s, size_t max);

#endif
