/* SPDX-License-Identifier: MIT
 *
 * Writing to FIFOs and terminals on Unix, and reading what is cached, for file_io.c. */
#include <errno.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/file.h"

/* SIGPIPE goes to the thread that writes: it is kept from being delivered there, and taken away. */
ptrdiff_t aio_file_push(int fd, const char *ptr, size_t len) {
  sigset_t sigpipe, before, pending;
  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
  ssize_t sent;
  do sent = write(fd, ptr, len);
  while (sent < 0 && errno == EINTR);
  int err = errno;
  if (sent < 0 && err == EPIPE && !sigismember(&before, SIGPIPE) && sigpending(&pending) == 0 &&
      sigismember(&pending, SIGPIPE)) {
    int taken;
    sigwait(&sigpipe, &taken);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (sent >= 0) return sent;
  return err == EWOULDBLOCK ? UV_EAGAIN : -err;
}

#ifdef RWF_NOWAIT

ptrdiff_t aio_file_pull(int fd, char *ptr, size_t len, int64_t at) {
  struct iovec part = {ptr, len};
  ssize_t got = preadv2(fd, &part, 1, (off_t)at, RWF_NOWAIT);
  return got < 0 ? UV_EAGAIN : got; /* a job finds out what is wrong */
}

#else

ptrdiff_t aio_file_pull(int fd, char *ptr, size_t len, int64_t at) {
  (void)fd;
  (void)ptr;
  (void)len;
  (void)at;
  return UV_EAGAIN;
}

#endif
