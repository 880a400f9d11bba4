/* SPDX-License-Identifier: MIT
 *
 * Look-ups, see the header. The Lua face starts and releases them, libuv ends them. Invariant: a
 * look-up is in its loop's list of objects, and counted in `live`, exactly while `loop` is set and
 * its job has not returned. */
#include "core/resolve.h"

#include <stdlib.h>

static void lookup_free(aio_lookup *k) {
  if (!k->is_name) uv_freeaddrinfo(k->req.info.addrinfo);
  free(k);
}

static void let_go(aio_lookup *k) {
  if (!k->loop) return;
  aio_list_del(&k->object.link);
  k->loop->live--;
  k->loop = NULL;
}

/* Without an owner it frees itself when its job returns; one that has not begun is taken back. */
static void abandon(aio_lookup *k) {
  k->released = true;
  let_go(k);
  uv_cancel((uv_req_t *)&k->req);
}

static void lookup_detach(aio_object *o) {
  aio_lookup *k = AIO_CONTAINER(o, aio_lookup, object);
  while (aio_list_shift(&k->waiters)) {
  }
  *k->owner = NULL;
  abandon(k);
}

static void ended(aio_lookup *k, int status) {
  aio_loop *l = k->loop;
  k->done = true;
  k->status = status;
  let_go(k);
  if (k->released)
    lookup_free(k);
  else if (l)
    aio_wake_all(l, &k->waiters);
}

static void on_host(uv_getaddrinfo_t *r, int status, struct addrinfo *result) {
  (void)result; /* it is in r->addrinfo */
  ended(AIO_CONTAINER(r, aio_lookup, req.info), status);
}

static void on_name(uv_getnameinfo_t *r, int status, const char *host, const char *service) {
  (void)host;
  (void)service;
  ended(AIO_CONTAINER(r, aio_lookup, req.name), status);
}

static aio_lookup *lookup_new(aio_loop *l, aio_lookup **owner) {
  aio_lookup *k = calloc(1, sizeof *k);
  if (!k) return NULL;
  aio_link_init(&k->waiters);
  k->owner = owner;
  k->loop = l;
  k->object.detach = lookup_detach;
  aio_list_push(&l->objects, &k->object.link);
  l->live++;
  return k;
}

/* Hands over what was started without an error. */
static int started(aio_lookup *k, int err) {
  if (!err) {
    *k->owner = k;
    return 0;
  }
  let_go(k);
  free(k);
  return err;
}

int aio_lookup_host(aio_loop *l, aio_lookup **owner, const char *host, const char *service,
                    const struct addrinfo *hints) {
  aio_lookup *k = lookup_new(l, owner);
  if (!k) return UV_ENOMEM;
  return started(k, uv_getaddrinfo(&l->uv, &k->req.info, on_host, host, service, hints));
}

int aio_lookup_name(aio_loop *l, aio_lookup **owner, const aio_ip *ip, int flags) {
  aio_lookup *k = lookup_new(l, owner);
  if (!k) return UV_ENOMEM;
  k->is_name = true;
  return started(k, uv_getnameinfo(&l->uv, &k->req.name, on_name, &ip->sa, flags));
}

void aio_lookup_release(aio_lookup *k) {
  if (k->done)
    lookup_free(k);
  else
    abandon(k);
}
