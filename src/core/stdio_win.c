/* SPDX-License-Identifier: MIT
 *
 * Descriptors 0 to 2 on Windows: handles of the loop have no such numbers. */
#include "core/stdio.h"

int aio_stdio_secure(void) {
  return 0;
}
