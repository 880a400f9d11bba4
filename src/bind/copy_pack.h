/* SPDX-License-Identifier: MIT
 *
 * What the files that write values into a blob (copy_*.c) share: the copy under way. It is a
 * userdata, so that an error at any point frees it; the state keeps one for the next copy. */
#ifndef AIO_BIND_COPY_PACK_H
#define AIO_BIND_COPY_PACK_H

#include "base/ptrmap.h"
#include "bind/copy.h"

enum { AIO_COPY_STACK = 24 }; /* Lua stack slots that one value needs */

typedef struct aio_copy_origin {
  uint32_t parent; /* the object in which it was met, 0: it is one of the values */
  int root;        /* which one, from 0 */
  bool contents;   /* something is to be written after the values */
} aio_copy_origin;

typedef struct aio_packer {
  aio_blob blob;
  aio_blob code; /* of the function under way */
  aio_ptrmap ids, upvalues;
  aio_ptrmap modules; /* what was found loaded, now or earlier */
  aio_copy_origin *origins;
  uint32_t count, room;
  lua_State *L;
  aio_state *st;
  const void *globals;
  int objects;          /* stack index */
  size_t loaded_before; /* so many were when `modules` was filled */
  lua_Integer loads;    /* aio_state.loads then */
  lua_Integer loaded;   /* the same in this copy, 0: nobody has asked yet */
  /* where we are, for messages */
  aio_copy_names names;
  int root;
  uint32_t current; /* the object whose contents are being written, or 0 */
  int key;          /* stack index of the key, 0: none */
  int upvalue;      /* number of the upvalue, 0: none */
  bool at_key;      /* it is the key itself that is being written */
} aio_packer;

/* Begins a copy of values of the running thread, into `out`; pushes what it needs. [may throw] */
aio_packer *aio_packer_begin(lua_State *L, aio_state *st, aio_copy_names names, aio_blob *out);
/* Ends it; what was written is in `out`. The stack is left. */
void aio_packer_end(aio_packer *p, aio_blob *out);
void aio_packer_open(lua_State *L, aio_state *st);

/* Sees to it that `modules` has all that is loaded. [may throw] */
void aio_packer_modules(aio_packer *p);

/* The value under way cannot cross: raises a message with the path to it. */
void aio_copy_refuse(aio_packer *p, const char *what);

#endif
