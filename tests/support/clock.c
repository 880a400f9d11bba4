/* SPDX-License-Identifier: MIT
 *
 * Stands before libc's clock_gettime and epoll_pwait: the program's symbols come first for libuv
 * too. Invariant: the clock never goes back. */
#include "clock.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* What other threads and the kernel's own queues are given before the clock jumps. */
#define GRACE_MS 3

#define LOOK_NS   1000 /* so that a program that waits for the time to pass by looking comes on */
#define NS_PER_MS 1000000
#define NS_PER_S  1000000000

static int64_t now_ns; /* 0: the clock is the system's */

static int64_t real_ns(void) {
  struct timespec t;
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

void aio_test_clock_fast(void) {
  if (now_ns == 0) now_ns = real_ns();
}

/* Declared here: the libraries' headers give them attributes that a definition must not have. */
int clock_gettime(clockid_t id, struct timespec *t) {
  bool ours = id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE;
  if (now_ns == 0 || !ours) return (int)syscall(SYS_clock_gettime, id, t);
  int64_t now = __atomic_add_fetch(&now_ns, LOOK_NS, __ATOMIC_RELAXED);
  t->tv_sec = now / NS_PER_S;
  t->tv_nsec = now % NS_PER_S;
  return 0;
}

int epoll_pwait(int fd, struct epoll_event *events, int max, int timeout, const sigset_t *mask) {
  int wait = now_ns != 0 && timeout > GRACE_MS ? GRACE_MS : timeout;
  int n = (int)syscall(SYS_epoll_pwait, fd, events, max, wait, mask, _NSIG / 8);
  if (now_ns != 0 && n == 0 && timeout > 0)
    __atomic_add_fetch(&now_ns, (int64_t)timeout * NS_PER_MS, __ATOMIC_RELAXED);
  return n;
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout) {
  return epoll_pwait(fd, events, max, timeout, NULL);
}
