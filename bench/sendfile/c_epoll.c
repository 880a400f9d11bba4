/* SPDX-License-Identifier: MIT
 *
 * A file on PORT: what the kernel alone costs. sendfile until nothing more goes, then epoll. */
#define _GNU_SOURCE
#include "lib/floor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/sendfile.h>

#include "lib/serve.h"

/* The events stay asked for while the file is sent. */
static void send_all(int ep, int fd, int file, off_t n) {
  struct epoll_event ev = {.events = EPOLLOUT, .data.fd = fd};
  epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev);
  for (off_t at = 0; at < n;) {
    ssize_t k = sendfile(fd, file, &at, (size_t)(n - at));
    if (k == 0 || (k < 0 && errno != EAGAIN)) return;
    if (k < 0) epoll_wait(ep, &ev, 1, -1);
  }
}

static void serve(int fd, int file) {
  int ep = epoll_create1(0);
  char line[64] = "";
  long long n;
  wait_for(ep, fd, EPOLLIN);
  if (read(fd, line, sizeof line - 1) > 0 && sscanf(line, "send %lld", &n) == 1)
    send_all(ep, fd, file, n);
  close(ep);
  close(fd);
}

int main(int argc, char **argv) {
  int l = listener(argc, argv, 0);
  int file = open(getenv("SENDFILE") ? getenv("SENDFILE") : "", O_RDONLY);
  if (file < 0) exit(1);
  signal(SIGPIPE, SIG_IGN);
  for (;;) {
    int fd = admitted(l);
    if (fd >= 0) serve(fd, file);
  }
}
