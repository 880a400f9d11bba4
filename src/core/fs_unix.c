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

static int open_cached(const char *path) {
  struct {
    uint64_t flags, mode, resolve;
  } how = {O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, CACHED_ONLY};
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

static bool read_cached(aio_fs *f, int fd, size_t size) {
  struct iovec all = {f->data, size};
  f->len = size;
  return preadv2(fd, &all, 1, 0, RWF_NOWAIT) == (ssize_t)size;
}

bool aio_fs_read_now(aio_fs *f) {
  struct statx st;
  int fd = open_cached(f->path);
  if (fd < 0) return false;
  bool done =
      statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, &st) == 0 &&
      S_ISREG(st.stx_mode) && st.stx_size > 0 && st.stx_size <= MOST;
  if (done) {
    f->data = malloc((size_t)st.stx_size);
    done = f->data && read_cached(f, fd, (size_t)st.stx_size);
  }
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
