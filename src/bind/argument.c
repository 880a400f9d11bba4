/* SPDX-License-Identifier: MIT
 *
 * Wrong arguments, see the header. Called by every function of this floor that takes some.
 * Invariant: what Lua names well is left to Lua. */
#include "bind/argument.h"

#include <string.h>

#include "bind/error.h"
#include "bind/state.h"

#undef luaL_argerror /* Lua's own */

/* ---- the name of a function that was called without one ---- */

/* Pushes the key of the function at `fn` in the table at the top, which is popped; false (nothing
 * pushed) when it is not there. */
static bool find_in(lua_State *L, int fn) {
  int t = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) {
    bool named = lua_type(L, -2) == LUA_TSTRING && strncmp(lua_tostring(L, -2), "__", 2) != 0;
    if (!named || !lua_rawequal(L, -1, fn)) continue;
    lua_pop(L, 1);
    lua_remove(L, t);
    return true;
  }
  lua_pop(L, 1);
  return false;
}

/* The same in all classes: those metatables of the state that have a name. */
static bool find_method(lua_State *L, const aio_state *st, int fn) {
  for (int r = AIO_REF_TASK; r < AIO_REFS; r++) {
    if (!st->mt[r]) continue;
    aio_push_ref(L, st, (enum aio_ref)r);
    lua_pushliteral(L, "__name");
    bool class = lua_rawget(L, -2) == LUA_TSTRING;
    lua_pop(L, 1);
    if (!class)
      lua_pop(L, 1);
    else if (find_in(L, fn))
      return true;
  }
  return false;
}

/* The same in the table of the module, with "aio." before it as Lua would say. */
static bool find_function(lua_State *L, int fn) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, "aio");
  lua_remove(L, -2);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  if (!find_in(L, fn)) return false;
  lua_pushfstring(L, "aio.%s", lua_tostring(L, -1));
  lua_replace(L, -2);
  return true;
}

int aio_argerror(lua_State *L, int arg, const char *message) {
  aio_state *st = aio_state_of(L);
  lua_Debug ar;
  if (!st || !lua_getstack(L, 0, &ar)) return luaL_argerror(L, arg, message);
  lua_getinfo(L, "n", &ar);
  if (ar.name) return luaL_argerror(L, arg, message);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_getinfo(L, "f", &ar);
  int fn = lua_gettop(L);
  bool method = find_method(L, st, fn);
  if (!method && !find_function(L, fn)) return luaL_argerror(L, arg, message);
  const char *name = lua_tostring(L, -1);
  aio_error_where(L, st);
  const char *line = lua_tostring(L, -1), *colon = *line ? ": " : "";
  if (method && arg == 1)
    lua_pushfstring(L, "%s%scalling '%s' on bad self (%s)", line, colon, name, message);
  else
    lua_pushfstring(L, "%s%sbad argument #%d to '%s' (%s)", line, colon, arg - method, name,
                    message);
  return lua_error(L);
}

/* ---- the checks ---- */

/* Pushes the message about a wrong self with the remedy, when a method was called with a dot. */
static const char *add_colon(lua_State *L, const char *message) {
  aio_state *st = aio_state_of(L);
  lua_Debug ar;
  if (!st || !lua_getstack(L, 0, &ar)) return message;
  lua_getinfo(L, "nf", &ar);
  if (!ar.name || strcmp(ar.namewhat, "method") == 0) return message;
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  if (!find_method(L, st, lua_gettop(L))) return message;
  return lua_pushfstring(L, "%s; write a colon before '%s'", message, ar.name);
}

int aio_typeerror(lua_State *L, int arg, const char *expected) {
  const char *got;
  if (luaL_getmetafield(L, arg, "__name") == LUA_TSTRING)
    got = lua_tostring(L, -1);
  else
    got = lua_type(L, arg) == LUA_TLIGHTUSERDATA ? "light userdata" : luaL_typename(L, arg);
  const char *message = lua_pushfstring(L, "%s expected, got %s", expected, got);
  return aio_argerror(L, arg, arg == 1 ? add_colon(L, message) : message);
}

lua_Integer aio_checkinteger(lua_State *L, int arg) {
  int ok;
  lua_Integer n = lua_tointegerx(L, arg, &ok);
  if (ok) return n;
  if (lua_isnumber(L, arg)) aio_argerror(L, arg, "number has no integer representation");
  aio_typeerror(L, arg, lua_typename(L, LUA_TNUMBER));
  return 0;
}

lua_Integer aio_optinteger(lua_State *L, int arg, lua_Integer unset) {
  return lua_isnoneornil(L, arg) ? unset : aio_checkinteger(L, arg);
}

lua_Number aio_checknumber(lua_State *L, int arg) {
  int ok;
  lua_Number n = lua_tonumberx(L, arg, &ok);
  if (!ok) aio_typeerror(L, arg, lua_typename(L, LUA_TNUMBER));
  return n;
}

lua_Number aio_optnumber(lua_State *L, int arg, lua_Number unset) {
  return lua_isnoneornil(L, arg) ? unset : aio_checknumber(L, arg);
}

const char *aio_checklstring(lua_State *L, int arg, size_t *len) {
  const char *s = lua_tolstring(L, arg, len);
  if (!s) aio_typeerror(L, arg, lua_typename(L, LUA_TSTRING));
  return s;
}

const char *aio_optlstring(lua_State *L, int arg, const char *unset, size_t *len) {
  if (!lua_isnoneornil(L, arg)) return aio_checklstring(L, arg, len);
  if (len) *len = unset ? strlen(unset) : 0;
  return unset;
}

void aio_checktype(lua_State *L, int arg, int type) {
  if (lua_type(L, arg) != type) aio_typeerror(L, arg, lua_typename(L, type));
}

void aio_checkany(lua_State *L, int arg) {
  if (lua_isnone(L, arg)) aio_argerror(L, arg, "value expected");
}

int aio_checkoption(lua_State *L, int arg, const char *unset, const char *const options[]) {
  const char *given = unset ? aio_optlstring(L, arg, unset, NULL) : aio_checklstring(L, arg, NULL);
  for (int i = 0; options[i]; i++)
    if (strcmp(options[i], given) == 0) return i;
  return aio_argerror(L, arg, lua_pushfstring(L, "invalid option '%s'", given));
}
