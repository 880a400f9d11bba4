/* SPDX-License-Identifier: MIT
 *
 * The table of who was made where, with weak keys. Called where objects are made, when their loop
 * is in debug mode, and by the modules that report. */
#include "bind/made.h"

#include "bind/error.h"
#include "bind/handle.h"
#include "bind/lloop.h"

void aio_made_note(lua_State *L, const aio_state *st, int idx) {
  idx = lua_absindex(L, idx);
  aio_push_ref(L, st, AIO_REF_MADE);
  lua_pushvalue(L, idx);
  aio_error_where(L, st);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

bool aio_made_push(lua_State *L, const aio_state *st) {
  if (!st->current || !st->debug_any) return false;
  aio_push_ref(L, st, AIO_REF_MADE);
  aio_task_push(L, st->current);
  bool known = lua_rawget(L, -2) == LUA_TSTRING;
  lua_remove(L, -2);
  if (!known) lua_pop(L, 1);
  return known;
}

void aio_made_report_unclosed(lua_State *L, aio_lloop *l, const char *message, const char *field,
                              int where) {
  enum { SELF = 1 };
  lua_createtable(L, 0, 3);
  lua_pushliteral(L, "unclosed");
  lua_setfield(L, -2, "kind");
  lua_getiuservalue(L, SELF, where);
  const char *line = lua_tostring(L, -1);
  lua_pushfstring(L, "%s%s%s", message, line ? "; it was made at " : "", line ? line : "");
  lua_setfield(L, -3, "message");
  lua_pop(L, 1);
  lua_pushvalue(L, SELF);
  lua_setfield(L, -2, field);
  aio_lloop_report(L, l);
}

/* core._note_made(object): notes the caller's line, when the running loop is in debug mode. */
static int note_made(lua_State *L) {
  const aio_state *st = aio_state_up(L);
  luaL_checkany(L, 1);
  if (st->running && st->debug_any) aio_made_note(L, st, 1);
  return 0;
}

/* core._made(object): "file:line" where it was made, or nil. */
static int made(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  aio_push_ref(L, aio_state_up(L), AIO_REF_MADE);
  lua_insert(L, 1);
  lua_rawget(L, 1);
  return 1;
}

/* core._made_all(): a list of all objects whose place was noted and that still exist. */
static int made_all(lua_State *L) {
  lua_settop(L, 0);
  lua_newtable(L);
  aio_push_ref(L, aio_state_up(L), AIO_REF_MADE);
  lua_Integer n = 0;
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    lua_rawseti(L, 1, ++n);
  }
  lua_settop(L, 1);
  return 1;
}

/* Will the loop run it? Those that are ready, that have a time, and that run at each signal or as
 * often as a descriptor is ready. */
static bool is_scheduled(const aio_handle *h) {
  return h->node.state == AIO_READY || aio_timer_armed(&h->timer) || (h->again && !h->cancelled);
}

/* core._scheduled(loop): a list of the callbacks that the loop will run, not of those that wait for
 * a future. */
static int scheduled(lua_State *L) {
  const aio_state *st = aio_state_up(L);
  const aio_lloop *l = aio_lloop_check(L, aio_state_up(L), 1);
  lua_settop(L, 0);
  lua_newtable(L);
  lua_Integer n = 0;
  for (uint32_t s = 1; s <= st->slots; s++) {
    aio_push_anchored(L, st, s);
    const aio_handle *h = aio_object_test(L, st, -1, AIO_REF_HANDLE);
    if (h && h->loop == l && is_scheduled(h))
      lua_rawseti(L, 1, ++n);
    else
      lua_pop(L, 1);
  }
  return 1;
}

void aio_made_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_note_made", note_made},
                                 {"_made", made},
                                 {"_made_all", made_all},
                                 {"_scheduled", scheduled},
                                 {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
