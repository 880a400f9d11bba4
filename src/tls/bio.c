/* SPDX-License-Identifier: MIT
 *
 * How OpenSSL reads and writes: a BIO whose input is the receive queue of the stream below, where
 * the bytes are. Its output is collected in one buffer, so that several records leave with one
 * system call; one that is alone is sent from OpenSSL's own buffer. The filter makes one for each
 * connection. Invariant: the buffer belongs to the filter, which may take it away between two calls
 * of OpenSSL. */
#include <openssl/err.h>
#include <string.h>

#include "tls/tls.h"

enum { FIRST_ROOM = 2048 };

void tls_buffer_free(const aio_mem *mem, tls_buffer *b) {
  aio_mem_free(mem, b->data, b->room);
  memset(b, 0, sizeof *b);
}

bool tls_buffer_reserve(const aio_mem *mem, tls_buffer *b, size_t n) {
  if (b->room - b->len >= n) return true;
  size_t room = b->room ? b->room : FIRST_ROOM;
  while (room - b->len < n) room *= 2;
  char *grown = aio_mem_resize(mem, b->data, b->room, room);
  if (!grown) return false;
  b->data = grown;
  b->room = room;
  return true;
}

static bool buffer_add(const aio_mem *mem, tls_buffer *b, const char *data, size_t n) {
  if (!tls_buffer_reserve(mem, b, n)) return false;
  memcpy(b->data + b->len, data, n);
  b->len += n;
  return true;
}

/* The end of the input shows as "not now": the filter tells an end from a pause. */
static int bio_read(BIO *b, char *to, int n) {
  const tls_wire *w = BIO_get_data(b);
  size_t got = 0, want = n > 0 ? (size_t)n : 0;
  BIO_clear_retry_flags(b);
  while (got < want && w->below->in.total > 0) {
    size_t len;
    const char *from = aio_recvq_peek(&w->below->in, &len);
    if (len > want - got) len = want - got;
    memcpy(to + got, from, len);
    w->api->stream_consume(w->below, len);
    got += len;
  }
  if (got > 0) return (int)got;
  BIO_set_retry_read(b);
  return -1;
}

int tls_wire_send(const tls_wire *w, const char *data, size_t n) {
  aio_piece piece = {data, n};
  int err = w->api->stream_write(w->below, &piece, 1);
  /* Half a flight is none: nothing can follow it. */
  if (err && !w->below->write_error) w->api->stream_write_failed(w->below, err);
  return err;
}

/* May these bytes be sent as they are? Long ones would be borrowed by the stream below, and OpenSSL
 * needs its buffer. */
static bool goes_directly(const tls_wire *w, int n) {
  return w->direct && w->out.len == 0 && n > 0 && n < AIO_BORROW_MIN;
}

static int bio_write(BIO *b, const char *from, int n) {
  tls_wire *w = BIO_get_data(b);
  BIO_clear_retry_flags(b);
  if (goes_directly(w, n)) {
    if (!w->error) w->error = tls_wire_send(w, from, (size_t)n);
    return n;
  }
  if (n > 0 && buffer_add(&w->mem, &w->out, from, (size_t)n)) return n;
  ERR_raise(ERR_LIB_BIO, ERR_R_MALLOC_FAILURE);
  return -1;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr) {
  (void)b;
  (void)num;
  (void)ptr;
  return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_DUP;
}

static int bio_create(BIO *b) {
  BIO_set_init(b, 1);
  return 1;
}

/* Made once for the process, which the library never leaves. */
static BIO_METHOD *method;
static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;

static void method_init(void) {
  BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "aio stream");
  if (!m) return;
  BIO_meth_set_read(m, bio_read);
  BIO_meth_set_write(m, bio_write);
  BIO_meth_set_ctrl(m, bio_ctrl);
  BIO_meth_set_create(m, bio_create);
  method = m;
}

BIO *tls_bio_new(tls_wire *w) {
  if (!CRYPTO_THREAD_run_once(&method_once, method_init) || !method) return NULL;
  BIO *b = BIO_new(method);
  if (b) BIO_set_data(b, w);
  return b;
}
