/* SPDX-License-Identifier: MIT
 *
 * What a connection tells of itself: filled in by the filter, read by get_extra_info, also when the
 * connection is gone. Invariant: nothing in it points into the SSL object. */
#include <string.h>

#include "tls/tls.h"

tls_info *tls_info_new(void) {
  tls_info *i = OPENSSL_zalloc(sizeof *i);
  if (i) i->refs = 1;
  return i;
}

void tls_info_drop(tls_info *i) {
  if (--i->refs > 0) return;
  X509_free(i->peer);
  X509_free(i->culprit);
  OPENSSL_free(i);
}

void tls_info_note(tls_info *i, SSL *ssl) {
  const unsigned char *alpn;
  unsigned len;
  i->done = true;
  i->reused = SSL_session_reused(ssl) != 0;
  i->version = SSL_get_version(ssl);
  i->cipher = SSL_get_current_cipher(ssl);
  i->peer = SSL_get1_peer_certificate(ssl);
  SSL_get0_alpn_selected(ssl, &alpn, &len);
  if (alpn && len < sizeof i->alpn) {
    memcpy(i->alpn, alpn, len);
    i->alpn[len] = '\0';
  }
}

/* The extension holds a list of names, of which there is only ever one, of type 0: lengths of two
 * bytes around a type of one. */
void tls_info_note_name(tls_info *i, SSL *ssl) {
  const unsigned char *p;
  size_t len;
  if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &len)) return;
  if (len < 5 || p[2] != TLSEXT_NAMETYPE_host_name) return;
  size_t name = (size_t)p[3] << 8 | p[4];
  if (name != len - 5 || name >= sizeof i->name || memchr(p + 5, 0, name)) return;
  memcpy(i->name, p + 5, name);
  i->name[name] = '\0';
  i->named = true;
}

static int push_cipher(lua_State *L, const tls_info *i) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, SSL_CIPHER_get_name(i->cipher));
  lua_setfield(L, -2, "name");
  lua_pushstring(L, SSL_CIPHER_get_version(i->cipher));
  lua_setfield(L, -2, "protocol");
  lua_pushinteger(L, SSL_CIPHER_get_bits(i->cipher, NULL));
  lua_setfield(L, -2, "bits");
  return 1;
}

int tls_info_push(lua_State *L, const tls_info *i, const char *name) {
  if (!i->done) return lua_pushnil(L), 1;
  if (strcmp(name, "version") == 0) {
    lua_pushstring(L, i->version);
  } else if (strcmp(name, "cipher") == 0 && i->cipher) {
    return push_cipher(L, i);
  } else if (strcmp(name, "alpn_protocol") == 0 && *i->alpn) {
    lua_pushstring(L, i->alpn);
  } else if (strcmp(name, "peercert") == 0 && i->peer) {
    tls_certificate_push(L, i->peer);
  } else if (strcmp(name, "session_reused") == 0) {
    lua_pushboolean(L, i->reused);
  } else {
    lua_pushnil(L);
  }
  return 1;
}
