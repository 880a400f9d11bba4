/* SPDX-License-Identifier: MIT
 *
 * How all transports call their protocol, see transport.h; the methods that they share are in
 * transport_method.c.
 * Invariant: nothing of the user runs here but by aio_transport_callback's caller and call_now. */
#include "bind/transport.h"

#include "bind/error.h"
#include "bind/lloop.h"

enum { SELF = 1 };
enum { DROPPED_WARNING = 5 }; /* writes to a connection that is gone, as in asyncio */

/* ---- reports ---- */

/* What is known of the transport at `self`, into the table at the top. */
static void add_fields(lua_State *L, int at) {
  lua_pushvalue(L, at);
  lua_setfield(L, -2, "transport");
  lua_getiuservalue(L, at, AIO_TRANSPORT_UV_PROTOCOL);
  lua_setfield(L, -2, "protocol");
}

static void add_message(lua_State *L, const char *name, bool fatal) {
  lua_pushfstring(L, "%s%s%s", name ? "protocol." : "a transport", name ? name : " failed",
                  !name   ? ""
                  : fatal ? "() failed; the connection is closed at once"
                          : "() failed");
  lua_setfield(L, -2, "message");
}

/* Of the loop's report; an error that ends the connection is kept for connection_lost. */
static void describe(lua_State *L, aio_handle *h, int self, int err) {
  aio_transport *t = (aio_transport *)(void *)h;
  if (t->fatal) {
    lua_pushvalue(L, err);
    lua_setiuservalue(L, self, AIO_TRANSPORT_UV_ERROR);
    t->broken = true;
  }
  add_fields(L, self);
  add_message(L, t->calling, t->fatal);
}

/* ---- making ---- */

aio_transport *aio_transport_push(lua_State *L, aio_state *st, const aio_transport_kind *kind,
                                  aio_lloop *l, int protocol) {
  aio_transport *t = aio_object_new(L, st, kind->class, kind->size, AIO_TRANSPORT_UVS);
  t->kind = kind;
  aio_handle_init(L, &t->handle, l, 0);
  lua_pushvalue(L, protocol);
  lua_setiuservalue(L, -2, AIO_TRANSPORT_UV_PROTOCOL);
  aio_context_inherit(L, st);
  lua_setiuservalue(L, -2, AIO_HANDLE_UV_CONTEXT);
  t->handle.body = kind->body;
  t->handle.describe = describe;
  t->buffered = aio_transport_check_protocol(L, protocol);
  return t;
}

void aio_transport_stop(lua_State *L, aio_transport *t) {
  aio_list_del(&t->handle.node.link);
  t->handle.node.state = AIO_IDLE;
  aio_handle_unanchor(L, &t->handle);
}

/* ---- calling ---- */

void aio_transport_begin(aio_transport *t) {
  t->failed = true;
  t->fatal = false;
  t->calling = NULL;
}

void aio_transport_end(aio_transport *t) {
  t->failed = t->fatal = false;
  t->calling = NULL;
}

bool aio_transport_callback(lua_State *L, aio_transport *t, const char *name, bool fatal) {
  t->calling = name;
  t->fatal = fatal;
  lua_getiuservalue(L, SELF, AIO_TRANSPORT_UV_PROTOCOL);
  if (lua_getfield(L, -1, name) == LUA_TNIL) {
    lua_pop(L, 2);
    return false;
  }
  lua_insert(L, -2);
  return true;
}

/* protocol, name, argument or nil: calls it, if it is there. */
static int call_protected(lua_State *L) {
  const char *name = lua_touserdata(L, 2);
  if (lua_getfield(L, 1, name) == LUA_TNIL) return 0;
  lua_insert(L, 1);
  lua_remove(L, 3);
  if (lua_isnil(L, -1)) lua_pop(L, 1);
  lua_call(L, lua_gettop(L) - 1, 0);
  return 0;
}

void aio_transport_call_now(lua_State *L, aio_transport *t, int self, const char *name) {
  aio_state *st = t->handle.loop->st;
  aio_task *task = st->current;
  aio_handle *outer = st->handle;
  int arg = lua_gettop(L);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  lua_pushcfunction(L, aio_error_msgh);
  lua_pushcfunction(L, call_protected);
  lua_getiuservalue(L, self, AIO_TRANSPORT_UV_PROTOCOL);
  lua_pushlightuserdata(L, (void *)(uintptr_t)name);
  lua_pushvalue(L, arg);
  st->current = NULL;
  st->handle = &t->handle;
  int status = lua_pcall(L, 3, 0, arg + 1);
  st->current = task;
  st->handle = outer;
  if (status != LUA_OK) {
    if (aio_error_is_fatal(L, st, -1)) lua_error(L);
    lua_createtable(L, 0, 6);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "exception");
    lua_pushliteral(L, "callback_error");
    lua_setfield(L, -2, "kind");
    add_fields(L, self);
    add_message(L, name, false);
    aio_lloop_report(L, t->handle.loop);
  }
  lua_settop(L, arg - 1);
}

void aio_transport_made(lua_State *L, aio_transport *t) {
  t->made = t->fresh = true;
  if (!aio_transport_callback(L, t, "connection_made", false)) return;
  lua_pushvalue(L, SELF);
  lua_call(L, 2, 0);
}

void aio_transport_lost(lua_State *L, aio_transport *t) {
  int err = lua_gettop(L);
  bool there = aio_transport_callback(L, t, "connection_lost", false);
  t->lost = true;
  if (!there) return;
  lua_pushvalue(L, err);
  lua_call(L, 2, 0);
}

void aio_transport_pace(lua_State *L, aio_transport *t, int self, size_t size, size_t low,
                        size_t high) {
  const char *name = NULL;
  if (!t->write_paused && size > high) name = "pause_writing";
  if (t->write_paused && size <= low) name = "resume_writing";
  if (!name) return;
  t->write_paused = !t->write_paused;
  lua_pushnil(L);
  aio_transport_call_now(L, t, self, name);
}

void aio_transport_drop(lua_State *L, aio_transport *t, int self) {
  if (++t->dropped != DROPPED_WARNING) return;
  aio_lloop *l = t->handle.loop;
  if (!l->core) return;
  lua_createtable(L, 0, 5);
  add_fields(L, self);
  lua_pushliteral(L, "lost_write");
  lua_setfield(L, -2, "kind");
  lua_pushliteral(L, "warning");
  lua_setfield(L, -2, "level");
  lua_pushliteral(L, "a protocol goes on to write although its connection is gone; stop at "
                     "connection_lost, or ask transport:is_closing()");
  lua_setfield(L, -2, "message");
  aio_lloop_report(L, l);
}
