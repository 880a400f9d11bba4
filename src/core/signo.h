/* SPDX-License-Identifier: MIT
 *
 * Names of signals: "SIGTERM" and its number on this system. */
#ifndef AIO_CORE_SIGNO_H
#define AIO_CORE_SIGNO_H

#include <stdbool.h>

/* The number of the signal of this name, 0 when this system has none. */
int aio_signo_of(const char *name);
/* The name of a signal, NULL when it has none. */
const char *aio_signo_name(int sig);
/* Is there a signal of this number? */
bool aio_signo_exists(int sig);
/* Can a program react to it? */
bool aio_signo_catchable(int sig);

#endif
