/* SPDX-License-Identifier: MIT
 *
 * The life of a TLS connection, see filter.h: the operations that streams call, the node in which
 * everything happens, and the end. */
#include "tls/filter.h"

/* ---- the end ---- */

/* Says that nothing more comes. */
static int tls_notify(tls_filter *f) {
  if (f->notified || f->phase != TLS_OPEN) return 0;
  f->notified = true;
  tls_clear_errors();
  SSL_shutdown(f->ssl);
  tls_clear_errors();
  return tls_send_out(f);
}

/* The stream above has nothing left: true when the stream below has sent everything too. */
static bool wound_up(tls_filter *f) {
  tls_notify(f);
  return f->phase != TLS_OPEN || tls_below(f)->write_error ||
         (tls_landed(f) && f->wire.out.len == 0);
}

static bool filter_finish(aio_source *src) {
  tls_filter *f = tls_filter_of(src);
  aio_stream *s = tls_above(f);
  if (!f->closing && !tls_start_timer(f, f->shutdown_seconds)) {
    s->write_error = UV_ENOMEM;
    return true;
  }
  f->closing = true;
  return s->out.total == 0 && wound_up(f);
}

static void wind_up(tls_filter *f) {
  if (tls_above(f)->out.total > 0 || !wound_up(f)) return;
  f->api->stream_finished(tls_above(f));
}

static void filter_destroy(tls_filter *f) {
  aio_mem mem = f->wire.mem;
  tls_buffers_forget(f);
  SSL_free(f->ssl);
  tls_buffer_free(&mem, &f->flight);
  tls_buffer_free(&mem, &f->wire.out);
  if (f->info) {
    f->info->filter = NULL;
    tls_info_drop(f->info);
  }
  if (f->context) tls_context_drop(f->context);
  if (f->other) tls_context_drop(f->other);
  OPENSSL_free(f->key);
  aio_mem_free(&mem, f, sizeof *f);
}

void tls_filter_free(tls_filter *f) {
  filter_destroy(f);
}

/* Lets go of the stream below and of itself. */
static void filter_end(tls_filter *f) {
  aio_stream *b = tls_below(f);
  aio_list_del(&f->work.node.link);
  aio_list_del(&f->object.link);
  f->api->timer_stop(f->loop, &f->timer);
  b->above = NULL;
  if (b->out.total > 0) f->api->stream_abort(b);
  f->api->stream_release(b);
  filter_destroy(f);
}

/* ---- lingering ----
 *
 * A socket that is closed with unread bytes in it resets the connection, and the peer may lose what
 * it has not read yet; a server's session tickets are such bytes. So after a clean end the outgoing
 * direction is shut, and what still comes is thrown away until the peer has closed as well. */

static void linger(tls_filter *f) {
  aio_stream *b = tls_below(f);
  if (b->in.total > 0) f->api->stream_consume(b, b->in.total);
  if (b->eof || b->write_error) f->closed = true;
}

static void linger_detach(aio_object *o) {
  filter_end(AIO_CONTAINER(o, tls_filter, object));
}

static bool may_linger(const tls_filter *f) {
  const aio_stream *b = tls_below(f);
  return f->phase == TLS_OPEN && f->notified && !f->ended && !b->eof && !b->write_error &&
         b->out.total == 0 && b->state == AIO_STREAM_OPEN && !f->loop->closed;
}

/* True when it will: then the filter is out of everybody's hands. */
static bool start_lingering(tls_filter *f) {
  if (!may_linger(f) || !tls_start_timer(f, f->shutdown_seconds)) return false;
  f->phase = TLS_LINGER;
  tls_buffers_forget(f);
  SSL_free(f->ssl);
  f->ssl = NULL;
  aio_list_push(&f->loop->objects, &f->object.link);
  f->api->stream_write_eof(tls_below(f));
  tls_schedule(f);
  return true;
}

static void filter_close(aio_source *src, aio_sendq *unsent) {
  (void)unsent;
  tls_filter *f = tls_filter_of(src);
  f->api->timer_stop(f->loop, &f->timer);
  f->reading = f->full = false;
  if (start_lingering(f)) return;
  f->closed = true;
  if (!f->busy) filter_end(f);
}

/* ---- the other operations ---- */

static int filter_read_start(aio_source *src) {
  tls_filter *f = tls_filter_of(src);
  f->reading = true;
  tls_schedule(f);
  return 0;
}

static void filter_read_stop(aio_source *src) {
  tls_filter_of(src)->reading = false;
}

static int filter_write_start(aio_source *src) {
  tls_filter *f = tls_filter_of(src);
  f->full = true;
  tls_schedule(f);
  return 0;
}

/* The end of one's own direction; the peer may go on. */
static int filter_shutdown(aio_source *src) {
  return tls_notify(tls_filter_of(src));
}

static int filter_address(aio_source *src, bool peer, aio_address *a) {
  const tls_filter *f = tls_filter_of(src);
  return f->api->stream_address(tls_below(f), peer, a);
}

static int filter_fileno(aio_source *src) {
  aio_source *lower = tls_below(tls_filter_of(src))->source;
  return lower ? lower->ops->fileno(lower) : -1;
}

static void run(aio_loop *l, aio_cnode *c);

/* All that has come: a part of a record is nothing yet. */
static void pull_below(const aio_stream *b) {
  size_t before;
  do {
    before = b->in.total;
    if (b->reading && b->source->ops->pull) b->source->ops->pull(b->source, true);
  } while (b->in.total > before);
}

/* What is below has to be decrypted to tell whether it is anything: sessions come at any time. */
static void filter_pull(aio_source *src, bool anyway) {
  tls_filter *f = tls_filter_of(src);
  if (!anyway || f->busy || f->phase != TLS_OPEN) return;
  pull_below(tls_below(f));
  if (f->work.node.state != AIO_READY) return;
  aio_list_del(&f->work.node.link);
  run(f->loop, &f->work);
}

static const aio_source_ops filter_ops = {
    .read_start = filter_read_start,
    .read_stop = filter_read_stop,
    .pull = filter_pull,
    .try_writev = tls_try_writev,
    .write_start = filter_write_start,
    .shutdown = filter_shutdown,
    .close = filter_close,
    .address = filter_address,
    .fileno = filter_fileno,
    .finish = filter_finish,
    .kind = "tls",
    .borrows = true,
    .inert = true, /* the source below keeps the loop waiting */
};

/* After the peer has ended TLS, nothing that comes counts; when it has closed below as well, nobody
 * is there to write to. */
static void after_end(tls_filter *f) {
  aio_stream *b = tls_below(f);
  if (b->in.total > 0) f->api->stream_consume(b, b->in.total);
  if (!b->eof || f->broken) return;
  f->broken = true;
  f->api->stream_write_failed(tls_above(f), UV_EPIPE);
}

static void run(aio_loop *l, aio_cnode *c) {
  (void)l;
  tls_filter *f = AIO_CONTAINER(c, tls_filter, work);
  c->node.state = AIO_IDLE;
  f->busy = true;
  if (f->phase == TLS_LINGER) linger(f);
  if (f->phase == TLS_HANDSHAKE) tls_shake_hands(f);
  if (f->phase == TLS_OPEN && f->reading) tls_input(f);
  if (f->phase == TLS_OPEN && f->ended) after_end(f);
  if (f->phase == TLS_OPEN && !f->closed) tls_output(f);
  if (f->phase == TLS_OPEN && !f->closed && f->closing) wind_up(f);
  f->busy = false;
  if (f->closed) filter_end(f);
}

static void on_timer(aio_timer *t) {
  tls_filter *f = AIO_CONTAINER(t, tls_filter, timer);
  if (f->phase == TLS_LINGER) {
    filter_end(f);
  } else if (f->phase == TLS_HANDSHAKE) {
    tls_handshake_failed(f, UV_ETIMEDOUT);
  } else {
    f->phase = TLS_FAILED;
    tls_above(f)->lost = true;
    f->api->stream_write_failed(tls_above(f), UV_ETIMEDOUT); /* which closes it */
  }
}

static int attach(aio_filter *base, aio_stream *s) {
  tls_filter *f = AIO_CONTAINER(base, tls_filter, base);
  f->loop = s->loop;
  if (!tls_start_timer(f, f->handshake_seconds)) return UV_ENOMEM;
  int err = f->api->stream_insert(s, &f->source, &f->work, &f->wire.below);
  if (err) {
    f->api->timer_stop(f->loop, &f->timer);
    return err;
  }
  tls_schedule(f);
  return 0;
}

/* ---- making one ---- */

tls_filter *tls_filter_new(const aio_api *api, aio_mem mem, tls_context *c, tls_info *info,
                           const tls_options *opts) {
  tls_filter *f = aio_mem_new(&mem, sizeof *f);
  if (!f) return NULL;
  memset(f, 0, sizeof *f);
  f->base.attach = attach;
  f->source.ops = &filter_ops;
  f->work.node.kind = AIO_NODE_C;
  f->work.run = run;
  aio_link_init(&f->work.node.link);
  aio_link_init(&f->object.link);
  aio_link_init(&f->buffers);
  f->object.detach = linger_detach;
  f->timer.fire = on_timer;
  f->api = api;
  f->wire.api = api;
  f->wire.mem = mem;
  f->server = opts->server;
  f->handshake_seconds = opts->handshake_seconds;
  f->shutdown_seconds = opts->shutdown_seconds;
  f->context = c;
  tls_context_hold(c);
  f->info = info;
  info->refs++;
  info->filter = f;
  if (tls_set_up(f, opts)) return f;
  filter_destroy(f);
  return NULL;
}

aio_filter *tls_filter_base(tls_filter *f) {
  return &f->base;
}
