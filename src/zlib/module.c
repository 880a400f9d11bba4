/* SPDX-License-Identifier: MIT
 *
 * luaopen_aio_zlib, and what both directions share: memory, input, output. Invariant: every block
 * that zlib asks for has its size in front, since the state's allocator wants it back. */
#include <limits.h>

#include "zlib/codec.h"

enum { BLOCK_HEAD = 16 }; /* keeps the alignment of malloc */
enum { FIRST_ROOM = LUAL_BUFFERSIZE, MOST_ROOM = 1 << 20 };

static voidpf block_new(voidpf mem, uInt items, uInt size) {
  size_t n = (size_t)items * size + BLOCK_HEAD;
  char *p = aio_mem_new(mem, n);
  if (!p) return Z_NULL;
  *(size_t *)(void *)p = n;
  return p + BLOCK_HEAD;
}

static void block_free(voidpf mem, voidpf block) {
  char *p = (char *)block - BLOCK_HEAD;
  aio_mem_free(mem, p, *(size_t *)(void *)p);
}

void codec_set_memory(lua_State *L, z_stream *z, aio_mem *mem) {
  mem->fn = lua_getallocf(L, &mem->ud);
  z->zalloc = block_new;
  z->zfree = block_free;
  z->opaque = mem;
}

int codec_check_bits(lua_State *L, int idx, int least) {
  lua_Integer bits = luaL_optinteger(L, idx, CODEC_BITS_MAX);
  if (bits < least || bits > CODEC_BITS_MAX) {
    lua_pushfstring(L, "window bits from %d to %d expected, got %I", least, CODEC_BITS_MAX, bits);
    luaL_argerror(L, idx, lua_tostring(L, -1));
  }
  return (int)bits;
}

void codec_refill(z_stream *z, codec_input *in) {
  static const unsigned char message_end[] = {0, 0, 0xff, 0xff};
  if (z->avail_in > 0) return;
  if (in->left > 0) {
    z->next_in = (const Bytef *)in->at;
    z->avail_in = in->left < UINT_MAX ? (uInt)in->left : UINT_MAX;
    in->at += z->avail_in;
    in->left -= z->avail_in;
  } else if (in->tail) {
    z->next_in = message_end;
    z->avail_in = sizeof message_end;
    in->tail = false;
  }
}

void codec_room(luaL_Buffer *b, z_stream *z, size_t done, size_t most) {
  size_t n = done < FIRST_ROOM ? FIRST_ROOM : done < MOST_ROOM ? done : MOST_ROOM;
  if (n > most) n = most;
  z->next_out = (Bytef *)luaL_prepbuffsize(b, n);
  z->avail_out = (uInt)n;
}

AIO_EXPORT int luaopen_aio_zlib(lua_State *L) {
  luaL_checkversion(L);
  lua_createtable(L, 0, 2);
  codec_inflate_open(L);
  codec_deflate_open(L);
  return 1;
}
