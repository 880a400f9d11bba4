/* SPDX-License-Identifier: MIT
 *
 * aio/tls.so: TLS by OpenSSL, as a filter on a stream. A library of its own, so that the core needs
 * no OpenSSL; of the core it knows the headers of floors 0 to 2 and the struct aio_api that it is
 * given when it is opened.
 *
 * Three structures. A tls_context is an SSL_CTX with what belongs to it; a tls_info is what a
 * connection tells of itself, also after its end; both are counted, because Lua objects and filters
 * hold them. A tls_filter is the connection itself, see filter.c. */
#ifndef AIO_TLS_TLS_H
#define AIO_TLS_TLS_H

#include <lauxlib.h>
#include <lua.h>
#include <openssl/ssl.h>

#include "base/export.h"
#include "beside/core_api.h"

AIO_EXPORT int luaopen_aio_tls(lua_State *L);

/* Clients resume sessions of at most so many servers. */
enum { TLS_SESSIONS = 64 };

enum { TLS_ID = 16 };

typedef struct tls_session {
  char *key; /* or NULL: free */
  SSL_SESSION *session;
} tls_session;

typedef struct tls_context {
  unsigned refs;
  SSL_CTX *ctx;
  unsigned char id[TLS_ID];       /* random: only its own sessions are resumed */
  X509_STORE *client_cas;         /* whom a server trusts to vouch for clients, or NULL */
  int verify_server, verify_peer; /* SSL_VERIFY_* as a client, as a server */
  bool ask_name;                  /* a server asks which context is for the client's name */
  bool resume;                    /* sessions are kept */
  unsigned char *alpn;            /* protocols in wire form, or NULL */
  unsigned alpn_len;
  bool trusts_system; /* servers: whom the system trusts, */
  bool trust_loaded;  /* and that has been read */
  unsigned next;      /* the session that is replaced next */
  tls_session sessions[TLS_SESSIONS];
  aio_link busy; /* filters with record buffers, the one used last at the end */
  unsigned nbusy;
} tls_context;

typedef struct tls_filter tls_filter;

typedef struct tls_info {
  unsigned refs;
  tls_filter *filter; /* while it is there */
  bool done;          /* the handshake */
  bool reused;
  const char *version;
  const SSL_CIPHER *cipher;
  X509 *peer; /* the peer's certificate, or NULL */
  char alpn[256];
  char name[256]; /* a server: which the client asked for */
  bool named;
  const char *reason;    /* why it failed, in static memory, or NULL */
  long verify;           /* X509_V_OK, or what was wrong with a certificate: */
  int depth;             /* 0: the peer's own, 1: who vouches for it, ... */
  X509 *culprit;         /* this one, or NULL */
  char verify_text[128]; /* the same in words */
} tls_info;

/* What connection.c wants of a new filter. */
typedef struct tls_options {
  bool server;
  const char *name; /* to look for in the certificate, or NULL */
  const char *sni;  /* to ask the server for, or NULL */
  const char *key;  /* of the session to resume, or NULL */
  double handshake_seconds, shutdown_seconds;
} tls_options;

/* ---- context.c ---- */

void tls_context_hold(tls_context *c);
void tls_context_drop(tls_context *c);
/* The context at `idx`; raises an argument error. [may throw] */
tls_context *tls_context_check(lua_State *L, int idx);
/* Sees to it that servers can be verified: reads whom the system trusts, at the first call. */
bool tls_context_trust(tls_context *c);
int tls_context_new(lua_State *L);
int tls_context_ask(lua_State *L);
/* A connection goes on with this context instead of the one it was made with, while the client's
 * hello is looked at: with all that OpenSSL would leave as it was. */
bool tls_context_put_on(const tls_context *c, SSL *ssl);
void tls_context_open(lua_State *L);

/* ---- session.c: what clients resume ---- */

/* The newest session of that server, or NULL; one of TLS 1.3 is then no longer kept. The caller
 * owns it. */
SSL_SESSION *tls_session_take(tls_context *c, const char *key);
/* Keeps a session in place of an older one; true when it does (it is then owned by the context). */
bool tls_session_keep(tls_context *c, const char *key, SSL_SESSION *session);
void tls_session_clear(tls_context *c);

/* ---- filter.c: no Lua from here on ---- */

/* A filter that waits to be attached, or NULL when memory is out or a name is refused. */
tls_filter *tls_filter_new(const aio_api *api, aio_mem mem, tls_context *c, tls_info *info,
                           const tls_options *opts);
/* Frees one that was never attached. */
void tls_filter_free(tls_filter *f);
aio_filter *tls_filter_base(tls_filter *f);
/* Does it wait for the answer to the question which context is for the client's name? */
bool tls_filter_asks(const tls_filter *f);
/* The answer to the question for a context: go on with this one, or with the own (NULL). */
bool tls_filter_answer(tls_filter *f, tls_context *c);

/* Callbacks of an SSL_CTX: a client has said hello, a server has sent a session. */
int tls_on_hello(SSL *ssl, int *alert, void *arg);
int tls_on_session(SSL *ssl, SSL_SESSION *session);

/* ---- bio.c: how OpenSSL reads and writes ---- */

/* Where OpenSSL's output is collected: one buffer, which grows. */
typedef struct tls_buffer {
  char *data;
  size_t len, room;
} tls_buffer;

typedef struct tls_wire {
  const aio_api *api;
  aio_mem mem;
  aio_stream *below; /* whose received bytes are read */
  tls_buffer out;
  bool direct; /* what OpenSSL puts out is sent at once, from where it is */
  int error;   /* what came of that */
} tls_wire;

/* A BIO over the wire, or NULL. */
BIO *tls_bio_new(tls_wire *w);
/* Writes to the stream below. 0 or an error code; then nothing more can be written there. */
int tls_wire_send(const tls_wire *w, const char *data, size_t n);
/* Sees to it that `n` more bytes fit. False when memory is out. */
bool tls_buffer_reserve(const aio_mem *mem, tls_buffer *b, size_t n);
void tls_buffer_free(const aio_mem *mem, tls_buffer *b);

/* ---- info.c ---- */

tls_info *tls_info_new(void);
void tls_info_drop(tls_info *i);
/* Notes what a finished handshake has agreed on. */
void tls_info_note(tls_info *i, SSL *ssl);
/* Notes which name the client asks for, while its hello is at hand. */
void tls_info_note_name(tls_info *i, SSL *ssl);
/* Pushes the value of a name of get_extra_info, or nil. [may throw] */
int tls_info_push(lua_State *L, const tls_info *i, const char *name);

/* ---- certificate.c ---- */

/* Pushes a table that tells of the certificate. [may throw] */
void tls_certificate_push(lua_State *L, X509 *cert);

/* ---- digest.c ---- */

int tls_digest(lua_State *L);

/* ---- connection.c ---- */

int tls_connection_new(lua_State *L);
void tls_connection_open(lua_State *L);

#endif
