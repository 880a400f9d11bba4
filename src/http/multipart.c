/* SPDX-License-Identifier: MIT
 *
 * The parser of multipart bodies for Lua: the face of src/proto/multipart. Used by
 * lua/aio/http/multipart.lua. Invariant: the memory for heads of parts follows the parser in its
 * userdata, so it has an end. */
#include "http/forms.h"

#include "proto/multipart.h"

#define MULTIPART "aio.http.multipart"

enum { SELF = 1, PIECE = 2, FROM = 3 };
enum { HEAD_MOST = 1 << 20, FIELDS_MAX = 64 };

static aio_multipart *self(lua_State *L) {
  return luaL_checkudata(L, SELF, MULTIPART);
}

/* hc.multipart(boundary, head_max): a parser; nil when that is no boundary. */
static int multipart_new(lua_State *L) {
  aio_slice boundary;
  boundary.at = luaL_checklstring(L, 1, &boundary.len);
  lua_Integer room = luaL_checkinteger(L, 2);
  luaL_argcheck(L, room > 0 && room <= HEAD_MOST, 2, "from a byte to a MiB expected");
  if (!aio_multipart_is_boundary(boundary)) return 0;
  aio_multipart *m = lua_newuserdatauv(L, sizeof *m + (size_t)room, 0);
  aio_multipart_init(m, boundary, (char *)(m + 1), (size_t)room);
  luaL_setmetatable(L, MULTIPART);
  return 1;
}

static int refuse(lua_State *L, const char *why) {
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

static int answer(lua_State *L, const char *what, lua_Integer next) {
  lua_pushstring(L, what);
  lua_pushinteger(L, next);
  return 2;
}

/* Adds the fields of the head as a flat list. */
static int answer_head(lua_State *L, const aio_multipart *m, lua_Integer next) {
  aio_slice rest = {m->head, m->head_len}, name, value;
  lua_Integer n = 0;
  int more;
  answer(L, "head", next);
  lua_newtable(L);
  while ((more = aio_multipart_field(&rest, &name, &value)) > 0) {
    if (n / 2 == FIELDS_MAX) return refuse(L, "a part with too many header fields");
    lua_pushlstring(L, name.at, name.len);
    lua_rawseti(L, -2, ++n);
    lua_pushlstring(L, value.at, value.len);
    lua_rawseti(L, -2, ++n);
  }
  return more < 0 ? refuse(L, "a malformed header in the head of a part") : 3;
}

static int answer_data(lua_State *L, const aio_multipart *m, aio_slice piece, lua_Integer next) {
  answer(L, "data", next);
  if (m->data.at == piece.at && m->data.len == piece.len && lua_tointeger(L, FROM) == 1)
    lua_pushvalue(L, PIECE);
  else
    lua_pushlstring(L, m->data.at, m->data.len);
  return 3;
}

/* p:next(piece, from): "more" (the piece is used up), "head" and a flat list of fields, "data" and
 * bytes, "last" (of this part) or "end", each with the next `from` before the value; or nil and why
 * the body is malformed. */
static int multipart_next(lua_State *L) {
  aio_multipart *m = self(L);
  size_t len, used;
  const char *s = luaL_checklstring(L, PIECE, &len);
  lua_Integer from = luaL_checkinteger(L, FROM);
  luaL_argcheck(L, from >= 1 && (size_t)from <= len + 1, FROM, "a position in the piece expected");
  aio_slice piece = {s + (from - 1), len - (size_t)(from - 1)};
  enum aio_multipart_what what = aio_multipart_next(m, piece, &used);
  lua_Integer next = from + (lua_Integer)used;
  switch (what) {
  case AIO_MULTIPART_MORE:
    return answer(L, "more", next);
  case AIO_MULTIPART_HEAD:
    return answer_head(L, m, next);
  case AIO_MULTIPART_DATA:
    return answer_data(L, m, piece, next);
  case AIO_MULTIPART_LAST:
    return answer(L, "last", next);
  case AIO_MULTIPART_END:
    return answer(L, "end", next);
  default:
    return refuse(L, m->why);
  }
}

void http_multipart_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"next", multipart_next}, {NULL, NULL}};
  luaL_newmetatable(L, MULTIPART);
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, multipart_new);
  lua_setfield(L, -2, "multipart");
}
