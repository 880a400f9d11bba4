/* SPDX-License-Identifier: MIT
 *
 * A stream: bytes in both directions over some source (a socket, a memory pair, TLS), with a
 * receive queue, a send queue and the tasks that wait. Floor 3 gives it methods; a parser reads it
 * through `peek`/`consume` or a sink; a filter is a source that stands on another stream. Knows no
 * Lua.
 *
 * An aio_stream has one owner, who calls aio_stream_release once. It is in its loop's list of
 * objects while it may still be open; it may outlive the loop, then it is closed.
 *
 * Invariants: at most one wait in `readers`. `source` is there exactly in the states CONNECTING to
 * CLOSING. `loop` is NULL exactly in the state CLOSED. A source never reports inside one of its own
 * operations but `pull`. */
#ifndef AIO_CORE_STREAM_H
#define AIO_CORE_STREAM_H

#include "core/address.h"
#include "core/chunk.h"
#include "core/sendfile.h"
#include "core/sendq.h"

typedef struct aio_stream aio_stream;
typedef struct aio_source aio_source;
typedef struct aio_listener aio_listener;

/* What a source does. Errors are libuv's codes. All but `borrows` act without waiting. */
typedef struct aio_source_ops {
  /* Starts, stops to report what comes in: aio_stream_space/received/ended. */
  int (*read_start)(aio_source *src);
  void (*read_stop)(aio_source *src);
  /* Or NULL: reports what has come already, if it is likely that something has, or `anyway`; it is
   * told only while it reports. */
  void (*pull)(aio_source *src, bool anyway);
  /* Sends what goes at once; the count of bytes (0: none now), or an error code. */
  ptrdiff_t (*try_writev)(aio_source *src, const uv_buf_t *bufs, unsigned n);
  /* Or NULL: sends of a file what goes at once, see aio_file_part_send. */
  ptrdiff_t (*send_file)(aio_source *src, aio_file_part *p);
  /* Bytes are queued: call aio_stream_flush as often as some can be sent, until it says enough. */
  int (*write_start)(aio_source *src);
  /* Ends the outgoing direction; the queue is empty. */
  int (*shutdown)(aio_source *src);
  /* Lets go of everything; the source frees itself and never calls the stream again. A source that
   * cannot take back what it has begun to send moves the bytes out of `unsent`. */
  void (*close)(aio_source *src, aio_sendq *unsent);
  /* One's own or the peer's address. */
  int (*address)(aio_source *src, bool peer, aio_address *a);
  int (*fileno)(aio_source *src); /* its descriptor, or -1 */
  /* Or NULL: the stream is being closed; called at once and when its queue has become empty. True:
   * all is done. False: the source will call aio_stream_finished. */
  bool (*finish)(aio_source *src);
  const char *kind; /* "tcp", "unix", "pipe", "tty", "file", "memory", "tls" */
  bool borrows;     /* queued bytes are read only inside try_writev: they may be borrowed */
  bool inert;       /* nothing outside the program can make it report: it keeps no loop waiting */
  bool endless;     /* the outgoing direction ends only with the source: no write_eof */
  const struct aio_tty_ops *tty;             /* of a tty, or NULL; see core/tty.h */
  struct aio_fdbox *(*fds)(aio_source *src); /* of a Unix socket: what has come, or NULL; or NULL */
} aio_source_ops;

struct aio_source {
  const aio_source_ops *ops;
  aio_stream *stream;
};

/* Who takes received bytes in place, in the callback that received them. */
typedef struct aio_sink aio_sink;
struct aio_sink {
  /* Returns how many of the bytes are used up. Sets *done when the one who waits should go on; the
   * rest then stays in the stream. What is not used up is offered again, together with more. */
  size_t (*feed)(aio_sink *self, const char *ptr, size_t len, bool *done);
};

/* Errors of a filter, beside libuv's; aio_stream.reason says more. */
enum {
  AIO_EFILTER = -5001,   /* the peer, or its bytes, broke the rules */
  AIO_ETRUNCATED = -5002 /* the end came without being announced */
};

enum aio_stream_state {
  AIO_STREAM_NEW,
  AIO_STREAM_CONNECTING,
  AIO_STREAM_OPEN,
  AIO_STREAM_CLOSING, /* the send queue is being flushed */
  AIO_STREAM_CLOSED,
};

struct aio_stream {
  aio_object object;
  aio_loop *loop;
  aio_mem mem;
  aio_source *source;
  aio_recvq in;
  aio_sendq out;
  aio_link readers; /* the one wait for bytes, see aio_stream_want */
  aio_link writers; /* waits until `out` is below the low mark, or until connected */
  aio_link closers; /* waits until CLOSED */
  size_t need;      /* the reader goes on at so many bytes, */
  int byte;         /* or when this byte (-1: none) arrives */
  size_t limit;     /* of reads; reading pauses at twice this much */
  size_t low, high; /* water marks of `out` */
  aio_sink *sink;
  aio_listener *listener; /* whose `conns` it is in by `sibling`, or NULL */
  aio_link sibling;
  int read_error, write_error; /* libuv's codes or a filter's, 0: none */
  const char *reason;          /* a filter's error in words, in static memory, or NULL */
  aio_node *above;             /* of a filter or a transport on this stream: made ready when bytes
                                  come or go, at the end, after an error, when closed; or NULL */
  uint8_t state;               /* enum aio_stream_state */
  bool reading;                /* the source reports */
  bool lazy;                   /* reads only while somebody waits for bytes */
  bool held;                   /* the owner wants nothing to be received, see aio_stream_hold */
  bool eof;                    /* nothing more comes in; read_error says why */
  bool end_wanted, ended;      /* write_eof: asked for, done */
  bool sending_file;           /* flush goes on, so that the one who sends is woken */
  bool lost;                   /* bytes that were written could not be sent */
  bool released;               /* nobody owns it: it frees itself when closed */
};

/* Bytes to write, in one piece. */
typedef struct aio_piece {
  const char *ptr;
  size_t len;
} aio_piece;

/* ---- for its owner ---- */

/* A new stream without a source, or NULL when memory is out. */
aio_stream *aio_stream_new(aio_loop *l, size_t limit);
/* The owner goes. What is queued is still sent (borrowed bytes are copied first; when memory is out
 * they are lost), then the stream closes and frees itself. */
void aio_stream_release(aio_stream *s);
/* Gives it a source that can read and write at once. 0 or an error code; then it is closed. */
int aio_stream_open(aio_stream *s, aio_source *src);
/* Gives it a source that will call aio_stream_connected. */
void aio_stream_connecting(aio_stream *s, aio_source *src);

/* Puts a filter on the stream: *below, a new stream that the filter owns, takes over the source and
 * all that is queued in both directions; `src` becomes the source of `s`, and will call
 * aio_stream_connected. 0 or UV_ENOMEM; then nothing has changed. */
int aio_stream_insert(aio_stream *s, aio_source *src, aio_cnode *above, aio_stream **below);

/* Has a stream of the loop this descriptor? Looks at each of them. */
bool aio_stream_has(const aio_loop *l, int fd);

static inline bool aio_stream_is_open(const aio_stream *s) {
  return s->state == AIO_STREAM_OPEN;
}

/* Can the outgoing direction end alone? */
static inline bool aio_stream_can_end(const aio_stream *s) {
  return !s->source || !(s->source->ops->finish || s->source->ops->endless);
}

/* Says what the reader, who is about to wait in `readers`, waits for: `need` bytes in the queue, or
 * `byte` in what comes; the end and an error wake too. */
void aio_stream_want(aio_stream *s, size_t need, int byte);
/* The reader is about to wait: gets what has come already without waiting for the loop's next poll.
 * True when there is more than before, or the end. */
bool aio_stream_pull(aio_stream *s);
/* The same at any time, also when it is not likely: whoever waits goes on. */
void aio_stream_look(aio_stream *s);
/* Receives nothing more, or goes on; what was received stays. */
void aio_stream_hold(aio_stream *s, bool hold);
/* Drops the first `n` bytes received. */
void aio_stream_consume(aio_stream *s, size_t n);
/* Lets `sink` take what comes, beginning with what is there; NULL: no longer. It is detached and
 * the reader goes on when it is done, or when it uses nothing of more than `limit` bytes. */
void aio_stream_set_sink(aio_stream *s, aio_sink *sink);

/* Sends the pieces, or queues what does not go at once. Long pieces (AIO_BORROW_MIN) must stay
 * until `out.released` has counted them. 0, or an error code. An error other than UV_ENOMEM with
 * nothing sent ends all writing on the stream. */
int aio_stream_write(aio_stream *s, const aio_piece *pieces, size_t n);
/* The same for bytes that may go away at once, whatever their length. */
int aio_stream_write_copied(aio_stream *s, const char *ptr, size_t len);
/* Sends the next bytes of a file; nothing is queued. See aio_file_part_send; an error does not end
 * the writing. */
ptrdiff_t aio_stream_send_file(aio_stream *s, aio_file_part *p);
/* Wakes the writers when the source can send again. 0 or an error code. */
int aio_stream_send_later(aio_stream *s);
/* Ends the outgoing direction when the queue is empty. 0 or an error code. */
int aio_stream_write_eof(aio_stream *s);
/* Sends what is queued, then closes; waiting readers get the end. May be repeated. */
void aio_stream_close(aio_stream *s);
/* Closes at once; what is queued is dropped. May be repeated. */
void aio_stream_abort(aio_stream *s);
/* One's own or the peer's address, UV_ENOTCONN when it has no source (any more). */
int aio_stream_address(aio_stream *s, bool peer, aio_address *a);

/* ---- for its source, from the loop's callbacks ---- */

void aio_stream_connected(aio_stream *s, int err);
/* Where to receive, see aio_recvq_space. */
unsigned aio_stream_space(aio_stream *s, uv_buf_t space[2]);
/* The same for at most `most` bytes, when that is known. */
unsigned aio_stream_space_for(aio_stream *s, size_t most, uv_buf_t space[2]);
/* `n` (> 0) bytes were received there. Look at `reading` before going on. */
void aio_stream_received(aio_stream *s, size_t n);
/* Is there so much, and nobody who waits for more, that the one who is to use it up should run
 * before the source goes on? It is better read while it is in the cache. */
static inline bool aio_stream_sated(const aio_stream *s) {
  return s->in.total >= s->limit && aio_list_empty(&s->readers);
}
/* Nothing more comes: the end (0), or an error. */
void aio_stream_read_ended(aio_stream *s, int err);
/* Nothing more can be sent. */
void aio_stream_write_failed(aio_stream *s, int err);
/* What `finish` began is done. */
void aio_stream_finished(aio_stream *s);
/* Sends what can be sent now; true when there is more. The source may be gone after false. */
bool aio_stream_flush(aio_stream *s);
/* `n` queued bytes were sent by the source itself; true and false as above. */
bool aio_stream_sent(aio_stream *s, size_t n);

#endif
