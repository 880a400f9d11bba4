/* SPDX-License-Identifier: MIT
 *
 * What a class does to take part in aio.select: one table of operations for each thing that can be
 * waited for. The class names them in its metatable field `__select` (aio_class_selectable), with
 * the empty string for what an object alone, `{future}`, means.
 *
 * The object stands at stack index `obj`, the clause's argument (nil when absent) at `obj + 1`. */
#ifndef AIO_BIND_SELECT_H
#define AIO_BIND_SELECT_H

#include "bind/task.h"

typedef struct aio_clause_ops {
  /* Raises when object or argument are of the wrong kind. [may throw] */
  void (*check)(lua_State *L, aio_state *st, int obj);
  /* Takes what is there, pushes the results and returns their count; < 0: it is not there now.
   * `turn`: the clause was woken and now uses its turn. [may throw] */
  int (*take)(lua_State *L, aio_state *st, int obj, bool turn);
  /* Links `w` to where `aio_wake(core, w)` will wake it when it is worth to try again. NULL, or why
   * that is not possible; then nothing has changed. Cannot throw. */
  const char *(*arm)(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w);
  /* The clause was woken, and another one is taken: the turn goes to the next. NULL: no matter.
   * Cannot throw. */
  void (*hand_back)(void *obj);
} aio_clause_ops;

/* Why an object cannot be waited for, with its name. */
#define AIO_FOREIGN_LOOP "%s belongs to another loop; use it in a task of that loop"
#define AIO_OTHER_LOOP                                                                             \
  "%s is used in another loop; an object of synchronisation serves one loop, make one for each"

void aio_select_open(lua_State *L, aio_state *st);

/* For line.c: what the wait of a task in aio.select has as its cancel function; and that its
 * coroutine was closed by somebody (`target`: the wait's). */
bool aio_select_waiting(aio_wait *w);
void aio_select_abandon(void *target);

#endif
