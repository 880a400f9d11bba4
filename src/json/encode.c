/* SPDX-License-Identifier: MIT
 *
 * From Lua values to JSON. Each level of nesting has three slots of the Lua stack: the table, the
 * sorted keys (or nil), the current key; the value behind them is the next level's first. So the
 * way to a value that cannot be encoded stands on the stack when that is found. Invariant: nothing
 * is popped after a failure. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

enum { VALUE = 1, INDENT = 2, SORTED = 3, BOX = 4, PLACE = 5, TOP = 6 };
enum { SLOT_KEYS = 1, SLOT_KEY = 2, SLOT_VALUE = 3, SLOTS = 3, SPARE = 8 };
enum { MAX_INDENT = 16, MOST_PATH = 20 };
enum { MOST_NILS = 1 << 20 }; /* behind the last item of a packed list */

typedef struct encoder {
  json_writer out;
  lua_State *L;
  const char *why;
  int indent, depth;
  bool sorted;
  const void *above[JSON_MAX_DEPTH]; /* the tables in which we are */
} encoder;

static bool encode_value(encoder *e, int idx);

/* ---- failing ---- */

static bool is_name(const char *s) {
  for (; *s; s++) {
    bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '_';
    if (!letter && !(*s >= '0' && *s <= '9')) return false;
  }
  return true;
}

/* Adds one key to the path at the top of the stack. */
static void add_step(lua_State *L, int key) {
  const char *before = lua_tostring(L, -1);
  if (lua_isinteger(L, key))
    lua_pushfstring(L, "%s[%I]", before, lua_tointeger(L, key));
  else if (is_name(lua_tostring(L, key)))
    lua_pushfstring(L, *before ? "%s.%s" : "%s%s", before, lua_tostring(L, key));
  else
    lua_pushfstring(L, "%s[\"%s\"]", before, lua_tostring(L, key));
  lua_replace(L, -2);
}

/* Notes why, and where: the keys of the first `steps` levels. */
static bool fail_at(encoder *e, const char *why, int steps) {
  lua_State *L = e->L;
  luaL_checkstack(L, SPARE, NULL);
  e->why = why;
  lua_pushliteral(L, "");
  for (int i = 0; i < steps && i < MOST_PATH; i++) add_step(L, TOP + i * SLOTS + SLOT_KEY);
  if (steps > MOST_PATH) {
    lua_pushfstring(L, "%s...", lua_tostring(L, -1));
    lua_replace(L, -2);
  }
  lua_replace(L, PLACE);
  return false;
}

static bool fail(encoder *e, const char *why) {
  return fail_at(e, why, e->depth);
}

/* ---- tables ---- */

static void put_newline(encoder *e) {
  json_writer *w = &e->out;
  if (!e->indent) return;
  size_t n = (size_t)e->indent * (size_t)e->depth;
  json_writer_reserve(w, n + 1);
  w->data[w->len++] = '\n';
  memset(w->data + w->len, ' ', n);
  w->len += n;
}

static bool put_key(encoder *e, int key) {
  size_t n;
  const char *s = lua_tolstring(e->L, key, &n);
  if (!json_writer_string(&e->out, s, n))
    return fail_at(e, "a table with a key that is not valid UTF-8", e->depth - 1);
  json_writer_char(&e->out, ':');
  if (e->indent) json_writer_char(&e->out, ' ');
  return true;
}

static void put_separator(encoder *e, bool first) {
  if (!first) json_writer_char(&e->out, ',');
  put_newline(e);
}

/* The key at `key` of an object is not a string. */
static bool refuse_key(encoder *e, int key) {
  lua_State *L = e->L;
  if (lua_type(L, key) != LUA_TNUMBER)
    return fail_at(e, "a table with a key that is neither a string nor a position", e->depth - 1);
  lua_pushvalue(L, key);
  const char *why = lua_pushfstring(L,
                                    "a table with holes, or with keys of both kinds, because of "
                                    "its key [%s] (a list has the keys 1 to n, an object strings)",
                                    lua_tostring(L, -1));
  return fail_at(e, why, e->depth - 1);
}

static bool is_position(lua_State *L, int idx, lua_Integer n) {
  return lua_isinteger(L, idx) && lua_tointeger(L, idx) >= 1 && lua_tointeger(L, idx) <= n;
}

/* The field `n` of the table at `t`, as table.pack, gather and map write it: how many items there
 * are, of which some may be nil. -1 without one. */
static lua_Integer packed_length(lua_State *L, int t) {
  luaL_checkstack(L, SPARE, NULL);
  lua_pushliteral(L, "n");
  lua_rawget(L, t);
  lua_Integer n = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : -1;
  lua_pop(L, 1);
  return n;
}

/* How many items the list at `t` has; of one with a good field `n` that says so. */
static lua_Integer list_length(lua_State *L, int t, bool *packed) {
  lua_Integer length = (lua_Integer)lua_rawlen(L, t), n = packed_length(L, t);
  *packed = n >= length && n - length <= MOST_NILS;
  return *packed ? n : length;
}

/* A table of `n` items has the key at the top, too. */
static bool refuse_extra(encoder *e, lua_Integer n) {
  lua_State *L = e->L;
  bool hole = lua_type(L, -1) == LUA_TNUMBER, named = lua_type(L, -1) == LUA_TSTRING;
  const char *what = hole ? "holes" : "keys of both kinds";
  const char *key = hole || named ? lua_tostring(L, -1) : luaL_typename(L, -1);
  lua_pushfstring(L, "a table with %s: it is a list of %I items, and has the key %s%s%s, too", what,
                  (LUAI_UACINT)n, hole ? "[" : "'", key, hole ? "]" : "'");
  return fail_at(e, lua_tostring(L, -1), e->depth - 1);
}

static bool refuse_hole(encoder *e, int t, lua_Integer n) {
  lua_State *L = e->L;
  lua_Integer i = 1;
  for (; lua_rawgeti(L, t, i) != LUA_TNIL; i++) lua_pop(L, 1);
  lua_pushfstring(L, "a list with holes: item %I of %I is nil (json.null stands for null)",
                  (LUAI_UACINT)i, (LUAI_UACINT)n);
  return fail_at(e, lua_tostring(L, -1), e->depth - 1);
}

/* Are the keys of the table at `t` 1 to `n`, and nothing else? Those of a packed one may be nil,
 * and it has the key "n". */
static bool check_list(encoder *e, int t, lua_Integer n, bool packed) {
  lua_State *L = e->L;
  lua_Integer count = 0;
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) {
    if (is_position(L, -2, n)) {
      count++;
    } else if (!packed || lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "n") != 0) {
      lua_pop(L, 1);
      return refuse_extra(e, n);
    }
  }
  return packed || count == n || refuse_hole(e, t, n);
}

/* The items from `i` on, each by its position; how many there are in all, or -1. */
static lua_Integer list_items(encoder *e, int t, lua_Integer i) {
  lua_State *L = e->L;
  bool packed;
  lua_Integer n = list_length(L, t, &packed);
  lua_settop(L, t + SLOT_KEYS);
  if (!check_list(e, t, n, packed)) return -1;
  for (; i <= n; i++) {
    put_separator(e, i == 1);
    lua_pushinteger(L, i);
    if (lua_rawgeti(L, t, i) == LUA_TNIL)
      json_writer_put(&e->out, "null", 4);
    else if (!encode_value(e, t + SLOT_VALUE))
      return -1;
    lua_settop(L, t + SLOT_KEYS);
  }
  return n;
}

/* A list's keys come in order from lua_next, as long as they are in its array part. */
static bool array(encoder *e, int t) {
  lua_State *L = e->L;
  lua_Integer i = 0;
  json_writer_char(&e->out, '[');
  lua_pushnil(L);
  while (lua_next(L, t)) {
    if (!lua_isinteger(L, t + SLOT_KEY) || lua_tointeger(L, t + SLOT_KEY) != i + 1) {
      i = list_items(e, t, i + 1);
      if (i < 0) return false;
      break;
    }
    put_separator(e, i == 0);
    i++;
    if (!encode_value(e, t + SLOT_VALUE)) return false;
    lua_settop(L, t + SLOT_KEY);
  }
  e->depth--;
  if (i) put_newline(e);
  json_writer_char(&e->out, ']');
  return true;
}

typedef struct key_slice {
  const char *s;
  size_t n;
} key_slice;

static int compare_keys(const void *a, const void *b) {
  const key_slice *x = a, *y = b;
  int order = memcmp(x->s, y->s, x->n < y->n ? x->n : y->n);
  return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* The keys of the table at `t`, sorted, in the slot for them; how many, or -1. */
static lua_Integer sort_keys(encoder *e, int t) {
  lua_State *L = e->L;
  lua_Integer n = 0, i = 0;
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) {
    if (lua_type(L, t + SLOT_KEY) != LUA_TSTRING) {
      refuse_key(e, t + SLOT_KEY);
      return -1;
    }
    n++;
  }
  key_slice *keys = lua_newuserdatauv(L, (size_t)n * sizeof *keys, 0);
  lua_replace(L, t + SLOT_KEYS);
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1), i++)
    keys[i].s = lua_tolstring(L, t + SLOT_KEY, &keys[i].n);
  qsort(keys, (size_t)n, sizeof *keys, compare_keys);
  return n;
}

static bool sorted_fields(encoder *e, int t) {
  lua_State *L = e->L;
  lua_Integer n = sort_keys(e, t);
  if (n < 0) return false;
  const key_slice *keys = lua_touserdata(L, t + SLOT_KEYS);
  for (lua_Integer i = 0; i < n; i++) {
    lua_pushlstring(L, keys[i].s, keys[i].n);
    put_separator(e, i == 0);
    if (!put_key(e, t + SLOT_KEY)) return false;
    lua_pushvalue(L, t + SLOT_KEY);
    lua_rawget(L, t);
    if (!encode_value(e, t + SLOT_VALUE)) return false;
    lua_settop(L, t + SLOT_KEYS);
  }
  return true;
}

static bool fields(encoder *e, int t) {
  lua_State *L = e->L;
  bool first = true;
  for (lua_pushnil(L); lua_next(L, t); lua_settop(L, t + SLOT_KEY), first = false) {
    if (lua_type(L, t + SLOT_KEY) != LUA_TSTRING) return refuse_key(e, t + SLOT_KEY);
    put_separator(e, first);
    if (!put_key(e, t + SLOT_KEY)) return false;
    if (!encode_value(e, t + SLOT_VALUE)) return false;
  }
  return true;
}

static bool object(encoder *e, int t) {
  json_writer_char(&e->out, '{');
  size_t before = e->out.len;
  if (!(e->sorted ? sorted_fields(e, t) : fields(e, t))) return false;
  e->depth--;
  if (e->out.len > before) put_newline(e);
  json_writer_char(&e->out, '}');
  return true;
}

static bool is_marked(lua_State *L, int t) {
  if (!lua_getmetatable(L, t)) return false;
  bool marked = lua_rawequal(L, -1, lua_upvalueindex(JSON_ARRAY_UPVALUE));
  lua_pop(L, 1);
  return marked;
}

/* Is it a packed list whose first item is nil? */
static bool is_packed(lua_State *L, int t) {
  lua_Integer n = packed_length(L, t);
  if (n < 1) return false;
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) {
    if (!is_position(L, -2, n)) continue;
    lua_pop(L, 2);
    return true;
  }
  return false;
}

/* Is it to be an array? Those that are marked, and those with items. */
static bool is_array(lua_State *L, int t) {
  return is_marked(L, t) || lua_rawlen(L, t) > 0 || is_packed(L, t);
}

/* Multi-maps, headers and the like: what they hold is not in their raw fields. */
static bool refuse_own_pairs(encoder *e, int t) {
  lua_State *L = e->L;
  if (luaL_getmetafield(L, t, "__pairs") == LUA_TNIL) return true;
  bool named = luaL_getmetafield(L, t, "__name") == LUA_TSTRING;
  return fail(e, lua_pushfstring(L, "a table %s %s (make a plain table of it first, with pairs)",
                                 named ? "of class" : "with",
                                 named ? lua_tostring(L, -1) : "__pairs"));
}

static bool table(encoder *e, int t) {
  lua_State *L = e->L;
  const void *self = lua_topointer(L, t);
  if (lua_rawequal(L, t, lua_upvalueindex(JSON_NULL_UPVALUE))) {
    json_writer_put(&e->out, "null", 4);
    return true;
  }
  for (int i = 0; i < e->depth; i++) {
    if (e->above[i] == self) return fail(e, "a table that contains itself");
  }
  if (e->depth == JSON_MAX_DEPTH) return fail(e, "more than 512 tables in each other");
  luaL_checkstack(L, SLOTS + SPARE, NULL);
  if (!refuse_own_pairs(e, t)) return false;
  e->above[e->depth++] = self;
  bool as_array = is_array(L, t);
  lua_pushnil(L); /* the slot for sorted keys */
  bool ok = as_array ? array(e, t) : object(e, t);
  if (ok) lua_settop(L, t);
  return ok;
}

/* ---- values ---- */

static bool number(encoder *e, int idx) {
  if (lua_isinteger(e->L, idx)) {
    json_writer_integer(&e->out, lua_tointeger(e->L, idx));
    return true;
  }
  lua_Number n = lua_tonumber(e->L, idx);
  if (isnan(n)) return fail(e, "nan, which JSON does not have");
  if (isinf(n)) return fail(e, "an infinite number, which JSON does not have");
  json_writer_float(&e->out, n);
  return true;
}

static bool string(encoder *e, int idx) {
  size_t n;
  const char *s = lua_tolstring(e->L, idx, &n);
  if (json_writer_string(&e->out, s, n)) return true;
  return fail(e, "a string that is not valid UTF-8");
}

static bool boolean(encoder *e, int idx) {
  bool yes = lua_toboolean(e->L, idx);
  json_writer_put(&e->out, yes ? "true" : "false", yes ? 4 : 5);
  return true;
}

static bool encode_value(encoder *e, int idx) {
  switch (lua_type(e->L, idx)) {
  case LUA_TTABLE:
    return table(e, idx);
  case LUA_TSTRING:
    return string(e, idx);
  case LUA_TNUMBER:
    return number(e, idx);
  case LUA_TBOOLEAN:
    return boolean(e, idx);
  case LUA_TNIL:
    return fail(e, "nil (json.null stands for null)");
  default:
    return fail(e, lua_pushfstring(e->L, "a %s", luaL_typename(e->L, idx)));
  }
}

int json_encode(lua_State *L) {
  encoder e;
  lua_settop(L, SORTED);
  e.L = L;
  e.depth = 0;
  e.indent = (int)luaL_optinteger(L, INDENT, 0);
  luaL_argcheck(L, e.indent >= 0 && e.indent <= MAX_INDENT, INDENT, "0 to 16 blanks expected");
  e.sorted = lua_toboolean(L, SORTED);
  lua_settop(L, PLACE);
  lua_pushvalue(L, VALUE);
  json_writer_init(&e.out, L, BOX);
  if (encode_value(&e, TOP)) {
    lua_pushlstring(L, e.out.data, e.out.len);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, e.why);
  lua_pushvalue(L, PLACE);
  return 3;
}
