/* SPDX-License-Identifier: MIT
 *
 * Memory pairs: a source at each end and a queue of bytes on their way to it. Streams call the
 * operations; bytes arrive in a node of the ready queue, never inside a write. Invariant: an end
 * whose `node` is not READY has nothing to report that its stream wants to hear; the pair is freed
 * when both ends are closed. */
#include "core/pair.h"

#include <string.h>

typedef struct aio_pair aio_pair;

typedef struct pair_end {
  aio_source source;
  aio_cnode cnode; /* reports to the stream of this end */
  aio_pair *pair;
  aio_sendq wire; /* bytes on their way to this end */
  bool reading;   /* the stream wants them */
  bool full;      /* its own queue waits for room on the other end's wire */
  bool fin;       /* nothing more comes behind `wire` */
  bool closed;
} pair_end;

struct aio_pair {
  aio_loop *loop;
  aio_pair_opts opts;
  uint64_t random;
  size_t carried; /* bytes in both directions */
  bool reset;
  bool busy; /* a report is under way: not the moment to free it */
  pair_end ends[2];
};

static pair_end *end_of(aio_source *src) {
  return AIO_CONTAINER(src, pair_end, source);
}

static pair_end *other(const pair_end *e) {
  return &e->pair->ends[e == &e->pair->ends[0]];
}

static void schedule(pair_end *e) {
  if (e->closed || e->cnode.node.state == AIO_READY) return;
  aio_loop_ready(e->pair->loop, &e->cnode.node);
}

/* How many of `n` bytes go at once. */
static size_t portion(aio_pair *p, size_t n) {
  size_t most = p->opts.chunk ? p->opts.chunk : n;
  if (p->opts.seed && most) {
    /* xorshift64: any seed but 0 will do */
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    most = 1 + (size_t)(p->random % most);
  }
  return n < most ? n : most;
}

static void break_off(aio_pair *p) {
  p->reset = true;
  for (int i = 0; i < 2; i++) {
    aio_sendq_clear(&p->ends[i].wire, &p->loop->mem);
    schedule(&p->ends[i]);
  }
}

/* ---- the source's operations ---- */

static int pair_read_start(aio_source *src) {
  pair_end *e = end_of(src);
  e->reading = true;
  if (e->wire.total || e->fin || e->pair->reset) schedule(e);
  return 0;
}

static void pair_read_stop(aio_source *src) {
  end_of(src)->reading = false;
}

static ptrdiff_t pair_try_writev(aio_source *src, const uv_buf_t *bufs, unsigned n) {
  pair_end *e = end_of(src), *to = other(e);
  aio_pair *p = e->pair;
  if (p->reset) return UV_ECONNRESET;
  if (to->closed) return UV_EPIPE;
  size_t room = p->opts.capacity - to->wire.total, sent = 0;
  if (room) room = portion(p, room);
  for (unsigned i = 0; i < n && sent < room; i++) {
    size_t len = bufs[i].len < room - sent ? bufs[i].len : room - sent;
    if (!aio_sendq_copy(&to->wire, &p->loop->mem, bufs[i].base, len)) {
      if (sent == 0) return UV_ENOMEM;
      break;
    }
    sent += len;
  }
  p->carried += sent;
  if (p->opts.reset_after && p->carried >= p->opts.reset_after) break_off(p);
  schedule(to);
  return (ptrdiff_t)sent;
}

static int pair_write_start(aio_source *src) {
  pair_end *e = end_of(src);
  e->full = true;
  schedule(e);
  return 0;
}

static int pair_shutdown(aio_source *src) {
  pair_end *to = other(end_of(src));
  to->fin = true;
  schedule(to);
  return 0;
}

static void pair_free(aio_pair *p) {
  if (p->busy || !p->ends[0].closed || !p->ends[1].closed) return;
  for (int i = 0; i < 2; i++) aio_sendq_clear(&p->ends[i].wire, &p->loop->mem);
  aio_mem_free(&p->loop->mem, p, sizeof *p);
}

static void pair_close(aio_source *src, aio_sendq *unsent) {
  (void)unsent;
  pair_end *e = end_of(src);
  e->closed = true;
  aio_list_del(&e->cnode.node.link);
  e->cnode.node.state = AIO_IDLE;
  other(e)->fin = true;
  schedule(other(e));
  pair_free(e->pair);
}

static int pair_address(aio_source *src, bool peer, aio_address *a) {
  (void)src;
  (void)peer;
  (void)a;
  return UV_ENOTSUP;
}

static int pair_fileno(aio_source *src) {
  (void)src;
  return -1;
}

static const aio_source_ops pair_ops = {
    .read_start = pair_read_start,
    .read_stop = pair_read_stop,
    .try_writev = pair_try_writev,
    .write_start = pair_write_start,
    .shutdown = pair_shutdown,
    .close = pair_close,
    .address = pair_address,
    .fileno = pair_fileno,
    .kind = "memory",
    .borrows = true,
    .inert = true,
};

/* ---- reporting ---- */

/* Copies the first bytes of the wire into the stream; false when memory is out. */
static bool deliver(pair_end *e) {
  uv_buf_t from, space[2];
  unsigned n = aio_stream_space(e->source.stream, space);
  if (n == 0 || !aio_sendq_bufs(&e->wire, &from, 1)) return false;
  size_t len = portion(e->pair, from.len), room = space[0].len + (n == 2 ? space[1].len : 0);
  if (len > room) len = room;
  size_t head = len < space[0].len ? len : space[0].len;
  memcpy(space[0].base, from.base, head);
  if (len > head) memcpy(space[1].base, from.base + head, len - head);
  aio_sendq_consume(&e->wire, &e->pair->loop->mem, len);
  aio_stream_received(e->source.stream, len);
  return true;
}

static void report_input(pair_end *e) {
  aio_stream *s = e->source.stream;
  if (e->pair->reset)
    aio_stream_read_ended(s, UV_ECONNRESET);
  else if (e->wire.total && !deliver(e))
    aio_stream_read_ended(s, UV_ENOMEM);
  else if (!e->wire.total && e->fin)
    aio_stream_read_ended(s, 0);
}

/* What the stream of this end has to hear: the other end has closed or reset, or there is room. */
static void report_output(pair_end *e) {
  const pair_end *to = other(e);
  e->full = false;
  if (e->pair->reset)
    aio_stream_write_failed(e->source.stream, UV_ECONNRESET);
  else if (to->closed)
    aio_stream_write_failed(e->source.stream, UV_EPIPE);
  else if (to->wire.total >= e->pair->opts.capacity)
    e->full = true;
  else if (aio_stream_flush(e->source.stream))
    e->full = true;
}

/* Does an end wait for room that is there? When both wires are full, both wait for a reader. */
static bool has_room(const pair_end *e) {
  return e->full && other(e)->wire.total < e->pair->opts.capacity;
}

static void pair_run(aio_loop *l, aio_cnode *c) {
  (void)l;
  pair_end *e = AIO_CONTAINER(c, pair_end, cnode), *to = other(e);
  aio_pair *p = e->pair;
  c->node.state = AIO_IDLE;
  p->busy = true;
  if (e->reading) report_input(e);
  if (!e->closed && e->full) report_output(e);
  if (has_room(to)) schedule(to);
  if ((e->reading && e->wire.total) || has_room(e)) schedule(e);
  p->busy = false;
  pair_free(p);
}

static void end_init(aio_pair *p, int i) {
  pair_end *e = &p->ends[i];
  e->pair = p;
  e->source.ops = &pair_ops;
  e->cnode.node.kind = AIO_NODE_C;
  e->cnode.run = pair_run;
  aio_link_init(&e->cnode.node.link);
}

int aio_pair_open(aio_stream *a, aio_stream *b, const aio_pair_opts *opts) {
  aio_loop *l = a->loop;
  aio_pair *p = aio_mem_new(&l->mem, sizeof *p);
  if (!p) return UV_ENOMEM;
  memset(p, 0, sizeof *p);
  p->loop = l;
  p->opts = *opts;
  p->random = opts->seed;
  end_init(p, 0);
  end_init(p, 1);
  aio_stream_open(a, &p->ends[0].source); /* reading from a pair always starts */
  aio_stream_open(b, &p->ends[1].source);
  return 0;
}
