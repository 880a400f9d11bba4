/* SPDX-License-Identifier: MIT
 *
 * What runs a fuzz target: a Lua state with aio built in, and the function of one Lua file, which
 * gets the bytes of each input. AIO_FUZZ_TARGET names the file (without folder and ".lua").
 * libFuzzer calls it in a build with AIO_FUZZ; replay.c calls it with the files of the corpus in
 * every other.
 *
 * Invariant: an input that a target does not get through ends the process by abort(). */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lualib.h>

#include "luaaio.h"

#ifdef AIO_FUZZ_TLS
#include <openssl/rand.h>
#include <string.h>

#include "tls/tls.h"
#endif

#ifdef AIO_FUZZ_HTTP
#include "http/http.h"
#endif

#ifdef AIO_FUZZ_JSON
#include "json/json.h"
#endif

static lua_State *state; /* its stack: the message handler, the target's function */

static size_t bytes_in_use;

static void *allocate(void *ud, void *ptr, size_t old_size, size_t new_size) {
  (void)ud;
  size_t before = ptr ? old_size : 0;
  void *block = NULL;
  if (new_size == 0)
    free(ptr);
  else if (!(block = realloc(ptr, new_size)))
    return NULL;
  bytes_in_use += new_size - before;
  return block;
}

/* memory() -> bytes in use of the Lua state, with all that aio has from it */
static int host_memory(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)bytes_in_use);
  return 1;
}

/* A library beside the core that is built in. */
static void preload(lua_State *L, const char *name, lua_CFunction open) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

#ifdef AIO_FUZZ_TLS

/* ---- the same random numbers for the same input ---- */

static uint64_t random_state;

static int random_bytes(unsigned char *buf, int n) {
  for (int i = 0; i < n; i++) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    buf[i] = (unsigned char)(random_state >> 56);
  }
  return 1;
}

static int random_status(void) {
  return 1;
}

static int random_add(const void *buf, int n, double entropy) {
  (void)buf;
  (void)n;
  (void)entropy;
  return 1;
}

static int random_seed(const void *buf, int n) {
  return random_add(buf, n, 0);
}

/* OpenSSL 3 has providers for this; its old way is enough here, and ten lines. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static void make_predictable(void) {
  static const RAND_METHOD method = {.seed = random_seed,
                                     .bytes = random_bytes,
                                     .add = random_add,
                                     .pseudorand = random_bytes,
                                     .status = random_status};
  RAND_set_rand_method(&method);
}
#pragma GCC diagnostic pop

/* certificate(der) -> what get_extra_info("peercert") would tell of it, or nil */
static int host_certificate(lua_State *L) {
  size_t len;
  const unsigned char *der = (const unsigned char *)luaL_checklstring(L, 1, &len);
  X509 **box = lua_newuserdatauv(L, sizeof *box, 0);
  if (!(*box = d2i_X509(NULL, &der, (long)len))) return 0;
  tls_certificate_push(L, *box);
  X509_free(*box);
  return 1;
}

static void open_tls(lua_State *L) {
  make_predictable();
  preload(L, "aio.tls", luaopen_aio_tls);
}

static void begin_input(void) {
  random_state = 1;
}

#else

static void open_tls(lua_State *L) {
  (void)L;
}

static void begin_input(void) {}

#endif

static void open_http(lua_State *L) {
#ifdef AIO_FUZZ_HTTP
  preload(L, "aio.http.core", luaopen_aio_http_core);
#else
  (void)L;
  (void)preload; /* a build may have none of them */
#endif
}

static void open_json(lua_State *L) {
#ifdef AIO_FUZZ_JSON
  preload(L, "aio.jansson", luaopen_aio_jansson);
#else
  (void)L;
#endif
}

static int open_host(lua_State *L) {
  static const luaL_Reg functions[] = {{"memory", host_memory},
#ifdef AIO_FUZZ_TLS
                                       {"certificate", host_certificate},
#endif
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}

/* ---- the state ---- */

static int traceback(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

/* Returns the target's function, with aio opened. */
static int load_target(lua_State *L) {
  const char *name = lua_tostring(L, 1), *dir = AIO_FUZZ_DIR;
  luaL_openlibs(L);
  luaL_requiref(L, "fuzzhost", open_host, 0);
  open_tls(L);
  open_http(L);
  open_json(L);
  luaopen_aio(L);
  lua_getglobal(L, "package");
  lua_pushfstring(L, "%s/?.lua;%s/../../lua/?.lua", dir, dir);
  lua_setfield(L, -2, "path");
  if (luaL_loadfile(L, lua_pushfstring(L, "%s/%s.lua", dir, name)) != LUA_OK) return lua_error(L);
  lua_call(L, 0, 1);
  luaL_checktype(L, -1, LUA_TFUNCTION);
  return 1;
}

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, lua_tostring(state, -1));
  fflush(NULL);
  abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  const char *name = getenv("AIO_FUZZ_TARGET");
  state = lua_newstate(allocate, NULL);
  if (!state || !name) {
    fprintf(stderr, "AIO_FUZZ_TARGET names the target: read, pair, ...\n");
    exit(EXIT_FAILURE);
  }
  lua_pushcfunction(state, traceback);
  lua_pushcfunction(state, load_target);
  lua_pushstring(state, name);
  if (lua_pcall(state, 1, 1, 1) != LUA_OK) fail("the target");
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  begin_input();
  lua_pushvalue(state, 2);
  lua_pushlstring(state, (const char *)data, size);
  if (lua_pcall(state, 1, 0, 1) != LUA_OK) fail("an input that the target does not get through");
  return 0;
}

size_t aio_fuzz_close(void) {
  lua_close(state);
  state = NULL;
  return bytes_in_use;
}
