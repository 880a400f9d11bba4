/* SPDX-License-Identifier: MIT
 *
 * The beginning of a TLS connection: the SSL object with the name that the certificate has to have,
 * the handshake step by step, and the callbacks of OpenSSL in it. Called by filter.c. */
#include <openssl/x509v3.h>

#include "tls/filter.h"

/* From OpenSSL: notes what is wrong with a certificate. */
static int on_verify(int ok, X509_STORE_CTX *store) {
  if (ok) return 1;
  SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  tls_info *i = ((tls_filter *)SSL_get_app_data(ssl))->info;
  int code = X509_STORE_CTX_get_error(store);
  i->verify = code;
  i->depth = X509_STORE_CTX_get_error_depth(store);
  OPENSSL_strlcpy(i->verify_text, X509_verify_cert_error_string(code), sizeof i->verify_text);
  X509_free(i->culprit);
  i->culprit = X509_STORE_CTX_get_current_cert(store);
  if (i->culprit) X509_up_ref(i->culprit);
  return 0; /* as it was */
}

static bool expect_name(SSL *ssl, const char *name) {
  X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                             X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return X509_VERIFY_PARAM_set1_ip_asc(param, name) || X509_VERIFY_PARAM_set1_host(param, name, 0);
}

static bool set_up_client(tls_filter *f, const tls_options *o) {
  SSL_set_connect_state(f->ssl);
  if (f->context->verify_server != SSL_VERIFY_NONE && !tls_context_trust(f->context)) return false;
  SSL_set_verify(f->ssl, f->context->verify_server, on_verify);
  if (o->name && !expect_name(f->ssl, o->name)) return false;
  if (o->sni && !SSL_set_tlsext_host_name(f->ssl, o->sni)) return false;
  if (!o->key || !f->context->resume) return true;
  if (!(f->key = OPENSSL_strdup(o->key))) return false;
  SSL_SESSION *session = tls_session_take(f->context, o->key);
  if (session) SSL_set_session(f->ssl, session);
  SSL_SESSION_free(session);
  return true;
}

static bool set_up_server(tls_filter *f) {
  SSL_set_accept_state(f->ssl);
  SSL_set_verify(f->ssl, f->context->verify_peer, on_verify);
  return !f->context->client_cas || SSL_set1_verify_cert_store(f->ssl, f->context->client_cas);
}

bool tls_set_up(tls_filter *f, const tls_options *o) {
  f->ssl = SSL_new(f->context->ctx);
  BIO *bio = f->ssl ? tls_bio_new(&f->wire) : NULL;
  if (!bio) return false;
  SSL_set_bio(f->ssl, bio, bio);
  SSL_set_app_data(f->ssl, f);
  return o->server ? set_up_server(f) : set_up_client(f, o);
}

/* ---- the handshake ---- */

void tls_handshake_failed(tls_filter *f, int err) {
  f->phase = TLS_FAILED;
  f->api->timer_stop(f->loop, &f->timer);
  f->api->stream_connected(tls_above(f), err);
}

static void handshake_done(tls_filter *f) {
  f->phase = TLS_OPEN;
  f->api->timer_stop(f->loop, &f->timer);
  tls_info_note(f->info, f->ssl);
  f->api->stream_connected(tls_above(f), 0);
}

/* The peer has closed or reset before the end of the handshake. */
static bool lost_below(tls_filter *f) {
  const aio_stream *b = tls_below(f);
  bool gone = b->eof && b->in.total == 0;
  if (!gone && !b->write_error) return false;
  int err = b->read_error ? b->read_error : b->write_error;
  f->info->reason = err ? NULL : "the peer closed the connection during the handshake";
  tls_handshake_failed(f, err ? err : AIO_EFILTER);
  return true;
}

void tls_shake_hands(tls_filter *f) {
  if (f->asking) return;
  tls_buffers_use(f);
  tls_clear_errors();
  int done = SSL_do_handshake(f->ssl);
  int why = SSL_get_error(f->ssl, done);
  const char *reason = tls_reason_of_error();
  tls_send_out(f);
  if (done == 1) {
    handshake_done(f);
  } else if (why == SSL_ERROR_WANT_CLIENT_HELLO_CB) {
    f->asking = true;
    f->api->wake_all(f->loop, &tls_above(f)->writers);
  } else if (why != SSL_ERROR_WANT_READ) {
    f->info->reason = reason;
    tls_handshake_failed(f, tls_error_code(reason));
  } else {
    lost_below(f);
  }
}

int tls_on_hello(SSL *ssl, int *alert, void *arg) {
  (void)arg;
  tls_filter *f = SSL_get_app_data(ssl);
  *alert = SSL_AD_INTERNAL_ERROR;
  if (f->refused) return SSL_CLIENT_HELLO_ERROR;
  if (f->answered) return SSL_CLIENT_HELLO_SUCCESS;
  tls_info_note_name(f->info, ssl);
  return SSL_CLIENT_HELLO_RETRY;
}

int tls_on_session(SSL *ssl, SSL_SESSION *session) {
  const tls_filter *f = SSL_get_app_data(ssl);
  return f->key && f->phase != TLS_LINGER && tls_session_keep(f->context, f->key, session);
}

bool tls_filter_asks(const tls_filter *f) {
  return f->asking;
}

bool tls_filter_answer(tls_filter *f, tls_context *c) {
  if (!f->asking) return false;
  f->refused = c && !tls_context_put_on(c, f->ssl);
  if (c && !f->refused) {
    tls_context_hold(c);
    f->other = c;
    SSL_set_verify(f->ssl, c->verify_peer, on_verify);
    if (c->client_cas) SSL_set1_verify_cert_store(f->ssl, c->client_cas);
  }
  f->asking = false;
  f->answered = true;
  tls_schedule(f);
  return true;
}
