/* SPDX-License-Identifier: MIT
 *
 * What operations on files do, in any thread, on the buffers and the descriptor. Each can be called
 * again after UV_EAGAIN and goes on where it was. Invariant: bytes that were read are in the
 * buffer, whatever happens next. */
#include <stdlib.h>
#include <string.h>

#include "core/file.h"

enum { AT_ONCE = 1 << 30, NO_OFFSET = -1 };
enum { ROOM_AHEAD = 64 * 1024 * 1024 }; /* is made before the bytes are there, at most */
enum { HERE = 256 * 1024 };             /* read in the loop's thread, at most */

static int get(aio_file_op *op, char *to, size_t len, int64_t at) {
  if (atomic_load(&op->given_up)) return UV_ECANCELED; /* there may be no end */
  if (op->here) return (int)aio_file_pull(op->file->fd, to, len < HERE ? len : HERE, at);
  uv_fs_t req;
  uv_buf_t buf = uv_buf_init(to, (unsigned)(len < AT_ONCE ? len : AT_ONCE));
  int got = uv_fs_read(NULL, &req, op->file->fd, &buf, 1, at, NULL);
  uv_fs_req_cleanup(&req);
  op->call = "read";
  op->wants = UV_READABLE;
  return got;
}

static int put(aio_file_op *op, const char *from, size_t len, int64_t at) {
  op->call = "write";
  op->wants = UV_WRITABLE;
  if (len > AT_ONCE) len = AT_ONCE;
  if (op->file->polled) return (int)aio_file_push(op->file->fd, from, len);
  uv_fs_t req;
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)from, (unsigned)len);
  int sent = uv_fs_write(NULL, &req, op->file->fd, &buf, 1, at, NULL);
  uv_fs_req_cleanup(&req);
  return sent;
}

static int look(aio_file_op *op, uv_stat_t *st) {
  uv_fs_t req;
  op->call = "fstat";
  int err = uv_fs_fstat(NULL, &req, op->file->fd, NULL);
  if (!err) *st = req.statbuf;
  uv_fs_req_cleanup(&req);
  return err;
}

/* ---- writing ---- */

static int64_t write_offset(const aio_file *f) {
  return f->seeks && !f->appends ? f->at : NO_OFFSET;
}

/* After an append the position is the file's end. */
static int find_end(aio_file_op *op) {
  uv_stat_t st;
  if (!op->file->appends || !op->file->seeks) return 0;
  int err = look(op, &st);
  if (!err) op->file->at = (int64_t)st.st_size;
  return err;
}

/* What cannot be written is dropped, so that the next bytes are not kept back by it for ever. */
int aio_file_flush(aio_file_op *op) {
  aio_file *f = op->file;
  if (!f->out_len) return 0;
  while (f->out_pos < f->out_len) {
    int sent = put(op, f->out + f->out_pos, f->out_len - f->out_pos, write_offset(f));
    if (sent == UV_EAGAIN) return sent;
    if (sent < 0) {
      f->out_pos = f->out_len = 0;
      return sent;
    }
    f->out_pos += (size_t)sent;
    f->at += sent;
  }
  f->out_pos = f->out_len = 0;
  return find_end(op);
}

/* Reading ahead has gone beyond the position. */
static void forget_ahead(aio_file *f) {
  if (!f->seeks) return;
  f->at -= (int64_t)aio_file_ahead(f);
  f->in_pos = f->in_len = 0;
}

/* `at`: moves on with each write, or NO_OFFSET. */
static int write_data(aio_file_op *op, int64_t *at) {
  while (op->done_len < op->len) {
    int sent = put(op, op->data + op->done_len, op->len - op->done_len, *at);
    if (sent < 0) return sent;
    op->done_len += (size_t)sent;
    if (*at != NO_OFFSET) *at += sent;
  }
  return 0;
}

static int do_write(aio_file_op *op) {
  aio_file *f = op->file;
  forget_ahead(f);
  if (f->buffering == AIO_FILE_FULL && op->len <= f->out_room) {
    if (op->len) memcpy(f->out, op->data, op->len);
    f->out_len = op->len;
    return 0;
  }
  int64_t at = write_offset(f);
  int err = write_data(op, &at);
  if (at != NO_OFFSET) f->at = at;
  if (!err && op->done_len) err = find_end(op);
  return err;
}

static int do_pwrite(aio_file_op *op) {
  forget_ahead(op->file);
  int64_t at = op->arg + (int64_t)op->done_len;
  return write_data(op, &at);
}

/* ---- reading ---- */

ptrdiff_t aio_file_numeral(const char *ptr, size_t len, bool all, size_t *blanks) {
  enum { LONGEST = 200 }; /* as Lua's own */
  const char *digits = "0123456789", *exponent = "eE";
  size_t i = 0;
  while (i < len && strchr(" \t\n\v\f\r", ptr[i]) && ptr[i]) i++;
  *blanks = i;
  size_t begin = i, end = len - begin > LONGEST ? begin + LONGEST : len, count = 0;
  if (i < end && (ptr[i] == '-' || ptr[i] == '+')) i++;
  if (i < end && ptr[i] == '0') {
    i++;
    count = 1;
    if (i < end && (ptr[i] == 'x' || ptr[i] == 'X')) {
      i++;
      count = 0;
      digits = "0123456789abcdefABCDEF";
      exponent = "pP";
    }
  }
  for (bool point = false; i < end && ptr[i]; i++) {
    if (ptr[i] == '.' && !point)
      point = true;
    else if (strchr(digits, ptr[i]))
      count++;
    else
      break;
  }
  if (count && i < end && ptr[i] && strchr(exponent, ptr[i])) {
    i++;
    if (i < end && (ptr[i] == '-' || ptr[i] == '+')) i++;
    while (i < end && ptr[i] >= '0' && ptr[i] <= '9') i++;
  }
  return i == len && !all && i - begin < LONGEST ? -1 : (ptrdiff_t)(i - begin);
}

bool aio_file_satisfied(const aio_file *f, enum aio_file_kind kind, size_t n) {
  size_t blanks, ahead = aio_file_ahead(f);
  const char *p = f->in + f->in_pos;
  switch (kind) {
  case AIO_FILE_LINES:
    return ahead > n && memchr(p + n, '\n', ahead - n) != NULL;
  case AIO_FILE_COUNT:
    return ahead >= n;
  case AIO_FILE_NUMBER:
    return ahead && aio_file_numeral(p, ahead, false, &blanks) >= 0;
  default:
    return false;
  }
}

/* Room for at least `more` bytes behind what is in the buffer. */
static int make_room(aio_file *f, size_t more) {
  if (f->in_pos && f->in_room - f->in_len < more) {
    memmove(f->in, f->in + f->in_pos, aio_file_ahead(f));
    f->in_len -= f->in_pos;
    f->in_pos = 0;
  }
  if (f->in_room - f->in_len >= more) return 0;
  size_t room = f->in_len + more;
  if (room < more) return UV_ENOMEM;
  if (room < f->in_room * 2) room = f->in_room * 2;
  char *in = realloc(f->in, room);
  if (!in) return UV_ENOMEM;
  f->in = in;
  f->in_room = room;
  return 0;
}

/* Of a file that is read to its end: how many bytes are left, and in *end where that is; 0: it is
 * not told. The end is that of now, since somebody may add to it faster than it is read. */
static size_t rest_of(aio_file_op *op, int64_t *end) {
  uv_stat_t st;
  const aio_file *f = op->file;
  if (op->kind != AIO_FILE_ALL || !f->seeks || look(op, &st)) return 0;
  if ((int64_t)st.st_size <= f->at || st.st_size - (uint64_t)f->at > SIZE_MAX / 2) return 0;
  *end = (int64_t)st.st_size;
  return (size_t)(st.st_size - (uint64_t)f->at);
}

static int do_fill(aio_file_op *op) {
  aio_file *f = op->file;
  int64_t end = 0;
  size_t more = rest_of(op, &end), ahead = aio_file_ahead(f);
  if (op->kind == AIO_FILE_COUNT && op->n < ROOM_AHEAD) more = op->n - ahead;
  if (more < f->chunk) more = f->chunk;
  if (op->here && more > HERE) return UV_EAGAIN;
  while (!aio_file_satisfied(f, op->kind, op->n)) {
    int err = make_room(f, more);
    if (err) return err;
    int got = get(op, f->in + f->in_len, f->in_room - f->in_len, f->seeks ? f->at : NO_OFFSET);
    if (got < 0) return got;
    op->eof = got == 0;
    if (op->eof) return 0;
    if (op->kind == AIO_FILE_LINES) op->n = aio_file_ahead(f);
    f->in_len += (size_t)got;
    f->at += got;
    more = f->chunk;
    op->eof = end && f->at >= end;
    if (op->eof) return 0;
    if (op->here && aio_file_ahead(f) > HERE) return UV_EAGAIN;
  }
  return 0;
}

static int do_pread(aio_file_op *op) {
  for (size_t room = 0; op->len < op->n;) {
    if (op->len == room) {
      size_t next = room ? room * 2 : op->file->chunk;
      if (next > op->n) next = op->n;
      char *data = realloc(op->data, next);
      if (!data) return UV_ENOMEM;
      op->data = data;
      room = next;
    }
    int got = get(op, op->data + op->len, room - op->len, op->arg + (int64_t)op->len);
    if (got <= 0) return got;
    op->len += (size_t)got;
  }
  return 0;
}

/* ---- the others ---- */

static int do_seek(aio_file_op *op) {
  aio_file *f = op->file;
  int64_t base = op->n == AIO_FILE_CUR ? aio_file_tell(f) : 0;
  if (op->n == AIO_FILE_END) {
    uv_stat_t st;
    int err = look(op, &st);
    if (err) return err;
    base = (int64_t)st.st_size;
  }
  op->call = "seek";
  if (op->arg > 0 ? base > INT64_MAX - op->arg : base + op->arg < 0) return UV_EINVAL;
  op->result = base + op->arg;
  aio_file_move(f, op->result);
  return 0;
}

static int do_truncate(aio_file_op *op) {
  uv_fs_t req;
  aio_file *f = op->file;
  forget_ahead(f);
  op->call = "ftruncate";
  int err = uv_fs_ftruncate(NULL, &req, f->fd, op->arg < 0 ? f->at : op->arg, NULL);
  uv_fs_req_cleanup(&req);
  return err;
}

static int do_sync(aio_file_op *op) {
  uv_fs_t req;
  op->call = "fsync";
  int err = uv_fs_fsync(NULL, &req, op->file->fd, NULL);
  uv_fs_req_cleanup(&req);
  return err;
}

static int do_stat(aio_file_op *op) {
  return look(op, &op->stat);
}

static int do_nothing(aio_file_op *op) {
  (void)op;
  return 0;
}

/* It is closed in any case; what it is about is the first error. */
static int do_close(aio_file_op *op, int err) {
  uv_fs_t req;
  int close_err = uv_fs_close(NULL, &req, op->file->fd, NULL);
  uv_fs_req_cleanup(&req);
  if (err) return err;
  op->call = "close";
  return close_err;
}

int aio_file_step(aio_file_op *op) {
  static int (*const doing[])(aio_file_op *) = {
      [AIO_FILE_LINES] = do_fill,        [AIO_FILE_COUNT] = do_fill,
      [AIO_FILE_NUMBER] = do_fill,       [AIO_FILE_ALL] = do_fill,
      [AIO_FILE_PREAD] = do_pread,       [AIO_FILE_STAT] = do_stat,
      [AIO_FILE_SEEK] = do_seek,         [AIO_FILE_WRITE] = do_write,
      [AIO_FILE_FLUSH] = do_nothing,     [AIO_FILE_PWRITE] = do_pwrite,
      [AIO_FILE_TRUNCATE] = do_truncate, [AIO_FILE_SYNC] = do_sync,
      [AIO_FILE_CLOSE] = do_nothing};
  aio_file *f = op->file;
  int err = 0;
  if (op->kind >= AIO_FILE_WRITE && f->lost) {
    op->call = "write";
    err = f->lost;
    f->lost = 0;
  }
  if (!err) err = aio_file_flush(op);
  if (err == UV_EAGAIN) return err;
  if (op->kind == AIO_FILE_CLOSE) return do_close(op, err);
  return err ? err : doing[op->kind](op);
}
