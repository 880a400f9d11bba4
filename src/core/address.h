/* SPDX-License-Identifier: MIT
 *
 * Where a socket is bound or connected: an IP address with its port, or a path. Plain data, used by
 * the sockets of floor 2 and shown by floor 3. Invariant: `path_len` is 0 for an IP address. */
#ifndef AIO_CORE_ADDRESS_H
#define AIO_CORE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

enum { AIO_PATH_MAX = 108, AIO_HOST_MAX = INET6_ADDRSTRLEN + 32 /* a scope: "%eth0" */ };

typedef union aio_ip {
  struct sockaddr sa;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} aio_ip;

typedef struct aio_address {
  aio_ip ip;
  size_t path_len; /* > 0: a Unix socket; a path that begins with '\0' is an abstract name */
  char path[AIO_PATH_MAX];
} aio_address;

/* An IP address in digits, "127.0.0.1" or "fe80::1%eth0". 0 or a libuv error code. */
int aio_address_ip(aio_address *a, const char *host, int port);
/* A path; UV_ENAMETOOLONG when it does not fit. */
int aio_address_path(aio_address *a, const char *path, size_t len);
/* A copy of what the system gave; UV_EAFNOSUPPORT when it is of no family that we know. */
int aio_address_copy(aio_address *a, const struct sockaddr *sa);
/* The size of an IP address's structure. */
int aio_ip_size(const aio_ip *ip);
int aio_ip_port(const aio_ip *ip);
/* The host in digits, with its scope. */
int aio_ip_host(const aio_ip *ip, char *host, size_t size);

#endif
