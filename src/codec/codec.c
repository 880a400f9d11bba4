/* SPDX-License-Identifier: MIT
 *
 * See codec.h. A decoder: `feed` hands over a string, `read` gives back so many bytes at most until
 * nothing is left of it, so who reads decides how much memory a small input may become. An encoder:
 * `write`. */
#include "codec/codec.h"

#include <string.h>

enum { SELF = 1, DATA = 2, MODE = 3 };
enum { READ_DEFAULT = 65536, READ_MOST = 1 << 30, ROOM_LEAST = 1024, ROOM_MOST = 1 << 18 };
enum { UV_INPUT = 1 };

typedef struct codec {
  const codec_class *class;
  void *state; /* NULL: collected, or an encoder that has finished */
  codec_io io; /* its input is in the user value */
  const char *why;
  bool broken;         /* it works, or was left in the middle of it */
  bool began, between; /* input has come; a frame has ended and none has begun */
  bool full;           /* there may be more output without more input */
  bool finished;       /* of an encoder */
} codec;

static codec *self(lua_State *L) {
  codec *c = luaL_checkudata(L, SELF, lua_tostring(L, lua_upvalueindex(1)));
  if (c->finished) luaL_error(L, "nothing can be written after \"finish\"");
  if (c->broken || !c->state) luaL_error(L, "an earlier call failed in the middle; start again");
  return c;
}

static void let_go(codec *c) {
  if (c->state) c->class->close(c->state);
  c->state = NULL;
}

static int codec_gc(lua_State *L) {
  let_go(luaL_checkudata(L, SELF, lua_tostring(L, lua_upvalueindex(1))));
  return 0;
}

/* decoder() or encoder(level): upvalue 1 is the class's name, 2 the class. */
static int codec_new(lua_State *L) {
  const codec_class *class = lua_touserdata(L, lua_upvalueindex(2));
  lua_Integer level = luaL_optinteger(L, 1, class->unset);
  if (level < class->least || level > class->most) {
    lua_pushfstring(L, "a number from %d to %d expected", class->least, class->most);
    luaL_argerror(L, 1, lua_tostring(L, -1));
  }
  codec *c = lua_newuserdatauv(L, sizeof *c, 1);
  memset(c, 0, sizeof *c);
  c->class = class;
  luaL_setmetatable(L, class->name);
  c->state = class->open((int)level);
  if (!c->state) return luaL_error(L, "not enough memory");
  return 1;
}

/* ---- decoders ---- */

/* d:feed(data) */
static int decoder_feed(lua_State *L) {
  codec *c = self(L);
  size_t len;
  const char *data = luaL_checklstring(L, DATA, &len);
  if (c->io.in_len > 0) return luaL_error(L, "the input before is not used up; read first");
  lua_settop(L, DATA);
  lua_setiuservalue(L, SELF, UV_INPUT);
  c->io.in = data;
  c->io.in_len = len;
  return 0;
}

/* Is there something to do: input that may be used, or output that did not fit? */
static bool can_go_on(const codec *c) {
  if (c->why) return false;
  if (c->between && !c->class->again) return false;
  return c->io.in_len > 0 || (c->full && !c->between);
}

static void look(codec *c, enum codec_result r) {
  c->full = r == CODEC_OUTPUT;
  c->between = r == CODEC_ENDED;
}

/* Adds up to `most` bytes to the buffer; returns how many. [may throw] */
static size_t decode(codec *c, luaL_Buffer *b, size_t most) {
  size_t done = 0;
  while (done < most && can_go_on(c)) {
    size_t room = done < ROOM_LEAST ? ROOM_LEAST : done < ROOM_MOST ? done : ROOM_MOST;
    if (room > most - done) room = most - done;
    c->io.out = luaL_prepbuffsize(b, room);
    c->io.out_len = room;
    c->began = true;
    look(c, c->class->step(c->state, &c->io, CODEC_GO_ON, &c->why));
    luaL_addsize(b, room - c->io.out_len);
    done += room - c->io.out_len;
  }
  return done;
}

/* d:read(max): from 1 to max bytes; nil when it wants more input; nil and a message when the input
 * is malformed. */
static int decoder_read(lua_State *L) {
  codec *c = self(L);
  lua_Integer most = luaL_optinteger(L, 2, READ_DEFAULT);
  luaL_argcheck(L, most > 0, 2, "a positive number of bytes expected");
  if (most > READ_MOST) most = READ_MOST;
  luaL_Buffer b;
  lua_settop(L, SELF);
  luaL_buffinit(L, &b);
  c->broken = true;
  size_t done = decode(c, &b, (size_t)most);
  luaL_pushresult(&b);
  c->broken = false;
  if (done > 0) return 1;
  lua_pushnil(L);
  lua_pushstring(L, c->why);
  return 2;
}

/* d:finished(): has it come to the end of what was compressed? */
static int decoder_finished(lua_State *L) {
  const codec *c = self(L);
  lua_pushboolean(L, c->began && c->between && !c->why);
  return 1;
}

/* d:rest(): what of the input follows the end. */
static int decoder_rest(lua_State *L) {
  const codec *c = self(L);
  lua_pushlstring(L, c->io.in_len ? c->io.in : "", c->io.in_len);
  return 1;
}

/* ---- encoders ---- */

/* Writes all of the input and its end. [may throw] */
static void encode(lua_State *L, codec *c, luaL_Buffer *b, enum codec_end end) {
  size_t done = 0;
  enum codec_result r = CODEC_OUTPUT;
  while (c->io.in_len > 0 || r == CODEC_OUTPUT) {
    size_t room = done < ROOM_LEAST ? ROOM_LEAST : done < ROOM_MOST ? done : ROOM_MOST;
    c->io.out = luaL_prepbuffsize(b, room);
    c->io.out_len = room;
    r = c->class->step(c->state, &c->io, end, &c->why);
    if (r == CODEC_MALFORMED) luaL_error(L, "%s", c->why);
    luaL_addsize(b, room - c->io.out_len);
    done += room - c->io.out_len;
  }
}

/* e:write(data, mode): what comes out: "none", for now; "sync", all that the reader needs for what
 * was written so far; "finish", the end. */
static int encoder_write(lua_State *L) {
  static const char *const modes[] = {"none", "sync", "finish", NULL};
  codec *c = self(L);
  size_t len;
  const char *data = luaL_checklstring(L, DATA, &len);
  enum codec_end end = (enum codec_end)luaL_checkoption(L, MODE, "none", modes);
  luaL_Buffer b;
  lua_settop(L, DATA);
  luaL_buffinit(L, &b);
  c->io.in = data;
  c->io.in_len = len;
  c->broken = true;
  encode(L, c, &b, end);
  luaL_pushresult(&b);
  c->broken = false;
  c->finished = end == CODEC_FINISH;
  if (c->finished) let_go(c); /* a MiB or more, of which the collector knows nothing */
  return 1;
}

/* ---- opening ---- */

static void open_class(lua_State *L, const codec_class *class, const luaL_Reg *methods,
                       const char *maker) {
  luaL_newmetatable(L, class->name);
  lua_pushstring(L, class->name);
  lua_pushcclosure(L, codec_gc, 1);
  lua_setfield(L, -2, "__gc");
  lua_newtable(L);
  lua_pushstring(L, class->name);
  luaL_setfuncs(L, methods, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_pushstring(L, class->name);
  lua_pushlightuserdata(L, (void *)(size_t) class);
  lua_pushcclosure(L, codec_new, 2);
  lua_setfield(L, -2, maker);
}

void codec_open(lua_State *L, const codec_class *decoder, const codec_class *encoder) {
  static const luaL_Reg decoding[] = {{"feed", decoder_feed},
                                      {"read", decoder_read},
                                      {"finished", decoder_finished},
                                      {"rest", decoder_rest},
                                      {NULL, NULL}};
  static const luaL_Reg encoding[] = {{"write", encoder_write}, {NULL, NULL}};
  open_class(L, decoder, decoding, "decoder");
  open_class(L, encoder, encoding, "encoder");
}
