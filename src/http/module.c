/* SPDX-License-Identifier: MIT
 *
 * luaopen_aio_http_core: the library aio/http/core.so. Loaded by the files of lua/aio/http. */
#include "http/http.h"

#include "http/forms.h"
#include "proto/llhttp.h"

/* What each file of this floor adds to the module table, in alphabetical order. */
static void (*const openers[])(lua_State *L) =
    {
        http_answer_open,    http_cookie_open,    http_encode_open,
        http_headers_open, /* before the parser */
        http_multipart_open, http_parser_open,    http_url_open,
        http_value_open,     http_websocket_open,
};

AIO_EXPORT int luaopen_aio_http_core(lua_State *L) {
  luaL_checkversion(L);
  http_api(L);
  lua_newtable(L);
  for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) openers[i](L);
#ifdef AIO_LLHTTP
  lua_pushfstring(L, "%d.%d", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR);
  lua_setfield(L, -2, "llhttp");
#endif
  return 1;
}
