/* SPDX-License-Identifier: MIT
 *
 * Compiled files of aio, see the header. Called by workers. The list belongs to the process, since
 * a program may have one executor after another; it is of the first package.path that was asked
 * for, and as long as aio has files. Invariant: an entry is never changed or freed, so what was
 * found under the lock may be read without it. */
#include "bind/chunks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/blob.h"
#include "bind/error.h"

typedef struct chunk {
  struct chunk *next;
  aio_blob code; /* the name, a zero byte, the file, a zero byte, what string.dump gives */
} chunk;

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t lock;
static bool usable;
static char *path; /* package.path of all of them */
static chunk *chunks;

static void init(void) {
  usable = uv_mutex_init(&lock) == 0;
}

static const char *file_of(const chunk *c) {
  return c->code.data + strlen(c->code.data) + 1;
}

/* The lock is held. */
static const chunk *find(const char *name) {
  for (const chunk *c = chunks; c; c = c->next)
    if (strcmp(c->code.data, name) == 0) return c;
  return NULL;
}

/* *ours: what is compiled under this package.path is kept. */
static const chunk *look_up(const char *now, const char *name, bool *ours) {
  uv_once(&once, init);
  *ours = usable;
  if (!usable) return NULL;
  uv_mutex_lock(&lock);
  *ours = !path || strcmp(path, now) == 0;
  const chunk *c = *ours ? find(name) : NULL;
  uv_mutex_unlock(&lock);
  return c;
}

static int write_code(lua_State *L, const void *s, size_t n, void *ud) {
  (void)L;
  return !aio_blob_put(ud, s, n);
}

/* The lock is held. Sees to it that the path is the one of what is kept. */
static bool claim(const char *now) {
  if (!path && (path = malloc(strlen(now) + 1))) strcpy(path, now);
  return path && strcmp(path, now) == 0;
}

/* Keeps the function at the top. When memory is out, the next worker compiles it too. */
static void keep(lua_State *L, const char *now, const char *name, const char *file) {
  chunk *c = calloc(1, sizeof *c);
  bool ok = c && aio_blob_put(&c->code, name, strlen(name) + 1) &&
            aio_blob_put(&c->code, file, strlen(file) + 1) &&
            lua_dump(L, write_code, &c->code, 0) == 0;
  if (ok) {
    uv_mutex_lock(&lock);
    ok = claim(now) && !find(name);
    if (ok) {
      c->next = chunks;
      chunks = c;
    }
    uv_mutex_unlock(&lock);
  }
  if (ok || !c) return;
  aio_blob_fini(&c->code);
  free(c);
}

static int load(lua_State *L, const chunk *c) {
  const char *file = file_of(c), *code = file + strlen(file) + 1;
  size_t len = c->code.size - (size_t)(code - c->code.data);
  if (luaL_loadbufferx(L, code, len, file, "b") != LUA_OK) return lua_error(L);
  lua_pushstring(L, file);
  return 2;
}

static bool is_own(const char *name) {
  return strncmp(name, "aio", 3) == 0 && (name[3] == '\0' || name[3] == '.');
}

/* Lua's searcher says "not found" of a file that it cannot open for want of descriptors. */
static void check_descriptors(lua_State *L, int err) {
  if (err != EMFILE && err != ENFILE) return;
  aio_error_push_os(L, aio_state_of(L), err == EMFILE ? UV_EMFILE : UV_ENFILE, "open");
  lua_error(L);
}

/* A searcher of `require`. Upvalues: Lua's own for Lua files, the table `package`. */
static int searcher(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  if (!is_own(name)) return 0;
  lua_getfield(L, lua_upvalueindex(2), "path");
  const char *now = lua_tostring(L, -1);
  bool ours = false;
  const chunk *c = now ? look_up(now, name, &ours) : NULL;
  if (c) return load(L, c);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, 1);
  errno = 0;
  lua_call(L, 1, 2);
  if (!lua_isfunction(L, -2) || !lua_isstring(L, -1)) {
    check_descriptors(L, errno);
    return 0; /* the others say why */
  }
  if (ours) {
    lua_pushvalue(L, -2);
    keep(L, now, name, lua_tostring(L, -2));
    lua_pop(L, 1);
  }
  return 2;
}

void aio_chunks_open(lua_State *L) {
  enum { LUA_FILES = 2 }; /* the place of Lua's own searcher for them */
  lua_getglobal(L, "package");
  if (lua_getfield(L, -1, "searchers") != LUA_TTABLE) { /* a host's choice */
    lua_pop(L, 2);
    return;
  }
  lua_rawgeti(L, -1, LUA_FILES);
  lua_pushvalue(L, -3);
  lua_pushcclosure(L, searcher, 2);
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, -2); i >= LUA_FILES; i--) {
    lua_rawgeti(L, -2, i);
    lua_rawseti(L, -3, i + 1);
  }
  lua_rawseti(L, -2, LUA_FILES);
  lua_pop(L, 2);
}
