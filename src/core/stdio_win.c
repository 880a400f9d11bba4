/* SPDX-License-Identifier: MIT
 *
 * Descriptors of the process on Windows: handles of the loop have no such numbers. */
#include "core/stdio.h"

#include <uv.h>

int aio_stdio_secure(void) {
  return 0;
}

int aio_stdio_inherit(int fd, bool inherit) {
  (void)fd;
  return inherit ? UV_ENOTSUP : 0;
}
