/* SPDX-License-Identifier: MIT
 *
 * Making values out of a blob. Called in the thread that gets them. Invariant: the blob is not
 * changed, so what fails for want of memory may be tried again. */
#include "bind/channel.h"
#include "bind/copy.h"
#include "bind/error.h"
#include "bind/remote.h"

enum { STACK = 24 };
enum { UPVALUE_BITS = 8, UPVALUE_MASK = (1 << UPVALUE_BITS) - 1 };

typedef struct unpacker {
  aio_reader r;
  lua_State *L;
  aio_state *st;
  int objects; /* stack index of the table number -> object */
  uint32_t count;
} unpacker;

static void get_value(unpacker *u);

/* Gives the object at the top its number. */
static void number(unpacker *u, uint32_t id) {
  lua_pushvalue(u->L, -1);
  lua_rawseti(u->L, u->objects, id);
}

static void push_text(unpacker *u) {
  size_t len;
  const char *s = aio_read_string(&u->r, &len);
  lua_pushlstring(u->L, s, len);
}

static void get_function(unpacker *u) {
  size_t len;
  const char *s = aio_read_string(&u->r, &len);
  if (luaL_loadbufferx(u->L, s, len, "=(copy)", "b") != LUA_OK) lua_error(u->L);
}

static void get_field(unpacker *u) {
  lua_State *L = u->L;
  push_text(u);
  push_text(u);
  aio_copy_push_module(L, u->st, lua_tostring(L, -2));
  if (lua_istable(L, -1)) {
    lua_pushvalue(L, -2);
    lua_rawget(L, -2);
  } else {
    lua_pushnil(L);
  }
  if (lua_isnil(L, -1))
    luaL_error(L, "the module '%s' has no function '%s' in this thread", lua_tostring(L, -4),
               lua_tostring(L, -3));
  lua_replace(L, -4);
  lua_pop(L, 2);
}

static void get_error(unpacker *u, uint32_t id) {
  lua_newtable(u->L);
  number(u, id);
  get_value(u);
  lua_setmetatable(u->L, -2);
}

static void get_subclass(unpacker *u) {
  lua_State *L = u->L;
  push_text(u);
  luaL_checkstack(L, STACK, NULL);
  get_value(u); /* the class above */
  lua_insert(L, -2);
  aio_copy_subclass(L, u->st);
}

static void get_marked(unpacker *u) {
  lua_State *L = u->L;
  push_text(u);
  aio_copy_push_module(L, u->st, lua_tostring(L, -1));
  uint64_t items = aio_read_uint(&u->r);
  lua_createtable(L, items < INT32_MAX ? (int)items : 0, 0);
  lua_replace(L, -3);
  if (lua_istable(L, -1))
    lua_setmetatable(L, -2);
  else
    lua_pop(L, 1); /* the module is another one over there */
}

/* The first mention of an object. */
static void get_object(unpacker *u, enum aio_copy_tag tag) {
  lua_State *L = u->L;
  uint32_t id = ++u->count;
  switch (tag) {
  case AIO_COPY_TABLE: {
    uint64_t items = aio_read_uint(&u->r);
    lua_createtable(L, items < INT32_MAX ? (int)items : 0, 0);
    break;
  }
  case AIO_COPY_MARKED:
    get_marked(u);
    break;
  case AIO_COPY_FUNCTION:
    get_function(u);
    break;
  case AIO_COPY_MODULE:
    push_text(u);
    aio_copy_push_module(L, u->st, lua_tostring(L, -1));
    lua_replace(L, -2);
    break;
  case AIO_COPY_FIELD:
    get_field(u);
    break;
  case AIO_COPY_CLASS:
    aio_error_push_class(L, u->st, (enum aio_error_class)aio_read_uint(&u->r));
    break;
  case AIO_COPY_SUBCLASS:
    get_subclass(u);
    break;
  case AIO_COPY_ERROR:
    get_error(u, id);
    return;
  case AIO_COPY_VARIABLE:
    aio_copy_push_variable(L, u->st, aio_read_uint(&u->r));
    break;
  case AIO_COPY_CHANNEL:
    aio_channel_push(L, u->st, aio_channel_carried(aio_read_part(&u->r)->p));
    break;
  default:
    aio_loop_handle_push(L, u->st, aio_read_part(&u->r)->p);
  }
  number(u, id);
}

/* Pushes a value that needs no memory. False: it is another. */
static inline bool get_plain(lua_State *L, aio_reader *r, enum aio_copy_tag tag) {
  switch (tag) {
  case AIO_COPY_NIL:
    lua_pushnil(L);
    return true;
  case AIO_COPY_FALSE:
  case AIO_COPY_TRUE:
    lua_pushboolean(L, tag == AIO_COPY_TRUE);
    return true;
  case AIO_COPY_INTEGER: {
    uint64_t zigzag = aio_read_uint(r);
    lua_pushinteger(L, (lua_Integer)(zigzag >> 1 ^ (zigzag & 1 ? UINT64_MAX : 0)));
    return true;
  }
  case AIO_COPY_NUMBER: {
    lua_Number x;
    aio_read(r, &x, sizeof x);
    lua_pushnumber(L, x);
    return true;
  }
  default:
    return false;
  }
}

/* Pushes the next value. END pushes nothing. */
static enum aio_copy_tag get_tagged(unpacker *u) {
  lua_State *L = u->L;
  enum aio_copy_tag tag = aio_read_byte(&u->r);
  if (get_plain(L, &u->r, tag)) return tag;
  switch (tag) {
  case AIO_COPY_END:
    break;
  case AIO_COPY_STRING:
    push_text(u);
    break;
  case AIO_COPY_LARGE: {
    const aio_blob_part *part = aio_read_part(&u->r);
    lua_pushlstring(L, part->p, part->len);
    break;
  }
  case AIO_COPY_REF:
    lua_rawgeti(L, u->objects, (lua_Integer)aio_read_uint(&u->r));
    break;
  case AIO_COPY_GLOBALS:
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    break;
  default:
    get_object(u, tag);
  }
  return tag;
}

static void get_value(unpacker *u) {
  (void)get_tagged(u);
}

static void get_fields(unpacker *u, int t) {
  lua_State *L = u->L;
  lua_Integer items = (lua_Integer)aio_read_uint(&u->r);
  for (lua_Integer i = 1; i <= items; i++) {
    get_value(u);
    lua_rawseti(L, t, i);
  }
  while (get_tagged(u) != AIO_COPY_END) {
    get_value(u);
    lua_rawset(L, t);
  }
}

static void get_upvalues(unpacker *u, int fn) {
  lua_State *L = u->L;
  lua_Debug ar;
  lua_pushvalue(L, fn);
  lua_getinfo(L, ">u", &ar);
  for (int n = 1; n <= ar.nups; n++) {
    uint64_t same = aio_read_uint(&u->r);
    if (same) {
      lua_rawgeti(L, u->objects, (lua_Integer)(same >> UPVALUE_BITS));
      lua_upvaluejoin(L, fn, n, lua_gettop(L), (int)(same & UPVALUE_MASK));
      lua_pop(L, 1);
    } else {
      get_value(u);
      lua_setupvalue(L, fn, n);
    }
  }
}

static void get_contents(unpacker *u) {
  lua_State *L = u->L;
  for (uint64_t id; (id = aio_read_uint(&u->r));) {
    lua_rawgeti(L, u->objects, (lua_Integer)id);
    int object = lua_gettop(L);
    if (lua_isfunction(L, object))
      get_upvalues(u, object);
    else
      get_fields(u, object);
    lua_settop(L, object - 1);
  }
}

int aio_copy_in(lua_State *L, aio_state *st, const aio_blob *b) {
  unpacker u = {.r = {b, 0}, .L = L, .st = st};
  bool nested = aio_read_byte(&u.r) == AIO_COPY_NESTED;
  int n = (int)aio_read_uint(&u.r);
  luaL_checkstack(L, n + STACK, "too many values to copy");
  if (nested) {
    lua_newtable(L);
    u.objects = lua_gettop(L);
  }
  for (int i = 0; i < n; i++) get_value(&u);
  if (!nested) return n;
  get_contents(&u);
  lua_remove(L, u.objects);
  return n;
}
