/* SPDX-License-Identifier: MIT
 *
 * Files on Unix, as sendfile.c wants them. Only Linux's sendfile is used: the others have calls of
 * that name that do other things. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/sendfile.h"

enum { ABOVE_STDERR = 3 };

int aio_file_dup(int fd) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE_STDERR);
  return copy < 0 ? -errno : copy;
}

void aio_file_seek(int fd, int64_t position) {
  lseek(fd, (off_t)position, SEEK_SET);
}

void aio_file_seek_stdio(FILE *f, int64_t position) {
  fseeko(f, (off_t)position, SEEK_SET);
}

void aio_file_close(int fd) {
  close(fd);
}

#ifdef __linux__

#include <signal.h>
#include <sys/sendfile.h>
#include <time.h>

/* sendfile knows no MSG_NOSIGNAL. A signal that it raises is for this thread, where it is kept from
 * being delivered, and taken away. */
static ssize_t send_quietly(int to, int fd, off_t *at, size_t len) {
  static const struct timespec now = {0, 0};
  sigset_t broken_pipe, before;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
  ssize_t sent = sendfile(to, fd, at, len);
  int e = errno;
  if (!sigismember(&before, SIGPIPE)) {
    if (sent < 0 && e == EPIPE) sigtimedwait(&broken_pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
  }
  errno = e;
  return sent;
}

/* Errors that speak of the pair of descriptors, not of the connection. */
static bool is_refusal(int e) {
  return e == EINVAL || e == ENOSYS || e == EOPNOTSUPP || e == ESPIPE || e == EOVERFLOW;
}

ptrdiff_t aio_file_send(aio_sock to, int fd, int64_t at, size_t len) {
  off_t offset = (off_t)at;
  ssize_t sent;
  do sent = send_quietly(to, fd, &offset, len);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return sent;
  if (is_refusal(errno)) return UV_ENOTSUP;
  return errno == EWOULDBLOCK ? UV_EAGAIN : -errno;
}

#else

ptrdiff_t aio_file_send(aio_sock to, int fd, int64_t at, size_t len) {
  (void)to;
  (void)fd;
  (void)at;
  (void)len;
  return UV_ENOTSUP;
}

#endif
