/* SPDX-License-Identifier: MIT
 *
 * One stream on PORT: what the kernel alone costs. Level-triggered epoll around non-blocking reads
 * and writes of 64 KiB, as an event loop makes them. */
#define _GNU_SOURCE
#include "lib/floor.h"
#include "lib/serve.h"

enum { BLOCK = 65536 };

static char block[BLOCK];

/* Reads once as soon as there is something; 0: the end. */
static size_t get(int ep, int fd) {
  struct epoll_event ev;
  ssize_t k = -1;
  while (epoll_wait(ep, &ev, 1, -1) != 1 || (k = read(fd, block, BLOCK)) < 0) {
  }
  return (size_t)k;
}

static void send_all(int ep, int fd, long long n) {
  for (; n > 0; n -= BLOCK)
    for (size_t at = 0; at < BLOCK;) {
      ssize_t k = send(fd, block + at, BLOCK - at, MSG_NOSIGNAL);
      if (k > 0)
        at += (size_t)k;
      else
        wait_for(ep, fd, EPOLLOUT);
    }
}

static void receive_all(int ep, int fd, long long n) {
  while (n > 0) n -= (long long)get(ep, fd);
  if (send(fd, "done\n", 5, MSG_NOSIGNAL) != 5) exit(1);
}

static void serve(int fd) {
  int ep = epoll_create1(0);
  struct epoll_event ev = {.events = EPOLLIN};
  char role[16];
  long long n;
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
  /* The loader sends the line alone, or bytes behind it that count as received. */
  size_t k = get(ep, fd);
  char *end = memchr(block, '\n', k);
  if (end && sscanf(block, "%15s %lld", role, &n) == 2) {
    if (*role == 's')
      send_all(ep, fd, n);
    else
      receive_all(ep, fd, n - (block + k - end - 1));
  }
  close(ep);
  close(fd);
}

int main(int argc, char **argv) {
  int l = listener(argc, argv, 0);
  for (;;) {
    int fd = admitted(l);
    if (fd >= 0) serve(fd);
  }
}
