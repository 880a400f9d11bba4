/* SPDX-License-Identifier: MIT
 *
 * Opening socket descriptors on Unix: non-blocking, closed on exec, and without SIGPIPE, in as few
 * system calls as the system allows. For the other *_unix.c files of this floor. Every function
 * returns a descriptor or 0, or a libuv error code. */
#ifndef AIO_CORE_FD_UNIX_H
#define AIO_CORE_FD_UNIX_H

#include <stdbool.h>
#include <sys/socket.h>

#include "core/address.h"

int aio_fd_socket(int family);
int aio_fd_accept(int listening, struct sockaddr *peer, socklen_t *len);
int aio_fd_option(int fd, int level, int name, int value);
/* The pending error of a socket, taken from it; 0: none. */
int aio_fd_error(int fd);
int aio_fd_bind(int fd, const aio_address *a);
int aio_fd_connect(int fd, const aio_address *a);
/* One's own or the peer's address. */
int aio_fd_address(int fd, bool peer, aio_address *a);

#endif
