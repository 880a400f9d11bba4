/* SPDX-License-Identifier: MIT
 *
 * A file on PORT: what the kernel alone costs. sendfile until nothing more goes, then epoll. */
#define _GNU_SOURCE
#include "lib/floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static const int one = 1;

static int listener(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (void *)&a, sizeof a) || listen(fd, 4096)) exit(1);
  return fd;
}

static void wait_for(int ep, int fd, uint32_t events) {
  struct epoll_event ev = {.events = events, .data.fd = fd};
  if (epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev)) epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
  epoll_wait(ep, &ev, 1, -1);
}

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
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  wait_for(ep, fd, EPOLLIN);
  if (read(fd, line, sizeof line - 1) > 0 && sscanf(line, "send %lld", &n) == 1)
    send_all(ep, fd, file, n);
  close(ep);
  close(fd);
}

int main(int argc, char **argv) {
  int l = listener(argc > 1 ? atoi(argv[1]) : 7000);
  int file = open(getenv("SENDFILE") ? getenv("SENDFILE") : "", O_RDONLY);
  if (file < 0) exit(1);
  signal(SIGPIPE, SIG_IGN);
  for (;;) {
    int fd = accept4(l, 0, 0, SOCK_NONBLOCK);
    if (fd >= 0) serve(fd, file);
  }
}
