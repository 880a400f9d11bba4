/* SPDX-License-Identifier: MIT
 *
 * Children on Windows: there is no SIGCHLD, and a process that has ended leaves nothing behind. */
#include <io.h>

#include "core/child.h"

bool aio_child_has_fd(int fd) {
  return _get_osfhandle(fd) > 0;
}

void aio_child_cover(void) {}

void aio_child_uncover(void (*stop)(void *arg), void *arg) {
  stop(arg);
}

void aio_child_reap(int pid) {
  (void)pid;
}
