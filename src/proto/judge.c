/* SPDX-License-Identifier: MIT
 *
 * What a complete head means: how long the body is, whether the connection goes on. The rules are
 * for what peers that disagree could use against each other. Called by proto/h1.c. */
#include <string.h>

#include "proto/chars.h"
#include "proto/h1.h"
#include "proto/method.h"

/* The fields that the framing hangs on. */
typedef struct framing {
  const head_field *length, *coding, *host, *expect, *protocol;
  bool close, keep_alive, upgrade; /* tokens of Connection */
} framing;

static bool refuse_field(h1 *p, uint16_t status, const char *what, const head_field *f) {
  const char *s = p->head.text + f->value;
  return head_refuse(&p->head, status, what, s, f->value_len);
}

static bool note(h1 *p, const head_field **slot, const head_field *f, const char *twice) {
  if (*slot && twice) return refuse_field(p, 400, twice, f);
  *slot = f;
  return true;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static void note_token(framing *fr, const char *s, size_t len) {
  size_t from = 0;
  while (from < len && is_blank(s[from])) from++;
  while (len > from && is_blank(s[len - 1])) len--;
  s += from;
  len -= from;
  if (len == 5 && chars_same(s, "close", len)) fr->close = true;
  if (len == 7 && chars_same(s, "upgrade", len)) fr->upgrade = true;
  if (len == 10 && chars_same(s, "keep-alive", len)) fr->keep_alive = true;
}

static bool note_connection(framing *fr, const char *s, size_t len) {
  const char *comma;
  while ((comma = memchr(s, ',', len))) {
    note_token(fr, s, (size_t)(comma - s));
    len -= (size_t)(comma - s) + 1;
    s = comma + 1;
  }
  note_token(fr, s, len);
  return true;
}

static bool note_field(h1 *p, framing *fr, const head_field *f) {
  const char *name = p->head.text + f->name;
  switch (f->name_len) {
  case 4:
    if (chars_same(name, "host", 4)) return note(p, &fr->host, f, "two Host fields");
    break;
  case 6:
    if (chars_same(name, "expect", 6)) return note(p, &fr->expect, f, "two Expect fields");
    break;
  case 7:
    if (chars_same(name, "upgrade", 7)) return note(p, &fr->protocol, f, NULL);
    break;
  case 10:
    if (chars_same(name, "connection", 10))
      return note_connection(fr, p->head.text + f->value, f->value_len);
    break;
  case 14:
    if (chars_same(name, "content-length", 14))
      return note(p, &fr->length, f, "two Content-Length fields");
    break;
  case 17:
    if (chars_same(name, "transfer-encoding", 17))
      return note(p, &fr->coding, f, "two Transfer-Encoding fields");
  }
  return true;
}

static bool find_framing(h1 *p, framing *fr) {
  for (uint32_t i = 0; i < p->head.nfields; i++) {
    if (!note_field(p, fr, &p->head.fields[i])) return false;
  }
  return true;
}

/* ---- the length of the body ---- */

static bool content_length(h1 *p, const head_field *f) {
  enum { DIGITS = 18 }; /* so many fit into 63 bits */
  const char *s = p->head.text + f->value;
  if (f->value_len == 0 || chars_span(s, f->value_len, CHARS_DIGIT) < f->value_len)
    return refuse_field(p, 400, "a Content-Length that is not digits only", f);
  if (f->value_len > DIGITS) return refuse_field(p, 413, "a Content-Length too large", f);
  p->length = 0;
  for (size_t i = 0; i < f->value_len; i++) p->length = p->length * 10 + (s[i] - '0');
  return true;
}

static bool transfer_encoding(h1 *p, const head_field *f, const head_field *length) {
  static const char last[] = "chunked";
  enum { LAST = sizeof last - 1 };
  const char *s = p->head.text + f->value;
  if (length) return refuse_field(p, 400, "Content-Length and Transfer-Encoding", f);
  if (p->head.minor == 0) return refuse_field(p, 400, "Transfer-Encoding in HTTP/1.0", f);
  bool ends = f->value_len >= LAST && chars_same(s + f->value_len - LAST, last, LAST);
  if (!ends) return refuse_field(p, 400, "a Transfer-Encoding that does not end with chunked", f);
  if (f->value_len > LAST)
    return refuse_field(p, 501, "a Transfer-Encoding other than chunked alone", f);
  p->length = H1_CHUNKED;
  return true;
}

static bool body_length(h1 *p, const framing *fr, int64_t otherwise) {
  p->length = otherwise;
  if (fr->length && !content_length(p, fr->length)) return false;
  return !fr->coding || transfer_encoding(p, fr->coding, fr->length);
}

/* ---- Host and target ---- */

/* Digits, perhaps none, of a number that a port can have. */
static bool is_port(const char *s, size_t len) {
  enum { DIGITS = 5, PORT_MAX = 65535 };
  int port = 0;
  if (len > DIGITS || chars_span(s, len, CHARS_DIGIT) < len) return false;
  for (size_t i = 0; i < len; i++) port = port * 10 + (s[i] - '0');
  return port <= PORT_MAX;
}

/* host [ ":" port ], the host a name, an IPv4 address, or something in brackets. */
static bool is_authority(const char *s, size_t len, bool with_port) {
  size_t host;
  if (len > 0 && s[0] == '[') {
    const char *end = memchr(s, ']', len);
    if (!end || end == s + 1) return false;
    host = (size_t)(end - s) + 1;
    if (chars_span(s, host, CHARS_HOST) < host) return false;
  } else {
    host = chars_span(s, len, CHARS_NAME);
  }
  if (host == 0) return false;
  if (host == len) return !with_port;
  size_t digits = len - host - 1;
  if (s[host] != ':' || (with_port && digits == 0)) return false;
  return is_port(s + host + 1, digits);
}

/* scheme://authority...: the authority must be what Host says. */
static bool absolute_target(h1 *p, const char *s, size_t len, const head_field *host) {
  size_t scheme = len >= 7 && chars_same(s, "http://", 7)    ? 7
                  : len >= 8 && chars_same(s, "https://", 8) ? 8
                                                             : 0;
  if (!scheme) return head_refuse(&p->head, 400, "a target that is no path and no URL", s, len);
  size_t end = scheme;
  while (end < len && s[end] != '/' && s[end] != '?') end++;
  if (!is_authority(s + scheme, end - scheme, false))
    return head_refuse(&p->head, 400, "no host in the target", s, len);
  if (host && (host->value_len != end - scheme ||
               !chars_same_any(p->head.text + host->value, s + scheme, host->value_len)))
    return refuse_field(p, 400, "a Host other than that of the target", host);
  return true;
}

static bool check_target(h1 *p, const head_field *host) {
  const head *h = &p->head;
  const char *s = h->text + h->target.at, *method = h->text + h->method.at;
  size_t len = h->target.len;
  if (memchr(s, '#', len)) return head_refuse(&p->head, 400, "a fragment in the target", s, len);
  if (h->method.len == 7 && memcmp(method, "CONNECT", 7) == 0) {
    if (is_authority(s, len, true)) return true;
    return head_refuse(&p->head, 400, "a target of CONNECT that is not host:port", s, len);
  }
  if (*s == '/') return true;
  if (len == 1 && *s == '*' && h->method.len == 7 && memcmp(method, "OPTIONS", 7) == 0) return true;
  return absolute_target(p, s, len, host);
}

static bool check_host(h1 *p, const head_field *f) {
  if (!f) {
    if (p->head.minor == 0) return true;
    return head_refuse(&p->head, 400, "no Host field", NULL, 0);
  }
  if (is_authority(p->head.text + f->value, f->value_len, false)) return true;
  return refuse_field(p, 400, "a Host field that is no host", f);
}

static bool check_method(h1 *p) {
  const char *s = p->head.text + p->head.method.at;
  size_t len = p->head.method.len;
  p->asks_head = len == 4 && memcmp(s, "HEAD", 4) == 0;
  if (method_is_known(s, len)) return true;
  return head_refuse(&p->head, 501, "a method that is not known here", s, len);
}

static bool check_expect(h1 *p, const head_field *f) {
  if (!f || p->head.minor == 0) return true;
  if (f->value_len != 12 || !chars_same(p->head.text + f->value, "100-continue", 12))
    return refuse_field(p, 417, "an expectation other than 100-continue", f);
  p->flags |= H1_EXPECT_CONTINUE;
  return true;
}

/* ---- the connection ---- */

static bool connection_flags(h1 *p, const framing *fr) {
  bool http10 = p->head.minor == 0;
  if (http10) p->flags |= H1_HTTP10;
  if ((!http10 || fr->keep_alive) && !fr->close && p->length != H1_UNTIL_CLOSE)
    p->flags |= H1_KEEP_ALIVE;
  if (!http10 && fr->protocol && fr->upgrade) p->flags |= H1_UPGRADE;
  if (p->head.response && p->head.status == 101 && !(p->flags & H1_UPGRADE))
    return head_refuse(&p->head, 400, "a change to a protocol that is not named", NULL, 0);
  return true;
}

/* ---- both kinds ---- */

static bool judge_request(h1 *p, const framing *fr) {
  return body_length(p, fr, 0) && check_host(p, fr->host) && check_target(p, fr->host) &&
         check_expect(p, fr->expect) && check_method(p);
}

static bool judge_response(h1 *p, const framing *fr) {
  unsigned status = p->head.status;
  bool never = status < 200 || status == 204;
  if (!body_length(p, fr, H1_UNTIL_CLOSE)) return false;
  if (never && fr->coding)
    return refuse_field(p, 400, "Transfer-Encoding in a response that has no body", fr->coding);
  if (never || status == 304 || p->head_only || (p->connect && status < 300)) p->length = 0;
  return true;
}

bool h1_judge(h1 *p) {
  framing fr = {0};
  p->flags = 0;
  if (!find_framing(p, &fr)) return false;
  return (p->head.response ? judge_response : judge_request)(p, &fr) && connection_flags(p, &fr);
}
