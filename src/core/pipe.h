/* SPDX-License-Identifier: MIT
 *
 * Descriptors that somebody else has opened (pipes, FIFOs, ttys, sockets, files) as sources of
 * streams, and the modes of ttys. One set of files for each kind of system: pipe_unix.c,
 * descriptor_unix.c and tty_unix.c; pipe_uv.c over libuv's streams. Files that no system can wait
 * for are read and written straight, by plain.c.
 *
 * Descriptors 0 to 2, and those of a file that has an owner already, are not taken over: the stream
 * works on a duplicate, and reads only while somebody waits for bytes, since what it has read is
 * gone for the others. */
#ifndef AIO_CORE_PIPE_H
#define AIO_CORE_PIPE_H

#include <stdio.h>

#include "core/stream.h"

enum { AIO_PIPE_READ = 1, AIO_PIPE_WRITE = 2 };

typedef struct aio_pipe_opts {
  bool own;     /* the stream closes the descriptor; on an error it stays the caller's */
  unsigned use; /* AIO_PIPE_*: what it may be used for; 0: what it was opened for */
} aio_pipe_opts;

/* Makes a descriptor the source of the new stream `s`, which is then open. 0, or an error code with
 * the name of the failed *call; then the stream is closed. */
int aio_pipe_open(aio_stream *s, int fd, const aio_pipe_opts *opts, const char **call);
/* The descriptor of a C file. */
int aio_pipe_fileno(FILE *f);

/* A direction that the descriptor was not opened for: reading or writing raises. */
void aio_pipe_limit(aio_stream *s, bool reads, bool writes);

/* ---- plain.c ---- */

/* The same for a descriptor that is always ready. It is the source's own from now on, when this
 * succeeds. */
int aio_plain_open(aio_stream *s, int fd, bool reads, bool writes);

#endif
