/* SPDX-License-Identifier: MIT
 *
 * Files on Windows, as sendfile.c wants them: its TransmitFile needs a completion port, so that
 * files are read here. Descriptors are those of the C library. */
#include <errno.h>
#include <io.h>

#include "core/sendfile.h"

int aio_file_dup(int fd) {
  int copy = _dup(fd);
  return copy < 0 ? uv_translate_sys_error(errno == EBADF ? ERROR_INVALID_HANDLE
                                                          : ERROR_TOO_MANY_OPEN_FILES)
                  : copy;
}

void aio_file_seek(int fd, int64_t position) {
  _lseeki64(fd, position, SEEK_SET);
}

void aio_file_seek_stdio(FILE *f, int64_t position) {
  _fseeki64(f, position, SEEK_SET);
}

void aio_file_close(int fd) {
  _close(fd);
}

ptrdiff_t aio_file_send(aio_sock to, int fd, int64_t at, size_t len) {
  (void)to;
  (void)fd;
  (void)at;
  (void)len;
  return UV_ENOTSUP;
}
