/* SPDX-License-Identifier: MIT
 *
 * Makes clock.c a library to preload (LD_PRELOAD), for an interpreter that is not the tests' own.
 */
#include "clock.h"

__attribute__((constructor)) static void begin(void) {
  aio_test_clock_fast();
}
