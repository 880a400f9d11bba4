/* SPDX-License-Identifier: MIT
 *
 * Writing to what is polled, for file_io.c: on Windows no file is, and there is no SIGPIPE. */
#include "core/file.h"

ptrdiff_t aio_file_push(int fd, const char *ptr, size_t len) {
  uv_fs_t req;
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)ptr, (unsigned)len);
  int sent = uv_fs_write(NULL, &req, fd, &buf, 1, -1, NULL);
  uv_fs_req_cleanup(&req);
  return sent;
}
