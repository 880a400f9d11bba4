/* SPDX-License-Identifier: MIT
 *
 * Floor 2 without Lua: two streams in memory, of which one has a sink that takes records in place.
 * A record is a length byte and so many bytes; they arrive in pieces of every size. */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pair.h"

enum { RECORDS = 200, LIMIT = 512 };

static size_t bytes_alive;

static void *allocate(void *ud, void *ptr, size_t old_size, size_t new_size) {
  (void)ud;
  bytes_alive += new_size - (ptr ? old_size : 0);
  if (new_size) return realloc(ptr, new_size);
  free(ptr);
  return NULL;
}

typedef struct reader {
  aio_sink sink;
  int seen, stop; /* records taken; after how many to be done */
} reader;

static size_t feed(aio_sink *sink, const char *ptr, size_t len, bool *done) {
  reader *r = AIO_CONTAINER(sink, reader, sink);
  size_t used = 0;
  while (used < len && !*done) {
    size_t size = (unsigned char)ptr[used];
    if (len - used < size + 1) break;
    for (size_t i = 0; i < size; i++) assert((unsigned char)ptr[used + 1 + i] == (r->seen & 255));
    used += size + 1;
    *done = ++r->seen == r->stop;
  }
  return used;
}

/* Runs what is ready until nothing is. Waits of tasks are none here. */
static void run(aio_loop *l) {
  for (aio_link *p; (p = aio_list_shift(&l->ready));) {
    aio_node *n = aio_node_of(p);
    aio_cnode *c = AIO_CONTAINER(n, aio_cnode, node);
    n->state = AIO_IDLE;
    if (n->kind == AIO_NODE_C) c->run(l, c);
  }
}

/* The bytes stay where they are, since the queue may borrow them. */
static void send_records(aio_stream *s) {
  static char records[RECORDS][256];
  for (int i = 0; i < RECORDS; i++) {
    size_t size = (size_t)(i * 7 % 255);
    records[i][0] = (char)size;
    memset(records[i] + 1, i & 255, size);
    aio_piece piece = {records[i], size + 1};
    assert(aio_stream_write(s, &piece, 1) == 0);
  }
}

/* The sink is done in the middle, then takes the rest. */
static void take_records(aio_loop *l, uint64_t seed) {
  aio_pair_opts opts = {.capacity = 1000, .chunk = 300, .seed = seed};
  aio_stream *a = aio_stream_new(l, LIMIT), *b = aio_stream_new(l, LIMIT);
  assert(a && b && aio_pair_open(a, b, &opts) == 0);
  reader r = {.sink = {feed}, .stop = RECORDS / 2};
  aio_stream_set_sink(b, &r.sink);
  send_records(a);
  run(l);
  assert(r.seen == RECORDS / 2 && b->sink == NULL);
  r.stop = RECORDS;
  aio_stream_set_sink(b, &r.sink);
  run(l);
  assert(r.seen == RECORDS && b->in.total == 0);
  aio_stream_release(a);
  aio_stream_release(b);
  run(l);
}

static size_t feed_nothing(aio_sink *sink, const char *ptr, size_t len, bool *done) {
  (void)sink;
  (void)ptr;
  (void)len;
  (void)done;
  return 0;
}

/* A sink that uses nothing of more than the limit is let go, and nothing is lost. */
static void overrun(aio_loop *l) {
  aio_pair_opts opts = {.capacity = 4096};
  aio_stream *a = aio_stream_new(l, LIMIT), *b = aio_stream_new(l, LIMIT);
  assert(a && b && aio_pair_open(a, b, &opts) == 0);
  aio_sink sink = {feed_nothing};
  aio_stream_set_sink(b, &sink);
  static char data[LIMIT + 1];
  aio_piece piece = {data, sizeof data};
  assert(aio_stream_write(a, &piece, 1) == 0);
  run(l);
  assert(b->sink == NULL && b->in.total == sizeof data);
  aio_stream_abort(a);
  aio_stream_release(a);
  aio_stream_release(b);
  run(l);
}

int main(void) {
  int err;
  aio_mem mem = {allocate, NULL};
  aio_loop *l = aio_loop_new(mem, &err);
  assert(l);
  for (uint64_t seed = 0; seed < 50; seed++) take_records(l, seed);
  overrun(l);
  aio_loop_close(l);
  assert(bytes_alive == 0);
  puts("ok");
  return 0;
}
