/* SPDX-License-Identifier: MIT
 *
 * Doors over libuv's streams, beside socket_uv.c. libuv holds one connection until it is accepted
 * and takes no other one meanwhile, so a listener that is full leaves the rest to the system's
 * queue. Invariant: `waiting` says that libuv holds one. */
#include <string.h>

#include "core/listener.h"
#include "core/socket_uv.h"

typedef struct uv_door {
  aio_door door;
  union {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } uv;
  aio_loop *loop;
  bool is_pipe, waiting;
} uv_door;

static uv_door *door_of(aio_door *d) {
  return AIO_CONTAINER(d, uv_door, door);
}

/* Takes the connection that libuv holds; false when there is no memory for it. */
static bool accept_one(uv_door *u) {
  int err;
  aio_listener *ls = u->door.listener;
  aio_stream *s = aio_stream_new(u->loop, ls->limit);
  aio_socket *sk = s ? aio_socket_new(u->loop, u->is_pipe, &err) : NULL;
  if (!sk) {
    if (s) aio_stream_release(s);
    return false;
  }
  u->waiting = false; /* uv_accept may report the next one */
  if (uv_accept(&u->uv.stream, aio_socket_handle(sk))) {
    aio_socket_drop(sk);
    aio_stream_release(s);
  } else if (aio_socket_attach(sk, s)) {
    aio_stream_release(s);
  } else {
    aio_listener_accepted(ls, s);
  }
  return true;
}

void aio_door_update(aio_door *d) {
  uv_door *u = door_of(d);
  if (u->waiting && aio_listener_hungry(d->listener) && !accept_one(u))
    aio_listener_starve(d->listener);
}

void aio_door_drain(aio_door *d) {
  (void)d;
}

static void on_connection(uv_stream_t *server, int status) {
  uv_door *u = server->data;
  if (status < 0) return; /* that client has gone already */
  u->waiting = true;
  aio_door_update(&u->door);
}

static void on_closed(uv_handle_t *h) {
  uv_door *u = h->data;
  aio_mem_free(&u->loop->mem, u, sizeof *u);
}

void aio_door_close(aio_door *d) {
  uv_door *u = door_of(d);
  aio_list_del(&d->link);
  uv_close(&u->uv.any, on_closed);
  u->loop->live--;
  aio_listener_revive(u->loop);
}

int aio_door_address(aio_door *d, aio_address *a) {
  uv_door *u = door_of(d);
  memset(a, 0, sizeof *a);
  if (u->is_pipe) {
    size_t size = sizeof a->path;
    int err = uv_pipe_getsockname(&u->uv.pipe, a->path, &size);
    a->path_len = err ? 0 : size;
    return err;
  }
  struct sockaddr_storage sa;
  int len = sizeof sa;
  int err = uv_tcp_getsockname(&u->uv.tcp, (struct sockaddr *)&sa, &len);
  return err ? err : aio_address_copy(a, (struct sockaddr *)&sa);
}

static int bind_and_listen(uv_door *u, const aio_address *a, const aio_door_opts *opts,
                           const char **call) {
  int err;
  *call = "setsockopt";
  if (opts->reuse_port) return UV_ENOTSUP;
  *call = "bind";
  if (u->is_pipe) {
    err = uv_pipe_bind(&u->uv.pipe, a->path);
  } else {
    unsigned flags = a->ip.sa.sa_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
    err = uv_tcp_bind(&u->uv.tcp, &a->ip.sa, flags);
  }
  return err ? err : uv_listen(&u->uv.stream, opts->backlog, on_connection);
}

static uv_door *door_new(aio_listener *ls, bool is_pipe, int *err) {
  aio_loop *l = ls->loop;
  uv_door *u = aio_mem_new(&l->mem, sizeof *u);
  *err = UV_ENOMEM;
  if (!u) return NULL;
  memset(u, 0, sizeof *u);
  u->loop = l;
  u->is_pipe = is_pipe;
  *err = is_pipe ? uv_pipe_init(&l->uv, &u->uv.pipe, 0) : uv_tcp_init(&l->uv, &u->uv.tcp);
  if (*err) {
    aio_mem_free(&l->mem, u, sizeof *u);
    return NULL;
  }
  u->uv.any.data = u;
  u->door.listener = ls;
  return u;
}

static aio_door *door_made(uv_door *u, int err) {
  if (err) {
    uv_close(&u->uv.any, on_closed);
    return NULL;
  }
  aio_list_push(&u->door.listener->doors, &u->door.link);
  u->loop->live++;
  return &u->door;
}

aio_door *aio_door_open(aio_listener *ls, const aio_address *a, const aio_door_opts *opts, int *err,
                        const char **call) {
  *call = "socket";
  uv_door *u = door_new(ls, a->path_len > 0, err);
  if (!u) return NULL;
  *err = bind_and_listen(u, a, opts, call);
  return door_made(u, *err);
}

aio_door *aio_door_take(aio_listener *ls, aio_sock fd, bool is_unix, const aio_door_opts *opts,
                        int *err, const char **call) {
  *call = "listen";
  uv_door *u = door_new(ls, is_unix, err);
  if (!u) return NULL;
  *err = aio_sock_listen(fd, opts->backlog); /* before libuv has it, which would close it */
  if (!*err) *err = is_unix ? uv_pipe_open(&u->uv.pipe, (uv_file)fd) : uv_tcp_open(&u->uv.tcp, fd);
  if (!*err) *err = uv_listen(&u->uv.stream, opts->backlog, on_connection);
  return door_made(u, *err);
}

void aio_door_keep_file(aio_door *d) {
  (void)d;
}

int aio_door_fileno(aio_door *d) {
  uv_os_fd_t fd;
  return uv_fileno(&door_of(d)->uv.any, &fd) ? -1 : (int)(intptr_t)fd;
}
