/* SPDX-License-Identifier: MIT
 *
 * Pipes between children, for aio.pipeline: each end an object that closes its descriptor, unless
 * it was closed before. Invariant: both objects exist before the pipe does. */
#include "bind/error.h"
#include "bind/process.h"

typedef struct pipe_end {
  int fd; /* -1: none */
} pipe_end;

static pipe_end *push_end(lua_State *L, aio_state *st) {
  pipe_end *e = aio_object_new(L, st, AIO_REF_PIPE_END, sizeof *e, 0);
  e->fd = -1;
  return e;
}

/* core._pipe_ends(): the end to read from, the end to write to; or nil and an OSError. */
static int pipe_ends(lua_State *L) {
  aio_state *st = aio_state_up(L);
  pipe_end *in = push_end(L, st), *out = push_end(L, st);
  int fds[2];
  int err = uv_pipe(fds, 0, 0);
  if (err) {
    lua_pushnil(L);
    aio_error_push_os(L, st, err, "pipe");
    return 2;
  }
  in->fd = fds[0];
  out->fd = fds[1];
  return 2;
}

static pipe_end *self(lua_State *L) {
  return aio_object_check(L, aio_state_up(L), 1, AIO_REF_PIPE_END);
}

/* The descriptor, or nil. */
static int end_fileno(lua_State *L) {
  const pipe_end *e = self(L);
  if (e->fd < 0) return 0;
  lua_pushinteger(L, e->fd);
  return 1;
}

/* Gives the descriptor up to the caller. */
static int end_detach(lua_State *L) {
  pipe_end *e = self(L);
  lua_pushinteger(L, e->fd);
  e->fd = -1;
  return 1;
}

static int end_close(lua_State *L) {
  pipe_end *e = self(L);
  if (e->fd < 0) return 0;
  uv_fs_t r;
  uv_fs_close(NULL, &r, e->fd, NULL);
  uv_fs_req_cleanup(&r);
  e->fd = -1;
  return 0;
}

void aio_pipe_ends_open(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {
      {"_fileno", end_fileno}, {"_detach", end_detach}, {"_close", end_close}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__close", end_close}, {"__gc", end_close}, {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_pipe_ends", pipe_ends}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_PIPE_END, "PipeEnd", methods, meta);
  lua_pop(L, 1);
  aio_setfuncs(L, st, fns);
}
