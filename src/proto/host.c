/* SPDX-License-Identifier: MIT
 *
 * See host.h. Names are not looked up in Unicode's tables: one with other letters than ASCII is
 * refused, one in Punycode (xn--) is taken as it is. */
#include "proto/host.h"

#include <stdint.h>
#include <stdio.h>

#include "proto/percent.h"

enum { PIECES = 8, IPV4_PARTS = 4 };

/* ---- IPv4 ---- */

/* A number in decimal, in octal behind "0" or hexadecimal behind "0x"; false when it is none. What
 * is too large stays too large. */
static bool ipv4_number(aio_slice s, uint64_t *value) {
  unsigned base = 10;
  *value = 0;
  if (!s.len) return false;
  if (s.len >= 2 && s.at[0] == '0' && aio_lower(s.at[1]) == 'x') {
    base = 16;
    s.at += 2, s.len -= 2;
  } else if (s.len >= 2 && s.at[0] == '0') {
    base = 8;
    s.at++, s.len--;
  }
  for (size_t i = 0; i < s.len; i++) {
    int digit = aio_hex_value(s.at[i]);
    if (digit < 0 || (unsigned)digit >= base) return false;
    if (*value <= UINT32_MAX) *value = *value * base + (unsigned)digit;
  }
  return true;
}

static bool all_digits(aio_slice s) {
  for (size_t i = 0; i < s.len; i++) {
    if (s.at[i] < '0' || s.at[i] > '9') return false;
  }
  return s.len > 0;
}

/* Takes the part up to the next "." off the front. */
static aio_slice next_part(aio_slice *rest) {
  const char *dot = memchr(rest->at, '.', rest->len), *end = aio_slice_end(*rest);
  aio_slice part = aio_slice_of(rest->at, dot ? dot : end);
  *rest = aio_slice_of(dot ? dot + 1 : end, end);
  return part;
}

static aio_slice without_last_dot(aio_slice s) {
  if (s.len && s.at[s.len - 1] == '.') s.len--;
  return s;
}

/* A host whose last part is a number is an address, or an error. */
static bool ends_in_number(aio_slice s) {
  s = without_last_dot(s);
  const char *from = aio_slice_end(s);
  while (from > s.at && from[-1] != '.') from--;
  aio_slice last = aio_slice_of(from, aio_slice_end(s));
  uint64_t ignored;
  return all_digits(last) || ipv4_number(last, &ignored);
}

static bool ipv4_parse(aio_slice s, uint32_t *address) {
  uint64_t value, sum = 0;
  s = without_last_dot(s);
  if (s.len && s.at[s.len - 1] == '.') return false;
  for (int n = 0; n < IPV4_PARTS; n++) {
    if (!ipv4_number(next_part(&s), &value)) return false;
    if (s.len == 0) {
      uint64_t most = (uint64_t)1 << (8 * (IPV4_PARTS - n));
      *address = (uint32_t)(sum + value);
      return value < most;
    }
    if (value > 255) return false;
    sum += value << (8 * (IPV4_PARTS - 1 - n));
  }
  return false;
}

static const char *ipv4_write(char *to, size_t *len, aio_slice s) {
  uint32_t a;
  if (!ipv4_parse(s, &a)) return "its host ends in a number, but is no IPv4 address";
  *len = (size_t)sprintf(to, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
  return NULL;
}

/* ---- IPv6 ---- */

/* The last 32 bits as an IPv4 address: four decimal numbers. */
static bool ipv6_tail(aio_slice s, uint16_t pieces[PIECES], int *n) {
  if (*n > PIECES - 2) return false;
  for (int part = 0; part < IPV4_PARTS; part++) {
    aio_slice number = next_part(&s);
    bool octal = number.len > 1 && number.at[0] == '0';
    uint64_t value;
    if (!all_digits(number) || octal || !ipv4_number(number, &value) || value > 255) return false;
    if ((s.len == 0) != (part == IPV4_PARTS - 1)) return false;
    pieces[*n + part / 2] = (uint16_t)(pieces[*n + part / 2] << 8 | (uint16_t)value);
  }
  *n += 2;
  return s.len == 0 && s.at[-1] != '.';
}

/* Up to four hexadecimal digits off the front; how many there were. */
static int ipv6_piece(aio_slice *s, uint16_t *piece) {
  int n = 0;
  for (; n < 4 && s->len && aio_hex_value(*s->at) >= 0; n++, s->at++, s->len--)
    *piece = (uint16_t)(*piece << 4 | aio_hex_value(*s->at));
  return n;
}

static bool starts(aio_slice s, const char *with) {
  return s.len >= strlen(with) && memcmp(s.at, with, strlen(with)) == 0;
}

/* Moves what stands behind "::" to the end. */
static bool ipv6_spread(uint16_t pieces[PIECES], int n, int gap) {
  if (gap < 0) return n == PIECES;
  if (n == PIECES) return false;
  int behind = n - gap;
  memmove(pieces + PIECES - behind, pieces + gap, (size_t)behind * sizeof *pieces);
  memset(pieces + gap, 0, (size_t)(PIECES - n) * sizeof *pieces);
  return true;
}

static bool ipv6_parse(aio_slice s, uint16_t pieces[PIECES]) {
  int n = 0, gap = -1;
  if (starts(s, "::")) {
    s.at += 2, s.len -= 2;
    gap = 0;
  }
  while (s.len) {
    if (n == PIECES) return false;
    aio_slice before = s;
    int digits = ipv6_piece(&s, &pieces[n]);
    if (s.len && *s.at == '.') {
      pieces[n] = 0;
      return digits > 0 && ipv6_tail(before, pieces, &n) && ipv6_spread(pieces, n, gap);
    }
    if (digits == 0) return false;
    n++;
    if (!s.len) break;
    if (*s.at != ':' || s.len == 1) return false;
    s.at++, s.len--;
    if (*s.at != ':') continue;
    if (gap >= 0) return false;
    gap = n;
    s.at++, s.len--;
  }
  return ipv6_spread(pieces, n, gap);
}

/* The first of the longest runs of at least two zeros; its length, or 0. */
static int longest_zeros(const uint16_t pieces[PIECES], int *at) {
  int best = 1;
  for (int i = 0, n = 0; i < PIECES; i++) {
    n = pieces[i] ? 0 : n + 1;
    if (n <= best) continue;
    best = n;
    *at = i - n + 1;
  }
  return best > 1 ? best : 0;
}

static const char *ipv6_write(char *to, size_t *len, aio_slice s) {
  uint16_t pieces[PIECES] = {0};
  if (!ipv6_parse(s, pieces)) return "its host is no IPv6 address";
  int at = PIECES, zeros = longest_zeros(pieces, &at);
  char *out = to;
  *out++ = '[';
  for (int i = 0; i < PIECES; i++) {
    if (zeros && i == at) {
      *out++ = ':';
      if (i == 0) *out++ = ':';
      i += zeros - 1;
      continue;
    }
    out += sprintf(out, i < PIECES - 1 ? "%x:" : "%x", pieces[i]);
  }
  *out++ = ']';
  *len = (size_t)(out - to);
  return NULL;
}

/* ---- names ---- */

static const char *check_name(const char *s, size_t len) {
  static const char forbidden[] = " #/:<>?@[\\]^|%";
  for (size_t i = 0; i < len; i++) {
    if ((unsigned char)s[i] >= 0x80)
      return "its host has letters beyond ASCII: write it in Punycode (xn--...)";
    if (s[i] < 0x20 || s[i] == 0x7f || strchr(forbidden, s[i]))
      return "its host has a character that no host can have";
  }
  return NULL;
}

const char *aio_host_write(char *to, size_t *len, aio_slice host) {
  if (!host.len) return "it has no host";
  if (host.at[0] == '[') {
    if (host.at[host.len - 1] != ']') return "the bracket of its host is not closed";
    return ipv6_write(to, len, aio_slice_of(host.at + 1, aio_slice_end(host) - 1));
  }
  *len = aio_percent_decode(to, host, false);
  const char *wrong = check_name(to, *len);
  if (wrong) return wrong;
  for (size_t i = 0; i < *len; i++) to[i] = aio_lower(to[i]);
  aio_slice name = {to, *len};
  if (!ends_in_number(name)) return NULL;
  char copy[AIO_HOST_EXTRA];
  wrong = ipv4_write(copy, len, name);
  if (!wrong) memcpy(to, copy, *len);
  return wrong;
}
