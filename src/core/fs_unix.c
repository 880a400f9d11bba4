/* SPDX-License-Identifier: MIT
 *
 * Small files without a job, on Linux: RESOLVE_CACHED opens only what the kernel knows already, and
 * RWF_NOWAIT reads only what is in its cache; what would have to wait is an error, and then a job
 * does all of it. That is how io_uring opens and reads in the caller's thread. */
#include "core/fs.h"

#ifdef __linux__

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#endif

const char aio_fs_separators[] = "/";

#if defined(SYS_openat2) && defined(RWF_NOWAIT) && defined(STATX_SIZE)

#ifdef AIO_HOSTILE
enum { MOST = 100 };
#else
enum { MOST = 64 * 1024 }; /* copying more would keep the loop from other work */
#endif
enum { CACHED_ONLY = 0x20 /* RESOLVE_CACHED, of Linux 5.12 */ };

static int open_cached(const char *path, int flags) {
  struct {
    uint64_t flags, mode, resolve;
  } how = {(uint64_t)(flags | O_CLOEXEC), 0, CACHED_ONLY};
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

/* All of a file that is small and cached; else nothing. */
static bool read_cached(aio_fs *f, int fd, uint64_t size) {
  if (size == 0 || size > MOST) return false;
  f->data = malloc((size_t)size);
  struct iovec all = {f->data, (size_t)size};
  if (f->data && preadv2(fd, &all, 1, 0, RWF_NOWAIT) == (ssize_t)size) {
    f->len = (size_t)size;
    return true;
  }
  free(f->data);
  f->data = NULL;
  return false;
}

/* Of thousands of files that are read at once those that need a job are not kept open until it is
 * their turn. What is no regular file is, since it must not be opened twice. */
bool aio_fs_read_now(aio_fs *f) {
  struct statx st;
  int fd = open_cached(f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return false;
  int err = statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, &st);
  if (!err && !S_ISREG(st.stx_mode)) {
    f->req.statbuf.st_mode = st.stx_mode;
    f->fd = fd;
    return false;
  }
  bool done = !err && read_cached(f, fd, st.stx_size);
  close(fd);
  return done;
}

#else

bool aio_fs_read_now(aio_fs *f) {
  (void)f;
  return false;
}

#endif
