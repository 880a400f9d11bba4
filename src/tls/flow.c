/* SPDX-License-Identifier: MIT
 *
 * The bytes of a TLS connection: ciphertext from the receive queue below is decrypted straight into
 * that of the stream above; plaintext is encrypted from where it is into one buffer, of several
 * records, which leaves with one system call. Called by filter.c. */
#include "tls/filter.h"

enum {
  RECORD = 16 * 1024,   /* the most that one record holds */
  RECORD_EXTRA = 64,    /* what it is longer encrypted */
  AT_ONCE = 4 * RECORD, /* encrypted before it is sent */
  ROUNDS = 16,          /* of reading or writing before others get their turn */
  OUT_MAX = 64 * 1024   /* answers of OpenSSL to a peer that does not read them */
};

/* ---- ciphertext out ---- */

/* The stream below has sent everything: what it borrowed is free. */
bool tls_landed(tls_filter *f) {
  if (tls_below(f)->out.total > 0) return false;
  if (f->flight.data) tls_buffer_free(&f->wire.mem, &f->flight);
  return true;
}

/* Sends what OpenSSL has put out. 0 or an error code. */
int tls_send_out(tls_filter *f) {
  if (f->wire.out.len == 0 || !tls_landed(f)) return 0;
  f->flight = f->wire.out;
  memset(&f->wire.out, 0, sizeof f->wire.out);
  int err = tls_wire_send(&f->wire, f->flight.data, f->flight.len);
  tls_landed(f);
  return err;
}

/* ---- errors of OpenSSL ---- */

/* Why the last operation failed, in words that stay; NULL: for want of memory. */
const char *tls_reason_of_error(void) {
  unsigned long e = ERR_peek_error();
  if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE) return NULL;
  const char *text = ERR_reason_error_string(e);
  return text ? text : "TLS failed";
}

int tls_error_code(const char *reason) {
  return reason ? AIO_EFILTER : UV_ENOMEM;
}

/* ---- plaintext in ---- */

/* What a round of decrypting ended with. */
enum verdict { MORE, WAIT, END, BROKEN };

/* Asking OpenSSL only to hear that there is nothing costs a thousand instructions. */
static bool nothing_there(const tls_filter *f) {
  return tls_below(f)->in.total == 0 && !SSL_has_pending(f->ssl);
}

static enum verdict decrypt_into(tls_filter *f, const uv_buf_t *space, size_t *got) {
  tls_clear_errors();
  for (size_t at = 0, n; at < space->len; at += n, *got += n) {
    if (nothing_there(f)) return WAIT;
    if (SSL_read_ex(f->ssl, space->base + at, space->len - at, &n)) continue;
    switch (SSL_get_error(f->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
      return WAIT;
    case SSL_ERROR_ZERO_RETURN:
      return END;
    default:
      return BROKEN;
    }
  }
  return MORE;
}

static void read_ended(tls_filter *f, int err) {
  f->api->stream_read_ended(tls_above(f), err);
}

/* The connection cannot go on. */
static void fail(tls_filter *f, int err) {
  f->phase = TLS_FAILED;
  f->broken = true;
  read_ended(f, err);
  if (!f->closed) f->api->stream_write_failed(tls_above(f), err);
}

static void input_waits(tls_filter *f) {
  const aio_stream *b = tls_below(f);
  if (!b->eof || b->in.total > 0) return;
  read_ended(f, b->read_error ? b->read_error : AIO_ETRUNCATED);
}

/* The most that the next round can bring, when that is known to be little: what is encrypted is
 * longer than what it was. */
static size_t most_plain(const tls_filter *f) {
  return SSL_has_pending(f->ssl) ? RECORD : tls_below(f)->in.total;
}

/* One round; true when there may be more. */
static bool read_round(tls_filter *f) {
  uv_buf_t space[2];
  unsigned n = f->api->stream_space(tls_above(f), most_plain(f), space);
  size_t got = 0;
  tls_buffers_use(f);
  if (n == 0) {
    read_ended(f, UV_ENOMEM);
    return false;
  }
  enum verdict v = MORE;
  for (unsigned i = 0; i < n && v == MORE; i++) v = decrypt_into(f, &space[i], &got);
  const char *reason = v == BROKEN ? tls_reason_of_error() : NULL;
  tls_send_out(f);
  if (got) f->api->stream_received(tls_above(f), got);
  switch (v) {
  case WAIT:
    input_waits(f);
    return false;
  case END:
    f->ended = true;
    read_ended(f, 0);
    return false;
  case BROKEN:
    tls_above(f)->reason = reason;
    fail(f, tls_error_code(reason));
    return false;
  default:
    return true;
  }
}

void tls_input(tls_filter *f) {
  for (int i = 0; i < ROUNDS && f->reading && f->wire.out.len < OUT_MAX; i++) {
    if (!read_round(f)) return;
  }
  if (f->reading) tls_schedule(f);
}

/* ---- plaintext out ---- */

/* Where the bytes are that shall be encrypted: `at` bytes of buffer `i` are done. */
typedef struct cursor {
  const uv_buf_t *bufs;
  unsigned n, i;
  size_t at;
} cursor;

/* The next bytes for one record: as they are when they are enough, or the last; short pieces are
 * put together in `scratch`, since each record costs more than a copy. */
static size_t next_record(cursor *c, const char **ptr, char *scratch) {
  size_t len = c->bufs[c->i].len - c->at;
  *ptr = c->bufs[c->i].base + c->at;
  if (len >= RECORD || c->i + 1 == c->n) return len < RECORD ? len : RECORD;
  size_t got = 0;
  for (unsigned i = c->i; i < c->n && got < RECORD; i++) {
    size_t from = i == c->i ? c->at : 0, part = c->bufs[i].len - from;
    if (part > RECORD - got) part = RECORD - got;
    memcpy(scratch + got, c->bufs[i].base + from, part);
    got += part;
  }
  *ptr = scratch;
  return got;
}

static void advance(cursor *c, size_t n) {
  while (c->i < c->n && n >= c->bufs[c->i].len - c->at) {
    n -= c->bufs[c->i++].len - c->at;
    c->at = 0;
  }
  c->at += n;
}

static size_t left(const cursor *c) {
  size_t n = 0;
  for (unsigned i = c->i; i < c->n; i++) n += c->bufs[i].len;
  return n - c->at;
}

/* Encrypts `total` bytes. 0 or an error code. */
static int encrypt(tls_filter *f, cursor *c, size_t total) {
  char scratch[RECORD];
  tls_buffers_use(f);
  tls_clear_errors();
  while (total > 0) {
    const char *ptr;
    size_t n, len = next_record(c, &ptr, scratch);
    if (!SSL_write_ex(f->ssl, ptr, len, &n)) {
      const char *reason = tls_reason_of_error();
      tls_above(f)->reason = reason;
      return tls_error_code(reason);
    }
    advance(c, n);
    total -= n;
  }
  return 0;
}

/* Encrypts and sends up to AT_ONCE bytes. The count, or an error code. */
static ptrdiff_t send_some(tls_filter *f, cursor *c) {
  tls_wire *w = &f->wire;
  size_t total = left(c);
  if (total > AT_ONCE) total = AT_ONCE;
  w->direct = total <= RECORD;
  if (!w->direct &&
      !tls_buffer_reserve(&w->mem, &w->out, total + (total / RECORD + 1) * RECORD_EXTRA))
    return UV_ENOMEM;
  int err = encrypt(f, c, total);
  w->direct = false;
  if (!err) err = w->error ? w->error : tls_send_out(f);
  return err ? err : (ptrdiff_t)total;
}

ptrdiff_t tls_try_writev(aio_source *src, const uv_buf_t *bufs, unsigned n) {
  tls_filter *f = tls_filter_of(src);
  cursor c = {bufs, n, 0, 0};
  ptrdiff_t sent = 0;
  if (f->phase == TLS_FAILED)
    return tls_above(f)->write_error ? tls_above(f)->write_error : AIO_EFILTER;
  if (f->phase != TLS_OPEN) return 0;
  for (int i = 0; i < ROUNDS && left(&c) > 0 && tls_landed(f); i++) {
    ptrdiff_t done = send_some(f, &c);
    if (done < 0) return done;
    sent += done;
  }
  return sent;
}

void tls_output(tls_filter *f) {
  const aio_stream *b = tls_below(f);
  if (b->write_error) {
    if (f->broken) return;
    f->broken = true;
    if (b->lost) tls_above(f)->lost = true;
    f->api->stream_write_failed(tls_above(f), b->write_error);
  } else if (tls_landed(f)) {
    tls_send_out(f);
    if (f->full) f->full = f->api->stream_flush(tls_above(f));
    if (f->full && tls_landed(f)) tls_schedule(f);
  }
}
