/* SPDX-License-Identifier: MIT
 *
 * Pipes, FIFOs, ttys and character devices as sources, on Unix: a descriptor that libuv polls,
 * read and written by readv and writev. Streams call the operations, core/poll_unix.c calls on_poll
 * and on_refused. Invariant: `fd` is -1 once the outgoing direction, the only one, was ended.
 *
 * A descriptor that blocks (see descriptor_unix.c) is read once after each event and written in
 * pieces that fit into a pipe with room, PIPE_BUF bytes. SIGPIPE is blocked around each write: a
 * loop that is stepped by a host changes no disposition, and here there is no MSG_NOSIGNAL. */
#include "core/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/descriptor_unix.h"
#include "core/listener.h"
#include "core/poll_unix.h"
#include "core/socket_unix.h"
#include "core/tty_unix.h"

enum { READS_PER_EVENT = 4, STDERR = 2 };

typedef struct aio_pipe {
  aio_source source;
  aio_poll poll;
  aio_tty_saved *saved; /* the mode of a tty that was changed */
  int fd;
  bool blocks, master; /* see aio_descriptor */
  bool closed, polled; /* the stream has gone; libuv still has the handle */
} aio_pipe;

static aio_pipe *pipe_of(aio_source *src) {
  return AIO_CONTAINER(src, aio_pipe, source);
}

static int ask(aio_pipe *p, unsigned events) {
  if (p->fd >= 0) aio_poll_ask(&p->poll, events);
  return 0;
}

/* ---- reading ---- */

static int pipe_read_start(aio_source *src) {
  aio_pipe *p = pipe_of(src);
  return ask(p, p->poll.wanted | UV_READABLE);
}

static void pipe_read_stop(aio_source *src) {
  aio_pipe *p = pipe_of(src);
  ask(p, p->poll.wanted & ~(unsigned)UV_READABLE);
}

/* Reads once. True when there may be more, and it is wanted. */
static bool read_once(aio_pipe *p) {
  aio_stream *s = p->source.stream;
  uv_buf_t space[2];
  unsigned n = aio_stream_space(s, space);
  if (n == 0) {
    aio_stream_read_ended(s, UV_ENOMEM);
    return false;
  }
  if (p->blocks) n = 1; /* for a second buffer it might wait */
  size_t room = space[0].len + (n == 2 ? space[1].len : 0);
  ssize_t got;
  do got = readv(p->fd, (const struct iovec *)space, (int)n);
  while (got < 0 && errno == EINTR);
  if (got > 0) {
    aio_stream_received(s, (size_t)got);
    return (size_t)got == room && s->reading && !p->blocks;
  }
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  /* That is how a master learns that nobody has the terminal open any more. */
  bool end = got == 0 || (errno == EIO && p->master);
  aio_stream_read_ended(s, end ? 0 : -errno);
  return false;
}

static void read_some(aio_pipe *p) {
  for (int i = 0; i < READS_PER_EVENT && p->source.stream->reading; i++) {
    if (!read_once(p)) return;
  }
}

/* ---- writing ---- */

static bool has_room(int fd) {
  struct pollfd pfd = {.fd = fd, .events = POLLOUT};
  return poll(&pfd, 1, 0) > 0;
}

/* Without SIGPIPE, whatever its disposition is: it goes to the thread that writes. */
static ssize_t write_quietly(int fd, const struct iovec *iov, int n) {
  sigset_t sigpipe, before, pending;
  sigemptyset(&sigpipe);
  sigaddset(&sigpipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
  bool blocked = sigismember(&before, SIGPIPE);
  ssize_t sent;
  do sent = writev(fd, iov, n);
  while (sent < 0 && errno == EINTR);
  int err = errno;
  if (sent < 0 && err == EPIPE && !blocked && sigpending(&pending) == 0 &&
      sigismember(&pending, SIGPIPE)) {
    int taken;
    sigwait(&sigpipe, &taken);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = err;
  return sent;
}

static ptrdiff_t pipe_try_writev(aio_source *src, const uv_buf_t *bufs, unsigned n) {
  const aio_pipe *p = pipe_of(src);
  const struct iovec *iov = (const struct iovec *)bufs;
  struct iovec piece;
  if (p->blocks) {
    if (!has_room(p->fd)) return 0;
    while (n > 1 && bufs->len == 0) bufs++, n--;
    piece = (struct iovec){bufs->base, bufs->len < PIPE_BUF ? bufs->len : PIPE_BUF};
    iov = &piece;
    n = 1;
  }
  ssize_t sent = write_quietly(p->fd, iov, (int)n);
  if (sent >= 0) return sent;
  return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
}

static int pipe_write_start(aio_source *src) {
  aio_pipe *p = pipe_of(src);
  return ask(p, p->poll.wanted | UV_WRITABLE);
}

/* ---- closing ---- */

static void free_gone(aio_pipe *p) {
  if (p->closed && !p->polled) aio_mem_free(&p->poll.loop->mem, p, sizeof *p);
}

static void on_closed(aio_poll *h) {
  aio_pipe *p = AIO_CONTAINER(h, aio_pipe, poll);
  p->polled = false;
  free_gone(p);
}

static void close_fd(aio_pipe *p) {
  if (p->fd < 0) return;
  aio_tty_restore(&p->saved);
  aio_poll_close(&p->poll);
  close(p->fd);
  p->fd = -1;
  aio_listener_revive(p->poll.loop);
}

static int pipe_shutdown(aio_source *src) {
  close_fd(pipe_of(src));
  return 0;
}

static void pipe_close(aio_source *src, aio_sendq *unsent) {
  (void)unsent;
  aio_pipe *p = pipe_of(src);
  p->closed = true;
  close_fd(p);
  free_gone(p);
}

/* ---- what it is ---- */

static int pipe_address(aio_source *src, bool peer, aio_address *a) {
  (void)src;
  (void)peer;
  (void)a;
  return UV_ENOTSOCK;
}

static int pipe_fileno(aio_source *src) {
  return pipe_of(src)->fd;
}

static int tty_set_mode(aio_source *src, enum aio_tty_mode mode) {
  aio_pipe *p = pipe_of(src);
  return aio_tty_change(p->fd, mode, &p->saved);
}

static int tty_size(aio_source *src, int *columns, int *rows) {
  return aio_tty_size(pipe_of(src)->fd, columns, rows);
}

static const aio_tty_ops tty = {tty_set_mode, tty_size};

#define PIPE_OPS(name, one_way, tty_ops)                                                           \
  {                                                                                                \
    .read_start = pipe_read_start, .read_stop = pipe_read_stop, .try_writev = pipe_try_writev,     \
    .write_start = pipe_write_start, .shutdown = pipe_shutdown, .close = pipe_close,               \
    .address = pipe_address, .fileno = pipe_fileno, .kind = name, .borrows = true,                 \
    .endless = !(one_way), .tty = tty_ops                                                          \
  }

static const aio_source_ops one_way_ops = PIPE_OPS("pipe", true, NULL),
                            both_ways_ops = PIPE_OPS("pipe", false, NULL),
                            device_ops = PIPE_OPS("device", false, NULL),
                            terminal_ops = PIPE_OPS("tty", false, &tty);

/* ---- events ---- */

/* EPOLLERR, or the number is no pipe any more: nobody reads the pipe any more, or the terminal has
 * gone. What has arrived before comes first. */
static void on_error(aio_pipe *p) {
  aio_stream *s = p->source.stream;
  while (s->reading && read_once(p)) {
  }
  if (s->reading) aio_stream_read_ended(s, s->in.total || s->write_error ? 0 : UV_EIO);
  if (!s->write_error) aio_stream_write_failed(s, UV_EPIPE);
}

static void on_poll(aio_poll *h, int status, int events) {
  aio_pipe *p = AIO_CONTAINER(h, aio_pipe, poll);
  if (status < 0 || (events & UV_DISCONNECT)) {
    if (status >= 0) ask(p, 0);
    on_error(p);
    return;
  }
  if (events & UV_READABLE) read_some(p);
  if (!(events & UV_WRITABLE) || aio_stream_flush(p->source.stream) || p->fd < 0) return;
  ask(p, p->poll.wanted & ~(unsigned)UV_WRITABLE);
}

static void on_refused(aio_poll *h, int err) {
  aio_pipe *p = AIO_CONTAINER(h, aio_pipe, poll);
  aio_stream *s = p->source.stream;
  if (s->reading) aio_stream_read_ended(s, err);
  aio_stream_write_failed(s, err);
}

static const aio_poll_ops poll_ops = {on_poll, on_refused, on_closed};

/* ---- making ---- */

static const aio_source_ops *ops_for(const aio_descriptor *d) {
  if (d->kind == AIO_DESCRIPTOR_TTY) return &terminal_ops;
  if (d->kind == AIO_DESCRIPTOR_DEVICE) return &device_ops;
  return d->reads ? &both_ways_ops : &one_way_ops;
}

/* UV_EPERM: this device cannot be polled. d->fd is -1 once the source has it. */
static int open_polled(aio_stream *s, aio_descriptor *d, bool reads, bool writes) {
  aio_loop *l = s->loop;
  aio_pipe *p = aio_mem_new(&l->mem, sizeof *p);
  if (!p) return UV_ENOMEM;
  memset(p, 0, sizeof *p);
  aio_poll_init(&p->poll, l, d->fd, &poll_ops);
  int err = aio_poll_meet(&p->poll);
  if (err) {
    aio_mem_free(&l->mem, p, sizeof *p);
    return err;
  }
  if (d->blocks) aio_descriptor_unpolled(d);
  p->polled = true;
  p->fd = d->fd;
  p->blocks = d->blocks;
  p->master = d->master;
  p->source.ops = ops_for(d);
  d->fd = -1;
  aio_pipe_limit(s, reads, writes);
  if (d->kind == AIO_DESCRIPTOR_PIPE && !d->reads) ask(p, UV_DISCONNECT);
  return aio_stream_open(s, &p->source);
}

static int open_as(aio_stream *s, aio_descriptor *d, bool reads, bool writes) {
  if (d->kind == AIO_DESCRIPTOR_SOCKET) {
    aio_pipe_limit(s, reads, writes);
    return aio_socket_adopt(s, d->fd, d->flags);
  }
  if (d->kind == AIO_DESCRIPTOR_FILE) return aio_plain_open(s, d->fd, reads, writes);
  int err = open_polled(s, d, reads, writes);
  if (err == UV_EPERM && d->kind == AIO_DESCRIPTOR_DEVICE)
    return aio_plain_open(s, d->fd, reads, writes);
  return err;
}

int aio_pipe_open(aio_stream *s, int fd, const aio_pipe_opts *opts, const char **call) {
  aio_descriptor d;
  bool own = opts->own && fd > STDERR;
  unsigned use = opts->use ? opts->use : AIO_PIPE_READ | AIO_PIPE_WRITE;
  int err = aio_descriptor_look(fd, &d, call);
  bool reads = d.reads && (use & AIO_PIPE_READ), writes = d.writes && (use & AIO_PIPE_WRITE);
  if (!err && !reads && !writes) err = UV_EBADF;
  if (!err && own && aio_stream_has(s->loop, fd)) err = UV_EEXIST;
  if (!err) {
    *call = "dup";
    err = aio_descriptor_take(&d, own);
  }
  if (!err) {
    *call = "open";
    s->lazy = !own;
    err = open_as(s, &d, reads, writes);
    if (err && !own && d.fd >= 0) close(d.fd);
  }
  if (err) aio_stream_abort(s);
  return err;
}

int aio_pipe_fileno(FILE *f) {
  return fileno(f);
}
