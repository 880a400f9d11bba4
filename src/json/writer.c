/* SPDX-License-Identifier: MIT
 *
 * Text of JSON that grows: strings, numbers. Short texts stay in the writer itself, longer ones are
 * in a userdata on the Lua stack, so that an error at any point loses nothing. */
#include <float.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

void json_writer_init(json_writer *w, lua_State *L, int box) {
  w->L = L;
  w->data = w->first;
  w->len = 0;
  w->room = sizeof w->first;
  w->box = box;
}

void json_writer_grow(json_writer *w, size_t n) {
  size_t room = 2 * w->room;
  while (room - w->len < n) room *= 2;
  luaL_checkstack(w->L, 1, NULL);
  char *data = lua_newuserdatauv(w->L, room, 0);
  memcpy(data, w->data, w->len);
  lua_replace(w->L, w->box);
  w->data = data;
  w->room = room;
}

void json_writer_put(json_writer *w, const char *text, size_t n) {
  json_writer_reserve(w, n);
  memcpy(w->data + w->len, text, n);
  w->len += n;
}

/* ---- strings ---- */

static bool is_more(const unsigned char *s) {
  return (*s & 0xc0) == 0x80;
}

/* The length of the valid UTF-8 sequence at `s`, whose first byte is above 0x7f; 0: it is none. A
 * Lua string ends in a zero byte, so no look goes beyond it. */
static size_t sequence(const unsigned char *s) {
  if (s[0] < 0xc2) return 0;
  if (s[0] < 0xe0) return is_more(s + 1) ? 2 : 0;
  if (s[0] < 0xf0) {
    if (!is_more(s + 1) || !is_more(s + 2)) return 0;
    bool overlong = s[0] == 0xe0 && s[1] < 0xa0, surrogate = s[0] == 0xed && s[1] > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (s[0] > 0xf4 || !is_more(s + 1) || !is_more(s + 2) || !is_more(s + 3)) return 0;
  bool overlong = s[0] == 0xf0 && s[1] < 0x90, beyond = s[0] == 0xf4 && s[1] > 0x8f;
  return overlong || beyond ? 0 : 4;
}

static void put_escape(json_writer *w, unsigned char c) {
  static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* a character, then its letter */
  static const char digits[] = "0123456789abcdef";
  char text[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
  for (const char *n = names; *n; n += 2) {
    if ((unsigned char)*n != c) continue;
    text[1] = n[1];
    json_writer_put(w, text, 2);
    return;
  }
  json_writer_put(w, text, sizeof text);
}

static bool is_plain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Has one of the eight bytes its highest bit set, or is one below 0x20, a quote or a backslash? */
static bool any_special(uint64_t w) {
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
  uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
  return ((w | (w - ones * 0x20) | (quote - ones) | (slash - ones)) & tops) != 0;
}

/* The end of the bytes that stand for themselves. */
static const unsigned char *skip_plain(const unsigned char *at, const unsigned char *end) {
  for (uint64_t w; (size_t)(end - at) >= sizeof w; at += sizeof w) {
    memcpy(&w, at, sizeof w);
    if (any_special(w)) break;
  }
  while (at < end && is_plain(*at)) at++;
  return at;
}

bool json_writer_string(json_writer *w, const char *s, size_t n) {
  const unsigned char *from = (const unsigned char *)s, *at = from, *end = from + n;
  json_writer_reserve(w, n + 2);
  w->data[w->len++] = '"';
  while (at < end) {
    if (*at >= 0x80) {
      size_t len = sequence(at);
      if (len == 0) return false;
      at += len;
    } else if (is_plain(*at)) {
      at = skip_plain(at, end);
    } else {
      json_writer_put(w, (const char *)from, (size_t)(at - from));
      put_escape(w, *at++);
      from = at;
    }
  }
  json_writer_put(w, (const char *)from, (size_t)(at - from));
  json_writer_char(w, '"');
  return true;
}

/* ---- numbers ---- */

void json_writer_integer(json_writer *w, lua_Integer n) {
  char digits[24];
  size_t at = sizeof digits;
  lua_Unsigned left = n < 0 ? 0 - (lua_Unsigned)n : (lua_Unsigned)n;
  do digits[--at] = (char)('0' + left % 10);
  while ((left /= 10) > 0);
  if (n < 0) digits[--at] = '-';
  json_writer_put(w, digits + at, sizeof digits - at);
}

void json_writer_float(json_writer *w, lua_Number n) {
  char text[40];
  int len = 0, least = n > -DBL_MIN && n < DBL_MIN ? 1 : 15; /* small ones have fewer digits */
  for (int precision = least; precision <= 17; precision++) {
    len = snprintf(text, sizeof text - 2, "%.*g", precision, n);
    if (strtod(text, NULL) == n) break;
  }
  bool whole = true;
  for (int i = 0; i < len; i++) {
    bool digit = text[i] >= '0' && text[i] <= '9';
    if (!digit && !strchr("-+e", text[i])) text[i] = '.'; /* whatever the locale has there */
    if (text[i] == '.' || text[i] == 'e') whole = false;
  }
  if (whole) { /* so that it is read as a float again */
    text[len++] = '.';
    text[len++] = '0';
  }
  json_writer_put(w, text, (size_t)len);
}
