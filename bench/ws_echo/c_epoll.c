/* SPDX-License-Identifier: MIT
 *
 * WebSocket echo on PORT: what the kernel and the least of the protocol cost. Level-triggered
 * epoll; any request is answered by 101 with the answer to one key, each frame comes whole or is
 * collected, is unmasked in place byte by byte, and goes back by one write. No checks. */
#define _GNU_SOURCE
#include "lib/serve.h"

#include <string.h>

enum { ROOM = 1 << 20, CONNS = 65536 };

struct conn {
  int fd, open;
  size_t len;
  unsigned char *data;
};

static struct conn *all[CONNS];
static const char yes[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static void admit(int ep, int l) {
  int fd = admitted(l);
  if (fd < 0 || fd >= CONNS) return;
  all[fd] = calloc(1, sizeof *all[fd]);
  all[fd]->fd = fd;
  all[fd]->data = malloc(ROOM);
  watch(ep, fd);
}

/* The frame at the beginning goes back; how long it was, or 0: it is not whole. */
static size_t echo(struct conn *c) {
  unsigned char *p = c->data;
  if (c->len < 6) return 0;
  size_t head = 2, size = p[1] & 127;
  if (size == 126) head = 4, size = (size_t)p[2] << 8 | p[3];
  if (size == 127) {
    head = 10, size = 0;
    for (int i = 2; i < 10; i++) size = size << 8 | p[i];
  }
  if (c->len < head + 4 + size) return 0;
  unsigned char key[4], *payload = p + head + 4;
  memcpy(key, p + head, 4);
  for (size_t i = 0; i < size; i++) payload[i] ^= key[i % 4];
  p[1] &= 127;
  memmove(p + 4, p, head);
  if (write(c->fd, p + 4, head + size) < 0) return 0;
  return head + 4 + size;
}

static void on_input(struct conn *c) {
  ssize_t k = read(c->fd, c->data + c->len, ROOM - c->len);
  if (k <= 0) {
    close(c->fd);
    return;
  }
  c->len += (size_t)k;
  if (!c->open) {
    c->open = memmem(c->data, c->len, "\r\n\r\n", 4) != NULL;
    if (!c->open || write(c->fd, yes, sizeof yes - 1) < 0) return;
    c->len = 0;
  }
  for (size_t n; (n = echo(c)) > 0;) memmove(c->data, c->data + n, c->len -= n);
}

int main(int argc, char **argv) {
  int l = listener(argc, argv, SOCK_NONBLOCK), ep = epoll_create1(0);
  watch(ep, l);
  for (;;) {
    struct epoll_event got[512];
    int n = epoll_wait(ep, got, 512, -1);
    for (int i = 0; i < n; i++) {
      if (got[i].data.fd == l)
        admit(ep, l);
      else
        on_input(all[got[i].data.fd]);
    }
  }
}
