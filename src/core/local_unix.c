/* SPDX-License-Identifier: MIT
 *
 * Unix sockets: credentials of the peer and descriptors beside the bytes, see the header. Called by
 * sockets and by the Lua face. Invariant: a descriptor that the kernel has delivered is in the box
 * or closed again when a function returns. */
#include "core/local.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif
#ifdef MSG_CMSG_CLOEXEC
enum { RECEIVE_FLAGS = MSG_DONTWAIT | MSG_CMSG_CLOEXEC };
#else
enum { RECEIVE_FLAGS = MSG_DONTWAIT };
#endif

/* Room for the descriptors of one message, aligned as the kernel wants it. */
typedef union aio_control {
  struct cmsghdr align;
  char room[CMSG_SPACE(AIO_FDS_MAX * sizeof(int))];
} aio_control;

#ifdef SO_PEERCRED

int aio_local_peercred(int fd, aio_peercred *cred) {
  struct ucred c;
  socklen_t len = sizeof c;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) < 0) return -errno;
  *cred = (aio_peercred){c.pid, (long)c.uid, (long)c.gid};
  return 0;
}

#else

int aio_local_peercred(int fd, aio_peercred *cred) {
  uid_t uid;
  gid_t gid;
  if (getpeereid(fd, &uid, &gid) < 0) return -errno;
  *cred = (aio_peercred){-1, (long)uid, (long)gid};
  return 0;
}

#endif

ptrdiff_t aio_local_send(int fd, uv_buf_t buf, const int *fds, size_t n) {
  aio_control control;
  struct iovec iov = {buf.base, buf.len};
  struct msghdr msg = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = CMSG_SPACE(n * sizeof *fds)};
  memset(&control, 0, sizeof control);
  struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(n * sizeof *fds);
  memcpy(CMSG_DATA(c), fds, n * sizeof *fds);
  ssize_t sent;
  do sent = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return sent;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : -errno;
}

/* Puts the descriptors of one control message into the box; false when some did not fit. */
static bool put_all(const struct cmsghdr *c, aio_fdbox *box) {
  bool all = true;
  size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (size_t i = 0; i < n; i++) {
    int fd;
    memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    all &= aio_fdbox_put(box, fd);
  }
  return all;
}

ptrdiff_t aio_local_receive(int fd, const uv_buf_t *space, unsigned n, aio_fdbox *box) {
  aio_control control;
  struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)space,
                       .msg_iovlen = n,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
  ssize_t got;
  do got = recvmsg(fd, &msg, RECEIVE_FLAGS);
  while (got < 0 && errno == EINTR);
  if (got < 0) return -errno;
  size_t before = box->n;
  box->received += (uint64_t)got;
  bool all = !(msg.msg_flags & MSG_CTRUNC);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) all &= put_all(c, box);
  }
  if (all) return got;
  /* Its bytes are lost too: what is left of it would pass for that of a message before. */
  aio_fdbox_drop(box, before);
  box->received -= (uint64_t)got;
  return UV_EMFILE;
}
