/* SPDX-License-Identifier: MIT
 *
 * Doors on Unix: a listening descriptor of our own under uv_poll_t, because libuv at EMFILE accepts
 * and closes every waiting client. Listeners call it, libuv calls on_poll. Invariant: what an
 * accepted connection needs in memory is there before accept is called. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "core/fd_unix.h"
#include "core/listener.h"
#include "core/socket_unix.h"
#include "core/sockfile_unix.h"

#include <netinet/tcp.h>

enum { ACCEPTS_PER_EVENT = 64 }; /* so that a flood of clients leaves time for the served ones */

typedef struct unix_door {
  aio_door door;
  uv_poll_t poll;
  aio_loop *loop;
  int fd;
  bool polling;
  aio_stream *stream; /* for the next connection, or NULL */
  aio_socket *socket;
  aio_sockfile file; /* of a Unix socket */
} unix_door;

static unix_door *door_of(aio_door *d) {
  return AIO_CONTAINER(d, unix_door, door);
}

static bool prepare(unix_door *u) {
  aio_listener *ls = u->door.listener;
  if (!u->stream) u->stream = aio_stream_new(u->loop, ls->limit);
  if (!u->socket) u->socket = aio_socket_new(u->loop);
  return u->stream && u->socket && (!ls->fds || aio_socket_keep_fds(u->socket, ls->fds));
}

static void take_in(unix_door *u, int fd, const aio_ip *peer) {
  aio_stream *s = u->stream;
  aio_socket *sk = u->socket;
  u->stream = NULL;
  u->socket = NULL;
  if (aio_socket_attach(sk, fd, peer, s))
    aio_stream_release(s);
  else
    aio_listener_accepted(u->door.listener, s);
}

/* Accepts one connection; false when that is enough for now. */
static bool accept_one(unix_door *u) {
  union {
    struct sockaddr_storage storage;
    aio_ip ip;
  } peer;
  socklen_t len = sizeof peer;
  int fd = prepare(u) ? aio_fd_accept(u->fd, (struct sockaddr *)&peer.storage, &len) : UV_ENOMEM;
  if (fd >= 0) {
    take_in(u, fd, &peer.ip);
    return true;
  }
  switch (fd) {
  case UV_EAGAIN:
    return false;
  case UV_EMFILE:
  case UV_ENFILE:
  case UV_ENOBUFS:
  case UV_ENOMEM:
    aio_listener_starve(u->door.listener);
    return false;
  default:
    return true; /* that client has gone already: the next one */
  }
}

static void on_poll(uv_poll_t *p, int status, int events) {
  (void)events;
  unix_door *u = AIO_CONTAINER(p, unix_door, poll);
  if (status < 0) u->polling = false;
  for (int i = 0; i < ACCEPTS_PER_EVENT && aio_listener_hungry(u->door.listener); i++) {
    if (!accept_one(u)) break;
  }
  aio_door_update(&u->door);
}

void aio_door_update(aio_door *d) {
  unix_door *u = door_of(d);
  bool want = aio_listener_hungry(d->listener);
  if (want == u->polling) return;
  int err = want ? uv_poll_start(&u->poll, UV_READABLE, on_poll) : uv_poll_stop(&u->poll);
  if (err) return;
  u->polling = want;
  u->loop->watchers_changed = true;
}

static void unix_door_free(unix_door *u) {
  aio_mem_free(&u->loop->mem, u, sizeof *u);
}

static void on_closed(uv_handle_t *h) {
  unix_door_free(AIO_CONTAINER(h, unix_door, poll));
}

void aio_door_close(aio_door *d) {
  unix_door *u = door_of(d);
  aio_list_del(&d->link);
  if (u->stream) aio_stream_release(u->stream);
  if (u->socket) aio_socket_free(u->socket);
  aio_sockfile_remove(&u->file);
  uv_close((uv_handle_t *)&u->poll, on_closed);
  close(u->fd);
  u->loop->live--;
  aio_listener_revive(u->loop);
}

int aio_door_address(aio_door *d, aio_address *a) {
  return aio_fd_address(door_of(d)->fd, false, a);
}

static int bind_ip(int fd, const aio_address *a, const aio_door_opts *opts, const char **call) {
  int err;
  *call = "setsockopt";
  if ((err = aio_fd_option(fd, SOL_SOCKET, SO_REUSEADDR, 1))) return err;
  if (opts->reuse_port && (err = aio_fd_option(fd, SOL_SOCKET, SO_REUSEPORT, 1))) return err;
  aio_fd_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* every accepted socket inherits it */
  if (a->ip.sa.sa_family == AF_INET6) {
    /* So that both families can be bound to one port. */
    if ((err = aio_fd_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))) return err;
  }
  *call = "bind";
  return aio_fd_bind(fd, a);
}

/* A bound and listening descriptor, or an error code. */
static int listening_fd(aio_sockfile *file, const aio_address *a, const aio_door_opts *opts,
                        const char **call) {
  *call = "socket";
  int fd = aio_fd_socket(a->path_len ? AF_UNIX : a->ip.sa.sa_family, SOCK_STREAM, 0);
  if (fd < 0) return fd;
  *call = "bind";
  int err = a->path_len ? aio_sockfile_bind(file, fd, SOCK_STREAM, a) : bind_ip(fd, a, opts, call);
  if (!err) {
    *call = "listen";
    if (listen(fd, opts->backlog) < 0) err = -errno;
  }
  if (!err) return fd;
  aio_sockfile_remove(file);
  close(fd);
  return err;
}

static aio_door *door_made(unix_door *u, aio_listener *ls, int fd) {
  u->fd = fd;
  u->door.listener = ls;
  aio_list_push(&ls->doors, &u->door.link);
  u->loop->live++;
  aio_door_update(&u->door);
  return &u->door;
}

static unix_door *door_new(aio_loop *l) {
  unix_door *u = aio_mem_new(&l->mem, sizeof *u);
  if (!u) return NULL;
  memset(u, 0, sizeof *u);
  u->loop = l;
  return u;
}

aio_door *aio_door_open(aio_listener *ls, const aio_address *a, const aio_door_opts *opts, int *err,
                        const char **call) {
  aio_loop *l = ls->loop;
  *call = "socket";
  unix_door *u = door_new(l);
  *err = UV_ENOMEM;
  if (!u) return NULL;
  int fd = listening_fd(&u->file, a, opts, call);
  *err = fd < 0 ? fd : uv_poll_init(&l->uv, &u->poll, fd);
  if (!*err) return door_made(u, ls, fd);
  if (fd >= 0) {
    aio_sockfile_remove(&u->file);
    close(fd);
  }
  unix_door_free(u);
  return NULL;
}

aio_door *aio_door_take(aio_listener *ls, aio_sock fd, bool is_unix, const aio_door_opts *opts,
                        int *err, const char **call) {
  (void)is_unix;
  *call = "listen";
  unix_door *u = door_new(ls->loop);
  *err = UV_ENOMEM;
  if (!u) return NULL;
  *err = listen(fd, opts->backlog) < 0 ? -errno : uv_poll_init(&ls->loop->uv, &u->poll, fd);
  if (!*err) return door_made(u, ls, fd);
  unix_door_free(u);
  return NULL;
}

void aio_door_keep_file(aio_door *d) {
  door_of(d)->file.path[0] = '\0';
}

int aio_door_fileno(aio_door *d) {
  return door_of(d)->fd;
}
