/* SPDX-License-Identifier: MIT
 *
 * TCP echo on PORT: libuv itself, callbacks, uv_try_write. */
#include <stdlib.h>
#include <uv.h>

static char room[65536];

static void give(uv_handle_t *h, size_t want, uv_buf_t *b) {
  (void)h, (void)want;
  *b = uv_buf_init(room, sizeof room);
}

static void drop(uv_handle_t *h) {
  free(h);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b) {
  uv_buf_t out = uv_buf_init(b->base, n > 0 ? (unsigned)n : 0);
  if (n < 0 || (n > 0 && uv_try_write(s, &out, 1) != n)) uv_close((uv_handle_t *)s, drop);
}

static void on_connect(uv_stream_t *server, int status) {
  uv_tcp_t *c = malloc(sizeof *c);
  (void)status;
  uv_tcp_init(server->loop, c);
  if (uv_accept(server, (uv_stream_t *)c)) {
    uv_close((uv_handle_t *)c, drop);
    return;
  }
  uv_tcp_nodelay(c, 1);
  uv_read_start((uv_stream_t *)c, give, on_read);
}

int main(int argc, char **argv) {
  struct sockaddr_in a;
  uv_tcp_t server;
  uv_ip4_addr("127.0.0.1", argc > 1 ? atoi(argv[1]) : 7000, &a);
  uv_tcp_init(uv_default_loop(), &server);
  uv_tcp_bind(&server, (struct sockaddr *)&a, 0);
  if (uv_listen((uv_stream_t *)&server, 4096, on_connect)) return 1;
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
