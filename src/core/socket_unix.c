/* SPDX-License-Identifier: MIT
 *
 * Sockets on Unix: descriptors of our own, polled by libuv, read with one recv and written with one
 * sendmsg, since libuv's writes raise SIGPIPE and its reads cannot use a scratch buffer of all
 * connections. Streams call the operations, core/poll_unix.c calls on_poll and on_refused.
 *
 * Some facts about epoll. It is level-triggered: reading is asked for once and stays on, so a read
 * costs no epoll_ctl; a read shorter than its room has emptied the socket, so no second one is
 * needed to see EAGAIN. An error shows as EPOLLERR, whatever was asked for; libuv then stops the
 * poll by itself and reports UV_EBADF, which is not the error: that one is taken from the socket,
 * after the bytes that arrived before it. */
#include "core/socket_unix.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/fd_unix.h"
#include "core/listener.h"
#include "core/local.h"
#include "core/poll_unix.h"
#include "core/socket.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* where SO_NOSIGPIPE does it */
#endif

/* A socket that somebody else has opened may be a blocking one. */
enum { SEND_FLAGS = MSG_NOSIGNAL | MSG_DONTWAIT };
/* So few bytes are received into room of the loop's and copied; after more than that the next bytes
 * are expected to be about as many, and received to where they stay. */
#ifdef AIO_HOSTILE
enum { COPIED = 0 };
#else
enum { COPIED = 1000 };
#endif
enum {
  READS_PER_EVENT = 4, /* of a socket that has more than there is room for, */
  PULLS_PER_EVENT = 16 /* and then of a reader who is quick, before it lets the loop poll */
};

struct aio_socket {
  aio_source source;
  aio_poll poll;  /* without a descriptor at first */
  aio_ip peer;    /* family 0: not an IP address */
  aio_fdbox *box; /* of a Unix socket that keeps received descriptors, or NULL */
  uint32_t last;  /* how much the last read brought */
  uint8_t pulls;  /* more such reads before the next event; 0 after one that emptied the socket */
  bool connecting, closing;
  bool blocking; /* its file description, which is somebody else's too */
};

static aio_socket *socket_of(aio_source *src) {
  return AIO_CONTAINER(src, aio_socket, source);
}

static void ask(aio_socket *sk, unsigned events) {
  aio_poll_ask(&sk->poll, events);
}

static int socket_read_start(aio_source *src) {
  aio_socket *sk = socket_of(src);
  ask(sk, sk->poll.wanted | UV_READABLE);
  return 0;
}

/* The poll stays as it is: often the next read, or the close, comes before the next event. */
static void socket_read_stop(aio_source *src) {
  (void)src;
}

static int socket_write_start(aio_source *src) {
  aio_socket *sk = socket_of(src);
  ask(sk, sk->poll.wanted | UV_WRITABLE);
  return 0;
}

static ptrdiff_t socket_try_writev(aio_source *src, const uv_buf_t *bufs, unsigned n) {
  int fd = socket_of(src)->poll.fd;
  struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)bufs, .msg_iovlen = n};
  ssize_t sent;
  do sent = n == 1 ? send(fd, bufs->base, bufs->len, SEND_FLAGS) : sendmsg(fd, &msg, SEND_FLAGS);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return sent;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : -errno;
}

/* A call without MSG_DONTWAIT waits on a blocking socket. */
static ptrdiff_t socket_send_file(aio_source *src, aio_file_part *p) {
  const aio_socket *sk = socket_of(src);
  return sk->blocking ? UV_ENOTSUP : aio_file_part_send(p, sk->poll.fd);
}

static int socket_shutdown(aio_source *src) {
  return shutdown(socket_of(src)->poll.fd, SHUT_WR) < 0 ? -errno : 0;
}

static void on_closed(aio_poll *p) {
  aio_socket_free(AIO_CONTAINER(p, aio_socket, poll));
}

static void socket_close(aio_source *src, aio_sendq *unsent) {
  (void)unsent;
  aio_socket *sk = socket_of(src);
  aio_loop *l = sk->poll.loop;
  int fd = sk->poll.fd;
  sk->closing = true;
  aio_poll_close(&sk->poll);
  close(fd);
  aio_listener_revive(l);
}

static int socket_address(aio_source *src, bool peer, aio_address *a) {
  aio_socket *sk = socket_of(src);
  /* A peer that has gone has no name any more: it was noted down. */
  if (peer && sk->peer.sa.sa_family) return aio_address_copy(a, &sk->peer.sa);
  return aio_fd_address(sk->poll.fd, peer, a);
}

static int socket_fileno(aio_source *src) {
  return socket_of(src)->poll.fd;
}

static void socket_pull(aio_source *src, bool anyway);

static aio_fdbox *socket_fds(aio_source *src) {
  return socket_of(src)->box;
}

#define SOCKET_OPS(name, fds_fn)                                                                   \
  {                                                                                                \
    .read_start = socket_read_start, .read_stop = socket_read_stop, .pull = socket_pull,           \
    .try_writev = socket_try_writev, .send_file = socket_send_file,                                \
    .write_start = socket_write_start, .shutdown = socket_shutdown, .close = socket_close,         \
    .address = socket_address, .fileno = socket_fileno, .kind = name, .borrows = true,             \
    .fds = fds_fn                                                                                  \
  }

static const aio_source_ops tcp_ops = SOCKET_OPS("tcp", NULL),
                            unix_ops = SOCKET_OPS("unix", socket_fds);

static ssize_t receive(int fd, const uv_buf_t *space, unsigned n) {
  struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)space, .msg_iovlen = n};
  ssize_t got;
  do
    got =
        n == 1 ? recv(fd, space->base, space->len, MSG_DONTWAIT) : recvmsg(fd, &msg, MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : got;
}

/* Reads once. True when there may be more, and it is wanted. */
static bool read_once(aio_socket *sk, aio_stream *s) {
  uv_buf_t space[2];
  unsigned n = aio_stream_space_for(s, sk->last > COPIED ? sk->last : SIZE_MAX, space);
  if (n == 0) {
    aio_stream_read_ended(s, UV_ENOMEM);
    return false;
  }
  size_t room = space[0].len + (n == 2 ? space[1].len : 0);
  ptrdiff_t got =
      sk->box ? aio_local_receive(sk->poll.fd, space, n, sk->box) : receive(sk->poll.fd, space, n);
  if (got > 0) {
    sk->last = (uint32_t)got;
    aio_stream_received(s, (size_t)got);
    return (size_t)got == room && s->reading;
  }
  if (got != -EAGAIN && got != -EWOULDBLOCK) aio_stream_read_ended(s, (int)got);
  return false;
}

static void read_some(aio_socket *sk) {
  aio_stream *s = sk->source.stream;
  int reads = 0;
  sk->pulls = 0;
  if (!s->reading) {
    ask(sk, sk->poll.wanted & ~(unsigned)UV_READABLE);
    return;
  }
  do {
    if (!read_once(sk, s)) return;
  } while (++reads < READS_PER_EVENT && !aio_stream_sated(s));
  sk->pulls = PULLS_PER_EVENT;
}

static void socket_pull(aio_source *src, bool anyway) {
  aio_socket *sk = socket_of(src);
  if (sk->pulls == 0 && !anyway) return;
  uint8_t left = sk->pulls > 0 ? sk->pulls - 1 : 0;
  sk->pulls = read_once(sk, src->stream) ? left : 0;
}

static void connect_ended(aio_socket *sk, int err) {
  sk->connecting = false;
  ask(sk, 0);
  aio_stream_connected(sk->source.stream, err);
}

/* Nothing comes or goes any more. The socket may be gone afterwards. */
static void fail(aio_socket *sk, int err) {
  aio_stream *s = sk->source.stream;
  if (s->reading)
    aio_stream_read_ended(s, err);
  else if (!s->eof)
    s->read_error = err; /* there may be unread bytes in front of it */
  aio_stream_write_failed(s, err);
}

/* EPOLLERR: first what arrived before the error, then the error itself. Where nobody reads or waits
 * to send, it is left to the next who does: what arrived before it comes first then, too. */
static void on_error(aio_socket *sk, unsigned wanted) {
  aio_stream *s = sk->source.stream;
  if (!s->reading && !(wanted & UV_WRITABLE)) return;
  if (s->reading) {
    while (read_once(sk, s)) {
    }
  }
  int err = aio_fd_error(sk->poll.fd);
  if (!err) err = s->read_error;
  if (err)
    fail(sk, err);
  else
    ask(sk, s->reading ? wanted : wanted & ~(unsigned)UV_READABLE);
}

/* The peer of a socket that is never read has ended its direction, or has gone. Who only reads, as
 * the reader of a log does, may have ended it at once. */
static bool has_gone(aio_socket *sk) {
  struct pollfd p = {.fd = sk->poll.fd};
  ask(sk, sk->poll.wanted & ~(unsigned)UV_DISCONNECT);
  return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

static void on_poll(aio_poll *p, int status, int events) {
  aio_socket *sk = AIO_CONTAINER(p, aio_socket, poll);
  if (sk->connecting) {
    connect_ended(sk, aio_fd_error(p->fd));
  } else if ((events & UV_DISCONNECT) && has_gone(sk)) {
    ask(sk, 0);
    aio_stream_write_failed(sk->source.stream, UV_EPIPE);
  } else if (status < 0) {
    on_error(sk, (unsigned)events);
  } else {
    if (events & UV_READABLE) read_some(sk);
    if (!(events & UV_WRITABLE) || aio_stream_flush(sk->source.stream) || sk->closing) return;
    ask(sk, p->wanted & ~(unsigned)UV_WRITABLE);
  }
}

static void on_refused(aio_poll *p, int err) {
  aio_socket *sk = AIO_CONTAINER(p, aio_socket, poll);
  if (sk->connecting)
    connect_ended(sk, err);
  else
    fail(sk, err);
}

static const aio_poll_ops poll_ops = {on_poll, on_refused, on_closed};

aio_socket *aio_socket_new(aio_loop *l) {
  aio_socket *sk = aio_mem_new(&l->mem, sizeof *sk);
  if (!sk) return NULL;
  memset(sk, 0, sizeof *sk);
  aio_poll_init(&sk->poll, l, -1, &poll_ops);
  return sk;
}

bool aio_socket_keep_fds(aio_socket *sk, size_t max) {
  if (!sk->box) sk->box = aio_fdbox_new(&sk->poll.loop->mem, max);
  return sk->box != NULL;
}

int aio_local_keep(aio_stream *s, size_t max) {
  if (!s->source || s->source->ops != &unix_ops) return UV_ENOTSUP;
  return aio_socket_keep_fds(socket_of(s->source), max) ? 0 : UV_ENOMEM;
}

void aio_socket_free(aio_socket *sk) {
  aio_fdbox_free(sk->box, &sk->poll.loop->mem);
  aio_mem_free(&sk->poll.loop->mem, sk, sizeof *sk);
}

static void give(aio_socket *sk, int fd, const aio_ip *peer) {
  int family = peer->sa.sa_family;
  bool ip = family == AF_INET || family == AF_INET6;
  sk->poll.fd = fd;
  if (ip) sk->peer = *peer;
  sk->source.ops = ip ? &tcp_ops : &unix_ops;
}

int aio_socket_attach(aio_socket *sk, int fd, const aio_ip *peer, aio_stream *s) {
  give(sk, fd, peer);
  return aio_stream_open(s, &sk->source);
}

/* Somebody else's descriptor may be one that cannot be polled, or not twice: libuv looks now. */
int aio_socket_adopt(aio_stream *s, int fd, int flags) {
  union {
    struct sockaddr_storage storage;
    aio_ip ip;
  } peer;
  socklen_t len = sizeof peer;
  if (getpeername(fd, (struct sockaddr *)&peer.storage, &len) < 0) return -errno;
  aio_socket *sk = aio_socket_new(s->loop);
  if (!sk) return UV_ENOMEM;
  give(sk, fd, &peer.ip);
  int err = aio_poll_meet(&sk->poll);
  if (err) {
    aio_socket_free(sk);
    return err;
  }
  sk->blocking = !(flags & O_NONBLOCK);
  if (sk->blocking) fcntl(fd, F_SETFL, flags);                     /* libuv has changed them */
  if (s->eof && s->read_error == UV_EBADF) ask(sk, UV_DISCONNECT); /* nobody reads */
  return aio_stream_open(s, &sk->source);
}

int aio_socket_take(aio_stream *s, aio_sock fd, bool is_unix) {
  if (!is_unix) aio_fd_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  return aio_socket_adopt(s, fd, O_NONBLOCK);
}

static int connect_fd(int fd, const aio_address *to, const aio_address *local,
                      const aio_socket_opts *opts, const char **call) {
  int err;
  if (!to->path_len) {
    if (opts->nodelay) aio_fd_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (opts->keepalive) aio_fd_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  }
  *call = "bind";
  if (local && (err = aio_fd_bind(fd, local))) return err;
  *call = "connect";
  return aio_fd_connect(fd, to);
}

int aio_socket_connect(aio_stream *s, const aio_address *to, const aio_address *local,
                       const aio_socket_opts *opts, const char **call) {
  *call = "socket";
  aio_socket *sk = aio_socket_new(s->loop);
  if (!sk) return UV_ENOMEM;
  int fd = aio_fd_socket(to->path_len ? AF_UNIX : to->ip.sa.sa_family, SOCK_STREAM, 0);
  if (fd < 0) {
    aio_socket_free(sk);
    return fd;
  }
  int err = connect_fd(fd, to, local, opts, call);
  if (err && err != -EINPROGRESS && err != UV_EINTR) {
    close(fd);
    aio_socket_free(sk);
    return err;
  }
  bool done = err == 0 || aio_fd_connected(fd);
  give(sk, fd, &to->ip);
  if (done) return aio_stream_open(s, &sk->source);
  sk->connecting = true;
  aio_stream_connecting(s, &sk->source);
  ask(sk, UV_WRITABLE);
  return 0;
}
