/* SPDX-License-Identifier: MIT
 *
 * The parser of one direction of a connection, for Lua: a sink of core._feed around proto/h1. What
 * it has taken becomes Lua values when it is asked for, in the task, never in the callback.
 * Invariant: a head or data leaves the parser only after all values made of it exist. */
#include <string.h>

#include "http/headers.h"
#include "http/parser.h"

enum { SELF = 1 };
#define HTTP_PARSER "aio.http.parser"

/* Limits that nobody has set. */
enum {
  HTTP_LINE = 8190,
  HTTP_FIELD = 8190,
  HTTP_FIELDS = 100,
  HTTP_HEAD = 65536,
  HTTP_TRAILERS = 8190,
};

static size_t parser_feed(aio_sink *self, const char *ptr, size_t len, bool *done) {
  http_parser *p = AIO_CONTAINER(self, http_parser, sink);
  return h1_feed(&p->h1, ptr, len, done);
}

/* Told by its size and its function, which is quicker than by the name of the class. */
http_parser *http_parser_self(lua_State *L) {
  http_parser *p = lua_touserdata(L, SELF);
  if (p && lua_rawlen(L, SELF) == sizeof *p && p->sink.feed == parser_feed) return p;
  return luaL_checkudata(L, SELF, HTTP_PARSER);
}

/* ---- what it has ---- */

static int push_error(lua_State *L, const head_error *e) {
  if (e->status == 503) return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  lua_pushinteger(L, e->status);
  if (*e->excerpt)
    lua_pushfstring(L, "%s: \"%s\"", e->what, e->excerpt);
  else
    lua_pushstring(L, e->what);
  return 3;
}

static void push_slice(lua_State *L, const head *h, head_slice s) {
  lua_pushlstring(L, h->text + s.at, s.len);
}

/* Pushes the values of parser:head; the metatable of headers is at `meta`. [may throw] */
static int push_head(lua_State *L, h1 *one, int meta) {
  const head *h = &one->head;
  if (h1_error(one)) return push_error(L, h1_error(one));
  http_headers_push(L, h, meta);
  if (h->response) {
    lua_pushinteger(L, h->status);
    push_slice(L, h, h->reason);
  } else {
    push_slice(L, h, h->method);
    push_slice(L, h, h->target);
  }
  lua_pushinteger(L, h->minor);
  lua_pushinteger(L, one->length);
  lua_pushinteger(L, one->flags);
  h1_take_head(one);
  return 6;
}

/* parser:head(): headers, method, target, minor, length, flags of a request; headers, status,
 * reason, minor, length, flags of a response; or nil, status, message. */
static int parser_head(lua_State *L) {
  http_parser *p = http_parser_self(L);
  if (p->h1.state != H1_JUDGED && !h1_error(&p->h1))
    return luaL_error(L, "no head is there; wait by core._feed");
  return push_head(L, &p->h1, lua_upvalueindex(1));
}

/* For core._feed: true, and a head as parser:head gives it; a body has to be asked for. */
static int parser_results(lua_State *L, aio_sink_ud *ud) {
  enum { PARSER = 2, UV_HEADERS = 1 };
  h1 *one = &AIO_CONTAINER(ud, http_parser, ud)->h1;
  lua_getiuservalue(L, PARSER, UV_HEADERS);
  int meta = lua_gettop(L);
  lua_pushboolean(L, true);
  return one->state == H1_JUDGED ? 1 + push_head(L, one, meta) : 1;
}

/* parser:body(): decoded data ("" for none), and whether it was the last; or nil, status, message.
 * Good data in front of an error comes first. */
static int parser_body(lua_State *L) {
  h1 *one = &http_parser_self(L)->h1;
  if (one->state != H1_BODY) return luaL_error(L, "no body in chunks is under way");
  const head_error *e = h1_error(one);
  if (e && one->data_len == 0) return push_error(L, e);
  lua_pushlstring(L, one->data ? one->data : "", one->data_len);
  lua_pushboolean(L, !e && chunked_ended(&one->body));
  h1_take_data(one);
  return 2;
}

static int parser_next(lua_State *L) {
  h1_next(&http_parser_self(L)->h1);
  return 0;
}

/* parser:begin(method): what the next response answers. */
static int parser_begin(lua_State *L) {
  h1 *one = &http_parser_self(L)->h1;
  const char *method = luaL_checkstring(L, 2);
  one->head_only = strcmp(method, "HEAD") == 0;
  one->connect = strcmp(method, "CONNECT") == 0;
  return 0;
}

/* parser:idle(): has no byte of the next message come? */
static int parser_idle(lua_State *L) {
  lua_pushboolean(L, h1_idle(&http_parser_self(L)->h1));
  return 1;
}

/* parser:feed(bytes): as a stream would; how many it has used up, and whether it is done. */
static int parser_take(lua_State *L) {
  h1 *one = &http_parser_self(L)->h1;
  size_t len;
  const char *ptr = luaL_checklstring(L, 2, &len);
  bool done = false;
  lua_pushinteger(L, (lua_Integer)h1_feed(one, ptr, len, &done));
  lua_pushboolean(L, done);
  return 2;
}

/* ---- making ---- */

/* A limit of the table at 2, or `unset`. */
static uint32_t limit(lua_State *L, const char *name, uint32_t unset, uint32_t most) {
  lua_Integer n = unset;
  if (lua_getfield(L, 2, name) != LUA_TNIL) {
    int ok;
    n = lua_tointegerx(L, -1, &ok);
    if (!ok || n < 0 || n > (lua_Integer)most) {
      lua_pushfstring(L, "'%s' must be an integer from 0 to %d", name, (int)most);
      luaL_argerror(L, 2, lua_tostring(L, -1));
    }
  }
  lua_pop(L, 1);
  return (uint32_t)n;
}

static head_limits limits_at(lua_State *L) {
  head_limits l = {HTTP_LINE, HTTP_FIELD, HTTP_FIELDS, HTTP_HEAD, HTTP_TRAILERS};
  if (lua_isnoneornil(L, 2)) return l;
  luaL_checktype(L, 2, LUA_TTABLE);
  l.line = limit(L, "line", l.line, HEAD_LINE_MAX);
  l.field = limit(L, "field", l.field, HEAD_LINE_MAX);
  l.fields = limit(L, "fields", l.fields, HEAD_FIELDS_MAX);
  l.head = limit(L, "head", l.head, HEAD_MAX);
  l.trailers = limit(L, "trailers", l.trailers, HEAD_MAX);
  return l;
}

/* hc.parser("request" or "response", limits or nil); upvalues: the api, what is allocated from. */
static int parser_new(lua_State *L) {
  static const char *const kinds[] = {"request", "response", NULL};
  bool response = luaL_checkoption(L, 1, NULL, kinds) == 1;
  head_limits limits = limits_at(L);
  http_parser *p = lua_newuserdatauv(L, sizeof *p, 1);
  memset(&p->ud, 0, sizeof p->ud);
  p->ud.results = parser_results;
  p->ud.tag = lua_touserdata(L, lua_upvalueindex(1));
  p->ud.sink = &p->sink;
  p->sink.feed = parser_feed;
  aio_mem mem = http_blocks_mem(L, lua_upvalueindex(2));
  h1_init(&p->h1, response, &limits, &mem);
  luaL_getmetatable(L, HTTP_HEADERS);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, HTTP_PARSER);
  return 1;
}

static int parser_gc(lua_State *L) {
  h1_fini(&http_parser_self(L)->h1);
  return 0;
}

void http_parser_open(lua_State *L) {
  static const luaL_Reg methods[] = {{"body", parser_body},   {"next", parser_next},
                                     {"begin", parser_begin}, {"idle", parser_idle},
                                     {"feed", parser_take},   {NULL, NULL}};
  static const struct {
    const char *name;
    int value;
  } flags[] = {{"KEEP_ALIVE", H1_KEEP_ALIVE},
               {"EXPECT_CONTINUE", H1_EXPECT_CONTINUE},
               {"UPGRADE", H1_UPGRADE},
               {"HTTP10", H1_HTTP10}};
  luaL_newmetatable(L, HTTP_PARSER);
  luaL_newlib(L, methods);
  luaL_getmetatable(L, HTTP_HEADERS);
  lua_pushcclosure(L, parser_head, 1);
  lua_setfield(L, -2, "head");
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, parser_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    lua_pushinteger(L, flags[i].value);
    lua_setfield(L, -2, flags[i].name);
  }
  lua_pushlightuserdata(L, (void *)(uintptr_t)http_api(L));
  http_blocks_push(L);
  lua_pushcclosure(L, parser_new, 2);
  lua_setfield(L, -2, "parser");
}
