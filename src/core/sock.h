/* SPDX-License-Identifier: MIT
 *
 * Sockets as the system has them, below streams: one function for each system call, and nothing
 * that waits. Descriptors are non-blocking, closed on exec, and raise no SIGPIPE. Every function
 * returns 0 or a count, or a libuv error code. One file for each kind of system. */
#ifndef AIO_CORE_SOCK_H
#define AIO_CORE_SOCK_H

#include "core/address.h"

typedef uv_os_sock_t aio_sock;

/* What has no socket. */
#define AIO_SOCK_NONE ((aio_sock)-1)

/* libuv has no name for EINPROGRESS. */
enum { AIO_SOCK_CONNECTING = -5010 };

enum aio_sock_end { AIO_SOCK_RECEIVING, AIO_SOCK_SENDING, AIO_SOCK_BOTH };

int aio_sock_open(int family, int type, int proto, aio_sock *s);
/* Takes over a descriptor that is open already, and tells what it is. */
int aio_sock_adopt(aio_sock s, int *family, int *type);
/* Two that are connected to each other. */
int aio_sock_pair(int type, int proto, aio_sock pair[2]);
void aio_sock_close(aio_sock s);
int aio_sock_bind(aio_sock s, const aio_address *a);
int aio_sock_listen(aio_sock s, int backlog);
/* AIO_SOCK_CONNECTING: it is under way. */
int aio_sock_connect(aio_sock s, const aio_address *a);
int aio_sock_accept(aio_sock s, aio_sock *accepted, aio_address *peer);
/* `to` may be NULL. UV_EAGAIN: not now. */
ptrdiff_t aio_sock_send(aio_sock s, const char *ptr, size_t len, const aio_address *to);
/* `from` may be NULL. */
ptrdiff_t aio_sock_recv(aio_sock s, char *ptr, size_t len, aio_address *from);
int aio_sock_shutdown(aio_sock s, enum aio_sock_end end);
/* One's own or the peer's address. */
int aio_sock_address(aio_sock s, bool peer, aio_address *a);
int aio_sock_set(aio_sock s, int level, int name, const void *value, size_t len);
int aio_sock_get(aio_sock s, int level, int name, void *value, size_t *len);
/* Sets or reads SO_LINGER: seconds, < 0: off. */
int aio_sock_set_linger(aio_sock s, int seconds);
int aio_sock_get_linger(aio_sock s, int *seconds);

#endif
