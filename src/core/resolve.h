/* SPDX-License-Identifier: MIT
 *
 * Look-ups of names and addresses on libuv's thread pool. A look-up that runs cannot be cancelled,
 * only abandoned: it is malloc'ed, lives until its job returns, and then, abandoned, frees itself
 * without looking at the loop.
 *
 * It has one owner, a pointer, who calls aio_lookup_release once, whether it has ended or not. When
 * the loop closes first, the pointer is set to NULL: from then on another thread may end it. */
#ifndef AIO_CORE_RESOLVE_H
#define AIO_CORE_RESOLVE_H

#include "core/address.h"
#include "core/loop.h"

typedef struct aio_lookup {
  aio_object object;
  struct aio_lookup **owner;
  aio_loop *loop;   /* NULL: ended or abandoned */
  aio_link waiters; /* woken when it ends */
  bool done;        /* `status` and the result are there */
  bool released;
  int status; /* 0 or libuv's code (UV_EAI_...) */
  union {
    uv_getaddrinfo_t info; /* info.addrinfo is the result */
    uv_getnameinfo_t name; /* name.host, name.service */
  } req;
  bool is_name;
} aio_lookup;

/* Starts to look up a host and a service (either may be NULL) and sets *owner. 0 or an error. */
int aio_lookup_host(aio_loop *l, aio_lookup **owner, const char *host, const char *service,
                    const struct addrinfo *hints);
/* Starts to look up the name of an address; `flags` are those of getnameinfo. */
int aio_lookup_name(aio_loop *l, aio_lookup **owner, const aio_ip *ip, int flags);
/* The owner goes; a result is freed. */
void aio_lookup_release(aio_lookup *k);

#endif
