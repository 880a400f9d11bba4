/* SPDX-License-Identifier: MIT
 *
 * Doors on Unix: a listening descriptor of our own that libuv only polls, because at EMFILE it
 * accepts and closes every waiting client. Listeners call it, core/poll_unix.c calls on_ready and
 * on_refused. Invariant: what an accepted connection needs in memory is there before accept is
 * called. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "core/fd_unix.h"
#include "core/listener.h"
#include "core/poll_unix.h"
#include "core/socket_unix.h"
#include "core/sockfile_unix.h"

#include <netinet/tcp.h>

enum { ACCEPTS_PER_EVENT = 64 }; /* so that a flood of clients leaves time for the served ones */

typedef struct unix_door {
  aio_door door;
  aio_poll poll;
  int backlog;
  bool broken;        /* nobody can connect any more */
  aio_stream *stream; /* for the next connection, or NULL */
  aio_socket *socket;
  aio_sockfile file; /* of a Unix socket */
} unix_door;

static unix_door *door_of(aio_door *d) {
  return AIO_CONTAINER(d, unix_door, door);
}

static bool prepare(unix_door *u) {
  aio_listener *ls = u->door.listener;
  if (!u->stream) u->stream = aio_stream_new(ls->loop, ls->limit);
  if (!u->socket) u->socket = aio_socket_new(ls->loop);
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

/* Somebody else has closed the descriptor, or has ended the listening. */
static void fail(unix_door *u, int err) {
  u->broken = true;
  aio_listener_failed(u->door.listener, err);
}

/* Accepts one connection; false when that is enough for now. */
static bool accept_one(unix_door *u) {
  union {
    struct sockaddr_storage storage;
    aio_ip ip;
  } peer;
  socklen_t len = sizeof peer;
  int fd =
      prepare(u) ? aio_fd_accept(u->poll.fd, (struct sockaddr *)&peer.storage, &len) : UV_ENOMEM;
  if (fd >= 0) {
    take_in(u, fd, &peer.ip);
    return true;
  }
  switch (fd) {
  case UV_EAGAIN:
    return false;
  case UV_EBADF:
  case UV_ENOTSOCK:
  case UV_EINVAL:
    fail(u, fd);
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

static void on_ready(aio_poll *p, int status, int events) {
  (void)status;
  (void)events;
  unix_door *u = AIO_CONTAINER(p, unix_door, poll);
  for (int i = 0; i < ACCEPTS_PER_EVENT && aio_listener_hungry(u->door.listener); i++) {
    if (!accept_one(u)) break;
  }
  aio_door_update(&u->door);
}

static void on_refused(aio_poll *p, int err) {
  p->fd = -1; /* whatever has the number now is not ours to close */
  fail(AIO_CONTAINER(p, unix_door, poll), err);
}

void aio_door_update(aio_door *d) {
  unix_door *u = door_of(d);
  aio_poll_ask(&u->poll, aio_listener_hungry(d->listener) && !u->broken ? UV_READABLE : 0);
}

/* New clients may come all the time: no more than can have waited at the beginning. */
void aio_door_drain(aio_door *d) {
  unix_door *u = door_of(d);
  for (int i = 0; i <= u->backlog && aio_listener_hungry(d->listener); i++) {
    if (!accept_one(u)) break;
  }
}

static void unix_door_free(unix_door *u) {
  aio_mem_free(&u->poll.loop->mem, u, sizeof *u);
}

static void on_closed(aio_poll *p) {
  unix_door_free(AIO_CONTAINER(p, unix_door, poll));
}

static const aio_poll_ops poll_ops = {on_ready, on_refused, on_closed};

void aio_door_close(aio_door *d) {
  unix_door *u = door_of(d);
  aio_loop *l = u->poll.loop;
  int fd = u->poll.fd;
  aio_list_del(&d->link);
  if (u->stream) aio_stream_release(u->stream);
  if (u->socket) aio_socket_free(u->socket);
  aio_sockfile_remove(&u->file);
  aio_poll_close(&u->poll);
  close(fd);
  l->live--;
  aio_listener_revive(l);
}

int aio_door_address(aio_door *d, aio_address *a) {
  return aio_fd_address(door_of(d)->poll.fd, false, a);
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

static unix_door *door_new(aio_listener *ls, const aio_door_opts *opts) {
  unix_door *u = aio_mem_new(&ls->loop->mem, sizeof *u);
  if (!u) return NULL;
  memset(u, 0, sizeof *u);
  aio_poll_init(&u->poll, ls->loop, -1, &poll_ops);
  u->door.listener = ls;
  u->backlog = opts->backlog;
  return u;
}

/* A descriptor that cannot be polled is an error now, and not when it is. */
static int door_start(unix_door *u, int fd) {
  u->poll.fd = fd;
  int err = aio_poll_meet(&u->poll);
  if (err) return err;
  aio_list_push(&u->door.listener->doors, &u->door.link);
  u->poll.loop->live++;
  aio_door_update(&u->door);
  return 0;
}

aio_door *aio_door_open(aio_listener *ls, const aio_address *a, const aio_door_opts *opts, int *err,
                        const char **call) {
  *call = "socket";
  unix_door *u = door_new(ls, opts);
  *err = UV_ENOMEM;
  if (!u) return NULL;
  int fd = listening_fd(&u->file, a, opts, call);
  *err = fd < 0 ? fd : door_start(u, fd);
  if (!*err) return &u->door;
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
  unix_door *u = door_new(ls, opts);
  *err = UV_ENOMEM;
  if (!u) return NULL;
  *err = listen(fd, opts->backlog) < 0 ? -errno : door_start(u, fd);
  if (!*err) return &u->door;
  unix_door_free(u);
  return NULL;
}

void aio_door_keep_file(aio_door *d) {
  door_of(d)->file.path[0] = '\0';
}

int aio_door_fileno(aio_door *d) {
  return door_of(d)->poll.fd;
}
