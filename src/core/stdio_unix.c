/* SPDX-License-Identifier: MIT
 *
 * Descriptors 0 to 2 on Unix, see the header; called before a loop opens descriptors of its own. */
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
