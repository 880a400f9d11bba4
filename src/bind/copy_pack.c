/* SPDX-License-Identifier: MIT
 *
 * The copy under way: begun and ended for each copy that has objects in it. Invariant: what the
 * state keeps for the next copy holds no object, and no more than a little memory. */
#include "bind/copy_pack.h"

#include <stdlib.h>

#ifdef AIO_HOSTILE
enum { KEPT = 1, CODE_KEPT = 1, FIRST_ROOM = 1 };
#else
enum {
  KEPT = 64,        /* so many entries of its tables are kept for the next copy */
  CODE_KEPT = 4096, /* and so many bytes of room for code */
  FIRST_ROOM = 256, /* a function or a table does not often take less */
};
#endif
enum { UV_OBJECTS = 1 }; /* user value: number -> object */
/* keys in the metatable: the packer that is kept, the metatable of package.loaded */
enum { MINE = 1, LOADED_MT = 2 };

static void ptrmap_reset(aio_ptrmap *m) {
  if (m->room > KEPT)
    aio_ptrmap_fini(m);
  else
    aio_ptrmap_clear(m);
}

/* ---- loaded modules ---- */

/* Looking through all modules takes longer than a small copy, so from the first copy on
 * package.loaded tells of what is added to it. What replaces an entry that is there comes to light
 * with the next addition. */
static int loaded_newindex(lua_State *L) {
  enum { LOADED = 1, VALUE = 3 };
  lua_settop(L, VALUE);
  lua_rawset(L, LOADED);
  aio_state_up(L)->loads++;
  return 0;
}

/* Does the table at the top, package.loaded, tell? Not when it has a metatable of somebody else. */
static bool tells(lua_State *L, aio_state *st) {
  if (lua_getmetatable(L, -1)) {
    bool ours = lua_topointer(L, -1) == st->loaded_mt;
    lua_pop(L, 1);
    return ours;
  }
  lua_createtable(L, 0, 1);
  aio_push_ref(L, st, AIO_REF_STATE);
  lua_pushcclosure(L, loaded_newindex, 1);
  lua_setfield(L, -2, "__newindex");
  aio_push_ref(L, st, AIO_REF_COPY); /* keeps it, so that no other gets its address */
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, LOADED_MT);
  lua_pop(L, 1);
  st->loaded_mt = lua_topointer(L, -1);
  lua_setmetatable(L, -2);
  st->loads++;
  return true;
}

/* Puts all that is in package.loaded, at the top, into the map. An entry that is not loaded any
 * more does no harm: who finds one looks for its name. */
static void look_through(aio_packer *p) {
  lua_State *L = p->L;
  if (p->modules.count > 2 * p->loaded_before + KEPT) aio_ptrmap_fini(&p->modules);
  bool ok = true;
  size_t n = 0;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    const void *module = lua_topointer(L, -1);
    n++;
    if (ok && module && !aio_ptrmap_get(&p->modules, module) && lua_type(L, -2) == LUA_TSTRING)
      ok = aio_ptrmap_add(&p->modules, module, 1);
  }
  if (!ok) luaL_error(L, "not enough memory");
  if (n != p->loaded_before) p->st->loads++; /* where nobody tells */
  p->loaded_before = n;
  p->loads = p->st->loads;
}

void aio_packer_modules(aio_packer *p) {
  lua_State *L = p->L;
  if (p->loaded) return;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (!tells(L, p->st) || p->loads != p->st->loads) look_through(p);
  lua_pop(L, 1);
  p->loaded = p->loads;
}

/* ---- beginning and ending ---- */

static int packer_gc(lua_State *L) {
  aio_packer *p = lua_touserdata(L, 1);
  aio_blob_fini(&p->blob);
  aio_blob_fini(&p->code);
  aio_ptrmap_fini(&p->ids);
  aio_ptrmap_fini(&p->upvalues);
  aio_ptrmap_fini(&p->modules);
  free(p->origins);
  p->origins = NULL;
  p->count = p->room = 0;
  return 0;
}

/* Pushes the class and the packer that is kept, which is not kept any more, or a new one: a
 * finalizer may copy in the middle of a copy, and one that an error ends is garbage. */
static aio_packer *packer_new(lua_State *L, aio_state *st) {
  aio_push_ref(L, st, AIO_REF_COPY);
  lua_rawgeti(L, -1, MINE);
  aio_packer *p = lua_touserdata(L, -1);
  if (!p) {
    lua_pop(L, 1);
    return aio_object_new(L, st, AIO_REF_COPY, sizeof *p, 1);
  }
  lua_pushboolean(L, false);
  lua_rawseti(L, -3, MINE);
  return p;
}

aio_packer *aio_packer_begin(lua_State *L, aio_state *st, aio_copy_names names, aio_blob *out) {
  aio_packer *p = packer_new(L, st);
  if (lua_getiuservalue(L, -1, UV_OBJECTS) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, -3, UV_OBJECTS);
  }
  p->objects = lua_gettop(L);
  p->L = L;
  p->st = st;
  p->names = names;
  p->loaded = 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  p->globals = lua_topointer(L, -1);
  p->blob = *out;
  *out = (aio_blob){0};
  (void)aio_blob_reserve(&p->blob, FIRST_ROOM); /* if not, writing fails */
  return p;
}

/* Lets go of the objects. */
static void empty(aio_packer *p) {
  lua_State *L = p->L;
  if (p->count > KEPT) {
    lua_pushnil(L);
    lua_setiuservalue(L, p->objects - 1, UV_OBJECTS);
    return;
  }
  for (uint32_t id = 1; id <= p->count; id++) {
    lua_pushnil(L);
    lua_rawseti(L, p->objects, id);
  }
}

void aio_packer_end(aio_packer *p, aio_blob *out) {
  *out = p->blob;
  p->blob = (aio_blob){0};
  empty(p);
  if (p->code.room > CODE_KEPT) aio_blob_fini(&p->code);
  ptrmap_reset(&p->ids);
  ptrmap_reset(&p->upvalues);
  if (p->room > KEPT) {
    free(p->origins);
    p->origins = NULL;
    p->room = 0;
  }
  p->count = 0;
  lua_pushvalue(p->L, p->objects - 1);
  lua_rawseti(p->L, p->objects - 2, MINE); /* the key is there: no memory is needed */
}

void aio_packer_open(lua_State *L, aio_state *st) {
  static const luaL_Reg gc[] = {{"__gc", packer_gc}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_COPY, "aio.copy", NULL, gc);
  lua_pushboolean(L, false);
  lua_rawseti(L, -2, MINE);
  lua_pop(L, 1);
}
