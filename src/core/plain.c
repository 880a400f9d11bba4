/* SPDX-License-Identifier: MIT
 *
 * Regular files and other descriptors that are always ready (/dev/null), as sources: what stdin and
 * stdout are when the shell has redirected them. libuv cannot poll them, so each turn of the loop
 * reads one piece straight, and writing is straight too: the system answers from its cache. Streams
 * call the operations. Invariant: `again` is in the ready queue exactly while the stream reads. */
#include <string.h>

#include "core/listener.h"
#include "core/pipe.h"

enum { WRITE_BUFS = 4 }; /* so many that libuv needs no memory for them */

typedef struct aio_plain {
  aio_source source;
  aio_cnode again; /* the next read */
  aio_cnode rest;  /* the next write, of what did not go at once */
  aio_loop *loop;
  int fd;
} aio_plain;

static aio_plain *plain_of(aio_source *src) {
  return AIO_CONTAINER(src, aio_plain, source);
}

static void schedule(aio_plain *p, aio_cnode *c) {
  if (c->node.state == AIO_IDLE) aio_loop_ready(p->loop, &c->node);
}

static void withdraw(aio_cnode *c) {
  aio_list_del(&c->node.link);
  c->node.state = AIO_IDLE;
}

/* ---- reading ---- */

static int read_straight(int fd, const uv_buf_t *space, unsigned n) {
  uv_fs_t r;
  int got;
  do {
    got = uv_fs_read(NULL, &r, fd, space, n, -1, NULL);
    uv_fs_req_cleanup(&r);
  } while (got == UV_EINTR);
  return got;
}

static void read_next(aio_loop *l, aio_cnode *c) {
  (void)l;
  c->node.state = AIO_IDLE;
  aio_plain *p = AIO_CONTAINER(c, aio_plain, again);
  aio_stream *s = p->source.stream;
  uv_buf_t space[2];
  unsigned n = aio_stream_space(s, space);
  int got = n ? read_straight(p->fd, space, n) : UV_ENOMEM;
  if (got > 0)
    aio_stream_received(s, (size_t)got);
  else
    aio_stream_read_ended(s, got);
  if (s->reading) schedule(p, c);
}

static int plain_read_start(aio_source *src) {
  schedule(plain_of(src), &plain_of(src)->again);
  return 0;
}

static void plain_read_stop(aio_source *src) {
  withdraw(&plain_of(src)->again);
}

/* ---- writing ---- */

static int write_straight(int fd, const uv_buf_t *bufs, unsigned n) {
  uv_fs_t r;
  int sent;
  do {
    sent = uv_fs_write(NULL, &r, fd, bufs, n < WRITE_BUFS ? n : WRITE_BUFS, -1, NULL);
    uv_fs_req_cleanup(&r);
  } while (sent == UV_EINTR);
  return sent;
}

static ptrdiff_t plain_try_writev(aio_source *src, const uv_buf_t *bufs, unsigned n) {
  int sent = write_straight(plain_of(src)->fd, bufs, n);
  return sent == UV_EAGAIN ? 0 : sent;
}

static void write_next(aio_loop *l, aio_cnode *c) {
  (void)l;
  c->node.state = AIO_IDLE;
  aio_plain *p = AIO_CONTAINER(c, aio_plain, rest);
  if (aio_stream_flush(p->source.stream)) schedule(p, c);
}

static int plain_write_start(aio_source *src) {
  schedule(plain_of(src), &plain_of(src)->rest);
  return 0;
}

static int plain_shutdown(aio_source *src) {
  (void)src;
  return UV_ENOTSUP;
}

/* ---- the rest ---- */

static void plain_close(aio_source *src, aio_sendq *unsent) {
  (void)unsent;
  aio_plain *p = plain_of(src);
  aio_loop *l = p->loop;
  uv_fs_t r;
  withdraw(&p->again);
  withdraw(&p->rest);
  uv_fs_close(NULL, &r, p->fd, NULL);
  uv_fs_req_cleanup(&r);
  aio_mem_free(&l->mem, p, sizeof *p);
  aio_listener_revive(l);
}

static int plain_address(aio_source *src, bool peer, aio_address *a) {
  (void)src;
  (void)peer;
  (void)a;
  return UV_ENOTSOCK;
}

static int plain_fileno(aio_source *src) {
  return plain_of(src)->fd;
}

static const aio_source_ops plain_ops = {
    .read_start = plain_read_start,
    .read_stop = plain_read_stop,
    .try_writev = plain_try_writev,
    .write_start = plain_write_start,
    .shutdown = plain_shutdown,
    .close = plain_close,
    .address = plain_address,
    .fileno = plain_fileno,
    .kind = "file",
    .borrows = true,
    .endless = true,
};

void aio_pipe_limit(aio_stream *s, bool reads, bool writes) {
  if (!reads) {
    s->eof = true;
    s->read_error = UV_EBADF;
  }
  if (!writes) s->write_error = UV_EBADF;
}

int aio_plain_open(aio_stream *s, int fd, bool reads, bool writes) {
  aio_plain *p = aio_mem_new(&s->loop->mem, sizeof *p);
  if (!p) return UV_ENOMEM;
  memset(p, 0, sizeof *p);
  aio_link_init(&p->again.node.link);
  aio_link_init(&p->rest.node.link);
  p->again.node.kind = p->rest.node.kind = AIO_NODE_C;
  p->again.run = read_next;
  p->rest.run = write_next;
  p->loop = s->loop;
  p->fd = fd;
  p->source.ops = &plain_ops;
  aio_pipe_limit(s, reads, writes);
  return aio_stream_open(s, &p->source);
}
