/* SPDX-License-Identifier: MIT
 *
 * The text of a head that is being written: it grows on the C stack, and in a userdata when that is
 * too small. And the line Date, which is made once a second. For encode.c and answer.c. */
#ifndef AIO_HTTP_OUT_H
#define AIO_HTTP_OUT_H

#include <string.h>
#include <time.h>

#include "http/http.h"

/* `slot` of the stack has its block when it does not fit into `small`. */
typedef struct out {
  lua_State *L;
  int slot;
  char *ptr;
  size_t len, room;
  char small[2048];
} out;

/* An empty one; the stack ends with `slot` from now on. */
void out_begin(out *o, lua_State *L, int slot);
/* Makes room for `n` more bytes. [may throw] */
void out_grow(out *o, size_t n);
/* [may throw] */
void put_number(out *o, lua_Unsigned n);

/* [may throw] */
static inline void put(out *o, const char *s, size_t len) {
  if (len > o->room - o->len) out_grow(o, len);
  memcpy(o->ptr + o->len, s, len);
  o->len += len;
}

#define PUT(o, literal) put(o, literal, sizeof literal - 1)

typedef struct date {
  time_t second;
  char line[40]; /* with its end */
} date;

/* Pushes the one of this state, a userdata. [may throw] */
void http_date_push(lua_State *L);
/* The line Date. [may throw] */
void put_date(out *o, date *d);

#endif
