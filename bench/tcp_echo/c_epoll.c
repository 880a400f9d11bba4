/* SPDX-License-Identifier: MIT
 *
 * TCP echo on PORT: what the kernel alone costs. Level-triggered epoll, one thread; for each event
 * one read and one write. */
#define _GNU_SOURCE
#include "lib/serve.h"

static void admit(int ep, int l) {
  int fd = admitted(l);
  if (fd >= 0) watch(ep, fd);
}

static void echo(int fd) {
  static char buf[65536];
  ssize_t k = read(fd, buf, sizeof buf);
  if (k <= 0 || write(fd, buf, (size_t)k) != k) close(fd);
}

int main(int argc, char **argv) {
  int l = listener(argc, argv, SOCK_NONBLOCK), ep = epoll_create1(0);
  watch(ep, l);
  for (;;) {
    struct epoll_event got[512];
    int n = epoll_wait(ep, got, 512, -1);
    for (int i = 0; i < n; i++)
      if (got[i].data.fd == l)
        admit(ep, l);
      else
        echo(got[i].data.fd);
  }
}
