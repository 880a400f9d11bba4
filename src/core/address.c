/* SPDX-License-Identifier: MIT
 *
 * Addresses to and from text. Sockets and the Lua face call it. Invariant: nothing here asks the
 * system for a name. */
#include "core/address.h"

#include <string.h>

int aio_address_ip(aio_address *a, const char *host, int port) {
  a->path_len = 0;
  memset(&a->ip, 0, sizeof a->ip);
  if (uv_ip4_addr(host, port, &a->ip.v4) == 0) return 0;
  return uv_ip6_addr(host, port, &a->ip.v6);
}

int aio_address_path(aio_address *a, const char *path, size_t len) {
  if (len == 0) return UV_EINVAL;
  if (len >= AIO_PATH_MAX) return UV_ENAMETOOLONG;
  memset(&a->ip, 0, sizeof a->ip);
  memcpy(a->path, path, len);
  a->path[len] = '\0';
  a->path_len = len;
  return 0;
}

int aio_address_copy(aio_address *a, const struct sockaddr *sa) {
  a->path_len = 0;
  memset(&a->ip, 0, sizeof a->ip);
  switch (sa->sa_family) {
  case AF_INET:
    memcpy(&a->ip.v4, sa, sizeof a->ip.v4);
    return 0;
  case AF_INET6:
    memcpy(&a->ip.v6, sa, sizeof a->ip.v6);
    return 0;
  default:
    return UV_EAFNOSUPPORT;
  }
}

int aio_ip_size(const aio_ip *ip) {
  return ip->sa.sa_family == AF_INET6 ? (int)sizeof ip->v6 : (int)sizeof ip->v4;
}

int aio_ip_port(const aio_ip *ip) {
  return ntohs(ip->sa.sa_family == AF_INET6 ? ip->v6.sin6_port : ip->v4.sin_port);
}

/* As uv_ip4_name, which goes through snprintf and takes ten times as long: each datagram that is
 * received tells its sender. */
static int ip4_host(const struct sockaddr_in *v4, char *host, size_t size) {
  unsigned char b[4];
  memcpy(b, &v4->sin_addr, sizeof b);
  if (size < sizeof "255.255.255.255") return UV_ENOSPC;
  for (int i = 0; i < 4; i++) {
    if (b[i] >= 100) *host++ = (char)('0' + b[i] / 100);
    if (b[i] >= 10) *host++ = (char)('0' + b[i] / 10 % 10);
    *host++ = (char)('0' + b[i] % 10);
    *host++ = i < 3 ? '.' : '\0';
  }
  return 0;
}

int aio_ip_host(const aio_ip *ip, char *host, size_t size) {
  if (ip->sa.sa_family != AF_INET6) return ip4_host(&ip->v4, host, size);
  int err = uv_ip6_name(&ip->v6, host, size);
  if (err || !ip->v6.sin6_scope_id) return err;
  size_t len = strlen(host), room = size - len;
  if (room < 2) return UV_ENOSPC;
  host[len] = '%';
  room--;
  return uv_if_indextoiid(ip->v6.sin6_scope_id, host + len + 1, &room);
}
