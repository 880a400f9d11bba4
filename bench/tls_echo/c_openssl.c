/* SPDX-License-Identifier: MIT
 *
 * TLS echo on PORT: what the kernel and OpenSSL alone cost. Level-triggered epoll, one thread;
 * OpenSSL on the descriptor itself, with read-ahead, so that a request costs one recv and one
 * send. The certificate and its key are in the file that TLS_PEM names. */
#define _GNU_SOURCE
#include "lib/serve.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>

enum { EVENTS = 512, ROOM = 65536 };

static SSL_CTX *context(void) {
  const char *pem = getenv("TLS_PEM");
  SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
  if (!pem || SSL_CTX_use_certificate_chain_file(ctx, pem) != 1 ||
      SSL_CTX_use_PrivateKey_file(ctx, pem, SSL_FILETYPE_PEM) != 1) {
    ERR_print_errors_fp(stderr);
    exit(1);
  }
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* sessions are in tickets */
  return ctx;
}

static void admit(int ep, int l, SSL_CTX *ctx) {
  int fd = admitted(l);
  if (fd < 0) return;
  SSL *ssl = SSL_new(ctx);
  SSL_set_fd(ssl, fd);
  SSL_set_accept_state(ssl);
  struct epoll_event ev = {.events = EPOLLIN, .data.ptr = ssl};
  epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

static void drop(SSL *ssl) {
  int fd = SSL_get_fd(ssl);
  SSL_free(ssl);
  close(fd);
}

static void echo(SSL *ssl) {
  static char buf[ROOM];
  do {
    if (ERR_peek_error()) ERR_clear_error();
    int k = SSL_read(ssl, buf, sizeof buf);
    if (k > 0 && SSL_write(ssl, buf, k) == k) continue;
    if (k > 0 || SSL_get_error(ssl, k) != SSL_ERROR_WANT_READ) drop(ssl);
    return;
  } while (SSL_has_pending(ssl));
}

int main(int argc, char **argv) {
  SSL_CTX *ctx = context();
  int l = listener(argc, argv, SOCK_NONBLOCK), ep = epoll_create1(0);
  struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev);
  signal(SIGPIPE, SIG_IGN);
  for (;;) {
    struct epoll_event got[EVENTS];
    int n = epoll_wait(ep, got, EVENTS, -1);
    for (int i = 0; i < n; i++)
      if (got[i].data.ptr)
        echo(got[i].data.ptr);
      else
        admit(ep, l, ctx);
  }
}
