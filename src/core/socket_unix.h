/* SPDX-License-Identifier: MIT
 *
 * What listener_unix.c needs of socket_unix.c. An aio_socket is a source over a descriptor of ours;
 * before `attach` it has none and is freed by aio_socket_free, after that by its `close`. */
#ifndef AIO_CORE_SOCKET_UNIX_H
#define AIO_CORE_SOCKET_UNIX_H

#include "core/stream.h"

typedef struct aio_socket aio_socket;

/* A socket without a descriptor, or NULL when memory is out. */
aio_socket *aio_socket_new(aio_loop *l);
void aio_socket_free(aio_socket *sk);
/* From now on it keeps at most `max` received descriptors; false when memory is out. */
bool aio_socket_keep_fds(aio_socket *sk, size_t max);
/* Gives it a connected descriptor, which is its own from now on, and makes it the source of `s`,
 * open and reading. `peer` may be of another family than IP. On an error `sk` and `fd` are gone
 * and the stream is closed. */
int aio_socket_attach(aio_socket *sk, int fd, const aio_ip *peer, aio_stream *s);
/* Makes a connected socket that somebody else has opened the source of `s`, open. `flags` are those
 * of its file description, which stay as they are. On an error `fd` is the caller's as before. */
int aio_socket_adopt(aio_stream *s, int fd, int flags);

#endif
