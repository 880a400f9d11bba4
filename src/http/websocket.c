/* SPDX-License-Identifier: MIT
 *
 * WebSocket for lua/aio/http/websocket.lua: the reader as a sink of core._feed, and the heads and
 * frames that are written. Invariant: a reader's userdata owns its buffer; what it has read becomes
 * a Lua string before the reader goes on. */
#include <string.h>

#include "http/http.h"
#include "proto/base64.h"
#include "proto/ws_reader.h"

#define READER "aio.http.websocket.reader"

enum { SELF = 1 };
enum { MAX_DEFAULT = 4 << 20 };

/* ---- the reader ---- */

typedef struct reader {
  aio_sink_ud base; /* must be first */
  aio_sink sink;
  aio_ws_reader r;
} reader;

static size_t feed(aio_sink *self, const char *bytes, size_t n, bool *done) {
  aio_ws_reader *r = &AIO_CONTAINER(self, reader, sink)->r;
  size_t used = aio_ws_reader_feed(r, bytes, n);
  *done = r->event != AIO_WS_NOTHING;
  return used;
}

/* hc.ws_reader(expect_mask, max, deflate): what core._feed wants. Upvalue 1 is the aio_api. */
static int reader_new(lua_State *L) {
  lua_Integer max = luaL_optinteger(L, 2, MAX_DEFAULT);
  luaL_argcheck(L, max >= 0, 2, "a number of bytes, not negative, expected");
  lua_settop(L, 3);
  reader *u = lua_newuserdatauv(L, sizeof *u, 0);
  memset(u, 0, sizeof *u);
  u->base.tag = lua_touserdata(L, lua_upvalueindex(1));
  u->base.sink = &u->sink;
  u->sink.feed = feed;
  u->r.mem.fn = lua_getallocf(L, &u->r.mem.ud);
  u->r.expect_mask = lua_toboolean(L, 1);
  u->r.max = (size_t)max;
  u->r.deflate = lua_toboolean(L, 3);
  luaL_setmetatable(L, READER);
  return 1;
}

static aio_ws_reader *self(lua_State *L) {
  return &((reader *)luaL_checkudata(L, SELF, READER))->r;
}

static int reader_gc(lua_State *L) {
  aio_ws_reader_fini(self(L));
  return 0;
}

/* The event's two or three values: an opcode (0: an error), the data, and a code, or whether a
 * message is compressed. [may throw, before anything has changed] */
static int push_event(lua_State *L, const aio_ws_reader *r) {
  switch (r->event) {
  case AIO_WS_MESSAGE:
    lua_pushinteger(L, r->opcode);
    lua_pushlstring(L, r->data ? r->data : "", r->len);
    lua_pushboolean(L, r->compressed);
    return 3;
  case AIO_WS_CONTROL:
    lua_pushinteger(L, aio_ws_opcode(&r->frame));
    lua_pushlstring(L, r->control, r->control_len);
    return 2;
  case AIO_WS_CLOSED:
    lua_pushinteger(L, AIO_WS_CLOSE);
    lua_pushlstring(L, r->control + 2, r->control_len > 2 ? r->control_len - 2u : 0);
    lua_pushinteger(L, r->code);
    return 3;
  case AIO_WS_FAILED:
    lua_pushinteger(L, 0);
    lua_pushstring(L, r->why);
    lua_pushinteger(L, r->code);
    return 3;
  default:
    return 0;
  }
}

/* r:take(): what has come, once: opcode, data, code or compressed; nothing when nothing has. */
static int reader_take(lua_State *L) {
  aio_ws_reader *r = self(L);
  if (r->event == AIO_WS_NO_MEMORY) {
    aio_ws_reader_next(r);
    return luaL_error(L, "not enough memory");
  }
  int n = push_event(L, r);
  aio_ws_reader_next(r);
  return n;
}

/* r:taken(): how many bytes it has used up so far. */
static int reader_taken(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)self(L)->taken);
  return 1;
}

/* r:stop(): what still comes is thrown away. */
static int reader_stop(lua_State *L) {
  aio_ws_reader *r = self(L);
  aio_ws_reader_fini(r);
  aio_ws_reader_next(r);
  return 0;
}

/* r:feed(bytes): how many it takes; for tests, and for those who read themselves. */
static int reader_feed(lua_State *L) {
  aio_ws_reader *r = self(L);
  size_t n;
  const char *bytes = luaL_checklstring(L, 2, &n);
  lua_pushinteger(L, (lua_Integer)aio_ws_reader_feed(r, bytes, n));
  return 1;
}

/* ---- frames that are written ---- */

static uint8_t check_first(lua_State *L, int idx) {
  lua_Integer first = luaL_checkinteger(L, idx);
  luaL_argcheck(L, first >= 0 && first <= 0xff, idx, "the first byte of a frame expected");
  return (uint8_t)first;
}

/* hc.ws_head(first, length): the head of a frame without a mask. */
static int frame_head(lua_State *L) {
  uint8_t head[AIO_WS_HEAD_MAX], first = check_first(L, 1);
  lua_Integer length = luaL_checkinteger(L, 2);
  luaL_argcheck(L, length >= 0, 2, "a number of bytes, not negative, expected");
  size_t n = aio_ws_head_write(head, first, (uint64_t)length, NULL);
  lua_pushlstring(L, (const char *)head, n);
  return 1;
}

/* Mask keys, made many at once: a system call for each would cost more than the frame. */
enum { KEYS = 256 };

typedef struct mask_pool {
  size_t used; /* bytes */
  uint8_t bytes[4 * KEYS];
} mask_pool;

enum { UP_POOL = 1, UP_RANDOM };

/* The next key; upvalues UP_POOL and UP_RANDOM. [may throw] */
static void next_mask(lua_State *L, uint8_t mask[4]) {
  mask_pool *pool = lua_touserdata(L, lua_upvalueindex(UP_POOL));
  if (pool->used == sizeof pool->bytes) {
    lua_pushvalue(L, lua_upvalueindex(UP_RANDOM));
    lua_pushinteger(L, sizeof pool->bytes);
    lua_call(L, 1, 1);
    size_t n;
    const char *fresh = lua_tolstring(L, -1, &n);
    if (!fresh || n != sizeof pool->bytes) luaL_error(L, "no random bytes for a mask");
    memcpy(pool->bytes, fresh, n);
    pool->used = 0;
    lua_pop(L, 1);
  }
  memcpy(mask, pool->bytes + pool->used, 4);
  pool->used += 4;
}

/* hc.ws_frame(first, payload): a whole masked frame. */
static int masked_frame(lua_State *L) {
  uint8_t mask[4], head[AIO_WS_HEAD_MAX], first = check_first(L, 1);
  size_t n;
  const char *payload = luaL_checklstring(L, 2, &n);
  next_mask(L, mask);
  size_t size = aio_ws_head_write(head, first, n, mask);
  luaL_Buffer b;
  char *to = luaL_buffinitsize(L, &b, size + n);
  memcpy(to, head, size);
  aio_ws_mask(to + size, payload, n, mask, 0);
  luaL_pushresultsize(&b, size + n);
  return 1;
}

/* ---- the rest ---- */

/* hc.utf8(text): is it UTF-8? */
static int is_utf8(lua_State *L) {
  size_t n;
  const char *text = luaL_checklstring(L, 1, &n);
  aio_utf8 u = {0};
  lua_pushboolean(L, aio_utf8_feed(&u, text, n) && aio_utf8_complete(&u));
  return 1;
}

/* hc.ws_code(code): may a close frame have it? */
static int is_code(lua_State *L) {
  lua_Integer code = luaL_checkinteger(L, 1);
  lua_pushboolean(L, code > 0 && code < 5000 && aio_ws_code_is_valid((unsigned)code));
  return 1;
}

/* hc.base64(bytes) */
static int base64(lua_State *L) {
  size_t n;
  const char *bytes = luaL_checklstring(L, 1, &n);
  luaL_Buffer b;
  char *to = luaL_buffinitsize(L, &b, aio_base64_size(n));
  aio_base64_write(to, bytes, n);
  luaL_pushresultsize(&b, aio_base64_size(n));
  return 1;
}

static void open_reader_class(lua_State *L) {
  static const luaL_Reg methods[] = {{"take", reader_take},
                                     {"taken", reader_taken},
                                     {"stop", reader_stop},
                                     {"feed", reader_feed},
                                     {NULL, NULL}};
  luaL_newmetatable(L, READER);
  lua_pushcfunction(L, reader_gc);
  lua_setfield(L, -2, "__gc");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void http_websocket_open(lua_State *L) {
  static const luaL_Reg fns[] = {{"ws_head", frame_head},
                                 {"ws_code", is_code},
                                 {"utf8", is_utf8},
                                 {"base64", base64},
                                 {NULL, NULL}};
  open_reader_class(L);
  luaL_setfuncs(L, fns, 0);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "aio.core");
  lua_call(L, 1, 1);
  lua_pushlightuserdata(L, (void *)(uintptr_t)http_api(L));
  lua_pushcclosure(L, reader_new, 1);
  lua_setfield(L, -3, "ws_reader");
  mask_pool *pool = lua_newuserdatauv(L, sizeof *pool, 0);
  pool->used = sizeof pool->bytes;
  lua_getfield(L, -2, "_random");
  lua_pushcclosure(L, masked_frame, 2);
  lua_setfield(L, -3, "ws_frame");
  lua_pop(L, 1);
}
