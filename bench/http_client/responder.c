/* SPDX-License-Identifier: MIT
 *
 * The other end of HTTP clients: one epoll loop that answers every request that has no body with
 * the same bytes, as cheaply as the kernel allows. responder PORT [BYTES]. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, MOST = 1024, HEAD = 8192 };

/* What of a request's end "\r\n\r\n" has come on each descriptor. */
static unsigned char seen[65536];
static char *answer;
static size_t answer_len;

static void make_answer(size_t body) {
  answer = malloc(body + 512);
  int n = sprintf(answer,
                  "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nServer: responder\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n\r\n",
                  body);
  memset(answer + n, 'x', body);
  answer_len = (size_t)n + body;
}

static int listen_at(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, MOST)) exit(1);
  return fd;
}

static int count_requests(int fd, const char *data, ssize_t n) {
  static const char end[] = "\r\n\r\n";
  int found = 0;
  for (ssize_t i = 0; i < n; i++) {
    if (data[i] == end[seen[fd]]) {
      if (++seen[fd] == 4) found++, seen[fd] = 0;
    } else {
      seen[fd] = data[i] == '\r';
    }
  }
  return found;
}

static void serve(int fd) {
  char data[HEAD];
  ssize_t n = recv(fd, data, sizeof data, MSG_DONTWAIT);
  if (n <= 0) {
    if (n == 0) close(fd);
    return;
  }
  for (int left = count_requests(fd, data, n); left > 0; left--)
    if (send(fd, answer, answer_len, MSG_NOSIGNAL) < 0) return;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  make_answer(argc > 2 ? (size_t)atol(argv[2]) : 13);
  int port = listen_at(atoi(argv[1])), poll = epoll_create1(EPOLL_CLOEXEC), one = 1;
  struct epoll_event events[EVENTS], want = {.events = EPOLLIN, .data.fd = port};
  epoll_ctl(poll, EPOLL_CTL_ADD, port, &want);
  for (;;) {
    int n = epoll_wait(poll, events, EVENTS, -1);
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd != port) {
        serve(fd);
        continue;
      }
      want.data.fd = accept4(port, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (want.data.fd < 0) continue;
      seen[want.data.fd] = 0;
      setsockopt(want.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      epoll_ctl(poll, EPOLL_CTL_ADD, want.data.fd, &want);
    }
  }
}
