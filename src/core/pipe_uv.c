/* SPDX-License-Identifier: MIT
 *
 * Descriptors that somebody else has opened, over libuv's streams (Windows; a build option
 * elsewhere): see pipe.h. libuv says what a descriptor is; it keeps descriptors 0 to 2 open.
 * Invariant: a duplicate that was made is closed again when no source has taken it. */
#ifdef _WIN32
#include <io.h>
#define DUP    _dup
#define FILENO _fileno
#else
#include <unistd.h>
#define DUP    dup
#define FILENO fileno
#endif

#include "core/pipe.h"
#include "core/socket_uv.h"

enum { STDERR = 2 };

int aio_pipe_fileno(FILE *f) {
  return FILENO(f);
}

static void close_fd(int fd) {
  uv_fs_t r;
  uv_fs_close(NULL, &r, fd, NULL);
  uv_fs_req_cleanup(&r);
}

static int open_as(aio_stream *s, int fd, uv_handle_type type, unsigned use) {
  bool reads = use & AIO_PIPE_READ, writes = use & AIO_PIPE_WRITE;
  if (type == UV_FILE) return aio_plain_open(s, fd, reads, writes);
  aio_pipe_limit(s, reads, writes);
  return aio_socket_open_fd(s, fd, type);
}

int aio_pipe_open(aio_stream *s, int fd, const aio_pipe_opts *opts, const char **call) {
  bool own = opts->own && fd > STDERR;
  unsigned use = opts->use ? opts->use : AIO_PIPE_READ | AIO_PIPE_WRITE;
  uv_handle_type type = uv_guess_handle(fd);
  int err = type == UV_UNKNOWN_HANDLE ? UV_EBADF : 0;
  *call = "open";
  if (!err && !own) {
    *call = "dup";
    fd = DUP(fd);
    if (fd < 0) err = UV_EMFILE;
  }
  if (!err) {
    s->lazy = !own;
    err = open_as(s, fd, type, use);
    if (err && !own) close_fd(fd);
  }
  if (err) aio_stream_abort(s);
  return err;
}
