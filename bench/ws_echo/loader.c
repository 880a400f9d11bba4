/* SPDX-License-Identifier: MIT
 *
 * Closed-loop load for a WebSocket echo server on the loopback (any path, no compression), and the
 * reading of what it costs:
 *   loader PORT PID CONNS SIZE SECONDS
 * Each connection sends a masked text of SIZE bytes, waits for it to come back, and sends again. A
 * tenth of the time is a warm-up. One line of JSON; `bad` are answers that were not what was sent.
 */
#include "lib/closed_loop.h"

#include <errno.h>

enum { HEAD_MAX = 14 };

struct conn {
  int fd;
  size_t got;
  double since;
};

static unsigned char *out, *want, *in;
static size_t out_len, want_len;

static size_t head(unsigned char *to, size_t size, int mask) {
  size_t n = 2;
  to[0] = 0x81;
  to[1] = (unsigned char)(mask | (size < 126 ? size : size < 65536 ? 126 : 127));
  int extra = size < 126 ? 0 : size < 65536 ? 2 : 8;
  for (int i = extra - 1; i >= 0; i--) to[n++] = (unsigned char)(size >> 8 * i);
  return n;
}

static void make_frames(size_t size) {
  static const unsigned char key[4] = {0x12, 0xfe, 0x34, 0x9a};
  out = malloc(size + HEAD_MAX), want = malloc(size + HEAD_MAX), in = malloc(size + HEAD_MAX + 1);
  want_len = head(want, size, 0);
  out_len = head(out, size, 0x80);
  memcpy(out + out_len, key, 4);
  out_len += 4;
  for (size_t i = 0; i < size; i++) {
    want[want_len + i] = (unsigned char)('a' + i % 26);
    out[out_len + i] = want[want_len + i] ^ key[i % 4];
  }
  want_len += size;
  out_len += size;
}

static void shake_hands(int fd) {
  static const char ask[] = "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  char answer[4096] = "";
  size_t n = 0;
  if (send(fd, ask, sizeof ask - 1, 0) != sizeof ask - 1) fail("send");
  while (!strstr(answer, "\r\n\r\n")) {
    ssize_t k = recv(fd, answer + n, sizeof answer - 1 - n, 0);
    if (k <= 0) fail("handshake");
    n += (size_t)k;
  }
  if (strncmp(answer, "HTTP/1.1 101", 12) != 0) fail("no 101");
}

static void request(struct conn *c) {
  c->got = 0;
  c->since = now();
  if (send(c->fd, out, out_len, 0) != (ssize_t)out_len) fail("send");
}

static void answer(void *conn) {
  struct conn *c = conn;
  ssize_t k = recv(c->fd, in, want_len - c->got + 1, MSG_DONTWAIT);
  if (k < 0 && errno == EAGAIN) return;
  if (k <= 0) fail("the connection was lost");
  if (c->got + (size_t)k > want_len || memcmp(in, want + c->got, (size_t)k) != 0) {
    bad++;
    return;
  }
  if ((c->got += (size_t)k) < want_len) return;
  answered(c->since);
  request(c);
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  int port = atoi(argv[1]), pid = atoi(argv[2]), conns = atoi(argv[3]), ep = epoll_create1(0);
  double secs = atof(argv[5]);
  make_frames((size_t)atol(argv[4]));
  struct conn *all = calloc((size_t)conns, sizeof *all);
  for (int i = 0; i < conns; i++) {
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &all[i]};
    all[i].fd = connect_to(port);
    shake_hands(all[i].fd);
    epoll_ctl(ep, EPOLL_CTL_ADD, all[i].fd, &ev);
  }
  for (int i = 0; i < conns; i++) request(&all[i]);
  measure(ep, pid, secs, answer);
  return 0;
}
