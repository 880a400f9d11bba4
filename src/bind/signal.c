/* SPDX-License-Identifier: MIT
 *
 * Signals: handlers that a loop runs as callbacks, the names, sending one to a process. What only
 * combines (one handler for each signal and loop, the iterator) is in aio.signal (Lua).
 * Invariant: a handler is an anchored Handle with a watch of floor 2 as its owner; the two end
 * together. */
#include "bind/signal.h"

#include "bind/error.h"
#include "bind/handle.h"
#include "core/signo.h"
#include "core/sigwatch.h"

/* ---- names ---- */

/* The number, 0 when there is no such signal. */
static int number_at(lua_State *L, int arg) {
  if (lua_type(L, arg) == LUA_TSTRING) return aio_signo_of(lua_tostring(L, arg));
  lua_Integer n = lua_isinteger(L, arg) ? lua_tointeger(L, arg) : 0;
  return n == (int)n && aio_signo_exists((int)n) ? (int)n : 0;
}

int aio_signal_at(lua_State *L, int arg) {
  int sig = number_at(L, arg);
  if (sig) return sig;
  if (lua_type(L, arg) == LUA_TSTRING || lua_isinteger(L, arg))
    lua_pushfstring(L, "this system has no signal '%s'; names are such as \"SIGTERM\"",
                    luaL_tolstring(L, arg, NULL));
  else
    lua_pushfstring(L, "name such as \"SIGTERM\", or number, of a signal expected, got %s",
                    luaL_typename(L, arg));
  return luaL_argerror(L, arg, lua_tostring(L, -1));
}

/* core._signo(x): the number of a signal and its name (or the number as text), and whether a
 * program can react to it; nil when there is no such signal. */
static int signo(lua_State *L) {
  int sig = number_at(L, 1);
  if (!sig) return 0;
  const char *name = aio_signo_name(sig);
  lua_pushinteger(L, sig);
  if (name)
    lua_pushstring(L, name);
  else
    lua_pushfstring(L, "%d", sig);
  lua_pushboolean(L, aio_signo_catchable(sig));
  return 3;
}

/* ---- handlers ---- */

/* In the loop's poll. A handle that is ready still is made ready once more after its run. */
static void fired(aio_sigwatch *w) {
  aio_handle *h = w->owner;
  if (h->node.state == AIO_READY)
    h->more++;
  else
    aio_loop_ready(h->loop->core, &h->node);
}

static void again(lua_State *L, aio_handle *h, bool starved) {
  if (h->cancelled) {
    aio_sigwatch_free(h->owner);
    h->owner = NULL;
    aio_handle_unanchor(L, h);
  } else if (starved) {
    aio_loop_ready(h->loop->core, &h->node);
  } else if (h->more) {
    h->more--;
    aio_loop_ready(h->loop->core, &h->node);
  }
}

/* core._on_signal(loop, number, insists, fn, ...): a Handle whose function runs at each arrival of
 * the signal until it is cancelled. Raises OSError. */
static int on_signal(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_check(L, st, 1);
  int sig = (int)luaL_checkinteger(L, 2), err;
  bool insists = lua_toboolean(L, 3);
  aio_handle *h = aio_handle_make(L, st, l, 4);
  h->insists = insists;
  h->owner = aio_sigwatch_new(l->core, sig, fired, h, &err);
  if (h->owner) {
    h->again = again;
    return 1;
  }
  aio_handle_unanchor(L, h);
  if (err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  aio_error_push_os(L, st, err, "signal");
  return lua_error(L);
}

/* ---- sending ---- */

enum { PID = 1, SIGNAL };

/* aio.kill(pid, sig) */
static int kill_process(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_PROCESS);
  lua_Integer pid = luaL_checkinteger(L, PID);
  luaL_argcheck(L, pid == (int)pid, PID, "number of a process expected");
  bool probe = lua_isinteger(L, SIGNAL) && lua_tointeger(L, SIGNAL) == 0;
  int sig = probe ? 0 : aio_signal_at(L, SIGNAL);
  int err = uv_kill((int)pid, sig);
  if (!err) return 0;
  aio_error_push_os(L, st, err, "kill");
  return lua_error(L);
}

/* aio.getpid() */
static int getpid_of(lua_State *L) {
  lua_pushinteger(L, uv_os_getpid());
  return 1;
}

void aio_signal_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_signo", signo},
                                 {"_on_signal", on_signal},
                                 {"kill", kill_process},
                                 {"getpid", getpid_of},
                                 {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
