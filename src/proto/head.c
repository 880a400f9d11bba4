/* SPDX-License-Identifier: MIT
 *
 * See head.h. A line is copied and looked at when it is complete; only bytes that may not be in it,
 * and its length, are looked at before. */
#include "proto/head.h"

#include <string.h>

#include "proto/chars.h"

void head_init(head *h, bool response, const head_limits *limits, const aio_mem *mem) {
  memset(h, 0, sizeof *h);
  h->response = response;
  h->limits = *limits;
  h->mem = *mem;
}

void head_reset(head *h) {
  if (h->small) {
    if (h->text != h->small->text) aio_mem_free(&h->mem, h->text, h->room);
    if (h->fields != h->small->fields)
      aio_mem_free(&h->mem, h->fields, h->fields_room * sizeof *h->fields);
    aio_mem_free(&h->mem, h->small, sizeof *h->small);
  }
  h->small = NULL;
  h->text = NULL;
  h->fields = NULL;
  h->complete = false;
  h->room = h->fields_room = 0;
  h->len = h->line = h->nfields = 0;
  h->error.what = NULL;
}

bool head_refuse(head *h, uint16_t status, const char *what, const char *ptr, size_t len) {
  h->error.status = status;
  h->error.what = what;
  chars_excerpt(h->error.excerpt, sizeof h->error.excerpt, ptr, ptr ? len : 0);
  return false;
}

static bool refuse_memory(head *h) {
  return head_refuse(h, 503, "not enough memory", NULL, 0);
}

/* ---- memory ---- */

/* Up to this size a block ends where its content does. */
#ifdef AIO_HOSTILE
enum { EXACT = 1024 };
#else
enum { EXACT = 0 };
#endif

/* The first byte has come. */
static bool begin(head *h) {
  h->small = aio_mem_new(&h->mem, sizeof *h->small);
  if (!h->small) return refuse_memory(h);
  h->text = h->small->text;
  h->room = sizeof h->small->text;
  h->fields = h->small->fields;
  h->fields_room = HEAD_SMALL_FIELDS;
  return true;
}

static bool reserve_text(head *h, size_t n) {
  if (h->len + n <= h->room) return true;
  size_t need = h->len + n, room = need <= EXACT ? need : h->room;
  while (room < need) room *= 2;
  bool first = h->text == h->small->text;
  char *block =
      first ? aio_mem_new(&h->mem, room) : aio_mem_resize(&h->mem, h->text, h->room, room);
  if (!block) return refuse_memory(h);
  if (first) memcpy(block, h->text, h->len);
  h->text = block;
  h->room = (uint32_t)room;
  return true;
}

static bool reserve_field(head *h) {
  if (h->nfields < h->fields_room) return true;
  uint32_t room = h->fields_room * 2;
  size_t size = room * sizeof *h->fields, old = h->fields_room * sizeof *h->fields;
  bool first = h->fields == h->small->fields;
  head_field *block =
      first ? aio_mem_new(&h->mem, size) : aio_mem_resize(&h->mem, h->fields, old, size);
  if (!block) return refuse_memory(h);
  if (first) memcpy(block, h->fields, old);
  h->fields = block;
  h->fields_room = room;
  return true;
}

/* ---- lines ---- */

static bool first_line(const head *h) {
  return h->line == 0;
}

/* The first line of a request: three words, one space between. */
static bool request_line(head *h, const char *s, size_t len) {
  size_t method = chars_span(s, len, CHARS_TOKEN);
  if (len == 0) return head_refuse(h, 400, "an empty line before the request", NULL, 0);
  if (method == 0 || method == len || s[method] != ' ')
    return head_refuse(h, 400, "the request does not begin with a method and a space", s, len);
  const char *target = s + method + 1;
  size_t rest = len - method - 1, n = chars_span(target, rest, CHARS_VISIBLE);
  if (n == 0 || n == rest || target[n] != ' ')
    return head_refuse(h, 400, "no target between single spaces in the request line", s, len);
  const char *version = target + n + 1;
  size_t vlen = rest - n - 1;
  bool is_version = vlen == 8 && memcmp(version, "HTTP/", 5) == 0 && version[6] == '.' &&
                    chars_is(version[5], CHARS_DIGIT) && chars_is(version[7], CHARS_DIGIT);
  if (!is_version) return head_refuse(h, 400, "no version of HTTP in the request line", s, len);
  if (version[5] != '1' || version[7] > '1')
    return head_refuse(h, 505, "a version that is not spoken here", version, vlen);
  h->minor = (uint8_t)(version[7] - '0');
  h->method = (head_slice){0, (uint32_t)method};
  h->target = (head_slice){(uint32_t)(method + 1), (uint32_t)n};
  return true;
}

/* The first line of a response: version, three digits, and a reason, which may be missing. */
static bool status_line(head *h, const char *s, size_t len) {
  enum { VERSION = 8, STATUS = 9, AFTER = 12 };
  bool ok = len >= AFTER && memcmp(s, "HTTP/", 5) == 0 && chars_is(s[5], CHARS_DIGIT) &&
            s[6] == '.' && chars_is(s[7], CHARS_DIGIT) && s[VERSION] == ' ' &&
            chars_span(s + STATUS, 3, CHARS_DIGIT) == 3 && (len == AFTER || s[AFTER] == ' ');
  if (!ok) return head_refuse(h, 400, "no version, status and reason in the first line", s, len);
  if (s[5] != '1' || s[7] > '1')
    return head_refuse(h, 505, "a version that is not spoken here", s, VERSION);
  if (s[STATUS] == '0') return head_refuse(h, 400, "a status below 100", s, len);
  h->minor = (uint8_t)(s[7] - '0');
  h->status = (uint16_t)((s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0'));
  uint32_t at = len > AFTER ? AFTER + 1 : AFTER;
  h->reason = (head_slice){at, (uint32_t)len - at};
  return true;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* Says what is wrong with a line that has no name and colon at its start. */
static bool refuse_name(head *h, const char *s, size_t len, size_t name) {
  if (is_blank(*s)) return head_refuse(h, 400, "a field that goes on in the next line", s, len);
  if (*s == ':') return head_refuse(h, 400, "a field without a name", s, len);
  if (!memchr(s, ':', len))
    return head_refuse(h, 400, "a line without a colon among the fields", s, len);
  if (is_blank(s[name]))
    return head_refuse(h, 400, "a blank in the name of a field, or before its colon", s, len);
  return head_refuse(h, 400, "a byte that no name of a field has", s, len);
}

static bool field_line(head *h, const char *s, size_t len) {
  size_t name = chars_span(s, len, CHARS_TOKEN);
  if (name == 0 || name == len || s[name] != ':') return refuse_name(h, s, len, name);
  if (h->nfields == h->limits.fields) return head_refuse(h, 431, "too many fields", NULL, 0);
  if (!reserve_field(h)) return false;
  size_t from = name + 1, to = len;
  while (from < to && is_blank(s[from])) from++;
  while (to > from && is_blank(s[to - 1])) to--;
  h->fields[h->nfields++] =
      (head_field){h->line, h->line + (uint32_t)from, (uint16_t)name, (uint16_t)(to - from)};
  return true;
}

/* ---- bytes ---- */

/* How many bytes the line under way may have, without its end. */
static uint32_t allowed(const head *h) {
  uint32_t most = first_line(h) ? h->limits.line : h->limits.field;
  uint32_t left = h->limits.head > h->line ? h->limits.head - h->line : 0;
  return most < left ? most : left;
}

static bool refuse_length(head *h) {
  if (h->limits.head - h->line < (first_line(h) ? h->limits.line : h->limits.field))
    return head_refuse(h, 431, "a head over the limit", NULL, 0);
  const char *s = h->text + h->line;
  size_t len = allowed(h);
  if (!first_line(h)) return head_refuse(h, 431, "a field over the limit", s, len);
  if (h->response) return head_refuse(h, 400, "a status line over the limit", s, len);
  return head_refuse(h, 414, "a request line over the limit", s, len);
}

/* The byte at s[bad] may not be in a line. */
static bool refuse_byte(head *h, size_t bad) {
  const char *s = h->text + h->line;
  if (first_line(h) && bad == 0 && !h->response && s[0] == 0x16)
    return head_refuse(h, 400, "TLS on a port without it", NULL, 0);
  if (s[bad] == '\r') return head_refuse(h, 400, "a carriage return inside a line", s, bad + 1);
  if (s[bad] == '\n')
    return head_refuse(h, 400, "a line feed without a carriage return", s, bad + 1);
  return head_refuse(h, 400, "a control character in the head", s, bad + 1);
}

/* Looks at the bytes of the line from `from` on; a line feed is the last. `*end`: that is its end.
 */
static bool check_bytes(head *h, uint32_t from, bool *end) {
  const char *s = h->text + h->line;
  size_t len = h->len - h->line, n = from - h->line, most = allowed(h);
  *end = false;
  n += chars_value_span(s + n, len - n);
  if (n > most) return refuse_length(h);
  if (n == len) return true;
  if (s[n] != '\r') return refuse_byte(h, n);
  if (n + 1 == len) return true; /* the next byte will show */
  if (s[n + 1] != '\n') return refuse_byte(h, n);
  *end = true;
  return true;
}

static bool end_line(head *h) {
  const char *s = h->text + h->line;
  size_t len = h->len - h->line - 2;
  if (first_line(h)) {
    if (!(h->response ? status_line : request_line)(h, s, len)) return false;
  } else if (len == 0) {
    h->complete = true;
  } else if (!field_line(h, s, len)) {
    return false;
  }
  if (h->len > h->limits.head) return head_refuse(h, 431, "a head over the limit", NULL, 0);
  h->line = h->len;
  return true;
}

/* Takes the bytes up to the next line feed, or all. */
static size_t take(head *h, const char *ptr, size_t len) {
  uint32_t had = h->len, most = allowed(h) + 3 - (had - h->line);
  size_t n = len < most ? len : most;
  const char *feed = memchr(ptr, '\n', n);
  if (feed) n = (size_t)(feed - ptr) + 1;
  if (!reserve_text(h, n)) return 0;
  memcpy(h->text + had, ptr, n);
  h->len += (uint32_t)n;
  /* again the last one that was there: a carriage return may have ended it */
  bool end, ok = check_bytes(h, had > h->line && h->text[had - 1] == '\r' ? had - 1 : had, &end);
  if (ok && end) end_line(h);
  return n;
}

size_t head_feed(head *h, const char *ptr, size_t len) {
  size_t used = 0;
  if (!h->small && len > 0 && !h->error.what && !begin(h)) return 0;
  while (used < len && !h->complete && !h->error.what) used += take(h, ptr + used, len - used);
  return used;
}
