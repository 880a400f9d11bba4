/* SPDX-License-Identifier: MIT
 *
 * Descriptors that somebody else has opened, see the header.
 *
 * Some facts about O_NONBLOCK. It belongs to the open file description, which a process shares with
 * the one that started it and with everybody to whom either gives the descriptor: a program that
 * sets it on its stdin makes the shell's reads, and its own `print`, fail with EAGAIN, also long
 * after it was killed. Sockets need no flag (MSG_DONTWAIT). Pipes, FIFOs and ttys can be opened
 * once more through /proc, which makes a description of one's own. Where that fails (no /proc, no
 * permission, a master of a pseudo terminal, of which that would make another one), the description
 * stays blocking, and pipe_unix.c does only what a poll has just said not to block. */
#include "core/descriptor_unix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

enum { FIRST_FREE = 3 }; /* duplicates never stand in for stdin, stdout or stderr */

static int socket_option(int fd, int name) {
  int value = 0;
  socklen_t len = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -errno : value;
}

static int look_at_socket(int fd, const char **call) {
  struct sockaddr_storage sa;
  socklen_t len = sizeof sa;
  *call = "getsockopt";
  int type = socket_option(fd, SO_TYPE);
  if (type < 0) return type;
  if (type != SOCK_STREAM) return UV_EPROTOTYPE;
  *call = "getpeername";
  return getpeername(fd, (struct sockaddr *)&sa, &len) < 0 ? -errno : 0;
}

#ifdef TIOCGPTN

static bool is_master(int fd) {
  unsigned number;
  return ioctl(fd, TIOCGPTN, &number) == 0;
}

#else

static bool is_master(int fd) {
  return ptsname(fd) != NULL;
}

#endif

int aio_descriptor_look(int fd, aio_descriptor *d, const char **call) {
  struct stat st;
  *call = "fcntl";
  memset(d, 0, sizeof *d);
  d->fd = fd;
  d->flags = fcntl(fd, F_GETFL);
  if (d->flags < 0) return -errno;
  *call = "fstat";
  if (fstat(fd, &st) < 0) return -errno;
  d->reads = (d->flags & O_ACCMODE) != O_WRONLY;
  d->writes = (d->flags & O_ACCMODE) != O_RDONLY;
  if (S_ISSOCK(st.st_mode)) {
    d->kind = AIO_DESCRIPTOR_SOCKET;
    return look_at_socket(fd, call);
  }
  *call = "open";
  if (S_ISDIR(st.st_mode)) return UV_EISDIR;
  d->kind = AIO_DESCRIPTOR_FILE;
  if (S_ISFIFO(st.st_mode)) d->kind = AIO_DESCRIPTOR_PIPE;
  if (S_ISCHR(st.st_mode)) d->kind = isatty(fd) ? AIO_DESCRIPTOR_TTY : AIO_DESCRIPTOR_DEVICE;
  d->master = d->kind == AIO_DESCRIPTOR_TTY && is_master(fd);
  return 0;
}

/* A description of one's own, non-blocking; or -1. */
static int open_again(const aio_descriptor *d) {
  char path[sizeof "/proc/self/fd/" + 3 * sizeof(int)];
  bool can = d->kind == AIO_DESCRIPTOR_PIPE || (d->kind == AIO_DESCRIPTOR_TTY && !d->master);
  if (!can) return -1;
  snprintf(path, sizeof path, "/proc/self/fd/%d", d->fd);
  return open(path, (d->flags & O_ACCMODE) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

static bool already_fine(const aio_descriptor *d) {
  return d->kind == AIO_DESCRIPTOR_FILE || d->kind == AIO_DESCRIPTOR_SOCKET ||
         (d->flags & O_NONBLOCK);
}

int aio_descriptor_take(aio_descriptor *d, bool own) {
  int again = already_fine(d) ? -1 : open_again(d);
  d->blocks = again < 0 && !already_fine(d);
  if (!own) {
    d->fd = again >= 0 ? again : fcntl(d->fd, F_DUPFD_CLOEXEC, FIRST_FREE);
    return d->fd < 0 ? -errno : 0;
  }
  /* The number stays: others may know it. */
  int err = 0;
  if (again < 0)
    err = fcntl(d->fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
  else if (dup2(again, d->fd) < 0 || fcntl(d->fd, F_SETFD, FD_CLOEXEC) < 0)
    err = -errno;
  if (again >= 0) {
    close(again);
    d->flags |= O_NONBLOCK;
  }
  return err;
}

void aio_descriptor_unpolled(const aio_descriptor *d) {
  if (!(d->flags & O_NONBLOCK)) fcntl(d->fd, F_SETFL, d->flags);
}
