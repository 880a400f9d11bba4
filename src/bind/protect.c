/* SPDX-License-Identifier: MIT
 *
 * Protected calls that know the error classes: Lua's pcall catches everything, also what must go
 * through (CancelledError, SystemExit). And aio.atomic, which forbids waiting. All may wait inside
 * (but atomic), because they are yieldable pcalls. */
#include "bind/error.h"
#include "bind/future.h"
#include "bind/handle.h"
#include "bind/module.h"
#include "bind/task.h"

/* ---- pcall, xpcall ---- */

/* Lets BaseErrors that are no Errors pass; else returns false, error. */
static int failed(lua_State *L, aio_state *st) {
  if (aio_error_is_base_only(L, st, -1)) return lua_error(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int pcall_k(lua_State *L, int status, lua_KContext ctx) {
  if (status != LUA_OK && status != LUA_YIELD) return failed(L, aio_state_up(L));
  return lua_gettop(L) - (int)ctx;
}

/* aio.pcall(fn, ...) [may yield] */
static int aio_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, pcall_k);
  return pcall_k(L, status, 0);
}

/* The user's message handler, called for Errors only: upvalue 2. */
static int filtered_handler(lua_State *L) {
  if (aio_error_is_base_only(L, aio_state_up(L), 1)) return 1;
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

/* aio.xpcall(fn, handler, ...) [may yield] */
static int aio_xpcall(lua_State *L) {
  aio_state *st = aio_state_up(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  aio_push_ref(L, st, AIO_REF_STATE);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, filtered_handler, 2);
  lua_replace(L, 2);
  lua_pushvalue(L, 1);
  lua_replace(L, 1);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2); /* fn, handler, true, fn, args... */
  int status = lua_pcallk(L, lua_gettop(L) - 4, LUA_MULTRET, 2, 2, pcall_k);
  return pcall_k(L, status, 2);
}

/* ---- catch ---- */

static int aio_catch(lua_State *L);

/* Is the error at `err` of the class at `want`, or of one in that list? */
static bool wanted(lua_State *L, int err, int want) {
  if (aio_error_matches(L, err, want)) return true;
  lua_Integer n = (lua_Integer)lua_rawlen(L, want);
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, want, i);
    bool yes = lua_istable(L, -1) && aio_error_matches(L, err, -1);
    lua_pop(L, 1);
    if (yes) return true;
  }
  return false;
}

bool aio_protect_passed(lua_State *L, const aio_state *st, int err, int level) {
  lua_Debug ar;
  if (!st->current || !lua_getstack(L, level, &ar)) return false;
  lua_getinfo(L, "f", &ar);
  bool same = lua_tocfunction(L, -1) == aio_catch;
  lua_pop(L, 1);
  if (!same) return false;
  aio_task_push(L, st->current);
  aio_extra_get(L, -1, "passed");
  aio_extra_get(L, -2, "passed_at");
  same = lua_isstring(L, -1) && lua_rawequal(L, -2, err);
  if (same) lua_copy(L, -1, -3);
  lua_pop(L, same ? 2 : 3);
  return same;
}

/* core._passed(err): for message handlers in Lua, where `err` was raised that aio.catch lets pass;
 * or nil. */
static int passed(lua_State *L) {
  return aio_protect_passed(L, aio_state_up(L), 1, 2) ? 1 : 0;
}

/* Message handler: what will pass, being of no class at upvalue 1, keeps where it was raised. An
 * error object holds that itself, a plain value leaves it with the task. */
static int keep_place(lua_State *L) {
  aio_state *st = aio_state_of(L);
  if (!st || !st->current || wanted(L, 1, lua_upvalueindex(1))) return 1;
  if (aio_error_is(L, st, 1, AIO_E_BASE)) {
    aio_error_trace(L, st);
  } else if (!aio_error_is_memory(L, 1) && !aio_protect_passed(L, st, 1, 1)) {
    lua_pushvalue(L, 1);
    aio_task_set_extra(L, st->current, "passed");
    luaL_traceback(L, L, NULL, 1);
    aio_task_set_extra(L, st->current, "passed_at");
  }
  lua_settop(L, 1);
  return 1;
}

static int catch_k(lua_State *L, int status, lua_KContext ctx) {
  (void)ctx;
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 2;
  if (!wanted(L, lua_gettop(L), 1)) return lua_error(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

/* aio.catch(class or list of classes, fn, ...): true, results or false, err. [may yield] */
static int aio_catch(lua_State *L) {
  static const char what[] = "an error class, or a list of them, expected";
  if (!lua_istable(L, 1))
    luaL_argerror(L, 1, lua_pushfstring(L, "%s, got %s", what, luaL_typename(L, 1)));
  lua_getfield(L, 1, "name");
  luaL_argcheck(L, lua_rawlen(L, 1) > 0 || lua_isstring(L, -1), 1, what);
  lua_pop(L, 1);
  luaL_checkany(L, 2);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, keep_place, 1);
  lua_insert(L, 2);
  lua_pushboolean(L, 1);
  lua_insert(L, 3); /* class, handler, true, fn, args... */
  int status = lua_pcallk(L, lua_gettop(L) - 4, LUA_MULTRET, 2, 0, catch_k);
  return catch_k(L, status, 0);
}

/* ---- atomic ---- */

/* aio.atomic(fn, ...): fn's results; a wait inside raises at its line. */
static int aio_atomic(lua_State *L) {
  aio_state *st = aio_state_up(L);
  luaL_argexpected(L, aio_handle_callable(L, 1), 1, "function");
  aio_task *t = st->current;
  if (t) t->atomic++;
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  if (t) t->atomic--;
  return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

void aio_protect_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"pcall", aio_pcall}, {"xpcall", aio_xpcall}, {"catch", aio_catch},
                                 {"_passed", passed},  {"atomic", aio_atomic}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
