/* SPDX-License-Identifier: MIT
 *
 * aio.Buffer, see buffer.h. Positions are those of Lua's string library: from 1, negative ones from
 * the end. */
#include "bind/buffer.h"

#include <string.h>

enum { SELF = 1 };
enum { MOST_BYTES = 1 << 30, MOST_RESULTS = 1000 };

typedef struct buffer {
  size_t len;
  char bytes[];
} buffer;

static buffer *self(lua_State *L) {
  return aio_object_check(L, aio_state_up(L), SELF, AIO_REF_BUFFER);
}

/* A position as in string.sub: negative ones count from the end. */
static lua_Integer position(lua_Integer pos, size_t len) {
  return pos >= 0 ? pos : pos < -(lua_Integer)len ? 0 : (lua_Integer)len + pos + 1;
}

/* The bytes from position `first` to `last`, those of them that there are. */
static aio_buffer_place range(buffer *b, lua_Integer first, lua_Integer last) {
  first = position(first, b->len);
  last = position(last, b->len);
  if (first < 1) first = 1;
  if (last > (lua_Integer)b->len) last = (lua_Integer)b->len;
  aio_buffer_place p = {b->bytes, 0};
  if (first > last) return p;
  p.ptr += first - 1;
  p.len = (size_t)(last - first + 1);
  return p;
}

aio_buffer_place aio_buffer_place_at(lua_State *L, const aio_state *st, int idx) {
  idx = lua_absindex(L, idx);
  buffer *b = aio_object_test(L, st, idx, AIO_REF_BUFFER);
  if (!b)
    luaL_error(L, "get_buffer must return an aio.Buffer, it returned a %s", luaL_typename(L, idx));
  int first_ok = 1, last_ok = 1;
  lua_Integer first = lua_isnil(L, idx + 1) ? 1 : lua_tointegerx(L, idx + 1, &first_ok);
  lua_Integer last = lua_isnil(L, idx + 2) ? -1 : lua_tointegerx(L, idx + 2, &last_ok);
  if (!first_ok || !last_ok)
    luaL_error(L, "get_buffer must return a buffer, and the positions of the first and the last "
                  "byte to fill or nothing");
  aio_buffer_place p = range(b, first, last);
  if (p.len == 0) luaL_error(L, "get_buffer returned a buffer without room");
  return p;
}

aio_buffer_place aio_buffer_place_arg(lua_State *L, const aio_state *st, int arg) {
  buffer *b = aio_object_check(L, st, arg, AIO_REF_BUFFER);
  lua_Integer first = luaL_optinteger(L, arg + 1, 1), last = luaL_optinteger(L, arg + 2, -1);
  aio_buffer_place p = range(b, first, last);
  luaL_argcheck(L, p.len > 0, arg + 1, "no byte to fill");
  return p;
}

/* aio.Buffer(n), or of a string; the class itself is the first argument of its __call. */
static int buffer_new(lua_State *L) {
  size_t len;
  const char *from = NULL;
  lua_remove(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING) {
    from = lua_tolstring(L, 1, &len);
    luaL_argcheck(L, len > 0, 1, "a string that is not empty expected");
  } else {
    lua_Integer n = luaL_checkinteger(L, 1);
    luaL_argcheck(L, n > 0 && n <= MOST_BYTES, 1, "a positive number of bytes expected");
    len = (size_t)n;
  }
  buffer *b = aio_object_new(L, aio_state_up(L), AIO_REF_BUFFER, sizeof *b + len, 0);
  b->len = len;
  if (from) memcpy(b->bytes, from, len);
  return 1;
}

static int buffer_sub(lua_State *L) {
  buffer *b = self(L);
  aio_buffer_place p = range(b, luaL_optinteger(L, 2, 1), luaL_optinteger(L, 3, -1));
  lua_pushlstring(L, p.ptr, p.len);
  return 1;
}

static int buffer_byte(lua_State *L) {
  buffer *b = self(L);
  lua_Integer first = luaL_optinteger(L, 2, 1);
  aio_buffer_place p = range(b, first, luaL_optinteger(L, 3, first));
  luaL_argcheck(L, p.len <= MOST_RESULTS, 3, "too many bytes at once; take them with sub");
  luaL_checkstack(L, (int)p.len, NULL);
  for (size_t i = 0; i < p.len; i++) lua_pushinteger(L, (unsigned char)p.ptr[i]);
  return (int)p.len;
}

/* A place for `len` bytes from the position at `arg` on. [may throw] */
static char *room(lua_State *L, buffer *b, int arg, size_t len) {
  lua_Integer at = position(luaL_checkinteger(L, arg), b->len);
  luaL_argcheck(L, at >= 1 && len <= b->len && (size_t)(at - 1) <= b->len - len, arg,
                "the bytes do not fit into the buffer there");
  return b->bytes + (at - 1);
}

static int buffer_set(lua_State *L) {
  buffer *b = self(L);
  size_t len;
  const char *from = luaL_checklstring(L, 3, &len);
  memcpy(room(L, b, 2, len), from, len);
  return 0;
}

static int buffer_move(lua_State *L) {
  buffer *b = self(L);
  aio_buffer_place p = range(b, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
  memmove(room(L, b, 4, p.len), p.ptr, p.len);
  return 0;
}

static int buffer_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)self(L)->len);
  return 1;
}

static int buffer_tostring(lua_State *L) {
  const buffer *b = self(L);
  lua_pushfstring(L, "Buffer (%I bytes): %p", (lua_Integer)b->len, (const void *)b);
  return 1;
}

void aio_buffer_open(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"sub", buffer_sub},
                                     {"byte", buffer_byte},
                                     {"set", buffer_set},
                                     {"move", buffer_move},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__len", buffer_len}, {"__tostring", buffer_tostring}, {NULL, NULL}};
  static const luaL_Reg call[] = {{"__call", buffer_new}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_BUFFER, "Buffer", methods, meta);
  lua_newtable(L);
  aio_setfuncs(L, st, call);
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, "Buffer");
}
