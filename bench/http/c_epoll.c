/* SPDX-License-Identifier: MIT
 *
 * HTTP on PORT, the least one can do: every read that ends with an empty line is answered with the
 * same 13 bytes. Nothing is parsed, so only / is meant. */
#define _GNU_SOURCE
#include "lib/serve.h"

#include <string.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                             "Content-Length: 13\r\n\r\nHello, world!";

static void serve(int fd) {
  static char buf[65536];
  ssize_t n = read(fd, buf, sizeof buf), len = sizeof answer - 1;
  if (n <= 0)
    close(fd);
  else if (n >= 4 && memcmp(buf + n - 4, "\r\n\r\n", 4) == 0 && write(fd, answer, len) != len)
    close(fd);
}

int main(int argc, char **argv) {
  int l = listener(argc, argv, SOCK_NONBLOCK), ep = epoll_create1(0);
  struct epoll_event got[512];
  watch(ep, l);
  for (;;) {
    int n = epoll_wait(ep, got, 512, -1);
    for (int i = 0; i < n; i++) {
      if (got[i].data.fd != l) {
        serve(got[i].data.fd);
        continue;
      }
      int fd = admitted(l);
      if (fd >= 0) watch(ep, fd);
    }
  }
}
