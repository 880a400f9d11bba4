/* SPDX-License-Identifier: MIT
 *
 * Streams above their sources: the queues, the water marks, who is woken when, and the way from
 * open to closed. Called by floor 3 and by sources. Invariant: every change that can satisfy a
 * waiter wakes it before the function returns. */
#include "core/stream.h"

#include <string.h>

#include "core/listener.h"

enum {
  WRITE_BUFS = 64,        /* buffers handed to the kernel at once */
  WRITE_HIGH = 64 * 1024, /* water marks of the send queue */
  WRITE_LOW = WRITE_HIGH / 4
};

static void stream_detach(aio_object *o);

aio_stream *aio_stream_new(aio_loop *l, size_t limit) {
  if (!aio_pool_get(l)) return NULL;
  aio_stream *s = aio_mem_new(&l->mem, sizeof *s);
  if (!s) return NULL;
  memset(s, 0, sizeof *s);
  s->object.detach = stream_detach;
  aio_list_push(&l->objects, &s->object.link);
  s->loop = l;
  s->mem = l->mem;
  s->limit = limit;
  s->high = WRITE_HIGH;
  s->low = WRITE_LOW;
  aio_link_init(&s->readers);
  aio_link_init(&s->writers);
  aio_link_init(&s->closers);
  aio_link_init(&s->sibling);
  return s;
}

static void wake_all(aio_stream *s, aio_link *waiters) {
  aio_wake_all(s->loop, waiters);
}

/* A filter or a transport looks after everything by itself, in a node of its own. */
static void tell_above(aio_stream *s) {
  if (s->above) aio_loop_tell(s->loop, s->above);
}

static void drop_received(aio_stream *s) {
  aio_recvq_consume(&s->in, s->loop->chunks, s->in.total);
}

static void read_stop(aio_stream *s) {
  if (!s->reading) return;
  s->reading = false;
  s->source->ops->read_stop(s->source);
}

static int read_start(aio_stream *s) {
  if (s->reading || s->held || s->eof || !aio_stream_is_open(s)) return 0;
  int err = s->source->ops->read_start(s->source);
  if (!err) s->reading = true;
  return err;
}

/* Lets go of the source and of everything that hangs on the loop. Wakes nobody. */
static void let_go(aio_stream *s) {
  s->state = AIO_STREAM_CLOSED;
  s->reading = false;
  if (s->out.total) s->lost = true;
  if (s->source) {
    if (!s->source->ops->inert) s->loop->live--;
    s->source->ops->close(s->source, &s->out);
    s->source = NULL;
  }
  aio_sendq_clear(&s->out, &s->mem);
  drop_received(s);
  if (s->listener) aio_listener_forget(s);
  aio_list_del(&s->object.link);
  s->loop = NULL;
}

static void stream_free(aio_stream *s) {
  aio_mem_free(&s->mem, s, sizeof *s);
}

/* The last step of a close. */
static void finish_close(aio_stream *s) {
  aio_link waiters;
  tell_above(s); /* before those who wait until a server's connections are gone */
  aio_link_init(&waiters);
  aio_list_splice(&waiters, &s->readers);
  aio_list_splice(&waiters, &s->writers);
  aio_list_splice(&waiters, &s->closers);
  aio_loop *l = s->loop;
  let_go(s);
  aio_wake_all(l, &waiters);
  if (s->released) stream_free(s);
}

/* The queue is empty, or will not be sent: the source may have last things to do. */
static void finish(aio_stream *s) {
  const aio_source_ops *ops = s->source->ops;
  if (!ops->finish || s->write_error || ops->finish(s->source)) finish_close(s);
}

void aio_stream_finished(aio_stream *s) {
  if (s->state == AIO_STREAM_CLOSING) finish_close(s);
}

static void unlink_all(aio_link *waiters) {
  while (aio_list_shift(waiters)) {
  }
}

/* The loop closes. Tasks that wait here were dealt with by the scheduler. */
static void stream_detach(aio_object *o) {
  aio_stream *s = AIO_CONTAINER(o, aio_stream, object);
  unlink_all(&s->readers);
  unlink_all(&s->writers);
  unlink_all(&s->closers);
  let_go(s);
  if (s->released) stream_free(s);
}

void aio_stream_release(aio_stream *s) {
  s->released = true;
  s->sink = NULL;
  if (s->state == AIO_STREAM_CLOSED) {
    stream_free(s);
    return;
  }
  if (!aio_sendq_own(&s->out, &s->mem))
    aio_stream_abort(s);
  else
    aio_stream_close(s);
}

bool aio_stream_has(const aio_loop *l, int fd) {
  for (const aio_link *o = l->objects.next; o != &l->objects; o = o->next) {
    const aio_object *object = AIO_CONTAINER(o, aio_object, link);
    if (object->detach != stream_detach) continue;
    aio_source *src = AIO_CONTAINER(object, aio_stream, object)->source;
    if (src && src->ops->fileno(src) == fd) return true;
  }
  return false;
}

int aio_stream_open(aio_stream *s, aio_source *src) {
  aio_stream_connecting(s, src);
  s->state = AIO_STREAM_OPEN;
  int err = s->lazy ? 0 : read_start(s);
  if (err) aio_stream_abort(s);
  return err;
}

void aio_stream_connecting(aio_stream *s, aio_source *src) {
  s->source = src;
  src->stream = s;
  s->state = AIO_STREAM_CONNECTING;
  if (!src->ops->inert) s->loop->live++;
}

void aio_stream_connected(aio_stream *s, int err) {
  s->state = AIO_STREAM_OPEN;
  if (!err) err = read_start(s);
  s->write_error = err;
  wake_all(s, &s->writers);
}

int aio_stream_insert(aio_stream *s, aio_source *src, aio_cnode *above, aio_stream **below) {
  aio_stream *b = aio_stream_new(s->loop, s->limit);
  if (!b) return UV_ENOMEM;
  if (!aio_sendq_own(&s->out, &s->mem)) {
    aio_stream_release(b);
    return UV_ENOMEM;
  }
  b->source = s->source;
  b->source->stream = b;
  b->state = AIO_STREAM_OPEN;
  b->in = s->in;
  aio_sendq_move(&b->out, &s->out);
  b->reading = s->reading;
  b->eof = s->eof;
  b->read_error = s->read_error;
  b->write_error = s->write_error;
  b->above = &above->node;
  memset(&s->in, 0, sizeof s->in);
  s->sink = NULL;
  s->reading = s->eof = s->lazy = false;
  s->read_error = s->write_error = 0;
  aio_stream_connecting(s, src);
  *below = b;
  return 0;
}

/* ---- receiving ---- */

/* Whether to go on reading: somebody waits for more than there is, or there is room. */
static bool hungry(const aio_stream *s) {
  return !aio_list_empty(&s->readers) || (!s->lazy && s->in.total < 2 * s->limit);
}

static void wake_reader(aio_stream *s) {
  aio_wake_first(s->loop, &s->readers);
}

/* Offers the sink what is there, until it is done or wants more than there is. */
static void feed_sink(aio_stream *s) {
  bool done = false;
  while (!done && s->in.total > 0) {
    size_t len;
    const char *ptr = aio_recvq_peek(&s->in, &len);
    size_t used = s->sink->feed(s->sink, ptr, len, &done);
    aio_recvq_consume(&s->in, s->loop->chunks, used);
    if (done || used == len) continue;
    if (s->in.total == len - used) break;
    size_t whole = s->in.total < s->limit ? s->in.total : s->limit;
    if (len - used >= whole || !aio_recvq_pullup(&s->in, s->loop->chunks, whole)) break;
  }
  if (!done && s->in.total <= s->limit) return;
  s->sink = NULL;
  wake_reader(s);
}

unsigned aio_stream_space(aio_stream *s, uv_buf_t space[2]) {
  return aio_recvq_space(&s->in, s->loop->chunks, space);
}

unsigned aio_stream_space_for(aio_stream *s, size_t most, uv_buf_t space[2]) {
  return aio_recvq_space_for(&s->in, s->loop->chunks, most, space);
}

void aio_stream_received(aio_stream *s, size_t n) {
  size_t before = s->in.total;
  aio_recvq_commit(&s->in, s->loop->chunks, n);
  if (s->sink) {
    feed_sink(s);
  } else if (!aio_list_empty(&s->readers)) {
    char byte = (char)s->byte;
    if (s->in.total >= s->need || (s->byte >= 0 && aio_recvq_find(&s->in, before, &byte, 1) >= 0))
      wake_reader(s);
  }
  if (!hungry(s)) read_stop(s);
  tell_above(s);
}

void aio_stream_read_ended(aio_stream *s, int err) {
  read_stop(s);
  s->eof = true;
  if (!s->read_error) s->read_error = err;
  s->sink = NULL;
  wake_reader(s);
  tell_above(s);
}

static void read_resume(aio_stream *s) {
  int err = read_start(s);
  if (err) aio_stream_read_ended(s, err);
}

void aio_stream_want(aio_stream *s, size_t need, int byte) {
  s->sink = NULL; /* of a task that was closed while it waited */
  s->need = need;
  s->byte = byte;
  read_resume(s);
}

bool aio_stream_pull(aio_stream *s) {
  size_t before = s->in.total;
  if (!s->reading || !s->source->ops->pull) return false;
  s->source->ops->pull(s->source, false);
  return s->in.total > before || s->eof;
}

void aio_stream_look(aio_stream *s) {
  if (s->reading && s->source->ops->pull) s->source->ops->pull(s->source, true);
}

void aio_stream_hold(aio_stream *s, bool hold) {
  s->held = hold;
  if (hold)
    read_stop(s);
  else if (hungry(s))
    read_resume(s);
}

void aio_stream_consume(aio_stream *s, size_t n) {
  aio_recvq_consume(&s->in, s->loop->chunks, n);
  if (!s->reading && !s->lazy && s->in.total <= s->limit) read_resume(s);
}

void aio_stream_set_sink(aio_stream *s, aio_sink *sink) {
  s->sink = sink;
  if (!sink) return;
  feed_sink(s);
  if (s->sink) read_resume(s);
}

/* ---- sending ---- */

void aio_stream_write_failed(aio_stream *s, int err) {
  if (!s->write_error) s->write_error = err;
  if (s->out.total) s->lost = true;
  if (s->source->ops->borrows) aio_sendq_clear(&s->out, &s->mem);
  wake_all(s, &s->writers);
  tell_above(s);
  if (s->state == AIO_STREAM_CLOSING) finish_close(s);
}

/* Something was sent. False when nothing is left to do for the source. */
static bool went_out(aio_stream *s) {
  if (s->out.total <= s->low) {
    wake_all(s, &s->writers);
    tell_above(s);
  }
  if (s->out.total > 0) return true;
  if (s->end_wanted && !s->ended) {
    s->ended = true;
    int err = s->source->ops->shutdown(s->source);
    if (err && !s->write_error) s->write_error = err;
  }
  if (s->state == AIO_STREAM_CLOSING) finish(s);
  return false;
}

bool aio_stream_sent(aio_stream *s, size_t n) {
  aio_sendq_consume(&s->out, &s->mem, n);
  return went_out(s);
}

bool aio_stream_flush(aio_stream *s) {
  uv_buf_t bufs[WRITE_BUFS];
  unsigned n = aio_sendq_bufs(&s->out, bufs, WRITE_BUFS);
  ptrdiff_t sent = n ? s->source->ops->try_writev(s->source, bufs, n) : 0;
  if (sent < 0) {
    aio_stream_write_failed(s, (int)sent);
    return false;
  }
  bool file = s->sending_file && aio_stream_is_open(s);
  return aio_stream_sent(s, (size_t)sent) || file;
}

/* Not of the file. The system tells of it only once, so that the stream has to know. */
static bool is_of_connection(ptrdiff_t err) {
  return err == UV_ECONNRESET || err == UV_EPIPE || err == UV_ETIMEDOUT || err == UV_EHOSTUNREACH ||
         err == UV_ENETUNREACH;
}

ptrdiff_t aio_stream_send_file(aio_stream *s, aio_file_part *p) {
  const aio_source_ops *ops = s->source->ops;
  ptrdiff_t sent = ops->send_file ? ops->send_file(s->source, p) : UV_ENOTSUP;
  if (is_of_connection(sent)) aio_stream_write_failed(s, (int)sent);
  return sent;
}

int aio_stream_send_later(aio_stream *s) {
  s->sending_file = true;
  return s->source->ops->write_start(s->source);
}

/* Where a write stands: `at` bytes of piece `i` have been dealt with. */
typedef struct aio_cursor {
  const aio_piece *pieces;
  size_t n, i, at;
  bool copy; /* what does not go at once is copied, long pieces too */
} aio_cursor;

static unsigned cursor_bufs(const aio_cursor *c, uv_buf_t *bufs) {
  unsigned n = 0;
  size_t at = c->at;
  for (size_t i = c->i; i < c->n && n < WRITE_BUFS; i++, at = 0) {
    size_t len = c->pieces[i].len - at;
    unsigned part = len < INT32_MAX ? (unsigned)len : INT32_MAX;
    bufs[n++] = uv_buf_init((char *)(uintptr_t)c->pieces[i].ptr + at, part);
    if (part < len) break;
  }
  return n;
}

static void cursor_advance(aio_cursor *c, size_t sent) {
  while (c->i < c->n && sent >= c->pieces[c->i].len - c->at) {
    sent -= c->pieces[c->i++].len - c->at;
    c->at = 0;
  }
  c->at += sent;
}

/* Sends until all is gone or the kernel takes no more. 0 or an error code. */
static int send_now(aio_stream *s, aio_cursor *c) {
  while (c->i < c->n) {
    uv_buf_t bufs[WRITE_BUFS];
    unsigned n = cursor_bufs(c, bufs);
    size_t offered = 0;
    for (unsigned i = 0; i < n; i++) offered += bufs[i].len;
    ptrdiff_t sent = offered ? s->source->ops->try_writev(s->source, bufs, n) : 0;
    if (sent < 0) return (int)sent;
    cursor_advance(c, (size_t)sent);
    if ((size_t)sent < offered) break;
  }
  return 0;
}

/* Queues what the cursor has left. *borrowed counts pieces that were not copied. */
static bool queue_rest(aio_stream *s, aio_cursor *c, size_t *borrowed) {
  for (; c->i < c->n; c->i++, c->at = 0) {
    const char *ptr = c->pieces[c->i].ptr + c->at;
    size_t len = c->pieces[c->i].len - c->at;
    if (!c->copy && len >= AIO_BORROW_MIN && s->source->ops->borrows) {
      if (!aio_sendq_borrow(&s->out, &s->mem, ptr, len)) return false;
      ++*borrowed;
    } else if (!aio_sendq_copy(&s->out, &s->mem, ptr, len)) {
      return false;
    }
  }
  return true;
}

static int write_some(aio_stream *s, aio_cursor *c, size_t *borrowed) {
  size_t queued = s->out.total;
  if (queued == 0) {
    int err = send_now(s, c);
    if (err) {
      aio_stream_write_failed(s, err);
      return err;
    }
    if (c->i == c->n) return 0;
  }
  bool untouched = c->i == 0 && c->at == 0;
  int err = queue_rest(s, c, borrowed) ? 0 : UV_ENOMEM;
  if (err && untouched && s->out.total == queued) return err;
  if (!err && queued == 0) err = s->source->ops->write_start(s->source);
  if (err) aio_stream_write_failed(s, err);
  return err;
}

int aio_stream_write(aio_stream *s, const aio_piece *pieces, size_t n) {
  size_t longs = 0, borrowed = 0;
  for (size_t i = 0; i < n; i++) longs += pieces[i].len >= AIO_BORROW_MIN;
  aio_cursor c = {pieces, n, 0, 0, false};
  int err = s->write_error ? s->write_error : write_some(s, &c, &borrowed);
  s->out.released += longs - borrowed;
  return err;
}

int aio_stream_write_copied(aio_stream *s, const char *ptr, size_t len) {
  aio_piece piece = {ptr, len};
  size_t borrowed = 0;
  aio_cursor c = {&piece, 1, 0, 0, true};
  return s->write_error ? s->write_error : write_some(s, &c, &borrowed);
}

int aio_stream_write_eof(aio_stream *s) {
  if (s->write_error) return s->write_error;
  if (s->source->ops->endless) return UV_ENOTSUP;
  s->end_wanted = true;
  if (s->out.total == 0) went_out(s);
  return s->write_error;
}

/* ---- closing ---- */

void aio_stream_close(aio_stream *s) {
  if (s->state == AIO_STREAM_NEW || s->state == AIO_STREAM_CONNECTING) {
    aio_stream_abort(s);
    return;
  }
  if (s->state != AIO_STREAM_OPEN) return;
  if (s->write_error || (s->out.total == 0 && !s->source->ops->finish)) {
    finish_close(s);
    return;
  }
  read_stop(s);
  s->eof = true;
  s->sink = NULL;
  drop_received(s);
  s->state = AIO_STREAM_CLOSING;
  wake_all(s, &s->readers);
  if (s->source->ops->finish) finish(s);
}

void aio_stream_abort(aio_stream *s) {
  if (s->state != AIO_STREAM_CLOSED) finish_close(s);
}

int aio_stream_address(aio_stream *s, bool peer, aio_address *a) {
  return s->source ? s->source->ops->address(s->source, peer, a) : UV_ENOTCONN;
}
