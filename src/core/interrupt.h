/* SPDX-License-Identifier: MIT
 *
 * Ctrl-C while a loop runs. Called by `run`, never by a loop that a host steps. The disposition of
 * a signal belongs to the process, so this is the one place with a static variable: whoever starts
 * first has Ctrl-C until it stops, everyone else does without. One file per system. */
#ifndef AIO_CORE_INTERRUPT_H
#define AIO_CORE_INTERRUPT_H

#include <stdbool.h>

/* Called in a signal handler, in the thread that started: only what is async-signal-safe. `count`
 * is 1 for the first Ctrl-C since the start, 2 for the second; the third has its default action. */
typedef void aio_interrupt_fn(void *arg, int count);

/* From now on Ctrl-C calls `fn`, unless it is ignored or somebody has it; and SIGPIPE is ignored
 * when it is at its default. True when this caller has Ctrl-C. */
bool aio_interrupt_start(aio_interrupt_fn *fn, void *arg);
/* Puts the former dispositions back, when it was `arg` who started. */
void aio_interrupt_stop(void *arg);

#endif
