/* SPDX-License-Identifier: MIT
 *
 * N datagrams of SIZE bytes there and back between two endpoints, one at a time: what the kernel
 * alone costs. One epoll for both, recvmsg and sendmsg, since a server has to learn who has sent.
 */
#define _GNU_SOURCE
#include "lib/floor.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 65536 };

static char in[ROOM], out[ROOM];
static int ep, server, client;

static int endpoint(struct sockaddr_in *local) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
  if (local && bind(fd, (void *)local, sizeof *local)) exit(1);
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
  return fd;
}

static void send_to(int fd, struct sockaddr_in *to, size_t n) {
  struct iovec v = {out, n};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
  if (to) {
    m.msg_name = to;
    m.msg_namelen = sizeof *to;
  }
  if (sendmsg(fd, &m, MSG_NOSIGNAL) != (ssize_t)n) exit(1);
}

/* Receives one and answers it; at the client the answer is the next question. */
static void answer(int fd, size_t size) {
  struct sockaddr_in from;
  struct iovec v = {in, ROOM};
  struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &v, .msg_iovlen = 1};
  if (recvmsg(fd, &m, 0) != (ssize_t)size || memcmp(in, out, size)) exit(1);
  send_to(fd, fd == server ? &from : NULL, size);
}

int main(int argc, char **argv) {
  long n = argc > 1 ? atol(argv[1]) : 200000, came = 0;
  size_t size = argc > 2 ? (size_t)atol(argv[2]) : 64;
  struct sockaddr_in a = {.sin_family = AF_INET};
  socklen_t len = sizeof a;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ep = epoll_create1(0);
  memset(out, 'x', size);
  server = endpoint(&a);
  getsockname(server, (void *)&a, &len);
  client = endpoint(NULL);
  if (connect(client, (void *)&a, len)) return 1;
  double t = now();
  send_to(client, NULL, size);
  while (came < n) {
    struct epoll_event got[2];
    int k = epoll_wait(ep, got, 2, -1);
    for (int i = 0; i < k; i++) {
      came += got[i].data.fd == client;
      answer(got[i].data.fd, size);
    }
  }
  report(n, now() - t);
  return 0;
}
