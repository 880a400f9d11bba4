/* SPDX-License-Identifier: MIT
 *
 * The commonest response in one step: status 200, a short body, no headers of its own, to a request
 * without a body on a connection that goes on. Head and body go to the stream that feeds the parser
 * without becoming a Lua string, and the parser goes on to the next message. Everything else is for
 * the way through encode.c, and nothing has happened to it here. Called by aio.http.serve. */
#include <string.h>

#include "http/out.h"
#include "http/parser.h"
#include "proto/chars.h"

enum { SELF = 1, RESPONSE = 2 };
enum { BODY_MOST = 1400 }; /* bytes: as SMALL in lua/aio/http/respond.lua */
enum { TYPE_MOST = 256 };

/* What the closures know: the date, the class Response, the names of its fields, the type of what
 * was a string; `result` also the server's loop. */
enum { DATES = 1, CLASS, SPECIAL, STATUS, TYPE, BODY, TEXT, UPVALUES = TEXT, LOOP };

typedef struct simple {
  const char *type, *body; /* of strings on the stack; type: NULL for none */
  size_t type_len, body_len;
} simple;

/* Pushes a field of the response as it is in the table: what is missing there is as in a new
 * Response. */
static int field(lua_State *L, int name) {
  lua_pushvalue(L, lua_upvalueindex(name));
  return lua_rawget(L, RESPONSE);
}

static bool is_response(lua_State *L, int idx) {
  return lua_istable(L, idx) && lua_getmetatable(L, idx) &&
         lua_rawequal(L, -1, lua_upvalueindex(CLASS));
}

/* Can it be sent as it is? */
static bool is_plain_type(const char *s, size_t len) {
  return len <= TYPE_MOST && chars_value_span(s, len) == len;
}

static bool of_response(lua_State *L, simple *a) {
  if (!is_response(L, RESPONSE)) return false;
  field(L, SPECIAL);
  if (lua_toboolean(L, -1)) return false;
  int status = field(L, STATUS);
  if (status != LUA_TNIL && lua_tointeger(L, -1) != 200) return false;
  int type = field(L, TYPE);
  if (type == LUA_TSTRING)
    a->type = lua_tolstring(L, -1, &a->type_len);
  else if (type != LUA_TNIL)
    return false;
  if (field(L, BODY) != LUA_TSTRING) return false;
  a->body = lua_tolstring(L, -1, &a->body_len);
  return !a->type || is_plain_type(a->type, a->type_len);
}

static bool is_simple(lua_State *L, simple *a) {
  if (lua_type(L, RESPONSE) == LUA_TSTRING) {
    a->type = lua_tolstring(L, lua_upvalueindex(TEXT), &a->type_len);
    a->body = lua_tolstring(L, RESPONSE, &a->body_len);
  } else if (!of_response(L, a)) {
    return false;
  }
  return a->body_len <= BODY_MOST;
}

/* Is the request one whose answer needs no further look, and can it be written? */
static bool may_answer(const http_parser *p) {
  const h1 *one = &p->h1;
  const aio_stream *s = p->ud.stream;
  return one->state == H1_OTHER && !one->head.response && one->length == 0 &&
         (one->flags & H1_KEEP_ALIVE) && !one->asks_head && s && aio_stream_is_open(s) &&
         !s->end_wanted && !s->write_error && !s->sending_file;
}

static void encode(out *o, date *d, const simple *a, unsigned flags) {
  PUT(o, "HTTP/1.1 200 OK\r\n");
  put_date(o, d);
  PUT(o, "Server: aio\r\n");
  if (a->type) {
    PUT(o, "Content-Type: ");
    put(o, a->type, a->type_len);
    PUT(o, "\r\n");
  }
  PUT(o, "Content-Length: ");
  put_number(o, a->body_len);
  if (flags & H1_HTTP10) PUT(o, "\r\nConnection: keep-alive");
  PUT(o, "\r\n\r\n");
  put(o, a->body, a->body_len);
}

/* answer(parser, response): nothing when it is no simple case, and then nothing was done; else
 * whether the stream is below its mark, and the bytes of the body. An error of the stream shows
 * when it is next written to. [may throw, then nothing was done] */
static int answer(lua_State *L) {
  http_parser *p = http_parser_self(L);
  simple a = {0};
  lua_settop(L, RESPONSE);
  if (!may_answer(p) || !is_simple(L, &a)) return 0;
  out o;
  out_begin(&o, L, lua_gettop(L) + 1);
  encode(&o, lua_touserdata(L, lua_upvalueindex(DATES)), &a, p->h1.flags);
  const aio_api *api = p->ud.tag;
  aio_stream *s = p->ud.stream;
  if (api->stream_write_copied(s, o.ptr, o.len)) return 0;
  h1_next(&p->h1);
  lua_pushboolean(L, s->out.total <= s->high);
  lua_pushinteger(L, (lua_Integer)a.body_len);
  return 2;
}

/* Makes a Response of the string at 1. [may throw] */
static int response_of_text(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, lua_upvalueindex(BODY));
  lua_pushvalue(L, 1);
  lua_rawset(L, -3);
  lua_pushvalue(L, lua_upvalueindex(TYPE));
  lua_pushvalue(L, lua_upvalueindex(TEXT));
  lua_rawset(L, -3);
  lua_pushvalue(L, lua_upvalueindex(CLASS));
  lua_setmetatable(L, -2);
  return 1;
}

/* as_response(value): a string as a Response, a Response as it is, nothing for anything else. */
static int as_response(lua_State *L) {
  lua_settop(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING) return response_of_text(L);
  if (!is_response(L, 1)) return 0;
  lua_settop(L, 1);
  return 1;
}

/* Does what our caller returns go to the server's loop? A middleware that ended with `return
 * next(req)` is no longer on the stack, so it does when the loop is right below our caller. */
static bool is_for_loop(lua_State *L) {
  enum { CALLERS_CALLER = 2 };
  lua_Debug ar;
  if (!lua_getstack(L, CALLERS_CALLER, &ar)) return false;
  lua_getinfo(L, "f", &ar);
  bool yes = lua_rawequal(L, -1, lua_upvalueindex(LOOP));
  lua_pop(L, 1);
  return yes;
}

/* result(value): as as_response, but a string as it is when nobody except the loop will see it. */
static int result(lua_State *L) {
  lua_settop(L, 1);
  return lua_type(L, 1) == LUA_TSTRING && is_for_loop(L) ? 1 : as_response(L);
}

static void push_closure(lua_State *L, lua_CFunction fn) {
  static const char *const known[] = {"_h", "status", "content_type", "body",
                                      "text/plain; charset=utf-8"};
  http_date_push(L);
  lua_pushvalue(L, 1);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) lua_pushstring(L, known[i]);
  if (fn == result) lua_pushvalue(L, 2);
  lua_pushcclosure(L, fn, fn == result ? LOOP : UPVALUES);
}

/* hc.answerer(Response): the functions answer and as_response for this class. */
static int answerer(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  push_closure(L, answer);
  push_closure(L, as_response);
  return 2;
}

/* hc.result_for(Response, loop): the function result for handlers that the function `loop` calls.
 */
static int result_for(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  push_closure(L, result);
  return 1;
}

void http_answer_open(lua_State *L) {
  static const luaL_Reg fns[] = {{"answerer", answerer}, {"result_for", result_for}, {NULL, NULL}};
  luaL_setfuncs(L, fns, 0);
}
