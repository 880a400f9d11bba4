/* SPDX-License-Identifier: MIT
 *
 * Compressing: each `write` takes a string and returns what came out. That is never much more than
 * what went in, so the caller bounds it by the size of the pieces. Invariant: no input is left
 * after a call. */
#include <string.h>

#include "zlib/codec.h"

#define DEFLATE "aio.zlib.deflate"

enum { SELF = 1, DATA = 2, MODE = 3 };
enum { LEVEL_DEFAULT = 6, MEMORY_DEFAULT = 8, ROOM_MOST = 1 << 30 };

typedef struct deflater {
  z_stream z;
  aio_mem mem;
  int level, bits, memory;
  bool live;   /* z has memory: until the end is written, since the collector knows nothing of it */
  bool ended;  /* "finish" was written */
  bool broken; /* it works, or was left in the middle of it */
} deflater;

/* How a write ends. */
enum mode { MODE_NONE, MODE_SYNC, MODE_MESSAGE, MODE_FINISH };

static deflater *self(lua_State *L) {
  return luaL_checkudata(L, SELF, DEFLATE);
}

static int check_range(lua_State *L, int idx, int least, int most, int unset) {
  lua_Integer n = luaL_optinteger(L, idx, unset);
  if (n < least || n > most) {
    lua_pushfstring(L, "a number from %d to %d expected, got %I", least, most, n);
    luaL_argerror(L, idx, lua_tostring(L, -1));
  }
  return (int)n;
}

/* [may throw] */
static void begin(lua_State *L, deflater *d) {
  int err = deflateInit2(&d->z, d->level, Z_DEFLATED, d->bits, d->memory, Z_DEFAULT_STRATEGY);
  if (err != Z_OK) luaL_error(L, "not enough memory");
  d->live = true;
}

static void let_go(deflater *d) {
  if (d->live) deflateEnd(&d->z);
  d->live = false;
}

/* zlib.deflate(format, level, bits, mem_level) */
static int deflate_new(lua_State *L) {
  static const char *const formats[] = {"raw", "zlib", "gzip", NULL};
  int format = luaL_checkoption(L, 1, NULL, formats);
  int level = check_range(L, 2, 0, 9, LEVEL_DEFAULT);
  int bits = codec_check_bits(L, 3, CODEC_BITS_MIN + 1); /* zlib itself takes 9 for 8 */
  int memory = check_range(L, 4, 1, 9, MEMORY_DEFAULT);
  deflater *d = lua_newuserdatauv(L, sizeof *d, 0);
  memset(d, 0, sizeof *d);
  codec_set_memory(L, &d->z, &d->mem);
  luaL_setmetatable(L, DEFLATE);
  d->bits = format == CODEC_RAW ? -bits : format == CODEC_GZIP ? bits + 16 : bits;
  d->level = level;
  d->memory = memory;
  begin(L, d);
  return 1;
}

static int deflate_gc(lua_State *L) {
  deflater *d = self(L);
  let_go(d);
  d->ended = false;
  d->broken = true;
  return 0;
}

/* Compresses all of the input, with what `flush` asks for. [may throw] */
static void run(luaL_Buffer *b, deflater *d, codec_input *in, int flush) {
  size_t done = 0;
  do {
    codec_refill(&d->z, in);
    codec_room(b, &d->z, done, ROOM_MOST);
    size_t room = d->z.avail_out;
    deflate(&d->z, in->left > 0 ? Z_NO_FLUSH : flush);
    luaL_addsize(b, room - d->z.avail_out);
    done += room - d->z.avail_out;
  } while (d->z.avail_out == 0 || d->z.avail_in > 0 || in->left > 0);
}

/* The end that each message of permessage-deflate leaves away. A message of no bytes is an empty
 * block, of which only the first byte is sent. */
static void end_message(luaL_Buffer *b) {
  size_t n = luaL_bufflen(b);
  if (n >= 4 && memcmp(luaL_buffaddr(b) + n - 4, "\0\0\xff\xff", 4) == 0) luaL_buffsub(b, 4);
  if (luaL_bufflen(b) == 0) luaL_addchar(b, 0);
}

/* d:write(data, mode): "none": what comes out for now, "sync": all that the reader needs for what
 * was written so far, "message": the same as permessage-deflate sends it, "finish": the end. */
static int deflate_write(lua_State *L) {
  static const char *const modes[] = {"none", "sync", "message", "finish", NULL};
  static const int flushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
  deflater *d = self(L);
  codec_input in = {0};
  in.at = luaL_checklstring(L, DATA, &in.left);
  enum mode mode = (enum mode)luaL_checkoption(L, MODE, "none", modes);
  if (d->ended) return luaL_error(L, "nothing can be written after \"finish\"");
  if (d->broken) return luaL_error(L, "an earlier call failed in the middle; start again");
  luaL_Buffer b;
  lua_settop(L, DATA);
  luaL_buffinit(L, &b);
  d->broken = true;
  run(&b, d, &in, flushes[mode]);
  if (mode == MODE_MESSAGE) end_message(&b);
  luaL_pushresult(&b);
  d->broken = false;
  d->ended = mode == MODE_FINISH;
  if (d->ended) let_go(d);
  return 1;
}

/* d:reset(): begins anew, with the memory it has if there is still some. [may throw] */
static int deflate_reset(lua_State *L) {
  deflater *d = self(L);
  if (!d->live && !d->ended) return 0; /* collected */
  if (d->live)
    deflateReset(&d->z);
  else
    begin(L, d);
  d->z.avail_in = 0;
  d->ended = d->broken = false;
  return 0;
}

void codec_deflate_open(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"write", deflate_write}, {"reset", deflate_reset}, {NULL, NULL}};
  luaL_newmetatable(L, DEFLATE);
  lua_pushcfunction(L, deflate_gc);
  lua_setfield(L, -2, "__gc");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, deflate_new);
  lua_setfield(L, -2, "deflate");
}
