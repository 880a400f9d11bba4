/* SPDX-License-Identifier: MIT
 *
 * Parts of files, see the header. */
#include "core/sendfile.h"

#include <sys/stat.h>
#include <uv.h>

static bool is_regular(int fd, int *err) {
  uv_fs_t req;
  *err = uv_fs_fstat(NULL, &req, fd, NULL);
  bool regular = !*err && (req.statbuf.st_mode & S_IFMT) == S_IFREG;
  uv_fs_req_cleanup(&req);
  return regular;
}

int aio_file_part_open(aio_file_part *p, int fd, int64_t offset, int64_t count) {
  int err;
  if (!is_regular(fd, &err)) return err ? err : UV_ENOTSUP;
  int copy = aio_file_dup(fd);
  if (copy < 0) return copy;
  p->fd = copy;
  p->start = p->at = offset;
  p->end = count < 0 || count > INT64_MAX - offset ? INT64_MAX : offset + count;
  return 0;
}

size_t aio_file_part_next(const aio_file_part *p, size_t most) {
  int64_t left = p->end - p->at;
  return left < (int64_t)most ? (size_t)left : most;
}

ptrdiff_t aio_file_part_send(aio_file_part *p, aio_sock to) {
  size_t len = aio_file_part_next(p, AIO_FILE_CHUNK);
  ptrdiff_t sent = len ? aio_file_send(to, p->fd, p->at, len) : 0;
  if (sent > 0) p->at += sent;
  return sent;
}

ptrdiff_t aio_file_part_read(const aio_file_part *p, char *room, size_t len) {
  uv_fs_t req;
  uv_buf_t buf = uv_buf_init(room, (unsigned)aio_file_part_next(p, len));
  if (buf.len == 0) return 0;
  ptrdiff_t got = uv_fs_read(NULL, &req, p->fd, &buf, 1, p->at, NULL);
  uv_fs_req_cleanup(&req);
  return got;
}

void aio_file_part_close(aio_file_part *p, bool seek) {
  if (p->fd < 0) return;
  if (seek && p->at > p->start) aio_file_seek(p->fd, p->at);
  aio_file_close(p->fd);
  p->fd = -1;
}
