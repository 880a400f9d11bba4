/* SPDX-License-Identifier: MIT
 *
 * See ws_reader.h. A step takes a part of a head or of a payload; each answers how many bytes it
 * has used, and an event ends the loop. */
#include "proto/ws_reader.h"

#include <string.h>

#ifdef AIO_HOSTILE
enum { FIRST_ROOM = 1, KEEP_ROOM = 2 };
#else
enum { FIRST_ROOM = 256, KEEP_ROOM = 4096 }; /* of the buffer; what it may keep between messages */
#endif

void aio_ws_reader_fini(aio_ws_reader *r) {
  aio_mem_free(&r->mem, r->data, r->room);
  r->data = NULL;
  r->len = r->room = 0;
  r->over = true;
}

static void fail(aio_ws_reader *r, unsigned code, const char *why) {
  aio_ws_reader_fini(r);
  r->event = AIO_WS_FAILED;
  r->code = (uint16_t)code;
  r->why = why;
}

/* ---- heads ---- */

/* What is wrong with a head beside its form, or NULL. */
static const char *check_head(const aio_ws_reader *r, const aio_ws_head *h) {
  uint8_t opcode = aio_ws_opcode(h), rsv = h->first & AIO_WS_RSV;
  bool begins = opcode == AIO_WS_TEXT || opcode == AIO_WS_BINARY;
  if (rsv && !(rsv == AIO_WS_RSV1 && r->deflate && begins))
    return "reserved bits that were not agreed on";
  if (h->masked != r->expect_mask)
    return r->expect_mask ? "frame of a client without a mask" : "masked frame of a server";
  if (begins && r->in_message) return "new message inside a fragmented one";
  if (opcode == AIO_WS_CONTINUATION && !r->in_message) return "continuation of no message";
  return NULL;
}

static void begin_frame(aio_ws_reader *r) {
  const aio_ws_head *h = &r->frame;
  const char *why = check_head(r, h);
  if (why) {
    fail(r, AIO_WS_PROTOCOL_ERROR, why);
    return;
  }
  r->in_frame = true;
  r->left = h->length;
  r->control_len = 0;
  if (aio_ws_is_control(h)) return;
  if (h->length > r->max - r->len) {
    fail(r, AIO_WS_TOO_BIG, "message above the limit");
    return;
  }
  if (r->in_message) return;
  r->in_message = true;
  r->opcode = aio_ws_opcode(h);
  r->compressed = (h->first & AIO_WS_RSV1) != 0;
  r->utf8 = (aio_utf8){0};
}

/* Collects a head, which may come in pieces. */
static size_t take_head(aio_ws_reader *r, const char *bytes, size_t n) {
  size_t have = r->head_len, more = AIO_WS_HEAD_MAX - have;
  if (more > n) more = n;
  memcpy(r->head + have, bytes, more);
  const char *why;
  int size = aio_ws_head_read(&r->frame, r->head, have + more, &why);
  if (size < 0) {
    fail(r, AIO_WS_PROTOCOL_ERROR, why);
    return more;
  }
  if (size == 0) {
    r->head_len = (uint8_t)(have + more);
    return more;
  }
  r->head_len = 0;
  begin_frame(r);
  return (size_t)size - have;
}

/* ---- payloads ---- */

/* Room for `n` more bytes that are there. It grows towards the end of the frame. */
static bool reserve(aio_ws_reader *r, size_t n) {
  if (n <= r->room - r->len) return true;
  size_t whole = r->len + (size_t)r->left; /* within max */
  size_t room = 2 * r->room > FIRST_ROOM ? 2 * r->room : FIRST_ROOM;
  if (room > whole && whole >= KEEP_ROOM) room = whole;
  if (room < r->len + n) room = r->len + n;
  char *data = aio_mem_resize(&r->mem, r->data, r->data ? r->room : 0, room);
  if (!data) return false;
  r->data = data;
  r->room = room;
  return true;
}

static void unmask(const aio_ws_reader *r, char *to, const char *from, size_t n) {
  if (r->frame.masked)
    aio_ws_mask(to, from, n, r->frame.mask, r->frame.length - r->left);
  else
    memcpy(to, from, n);
}

static size_t take_control(aio_ws_reader *r, const char *bytes, size_t n) {
  unmask(r, r->control + r->control_len, bytes, n);
  r->control_len = (uint8_t)(r->control_len + n);
  return n;
}

static size_t take_data(aio_ws_reader *r, const char *bytes, size_t n) {
  if (!reserve(r, n)) {
    r->event = AIO_WS_NO_MEMORY;
    return 0;
  }
  char *to = r->data + r->len;
  unmask(r, to, bytes, n);
  r->len += n;
  if (r->opcode == AIO_WS_TEXT && !r->compressed && !aio_utf8_feed(&r->utf8, to, n))
    fail(r, AIO_WS_INVALID_DATA, "text that is not UTF-8");
  return n;
}

static void end_close(aio_ws_reader *r) {
  size_t n = r->control_len;
  const uint8_t *p = (const uint8_t *)r->control;
  aio_utf8 utf8 = {0};
  unsigned code = n >= 2 ? (unsigned)p[0] << 8 | p[1] : AIO_WS_NO_STATUS;
  if (n == 1 || (n >= 2 && !aio_ws_code_is_valid(code))) {
    fail(r, AIO_WS_PROTOCOL_ERROR, "close frame with a wrong code");
  } else if (n > 2 && !(aio_utf8_feed(&utf8, r->control + 2, n - 2) && aio_utf8_complete(&utf8))) {
    fail(r, AIO_WS_INVALID_DATA, "reason of a close frame that is not UTF-8");
  } else {
    aio_ws_reader_fini(r);
    r->event = AIO_WS_CLOSED;
    r->code = (uint16_t)code;
  }
}

static void end_message(aio_ws_reader *r) {
  r->in_message = false;
  if (r->opcode == AIO_WS_TEXT && !r->compressed && !aio_utf8_complete(&r->utf8))
    fail(r, AIO_WS_INVALID_DATA, "text that ends inside a character");
  else
    r->event = AIO_WS_MESSAGE;
}

/* The payload of the frame is there. */
static void end_frame(aio_ws_reader *r) {
  r->in_frame = false;
  if (aio_ws_opcode(&r->frame) == AIO_WS_CLOSE)
    end_close(r);
  else if (aio_ws_is_control(&r->frame))
    r->event = AIO_WS_CONTROL;
  else if (r->frame.first & AIO_WS_FIN)
    end_message(r);
}

static size_t take_payload(aio_ws_reader *r, const char *bytes, size_t n) {
  if (n > r->left) n = (size_t)r->left;
  if (n == 0) return 0;
  size_t used = aio_ws_is_control(&r->frame) ? take_control(r, bytes, n) : take_data(r, bytes, n);
  r->left -= used;
  return used;
}

size_t aio_ws_reader_feed(aio_ws_reader *r, const char *bytes, size_t n) {
  size_t used = 0;
  while (used < n && r->event == AIO_WS_NOTHING && !r->over) {
    if (r->in_frame)
      used += take_payload(r, bytes + used, n - used);
    else
      used += take_head(r, bytes + used, n - used);
    if (r->in_frame && r->left == 0 && r->event == AIO_WS_NOTHING) end_frame(r);
  }
  if (r->over && r->event == AIO_WS_NOTHING) used = n;
  r->taken += used;
  return used;
}

void aio_ws_reader_next(aio_ws_reader *r) {
  if (r->event == AIO_WS_MESSAGE) {
    r->len = 0;
    if (r->room > KEEP_ROOM) {
      aio_mem_free(&r->mem, r->data, r->room);
      r->data = NULL;
      r->room = 0;
    }
  }
  r->event = AIO_WS_NOTHING;
}
