/* SPDX-License-Identifier: MIT
 *
 * Lua's checks of arguments, with errors that name the function and blame a line also where Lua
 * finds neither: a method that pcall, catch or a task calls is '?' to it, and its arguments count
 * from the object. Every file of this floor gets them in the place of Lua's, under Lua's names. */
#ifndef AIO_BIND_ARGUMENT_H
#define AIO_BIND_ARGUMENT_H

#include <lauxlib.h>
#include <lua.h>

/* They raise, and never return. [may throw] */
int aio_argerror(lua_State *L, int arg, const char *message);
int aio_typeerror(lua_State *L, int arg, const char *expected);

/* As Lua's functions of these names. [may throw] */
lua_Integer aio_checkinteger(lua_State *L, int arg);
lua_Integer aio_optinteger(lua_State *L, int arg, lua_Integer unset);
lua_Number aio_checknumber(lua_State *L, int arg);
lua_Number aio_optnumber(lua_State *L, int arg, lua_Number unset);
const char *aio_checklstring(lua_State *L, int arg, size_t *len);
const char *aio_optlstring(lua_State *L, int arg, const char *unset, size_t *len);
void aio_checktype(lua_State *L, int arg, int type);
void aio_checkany(lua_State *L, int arg);
int aio_checkoption(lua_State *L, int arg, const char *unset, const char *const options[]);

#define luaL_argerror     aio_argerror /* also of the macros luaL_argcheck and luaL_argexpected */
#define luaL_typeerror    aio_typeerror
#define luaL_checkinteger aio_checkinteger
#define luaL_optinteger   aio_optinteger
#define luaL_checknumber  aio_checknumber
#define luaL_optnumber    aio_optnumber
#define luaL_checklstring aio_checklstring /* also of luaL_checkstring */
#define luaL_optlstring   aio_optlstring
#define luaL_checktype    aio_checktype
#define luaL_checkany     aio_checkany
#define luaL_checkoption  aio_checkoption

#endif
