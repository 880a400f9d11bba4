/* SPDX-License-Identifier: MIT
 *
 * See h1.h: the order of the parts of a message, and the memory of decoded data. */
#include "proto/h1.h"

#include <string.h>

void h1_init(h1 *p, bool response, const head_limits *limits, const aio_mem *mem) {
  memset(p, 0, offsetof(h1, head));
  head_init(&p->head, response, limits, mem);
}

static void free_data(h1 *p) {
  aio_mem_free(&p->head.mem, p->data, p->data_room);
  p->data = NULL;
  p->data_len = p->data_room = 0;
}

void h1_fini(h1 *p) {
  head_reset(&p->head);
  free_data(p);
  p->state = H1_OTHER;
}

void h1_next(h1 *p) {
  head_reset(&p->head);
  if (p->data) free_data(p);
  p->state = H1_HEAD;
  p->head_only = p->connect = false;
}

const head_error *h1_error(const h1 *p) {
  if (p->head.error.what) return &p->head.error;
  return p->state == H1_BODY && p->body.error.what ? &p->body.error : NULL;
}

static size_t feed_head(h1 *p, const char *ptr, size_t len, bool *done) {
  size_t used = head_feed(&p->head, ptr, len);
  if (p->head.complete && h1_judge(p)) h1_second(p);
  *done = p->head.complete || p->head.error.what;
  if (*done) p->state = H1_JUDGED;
  return used;
}

void h1_take_head(h1 *p) {
  if (p->length == H1_CHUNKED) {
    chunked_init(&p->body, &p->head.limits);
    p->state = H1_BODY;
  } else {
    p->state = H1_OTHER;
  }
  head_reset(&p->head);
}

void h1_take_data(h1 *p) {
  p->data_len = 0;
  if (chunked_ended(&p->body)) free_data(p);
}

/* Room for `n` more decoded bytes, or for as many as may be held. */
static bool reserve_data(h1 *p, size_t n) {
  size_t most = H1_DATA_MAX, want = p->data_len + n < most ? p->data_len + n : most;
  if (want <= p->data_room) return true;
  size_t room = p->data_room ? p->data_room : 1024;
  while (room < want) room *= 2;
  char *block = aio_mem_resize(&p->head.mem, p->data, p->data_room, room);
  if (!block) return head_refuse(&p->head, 503, "not enough memory", NULL, 0);
  p->data = block;
  p->data_room = (uint32_t)room;
  return true;
}

static size_t feed_body(h1 *p, const char *ptr, size_t len, bool *done) {
  size_t used = 0, got = 0;
  bool ended = chunked_ended(&p->body);
  if (!ended && len > 0 && p->data_len < H1_DATA_MAX && !h1_error(p) && reserve_data(p, len)) {
    char *to = p->data + p->data_len;
    used = chunked_feed(&p->body, ptr, len, to, p->data_room - p->data_len, &got);
    p->data_len += (uint32_t)got;
  }
  *done = p->data_len > 0 || chunked_ended(&p->body) || h1_error(p);
  return used;
}

size_t h1_feed(h1 *p, const char *ptr, size_t len, bool *done) {
  switch (p->state) {
  case H1_HEAD:
    return feed_head(p, ptr, len, done);
  case H1_BODY:
    return feed_body(p, ptr, len, done);
  default:
    *done = true;
    return 0;
  }
}
