/* SPDX-License-Identifier: MIT
 *
 * What a server in C needs: a socket that listens on the loopback, epoll, connections. */
#ifndef AIOBENCH_SERVE_H
#define AIOBENCH_SERVE_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket that listens at the port that the first argument names; `flags` such as SOCK_NONBLOCK.
 */
static inline int listener(int argc, char **argv, int flags) {
  int port = argc > 1 ? atoi(argv[1]) : 7000, one = 1;
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (void *)&a, sizeof a) || listen(fd, 4096)) exit(1);
  return fd;
}

/* Small writes go at once. */
static inline void no_delay(int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* The next connection, non-blocking and without delay; -1: there is none. */
static inline int admitted(int l) {
  int fd = accept4(l, 0, 0, SOCK_NONBLOCK);
  if (fd >= 0) no_delay(fd);
  return fd;
}

static inline void watch(int ep, int fd) {
  struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

/* Waits until the descriptor, the only one of `ep`, is ready. */
static inline void wait_for(int ep, int fd, uint32_t events) {
  struct epoll_event ev = {.events = events, .data.fd = fd};
  if (epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev)) epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
  epoll_wait(ep, &ev, 1, -1);
}

#endif
