/* SPDX-License-Identifier: MIT
 *
 * Sockets over libuv's own streams, for systems where descriptors of our own are none (Windows; a
 * build option elsewhere). Streams call the operations, libuv the callbacks. Invariant: while
 * `writing`, the first `sending` bytes of the send queue stay where they are; a close takes the
 * queue along until libuv has let go of them. */
#include "core/socket_uv.h"

#include <string.h>

#include "core/listener.h"
#include "core/socket.h"
#include "core/tty.h"

enum { WRITE_BUFS = 64 }; /* buffers in one write request */

struct aio_socket {
  aio_source source;
  union {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
    uv_tty_t tty;
  } uv;
  aio_loop *loop;
  uv_connect_t connect;
  uv_write_t write;
  uv_shutdown_t shut;
  aio_sendq unsent; /* after close */
  size_t sending;   /* bytes of the write request that runs */
  aio_ip peer;      /* family 0: not an IP address */
  bool writing, closing;
};

static aio_socket *socket_of(aio_source *src) {
  return AIO_CONTAINER(src, aio_socket, source);
}

uv_stream_t *aio_socket_handle(aio_socket *sk) {
  return &sk->uv.stream;
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf) {
  (void)suggested;
  const aio_socket *sk = h->data;
  uv_buf_t space[2];
  unsigned n = aio_stream_space(sk->source.stream, space);
  *buf = n ? space[0] : uv_buf_init(NULL, 0); /* libuv reports ENOBUFS then */
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  (void)buf;
  const aio_socket *sk = stream->data;
  aio_stream *s = sk->source.stream;
  sk->loop->events++;
  if (n > 0)
    aio_stream_received(s, (size_t)n);
  else if (n == UV_EOF)
    aio_stream_read_ended(s, 0);
  else if (n < 0)
    aio_stream_read_ended(s, n == UV_ENOBUFS ? UV_ENOMEM : (int)n);
}

static int socket_read_start(aio_source *src) {
  aio_socket *sk = socket_of(src);
  sk->loop->watchers_changed = true;
  return uv_read_start(&sk->uv.stream, on_alloc, on_read);
}

static void socket_read_stop(aio_source *src) {
  uv_read_stop(&socket_of(src)->uv.stream);
}

/* ---- writing ---- */

static ptrdiff_t socket_try_writev(aio_source *src, const uv_buf_t *bufs, unsigned n) {
  int sent = uv_try_write(&socket_of(src)->uv.stream, bufs, n);
  return sent == UV_EAGAIN || sent == UV_ENOBUFS ? 0 : sent;
}

static void on_written(uv_write_t *w, int status);

static int send_queued(aio_socket *sk) {
  uv_buf_t bufs[WRITE_BUFS];
  unsigned n = aio_sendq_bufs(&sk->source.stream->out, bufs, WRITE_BUFS);
  sk->sending = 0;
  for (unsigned i = 0; i < n; i++) sk->sending += bufs[i].len;
  int err = uv_write(&sk->write, &sk->uv.stream, bufs, n, on_written);
  sk->writing = err == 0;
  return err;
}

static void on_written(uv_write_t *w, int status) {
  aio_socket *sk = AIO_CONTAINER(w, aio_socket, write);
  sk->writing = false;
  sk->loop->events++;
  if (sk->closing) return;
  aio_stream *s = sk->source.stream;
  if (status < 0) {
    /* A reset ends both directions, and the system tells of it once. */
    if (status == UV_ECONNRESET && !s->eof) s->read_error = status;
    aio_stream_write_failed(s, status);
    return;
  }
  if (!aio_stream_sent(s, sk->sending) || sk->closing) return;
  int err = send_queued(sk);
  if (err) aio_stream_write_failed(s, err);
}

static int socket_write_start(aio_source *src) {
  aio_socket *sk = socket_of(src);
  return sk->writing ? 0 : send_queued(sk);
}

static void on_shutdown(uv_shutdown_t *r, int status) {
  (void)r;
  (void)status;
}

static int socket_shutdown(aio_source *src) {
  aio_socket *sk = socket_of(src);
  return uv_shutdown(&sk->shut, &sk->uv.stream, on_shutdown);
}

/* ---- closing ---- */

static void on_closed(uv_handle_t *h) {
  aio_socket *sk = h->data;
  aio_sendq_clear(&sk->unsent, &sk->loop->mem);
  aio_mem_free(&sk->loop->mem, sk, sizeof *sk);
}

void aio_socket_drop(aio_socket *sk) {
  sk->closing = true;
  uv_close(&sk->uv.any, on_closed);
}

static void socket_close(aio_source *src, aio_sendq *unsent) {
  aio_socket *sk = socket_of(src);
  aio_sendq_move(&sk->unsent, unsent);
  aio_socket_drop(sk);
  aio_listener_revive(sk->loop);
}

/* ---- what it is ---- */

static int tcp_address(aio_source *src, bool peer, aio_address *a) {
  aio_socket *sk = socket_of(src);
  if (peer && sk->peer.sa.sa_family) return aio_address_copy(a, &sk->peer.sa);
  struct sockaddr_storage sa;
  int len = sizeof sa;
  int err = peer ? uv_tcp_getpeername(&sk->uv.tcp, (struct sockaddr *)&sa, &len)
                 : uv_tcp_getsockname(&sk->uv.tcp, (struct sockaddr *)&sa, &len);
  return err ? err : aio_address_copy(a, (struct sockaddr *)&sa);
}

static int pipe_address(aio_source *src, bool peer, aio_address *a) {
  aio_socket *sk = socket_of(src);
  memset(a, 0, sizeof *a);
  size_t len = sizeof a->path;
  int err = peer ? uv_pipe_getpeername(&sk->uv.pipe, a->path, &len)
                 : uv_pipe_getsockname(&sk->uv.pipe, a->path, &len);
  a->path_len = err ? 0 : len;
  return err;
}

static int socket_fileno(aio_source *src) {
  uv_os_fd_t fd;
  return uv_fileno(&socket_of(src)->uv.any, &fd) ? -1 : (int)(intptr_t)fd;
}

static int tty_address(aio_source *src, bool peer, aio_address *a) {
  (void)src;
  (void)peer;
  (void)a;
  return UV_ENOTSOCK;
}

static int tty_set_mode(aio_source *src, enum aio_tty_mode mode) {
  if (mode == AIO_TTY_CBREAK) return UV_ENOTSUP;
  uv_tty_mode_t uv_mode = mode == AIO_TTY_RAW ? UV_TTY_MODE_RAW : UV_TTY_MODE_NORMAL;
  return uv_tty_set_mode(&socket_of(src)->uv.tty, uv_mode);
}

static int tty_size(aio_source *src, int *columns, int *rows) {
  return uv_tty_get_winsize(&socket_of(src)->uv.tty, columns, rows);
}

static const aio_tty_ops tty = {tty_set_mode, tty_size};

#define SOCKET_OPS(name, address_fn, tty_ops)                                                      \
  {                                                                                                \
    .read_start = socket_read_start, .read_stop = socket_read_stop,                                \
    .try_writev = socket_try_writev, .write_start = socket_write_start,                            \
    .shutdown = socket_shutdown, .close = socket_close, .address = address_fn,                     \
    .fileno = socket_fileno, .kind = name, .endless = (tty_ops) != NULL, .tty = tty_ops            \
  }

static const aio_source_ops tcp_ops = SOCKET_OPS("tcp", tcp_address, NULL);
static const aio_source_ops pipe_ops = SOCKET_OPS("unix", pipe_address, NULL);
static const aio_source_ops terminal_ops = SOCKET_OPS("tty", tty_address, &tty);

/* ---- making ---- */

static int init(aio_socket *sk, int fd) {
  uv_loop_t *l = &sk->loop->uv;
  if (sk->source.ops == &terminal_ops) return uv_tty_init(l, &sk->uv.tty, fd, 0);
  if (sk->source.ops == &pipe_ops) return uv_pipe_init(l, &sk->uv.pipe, 0);
  return uv_tcp_init(l, &sk->uv.tcp);
}

static aio_socket *new_with(aio_loop *l, const aio_source_ops *ops, int fd, int *err) {
  *err = UV_ENOMEM;
  aio_socket *sk = aio_mem_new(&l->mem, sizeof *sk);
  if (!sk) return NULL;
  memset(sk, 0, sizeof *sk);
  sk->loop = l;
  sk->source.ops = ops;
  *err = init(sk, fd);
  if (*err) {
    aio_mem_free(&l->mem, sk, sizeof *sk);
    return NULL;
  }
  sk->uv.any.data = sk;
  return sk;
}

aio_socket *aio_socket_new(aio_loop *l, bool pipe, int *err) {
  return new_with(l, pipe ? &pipe_ops : &tcp_ops, -1, err);
}

int aio_socket_open_fd(aio_stream *s, int fd, uv_handle_type type) {
  int err;
  const aio_source_ops *ops = type == UV_TTY ? &terminal_ops : &tcp_ops;
  aio_socket *sk = new_with(s->loop, type == UV_NAMED_PIPE ? &pipe_ops : ops, fd, &err);
  if (!sk) return err;
  if (type == UV_NAMED_PIPE) err = uv_pipe_open(&sk->uv.pipe, fd);
  if (type == UV_TCP) err = uv_tcp_open(&sk->uv.tcp, (uv_os_sock_t)fd);
  if (!err) return aio_stream_open(s, &sk->source);
  aio_socket_drop(sk);
  return err;
}

int aio_socket_take(aio_stream *s, aio_sock fd, bool is_unix) {
  aio_address peer;
  int on = 1, err = is_unix ? 0 : aio_sock_address(fd, true, &peer);
  if (!err && !is_unix) aio_sock_set(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return err ? err : aio_socket_open_fd(s, (int)fd, is_unix ? UV_NAMED_PIPE : UV_TCP);
}

int aio_socket_attach(aio_socket *sk, aio_stream *s) {
  aio_address peer;
  if (sk->source.ops == &tcp_ops) {
    uv_tcp_nodelay(&sk->uv.tcp, 1);
    if (tcp_address(&sk->source, true, &peer) == 0) sk->peer = peer.ip;
  }
  return aio_stream_open(s, &sk->source);
}

/* ---- connecting ---- */

static void on_connect(uv_connect_t *c, int status) {
  aio_socket *sk = AIO_CONTAINER(c, aio_socket, connect);
  if (!sk->closing) aio_stream_connected(sk->source.stream, status);
}

enum { KEEPALIVE_S = 60 }; /* of silence, before the first probe */

static int connect_tcp(aio_socket *sk, const aio_address *to, const aio_address *local,
                       const aio_socket_opts *opts, const char **call) {
  int err;
  *call = "bind";
  if (local && (err = uv_tcp_bind(&sk->uv.tcp, &local->ip.sa, 0))) return err;
  *call = "connect";
  if (opts->nodelay) uv_tcp_nodelay(&sk->uv.tcp, 1);
  if ((err = uv_tcp_connect(&sk->connect, &sk->uv.tcp, &to->ip.sa, on_connect))) return err;
  if (opts->keepalive) uv_tcp_keepalive(&sk->uv.tcp, 1, KEEPALIVE_S);
  sk->peer = to->ip;
  return 0;
}

int aio_socket_connect(aio_stream *s, const aio_address *to, const aio_address *local,
                       const aio_socket_opts *opts, const char **call) {
  int err = 0;
  *call = "socket";
  aio_socket *sk = aio_socket_new(s->loop, to->path_len > 0, &err);
  if (!sk) return err;
  if (to->path_len)
    uv_pipe_connect(&sk->connect, &sk->uv.pipe, to->path, on_connect);
  else
    err = connect_tcp(sk, to, local, opts, call);
  if (err) {
    aio_socket_drop(sk);
    return err;
  }
  aio_stream_connecting(s, &sk->source);
  return 0;
}
