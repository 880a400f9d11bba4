/* SPDX-License-Identifier: MIT
 *
 * The life of files and their queues, see the header; what operations do is in file_io.c. After the
 * loop has closed, all of this may run in the thread that waits for the last jobs. Invariant: an
 * operation is counted in `live` while it is in the queue of a file whose loop is set. */
#include "core/file.h"

#include <stdlib.h>
#include <string.h>

#include "core/listener.h"

/* ---- the file ---- */

aio_file *aio_file_new(aio_file **owner) {
  aio_file *f = calloc(1, sizeof *f);
  if (!f) return NULL;
  f->fd = -1;
  f->owner = owner;
  *owner = f;
  f->chunk = f->out_limit = AIO_FILE_BUFFER;
  aio_link_init(&f->ops);
  aio_link_init(&f->object.link);
  return f;
}

static void close_fd(aio_file *f) {
  uv_fs_t req;
  if (f->fd < 0) return;
  uv_fs_close(NULL, &req, f->fd, NULL);
  uv_fs_req_cleanup(&req);
  f->fd = -1;
  if (f->loop) aio_listener_revive(f->loop);
}

/* It has nothing to do with its loop any more. */
static void leave(aio_file *f) {
  if (f->watch) aio_fdwatch_free(f->watch);
  f->watch = NULL;
  aio_list_del(&f->object.link);
  f->loop = NULL;
}

/* What is held back is written here and now: there is nobody to wait for it. */
static void finish(aio_file *f) {
  if (f->fd >= 0 && f->out_len) {
    aio_file_op flush;
    memset(&flush, 0, sizeof flush);
    flush.file = f;
    aio_file_flush(&flush);
  }
  close_fd(f);
  if (f->loop) leave(f);
}

static void file_free(aio_file *f) {
  finish(f);
  free(f->in);
  free(f->out);
  free(f);
}

void aio_file_release(aio_file *f) {
  f->released = true;
  f->owner = NULL;
  if (aio_file_idle(f)) file_free(f);
}

bool aio_file_close_now(aio_file *f) {
  if (!aio_file_idle(f) || f->dirty) return false;
  f->closing = true;
  finish(f);
  return true;
}

/* ---- opening ---- */

static void on_ready(aio_fdwatch *w, unsigned events);
static void file_detach(aio_object *o);

/* Files are always ready, so that the poller refuses them, and so are some devices. */
static int try_to_watch(aio_file *f, aio_loop *l) {
  int err;
  f->watch = aio_fdwatch_new(l, (aio_sock)f->fd, &err);
  if (!f->watch) return err == UV_ENOMEM ? err : 0;
  f->watch->fire = on_ready;
  f->watch->owner = f;
  err = aio_fdwatch_ask(f->watch, f->reads ? UV_READABLE : UV_WRITABLE);
  aio_fdwatch_ask(f->watch, 0);
  f->polled = !err;
  if (!err) return 0;
  aio_fdwatch_free(f->watch);
  f->watch = NULL;
  return err == UV_ENOMEM ? err : 0;
}

int aio_file_open(aio_file *f, aio_loop *l, int fd, const uv_stat_t *st, int flags) {
  enum aio_fs_type type = aio_fs_type_of(st->st_mode);
  f->reads = !(flags & UV_FS_O_WRONLY);
  f->writes = (flags & (UV_FS_O_WRONLY | UV_FS_O_RDWR)) != 0;
  f->appends = (flags & UV_FS_O_APPEND) != 0;
  f->seeks = type == AIO_FS_FILE || type == AIO_FS_BLOCK;
  f->fresh = type == AIO_FS_FIFO && !f->writes;
  if (f->seeks && f->appends && !f->reads) f->at = (int64_t)st->st_size; /* as in C */
  f->fd = fd;
  int err = f->seeks ? 0 : try_to_watch(f, l);
  if (err) {
    f->fd = -1;
    return err;
  }
  if (type == AIO_FS_CHAR && uv_guess_handle(fd) == UV_TTY) f->buffering = AIO_FILE_LINE;
  f->loop = l;
  f->uv = &l->uv;
  f->object.detach = file_detach;
  aio_list_push(&l->objects, &f->object.link);
  return 0;
}

/* ---- buffers ---- */

static void drop_ahead(aio_file *f) {
  f->at -= (int64_t)aio_file_ahead(f);
  f->in_pos = f->in_len = 0;
}

void aio_file_move(aio_file *f, int64_t to) {
  int64_t begin = f->at - (int64_t)f->in_len;
  if (to >= begin && to <= f->at) {
    f->in_pos = (size_t)(to - begin);
    return;
  }
  f->in_pos = f->in_len = 0;
  f->at = to;
}

bool aio_file_hold(aio_file *f, const char *ptr, size_t len) {
  if (!aio_file_idle(f) || f->lost || f->buffering == AIO_FILE_NONE) return false;
  if (f->out_len + len > f->out_limit) return false;
  if (f->buffering == AIO_FILE_LINE && len && memchr(ptr, '\n', len)) return false;
  if (f->out_room < f->out_limit) {
    char *out = realloc(f->out, f->out_limit);
    if (!out) return false; /* the operation says so, if it cannot do without either */
    f->out = out;
    f->out_room = f->out_limit;
  }
  if (f->seeks) drop_ahead(f);
  if (len) memcpy(f->out + f->out_len, ptr, len);
  f->out_len += len;
  f->dirty = true;
  return true;
}

/* ---- the queue ---- */

static aio_file_op *front(const aio_file *f) {
  aio_link *first = aio_list_first(&f->ops);
  return first ? AIO_CONTAINER(first, aio_file_op, link) : NULL;
}

static bool goes_on(const aio_file_op *op) {
  return op->kind >= AIO_FILE_WRITE;
}

static void ended(aio_file_op *op, int err) {
  aio_file *f = op->file;
  op->running = false;
  op->done = true;
  op->err = err;
  if (op->kind == AIO_FILE_CLOSE) {
    f->fd = -1;
    if (f->loop) aio_listener_revive(f->loop);
  }
  if (f->loop) aio_wake_all(f->loop, &op->waiters);
}

/* Tries in this thread. True when it has ended. */
static bool try_here(aio_file_op *op) {
  aio_file *f = op->file;
  int err = UV_EAGAIN;
  op->wants = UV_READABLE;
  if (!f->fresh || op->kind > AIO_FILE_ALL) err = aio_file_step(op);
  if (err != UV_EAGAIN) {
    aio_fdwatch_ask(f->watch, 0);
  } else {
    err = aio_fdwatch_ask(f->watch, op->wants);
    if (!err) return false;
    op->call = "poll";
  }
  ended(op, err);
  return true;
}

static void on_work(uv_work_t *req) {
  aio_file_op *op = AIO_CONTAINER(req, aio_file_op, req);
  op->err = aio_file_step(op);
}

static void go_on(aio_file *f);

static void on_worked(uv_work_t *req, int status) {
  (void)status; /* nobody cancels it */
  aio_file_op *op = AIO_CONTAINER(req, aio_file_op, req);
  ended(op, op->err);
  go_on(op->file);
}

/* What is cached can be read at once. */
static bool read_here(aio_file_op *op) {
  const aio_file *f = op->file;
  if (op->kind > AIO_FILE_NUMBER || !f->seeks || f->out_len) return false;
  op->here = true;
  int err = aio_file_step(op);
  op->here = false;
  if (err == UV_EAGAIN) return false;
  ended(op, err);
  return true;
}

/* Begins with the operation in front. True when it has ended already. */
static bool run(aio_file_op *op) {
  aio_file *f = op->file;
  op->done = false;
  op->running = true;
  op->eof = false;
  op->err = 0;
  bool closed = f->fd < 0;
  bool at_hand = closed || (!goes_on(op) && aio_file_satisfied(f, op->kind, op->n));
  int err = closed && op->kind != AIO_FILE_CLOSE ? UV_EBADF : 0;
  op->call = "file";
  if (at_hand)
    ended(op, err);
  else if (f->watch)
    return try_here(op);
  else if (read_here(op))
    return true;
  else if ((err = uv_queue_work(f->uv, &op->req, on_work, on_worked)))
    ended(op, err);
  return op->done;
}

static void op_free(aio_file_op *op) {
  aio_file *f = op->file;
  aio_list_del(&op->link);
  if (f->loop) f->loop->live--;
  free(op->data);
  free(op);
}

/* Nobody has heard of its error. */
static void note_lost(const aio_file_op *op) {
  if (op->err && goes_on(op) && !op->file->lost) op->file->lost = op->err;
}

/* What was released and is done goes; the next one begins. */
static void go_on(aio_file *f) {
  for (aio_file_op *op; (op = front(f));) {
    if (op->running || (op->done && op->owner)) return;
    if (!op->done && !run(op)) return;
    if (op->owner) return;
    note_lost(op);
    op_free(op);
  }
  if (f->released) file_free(f);
}

/* ---- operations ---- */

aio_file_op *aio_file_op_new(aio_file *f, enum aio_file_kind kind, const char *data, size_t len) {
  aio_file_op *op = calloc(1, sizeof *op);
  if (!op) return NULL;
  op->file = f;
  op->kind = (uint8_t)kind;
  op->len = len;
  op->data = data ? malloc(len ? len : 1) : NULL;
  if (data && !op->data) {
    free(op);
    return NULL;
  }
  if (data) memcpy(op->data, data, len);
  aio_link_init(&op->waiters);
  return op;
}

/* Reads that wait for a peer would keep a file from ever being closed: they get the end. */
static void end_reads(aio_file *f) {
  aio_link *l = f->ops.next;
  while (l != &f->ops) {
    aio_file_op *op = AIO_CONTAINER(l, aio_file_op, link);
    l = l->next;
    if (goes_on(op) || op->done) continue;
    if (op->running) aio_fdwatch_ask(f->watch, 0);
    op->eof = true;
    ended(op, 0);
  }
}

void aio_file_op_start(aio_file_op *op, aio_file_op **owner) {
  aio_file *f = op->file;
  op->owner = owner;
  *owner = op;
  if (goes_on(op)) f->dirty = true;
  if (op->kind == AIO_FILE_CLOSE) f->closing = true;
  if (op->kind == AIO_FILE_CLOSE && f->watch) end_reads(f);
  aio_list_push(&f->ops, &op->link);
  f->loop->live++;
  if (front(f) == op) run(op);
}

void aio_file_op_again(aio_file_op *op) {
  if (!op->file->loop) return;
  run(op);
}

void aio_file_op_release(aio_file_op *op) {
  aio_file *f = op->file;
  op->owner = NULL;
  while (aio_list_shift(&op->waiters)) {
  }
  if (op->running && f->watch && !goes_on(op)) {
    aio_fdwatch_ask(f->watch, 0);
    op->running = false;
    op->done = true;
  }
  if (!goes_on(op)) atomic_store(&op->given_up, true);
  if (op->running || (!op->done && goes_on(op))) return;
  note_lost(op);
  op_free(op);
  go_on(f);
}

/* ---- events ---- */

static void on_ready(aio_fdwatch *w, unsigned events) {
  (void)events;
  aio_file *f = w->owner;
  aio_file_op *op = front(f);
  f->fresh = false;
  if (!op || !op->running)
    aio_fdwatch_ask(w, 0);
  else if (try_here(op))
    go_on(f);
}

/* The loop closes: nobody waits any more. What waits for a peer is given up. */
static void file_detach(aio_object *o) {
  aio_file *f = AIO_CONTAINER(o, aio_file, object);
  for (aio_link *l = f->ops.next, *next; l != &f->ops; l = next) {
    aio_file_op *op = AIO_CONTAINER(l, aio_file_op, link);
    next = l->next;
    if (op->owner) *op->owner = NULL;
    op->owner = NULL;
    while (aio_list_shift(&op->waiters)) {
    }
    if (!goes_on(op)) atomic_store(&op->given_up, true);
    if (op->running && !f->polled) continue;
    if (op->done || f->polled || !goes_on(op)) op_free(op);
  }
  for (aio_link *l = f->ops.next; l != &f->ops; l = l->next) f->loop->live--;
  f->released = true;
  if (f->owner) *f->owner = NULL;
  leave(f);
  go_on(f);
}
