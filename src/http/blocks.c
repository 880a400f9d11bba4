/* SPDX-License-Identifier: MIT
 *
 * What parsers allocate from. The block of a head comes and goes with each message, and as many of
 * them are there at once as connections have become readable; so a state keeps some, which malloc
 * would split and join again each time. Everything else is passed on to Lua's allocator, and so are
 * these when none is kept. Called by parser.c. */
#include "http/parser.h"

#define HTTP_BLOCKS "aio.http.blocks" /* in the registry */

#ifdef AIO_HOSTILE
enum { KEPT = 1 };
#else
enum { KEPT = 256 };
#endif

typedef union block {
  union block *next;
  head_small head;
} block;

_Static_assert(sizeof(block) == sizeof(head_small), "told by its size");

typedef struct blocks {
  aio_mem mem;
  block *first;
  uint32_t n, most;
} blocks;

static void *take(blocks *b) {
  block *one = b->first;
  b->first = one->next;
  b->n--;
  return one;
}

static void keep(blocks *b, block *one) {
  one->next = b->first;
  b->first = one;
  b->n++;
}

static void *allocate(void *ud, void *ptr, size_t old_size, size_t new_size) {
  blocks *b = ud;
  if (!ptr && new_size == sizeof(block) && b->first) return take(b);
  if (ptr && new_size == 0 && old_size == sizeof(block) && b->n < b->most) {
    keep(b, ptr);
    return NULL;
  }
  return b->mem.fn(b->mem.ud, ptr, old_size, new_size);
}

/* The state is being closed. Parsers whose finalizers come later free their blocks themselves. */
static int blocks_gc(lua_State *L) {
  blocks *b = lua_touserdata(L, 1);
  b->most = 0;
  while (b->first) aio_mem_free(&b->mem, take(b), sizeof(block));
  return 0;
}

static void set_finalizer(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, blocks_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
}

void http_blocks_push(lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, HTTP_BLOCKS) == LUA_TUSERDATA) return;
  lua_pop(L, 1);
  blocks *b = lua_newuserdatauv(L, sizeof *b, 0);
  *b = (blocks){.most = KEPT};
  b->mem.fn = lua_getallocf(L, &b->mem.ud);
  set_finalizer(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, HTTP_BLOCKS);
}

aio_mem http_blocks_mem(lua_State *L, int idx) {
  return (aio_mem){allocate, lua_touserdata(L, idx)};
}
