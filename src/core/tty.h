/* SPDX-License-Identifier: MIT
 *
 * Modes and size of ttys. A mode belongs to the terminal, not to one descriptor or process, so what
 * was changed is put back when the stream closes, when its loop closes and when the process ends.
 */
#ifndef AIO_CORE_TTY_H
#define AIO_CORE_TTY_H

#include "core/stream.h"

enum aio_tty_mode {
  AIO_TTY_NORMAL, /* as it was found */
  AIO_TTY_CBREAK, /* byte by byte, no echo; Ctrl-C and Ctrl-Z are still signals */
  AIO_TTY_RAW,    /* byte by byte, no echo, no signals; output is still translated */
};

typedef struct aio_tty_ops {
  int (*set_mode)(aio_source *src, enum aio_tty_mode mode);
  int (*size)(aio_source *src, int *columns, int *rows);
} aio_tty_ops;

#endif
