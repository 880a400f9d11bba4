/* SPDX-License-Identifier: MIT
 *
 * Contexts: certificates, keys, whom to trust and what to agree on, for both roles. lua/aio/ssl.lua
 * checks the options and reads the files; here they become an SSL_CTX. Invariant: the Lua object
 * exists before the SSL_CTX does. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <string.h>

#include "tls/tls.h"

#define CONTEXT "SSLContext"

/* Stack of tls._context: text in PEM form where not said otherwise, or nil. */
enum {
  CERT = 1,
  KEY,
  PASSWORD,
  CA,
  CA_DIR, /* a path */
  CLIENT_CA,
  VERIFY, /* true, false or "optional" */
  ALPN,   /* in wire form */
  CIPHERS,
  SUITES, /* those of TLS 1.3 */
  MIN_VERSION,
  MAX_VERSION,
  SESSION_CACHE, /* boolean */
  SNI,           /* function */
  CONTEXT_SLOT
};

void tls_context_hold(tls_context *c) {
  c->refs++;
}

void tls_context_drop(tls_context *c) {
  if (--c->refs > 0) return;
  tls_session_clear(c);
  SSL_CTX_free(c->ctx);
  X509_STORE_free(c->client_cas);
  OPENSSL_free(c->alpn);
  OPENSSL_free(c);
}

tls_context *tls_context_check(lua_State *L, int idx) {
  tls_context *c = *(tls_context **)luaL_checkudata(L, idx, CONTEXT);
  luaL_argcheck(L, c, idx, "this context was collected");
  return c;
}

static int context_gc(lua_State *L) {
  tls_context **c = luaL_checkudata(L, 1, CONTEXT);
  if (*c) tls_context_drop(*c);
  *c = NULL;
  return 0;
}

/* nil, what could not be done, and why. */
static int refused(lua_State *L, const char *what) {
  unsigned long e = ERR_peek_last_error();
  const char *why = ERR_reason_error_string(e);
  lua_pushnil(L);
  lua_pushstring(L, what);
  lua_pushstring(L, why ? why : "it is not valid");
  ERR_clear_error();
  return 3;
}

/* The text at `idx` as something to read from, or NULL. */
static BIO *text_at(lua_State *L, int idx) {
  size_t len;
  const char *text = lua_tolstring(L, idx, &len);
  return BIO_new_mem_buf(text, (int)len);
}

/* For a key that is encrypted; never asks at the terminal. */
static int give_password(char *buf, int size, int writing, void *password) {
  (void)writing;
  size_t len = password ? strlen(password) : 0;
  if (len == 0 || len > (size_t)size) return -1;
  memcpy(buf, password, len);
  return (int)len;
}

/* The certificate, then those who vouch for it. */
static bool use_chain(SSL_CTX *ctx, BIO *b) {
  X509 *cert = PEM_read_bio_X509_AUX(b, NULL, give_password, NULL);
  bool ok = cert && SSL_CTX_use_certificate(ctx, cert);
  X509_free(cert);
  while (ok && (cert = PEM_read_bio_X509(b, NULL, give_password, NULL))) {
    ok = SSL_CTX_add0_chain_cert(ctx, cert);
    if (!ok) X509_free(cert);
  }
  if (ok) ERR_clear_error(); /* the end of the text shows as an error */
  return ok;
}

static bool use_key(SSL_CTX *ctx, BIO *b, const char *password) {
  EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, give_password, (void *)(uintptr_t)password);
  bool ok = key && SSL_CTX_use_PrivateKey(ctx, key);
  EVP_PKEY_free(key);
  return ok;
}

/* Adds the certificates in the text; false when there is none. With `names` also to the list of
 * authorities that a server tells its clients. */
static bool add_authorities(X509_STORE *store, BIO *b, SSL_CTX *names) {
  int n = 0;
  for (X509 *cert; (cert = PEM_read_bio_X509_AUX(b, NULL, give_password, NULL)); n++) {
    bool ok = X509_STORE_add_cert(store, cert) && (!names || SSL_CTX_add_client_CA(names, cert));
    X509_free(cert);
    if (!ok) return false;
  }
  if (n > 0) ERR_clear_error();
  return n > 0;
}

static int version_number(lua_State *L, int idx) {
  const char *v = lua_tostring(L, idx);
  return v && strcmp(v, "TLSv1.3") == 0 ? TLS1_3_VERSION : v ? TLS1_2_VERSION : 0;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in,
                   unsigned in_len, void *arg) {
  (void)ssl;
  const tls_context *c = arg;
  unsigned char *chosen;
  if (SSL_select_next_proto(&chosen, len, c->alpn, c->alpn_len, in, in_len) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

static bool set_alpn(lua_State *L, tls_context *c) {
  size_t len;
  const char *wire = lua_tolstring(L, ALPN, &len);
  if (!wire) return true;
  if (!(c->alpn = OPENSSL_memdup(wire, len))) return false;
  c->alpn_len = (unsigned)len;
  SSL_CTX_set_alpn_select_cb(c->ctx, on_alpn, c);
  return SSL_CTX_set_alpn_protos(c->ctx, c->alpn, c->alpn_len) == 0;
}

/* What no option changes, and what is needed for safety. */
static void set_defaults(SSL_CTX *ctx) {
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
  /* A server's chain is what its file holds, not what could be found among those it trusts. */
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(ctx, 1); /* the head of a record and its body in one go */
  SSL_CTX_set_default_passwd_cb(ctx, give_password);
}

/* What a session says of its peer is true for the context that has verified it, and for no other:
 * tickets of all names of a server are sealed with the keys of the context that was asked first. */
static bool set_id(tls_context *c) {
  return RAND_bytes(c->id, TLS_ID) == 1 && SSL_CTX_set_session_id_context(c->ctx, c->id, TLS_ID);
}

static void set_sessions(SSL_CTX *ctx, bool on) {
  if (!on) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
    return;
  }
  /* A server's sessions are with its clients, in tickets; so no client can fill its memory. */
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ctx, tls_on_session);
}

static void set_verify(lua_State *L, tls_context *c) {
  bool none = lua_isboolean(L, VERIFY) && !lua_toboolean(L, VERIFY);
  bool optional = lua_type(L, VERIFY) == LUA_TSTRING;
  c->verify_server = none ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
  c->verify_peer = SSL_VERIFY_NONE;
  if (c->client_cas && !none)
    c->verify_peer = SSL_VERIFY_PEER | (optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
}

/* What failed, or NULL. */
static const char *set_certificate(lua_State *L, SSL_CTX *ctx) {
  if (lua_isnil(L, CERT)) return NULL;
  BIO *b = text_at(L, CERT);
  bool ok = b && use_chain(ctx, b);
  BIO_free(b);
  if (!ok) return "cert";
  b = text_at(L, lua_isnil(L, KEY) ? CERT : KEY);
  ok = b && use_key(ctx, b, lua_tostring(L, PASSWORD));
  BIO_free(b);
  return !ok ? "key" : SSL_CTX_check_private_key(ctx) ? NULL : "key";
}

static const char *set_authorities(lua_State *L, tls_context *c) {
  bool ok = true;
  if (!lua_isnil(L, CA)) {
    BIO *b = text_at(L, CA);
    ok = b && add_authorities(SSL_CTX_get_cert_store(c->ctx), b, NULL);
    BIO_free(b);
  } else if (!lua_isnil(L, CA_DIR)) {
    ok = SSL_CTX_load_verify_dir(c->ctx, lua_tostring(L, CA_DIR));
  } else {
    c->trusts_system = true;
  }
  if (!ok) return "ca";
  if (lua_isnil(L, CLIENT_CA)) return NULL;
  BIO *b = text_at(L, CLIENT_CA);
  c->client_cas = X509_STORE_new();
  ok = b && c->client_cas && add_authorities(c->client_cas, b, c->ctx);
  BIO_free(b);
  return ok ? NULL : "client_ca";
}

/* That is some megabytes and milliseconds, which a server never needs. */
bool tls_context_trust(tls_context *c) {
  if (!c->trusts_system || c->trust_loaded) return true;
  c->trust_loaded = SSL_CTX_set_default_verify_paths(c->ctx);
  return c->trust_loaded;
}

static const char *set_ciphers(lua_State *L, SSL_CTX *ctx) {
  if (!SSL_CTX_set_min_proto_version(ctx, version_number(L, MIN_VERSION))) return "min_version";
  if (!SSL_CTX_set_max_proto_version(ctx, version_number(L, MAX_VERSION))) return "max_version";
  if (!lua_isnil(L, CIPHERS) && !SSL_CTX_set_cipher_list(ctx, lua_tostring(L, CIPHERS)))
    return "ciphers";
  if (!lua_isnil(L, SUITES) && !SSL_CTX_set_ciphersuites(ctx, lua_tostring(L, SUITES)))
    return "ciphers";
  return NULL;
}

/* Everything from the stack into the context. What failed, or NULL. */
static const char *set_up(lua_State *L, tls_context *c) {
  const char *failed;
  set_defaults(c->ctx);
  if (!set_id(c)) return "session_cache";
  set_sessions(c->ctx, c->resume);
  if ((failed = set_ciphers(L, c->ctx))) return failed;
  if ((failed = set_certificate(L, c->ctx))) return failed;
  if ((failed = set_authorities(L, c))) return failed;
  if (!set_alpn(L, c)) return "alpn";
  set_verify(L, c);
  if (c->ask_name) SSL_CTX_set_client_hello_cb(c->ctx, tls_on_hello, NULL);
  return NULL;
}

static void put_on_tickets(const tls_context *c, SSL *ssl) {
  if (c->resume)
    SSL_clear_options(ssl, SSL_OP_NO_TICKET);
  else
    SSL_set_options(ssl, SSL_OP_NO_TICKET);
  SSL_set_num_tickets(ssl, SSL_CTX_get_num_tickets(c->ctx));
}

/* Certificates, ciphers and ALPN are the new SSL_CTX's; what SSL_new has copied is not. */
bool tls_context_put_on(const tls_context *c, SSL *ssl) {
  if (!SSL_set_SSL_CTX(ssl, c->ctx)) return false;
  if (!SSL_set_session_id_context(ssl, c->id, TLS_ID)) return false;
  if (!SSL_set_min_proto_version(ssl, SSL_CTX_get_min_proto_version(c->ctx))) return false;
  if (!SSL_set_max_proto_version(ssl, SSL_CTX_get_max_proto_version(c->ctx))) return false;
  put_on_tickets(c, ssl);
  return true;
}

/* tls._context(...): a context, or nil, the option that failed, and why. */
int tls_context_new(lua_State *L) {
  lua_settop(L, CONTEXT_SLOT - 1);
  tls_context **box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = NULL;
  luaL_setmetatable(L, CONTEXT);
  lua_pushvalue(L, SNI);
  lua_setiuservalue(L, CONTEXT_SLOT, 1);
  ERR_clear_error();
  tls_context *c = OPENSSL_zalloc(sizeof *c);
  if (!c) return luaL_error(L, "not enough memory");
  *box = c;
  c->refs = 1;
  aio_link_init(&c->busy);
  c->resume = lua_toboolean(L, SESSION_CACHE);
  c->ask_name = !lua_isnil(L, SNI);
  c->ctx = SSL_CTX_new(TLS_method());
  if (!c->ctx) return luaL_error(L, "not enough memory");
  const char *failed = set_up(L, c);
  if (failed) return refused(L, failed);
  lua_settop(L, CONTEXT_SLOT);
  return 1;
}

/* tls._facts(context): the function that is asked for a name, does it verify servers, has it a
 * certificate? */
int tls_context_ask(lua_State *L) {
  const tls_context *c = tls_context_check(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_pushboolean(L, c->verify_server != SSL_VERIFY_NONE);
  lua_pushboolean(L, SSL_CTX_get0_certificate(c->ctx) != NULL);
  return 3;
}

static int context_tostring(lua_State *L) {
  lua_pushfstring(L, "SSLContext: %p", lua_topointer(L, 1));
  return 1;
}

void tls_context_open(lua_State *L) {
  static const luaL_Reg meta[] = {
      {"__gc", context_gc}, {"__tostring", context_tostring}, {NULL, NULL}};
  luaL_newmetatable(L, CONTEXT);
  luaL_setfuncs(L, meta, 0);
  lua_pop(L, 1);
}
