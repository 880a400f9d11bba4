/* SPDX-License-Identifier: MIT
 *
 * See out.h. */
#include "http/out.h"

#define HTTP_DATE "aio.http.date" /* in the registry */

void out_begin(out *o, lua_State *L, int slot) {
  lua_settop(L, slot);
  o->L = L;
  o->slot = slot;
  o->ptr = o->small;
  o->len = 0;
  o->room = sizeof o->small;
}

void out_grow(out *o, size_t n) {
  size_t room = o->room * 2;
  while (room < o->len + n) room *= 2;
  char *block = lua_newuserdatauv(o->L, room, 0);
  memcpy(block, o->ptr, o->len);
  lua_replace(o->L, o->slot);
  o->ptr = block;
  o->room = room;
}

void put_number(out *o, lua_Unsigned n) {
  char digits[24], *p = digits + sizeof digits;
  do *--p = (char)('0' + n % 10);
  while ((n /= 10) > 0);
  put(o, p, (size_t)(digits + sizeof digits - p));
}

/* ---- Date ---- */

enum { DATE_LINE = 37 };

static void two_digits(char *to, int n) {
  to[0] = (char)('0' + n / 10);
  to[1] = (char)('0' + n % 10);
}

/* Days since 1970 to a date of the Gregorian calendar; 400 years at once, beginning in March. */
static void write_date(char *to, int64_t days) {
  static const char names[] = "ThuFriSatSunMonTueWed";
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  int day = (int)(doy - (153 * mp + 2) / 5 + 1), month = (int)(mp < 10 ? mp + 2 : mp - 10);
  int year = (int)(yoe + era * 400 + (month < 2));
  memcpy(to, names + days % 7 * 3, 3);
  two_digits(to + 5, day);
  memcpy(to + 8, months + month * 3, 3);
  two_digits(to + 12, year / 100);
  two_digits(to + 14, year % 100);
}

void put_date(out *o, date *d) {
  time_t now = time(NULL);
  if (now != d->second) {
    int64_t s = now > 0 ? (int64_t)now : 0;
    memcpy(d->line, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", DATE_LINE);
    write_date(d->line + 6, s / 86400);
    two_digits(d->line + 23, (int)(s / 3600 % 24));
    two_digits(d->line + 26, (int)(s / 60 % 60));
    two_digits(d->line + 29, (int)(s % 60));
    d->second = now;
  }
  put(o, d->line, DATE_LINE);
}

void http_date_push(lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, HTTP_DATE) == LUA_TUSERDATA) return;
  lua_pop(L, 1);
  date *d = lua_newuserdatauv(L, sizeof *d, 0);
  d->second = 0;
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, HTTP_DATE);
}
