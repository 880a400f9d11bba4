/* SPDX-License-Identifier: MIT
 *
 * Windows has no dispositions: libuv's console handler stands beside those of others. */
#include "core/disposition.h"

void aio_disposition_cover(int sig) {
  (void)sig;
}

void aio_disposition_uncover(int sig, void (*stop)(void *arg), void *arg) {
  (void)sig;
  stop(arg);
}
