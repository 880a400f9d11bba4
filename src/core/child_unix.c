/* SPDX-License-Identifier: MIT
 *
 * Children on Unix: SIGCHLD, and those that outlive their loop, whose end nobody else would take
 * from the system. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "core/child.h"
#include "core/disposition.h"
#include "core/thread.h"

bool aio_child_has_fd(int fd) {
  return fcntl(fd, F_GETFD) >= 0;
}

void aio_child_cover(void) {
  aio_disposition_cover(SIGCHLD);
}

void aio_child_uncover(void (*stop)(void *arg), void *arg) {
  aio_disposition_uncover(SIGCHLD, stop, arg);
}

static void reap(void *arg) {
  pid_t pid = (pid_t)(intptr_t)arg; /* stays its own until it is waited for here */
  int status;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
}

/* Without a thread it stays a zombie until this process ends. */
void aio_child_reap(int pid) {
  int status;
  if (waitpid(pid, &status, WNOHANG) == pid) return;
  aio_thread_detached(reap, (void *)(intptr_t)pid);
}
