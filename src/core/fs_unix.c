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

/* The size of a regular file, or -1. Opening anything else would be noticed: who waits for a reader
 * of a FIFO would go on, and find none. */
static int64_t size_of(const char *path) {
  struct statx st;
  int fd = open_cached(path, O_PATH);
  if (fd < 0) return -1;
  int err = statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, &st);
  close(fd);
  return err || !S_ISREG(st.stx_mode) ? -1 : (int64_t)st.stx_size;
}

static bool read_cached(aio_fs *f, int fd, size_t size) {
  struct iovec all = {f->data, size};
  f->len = size;
  return preadv2(fd, &all, 1, 0, RWF_NOWAIT) == (ssize_t)size;
}

bool aio_fs_read_now(aio_fs *f) {
  int64_t size = size_of(f->path);
  if (size <= 0 || size > MOST) return false;
  int fd = open_cached(f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return false;
  f->data = malloc((size_t)size);
  bool done = f->data && read_cached(f, fd, (size_t)size);
  close(fd);
  if (done) return true;
  free(f->data);
  f->data = NULL;
  f->len = 0;
  return false;
}

#else

bool aio_fs_read_now(aio_fs *f) {
  (void)f;
  return false;
}

#endif
