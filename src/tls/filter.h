/* SPDX-License-Identifier: MIT
 *
 * A TLS connection: the source of the stream that the user has, above a stream of its own that
 * carries the ciphertext. Writing encrypts at once, from where the user's bytes are, and sends;
 * everything else happens in a node of the ready queue, which the stream below makes ready when
 * something has changed there. So nothing is ever reported inside an operation, and no stream is
 * freed under a callback of its source. filter.c has its life, flow.c the bytes, handshake.c the
 * beginning.
 *
 * Invariants: `flight` holds ciphertext that the stream below has borrowed, until its queue is
 * empty, and meanwhile nothing is encrypted. A filter that is `closed` has no stream above; it
 * lives on only to TLS_LINGER, or until the function returns that it is in (`busy`). */
#ifndef AIO_TLS_FILTER_H
#define AIO_TLS_FILTER_H

#include <openssl/err.h>

#include "tls/tls.h"

enum tls_phase { TLS_HANDSHAKE, TLS_OPEN, TLS_FAILED, TLS_LINGER };

struct tls_filter {
  aio_filter base;
  aio_source source;
  aio_cnode work;
  aio_timer timer;   /* limit of the handshake, of the closing, of the lingering */
  aio_object object; /* in the loop's list while it lingers */
  aio_link buffers;  /* in the context's list while OpenSSL has buffers for it */
  const aio_api *api;
  aio_loop *loop;
  tls_wire wire; /* wire.below: the stream below */
  tls_buffer flight;
  SSL *ssl;
  tls_context *context, *other; /* `other`: the answer to the question */
  tls_info *info;
  char *key; /* of the session, or NULL */
  double handshake_seconds, shutdown_seconds;
  enum tls_phase phase;
  bool server;
  bool asking, answered; /* which context is for the client's name? */
  bool refused;          /* that one cannot be had */
  bool reading;          /* the stream above wants bytes */
  bool full;             /* it has bytes to write */
  bool closing;          /* it waits for us to finish */
  bool notified;         /* we have said that nothing more comes */
  bool ended;            /* the peer has */
  bool broken;           /* the stream above knows that nothing can be sent */
  bool busy, closed;
};

static inline tls_filter *tls_filter_of(aio_source *src) {
  return AIO_CONTAINER(src, tls_filter, source);
}

static inline aio_stream *tls_above(const tls_filter *f) {
  return f->source.stream;
}

static inline aio_stream *tls_below(const tls_filter *f) {
  return f->wire.below;
}

static inline void tls_schedule(tls_filter *f) {
  if (f->work.node.state == AIO_IDLE) aio_loop_ready(f->loop, &f->work.node);
}

/* The errors of OpenSSL are a queue of the thread, which has to be empty before an operation. To
 * clear it costs hundreds of instructions, also when it is empty. */
static inline void tls_clear_errors(void) {
  if (ERR_peek_error()) ERR_clear_error();
}

static inline bool tls_start_timer(tls_filter *f, double seconds) {
  return f->api->timer_start(f->loop, &f->timer, aio_loop_now(f->loop) + seconds);
}

/* ---- buffers.c ---- */

/* OpenSSL is about to use its record buffers. */
void tls_buffers_use(tls_filter *f);
/* The SSL object goes. */
void tls_buffers_forget(tls_filter *f);

/* ---- flow.c ---- */

/* Has the stream below sent everything? Then what it borrowed is freed. */
bool tls_landed(tls_filter *f);
/* Sends what OpenSSL has put out. 0 or an error code. */
int tls_send_out(tls_filter *f);
/* Why the last operation of OpenSSL failed, in words that stay; NULL: for want of memory. And the
 * error code for that. */
const char *tls_reason_of_error(void);
int tls_error_code(const char *reason);
/* Decrypts for the stream above while it wants bytes. */
void tls_input(tls_filter *f);
/* The operation of the source. */
ptrdiff_t tls_try_writev(aio_source *src, const uv_buf_t *bufs, unsigned n);
/* Goes on with writing when the stream below has made room, or has failed. */
void tls_output(tls_filter *f);

/* ---- handshake.c ---- */

/* Makes the SSL object of a new filter; false when memory is out. */
bool tls_set_up(tls_filter *f, const tls_options *o);
/* Goes on with the handshake. */
void tls_shake_hands(tls_filter *f);
void tls_handshake_failed(tls_filter *f, int err);

#endif
