/* SPDX-License-Identifier: MIT
 *
 * aio/jansson.so: JSON for lua/aio/json.lua. Texts are read by jansson and written by our own
 * writer (see docs/architecture.md for the figures). The functions have two upvalues: the value
 * that stands for null, and the metatable that marks arrays. */
#ifndef AIO_JSON_JSON_H
#define AIO_JSON_JSON_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/export.h"

enum {
  JSON_NULL_UPVALUE = 1,
  JSON_ARRAY_UPVALUE = 2,
  JSON_MAX_DEPTH = 512 /* of arrays and objects in each other */
};

AIO_EXPORT int luaopen_aio_jansson(lua_State *L);

/* decode(text, unique): true and the value; or false, why, line, column, byte, and whether it is an
 * integer that is too big. */
int json_decode(lua_State *L);
/* encode(value, indent or nil, sorted): the text; or nil, why, and where in the value. */
int json_encode(lua_State *L);

/* ---- writer.c: text that grows in memory of Lua's ---- */

typedef struct json_writer {
  lua_State *L;
  char *data;
  size_t len, room;
  int box; /* stack index of what holds `data`, once it has left `first` */
  char first[1024];
} json_writer;

void json_writer_init(json_writer *w, lua_State *L, int box);
/* Makes room for `n` more bytes. [may throw] */
void json_writer_grow(json_writer *w, size_t n);

static inline void json_writer_reserve(json_writer *w, size_t n) {
  if (w->room - w->len < n) json_writer_grow(w, n);
}

static inline void json_writer_char(json_writer *w, char c) {
  json_writer_reserve(w, 1);
  w->data[w->len++] = c;
}

void json_writer_put(json_writer *w, const char *text, size_t n);
/* As a JSON string; false when it is not valid UTF-8. [may throw] */
bool json_writer_string(json_writer *w, const char *s, size_t n);
void json_writer_integer(json_writer *w, lua_Integer n);
/* The shortest decimal number that reads as the same; `n` is finite. [may throw] */
void json_writer_float(json_writer *w, lua_Number n);

#endif
