/* SPDX-License-Identifier: MIT
 *
 * What libraries of their own, such as aio/tls.so, get of this floor: the module exports nothing
 * but its opener, so it hands over a struct of function pointers when such a library is loaded. The
 * library is compiled against these headers, and refuses a core whose version or structures differ.
 *
 * A filter is what such a library puts between a stream and its source, see aio_stream_insert. */
#ifndef AIO_CORE_API_H
#define AIO_CORE_API_H

#include "core/stream.h"

/* To be counted up whenever a function here, or a structure that they share, changes. */
enum { AIO_API_VERSION = 7 };

typedef struct aio_api {
  uint32_t version;
  uint32_t stream_size, loop_size; /* of the structures, as a second look */
  int (*stream_insert)(aio_stream *s, aio_source *src, aio_cnode *above, aio_stream **below);
  void (*stream_release)(aio_stream *s);
  void (*stream_abort)(aio_stream *s);
  int (*stream_write)(aio_stream *s, const aio_piece *pieces, size_t n);
  int (*stream_write_copied)(aio_stream *s, const char *ptr, size_t len);
  int (*stream_write_eof)(aio_stream *s);
  void (*stream_consume)(aio_stream *s, size_t n);
  int (*stream_address)(aio_stream *s, bool peer, aio_address *a);
  void (*stream_connected)(aio_stream *s, int err);
  unsigned (*stream_space)(aio_stream *s, size_t most, uv_buf_t space[2]);
  void (*stream_received)(aio_stream *s, size_t n);
  void (*stream_read_ended)(aio_stream *s, int err);
  void (*stream_write_failed)(aio_stream *s, int err);
  void (*stream_finished)(aio_stream *s);
  bool (*stream_flush)(aio_stream *s);
  bool (*timer_start)(aio_loop *l, aio_timer *t, double when);
  void (*timer_stop)(aio_loop *l, aio_timer *t);
  void (*wake_all)(aio_loop *l, aio_link *waiters);
} aio_api;

extern const aio_api aio_api_here;

/* What a library's userdata begins with that is given to core._filter: a filter that nobody uses
 * yet. `attach` makes it the source of a stream: 0 or an error code, then nothing has changed. */
typedef struct aio_filter {
  int (*attach)(struct aio_filter *self, aio_stream *s);
} aio_filter;

typedef struct aio_filter_ud {
  aio_filter *filter; /* NULL once it is attached */
} aio_filter_ud;

/* What a library's userdata begins with that is given to core._feed: a sink. `tag` is the address
 * of the aio_api, `sink` is called until it is done, also with no bytes, to ask whether it is. The
 * rest is the core's; `stream` may be read: the one that it was last fed from, NULL when that one
 * was collected or is fed to another sink. `results` is called in the task that has waited, with
 * the userdata at slot 2, and pushes `true` and what the sink has; it returns how many values these
 * are, and may throw. NULL: there are none. */
struct lua_State;
typedef struct aio_sink_ud {
  const void *tag;
  aio_sink *sink;
  int (*results)(struct lua_State *L, struct aio_sink_ud *self);
  aio_sink front; /* what the stream calls */
  aio_stream *stream;
  double head;    /* seconds from the first byte on, < 0: no other limit */
  bool begun;     /* a byte has been used up in this wait */
  bool unlimited; /* no memory for that limit */
} aio_sink_ud;

#endif
