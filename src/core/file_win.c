/* SPDX-License-Identifier: MIT
 *
 * For file_io.c: on Windows nothing is polled, there is no SIGPIPE, and nobody tells what is
 * cached. */
#include "core/file.h"

ptrdiff_t aio_file_pull(int fd, char *ptr, size_t len, int64_t at) {
  (void)fd;
  (void)ptr;
  (void)len;
  (void)at;
  return UV_EAGAIN;
}

ptrdiff_t aio_file_push(int fd, const char *ptr, size_t len) {
  uv_fs_t req;
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)ptr, (unsigned)len);
  int sent = uv_fs_write(NULL, &req, fd, &buf, 1, -1, NULL);
  uv_fs_req_cleanup(&req);
  return sent;
}
