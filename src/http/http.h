/* SPDX-License-Identifier: MIT
 *
 * aio/http/core.so: the Lua face of src/proto, for lua/aio/http. A library of its own; of the core
 * it knows the headers of floors 0 to 2 and the struct aio_api that it is given when it is opened.
 * Each file here adds its functions to the module table by an opener, see module.c. */
#ifndef AIO_HTTP_HTTP_H
#define AIO_HTTP_HTTP_H

#include <lauxlib.h>
#include <lua.h>

#include "base/export.h"
#include "beside/core_api.h"

AIO_EXPORT int luaopen_aio_http_core(lua_State *L);

/* Openers: the module table is at the top, and stays there. [may throw] */
void http_answer_open(lua_State *L);    /* answer.c */
void http_encode_open(lua_State *L);    /* encode.c */
void http_headers_open(lua_State *L);   /* headers.c */
void http_parser_open(lua_State *L);    /* parser.c, after headers.c */
void http_websocket_open(lua_State *L); /* websocket.c */

/* The functions of the core. [may throw] */
static inline const aio_api *http_api(lua_State *L) {
  return aio_core_api(L, "aio/http/core.so");
}

#endif
