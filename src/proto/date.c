/* SPDX-License-Identifier: MIT
 *
 * See date.h. Days are counted in the calendar of years that begin in March, so that the leap day
 * is a year's last. */
#include "proto/date.h"

enum { DAY = 86400, YEARS_OF_TWO = 100, CYCLE_YEARS = 400, CYCLE_DAYS = 146097, EPOCH = 719468 };

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

typedef struct date {
  int year, month, day, hour, minute, second; /* month and day from 1 */
} date;

/* ---- the calendar ---- */

static int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
}

static int64_t days_before(int year, int month, int day) {
  int64_t y = month > 2 ? year : year - 1;
  int64_t cycle = floor_div(y, CYCLE_YEARS), in_cycle = y - cycle * CYCLE_YEARS;
  int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  int64_t day_of_cycle = in_cycle * 365 + in_cycle / 4 - in_cycle / 100 + day_of_year;
  return cycle * CYCLE_DAYS + day_of_cycle - EPOCH;
}

static void date_of(int64_t n, date *d) {
  n += EPOCH;
  int64_t cycle = floor_div(n, CYCLE_DAYS), in = n - cycle * CYCLE_DAYS;
  int64_t year = (in - in / 1460 + in / 36524 - in / 146096) / 365;
  int day_of_year = (int)(in - (365 * year + year / 4 - year / 100));
  int month = (5 * day_of_year + 2) / 153;
  d->day = day_of_year - (153 * month + 2) / 5 + 1;
  d->month = month < 10 ? month + 3 : month - 9;
  d->year = (int)(year + cycle * CYCLE_YEARS) + (d->month <= 2);
}

static int days_in(int year, int month) {
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (month == 2) return leap ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* A leap second is the second before. */
static bool to_seconds(const date *d, int64_t *seconds) {
  if (d->month < 1 || d->day < 1 || d->day > days_in(d->year, d->month)) return false;
  if (d->hour > 23 || d->minute > 59 || d->second > 60) return false;
  int second = d->second == 60 ? 59 : d->second;
  *seconds =
      days_before(d->year, d->month, d->day) * DAY + d->hour * 3600 + d->minute * 60 + second;
  return true;
}

/* ---- writing ---- */

static char *put_number(char *to, int value, int width) {
  for (int i = width - 1; i >= 0; i--, value /= 10) to[i] = (char)('0' + value % 10);
  return to + width;
}

static char *put(char *to, const char *text, size_t n) {
  memcpy(to, text, n);
  return to + n;
}

void aio_date_write(char *to, int64_t seconds) {
  date d;
  int64_t n = floor_div(seconds, DAY);
  int in_day = (int)(seconds - n * DAY);
  date_of(n, &d);
  int weekday = (int)(n + 4 - floor_div(n + 4, 7) * 7);
  to = put(to, days + 3 * weekday, 3);
  to = put_number(put(to, ", ", 2), d.day, 2);
  to = put(put(to, " ", 1), months + 3 * (size_t)(d.month - 1), 3);
  to = put_number(put(to, " ", 1), d.year, 4);
  to = put_number(put(to, " ", 1), in_day / 3600, 2);
  to = put_number(put(to, ":", 1), in_day / 60 % 60, 2);
  to = put_number(put(to, ":", 1), in_day % 60, 2);
  put(to, " GMT", 4);
}

/* ---- reading ---- */

/* Where the three letters stand in a list of such; -1 when nowhere. */
static int index_of(aio_slice s, const char *list) {
  if (s.len < 3) return -1;
  for (int i = 0; list[3 * i]; i++) {
    const char *name = list + 3 * i;
    if (aio_lower(s.at[0]) == aio_lower(name[0]) && aio_lower(s.at[1]) == name[1] &&
        aio_lower(s.at[2]) == name[2])
      return i;
  }
  return -1;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* One element of a form against the front of `s`, which it is taken off:
 *   w a day's name   W its long name   d two digits of the day   D the same, or a blank and one
 *   m a month's name   y two digits of the year   Y four   t the time   anything else: itself */
static bool take_number(aio_slice *s, int width, int *value) {
  if (s->len < (size_t)width) return false;
  *value = 0;
  for (int i = 0; i < width; i++) {
    if (!is_digit(s->at[i])) return false;
    *value = *value * 10 + (s->at[i] - '0');
  }
  s->at += width, s->len -= (size_t)width;
  return true;
}

static bool take_char(aio_slice *s, char c) {
  if (!s->len || *s->at != c) return false;
  s->at++, s->len--;
  return true;
}

static bool take_name(aio_slice *s, const char *list, int *index) {
  *index = index_of(*s, list);
  if (*index < 0) return false;
  s->at += 3, s->len -= 3;
  return true;
}

static bool take_long_day(aio_slice *s) {
  static const char *const rests[] = {"day", "day", "sday", "nesday", "rsday", "day", "urday"};
  int day;
  if (!take_name(s, days, &day)) return false;
  aio_slice rest = {s->at, strlen(rests[day])};
  if (s->len < rest.len || !aio_slice_is(rest, rests[day])) return false;
  s->at += rest.len, s->len -= rest.len;
  return true;
}

static bool take_time(aio_slice *s, date *d) {
  return take_number(s, 2, &d->hour) && take_char(s, ':') && take_number(s, 2, &d->minute) &&
         take_char(s, ':') && take_number(s, 2, &d->second);
}

static bool take_month(aio_slice *s, date *d) {
  if (!take_name(s, months, &d->month)) return false;
  d->month++;
  return true;
}

static bool take_element(aio_slice *s, char element, date *d) {
  int ignored;
  switch (element) {
  case 'w':
    return take_name(s, days, &ignored);
  case 'W':
    return take_long_day(s);
  case 'd':
    return take_number(s, 2, &d->day);
  case 'D':
    return take_char(s, ' ') ? take_number(s, 1, &d->day) : take_number(s, 2, &d->day);
  case 'm':
    return take_month(s, d);
  case 'y':
    return take_number(s, 2, &d->year);
  case 'Y':
    return take_number(s, 4, &d->year);
  case 't':
    return take_time(s, d);
  default:
    return take_char(s, element);
  }
}

static bool has_form(aio_slice s, const char *form, date *d) {
  while (*form) {
    if (!take_element(&s, *form++, d)) return false;
  }
  return s.len == 0;
}

/* The year that ends in these two digits and is not more than fifty years ahead. */
static int full_year(int two, int64_t now) {
  date today;
  date_of(floor_div(now, DAY), &today);
  int year = today.year - today.year % YEARS_OF_TWO + two;
  return year > today.year + 50 ? year - YEARS_OF_TWO : year;
}

bool aio_date_parse(aio_slice s, int64_t now, int64_t *seconds) {
  date d;
  if (has_form(s, "w, d m Y t GMT", &d) || has_form(s, "w m D t Y", &d))
    return to_seconds(&d, seconds);
  if (!has_form(s, "W, d-m-y t GMT", &d)) return false;
  d.year = full_year(d.year, now);
  return to_seconds(&d, seconds);
}

/* ---- cookies ---- */

static bool is_delimiter(char c) {
  unsigned char b = (unsigned char)c;
  return b == 0x09 || (b >= 0x20 && b <= 0x2f) || (b >= 0x3b && b <= 0x40) ||
         (b >= 0x5b && b <= 0x60) || (b >= 0x7b && b <= 0x7e);
}

/* From `least` to `most` digits, then none. */
static bool digits_first(aio_slice *s, int least, int most, int *value) {
  int n = 0;
  *value = 0;
  for (; s->len && is_digit(*s->at) && n <= most; n++, s->at++, s->len--)
    *value = *value * 10 + (*s->at - '0');
  return n >= least && n <= most;
}

static bool is_time(aio_slice s, date *d) {
  date t;
  if (!digits_first(&s, 1, 2, &t.hour) || !take_char(&s, ':')) return false;
  if (!digits_first(&s, 1, 2, &t.minute) || !take_char(&s, ':')) return false;
  if (!digits_first(&s, 1, 2, &t.second)) return false;
  d->hour = t.hour, d->minute = t.minute, d->second = t.second;
  return true;
}

enum { FOUND_TIME = 1, FOUND_DAY = 2, FOUND_MONTH = 4, FOUND_YEAR = 8, FOUND_ALL = 15 };

/* What the word is, of what has not been found yet. */
static int read_word(aio_slice word, int found, date *d) {
  aio_slice rest = word;
  int value;
  if (!(found & FOUND_TIME) && is_time(word, d)) return FOUND_TIME;
  if (!(found & FOUND_DAY) && digits_first(&rest, 1, 2, &value)) {
    d->day = value;
    return FOUND_DAY;
  }
  if (!(found & FOUND_MONTH) && (value = index_of(word, months)) >= 0) {
    d->month = value + 1;
    return FOUND_MONTH;
  }
  rest = word;
  if (!(found & FOUND_YEAR) && digits_first(&rest, 2, 4, &value)) {
    d->year = value;
    return FOUND_YEAR;
  }
  return 0;
}

bool aio_date_parse_cookie(aio_slice s, int64_t *seconds) {
  date d = {0};
  int found = 0;
  const char *at = s.at, *end = aio_slice_end(s);
  while (at < end) {
    const char *from = at;
    while (at < end && !is_delimiter(*at)) at++;
    if (at > from) found |= read_word(aio_slice_of(from, at), found, &d);
    if (at < end) at++;
  }
  if (found != FOUND_ALL) return false;
  if (d.year >= 70 && d.year <= 99) d.year += 1900;
  if (d.year <= 69) d.year += 2000;
  return d.year >= 1601 && d.second <= 59 && to_seconds(&d, seconds);
}
