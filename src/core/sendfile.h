/* SPDX-License-Identifier: MIT
 *
 * A part of a regular file that is being sent to a socket: by the kernel, without the bytes coming
 * here, or, where it refuses, by reading them. It works on a duplicate of the descriptor, so that
 * nobody can close it meanwhile; the position of the file is shared, and set at the end. Used by
 * streams and plain sockets. Invariant: `fd` is -1 before the opening and after the close. */
#ifndef AIO_CORE_SENDFILE_H
#define AIO_CORE_SENDFILE_H

#include <stdio.h>

#include "core/sock.h"

/* The most that one call sends, since reading a file may block; and that one call reads. As much as
 * Linux's TCP lets a socket hold: with 1 MiB, which seldom fills it, sending took a sixth more of
 * the processor's time. */
#ifdef AIO_HOSTILE
enum { AIO_FILE_CHUNK = 1000, AIO_FILE_READ = 100 };
#else
enum { AIO_FILE_CHUNK = 4 * 1024 * 1024, AIO_FILE_READ = 64 * 1024 };
#endif

typedef struct aio_file_part {
  int fd;
  int64_t start, at, end; /* the first byte, the next one, and where it ends */
} aio_file_part;

/* Opens `count` bytes of the file from `offset` on; count < 0: all to its end. 0 or an error code,
 * UV_ENOTSUP when it is no regular file. */
int aio_file_part_open(aio_file_part *p, int fd, int64_t offset, int64_t count);
/* How many bytes to send next, at most; 0: none is left. */
size_t aio_file_part_next(const aio_file_part *p, size_t most);
/* Sends some and counts them; 0: all was sent, or the file ends here. UV_EAGAIN: not now;
 * UV_ENOTSUP: the kernel does not do it for these two; or another error code. */
ptrdiff_t aio_file_part_send(aio_file_part *p, aio_sock to);
/* Reads the next bytes without counting them. 0: as above. */
ptrdiff_t aio_file_part_read(const aio_file_part *p, char *room, size_t len);
/* Sets the position behind what was sent, when `seek`, and closes. May be repeated. */
void aio_file_part_close(aio_file_part *p, bool seek);

/* ---- one file for each kind of system: sendfile_unix.c, sendfile_win.c ---- */

/* A duplicate, closed on exec, or an error code. */
int aio_file_dup(int fd);
void aio_file_seek(int fd, int64_t position);
/* The same for a C file, which has a buffer. */
void aio_file_seek_stdio(FILE *f, int64_t position);
void aio_file_close(int fd);
/* One system call: a count, UV_EAGAIN, UV_ENOTSUP or another error code. Raises no SIGPIPE. */
ptrdiff_t aio_file_send(aio_sock to, int fd, int64_t at, size_t len);

#endif
