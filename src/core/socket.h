/* SPDX-License-Identifier: MIT
 *
 * TCP and Unix sockets as sources of streams. One file for each kind of system: socket_unix.c over
 * descriptors of our own, socket_uv.c over libuv's streams. */
#ifndef AIO_CORE_SOCKET_H
#define AIO_CORE_SOCKET_H

#include "core/sock.h"
#include "core/stream.h"

typedef struct aio_socket_opts {
  bool nodelay, keepalive; /* TCP only */
} aio_socket_opts;

/* Connects the new stream `s` to an address; `local` may be NULL. 0: it is under way or done (the
 * state says which; waits in `writers` wake when it ends, `write_error` says how). Otherwise an
 * error code, with the name of the failed *call; then the stream is as it was. */
int aio_socket_connect(aio_stream *s, const aio_address *to, const aio_address *local,
                       const aio_socket_opts *opts, const char **call);

/* Makes a connected socket that the user made, which is non-blocking, the source of the new stream
 * `s`, open and without delays. 0 or an error code; then `fd` is the caller's as before. */
int aio_socket_take(aio_stream *s, aio_sock fd, bool is_unix);

#endif
