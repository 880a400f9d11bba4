/* SPDX-License-Identifier: MIT
 *
 * Where the current context is kept: in a slot of the running task, or of the state. A slot holds a
 * Context of the class that aio.context (Lua) makes, or a table of variables alone, which many
 * slots share and nobody changes, or nil, which stands for no variables. So a copy is one
 * reference; whoever first sets a variable makes a Context of its own. */
#include "bind/handle.h"
#include "bind/lloop.h"
#include "bind/task.h"

/* Is there a context where L runs? Else it is nil, and nothing need be looked up. */
static bool present(const aio_state *st) {
  return st->current ? (st->current->fut.flags & AIO_FUT_CONTEXT) != 0 : st->context;
}

/* Pushes the context that is current where L runs (nil: the empty one). */
static void push_context(lua_State *L, aio_state *st) {
  if (!present(st)) {
    lua_pushnil(L);
    return;
  }
  if (st->current) {
    aio_task_push(L, st->current);
    lua_getiuservalue(L, -1, AIO_UV_CONTEXT);
  } else {
    aio_push_ref(L, st, AIO_REF_CONTEXT);
    lua_rawgeti(L, -1, 1);
  }
  lua_replace(L, -2);
}

void aio_context_give(lua_State *L, int idx) {
  aio_future *f = lua_touserdata(L, idx);
  if (lua_toboolean(L, -1))
    f->flags |= AIO_FUT_CONTEXT;
  else
    f->flags &= (uint8_t)~AIO_FUT_CONTEXT;
  lua_setiuservalue(L, idx, AIO_UV_CONTEXT);
}

/* Fields of a Context; aio.context has the same. */
enum { VARS = 1, SHARED = 2 };

void aio_context_inherit(lua_State *L, aio_state *st) {
  push_context(L, st);
  if (!lua_istable(L, -1) || !lua_getmetatable(L, -1)) return; /* nothing, or shared as it is */
  lua_pop(L, 1);
  lua_pushboolean(L, 1);
  lua_rawseti(L, -2, SHARED);
  lua_rawgeti(L, -1, VARS);
  lua_replace(L, -2);
}

void aio_context_swap(lua_State *L, aio_state *st) {
  bool held = lua_toboolean(L, -1);
  if (!held && !st->context) return; /* none for none */
  st->context = held;
  aio_push_ref(L, st, AIO_REF_CONTEXT);
  lua_rawgeti(L, -1, 1);
  lua_insert(L, -3); /* old, new, table */
  lua_insert(L, -2); /* old, table, new */
  lua_rawseti(L, -2, 1);
  lua_pop(L, 1);
}

/* core._context(): what the current slot holds. */
static int get_context(lua_State *L) {
  push_context(L, aio_state_up(L));
  return 1;
}

/* core._context_copy(): the variables of the current context, from now on shared; or nil. */
static int copy_context(lua_State *L) {
  aio_context_inherit(L, aio_state_up(L));
  return 1;
}

/* core._set_context(held): what this task's or callback's slot holds from now on. */
static int set_context(lua_State *L) {
  aio_state *st = aio_state_up(L);
  lua_settop(L, 1);
  if (st->current) {
    aio_task_push(L, st->current);
    lua_insert(L, 1);
    aio_context_give(L, 1);
  } else {
    aio_context_swap(L, st);
  }
  return 0;
}

/* core._context_of(task or handle): what it holds, or nil. */
static int context_of(lua_State *L) {
  aio_state *st = aio_state_up(L);
  if (aio_object_test(L, st, 1, AIO_REF_HANDLE))
    lua_getiuservalue(L, 1, AIO_HANDLE_UV_CONTEXT);
  else {
    aio_object_check(L, st, 1, AIO_REF_TASK);
    lua_getiuservalue(L, 1, AIO_UV_CONTEXT);
  }
  return 1;
}

/* core._give_context(task or handle, ctx) */
static int give_context(lua_State *L) {
  aio_state *st = aio_state_up(L);
  lua_settop(L, 2);
  if (aio_object_test(L, st, 1, AIO_REF_HANDLE))
    lua_setiuservalue(L, 1, AIO_HANDLE_UV_CONTEXT);
  else {
    aio_object_check(L, st, 1, AIO_REF_TASK);
    aio_context_give(L, 1);
  }
  return 0;
}

void aio_context_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_context", get_context},       {"_context_copy", copy_context},
                                 {"_set_context", set_context},   {"_context_of", context_of},
                                 {"_give_context", give_context}, {NULL, NULL}};
  aio_push_ref(L, st, AIO_REF_CONTEXT);
  lua_pushboolean(L, 0);
  lua_rawseti(L, -2, 1);
  lua_pop(L, 1);
  aio_setfuncs(L, st, fns);
}
