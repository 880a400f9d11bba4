/* SPDX-License-Identifier: MIT
 *
 * Decompressing: `feed` hands over a string, `read` gives back so many bytes at most until nothing
 * is left of it, so who reads decides how much memory a small input may become. gzip may have
 * several members, one after the other. Invariant: z.next_in points into the string in the user
 * value, or into static bytes. */
#include <string.h>

#include "zlib/codec.h"

#define INFLATE "aio.zlib.inflate"

enum { SELF = 1, DATA = 2, MESSAGE = 3 };
enum { READ_DEFAULT = 65536, READ_MOST = 1 << 30, GZIP_FIRST = 0x1f };

typedef struct inflater {
  z_stream z;
  aio_mem mem;
  codec_input in;
  enum codec_format format;
  int bits;
  bool live;         /* z has memory */
  bool between;      /* a member has ended, or none has begun */
  bool ended;        /* nothing of what follows belongs to it */
  bool closed;       /* collected */
  bool broken;       /* it works, or was left in the middle of it */
  bool keeps;        /* raw messages: a final block ends no stream */
  const char *error; /* what is wrong with the input, in static memory, or NULL */
} inflater;

static inflater *self(lua_State *L) {
  return luaL_checkudata(L, SELF, INFLATE);
}

/* zlib.inflate(format, bits) */
static int inflate_new(lua_State *L) {
  static const char *const formats[] = {"raw", "zlib", "gzip", "auto", "deflate", NULL};
  enum codec_format format = (enum codec_format)luaL_checkoption(L, 1, NULL, formats);
  int bits = codec_check_bits(L, 2, CODEC_BITS_MIN);
  inflater *f = lua_newuserdatauv(L, sizeof *f, CODEC_UVS);
  memset(f, 0, sizeof *f);
  f->format = format;
  f->bits = bits;
  f->between = true;
  codec_set_memory(L, &f->z, &f->mem);
  luaL_setmetatable(L, INFLATE);
  return 1;
}

static int inflate_gc(lua_State *L) {
  inflater *f = self(L);
  if (f->live) inflateEnd(&f->z);
  f->live = false;
  f->closed = f->broken = true;
  return 0;
}

/* f:feed(data, message): the next input. With `message` what permessage-deflate leaves away at the
 * end of a message is read after it. */
static int inflate_feed(lua_State *L) {
  inflater *f = self(L);
  size_t len;
  const char *data = luaL_checklstring(L, DATA, &len);
  if (f->z.avail_in > 0 || f->in.left > 0 || f->in.tail)
    return luaL_error(L, "the input before is not used up; read until nil comes");
  lua_settop(L, MESSAGE);
  f->keeps = lua_toboolean(L, MESSAGE);
  lua_pushvalue(L, DATA);
  lua_setiuservalue(L, SELF, CODEC_UV_INPUT);
  f->in = (codec_input){data, len, f->keeps};
  return 0;
}

/* zlib's number for format and window. */
static int window_bits(const inflater *f, int first) {
  switch (f->format) {
  case CODEC_RAW:
    return -f->bits;
  case CODEC_GZIP:
    return f->bits + 16;
  case CODEC_AUTO:
    return first == GZIP_FIRST ? f->bits + 16 : f->bits;
  case CODEC_DEFLATE: /* a block that is stored, as the last bits say, has no other bit there */
    return (first & 0x8f) == 8 ? f->bits : -f->bits;
  default:
    return f->bits;
  }
}

/* The first member begins, or the next; input is there. False: memory is out. */
static bool begin(inflater *f) {
  int first = *f->z.next_in;
  if (!f->live) {
    if (f->format == CODEC_AUTO && first == GZIP_FIRST) f->format = CODEC_GZIP;
    if (inflateInit2(&f->z, window_bits(f, first)) != Z_OK) return false;
    f->live = true;
  } else if (f->format == CODEC_GZIP && first == GZIP_FIRST) {
    inflateReset(&f->z);
  } else {
    f->ended = true;
  }
  f->between = f->ended;
  return true;
}

/* A step has answered `rc`. */
static void look(inflater *f, int rc) {
  if (rc == Z_STREAM_END) {
    if (f->keeps && f->format == CODEC_RAW)
      inflateResetKeep(&f->z);
    else
      f->between = true;
  } else if (rc == Z_NEED_DICT) {
    f->error = "a dictionary would be needed";
  } else if (rc == Z_DATA_ERROR) {
    f->error = f->z.msg ? f->z.msg : "invalid data";
  }
}

/* Decompresses until `most` bytes are there or the input is used up. Returns how many there are.
 * [may throw] */
static size_t run(lua_State *L, inflater *f, luaL_Buffer *b, size_t most) {
  size_t done = 0;
  bool full = true; /* there may be more output without more input */
  while (done < most && !f->ended && !f->error) {
    codec_refill(&f->z, &f->in);
    if (f->z.avail_in == 0 && (f->between || !full)) break;
    if (f->between && !begin(f)) luaL_error(L, "not enough memory");
    if (f->ended) break;
    codec_room(b, &f->z, done, most - done);
    size_t room = f->z.avail_out;
    int rc = inflate(&f->z, Z_SYNC_FLUSH);
    if (rc == Z_MEM_ERROR) luaL_error(L, "not enough memory");
    size_t n = room - f->z.avail_out;
    full = f->z.avail_out == 0;
    luaL_addsize(b, n);
    done += n;
    look(f, rc);
  }
  return done;
}

/* f:read(max): from 1 to max bytes; nil when it wants more input; nil and a message when the input
 * is malformed. */
static int inflate_read(lua_State *L) {
  inflater *f = self(L);
  lua_Integer most = luaL_optinteger(L, 2, READ_DEFAULT);
  luaL_argcheck(L, most > 0, 2, "a positive number of bytes expected");
  if (f->broken) return luaL_error(L, "an earlier call failed in the middle; start again");
  if (most > READ_MOST) most = READ_MOST;
  luaL_Buffer b;
  lua_settop(L, SELF);
  luaL_buffinit(L, &b);
  f->broken = true;
  size_t done = run(L, f, &b, (size_t)most);
  luaL_pushresult(&b);
  f->broken = false;
  if (done > 0) return 1;
  lua_pushnil(L);
  lua_pushstring(L, f->error);
  return 2;
}

/* f:finished(): has it come to the end of the compressed data? Of gzip more members may follow. */
static int inflate_finished(lua_State *L) {
  const inflater *f = self(L);
  lua_pushboolean(L, f->live && f->between && !f->error);
  return 1;
}

/* f:rest(): what of the input follows the end. */
static int inflate_rest(lua_State *L) {
  const inflater *f = self(L);
  if (f->z.avail_in + f->in.left == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addlstring(&b, (const char *)f->z.next_in, f->z.avail_in);
  luaL_addlstring(&b, f->in.at, f->in.left);
  luaL_pushresult(&b);
  return 1;
}

/* f:reset(): begins anew, as if nothing had been fed, with the memory it has. */
static int inflate_reset(lua_State *L) {
  inflater *f = self(L);
  if (f->closed) return 0;
  if (f->live) inflateReset(&f->z);
  f->z.avail_in = 0;
  f->in = (codec_input){NULL, 0, false};
  f->between = !f->live;
  f->ended = f->broken = false;
  f->error = NULL;
  lua_pushnil(L);
  lua_setiuservalue(L, SELF, CODEC_UV_INPUT);
  return 0;
}

void codec_inflate_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"feed", inflate_feed},         {"read", inflate_read},
                                     {"finished", inflate_finished}, {"rest", inflate_rest},
                                     {"reset", inflate_reset},       {NULL, NULL}};
  luaL_newmetatable(L, INFLATE);
  lua_pushcfunction(L, inflate_gc);
  lua_setfield(L, -2, "__gc");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushcfunction(L, inflate_new);
  lua_setfield(L, -2, "inflate");
}
