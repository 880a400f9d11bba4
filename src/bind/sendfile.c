/* SPDX-License-Identifier: MIT
 *
 * Sending files on streams, for aio.sendfile (Lua), which reads the file itself where the kernel
 * does not send it. Invariants: the userdata exists before the duplicate of the descriptor does; a
 * stream's `sender` is cleared when the file is closed. */
#include "bind/sendfile.h"

#include "bind/error.h"

enum { UV_THE_FILE = 1, UV_THE_STREAM, UVS = 2 };
enum { STREAM = 1, FILE_AT = 2 };

aio_sending *aio_sending_check(lua_State *L, int arg) {
  return aio_object_check(L, aio_state_up(L), arg, AIO_REF_SENDING);
}

/* ---- the file ---- */

/* Stack of core._sending. */
enum { FD = 1, IO_FILE, OFFSET, COUNT };

/* core._sending(fd, io file or nil, offset, count or nil): a part of a file, or nil and an OSError.
 */
static int open_file(lua_State *L) {
  aio_state *st = aio_state_up(L);
  lua_settop(L, COUNT);
  int64_t count = lua_isnil(L, COUNT) ? -1 : (int64_t)luaL_checkinteger(L, COUNT);
  aio_sending *f = aio_object_new(L, st, AIO_REF_SENDING, sizeof *f, UVS);
  f->part.fd = -1;
  lua_pushvalue(L, IO_FILE);
  lua_setiuservalue(L, -2, UV_THE_FILE);
  const luaL_Stream *io = luaL_testudata(L, IO_FILE, LUA_FILEHANDLE);
  if (io && io->closef) fflush(io->f); /* what was written so far is a part of the file */
  int err = aio_file_part_open(&f->part, (int)luaL_checkinteger(L, FD),
                               (int64_t)luaL_checkinteger(L, OFFSET), count);
  if (!err) return 1;
  lua_pushnil(L);
  aio_error_push_os(L, st, err, "sendfile");
  return 2;
}

/* An io file has a buffer that must know of the position. */
static bool seek_io_file(lua_State *L, const aio_file_part *p) {
  lua_getiuservalue(L, 1, UV_THE_FILE);
  const luaL_Stream *io = luaL_testudata(L, -1, LUA_FILEHANDLE);
  bool ours = io != NULL;
  if (ours && io->closef && p->fd >= 0 && p->at > p->start) aio_file_seek_stdio(io->f, p->at);
  lua_pop(L, 1);
  return ours;
}

/* file:close(): also `local file <close>` and the finalizer. */
static int file_close(lua_State *L) {
  aio_sending *f = aio_sending_check(L, 1);
  if (f->stream) {
    f->stream->sender = NULL;
    if (f->stream->s) f->stream->s->sending_file = false;
    f->stream = NULL;
  }
  bool seeked = seek_io_file(L, &f->part);
  aio_file_part_close(&f->part, !seeked);
  return 0;
}

/* file:read(): the next bytes, not yet counted, or nil at the end. */
static int file_read(lua_State *L) {
  const aio_sending *f = aio_sending_check(L, 1);
  luaL_Buffer b;
  char *room = luaL_buffinitsize(L, &b, AIO_FILE_READ);
  ptrdiff_t got = aio_file_part_read(&f->part, room, AIO_FILE_READ);
  if (got < 0) {
    aio_error_push_os(L, aio_state_up(L), (int)got, "read");
    return lua_error(L);
  }
  luaL_pushresultsize(&b, (size_t)got);
  if (got == 0) lua_pushnil(L);
  return 1;
}

/* file:wrote(n): counts bytes that were read and written. */
static int file_wrote(lua_State *L) {
  aio_sending_check(L, 1)->part.at += luaL_checkinteger(L, 2);
  return 0;
}

/* file:sent(): how many bytes were sent. */
static int file_sent(lua_State *L) {
  const aio_sending *f = aio_sending_check(L, 1);
  lua_pushinteger(L, (lua_Integer)(f->part.at - f->part.start));
  return 1;
}

/* ---- a stream that sends it ---- */

/* core._send_begin(stream, file): from now on only this task may write. */
static int send_begin(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  aio_sending *f = aio_sending_check(L, FILE_AT);
  aio_stream_check_writable(L, u);
  const aio_task *t = aio_task_waiter_in(L, u->s->loop, STREAM);
  lua_pushvalue(L, STREAM);
  lua_setiuservalue(L, FILE_AT, UV_THE_STREAM);
  u->sender = t;
  f->stream = u;
  return 0;
}

static int send_k(lua_State *L, int status, lua_KContext ctx);

/* Waits until more can be sent; what is asked for stays on until the file is closed. */
static int wait_writable(lua_State *L, aio_stream *s) {
  aio_task *t = aio_task_waiter_in(L, s->loop, STREAM);
  int err = s->out.total == 0 ? aio_stream_send_later(s) : 0;
  if (err) return aio_stream_raise(L, s, err, "sendfile");
  return aio_task_suspend(L, t, &s->writers, NULL, send_k);
}

/* What was written before goes first. After each chunk the kernel is asked again, so that others
 * are not kept waiting. */
static int send_some(lua_State *L) {
  aio_stream_ud *u = lua_touserdata(L, STREAM);
  aio_sending *f = lua_touserdata(L, FILE_AT);
  if (!u->s || !aio_stream_is_open(u->s)) {
    if (u->s && u->s->write_error) aio_stream_check_sent(L, u);
    aio_error_push_os(L, aio_state_up(L), UV_ECONNABORTED, "sendfile");
    return lua_error(L);
  }
  aio_stream_check_sent(L, u);
  aio_stream *s = u->s;
  if (s->out.total > 0) return wait_writable(L, s);
  ptrdiff_t sent = aio_stream_send_file(s, &f->part);
  if (sent < 0 && sent != UV_EAGAIN && sent != UV_ENOTSUP)
    return aio_stream_raise(L, s, (int)sent, "sendfile");
  if (sent == UV_EAGAIN || (sent > 0 && aio_file_part_next(&f->part, 1)))
    return wait_writable(L, s);
  lua_pushboolean(L, sent >= 0);
  return 1;
}

static int send_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, send_k);
  return send_some(L);
}

/* core._send_file(stream, file): true when all was sent, false when the kernel does not send this
 * file to this stream. [may yield] */
static int send_file(lua_State *L) {
  aio_stream_self(L);
  aio_sending_check(L, FILE_AT);
  lua_settop(L, FILE_AT);
  return send_some(L);
}

void aio_sendfile_open(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"close", file_close},
                                     {"read", file_read},
                                     {"wrote", file_wrote},
                                     {"sent", file_sent},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__close", file_close}, {"__gc", file_close}, {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_sending", open_file},
                                 {"_send_begin", send_begin},
                                 {"_send_file", send_file},
                                 {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_SENDING, "Sending", methods, meta);
  lua_pop(L, 1);
  aio_setfuncs(L, st, fns);
}
