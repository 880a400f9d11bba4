/* SPDX-License-Identifier: MIT
 *
 * See chunked.h. Data is copied in one go; everything between goes byte by byte through `step`. */
#include "proto/chunked.h"

#include <string.h>

#include "proto/chars.h"

enum { SIZE_DIGITS = 16 };

enum {
  SIZE,       /* digits */
  EXT_NAME,   /* behind ';': the first byte of a name */
  EXT_IN,     /* inside a name */
  EXT_VALUE,  /* behind '=' */
  EXT_TOKEN,  /* inside a value that is a token */
  EXT_QUOTED, /* inside quotes */
  EXT_ESCAPE, /* behind a backslash there */
  EXT_AFTER,  /* behind the closing quote */
  SIZE_LF,
  DATA,
  DATA_CR,
  DATA_LF,
  TRAILER, /* the first byte of a line */
  TRAILER_NAME,
  TRAILER_VALUE,
  TRAILER_LF,
  END_LF,
  ENDED
};

void chunked_init(chunked *c, const head_limits *limits) {
  memset(c, 0, sizeof *c);
  c->limits = *limits;
}

bool chunked_ended(const chunked *c) {
  return c->state == ENDED;
}

static bool refuse(chunked *c, uint16_t status, const char *what, char byte) {
  c->error.status = status;
  c->error.what = what;
  chars_excerpt(c->error.excerpt, sizeof c->error.excerpt, &byte, 1);
  return false;
}

static bool go(chunked *c, unsigned state) {
  c->state = (uint8_t)state;
  return true;
}

/* ---- the line with the size ---- */

static bool size_done(chunked *c, char byte) {
  if (byte == '\r') return go(c, SIZE_LF);
  if (byte == ';') return go(c, EXT_NAME);
  return refuse(c, 400, "a byte that is no end of the size of a chunk", byte);
}

static bool size_byte(chunked *c, char byte) {
  if (!chars_is(byte, CHARS_HEX)) {
    if (c->digits > 0) return size_done(c, byte);
    return refuse(c, 400, "a byte that is no size of a chunk", byte);
  }
  if (++c->digits > SIZE_DIGITS)
    return refuse(c, 400, "the size of a chunk has too many digits", byte);
  c->left = c->left << 4 | chars_hex(byte);
  if (c->left > INT64_MAX) return refuse(c, 413, "a chunk that is too large", byte);
  return true;
}

static bool extension_byte(chunked *c, char byte) {
  if (++c->extension > CHUNKED_EXTENSION_MAX || ++c->extensions > CHUNKED_EXTENSIONS_MAX)
    return refuse(c, 413, "too many extensions of chunks", byte);
  bool token = chars_is(byte, CHARS_TOKEN);
  switch (c->state) {
  case EXT_NAME:
    if (token) return go(c, EXT_IN);
    break;
  case EXT_IN:
    if (token) return true;
    if (byte == '=') return go(c, EXT_VALUE);
    if (byte == '\r' || byte == ';') return size_done(c, byte);
    break;
  case EXT_VALUE:
    if (byte == '"') return go(c, EXT_QUOTED);
    if (token) return go(c, EXT_TOKEN);
    break;
  case EXT_TOKEN:
    if (token) return true;
    if (byte == '\r' || byte == ';') return size_done(c, byte);
    break;
  case EXT_QUOTED:
    if (byte == '"') return go(c, EXT_AFTER);
    if (byte == '\\') return go(c, EXT_ESCAPE);
    if (chars_is(byte, CHARS_VALUE)) return true;
    break;
  case EXT_ESCAPE:
    if (chars_is(byte, CHARS_VALUE)) return go(c, EXT_QUOTED);
    break;
  default: /* EXT_AFTER */
    if (byte == '\r' || byte == ';') return size_done(c, byte);
  }
  return refuse(c, 400, "a byte that no extension of a chunk has", byte);
}

static bool size_ends(chunked *c, char byte) {
  if (byte != '\n') return refuse(c, 400, "the size of a chunk does not end with CR LF", byte);
  if (c->left > 0) return go(c, DATA);
  return go(c, TRAILER);
}

static bool next_chunk(chunked *c) {
  c->digits = 0;
  c->extension = 0;
  return go(c, SIZE);
}

/* ---- trailers ---- */

static bool note_name(chunked *c, char byte) {
  if (c->trailer_line <= sizeof c->name) c->name[c->trailer_line - 1] = chars_lower(byte);
  return true;
}

/* What would change the framing or the meaning of the message, were it a field of the head. */
static bool trailer_named(chunked *c) {
  static const char *const forbidden[] = {"content-length", "transfer-encoding", "host"};
  size_t len = c->trailer_line - 1;
  for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
    if (strlen(forbidden[i]) == len && memcmp(c->name, forbidden[i], len) == 0)
      return refuse(c, 400, "a trailer that may stand in the head only", *c->name);
  }
  return go(c, TRAILER_VALUE);
}

static bool trailer_first(chunked *c, char byte) {
  if (byte == '\r') return go(c, END_LF);
  if (!chars_is(byte, CHARS_TOKEN)) return refuse(c, 400, "a byte that begins no trailer", byte);
  if (++c->trailer_fields > c->limits.fields) return refuse(c, 431, "too many trailers", byte);
  note_name(c, byte);
  return go(c, TRAILER_NAME);
}

static bool trailer_byte(chunked *c, char byte) {
  if (++c->trailers > c->limits.trailers) return refuse(c, 431, "trailers over the limit", byte);
  if (++c->trailer_line > c->limits.field + 2)
    return refuse(c, 431, "a trailer over the limit", byte);
  switch (c->state) {
  case TRAILER:
    return trailer_first(c, byte);
  case TRAILER_NAME:
    if (chars_is(byte, CHARS_TOKEN)) return note_name(c, byte);
    if (byte == ':') return trailer_named(c);
    return refuse(c, 400, "a byte that no name of a trailer has", byte);
  case TRAILER_VALUE:
    if (chars_is(byte, CHARS_VALUE)) return true;
    if (byte == '\r') return go(c, TRAILER_LF);
    return refuse(c, 400, "a byte that no trailer has", byte);
  case TRAILER_LF:
    c->trailer_line = 0;
    if (byte == '\n') return go(c, TRAILER);
    return refuse(c, 400, "a trailer does not end with CR LF", byte);
  default: /* END_LF */
    if (byte == '\n') return go(c, ENDED);
    return refuse(c, 400, "the body does not end with CR LF", byte);
  }
}

/* ---- all of it ---- */

static bool step(chunked *c, char byte) {
  switch (c->state) {
  case SIZE:
    return size_byte(c, byte);
  case SIZE_LF:
    return size_ends(c, byte);
  case DATA_CR:
    if (byte == '\r') return go(c, DATA_LF);
    return refuse(c, 400, "a chunk is longer than its size", byte);
  case DATA_LF:
    if (byte == '\n') return next_chunk(c);
    return refuse(c, 400, "a chunk does not end with CR LF", byte);
  default:
    return c->state >= TRAILER ? trailer_byte(c, byte) : extension_byte(c, byte);
  }
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

size_t chunked_feed(chunked *c, const char *ptr, size_t len, char *to, size_t room, size_t *got) {
  size_t used = 0;
  *got = 0;
  while (used < len && c->state != ENDED && !c->error.what) {
    if (c->state != DATA) {
      step(c, ptr[used++]);
      continue;
    }
    size_t n = least(len - used, room - *got);
    if (n > c->left) n = (size_t)c->left;
    if (n == 0) break;
    memcpy(to + *got, ptr + used, n);
    used += n;
    *got += n;
    c->left -= n;
    if (c->left == 0) c->state = DATA_CR;
  }
  return used;
}
