/* SPDX-License-Identifier: MIT
 *
 * HTTP on PORT, the least one can do: every read that ends with an empty line is answered with the
 * same 13 bytes. Nothing is parsed, so only / is meant. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                             "Content-Length: 13\r\n\r\nHello, world!";
static const int one = 1;

static int listener(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (void *)&a, sizeof a) || listen(fd, 4096)) exit(1);
  return fd;
}

static void serve(int fd) {
  static char buf[65536];
  ssize_t n = read(fd, buf, sizeof buf), len = sizeof answer - 1;
  if (n <= 0)
    close(fd);
  else if (n >= 4 && memcmp(buf + n - 4, "\r\n\r\n", 4) == 0 && write(fd, answer, len) != len)
    close(fd);
}

static void add(int ep, int fd) {
  struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

int main(int argc, char **argv) {
  int l = listener(argc > 1 ? atoi(argv[1]) : 7000), ep = epoll_create1(0);
  struct epoll_event got[512];
  add(ep, l);
  for (;;) {
    int n = epoll_wait(ep, got, 512, -1);
    for (int i = 0; i < n; i++) {
      if (got[i].data.fd != l) {
        serve(got[i].data.fd);
        continue;
      }
      int fd = accept4(l, 0, 0, SOCK_NONBLOCK);
      if (fd < 0) continue;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      add(ep, fd);
    }
  }
}
