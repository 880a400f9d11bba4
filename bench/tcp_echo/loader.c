/* SPDX-License-Identifier: MIT
 *
 * Closed-loop load for a TCP echo server on the loopback, and the reading of what it costs:
 *   loader PORT PID CONNS SIZE SECONDS
 * Each connection sends SIZE bytes, waits for them all to come back, and sends again. The first
 * tenth of the time is a warm-up; what is counted is requests, and the CPU time of process PID,
 * between the end of the warm-up and the end. One line of JSON; `bad` are answers that were not
 * what was sent. */
#include "lib/closed_loop.h"

#include <errno.h>

enum { ROOM = 65536 };

struct conn {
  int fd;
  size_t got;
  double since;
};

static char *out, in[ROOM];
static size_t size;

static void request(struct conn *c) {
  c->got = 0;
  c->since = now();
  if (send(c->fd, out, size, 0) != (ssize_t)size) fail("send");
}

static void connect_all(struct conn *all, int conns, int port, int ep) {
  for (int i = 0; i < conns; i++) {
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &all[i]};
    all[i].fd = connect_to(port);
    epoll_ctl(ep, EPOLL_CTL_ADD, all[i].fd, &ev);
  }
}

static void answer(void *conn) {
  struct conn *c = conn;
  ssize_t k = recv(c->fd, in, sizeof in, MSG_DONTWAIT);
  if (k < 0 && errno == EAGAIN) return;
  if (k <= 0) fail("the connection was lost");
  if (c->got + (size_t)k > size || memcmp(in, out + c->got, (size_t)k)) {
    bad++;
    return;
  }
  if ((c->got += (size_t)k) < size) return;
  answered(c->since);
  request(c);
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  int port = atoi(argv[1]), pid = atoi(argv[2]), conns = atoi(argv[3]), ep = epoll_create1(0);
  double secs = atof(argv[5]);
  size = (size_t)atol(argv[4]);
  out = malloc(size);
  for (size_t i = 0; i < size; i++) out[i] = (char)('a' + i % 26);
  struct conn *all = calloc((size_t)conns, sizeof *all);
  connect_all(all, conns, port, ep);
  for (int i = 0; i < conns; i++) request(&all[i]);
  measure(ep, pid, secs, answer);
  return 0;
}
