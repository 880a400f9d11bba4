/* SPDX-License-Identifier: MIT
 *
 * Digests by OpenSSL, for what is no TLS but needs them: WebSocket's handshake (SHA-1), digest
 * authentication. Called by lua/aio/http. */
#include <openssl/evp.h>

#include "tls/filter.h"

/* tls._digest(name, bytes): the digest as bytes; nil when there is none of that name. */
int tls_digest(lua_State *L) {
  size_t n;
  const char *name = luaL_checkstring(L, 1), *bytes = luaL_checklstring(L, 2, &n);
  unsigned char out[EVP_MAX_MD_SIZE];
  size_t len = 0;
  if (EVP_Q_digest(NULL, name, NULL, bytes, n, out, &len)) {
    lua_pushlstring(L, (const char *)out, len);
  } else {
    tls_clear_errors();
    lua_pushnil(L);
  }
  return 1;
}
