/* SPDX-License-Identifier: MIT
 *
 * What listener_uv.c needs of socket_uv.c. An aio_socket is a source over a uv_tcp_t, a
 * uv_pipe_t or a uv_tty_t; until a stream has it, aio_socket_drop gets rid of it, after that its
 * `close`. */
#ifndef AIO_CORE_SOCKET_UV_H
#define AIO_CORE_SOCKET_UV_H

#include "core/stream.h"

typedef struct aio_socket aio_socket;

/* A new socket, or NULL with *err. */
aio_socket *aio_socket_new(aio_loop *l, bool pipe, int *err);
void aio_socket_drop(aio_socket *sk);
/* For uv_accept. */
uv_stream_t *aio_socket_handle(aio_socket *sk);
/* The accepted socket becomes the source of `s`, open and reading. On an error both are closed. */
int aio_socket_attach(aio_socket *sk, aio_stream *s);
/* Makes a descriptor (UV_TCP, UV_NAMED_PIPE or UV_TTY) the source of `s`, open. On an error it is
 * the caller's as before. */
int aio_socket_open_fd(aio_stream *s, int fd, uv_handle_type type);

#endif
