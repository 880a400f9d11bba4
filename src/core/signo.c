/* SPDX-License-Identifier: MIT
 *
 * The table of the signals that this system knows. Invariant: of several names of one number the
 * first is the one that is told. */
#include "core/signo.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <uv.h> /* gives Windows the names that libuv knows there */

#ifndef NSIG
#define NSIG 65
#endif

static const struct {
  const char *name;
  int number;
} table[] = {
    {"SIGHUP", SIGHUP},       {"SIGINT", SIGINT},   {"SIGILL", SIGILL},   {"SIGABRT", SIGABRT},
    {"SIGFPE", SIGFPE},       {"SIGKILL", SIGKILL}, {"SIGSEGV", SIGSEGV}, {"SIGTERM", SIGTERM},
    {"SIGWINCH", SIGWINCH},
#ifdef SIGUSR1 /* POSIX */
    {"SIGQUIT", SIGQUIT},     {"SIGTRAP", SIGTRAP}, {"SIGBUS", SIGBUS},   {"SIGUSR1", SIGUSR1},
    {"SIGUSR2", SIGUSR2},     {"SIGPIPE", SIGPIPE}, {"SIGALRM", SIGALRM}, {"SIGCHLD", SIGCHLD},
    {"SIGCONT", SIGCONT},     {"SIGSTOP", SIGSTOP}, {"SIGTSTP", SIGTSTP}, {"SIGTTIN", SIGTTIN},
    {"SIGTTOU", SIGTTOU},     {"SIGURG", SIGURG},   {"SIGXCPU", SIGXCPU}, {"SIGXFSZ", SIGXFSZ},
    {"SIGVTALRM", SIGVTALRM}, {"SIGPROF", SIGPROF}, {"SIGIO", SIGIO},     {"SIGSYS", SIGSYS},
#endif
#ifdef SIGPWR
    {"SIGPWR", SIGPWR},
#endif
#ifdef SIGINFO
    {"SIGINFO", SIGINFO},
#endif
#ifdef SIGBREAK
    {"SIGBREAK", SIGBREAK},
#endif
};

enum { KNOWN = sizeof table / sizeof table[0] };

int aio_signo_of(const char *name) {
  for (int i = 0; i < KNOWN; i++) {
    if (strcmp(table[i].name, name) == 0) return table[i].number;
  }
  return 0;
}

const char *aio_signo_name(int sig) {
  for (int i = 0; i < KNOWN; i++) {
    if (table[i].number == sig) return table[i].name;
  }
  return NULL;
}

bool aio_signo_exists(int sig) {
  return sig > 0 && sig < NSIG;
}

bool aio_signo_catchable(int sig) {
  const char *name = aio_signo_name(sig);
  return !name || (strcmp(name, "SIGKILL") != 0 && strcmp(name, "SIGSTOP") != 0);
}
