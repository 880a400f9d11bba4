/* SPDX-License-Identifier: MIT
 *
 * Plain sockets on Unix, see the header. Called by floor 3. */
#include <errno.h>
#include <unistd.h>

#include "core/fd_unix.h"
#include "core/sock.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* where SO_NOSIGPIPE does it */
#endif

static int result(int r) {
  return r < 0 ? -errno : 0;
}

/* One code for "not now", however the system calls it. */
static ptrdiff_t transferred(ssize_t n) {
  if (n >= 0) return n;
  return errno == EWOULDBLOCK ? UV_EAGAIN : -errno;
}

int aio_sock_open(int family, int type, int proto, aio_sock *s) {
  int fd = aio_fd_socket(family, type, proto);
  if (fd < 0) return fd;
  *s = fd;
  return 0;
}

int aio_sock_adopt(aio_sock s, int *family, int *type) {
  aio_sockaddr sys;
  socklen_t len = sizeof sys;
  size_t size = sizeof *type;
  int err = result(getsockname(s, &sys.sa, &len));
  if (!err) err = aio_sock_get(s, SOL_SOCKET, SO_TYPE, type, &size);
  if (err) return err;
  *family = sys.sa.sa_family;
  return aio_fd_prepare(s);
}

int aio_sock_pair(int type, int proto, aio_sock pair[2]) {
  return aio_fd_pair(type, proto, pair);
}

void aio_sock_close(aio_sock s) {
  close(s);
}

int aio_sock_bind(aio_sock s, const aio_address *a) {
  return aio_fd_bind(s, a);
}

int aio_sock_listen(aio_sock s, int backlog) {
  return result(listen(s, backlog));
}

int aio_sock_connect(aio_sock s, const aio_address *a) {
  int err = aio_fd_connect(s, a);
  return err == UV_EINTR || err == -EINPROGRESS ? AIO_SOCK_CONNECTING : err;
}

int aio_sock_accept(aio_sock s, aio_sock *accepted, aio_address *peer) {
  aio_sockaddr sys;
  socklen_t len = sizeof sys;
  int fd = aio_fd_accept(s, &sys.sa, &len);
  if (fd < 0) return fd;
  *accepted = fd;
  aio_fd_read_address(&sys, len, peer);
  return 0;
}

ptrdiff_t aio_sock_send(aio_sock s, const char *ptr, size_t len, const aio_address *to) {
  aio_sockaddr sys;
  socklen_t sys_len = to ? aio_fd_fill(&sys, to) : 0;
  ssize_t n;
  do n = sendto(s, ptr, len, MSG_NOSIGNAL, to ? &sys.sa : NULL, sys_len);
  while (n < 0 && errno == EINTR);
  return transferred(n);
}

ptrdiff_t aio_sock_recv(aio_sock s, char *ptr, size_t len, aio_address *from) {
  aio_sockaddr sys;
  socklen_t sys_len = sizeof sys;
  ssize_t n;
  do n = from ? recvfrom(s, ptr, len, 0, &sys.sa, &sys_len) : recv(s, ptr, len, 0);
  while (n < 0 && errno == EINTR);
  if (n >= 0 && from) aio_fd_read_address(&sys, sys_len, from);
  return transferred(n);
}

int aio_sock_shutdown(aio_sock s, enum aio_sock_end end) {
  static const int how[] = {SHUT_RD, SHUT_WR, SHUT_RDWR};
  return result(shutdown(s, how[end]));
}

int aio_sock_address(aio_sock s, bool peer, aio_address *a) {
  return aio_fd_address(s, peer, a);
}

int aio_sock_set(aio_sock s, int level, int name, const void *value, size_t len) {
  return result(setsockopt(s, level, name, value, (socklen_t)len));
}

int aio_sock_get(aio_sock s, int level, int name, void *value, size_t *len) {
  socklen_t n = (socklen_t)*len;
  int err = result(getsockopt(s, level, name, value, &n));
  *len = n;
  return err;
}

int aio_sock_set_linger(aio_sock s, int seconds) {
  struct linger l = {.l_onoff = seconds >= 0, .l_linger = seconds >= 0 ? seconds : 0};
  return aio_sock_set(s, SOL_SOCKET, SO_LINGER, &l, sizeof l);
}

int aio_sock_get_linger(aio_sock s, int *seconds) {
  struct linger l = {0, 0};
  size_t len = sizeof l;
  int err = aio_sock_get(s, SOL_SOCKET, SO_LINGER, &l, &len);
  *seconds = l.l_onoff ? l.l_linger : -1;
  return err;
}
