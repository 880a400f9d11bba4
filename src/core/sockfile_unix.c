/* SPDX-License-Identifier: MIT
 *
 * Files of Unix sockets, see the header. */
#include "core/sockfile_unix.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fd_unix.h"

/* Is `path` the socket of a process that is gone? Then it is in the way and nobody's. */
static bool is_stale(int type, const aio_address *a) {
  struct stat st;
  if (stat(a->path, &st) != 0 || !S_ISSOCK(st.st_mode)) return false;
  int fd = aio_fd_socket(AF_UNIX, type, 0);
  if (fd < 0) return false;
  int err = aio_fd_connect(fd, a);
  close(fd);
  return err == UV_ECONNREFUSED;
}

static void note(aio_sockfile *f, const aio_address *a) {
  struct stat st;
  if (!a->path[0] || stat(a->path, &st) != 0) return;
  memcpy(f->path, a->path, a->path_len + 1);
  f->dev = st.st_dev;
  f->ino = st.st_ino;
}

int aio_sockfile_bind(aio_sockfile *f, int fd, int type, const aio_address *a) {
  f->path[0] = '\0';
  int err = aio_fd_bind(fd, a);
  if (err == UV_EADDRINUSE && a->path[0] && is_stale(type, a)) {
    unlink(a->path);
    err = aio_fd_bind(fd, a);
  }
  if (!err) note(f, a);
  return err;
}

void aio_sockfile_remove(aio_sockfile *f) {
  struct stat st;
  if (f->path[0] && stat(f->path, &st) == 0 && st.st_dev == f->dev && st.st_ino == f->ino)
    unlink(f->path);
  f->path[0] = '\0';
}
