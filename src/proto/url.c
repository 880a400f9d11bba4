/* SPDX-License-Identifier: MIT
 *
 * See url.h. The states of the URL Standard as functions, one for each part, each of which takes
 * its part off the front of what is left and writes it behind what is there. Invariant: `room` is
 * large enough for all that can be written (aio_url_room), so nothing is checked while writing. */
#include "proto/url.h"

#include "proto/host.h"
#include "proto/percent.h"

enum { PORT_MAX = 65535, LONGEST_CODE = 3, PUNCTUATION = 32 };

typedef struct scheme_def {
  const char *name;
  int port;
} scheme_def;

static const scheme_def schemes[] = {{"http", 80}, {"https", 443}, {"ws", 80}, {"wss", 443}};

size_t aio_url_room(size_t n, const aio_url *base) {
  /* the input without what is ignored, its output, and what a base can add */
  return n + LONGEST_CODE * n + (base ? base->len : 0) + AIO_HOST_EXTRA + PUNCTUATION;
}

/* ---- writing ---- */

static void put(aio_url *u, const char *text, size_t n) {
  memcpy(u->text + u->len, text, n);
  u->len += n;
}

static aio_span span_from(const aio_url *u, size_t from) {
  aio_span s = {(uint32_t)from, (uint32_t)(u->len - from)};
  return s;
}

static aio_span put_encoded(aio_url *u, aio_slice s, enum aio_percent_set set) {
  size_t from = u->len;
  u->len += aio_percent_encode(u->text + u->len, s, set);
  return span_from(u, from);
}

/* ---- input ---- */

static bool is_slash(char c) {
  return c == '/' || c == '\\';
}

static bool is_ignored(char c) {
  return c == '\t' || c == '\n' || c == '\r';
}

/* Copies `s` to `to` without blanks and controls at its ends, tabs and ends of lines. */
static aio_slice cleaned(char *to, aio_slice s) {
  while (s.len && (unsigned char)s.at[0] <= ' ') s.at++, s.len--;
  while (s.len && (unsigned char)s.at[s.len - 1] <= ' ') s.len--;
  aio_slice out = {to, 0};
  for (size_t i = 0; i < s.len; i++) {
    if (!is_ignored(s.at[i])) to[out.len++] = s.at[i];
  }
  return out;
}

static void skip(aio_slice *s, size_t n) {
  s->at += n;
  s->len -= n;
}

/* Takes what stands before the first of the bytes `ends` off the front. */
static aio_slice take_until(aio_slice *s, const char *ends) {
  size_t n = 0;
  while (n < s->len && !(s->at[n] && strchr(ends, s->at[n]))) n++;
  aio_slice taken = {s->at, n};
  skip(s, n);
  return taken;
}

/* The name before a first ":"; its length is 0 when there is none. */
static aio_slice scheme_of(aio_slice s) {
  aio_slice none = {s.at, 0};
  for (size_t i = 0; i < s.len; i++) {
    char c = aio_lower(s.at[i]);
    if (c == ':') return aio_slice_of(s.at, s.at + i);
    bool letter = c >= 'a' && c <= 'z';
    bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!letter && !(other && i > 0)) return none;
  }
  return none;
}

static const scheme_def *find_scheme(aio_slice name) {
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
    if (aio_slice_is(name, schemes[i].name)) return &schemes[i];
  }
  return NULL;
}

/* ---- the parts ---- */

static void write_scheme(aio_url *u, const scheme_def *def) {
  put(u, def->name, strlen(def->name));
  u->scheme = span_from(u, 0);
  u->port = def->port;
  put(u, "://", 3);
}

static void write_credentials(aio_url *u, aio_slice s) {
  aio_slice user = take_until(&s, ":");
  if (s.len) skip(&s, 1);
  if (!user.len && !s.len) return;
  u->user = put_encoded(u, user, AIO_PERCENT_USERINFO);
  if (s.len) {
    put(u, ":", 1);
    u->password = put_encoded(u, s, AIO_PERCENT_USERINFO);
  }
  put(u, "@", 1);
}

/* Where the port begins: behind the first ":" that is not within brackets; else the end. */
static size_t host_length(aio_slice s) {
  bool within = false;
  for (size_t i = 0; i < s.len; i++) {
    if (s.at[i] == '[') within = true;
    if (s.at[i] == ']') within = false;
    if (s.at[i] == ':' && !within) return i;
  }
  return s.len;
}

static const char *write_port(aio_url *u, aio_slice s) {
  int port = 0, own = u->port;
  if (!s.len) return NULL;
  for (size_t i = 0; i < s.len; i++) {
    if (s.at[i] < '0' || s.at[i] > '9') return "its port is no number";
    port = port * 10 + (s.at[i] - '0');
    if (port > PORT_MAX) return "its port is above 65535";
  }
  if (port == own) return NULL;
  char digits[8];
  size_t n = sizeof digits;
  for (int left = port; left > 0 || n == sizeof digits; left /= 10)
    digits[--n] = (char)('0' + left % 10);
  digits[--n] = ':';
  put(u, digits + n, sizeof digits - n);
  u->port = port;
  u->port_written = true;
  return NULL;
}

static const char *write_authority(aio_url *u, aio_slice *s) {
  aio_slice authority = take_until(s, "/\\?#");
  const char *at = aio_slice_end(authority);
  while (at > authority.at && at[-1] != '@') at--;
  if (at > authority.at) write_credentials(u, aio_slice_of(authority.at, at - 1));
  aio_slice rest = aio_slice_of(at, aio_slice_end(authority)), host = rest;
  host.len = host_length(rest);
  size_t n;
  const char *wrong = aio_host_write(u->text + u->len, &n, host);
  if (wrong) return wrong;
  u->host.at = (uint32_t)u->len;
  u->host.len = (uint32_t)n;
  u->len += n;
  skip(&rest, host.len < rest.len ? host.len + 1 : rest.len);
  return write_port(u, rest);
}

/* How many dots a segment is, each as "." or "%2e"; 0 when it is something else. */
static int dots_of(aio_slice s) {
  int dots = 0;
  while (s.len) {
    aio_slice three = {s.at, s.len < 3 ? s.len : 3};
    size_t n = *s.at == '.' ? 1 : aio_slice_is(three, "%2e") ? 3 : 0;
    if (n == 0 || ++dots > 2) return 0;
    skip(&s, n);
  }
  return dots;
}

/* Takes the last segment of the path away. */
static void shorten(aio_url *u) {
  size_t end = u->len;
  while (end > u->path.at && u->text[end - 1] != '/') end--;
  if (end > u->path.at) end--;
  u->len = end;
}

/* Adds segments; the path begins at u->path.at, and may have some already. */
static void write_path(aio_url *u, aio_slice *s) {
  if (s->len && is_slash(*s->at)) skip(s, 1);
  for (bool more = true; more;) {
    aio_slice segment = take_until(s, "/\\?#");
    more = s->len && is_slash(*s->at);
    if (more) skip(s, 1);
    int dots = dots_of(segment);
    if (dots == 2) shorten(u);
    if (dots && more) continue;
    put(u, "/", 1);
    if (!dots) put_encoded(u, segment, AIO_PERCENT_PATH);
  }
}

static void write_rest(aio_url *u, aio_slice *s) {
  if (s->len && *s->at == '?') {
    skip(s, 1);
    put(u, "?", 1);
    u->has_query = true;
    u->query = put_encoded(u, take_until(s, "#"), AIO_PERCENT_QUERY);
  }
  if (!s->len) return;
  skip(s, 1);
  put(u, "#", 1);
  u->has_fragment = true;
  u->fragment = put_encoded(u, *s, AIO_PERCENT_FRAGMENT);
}

static void end_path(aio_url *u) {
  u->path = span_from(u, u->path.at);
}

/* ---- whole URLs ---- */

static const char *absolute(aio_url *u, aio_slice s) {
  while (s.len && is_slash(*s.at)) skip(&s, 1);
  const char *wrong = write_authority(u, &s);
  if (wrong) return wrong;
  u->path.at = (uint32_t)u->len;
  write_path(u, &s);
  end_path(u);
  write_rest(u, &s);
  return NULL;
}

/* Takes over all that stands before the path. */
static void copy_authority(aio_url *u, const aio_url *base) {
  u->len = 0;
  put(u, base->text, base->path.at);
  u->scheme = base->scheme;
  u->user = base->user;
  u->password = base->password;
  u->host = base->host;
  u->port = base->port;
  u->port_written = base->port_written;
  u->path.at = base->path.at;
}

static void copy_query(aio_url *u, const aio_url *base) {
  if (!base->has_query) return;
  put(u, "?", 1);
  size_t from = u->len;
  put(u, base->text + base->query.at, base->query.len);
  u->query = span_from(u, from);
  u->has_query = true;
}

static const char *relative(aio_url *u, aio_slice s, const aio_url *base) {
  bool rooted = s.len && is_slash(s.at[0]);
  if (rooted && s.len > 1 && is_slash(s.at[1])) return absolute(u, s);
  copy_authority(u, base);
  if (!rooted) put(u, base->text + base->path.at, base->path.len);
  bool as_base = !s.len || *s.at == '?' || *s.at == '#';
  if (!as_base) {
    if (!rooted) shorten(u);
    write_path(u, &s);
  }
  end_path(u);
  if (as_base && !(s.len && *s.at == '?')) copy_query(u, base);
  write_rest(u, &s);
  return NULL;
}

const char *aio_url_parse(aio_url *u, char *room, aio_slice s, const aio_url *base) {
  memset(u, 0, sizeof *u);
  u->text = room;
  if (s.len > AIO_URL_MAX) return "it is longer than a MiB";
  s = cleaned(room + aio_url_room(s.len, base) - s.len, s);
  aio_slice name = scheme_of(s);
  const scheme_def *def = name.len ? find_scheme(name) : NULL;
  if (name.len && !def) return "its scheme is none of http, https, ws and wss";
  if (!def && !base) return "it has no scheme (http://...)";
  const scheme_def *other = base ? find_scheme(aio_url_part(base, base->scheme)) : NULL;
  if (!def) {
    write_scheme(u, other);
    return relative(u, s, base);
  }
  skip(&s, name.len + 1);
  bool two = s.len > 1 && s.at[0] == '/' && s.at[1] == '/';
  write_scheme(u, def);
  return def == other && !two ? relative(u, s, base) : absolute(u, s);
}
