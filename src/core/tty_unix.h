/* SPDX-License-Identifier: MIT
 *
 * Terminal modes by termios, for pipe_unix.c. An aio_tty_saved is a mode that was changed; it is
 * put back by aio_tty_restore, or when the process ends. */
#ifndef AIO_CORE_TTY_UNIX_H
#define AIO_CORE_TTY_UNIX_H

#include "core/tty.h"

typedef struct aio_tty_saved aio_tty_saved;

/* Changes the mode of the tty `fd`, which stays open until the mode is put back; *saved is NULL
 * exactly while the mode is as it was found. 0 or a libuv error code. */
int aio_tty_change(int fd, enum aio_tty_mode mode, aio_tty_saved **saved);
void aio_tty_restore(aio_tty_saved **saved);
int aio_tty_size(int fd, int *columns, int *rows);

#endif
