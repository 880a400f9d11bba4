/* SPDX-License-Identifier: MIT
 *
 * Dispositions on POSIX systems. Invariant: while `covers[sig]` is not 0 the signal has libuv's
 * handler, and `below[sig]` is what will be in force after that. */
#include "core/disposition.h"

#include <pthread.h>
#include <stdbool.h>

#include "core/disposition_unix.h"

#ifndef NSIG
#define NSIG 65
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned covers[NSIG];
static struct sigaction below[NSIG];

void aio_disposition_cover(int sig) {
  pthread_mutex_lock(&lock);
  if (covers[sig]++ == 0) sigaction(sig, NULL, &below[sig]);
  pthread_mutex_unlock(&lock);
}

static bool is_default(const struct sigaction *sa) {
  return !(sa->sa_flags & SA_SIGINFO) && sa->sa_handler == SIG_DFL;
}

/* What somebody else has set meanwhile is left alone. */
static void put_back(int sig) {
  struct sigaction now;
  pthread_mutex_lock(&lock);
  if (--covers[sig] == 0) {
    sigaction(sig, NULL, &now);
    if (is_default(&now) && !is_default(&below[sig])) sigaction(sig, &below[sig], NULL);
  }
  pthread_mutex_unlock(&lock);
}

void aio_disposition_uncover(int sig, void (*stop)(void *arg), void *arg) {
  sigset_t one, before;
  sigemptyset(&one);
  sigaddset(&one, sig);
  pthread_sigmask(SIG_BLOCK, &one, &before);
  stop(arg);
  put_back(sig);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void aio_disposition_get(int sig, struct sigaction *sa) {
  pthread_mutex_lock(&lock);
  if (covers[sig])
    *sa = below[sig];
  else
    sigaction(sig, NULL, sa);
  pthread_mutex_unlock(&lock);
}

void aio_disposition_set(int sig, const struct sigaction *sa) {
  pthread_mutex_lock(&lock);
  if (covers[sig])
    below[sig] = *sa;
  else
    sigaction(sig, sa, NULL);
  pthread_mutex_unlock(&lock);
}
