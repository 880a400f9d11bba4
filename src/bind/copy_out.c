/* SPDX-License-Identifier: MIT
 *
 * Writing values into a blob. Called before a value goes to another thread. What is under way
 * stands in a userdata, so that an error at any point frees it. Invariant: object i is entry i of
 * the table OBJECTS, and `origins[i]` says in which object it was met first. */
#include <stdlib.h>
#include <string.h>

#include "bind/channel.h"
#include "bind/copy_pack.h"
#include "bind/error.h"
#include "bind/lloop.h"
#include "bind/remote.h"

#ifdef AIO_HOSTILE
enum { LARGE = 4 };
#else
enum { LARGE = 2048 }; /* a longer string becomes a part of its own */
#endif
enum { CLASSES = 100 }; /* so deep may a class be below another */
enum { FUNCTION_BITS = 24, UPVALUE_BITS = 8 };

/* ---- objects ---- */

static void no_memory(const aio_packer *p) {
  luaL_error(p->L, "not enough memory");
}

static void need(const aio_packer *p, bool ok) {
  if (!ok) no_memory(p);
}

/* Numbers the object at `idx`, and writes the tag of its first mention. */
static void mention(aio_packer *p, int idx, enum aio_copy_tag tag, bool contents) {
  if (p->count + 1 >= p->room) {
    uint32_t room = p->room ? p->room * 2 : 8;
    aio_copy_origin *o = realloc(p->origins, room * sizeof *o);
    need(p, o != NULL);
    p->origins = o;
    p->room = room;
  }
  uint32_t id = p->count + 1;
  p->origins[id] = (aio_copy_origin){p->current, p->root, contents};
  lua_pushvalue(p->L, idx);
  lua_rawseti(p->L, p->objects, id);
  need(p, aio_ptrmap_add(&p->ids, lua_topointer(p->L, idx), id));
  p->count = id;
  need(p, aio_blob_byte(&p->blob, (uint8_t)tag));
}

/* Pushes the name of the module that the object at `idx` is; the first by the alphabet, if it has
 * several. False (nothing is pushed): it is none. */
static bool push_module_name(aio_packer *p, int idx) {
  lua_State *L = p->L;
  aio_packer_modules(p);
  if (!aio_ptrmap_get(&p->modules, lua_topointer(L, idx))) return false;
  lua_pushnil(L);
  int best = lua_gettop(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  for (lua_pushnil(L); lua_next(L, best + 1); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || !lua_rawequal(L, -1, idx)) continue;
    if (!lua_isnil(L, best) && !lua_compare(L, -2, best, LUA_OPLT)) continue;
    lua_pushvalue(L, -2);
    lua_replace(L, best);
  }
  bool found = !lua_isnil(L, best);
  lua_settop(L, found ? best : best - 1);
  return found;
}

static void put_text(aio_packer *p, int idx) {
  size_t len;
  const char *s = lua_tolstring(p->L, idx, &len);
  need(p, aio_blob_string(&p->blob, s, len));
}

static void put_value(aio_packer *p, int idx);

/* Writes an error class: aio's own by its number, others by their names below one of those. */
static void put_class(aio_packer *p, int idx, int depth) {
  lua_State *L = p->L;
  uint32_t known = aio_ptrmap_get(&p->ids, lua_topointer(L, idx));
  if (known) {
    need(p, aio_blob_byte(&p->blob, AIO_COPY_REF) && aio_blob_uint(&p->blob, known));
    return;
  }
  int own = aio_copy_own_class(L, p->st, idx);
  if (own) {
    mention(p, idx, AIO_COPY_CLASS, false);
    need(p, aio_blob_uint(&p->blob, (uint64_t)own));
    return;
  }
  if (depth == CLASSES) aio_copy_refuse(p, "an error class that is so far from aio's own");
  luaL_checkstack(L, AIO_COPY_STACK, NULL);
  mention(p, idx, AIO_COPY_SUBCLASS, false);
  lua_pushliteral(L, "name");
  lua_rawget(L, idx);
  if (lua_type(L, -1) != LUA_TSTRING) aio_copy_refuse(p, "an error class without a name");
  put_text(p, lua_gettop(L));
  lua_pushliteral(L, "_parent");
  lua_rawget(L, idx);
  put_class(p, lua_gettop(L), depth + 1);
  lua_pop(L, 2);
}

/* A table whose metatable is a module, which is the same over there. */
static void put_marked(aio_packer *p, int idx) {
  lua_State *L = p->L;
  lua_getmetatable(L, idx);
  if (!push_module_name(p, lua_gettop(L))) aio_copy_refuse(p, "a table with a metatable");
  mention(p, idx, AIO_COPY_MARKED, true);
  put_text(p, lua_gettop(L));
  need(p, aio_blob_uint(&p->blob, (uint64_t)lua_rawlen(L, idx)));
  lua_pop(L, 2);
}

/* A table with a metatable: only some kinds are known. */
static void put_special(aio_packer *p, int idx) {
  lua_State *L = p->L;
  if (aio_copy_is_class(L, p->st, idx)) {
    put_class(p, idx, 0);
  } else if (aio_error_is(L, p->st, idx, AIO_E_BASE)) {
    mention(p, idx, AIO_COPY_ERROR, true);
    lua_getmetatable(L, idx);
    put_class(p, lua_gettop(L), 0);
    lua_pop(L, 1);
  } else if (aio_copy_is_variable(L, p->st, idx)) {
    uint64_t id = aio_copy_variable_id(L, p->st, idx);
    mention(p, idx, AIO_COPY_VARIABLE, true);
    need(p, aio_blob_uint(&p->blob, id));
  } else {
    put_marked(p, idx);
  }
}

static void put_module(aio_packer *p, int idx) {
  mention(p, idx, AIO_COPY_MODULE, false);
  put_text(p, lua_gettop(p->L));
  lua_pop(p->L, 1);
}

/* A ContextVar that a module holds is the module's; any other keeps its number. */
static void put_table(aio_packer *p, int idx) {
  lua_State *L = p->L;
  if (lua_topointer(L, idx) == p->globals) {
    need(p, aio_blob_byte(&p->blob, AIO_COPY_GLOBALS));
  } else if (push_module_name(p, idx)) {
    put_module(p, idx);
  } else if (lua_getmetatable(L, idx)) {
    lua_pop(L, 1);
    put_special(p, idx);
  } else {
    uint64_t items = lua_rawlen(L, idx);
    mention(p, idx, AIO_COPY_TABLE, true);
    need(p, aio_blob_uint(&p->blob, items));
  }
}

static int write_code(lua_State *L, const void *s, size_t n, void *ud) {
  (void)L;
  return !aio_blob_put(ud, s, n);
}

static void put_code(aio_packer *p, int idx) {
  lua_State *L = p->L;
  aio_blob_clear(&p->code);
  lua_pushvalue(L, idx);
  need(p, lua_dump(L, write_code, &p->code, 0) == 0 &&
              aio_blob_string(&p->blob, p->code.data, p->code.size));
  lua_pop(L, 1);
}

static void put_function(aio_packer *p, int idx) {
  lua_State *L = p->L;
  if (push_module_name(p, idx)) {
    put_module(p, idx);
    return;
  }
  if (aio_copy_field_of(L, p->st, idx, p->loaded)) {
    mention(p, idx, AIO_COPY_FIELD, false);
    put_text(p, lua_gettop(L) - 1);
    put_text(p, lua_gettop(L));
    lua_pop(L, 2);
  } else if (lua_iscfunction(L, idx)) {
    aio_copy_refuse(p, "a C function that is not a field of a loaded module");
  } else {
    mention(p, idx, AIO_COPY_FUNCTION, true);
    put_code(p, idx);
  }
}

static void put_userdata(aio_packer *p, int idx) {
  aio_channel *channel = aio_channel_test(p->L, idx);
  if (channel) {
    mention(p, idx, AIO_COPY_CHANNEL, false);
    aio_carried *carried = aio_channel_carry(channel);
    need(p, carried && aio_blob_add(&p->blob, carried, 0, aio_carried_free));
  } else if (aio_loop_is(p->L, p->st, idx)) {
    mention(p, idx, AIO_COPY_LOOP, false);
    aio_port *port = aio_loop_port(p->L, p->st, idx);
    need(p, port && aio_blob_add(&p->blob, port, 0, aio_loop_port_drop));
  } else if (luaL_getmetafield(p->L, idx, "__name") == LUA_TSTRING) {
    aio_copy_refuse(p, lua_pushfstring(p->L, "a userdata (%s)", lua_tostring(p->L, -1)));
  } else {
    aio_copy_refuse(p, "a userdata");
  }
}

static void put_object(aio_packer *p, int idx) {
  switch (lua_type(p->L, idx)) {
  case LUA_TTABLE:
    put_table(p, idx);
    break;
  case LUA_TFUNCTION:
    put_function(p, idx);
    break;
  case LUA_TUSERDATA:
    put_userdata(p, idx);
    break;
  case LUA_TTHREAD:
    aio_copy_refuse(p, "a coroutine");
    break;
  default:
    aio_copy_refuse(p, "a light userdata");
  }
}

/* ---- plain values ---- */

static bool put_string(aio_blob *b, const char *s, size_t len) {
  if (len <= LARGE) return aio_blob_byte(b, AIO_COPY_STRING) && aio_blob_string(b, s, len);
  char *copy = malloc(len);
  if (!copy || !aio_blob_byte(b, AIO_COPY_LARGE)) {
    free(copy);
    return false;
  }
  memcpy(copy, s, len);
  return aio_blob_add(b, copy, len, free);
}

/* Writes a value that is no object; *plain tells whether it was one. False: memory is out. */
static bool put_plain(lua_State *L, int idx, aio_blob *b, bool *plain) {
  *plain = true;
  switch (lua_type(L, idx)) {
  case LUA_TNIL:
    return aio_blob_byte(b, AIO_COPY_NIL);
  case LUA_TBOOLEAN:
    return aio_blob_byte(b, lua_toboolean(L, idx) ? AIO_COPY_TRUE : AIO_COPY_FALSE);
  case LUA_TNUMBER:
    if (lua_isinteger(L, idx)) {
      lua_Integer n = lua_tointeger(L, idx);
      uint64_t zigzag = ((uint64_t)n << 1) ^ (n < 0 ? UINT64_MAX : 0);
      return aio_blob_byte(b, AIO_COPY_INTEGER) && aio_blob_uint(b, zigzag);
    }
    lua_Number x = lua_tonumber(L, idx);
    return aio_blob_byte(b, AIO_COPY_NUMBER) && aio_blob_put(b, &x, sizeof x);
  case LUA_TSTRING: {
    size_t len;
    const char *s = lua_tolstring(L, idx, &len);
    return put_string(b, s, len);
  }
  default:
    *plain = false;
    return true;
  }
}

static void put_value(aio_packer *p, int idx) {
  bool plain;
  need(p, put_plain(p->L, idx, &p->blob, &plain));
  if (plain) return;
  const void *key = lua_topointer(p->L, idx);
  uint32_t id = aio_ptrmap_get(&p->ids, key);
  if (id && lua_type(p->L, idx) != LUA_TLIGHTUSERDATA)
    need(p, aio_blob_byte(&p->blob, AIO_COPY_REF) && aio_blob_uint(&p->blob, id));
  else
    put_object(p, idx);
}

/* ---- contents ---- */

/* The keys 1 to `items` were written already. */
static bool is_item(lua_State *L, int key, lua_Integer items) {
  return lua_isinteger(L, key) && lua_tointeger(L, key) >= 1 && lua_tointeger(L, key) <= items;
}

static void put_fields(aio_packer *p, int t) {
  lua_State *L = p->L;
  lua_Integer items = (lua_Integer)lua_rawlen(L, t);
  need(p, aio_blob_uint(&p->blob, (uint64_t)items));
  for (lua_Integer i = 1; i <= items; i++) {
    lua_pushinteger(L, i);
    p->key = lua_gettop(L);
    lua_rawgeti(L, t, i);
    put_value(p, p->key + 1);
    lua_settop(L, t);
  }
  for (lua_pushnil(L); lua_next(L, t); lua_settop(L, t + 1)) {
    if (is_item(L, t + 1, items)) continue;
    p->key = t + 1;
    p->at_key = true;
    put_value(p, t + 1);
    p->at_key = false;
    put_value(p, t + 2);
  }
  p->key = 0;
  need(p, aio_blob_byte(&p->blob, AIO_COPY_END));
}

/* An upvalue that another function of this copy has too is written as "the same as". */
static void put_upvalue(aio_packer *p, uint32_t id, int fn, int n) {
  const void *cell = lua_upvalueid(p->L, fn, n);
  uint32_t same = aio_ptrmap_get(&p->upvalues, cell);
  if (same) {
    need(p, aio_blob_uint(&p->blob, same));
    return;
  }
  if (id < 1u << FUNCTION_BITS)
    need(p, aio_ptrmap_add(&p->upvalues, cell, id << UPVALUE_BITS | (uint32_t)n));
  need(p, aio_blob_uint(&p->blob, 0));
  lua_getupvalue(p->L, fn, n);
  put_value(p, lua_gettop(p->L));
  lua_pop(p->L, 1);
}

static void put_upvalues(aio_packer *p, uint32_t id, int fn) {
  for (int n = 1; lua_getupvalue(p->L, fn, n); n++) {
    lua_pop(p->L, 1);
    p->upvalue = n;
    put_upvalue(p, id, fn, n);
  }
  p->upvalue = 0;
}

static void put_contents(aio_packer *p) {
  lua_State *L = p->L;
  for (uint32_t id = 1; id <= p->count; id++) {
    if (!p->origins[id].contents) continue;
    p->current = id;
    need(p, aio_blob_uint(&p->blob, id));
    lua_rawgeti(L, p->objects, id);
    int object = lua_gettop(L);
    if (lua_isfunction(L, object))
      put_upvalues(p, id, object);
    else
      put_fields(p, object);
    lua_settop(L, object - 1);
  }
  p->current = 0;
  need(p, aio_blob_uint(&p->blob, 0));
}

/* ---- the whole ---- */

/* Most messages are a number or a string: they need no objects, and nothing can throw. False: there
 * is an object among them. */
static bool put_flat(lua_State *L, int first, int n, aio_blob *b, bool *plain) {
  *plain = true;
  bool ok = aio_blob_byte(b, AIO_COPY_FLAT) && aio_blob_uint(b, (uint64_t)n);
  for (int i = 0; ok && *plain && i < n; i++) ok = put_plain(L, first + i, b, plain);
  return ok;
}

static void put_nested(lua_State *L, aio_state *st, int first, int n, aio_copy_names names,
                       aio_blob *out) {
  int top = lua_gettop(L);
  luaL_checkstack(L, AIO_COPY_STACK, "too many values to copy");
  aio_packer *p = aio_packer_begin(L, st, names, out);
  need(p, aio_blob_byte(&p->blob, AIO_COPY_NESTED) && aio_blob_uint(&p->blob, (uint64_t)n));
  for (p->root = 0; p->root < n; p->root++) put_value(p, first + p->root);
  put_contents(p);
  aio_packer_end(p, out);
  lua_settop(L, top);
}

void aio_copy_out(lua_State *L, aio_state *st, int first, int n, aio_copy_names names,
                  aio_blob *out) {
  bool plain;
  first = n ? lua_absindex(L, first) : first;
  bool ok = put_flat(L, first, n, out, &plain);
  if (ok && plain) return;
  aio_blob_clear(out);
  if (ok) {
    put_nested(L, st, first, n, names, out);
  } else {
    aio_blob_fini(out);
    luaL_error(L, "not enough memory");
  }
}

static int box_gc(lua_State *L) {
  aio_blob_fini(lua_touserdata(L, 1));
  return 0;
}

/* core._copy(...): the values as another state would get them. */
static int copy(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_blob *box = aio_object_new(L, st, AIO_REF_BLOB, sizeof *box, 0);
  lua_insert(L, 1);
  aio_copy_out(L, st, 2, lua_gettop(L) - 1, (aio_copy_names){"argument", 1, 0}, box);
  int n = aio_copy_in(L, st, box);
  aio_blob_fini(box);
  return n;
}

/* core._copy_size(...): how many bytes the values take on their way, for measurements. */
static int copy_size(lua_State *L) {
  aio_blob b = {0};
  aio_copy_out(L, aio_state_up(L), 1, lua_gettop(L), (aio_copy_names){"argument", 1, 0}, &b);
  size_t size = b.size;
  for (uint32_t i = 0; i < b.nparts; i++) size += b.parts[i].len;
  aio_blob_fini(&b);
  lua_pushinteger(L, (lua_Integer)size);
  return 1;
}

void aio_copy_open(lua_State *L, aio_state *st) {
  static const luaL_Reg gc[] = {{"__gc", box_gc}, {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_copy", copy}, {"_copy_size", copy_size}, {NULL, NULL}};
  aio_packer_open(L, st);
  aio_class_open(L, st, AIO_REF_BLOB, "aio.blob", NULL, gc);
  lua_pop(L, 1);
  aio_setfuncs(L, st, fns);
}
