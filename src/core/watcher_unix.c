/* SPDX-License-Identifier: MIT
 *
 * How the watcher waits on POSIX systems: libuv's descriptor (epoll, kqueue) can be polled itself,
 * beside a pipe that ends the waiting. */
#include "core/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <unistd.h>

static const double MS_PER_S = 1e3;

static void set_flags(int fd) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int aio_watcher_sys_init(aio_watcher *w) {
  if (pipe(w->wake)) return -errno;
  set_flags(w->wake[0]);
  set_flags(w->wake[1]);
  return 0;
}

void aio_watcher_sys_fini(aio_watcher *w) {
  close(w->wake[0]);
  close(w->wake[1]);
}

void aio_watcher_sys_wake(aio_watcher *w) {
  ssize_t n = write(w->wake[1], "", 1);
  (void)n; /* a full pipe wakes as well */
}

static void drain(int fd) {
  char buf[64];
  while (read(fd, buf, sizeof buf) > 0) {
  }
}

bool aio_watcher_sys_wait(aio_watcher *w, double timeout, bool *expired) {
  struct pollfd fds[2] = {{.fd = uv_backend_fd(&w->loop->uv), .events = POLLIN},
                          {.fd = w->wake[0], .events = POLLIN}};
  double ms = ceil(timeout * MS_PER_S);
  int n = poll(fds, 2, timeout < 0 ? -1 : ms > INT_MAX ? INT_MAX : (int)ms);
  *expired = n == 0;
  if (n > 0 && fds[1].revents) drain(w->wake[0]);
  return n > 0 && fds[0].revents;
}
