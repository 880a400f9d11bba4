/* SPDX-License-Identifier: MIT
 *
 * The per-state structure, its anchor table and the making of classes. Called once by luaopen and
 * then by every file of this floor. Invariant: every slot of the anchor table below `slots` exists
 * as a key, so writing to one never allocates. */
#include "bind/state.h"

#include <stdlib.h>
#include <string.h>

#include "bind/error.h"

#ifdef AIO_HOSTILE
enum { FIRST_SLOTS = 1 };
#else
enum { FIRST_SLOTS = 64 };
#endif

static const char state_key = 0; /* registry key: its address */

aio_state *aio_state_of(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &state_key);
  aio_state *st = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return st;
}

void aio_state_require(lua_State *L, const aio_state *st, enum aio_feature f) {
  if (!(st->denied & f)) return;
  const char *what = f == AIO_FEATURE_NET       ? "the network"
                     : f == AIO_FEATURE_FS      ? "files"
                     : f == AIO_FEATURE_PROCESS ? "processes"
                                                : "threads";
  aio_error_state(L, st, AIO_E_RUNTIME, "this host does not let scripts use %s", what);
}

static int state_gc(lua_State *L) {
  aio_state *st = lua_touserdata(L, 1);
  void *ud;
  lua_Alloc alloc = lua_getallocf(L, &ud);
  if (st->next_free) alloc(ud, st->next_free, st->slot_room * sizeof *st->next_free, 0);
  st->next_free = NULL;
  st->slot_room = 0;
  st->free_slot = st->nfree = 0;
  st->ended = true;
  return 0;
}

/* Pops a value and keeps it in the registry's array part. */
static void keep(lua_State *L, aio_state *st, enum aio_ref r) {
  st->mt[r] = lua_topointer(L, -1);
  st->ref[r] = luaL_ref(L, LUA_REGISTRYINDEX);
}

aio_state *aio_state_open(lua_State *L) {
  aio_state *st = lua_newuserdatauv(L, sizeof *st, 0);
  memset(st, 0, sizeof *st);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &state_key);
  keep(L, st, AIO_REF_STATE);
  static const enum aio_ref tables[] = {AIO_REF_ANCHORS, AIO_REF_POOL, AIO_REF_HOOKS,
                                        AIO_REF_CONTEXT, AIO_REF_CLASSES};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    lua_newtable(L);
    keep(L, st, tables[i]);
  }
  static const enum aio_ref weak[] = {AIO_REF_WATCHED,     AIO_REF_LOOPS,       AIO_REF_WAITING,
                                      AIO_REF_MADE,        AIO_REF_QUEUE_METAS, AIO_REF_KNOWN,
                                      AIO_REF_CLASS_PATHS, AIO_REF_VARIABLES,   AIO_REF_CHANNELS};
  static const char *const modes[] = {"k", "v", "k", "k", "v", "k", "v", "v", "v"};
  for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, modes[i]);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    keep(L, st, weak[i]);
  }
  const char *debug = getenv("AIO_DEBUG");
  st->debug = debug && *debug && strcmp(debug, "0") != 0;
  return st;
}

void aio_setfuncs(lua_State *L, aio_state *st, const luaL_Reg *fns) {
  aio_push_ref(L, st, AIO_REF_STATE);
  luaL_setfuncs(L, fns, 1);
}

/* A finalizer that anybody can take out of the metatable: upvalues are the state, the class and the
 * function itself, which trusts that its argument is of the class. */
static int finalize(lua_State *L) {
  bool ours = lua_isuserdata(L, 1) && lua_getmetatable(L, 1);
  if (!ours || !lua_rawequal(L, -1, lua_upvalueindex(2)))
    return luaL_argerror(L, 1, "__gc of another class");
  lua_settop(L, 1);
  return lua_tocfunction(L, lua_upvalueindex(3))(L);
}

/* Puts it in front of the finalizer of the class at the top, if there is one. */
static void guard_finalizer(lua_State *L, const aio_state *st) {
  if (lua_getfield(L, -1, "__gc") == LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  aio_push_ref(L, st, AIO_REF_STATE);
  lua_pushvalue(L, -3);
  lua_rotate(L, -3, -1);
  lua_pushcclosure(L, finalize, 3);
  lua_setfield(L, -2, "__gc");
}

void aio_class_open(lua_State *L, aio_state *st, enum aio_ref r, const char *name,
                    const luaL_Reg *methods, const luaL_Reg *meta) {
  lua_newtable(L);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  if (methods) aio_setfuncs(L, st, methods);
  if (meta) aio_setfuncs(L, st, meta);
  guard_finalizer(L, st);
  lua_pushvalue(L, -1);
  keep(L, st, r);
}

void *aio_object_new(lua_State *L, const aio_state *st, enum aio_ref r, size_t size, int nuv) {
  void *p = lua_newuserdatauv(L, size, nuv);
  memset(p, 0, size);
  aio_push_ref(L, st, r);
  lua_setmetatable(L, -2);
  return p;
}

void *aio_object_test(lua_State *L, const aio_state *st, int arg, enum aio_ref r) {
  void *p = lua_touserdata(L, arg);
  if (!p || !lua_getmetatable(L, arg)) return NULL;
  const void *mt = lua_topointer(L, -1);
  lua_pop(L, 1);
  return mt == st->mt[r] ? p : NULL;
}

void *aio_object_check(lua_State *L, const aio_state *st, int arg, enum aio_ref r) {
  void *p = aio_object_test(L, st, arg, r);
  if (p) return p;
  aio_push_ref(L, st, r);
  lua_getfield(L, -1, "__name");
  const char *name = lua_tostring(L, -1); /* the class keeps it */
  lua_pop(L, 2);                          /* `arg` may be beyond the top */
  luaL_typeerror(L, arg, name);
  return NULL;
}

/* Adds slots at the end of the table and chains them as free. [may throw] */
static void slots_grow(lua_State *L, aio_state *st, int anchors) {
  if (st->ended) luaL_error(L, "this Lua state is being closed");
  uint32_t room = st->slots ? st->slots * 2 : FIRST_SLOTS;
  if (room + 1 > st->slot_room) {
    void *ud;
    lua_Alloc alloc = lua_getallocf(L, &ud);
    size_t unit = sizeof *st->next_free;
    uint32_t *p = alloc(ud, st->next_free, st->slot_room * unit, (room + 1) * unit);
    if (!p) luaL_error(L, "not enough memory");
    st->next_free = p;
    st->slot_room = room + 1;
  }
  /* from the end, so that the array part is sized once and low slots are used first */
  for (uint32_t s = st->slots + 1; s <= room; s++) {
    lua_pushboolean(L, 0);
    lua_rawseti(L, anchors, s);
    st->slots = s;
    st->next_free[s] = st->free_slot;
    st->free_slot = s;
    st->nfree++;
  }
}

void aio_anchor_reserve(lua_State *L, aio_state *st, uint32_t n) {
  aio_push_ref(L, st, AIO_REF_ANCHORS);
  while (st->nfree < n) slots_grow(L, st, lua_absindex(L, -1));
  lua_pop(L, 1);
}

uint32_t aio_anchor(lua_State *L, aio_state *st, int idx) {
  idx = lua_absindex(L, idx);
  aio_push_ref(L, st, AIO_REF_ANCHORS);
  if (!st->free_slot) slots_grow(L, st, lua_absindex(L, -1));
  uint32_t slot = st->free_slot;
  st->free_slot = st->next_free[slot];
  st->nfree--;
  lua_pushvalue(L, idx);
  lua_rawseti(L, -2, slot);
  lua_pop(L, 1);
  return slot;
}

void aio_unanchor(lua_State *L, aio_state *st, uint32_t slot) {
  if (!slot) return;
  aio_push_ref(L, st, AIO_REF_ANCHORS);
  lua_pushboolean(L, 0);
  lua_rawseti(L, -2, slot);
  lua_pop(L, 1);
  if (st->ended) return;
  st->next_free[slot] = st->free_slot;
  st->free_slot = slot;
  st->nfree++;
}

void aio_push_anchored(lua_State *L, const aio_state *st, uint32_t slot) {
  aio_push_ref(L, st, AIO_REF_ANCHORS);
  lua_rawgeti(L, -1, slot);
  lua_replace(L, -2);
}

void aio_push_hook(lua_State *L, const aio_state *st, const char *name) {
  aio_push_ref(L, st, AIO_REF_HOOKS);
  lua_getfield(L, -1, name);
  lua_replace(L, -2);
}
