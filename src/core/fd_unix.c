/* SPDX-License-Identifier: MIT
 *
 * Socket descriptors on Unix, see the header. Invariant: a function that fails leaves no descriptor
 * open. */
#include "core/fd_unix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#ifdef SOCK_NONBLOCK

static int raw_socket(int family, int type, int proto) {
  return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, proto);
}

static int raw_pair(int type, int proto, int fds[2]) {
  return socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, proto, fds);
}

static int raw_accept(int listening, struct sockaddr *peer, socklen_t *len) {
  return accept4(listening, peer, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

#else

static int prepare(int fd) {
  if (fd < 0) return fd;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0) return fd;
  int e = errno;
  close(fd);
  errno = e;
  return -1;
}

static int raw_socket(int family, int type, int proto) {
  return prepare(socket(family, type, proto));
}

static int raw_pair(int type, int proto, int fds[2]) {
  if (socketpair(AF_UNIX, type, proto, fds) < 0) return -1;
  int first = prepare(fds[0]), second = prepare(fds[1]);
  if (first >= 0 && second >= 0) return 0;
  int e = errno;
  if (first >= 0) close(first);
  if (second >= 0) close(second);
  errno = e;
  return -1;
}

static int raw_accept(int listening, struct sockaddr *peer, socklen_t *len) {
  return prepare(accept(listening, peer, len));
}

#endif

#ifdef SO_NOSIGPIPE

static void mute(int fd) {
  aio_fd_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
}

#else

static void mute(int fd) {
  (void)fd;
} /* MSG_NOSIGNAL does it */

#endif

int aio_fd_socket(int family, int type, int proto) {
  int fd = raw_socket(family, type, proto);
  if (fd < 0) return -errno;
  mute(fd);
  return fd;
}

int aio_fd_prepare(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -errno;
  if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
  mute(fd);
  return 0;
}

int aio_fd_pair(int type, int proto, int fds[2]) {
  if (raw_pair(type, proto, fds) < 0) return -errno;
  mute(fds[0]);
  mute(fds[1]);
  return 0;
}

int aio_fd_accept(int listening, struct sockaddr *peer, socklen_t *len) {
  int fd;
  do fd = raw_accept(listening, peer, len);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) return -errno;
  mute(fd);
  return fd;
}

int aio_fd_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

int aio_fd_error(int fd) {
  int err = 0;
  socklen_t len = sizeof err;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0) return -errno;
  return -err;
}

socklen_t aio_fd_fill(aio_sockaddr *sys, const aio_address *a) {
  if (!a->path_len) {
    sys->ip = a->ip;
    return (socklen_t)aio_ip_size(&a->ip);
  }
  memset(&sys->un, 0, sizeof sys->un);
  sys->un.sun_family = AF_UNIX;
  memcpy(sys->un.sun_path, a->path, a->path_len);
  size_t terminator = a->path[0] != '\0'; /* an abstract name has none */
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + a->path_len + terminator);
}

int aio_fd_bind(int fd, const aio_address *a) {
  aio_sockaddr sys;
  socklen_t len = aio_fd_fill(&sys, a);
  return bind(fd, &sys.sa, len) < 0 ? -errno : 0;
}

int aio_fd_connect(int fd, const aio_address *a) {
  aio_sockaddr sys;
  socklen_t len = aio_fd_fill(&sys, a);
  return connect(fd, &sys.sa, len) < 0 ? -errno : 0;
}

bool aio_fd_connected(int fd) {
  struct pollfd p = {.fd = fd, .events = POLLOUT};
  return poll(&p, 1, 0) == 1 && p.revents == POLLOUT;
}

int aio_fd_read_address(const aio_sockaddr *sys, socklen_t len, aio_address *a) {
  size_t head = offsetof(struct sockaddr_un, sun_path);
  /* A datagram from a socket without a name has no address at all. */
  if (len >= head && sys->sa.sa_family != AF_UNIX) return aio_address_copy(a, &sys->sa);
  memset(a, 0, sizeof *a);
  a->path_len = len > head ? len - head : 0;
  if (a->path_len && sys->un.sun_path[0]) a->path_len = strnlen(sys->un.sun_path, a->path_len);
  if (a->path_len >= AIO_PATH_MAX) a->path_len = AIO_PATH_MAX - 1;
  memcpy(a->path, sys->un.sun_path, a->path_len);
  return 0;
}

int aio_fd_address(int fd, bool peer, aio_address *a) {
  aio_sockaddr sys;
  socklen_t len = sizeof sys;
  if ((peer ? getpeername : getsockname)(fd, &sys.sa, &len) < 0) return -errno;
  return aio_fd_read_address(&sys, len, a);
}
