/* SPDX-License-Identifier: MIT
 *
 * Descriptors of the process on Unix, see the header. aio_stdio_secure is called before a loop
 * opens descriptors of its own. */
#include "core/stdio.h"

#include <errno.h>
#include <fcntl.h>

enum { STDIN, STDERR = 2 };

int aio_stdio_secure(void) {
  for (int fd = STDIN; fd <= STDERR; fd++) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    if (open("/dev/null", O_RDWR) < 0) return -errno; /* takes the lowest number */
  }
  return 0;
}

int aio_stdio_inherit(int fd, bool inherit) {
  return fcntl(fd, F_SETFD, inherit ? 0 : FD_CLOEXEC) < 0 ? -errno : 0;
}
