/* SPDX-License-Identifier: MIT
 *
 * The faces for URLs, cookies, values of headers and multipart bodies: what module.c opens of them.
 * Each adds its functions to the module table at the top of the stack. [may throw] */
#ifndef AIO_HTTP_FORMS_H
#define AIO_HTTP_FORMS_H

#include <lauxlib.h>
#include <lua.h>

void http_cookie_open(lua_State *L);
void http_multipart_open(lua_State *L);
void http_url_open(lua_State *L);
void http_value_open(lua_State *L);

#endif
