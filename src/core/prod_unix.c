/* SPDX-License-Identifier: MIT
 *
 * Prods on POSIX systems: SIGURG, which is ignored where nobody asks for it. Called by worker
 * threads and by whoever stops one. Invariant: cells are never freed, only used again, so the
 * handler may walk their list at any time. */
#include "core/prod.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNAL = SIGURG };

struct aio_prod {
  struct aio_prod *next;
  atomic_bool used;          /* somebody has this cell */
  atomic_bool live;          /* its thread may be prodded: the fields below are set */
  _Atomic(pthread_t) thread; /* the handler of another one may look while a cell changes hands */
  void (*fn)(void *arg);
  void *arg;
};

static _Atomic(struct aio_prod *) cells;
static uv_once_t once = UV_ONCE_INIT;
static struct sigaction former; /* what was there before our handler */

static void hand_on(int sig, siginfo_t *info, void *context) {
  if (former.sa_flags & SA_SIGINFO) {
    former.sa_sigaction(sig, info, context);
  } else if (former.sa_handler != SIG_IGN && former.sa_handler != SIG_DFL) {
    former.sa_handler(sig);
  }
}

static void on_signal(int sig, siginfo_t *info, void *context) {
  int saved = errno;
  pthread_t self = pthread_self();
  for (aio_prod *p = atomic_load(&cells); p; p = p->next) {
    if (!atomic_load(&p->live) || !pthread_equal(atomic_load(&p->thread), self)) continue;
    p->fn(p->arg);
    errno = saved;
    return;
  }
  hand_on(sig, info, context);
  errno = saved;
}

static void install(void) {
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_sigaction = on_signal;
  sa.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&sa.sa_mask);
  sigaction(SIGNAL, &sa, &former);
}

/* What a thread must never have blocked: faults of its own. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGNAL};

int aio_prod_thread(uv_thread_t *thread, void (*fn)(void *arg), void *arg) {
  sigset_t all, before;
  sigfillset(&all);
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int err = uv_thread_create(thread, fn, arg);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return err;
}

void aio_prod_detach(void) {
  pthread_detach(pthread_self());
}

/* A cell that is free, or a new one at the head of the list. */
static aio_prod *cell(void) {
  for (aio_prod *p = atomic_load(&cells); p; p = p->next)
    if (!atomic_exchange(&p->used, true)) return p;
  aio_prod *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  atomic_init(&p->used, true);
  atomic_init(&p->live, false);
  atomic_init(&p->thread, pthread_self());
  p->next = atomic_load(&cells);
  while (!atomic_compare_exchange_weak(&cells, &p->next, p)) {
  }
  return p;
}

aio_prod *aio_prod_enter(void (*fn)(void *arg), void *arg) {
  aio_prod *p = cell();
  if (!p) return NULL;
  atomic_store(&p->thread, pthread_self());
  p->fn = fn;
  p->arg = arg;
  atomic_store(&p->live, true);
  return p;
}

void aio_prod_leave(aio_prod *p) {
  if (!p) return;
  atomic_store(&p->live, false);
  atomic_store(&p->used, false);
}

void aio_prod_send(aio_prod *p) {
  uv_once(&once, install);
  pthread_kill(atomic_load(&p->thread), SIGNAL);
}
