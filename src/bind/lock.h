/* SPDX-License-Identifier: MIT
 *
 * The Lock, as Condition sees it. */
#ifndef AIO_BIND_LOCK_H
#define AIO_BIND_LOCK_H

#include "bind/line.h"

typedef struct aio_lock {
  const void *mark; /* see aio_marked_test */
  aio_line line;
  aio_state *st;
  lua_State *thread; /* the coroutine that acquired it; only compared */
  uint32_t owner;    /* id of the task that did, 0: none */
  uint32_t serial;   /* number of this hold */
  uint32_t last;     /* number of the last hold */
  uint32_t expected; /* the hold that `with` is about to end, else 0 */
  bool locked;
} aio_lock;

enum { AIO_LOCK_UVS = 1 };

extern const char aio_lock_mark;

void aio_lock_open(lua_State *L, aio_state *st);

/* Pushes a new free lock. [may throw] */
aio_lock *aio_lock_new(lua_State *L, aio_state *st);
/* Takes the lock when it is free and nobody waits for it. */
bool aio_lock_try(lua_State *L, aio_lock *k);
/* Takes it; whose turn it is knows that it is free. */
void aio_lock_take(lua_State *L, aio_lock *k);
/* Frees it and gives the first waiter its turn. */
void aio_lock_free(aio_lock *k);
/* The methods acquire, release, locked, with and __close, which Condition has too. */
extern const luaL_Reg aio_lock_methods[];

#endif
