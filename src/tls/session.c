/* SPDX-License-Identifier: MIT
 *
 * Sessions that clients may resume: a few, by the server's name, in the context. One of TLS 1.3 is
 * used once, and the server sends new ones. Called by the filter. Invariant: at most
 * one session for each key. */
#include <string.h>

#include "tls/tls.h"

static void forget(tls_session *s) {
  OPENSSL_free(s->key);
  SSL_SESSION_free(s->session);
  s->key = NULL;
  s->session = NULL;
}

static tls_session *find(tls_context *c, const char *key) {
  for (int i = 0; i < TLS_SESSIONS; i++) {
    tls_session *s = &c->sessions[i];
    if (s->key && strcmp(s->key, key) == 0) return s;
  }
  return NULL;
}

SSL_SESSION *tls_session_take(tls_context *c, const char *key) {
  tls_session *s = find(c, key);
  if (!s) return NULL;
  SSL_SESSION *session = s->session;
  SSL_SESSION_up_ref(session);
  if (SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION) forget(s);
  return session;
}

bool tls_session_keep(tls_context *c, const char *key, SSL_SESSION *session) {
  tls_session *s = find(c, key);
  if (!s) s = &c->sessions[c->next++ % TLS_SESSIONS];
  char *copy = OPENSSL_strdup(key);
  if (!copy) return false;
  forget(s);
  s->key = copy;
  s->session = session;
  return true;
}

void tls_session_clear(tls_context *c) {
  for (int i = 0; i < TLS_SESSIONS; i++) forget(&c->sessions[i]);
}
