/* SPDX-License-Identifier: MIT
 *
 * N connections to a server of one's own, CLIENTS at a time; the server closes each, then the
 * client. What the kernel alone costs: one epoll for both sides, with a watch on each connection,
 * as a loop that does not know what comes has to set it. */
#define _GNU_SOURCE
#include "lib/floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const int one = 1;
static struct sockaddr_in address;
static int ep, listening;

static void watch(int fd, uint32_t events) {
  struct epoll_event ev = {.events = events, .data.fd = fd};
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

static void listen_here(void) {
  socklen_t len = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (bind(listening, (void *)&address, len) || listen(listening, 1024)) exit(1);
  getsockname(listening, (void *)&address, &len);
  watch(listening, EPOLLIN);
}

static void dial(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, (void *)&address, sizeof address) && errno != EINPROGRESS) exit(1);
  watch(fd, EPOLLIN);
}

static void serve(void) {
  for (int fd; (fd = accept4(listening, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(fd, EPOLLIN);
    close(fd);
  }
}

static void hang_up(int fd) {
  char byte;
  if (read(fd, &byte, 1) != 0) exit(1);
  close(fd);
}

int main(int argc, char **argv) {
  long n = argc > 1 ? atol(argv[1]) : 30000, started = 0, ended = 0;
  long clients = argc > 2 ? atol(argv[2]) : 10;
  double t = now();
  ep = epoll_create1(EPOLL_CLOEXEC);
  listen_here();
  for (; started < clients; started++) dial();
  while (ended < n) {
    struct epoll_event got[64];
    int k = epoll_wait(ep, got, 64, -1);
    for (int i = 0; i < k; i++) {
      if (got[i].data.fd == listening) {
        serve();
        continue;
      }
      hang_up(got[i].data.fd);
      ended++;
      if (started++ < n) dial();
    }
  }
  report(ended, now() - t);
  return 0;
}
