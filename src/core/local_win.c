/* SPDX-License-Identifier: MIT
 *
 * Sockets within one machine over libuv's streams: they carry bytes only, see the header. */
#include "core/local.h"

int aio_local_peercred(int fd, aio_peercred *cred) {
  (void)fd;
  (void)cred;
  return UV_ENOTSUP;
}

ptrdiff_t aio_local_send(int fd, uv_buf_t buf, const int *fds, size_t n) {
  (void)fd;
  (void)buf;
  (void)fds;
  (void)n;
  return UV_ENOTSUP;
}

ptrdiff_t aio_local_receive(int fd, const uv_buf_t *space, unsigned n, aio_fdbox *box) {
  (void)fd;
  (void)space;
  (void)n;
  (void)box;
  return UV_ENOTSUP;
}

int aio_local_keep(aio_stream *s, size_t max) {
  (void)s;
  (void)max;
  return UV_ENOTSUP;
}
