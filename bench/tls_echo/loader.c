/* SPDX-License-Identifier: MIT
 *
 * Closed-loop load for a TLS echo server on the loopback, and the reading of what it costs:
 *   loader PORT PID CONNS SIZE SECONDS
 *   loader PORT PID CONNS full|resumed SECONDS
 * With a SIZE each connection sends so many bytes, waits for them all to come back, and sends
 * again. With "full" or "resumed" each connects, shakes hands, sends one request, waits for its
 * answer, ends TLS, closes, and begins again; what is counted is connections, and with "resumed"
 * one that does not resume the session of the one before is `bad`.
 *
 * The first tenth of the time is a warm-up; what is counted after it is operations, and the CPU
 * time of process PID. One line of JSON; `bad` are answers that were not what was sent. All servers
 * get the same cipher, AES-128-GCM of TLS 1.3: the choice is the client's. The certificate is not
 * verified, which would be the loader's work, not the server's. */
#include "lib/closed_loop.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>

enum { ROOM = 65536, SMALL = 64 };

struct conn {
  SSL *ssl;
  SSL_SESSION *session; /* to resume, or NULL */
  size_t got;
  double since;
  bool asked, tried; /* a request is under way; a session was offered */
};

static char *out, in[ROOM];
static size_t size;
static bool again, resume; /* a connection for each request; with the session of the last */
static SSL_CTX *ctx;
static int port, ep;

static int on_session(SSL *ssl, SSL_SESSION *session) {
  struct conn *c = SSL_get_app_data(ssl);
  SSL_SESSION_free(c->session);
  c->session = session;
  return 1;
}

static void make_context(void) {
  ctx = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
  if (!SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256")) exit(1);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  if (resume) SSL_CTX_sess_set_new_cb(ctx, on_session);
}

static void start(struct conn *c) {
  int fd = connect_to(port);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
  c->ssl = SSL_new(ctx);
  SSL_set_app_data(c->ssl, c);
  SSL_set_fd(c->ssl, fd);
  SSL_set_connect_state(c->ssl);
  c->tried = c->session && SSL_set_session(c->ssl, c->session);
  c->asked = false;
  c->since = now();
  SSL_do_handshake(c->ssl); /* the client speaks first */
}

static void end(struct conn *c) {
  int fd = SSL_get_fd(c->ssl);
  SSL_shutdown(c->ssl);
  SSL_free(c->ssl);
  close(fd);
}

static void request(struct conn *c) {
  c->got = 0;
  if (!again) c->since = now();
  c->asked = true;
  if (SSL_write(c->ssl, out, (int)size) != (int)size) fail("SSL_write");
}

/* All that was asked for has come back. */
static void next(struct conn *c) {
  answered(c->since);
  if (!again) {
    request(c);
    return;
  }
  if (c->tried && !SSL_session_reused(c->ssl)) bad++;
  end(c);
  start(c);
}

/* True when there may be more to do. */
static bool go_on(struct conn *c) {
  ERR_clear_error();
  if (!c->asked) {
    int done = SSL_do_handshake(c->ssl);
    if (done == 1) request(c);
    if (done != 1 && SSL_get_error(c->ssl, done) != SSL_ERROR_WANT_READ) fail("handshake");
    return false;
  }
  int k = SSL_read(c->ssl, in, sizeof in);
  if (k <= 0) {
    if (SSL_get_error(c->ssl, k) != SSL_ERROR_WANT_READ) fail("the connection was lost");
    return false;
  }
  if (c->got + (size_t)k > size || memcmp(in, out + c->got, (size_t)k)) {
    bad++;
    return false;
  }
  if ((c->got += (size_t)k) < size) return true;
  next(c);
  return false;
}

static void on_input(void *conn) {
  while (go_on(conn)) {
  }
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  int pid = atoi(argv[2]), conns = atoi(argv[3]);
  double secs = atof(argv[5]);
  port = atoi(argv[1]);
  resume = !strcmp(argv[4], "resumed");
  again = resume || !strcmp(argv[4], "full");
  size = again ? SMALL : (size_t)atol(argv[4]);
  signal(SIGPIPE, SIG_IGN);
  ep = epoll_create1(0);
  make_context();
  out = malloc(size);
  for (size_t i = 0; i < size; i++) out[i] = (char)('a' + i % 26);
  struct conn *all = calloc((size_t)conns, sizeof *all);
  for (int i = 0; i < conns; i++) start(&all[i]);
  measure(ep, pid, secs, on_input);
  return 0;
}
