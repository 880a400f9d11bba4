/* SPDX-License-Identifier: MIT
 *
 * Opening socket descriptors on Unix: non-blocking, closed on exec, and without SIGPIPE, in as few
 * system calls as the system allows. For the other *_unix.c files of this floor. Every function
 * returns a descriptor or 0, or a libuv error code. */
#ifndef AIO_CORE_FD_UNIX_H
#define AIO_CORE_FD_UNIX_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/address.h"

/* The system's form of an address. */
typedef union aio_sockaddr {
  struct sockaddr sa;
  struct sockaddr_un un;
  aio_ip ip;
} aio_sockaddr;

/* Fills it in; its length. */
socklen_t aio_fd_fill(aio_sockaddr *sys, const aio_address *a);
/* Reads one that the system gave, of length `len`. */
int aio_fd_read_address(const aio_sockaddr *sys, socklen_t len, aio_address *a);

/* `type` is SOCK_STREAM, SOCK_DGRAM or another; `proto` 0: the usual one. */
int aio_fd_socket(int family, int type, int proto);
/* Makes a descriptor from elsewhere what those of the functions here are. */
int aio_fd_prepare(int fd);
/* Two Unix sockets that are connected to each other. */
int aio_fd_pair(int type, int proto, int fds[2]);
int aio_fd_accept(int listening, struct sockaddr *peer, socklen_t *len);
int aio_fd_option(int fd, int level, int name, int value);
/* The pending error of a socket, taken from it; 0: none. */
int aio_fd_error(int fd);
int aio_fd_bind(int fd, const aio_address *a);
int aio_fd_connect(int fd, const aio_address *a);
/* Has a connect that was in progress succeeded already? On the loopback it mostly has. */
bool aio_fd_connected(int fd);
/* One's own or the peer's address. */
int aio_fd_address(int fd, bool peer, aio_address *a);

#endif
