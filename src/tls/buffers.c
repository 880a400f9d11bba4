/* SPDX-License-Identifier: MIT
 *
 * The record buffers of OpenSSL, 33 KiB for each connection that it reads or writes. To free them
 * after each record (SSL_MODE_RELEASE_BUFFERS) is work for malloc with each; to keep them all is a
 * gigabyte for thirty thousand idle connections. So each context lets those connections
 * keep theirs that were used last. Called by the filter. Invariant: a filter in the list has an SSL
 * object. */
#include "tls/filter.h"

/* How many connections of a context keep their buffers: 4 MiB. */
#ifdef AIO_HOSTILE
enum { KEPT = 1 };
#else
enum { KEPT = 128 };
#endif

void tls_buffers_forget(tls_filter *f) {
  if (!aio_link_linked(&f->buffers)) return;
  aio_list_del(&f->buffers);
  f->context->nbusy--;
}

void tls_buffers_use(tls_filter *f) {
  tls_context *c = f->context;
  if (c->busy.prev == &f->buffers) return;
  tls_buffers_forget(f);
  aio_list_push(&c->busy, &f->buffers);
  if (++c->nbusy <= KEPT) return;
  tls_filter *oldest = AIO_CONTAINER(c->busy.next, tls_filter, buffers);
  tls_buffers_forget(oldest);
  /* One with half a record keeps them; it has its place in memory anyway. */
  SSL_free_buffers(oldest->ssl);
}
