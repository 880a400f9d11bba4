/* SPDX-License-Identifier: MIT
 *
 * Streams over descriptors that exist already, for aio.stdio (Lua), and what a stream can do when
 * it is a terminal. Invariant: the stream's userdata exists before its descriptor is touched. */
#include <lauxlib.h>

#include "bind/error.h"
#include "bind/stream.h"
#include "core/pipe.h"
#include "core/stdio.h"
#include "core/tty.h"

enum { SELF = 1 };

/* ---- making ---- */

/* Stack of core._connect_pipe. */
enum { FD = 1, OWN, USE, LIMIT };

/* core._connect_pipe(fd, own, use, limit): a stream over the descriptor, or nil and an OSError.
 * own: closing the stream closes it; else it works on a duplicate. use: "r", "w", or nil for all
 * that it was opened for. Does not wait. */
static int connect_pipe(lua_State *L) {
  static const char *const uses[] = {"any", "r", "w", NULL}; /* by their AIO_PIPE_* */
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_FS);
  lua_settop(L, LIMIT);
  int fd = (int)luaL_checkinteger(L, FD);
  aio_pipe_opts opts = {.own = lua_toboolean(L, OWN),
                        .use = (unsigned)luaL_checkoption(L, USE, "any", uses)};
  aio_lloop *l = aio_lloop_here(L, st);
  aio_stream_ud *u = aio_stream_push(L, st, l);
  u->s = aio_stream_new(l->core, (size_t)luaL_checkinteger(L, LIMIT));
  if (!u->s) return luaL_error(L, "not enough memory");
  const char *call = "open";
  int err = aio_pipe_open(u->s, fd, &opts, &call);
  if (!err) return 1;
  if (err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  aio_error_push_os(L, st, err, call);
  return 2;
}

/* core._fileno(file): the descriptor of an open io file, or nil. */
static int file_number(lua_State *L) {
  const luaL_Stream *f = luaL_testudata(L, 1, LUA_FILEHANDLE);
  if (!f || !f->closef) return 0;
  lua_pushinteger(L, aio_pipe_fileno(f->f));
  return 1;
}

/* ---- terminals ---- */

static const aio_tty_ops *tty_of(const aio_stream *s) {
  return s->source ? s->source->ops->tty : NULL;
}

static int stream_isatty(lua_State *L) {
  lua_pushboolean(L, tty_of(aio_stream_self(L)->s) != NULL);
  return 1;
}

/* The stream at SELF, which must be an open terminal. [may throw] */
static aio_stream *check_tty(lua_State *L) {
  aio_stream *s = aio_stream_self(L)->s;
  if (!aio_stream_is_open(s)) aio_stream_raise_closed(L);
  if (!tty_of(s)) {
    aio_error_push_os(L, aio_state_up(L), UV_ENOTTY, "tty");
    lua_pushliteral(L, "this stream is not a terminal; ask stream:isatty() first");
    lua_setfield(L, -2, "message");
    lua_error(L);
  }
  return s;
}

static int stream_set_mode(lua_State *L) {
  static const char *const modes[] = {"normal", "cbreak", "raw", NULL};
  aio_stream *s = check_tty(L);
  enum aio_tty_mode mode = (enum aio_tty_mode)luaL_checkoption(L, 2, NULL, modes);
  int err = tty_of(s)->set_mode(s->source, mode);
  return err ? aio_stream_raise(L, s, err, "tcsetattr") : 0;
}

static int stream_get_window_size(lua_State *L) {
  aio_stream *s = check_tty(L);
  int columns, rows;
  int err = tty_of(s)->size(s->source, &columns, &rows);
  if (err) return aio_stream_raise(L, s, err, "ioctl");
  lua_pushinteger(L, columns);
  lua_pushinteger(L, rows);
  return 2;
}

const luaL_Reg aio_stream_tty_methods[] = {{"isatty", stream_isatty},
                                           {"set_mode", stream_set_mode},
                                           {"get_window_size", stream_get_window_size},
                                           {NULL, NULL}};

/* ---- the process ---- */

/* core._set_inheritable(fd, boolean) */
static int set_inheritable(lua_State *L) {
  int err = aio_stdio_inherit((int)luaL_checkinteger(L, 1), lua_toboolean(L, 2));
  if (!err) return 0;
  aio_error_push_os(L, aio_state_up(L), err, "fcntl");
  return lua_error(L);
}

/* core._close_fd(fd) */
static int close_descriptor(lua_State *L) {
  uv_fs_t r;
  int err = uv_fs_close(NULL, &r, (uv_file)luaL_checkinteger(L, 1), NULL);
  uv_fs_req_cleanup(&r);
  if (!err) return 0;
  aio_error_push_os(L, aio_state_up(L), err, "close");
  return lua_error(L);
}

/* core._pid() */
static int get_pid(lua_State *L) {
  lua_pushinteger(L, uv_os_getpid());
  return 1;
}

/* core._unsetenv(name) */
static int unset_env(lua_State *L) {
  uv_os_unsetenv(luaL_checkstring(L, 1));
  return 0;
}

void aio_pipe_open_functions(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_connect_pipe", connect_pipe},
                                 {"_fileno", file_number},
                                 {"_set_inheritable", set_inheritable},
                                 {"_close_fd", close_descriptor},
                                 {"_pid", get_pid},
                                 {"_unsetenv", unset_env},
                                 {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
