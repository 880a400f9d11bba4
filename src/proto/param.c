/* SPDX-License-Identifier: MIT
 *
 * See param.h. */
#include "proto/param.h"

static void skip(aio_slice *s, size_t n) {
  s->at += n;
  s->len -= n;
}

static void skip_blanks(aio_slice *s) {
  while (s->len && aio_is_blank(*s->at)) skip(s, 1);
}

/* The length of a quoted string with its quotes; up to the end when it is not closed. */
static size_t quoted_length(aio_slice s) {
  size_t i = 1;
  while (i < s.len && s.at[i] != '"') i += s.at[i] == '\\' ? 2 : 1;
  return i < s.len ? i + 1 : s.len;
}

static size_t bracket_length(aio_slice s) {
  const char *end = memchr(s.at, '>', s.len);
  return end ? (size_t)(end - s.at) + 1 : s.len;
}

/* Takes what stands before ";" (or "," in a list) off the front. */
static aio_slice take_value(aio_slice *rest, bool list) {
  const char *from = rest->at;
  while (rest->len && *rest->at != ';' && !(list && *rest->at == ',')) {
    if (*rest->at == '"')
      skip(rest, quoted_length(*rest));
    else if (*rest->at == '<')
      skip(rest, bracket_length(*rest));
    else
      skip(rest, 1);
  }
  return aio_slice_trim(aio_slice_of(from, rest->at));
}

bool aio_value_next(aio_slice *rest, bool list, aio_slice *value) {
  while (rest->len && (aio_is_blank(*rest->at) || (list && *rest->at == ','))) skip(rest, 1);
  if (!rest->len) return false;
  *value = take_value(rest, list);
  return true;
}

static aio_slice take_name(aio_slice *rest, bool list) {
  const char *from = rest->at;
  while (rest->len && !strchr(";=\"", *rest->at) && !(list && *rest->at == ',')) skip(rest, 1);
  return aio_slice_trim(aio_slice_of(from, rest->at));
}

static void take_param_value(aio_slice *rest, bool list, aio_param *p) {
  skip_blanks(rest);
  p->quoted = rest->len && *rest->at == '"';
  if (!p->quoted) {
    p->value = take_value(rest, list);
    return;
  }
  size_t n = quoted_length(*rest);
  bool closed = n > 1 && rest->at[n - 1] == '"';
  p->value = aio_slice_of(rest->at + 1, rest->at + n - (closed ? 1 : 0));
  skip(rest, n);
  take_value(rest, list); /* what stands behind the quote belongs to nothing */
}

bool aio_param_next(aio_slice *rest, bool list, aio_param *p) {
  while (rest->len && !(list && *rest->at == ',')) {
    while (rest->len && (*rest->at == ';' || aio_is_blank(*rest->at))) skip(rest, 1);
    p->name = take_name(rest, list);
    p->value = aio_slice_of(rest->at, rest->at);
    p->quoted = false;
    if (rest->len && *rest->at == '=') {
      skip(rest, 1);
      take_param_value(rest, list, p);
    } else {
      take_value(rest, list);
    }
    if (p->name.len) return true;
  }
  return false;
}

size_t aio_param_unquote(char *to, const aio_param *p, bool paths) {
  size_t n = 0;
  for (size_t i = 0; i < p->value.len; i++) {
    char c = p->value.at[i], following = i + 1 < p->value.len ? p->value.at[i + 1] : 0;
    bool escape = p->quoted && c == '\\' && following;
    if (escape && (!paths || following == '"' || following == '\\')) c = p->value.at[++i];
    to[n++] = c;
  }
  return n;
}
