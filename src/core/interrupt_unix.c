/* SPDX-License-Identifier: MIT
 *
 * Ctrl-C on POSIX systems: a sigaction, since libuv would deliver only when the loop polls. A
 * handler that a loop has for SIGINT or SIGPIPE goes before it; ours then comes into force when
 * that one is removed. Invariant: between start and stop the former dispositions are kept here, and
 * what somebody else has set meanwhile is left alone. */
#include "core/interrupt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "core/disposition_unix.h"

static struct {
  atomic_flag taken;
  aio_interrupt_fn *fn;
  _Atomic(void *) arg; /* other threads look whether it is theirs */
  pthread_t thread;
  volatile sig_atomic_t count;
  struct sigaction sigint, sigpipe; /* as they were */
  bool has_sigint, has_sigpipe;     /* ours stands in their place */
} active = {.taken = ATOMIC_FLAG_INIT};

static struct sigaction action(void (*handler)(int)) {
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = handler;
  sa.sa_flags = SA_RESTART;
  sigemptyset(&sa.sa_mask);
  return sa;
}

static void set_handler(int sig, void (*handler)(int)) {
  struct sigaction sa = action(handler);
  aio_disposition_set(sig, &sa);
}

static void on_sigint(int sig) {
  int saved = errno;
  if (!pthread_equal(pthread_self(), active.thread)) {
    pthread_kill(active.thread, sig);
  } else {
    int count = active.count + 1;
    active.count = count;
    if (count >= 2) {
      struct sigaction sa = action(SIG_DFL);
      sigaction(SIGINT, &sa, NULL);
    }
    active.fn(active.arg, count);
  }
  errno = saved;
}

static bool plain_handler(const struct sigaction *sa, void (*handler)(int)) {
  return !(sa->sa_flags & SA_SIGINFO) && sa->sa_handler == handler;
}

bool aio_interrupt_start(aio_interrupt_fn *fn, void *arg) {
  if (atomic_flag_test_and_set(&active.taken)) return false;
  active.fn = fn;
  active.arg = arg;
  active.thread = pthread_self();
  active.count = 0;
  aio_disposition_get(SIGPIPE, &active.sigpipe);
  active.has_sigpipe = plain_handler(&active.sigpipe, SIG_DFL);
  if (active.has_sigpipe) set_handler(SIGPIPE, SIG_IGN);
  aio_disposition_get(SIGINT, &active.sigint);
  active.has_sigint = !plain_handler(&active.sigint, SIG_IGN);
  if (active.has_sigint) set_handler(SIGINT, on_sigint);
  return true;
}

/* Is the disposition still what we have set? */
static bool still_ours(int sig, void (*first)(int), void (*second)(int)) {
  struct sigaction now;
  aio_disposition_get(sig, &now);
  return plain_handler(&now, first) || plain_handler(&now, second);
}

void aio_interrupt_stop(void *arg) {
  if (!arg || atomic_load(&active.arg) != arg) return;
  if (active.has_sigint && still_ours(SIGINT, on_sigint, SIG_DFL))
    aio_disposition_set(SIGINT, &active.sigint);
  if (active.has_sigpipe && still_ours(SIGPIPE, SIG_IGN, SIG_IGN))
    aio_disposition_set(SIGPIPE, &active.sigpipe);
  active.arg = NULL;
  atomic_flag_clear(&active.taken);
}
