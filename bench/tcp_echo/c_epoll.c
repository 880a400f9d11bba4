/* SPDX-License-Identifier: MIT
 *
 * TCP echo on PORT: what the kernel alone costs. Level-triggered epoll, one thread; for each event
 * one read and one write. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const int one = 1;

static int listener(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (void *)&a, sizeof a) || listen(fd, 4096)) exit(1);
  return fd;
}

static void watch(int ep, int fd) {
  struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

static void admit(int ep, int l) {
  int fd = accept4(l, 0, 0, SOCK_NONBLOCK);
  if (fd < 0) return;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  watch(ep, fd);
}

static void echo(int fd) {
  static char buf[65536];
  ssize_t k = read(fd, buf, sizeof buf);
  if (k <= 0 || write(fd, buf, (size_t)k) != k) close(fd);
}

int main(int argc, char **argv) {
  int l = listener(argc > 1 ? atoi(argv[1]) : 7000), ep = epoll_create1(0);
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
