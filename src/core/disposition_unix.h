/* SPDX-License-Identifier: MIT
 *
 * For interrupt_unix.c: dispositions below the handlers of loops. While a signal is covered these
 * two tell and change what will be put back. */
#ifndef AIO_CORE_DISPOSITION_UNIX_H
#define AIO_CORE_DISPOSITION_UNIX_H

#include <signal.h>

void aio_disposition_get(int sig, struct sigaction *sa);
void aio_disposition_set(int sig, const struct sigaction *sa);

#endif
