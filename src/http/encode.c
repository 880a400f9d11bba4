/* SPDX-License-Identifier: MIT
 *
 * The head of a message to be sent, as one string. Everything that comes from the user is checked
 * here once more, at the last door: no CR, LF, NUL or other control character gets out, and no
 * framing but that which the caller means. Called by lua/aio/http. */
#include <string.h>

#include "http/headers.h"
#include "http/out.h"
#include "proto/chars.h"
#include "proto/h1.h"
#include "proto/reason.h"

/* ---- fields ---- */

/* What the user has given, so that it is not given twice. */
typedef struct given {
  bool date, server, connection, type, host;
  bool framed; /* by the caller: no Content-Length of the user; a Transfer-Encoding never is */
} given;

static int refuse(lua_State *L, const char *what, const char *s, size_t len) {
  char excerpt[64];
  chars_excerpt(excerpt, sizeof excerpt, s, len);
  lua_pushfstring(L, "%s: \"%s\"", what, excerpt);
  return lua_error(L);
}

/* Is it one that we should otherwise write? */
static void note(lua_State *L, given *g, const char *name, size_t len) {
  bool framing = false;
  switch (len) {
  case 4:
    if (chars_same(name, "date", len)) g->date = true;
    if (chars_same(name, "host", len)) {
      if (g->host) refuse(L, "the header Host is given twice", name, len);
      g->host = true;
    }
    break;
  case 6:
    if (chars_same(name, "server", len)) g->server = true;
    break;
  case 10:
    if (chars_same(name, "connection", len)) g->connection = true;
    break;
  case 12:
    if (chars_same(name, "content-type", len)) g->type = true;
    break;
  case 14:
    framing = g->framed && chars_same(name, "content-length", len);
    break;
  case 17:
    framing = chars_same(name, "transfer-encoding", len);
  }
  if (framing)
    refuse(L, "the length of the body is not for a header to say; leave it out", name, len);
}

static void put_field(out *o, given *g, const char *name, size_t len, const char *value, size_t n) {
  if (len == 0 || chars_span(name, len, CHARS_TOKEN) < len)
    refuse(o->L, "a header with a name that is no token", name, len);
  if (chars_span(value, n, CHARS_VALUE) < n)
    refuse(o->L, "a header with a control character in its value", name, len);
  note(o->L, g, name, len);
  put(o, name, len);
  PUT(o, ": ");
  put(o, value, n);
  PUT(o, "\r\n");
}

/* name, value, name, value... in the array at `idx`. */
static void put_array(out *o, given *g, int idx) {
  lua_State *L = o->L;
  lua_Integer n = (lua_Integer)lua_rawlen(L, idx);
  for (lua_Integer i = 1; i <= n; i += 2) {
    size_t len, vlen;
    int name = lua_rawgeti(L, idx, i), value = lua_rawgeti(L, idx, i + 1);
    if (name != LUA_TSTRING) {
      lua_pushfstring(L, "headers are a list of names and values; item %d is a %s", (int)i,
                      lua_typename(L, name));
      lua_error(L);
    }
    if (value != LUA_TSTRING && value != LUA_TNUMBER)
      refuse(L, "a header with a value that is no string and no number", lua_tostring(L, -2),
             lua_rawlen(L, -2));
    const char *s = lua_tolstring(L, -2, &len), *v = lua_tolstring(L, -1, &vlen);
    put_field(o, g, s, len, v, vlen);
    lua_pop(L, 2);
  }
}

/* Headers in any of their shapes, at `idx`. */
static void put_headers(out *o, given *g, int idx) {
  if (lua_isnil(o->L, idx)) return;
  if (lua_istable(o->L, idx)) {
    put_array(o, g, idx);
    return;
  }
  const http_headers *h = http_headers_test(o->L, idx);
  if (!h) luaL_argerror(o->L, idx, "headers, or a list of names and values, expected");
  const char *text = http_headers_text(h);
  for (uint32_t i = 0; i < h->n; i++) {
    const head_field *f = &h->fields[i];
    put_field(o, g, text + f->name, f->name_len, text + f->value, f->value_len);
  }
}

/* ---- what both kinds end with ---- */

/* Stack of both: first line's two, host or reason..., see the callers. */
typedef struct tail {
  int type, length, flags; /* arguments */
  int body;                /* 0: none */
} tail;

static void put_type(out *o, const given *g, int idx) {
  size_t len;
  const char *s = lua_tolstring(o->L, idx, &len);
  if (!s || g->type) return;
  if (chars_span(s, len, CHARS_VALUE) < len)
    refuse(o->L, "a content type with a control character", s, len);
  PUT(o, "Content-Type: ");
  put(o, s, len);
  PUT(o, "\r\n");
}

static void put_length(out *o, int idx) {
  if (lua_isnil(o->L, idx)) return;
  lua_Integer n = luaL_checkinteger(o->L, idx);
  luaL_argcheck(o->L, n >= H1_CHUNKED, idx, "a length, -1 for chunks, or nil expected");
  if (n == H1_CHUNKED) {
    PUT(o, "Transfer-Encoding: chunked\r\n");
    return;
  }
  PUT(o, "Content-Length: ");
  put_number(o, (lua_Unsigned)n);
  PUT(o, "\r\n");
}

static void put_connection(out *o, const given *g, lua_Integer flags) {
  if (g->connection) return;
  if (!(flags & H1_KEEP_ALIVE))
    PUT(o, "Connection: close\r\n");
  else if (flags & H1_HTTP10)
    PUT(o, "Connection: keep-alive\r\n");
}

static int finish(out *o, const given *g, const tail *t) {
  put_type(o, g, t->type);
  put_length(o, t->length);
  put_connection(o, g, lua_tointeger(o->L, t->flags));
  PUT(o, "\r\n");
  size_t len = 0;
  const char *body = t->body ? lua_tolstring(o->L, t->body, &len) : NULL;
  if (body) put(o, body, len);
  lua_pushlstring(o->L, o->ptr, o->len);
  return 1;
}

/* ---- responses ---- */

static void put_status(out *o, int status, int reason) {
  lua_Integer n = luaL_checkinteger(o->L, status);
  luaL_argcheck(o->L, n >= 100 && n <= 999, status, "a status from 100 to 999 expected");
  if (n == 200 && lua_isnil(o->L, reason)) {
    PUT(o, "HTTP/1.1 200 OK\r\n");
    return;
  }
  size_t len;
  const char *s = lua_isnil(o->L, reason) ? reason_of((int)n) : luaL_checkstring(o->L, reason);
  len = lua_isnil(o->L, reason) ? strlen(s) : lua_rawlen(o->L, reason);
  if (chars_span(s, len, CHARS_VALUE) < len)
    refuse(o->L, "a reason with a control character", s, len);
  PUT(o, "HTTP/1.1 ");
  put_number(o, (lua_Unsigned)n);
  PUT(o, " ");
  put(o, s, len);
  PUT(o, "\r\n");
}

/* hc.response_head(status, reason or nil, headers or nil, content type or nil, length, flags, body
 * or nil); the length is -1 for chunks, nil when the headers say it or there is none; a body (a
 * short one) is put behind. Upvalue 1 is the date. */
static int response_head(lua_State *L) {
  enum { STATUS = 1, REASON, HEADERS, TYPE, LENGTH, FLAGS, BODY, BLOCK };
  out o;
  out_begin(&o, L, BLOCK);
  lua_Integer status = lua_tointeger(L, STATUS);
  given g = {.framed = !lua_isnil(L, LENGTH) || status < 200 || status == 204};
  put_status(&o, STATUS, REASON);
  put_headers(&o, &g, HEADERS);
  if (!g.date) put_date(&o, lua_touserdata(L, lua_upvalueindex(1)));
  if (!g.server) PUT(&o, "Server: aio\r\n");
  return finish(&o, &g, &(tail){TYPE, LENGTH, FLAGS, BODY});
}

/* ---- requests ---- */

static void put_request_line(out *o, int method, int target) {
  size_t mlen, tlen;
  const char *m = luaL_checklstring(o->L, method, &mlen);
  const char *t = luaL_checklstring(o->L, target, &tlen);
  if (mlen == 0 || chars_span(m, mlen, CHARS_TOKEN) < mlen)
    refuse(o->L, "a method that is no token", m, mlen);
  if (tlen == 0 || chars_span(t, tlen, CHARS_VISIBLE) < tlen)
    refuse(o->L, "a target with a byte that must be percent-encoded", t, tlen);
  put(o, m, mlen);
  PUT(o, " ");
  put(o, t, tlen);
  PUT(o, " HTTP/1.1\r\n");
}

static void put_host(out *o, given *g, int host) {
  size_t len;
  const char *s = lua_tolstring(o->L, host, &len);
  if (!s) return;
  if (len == 0 || chars_span(s, len, CHARS_HOST) < len) refuse(o->L, "a host that is none", s, len);
  put_field(o, g, "Host", 4, s, len);
}

/* hc.request_head(method, target, host or nil, headers or nil, content type or nil, length, flags)
 */
static int request_head(lua_State *L) {
  enum { METHOD = 1, TARGET, HOST, HEADERS, TYPE, LENGTH, FLAGS, BLOCK };
  out o;
  out_begin(&o, L, BLOCK);
  given g = {.framed = true};
  put_request_line(&o, METHOD, TARGET);
  put_host(&o, &g, HOST);
  put_headers(&o, &g, HEADERS);
  return finish(&o, &g, &(tail){TYPE, LENGTH, FLAGS, 0});
}

/* hc.reason(status): the usual words, "" for none. */
static int reason(lua_State *L) {
  lua_pushstring(L, reason_of((int)luaL_checkinteger(L, 1)));
  return 1;
}

void http_encode_open(lua_State *L) {
  static const luaL_Reg fns[] = {{"request_head", request_head}, {"reason", reason}, {NULL, NULL}};
  luaL_setfuncs(L, fns, 0);
  http_date_push(L);
  lua_pushcclosure(L, response_head, 1);
  lua_setfield(L, -2, "response_head");
}
