/* SPDX-License-Identifier: MIT
 *
 * Input before a guard page, see the header. */
#include "guard.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/api.h"

/* feed_guarded(sink, bytes): gives the bytes to the sink of a parser as a stream would, the last
 * one in front of a page that nobody may read; how many it used, and whether it is done. */
static int feed_guarded(lua_State *L) {
  const aio_sink_ud *u = lua_touserdata(L, 1);
  size_t len, page = (size_t)sysconf(_SC_PAGESIZE);
  const char *bytes = luaL_checklstring(L, 2, &len);
  size_t size = (len / page + 1) * page;
  luaL_argcheck(L, u, 1, "a parser expected");
  char *block = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return luaL_error(L, "mmap failed");
  mprotect(block + size, page, PROT_NONE);
  char *at = block + size - len;
  memcpy(at, bytes, len);
  bool done = false;
  size_t used = u->sink->feed(u->sink, at, len, &done);
  munmap(block, size + page);
  lua_pushinteger(L, (lua_Integer)used);
  lua_pushboolean(L, done);
  return 2;
}

const luaL_Reg aio_test_guard[] = {{"feed_guarded", feed_guarded}, {NULL, NULL}};
