/* SPDX-License-Identifier: MIT
 *
 * See cookie.h. */
#include "proto/cookie.h"

#include "proto/date.h"

/* Parts at the first "="; the name is empty when there is none. */
static void split(aio_slice pair, aio_slice *name, aio_slice *value) {
  const char *equals = pair.len ? memchr(pair.at, '=', pair.len) : NULL;
  *name = aio_slice_trim(aio_slice_of(pair.at, equals ? equals : pair.at));
  *value = aio_slice_trim(aio_slice_of(equals ? equals + 1 : pair.at, aio_slice_end(pair)));
}

/* Takes what stands before the next ";" off the front. */
static aio_slice next_part(aio_slice *rest) {
  const char *end = memchr(rest->at, ';', rest->len);
  aio_slice part = aio_slice_of(rest->at, end ? end : aio_slice_end(*rest));
  *rest = aio_slice_of(end ? end + 1 : aio_slice_end(*rest), aio_slice_end(*rest));
  return part;
}

bool aio_cookie_next(aio_slice *rest, aio_slice *name, aio_slice *value) {
  while (rest->len) {
    split(next_part(rest), name, value);
    if (name->len) return true;
  }
  return false;
}

/* ---- Set-Cookie ---- */

static bool has_control(aio_slice s) {
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.at[i];
    if ((c < 0x20 && c != '\t') || c == 0x7f) return true;
  }
  return false;
}

static void read_max_age(aio_set_cookie *c, aio_slice s) {
  size_t i = 0;
  int64_t value = 0;
  bool negative = s.len && s.at[0] == '-';
  if (negative) i++;
  if (i == s.len) return;
  for (; i < s.len; i++) {
    if (s.at[i] < '0' || s.at[i] > '9') return;
    if (value < INT32_MAX) value = value * 10 + (s.at[i] - '0');
  }
  c->max_age = negative ? -value : value;
  c->has_max_age = true;
}

static void read_expires(aio_set_cookie *c, aio_slice s) {
  int64_t seconds;
  if (!aio_date_parse_cookie(s, &seconds)) return;
  c->expires = seconds;
  c->has_expires = true;
}

static void read_domain(aio_set_cookie *c, aio_slice s) {
  if (s.len && s.at[0] == '.') s.at++, s.len--;
  c->domain = s;
}

static void read_path(aio_set_cookie *c, aio_slice s) {
  c->path = s;
  if (!s.len || s.at[0] != '/') c->path.len = 0;
}

static void read_secure(aio_set_cookie *c, aio_slice s) {
  (void)s;
  c->secure = true;
}

static void read_http_only(aio_set_cookie *c, aio_slice s) {
  (void)s;
  c->http_only = true;
}

static void read_partitioned(aio_set_cookie *c, aio_slice s) {
  (void)s;
  c->partitioned = true;
}

static void read_same_site(aio_set_cookie *c, aio_slice s) {
  bool known = aio_slice_is(s, "strict") || aio_slice_is(s, "lax") || aio_slice_is(s, "none");
  c->same_site = s;
  if (!known) c->same_site.len = 0;
}

static void read_attribute(aio_set_cookie *c, aio_slice part) {
  static const struct {
    const char *name;
    void (*read)(aio_set_cookie *c, aio_slice value);
  } attributes[] = {{"expires", read_expires},    {"max-age", read_max_age},
                    {"domain", read_domain},      {"path", read_path},
                    {"secure", read_secure},      {"httponly", read_http_only},
                    {"samesite", read_same_site}, {"partitioned", read_partitioned}};
  aio_slice name, value;
  if (part.len && memchr(part.at, '=', part.len)) {
    split(part, &name, &value);
  } else {
    name = aio_slice_trim(part);
    value = aio_slice_of(aio_slice_end(name), aio_slice_end(name));
  }
  if (value.len > AIO_COOKIE_ATTRIBUTE_MAX) return;
  for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
    if (aio_slice_is(name, attributes[i].name)) attributes[i].read(c, value);
  }
}

bool aio_set_cookie_parse(aio_slice s, aio_set_cookie *c) {
  memset(c, 0, sizeof *c);
  c->domain = c->path = c->same_site = aio_slice_of(s.at, s.at);
  if (has_control(s)) return false;
  split(next_part(&s), &c->name, &c->value);
  if (!c->name.len || c->name.len + c->value.len > AIO_COOKIE_MAX) return false;
  while (s.len) read_attribute(c, next_part(&s));
  return true;
}

/* ---- before writing ---- */

const char *aio_cookie_bad_name(aio_slice s) {
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.at[i];
    if (c <= ' ' || c >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", c)) return s.at + i;
  }
  return NULL;
}

const char *aio_cookie_bad_value(aio_slice s) {
  bool quoted = s.len >= 2 && s.at[0] == '"' && s.at[s.len - 1] == '"';
  if (quoted) s = aio_slice_of(s.at + 1, aio_slice_end(s) - 1);
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.at[i];
    if (c <= ' ' || c >= 0x7f || strchr("\",;\\", c)) return s.at + i;
  }
  return NULL;
}

const char *aio_cookie_bad_attribute(aio_slice s) {
  for (size_t i = 0; i < s.len; i++) {
    unsigned char c = (unsigned char)s.at[i];
    if (c < ' ' || c >= 0x7f || c == ';') return s.at + i;
  }
  return NULL;
}
