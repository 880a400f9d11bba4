/* SPDX-License-Identifier: MIT
 *
 * See multipart.h. Each state is a function that takes bytes off the piece; it returns MORE when
 * the next state shall go on. */
#include "proto/multipart.h"

#include "proto/chars.h"

enum { PADDING_MAX = 128 }; /* blanks behind a boundary */

enum state {
  SCAN,      /* for the delimiter: before the first part or in one */
  DELIMITED, /* behind a delimiter */
  DASH,      /* and a "-" */
  RETURN,    /* and a CR */
  PADDING,   /* and blanks */
  PADDED,    /* and blanks and a CR */
  HEAD,
  CLOSED, /* behind the last delimiter */
  OVER
};

static const enum aio_multipart_what GO_ON = AIO_MULTIPART_MORE;

bool aio_multipart_is_boundary(aio_slice s) {
  if (!s.len || s.len > AIO_MULTIPART_BOUNDARY_MAX || s.at[s.len - 1] == ' ') return false;
  for (size_t i = 0; i < s.len; i++) {
    char c = s.at[i];
    bool letter = (aio_lower(c) >= 'a' && aio_lower(c) <= 'z') || (c >= '0' && c <= '9');
    if (!letter && !(c && strchr("'()+_,-./:=? ", c))) return false;
  }
  return true;
}

void aio_multipart_init(aio_multipart *m, aio_slice boundary, char *head, size_t room) {
  memset(m, 0, sizeof *m);
  memcpy(m->delimiter, "\r\n--", 4);
  memcpy(m->delimiter + 4, boundary.at, boundary.len);
  m->len = boundary.len + 4;
  m->delimiter[m->len] = '-';
  m->matched = m->borrowed = 2; /* the first delimiter may be the first line */
  m->state = SCAN;
  m->head = head;
  m->room = room;
}

static enum aio_multipart_what broken(aio_multipart *m, const char *why) {
  m->state = OVER;
  m->why = why;
  return AIO_MULTIPART_BROKEN;
}

/* ---- the delimiter ---- */

/* These bytes are no delimiter: data of the part, or nothing before the first. */
static enum aio_multipart_what plain(aio_multipart *m, const char *from, size_t n) {
  m->data.at = from;
  m->data.len = n;
  if (m->in_part && n > 0) return AIO_MULTIPART_DATA;
  m->preamble += n;
  if (!m->in_part && m->preamble > AIO_MULTIPART_PREAMBLE_MAX)
    return broken(m, "no boundary in the first 64 KiB");
  return GO_ON;
}

/* What was taken for the delimiter is none. */
static enum aio_multipart_what give_back(aio_multipart *m, size_t n) {
  size_t not_ours = m->borrowed;
  m->borrowed = 0;
  return plain(m, m->delimiter + not_ours, n - not_ours);
}

/* Goes on with a delimiter that has begun. */
static void match(aio_multipart *m, const char **at, const char *end) {
  while (m->matched < m->len && *at < end && **at == m->delimiter[m->matched]) {
    m->matched++;
    ++*at;
  }
}

static enum aio_multipart_what scan(aio_multipart *m, const char **at, const char *end) {
  if (m->matched > 0) {
    match(m, at, end);
    if (m->matched == m->len) m->state = DELIMITED;
    if (m->state == DELIMITED || *at == end) return GO_ON;
    size_t held = m->matched;
    m->matched = 0;
    return give_back(m, held);
  }
  for (const char *from = *at;;) {
    const char *cr = memchr(*at, '\r', (size_t)(end - *at));
    const char *begun = *at = cr ? cr : end;
    m->matched = 0;
    match(m, at, end);
    if (m->matched == m->len) m->state = DELIMITED;
    if (m->state == DELIMITED || *at == end) return plain(m, from, (size_t)(begun - from));
  }
}

/* Behind a delimiter stands what cannot be there: all of it is data, and `extra` bytes of what
 * stands behind the delimiter in `m`; `matched` bytes may begin another. */
static enum aio_multipart_what no_delimiter(aio_multipart *m, size_t extra, size_t matched) {
  m->state = SCAN;
  m->matched = matched;
  return give_back(m, m->len + extra);
}

static enum aio_multipart_what delimited(aio_multipart *m, const char **at) {
  switch (**at) {
  case '-':
    m->state = DASH;
    break;
  case '\r':
    m->state = RETURN;
    break;
  case ' ':
  case '\t':
    m->state = PADDING;
    m->padding = 1;
    break;
  default:
    return no_delimiter(m, 0, 0);
  }
  ++*at;
  return GO_ON;
}

static enum aio_multipart_what behind_dash(aio_multipart *m, const char **at) {
  if (**at != '-') return no_delimiter(m, 1, 0);
  ++*at;
  m->state = CLOSED;
  return GO_ON;
}

static enum aio_multipart_what begin_head(aio_multipart *m) {
  m->state = HEAD;
  m->head_len = 0;
  bool last = m->in_part;
  m->in_part = false;
  m->matched = m->borrowed = 0;
  return last ? AIO_MULTIPART_LAST : GO_ON;
}

static enum aio_multipart_what behind_return(aio_multipart *m, const char **at) {
  if (**at != '\n') return no_delimiter(m, 0, 1); /* the CR may begin one */
  ++*at;
  return begin_head(m);
}

static enum aio_multipart_what padding(aio_multipart *m, const char **at) {
  char c = *(*at)++;
  if (c == '\r') {
    m->state = PADDED;
    return GO_ON;
  }
  if (!aio_is_blank(c) || ++m->padding > PADDING_MAX)
    return broken(m, "a boundary with something behind it");
  return GO_ON;
}

static enum aio_multipart_what padded(aio_multipart *m, const char **at) {
  if (*(*at)++ != '\n') return broken(m, "a boundary with something behind it");
  return begin_head(m);
}

static enum aio_multipart_what closed(aio_multipart *m) {
  if (m->in_part) {
    m->in_part = false;
    return AIO_MULTIPART_LAST;
  }
  m->state = OVER;
  return AIO_MULTIPART_END;
}

/* ---- heads ---- */

static bool head_ended(const aio_multipart *m) {
  if (m->head_len == 2) return memcmp(m->head, "\r\n", 2) == 0;
  return m->head_len >= 4 && memcmp(m->head + m->head_len - 4, "\r\n\r\n", 4) == 0;
}

/* Copies up to the end of a line. */
static enum aio_multipart_what head(aio_multipart *m, const char **at, const char *end) {
  const char *line = memchr(*at, '\n', (size_t)(end - *at));
  size_t n = (size_t)((line ? line + 1 : end) - *at);
  if (n > m->room - m->head_len) return broken(m, "the head of a part is too long");
  memcpy(m->head + m->head_len, *at, n);
  m->head_len += n;
  *at += n;
  if (!line || !head_ended(m)) return GO_ON;
  m->head_len -= 2;
  m->state = SCAN;
  m->in_part = true;
  /* a part without a byte: its delimiter begins with the end of the head's last line */
  m->matched = m->borrowed = 2;
  return AIO_MULTIPART_HEAD;
}

int aio_multipart_field(aio_slice *rest, aio_slice *name, aio_slice *value) {
  if (!rest->len) return 0;
  const char *end = memchr(rest->at, '\n', rest->len);
  if (!end || end == rest->at || end[-1] != '\r') return -1;
  aio_slice line = aio_slice_of(rest->at, end - 1);
  *rest = aio_slice_of(end + 1, aio_slice_end(*rest));
  size_t n = chars_span(line.at, line.len, CHARS_TOKEN);
  if (n == 0 || n == line.len || line.at[n] != ':') return -1;
  *name = aio_slice_of(line.at, line.at + n);
  *value = aio_slice_trim(aio_slice_of(line.at + n + 1, aio_slice_end(line)));
  return chars_span(value->at, value->len, CHARS_VALUE) == value->len ? 1 : -1;
}

/* ---- all together ---- */

static enum aio_multipart_what step(aio_multipart *m, const char **at, const char *end) {
  switch (m->state) {
  case SCAN:
    return scan(m, at, end);
  case DELIMITED:
    return delimited(m, at);
  case DASH:
    return behind_dash(m, at);
  case RETURN:
    return behind_return(m, at);
  case PADDING:
    return padding(m, at);
  case PADDED:
    return padded(m, at);
  case HEAD:
    return head(m, at, end);
  default: /* what follows the end */
    *at = end;
    return GO_ON;
  }
}

enum aio_multipart_what aio_multipart_next(aio_multipart *m, aio_slice piece, size_t *used) {
  const char *at = piece.at, *end = aio_slice_end(piece);
  enum aio_multipart_what what = m->state == OVER && m->why ? AIO_MULTIPART_BROKEN : GO_ON;
  while (what == GO_ON && m->state != CLOSED && at < end) what = step(m, &at, end);
  if (what == GO_ON && m->state == CLOSED) what = closed(m);
  *used = (size_t)(at - piece.at);
  return what;
}
