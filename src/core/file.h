/* SPDX-License-Identifier: MIT
 *
 * Open files with buffers in both directions. What may block is an *operation*: it stands in the
 * file's queue, first in, first out, and the one in front runs on the thread pool, or, for what can
 * be polled (FIFOs, terminals), in the loop's thread as often as the descriptor is ready. An
 * operation that has ended keeps its turn until its owner releases it or runs it again, so that
 * nobody comes between what it has found and who takes that out of the buffer.
 *
 * An operation has one owner, a pointer, who calls aio_file_op_release once. Released, one that
 * writes goes on by itself, since its bytes were taken; one that reads leaves what it has read in
 * the buffer. When the loop closes the pointer is set to NULL. A file that is released, or whose
 * loop closes, writes out what it holds and is closed, at once or when what runs has returned.
 *
 * Invariant: while an operation is in the queue only that one in front touches buffers and
 * position; while there is none, the loop's thread does. Buffers are malloc'ed. */
#ifndef AIO_CORE_FILE_H
#define AIO_CORE_FILE_H

#include <stdatomic.h>

#include "core/fdwatch.h"
#include "core/fs.h"

#ifdef AIO_HOSTILE
enum { AIO_FILE_BUFFER = 7, AIO_FILE_KEEP = 64 };
#else
/* Bytes that are read ahead, and that wait to be written; an empty buffer above KEEP is freed. */
enum { AIO_FILE_BUFFER = 64 * 1024, AIO_FILE_KEEP = 1024 * 1024 };
#endif

enum aio_file_buffering { AIO_FILE_FULL, AIO_FILE_LINE, AIO_FILE_NONE };

typedef struct aio_file_op aio_file_op;

typedef struct aio_file {
  aio_object object;
  aio_loop *loop; /* NULL: closed */
  uv_loop_t *uv;
  aio_fdwatch *watch; /* of what is polled, else NULL */
  int fd;             /* -1: closed */
  bool reads, writes, appends, seeks;
  bool polled;   /* it has, or had, a watch */
  bool dirty;    /* something was written */
  bool fresh;    /* a FIFO: nobody may have opened the other end yet */
  bool closing;  /* the operation that closes it is in the queue, or has ended */
  bool released; /* the Lua object has gone */
  struct aio_file **owner;
  uint8_t buffering;       /* enum aio_file_buffering */
  size_t chunk, out_limit; /* bytes to read ahead, and to hold back */
  int64_t at;              /* where `in` ends or `out` begins, in the file */
  char *in, *out;
  size_t in_room, in_pos, in_len; /* from in_pos to in_len: bytes that were read ahead */
  size_t out_room, out_pos, out_len;
  int lost; /* the error of a write that nobody waited for any more */
  aio_link ops;
} aio_file;

enum aio_file_kind {
  AIO_FILE_LINES,  /* reads until a newline is there */
  AIO_FILE_COUNT,  /* until `n` bytes are */
  AIO_FILE_NUMBER, /* until all of a numeral is */
  AIO_FILE_ALL,
  AIO_FILE_PREAD, /* `n` bytes from `arg`, into `data` */
  AIO_FILE_STAT,  /* into `stat` */
  AIO_FILE_SEEK,  /* to `arg` seen from `n`, a whence; into `result` */
  AIO_FILE_WRITE, /* from here on what goes on by itself: `data` */
  AIO_FILE_FLUSH,
  AIO_FILE_PWRITE,
  AIO_FILE_TRUNCATE, /* to `arg`, < 0: to the position */
  AIO_FILE_SYNC,
  AIO_FILE_CLOSE
};
enum aio_file_whence { AIO_FILE_SET, AIO_FILE_CUR, AIO_FILE_END };

struct aio_file_op {
  aio_link link; /* in the file's queue */
  aio_file *file;
  aio_file_op **owner;
  aio_link waiters;
  uv_work_t req;
  uint8_t kind;         /* enum aio_file_kind */
  uint8_t wants;        /* when it has to be polled: UV_READABLE or UV_WRITABLE */
  bool running, done;   /* neither: it waits for its turn */
  bool eof;             /* of reads: nothing comes behind the buffer */
  atomic_bool given_up; /* nobody wants what it reads any more */
  bool here;            /* it is tried in the loop's thread, and must not wait */
  int err;
  const char *call; /* what `err` is about */
  int64_t arg, result;
  size_t n;             /* AIO_FILE_LINES: so many bytes were looked at */
  size_t len, done_len; /* of `data`: its length, and how much of it is written */
  char *data;
  uv_stat_t stat;
  int user; /* for the owner */
};

/* A file without a descriptor, or NULL; sets *owner, which is NULL again when its loop has closed:
 * from then on another thread may have it. */
aio_file *aio_file_new(aio_file **owner);
/* Takes the descriptor over, with what fstat told and libuv's flags of open. 0 or an error code;
 * then the descriptor is still the caller's. */
int aio_file_open(aio_file *f, aio_loop *l, int fd, const uv_stat_t *st, int flags);
/* The Lua object goes. */
void aio_file_release(aio_file *f);

/* Is nobody at work on it? Then buffers and position may be used. */
static inline bool aio_file_idle(const aio_file *f) {
  return aio_list_empty(&f->ops);
}
static inline size_t aio_file_ahead(const aio_file *f) {
  return f->in_len - f->in_pos;
}
/* Where the next byte is read or written; not known while an appending file holds bytes back. */
static inline int64_t aio_file_tell(const aio_file *f) {
  return f->out_len ? f->at + (int64_t)(f->out_len - f->out_pos)
                    : f->at - (int64_t)aio_file_ahead(f);
}
/* Moves there; what was read ahead is kept where it can be. Nothing waits to be written. */
void aio_file_move(aio_file *f, int64_t to);
/* Holds bytes back for writing; false: that is not possible, an operation must write them. */
bool aio_file_hold(aio_file *f, const char *ptr, size_t len);
/* Closes at once a file that is idle and was never written to; false: an operation must. */
bool aio_file_close_now(aio_file *f);

/* A new operation, not yet in the queue; its `data`, of `len` bytes, is a copy (NULL: none). NULL:
 * memory is out. */
aio_file_op *aio_file_op_new(aio_file *f, enum aio_file_kind kind, const char *data, size_t len);
/* Puts it into the queue and sets *owner. It may be done at once. */
void aio_file_op_start(aio_file_op *op, aio_file_op **owner);
/* Runs one that is done, and still has its turn, once more; what it is to do was changed. */
void aio_file_op_again(aio_file_op *op);
void aio_file_op_release(aio_file_op *op);

/* ---- file_io.c ---- */

/* [any thread] Does what the operation is for. 0 or an error code; UV_EAGAIN: poll for what it
 * wants, then call again. */
int aio_file_step(aio_file_op *op);
/* Is what a read looks for in the buffer? */
bool aio_file_satisfied(const aio_file *f, enum aio_file_kind kind, size_t n);
/* [any thread] Writes what is held back, as much as goes. */
int aio_file_flush(aio_file_op *op);

/* Of `len` bytes that may begin with a numeral of Lua's, after blanks: how many of them belong to
 * it, with the blanks in *blanks. `all`: no more will come; otherwise -1 when that could change it.
 */
ptrdiff_t aio_file_numeral(const char *ptr, size_t len, bool all, size_t *blanks);

/* One file for each kind of system: file_unix.c, file_win.c. Writes to a FIFO or a terminal without
 * SIGPIPE: a count or an error code. */
ptrdiff_t aio_file_push(int fd, const char *ptr, size_t len);
/* The same; reads what is cached. UV_EAGAIN: it would have to wait, or the system cannot tell. */
ptrdiff_t aio_file_pull(int fd, char *ptr, size_t len, int64_t at);

#endif
