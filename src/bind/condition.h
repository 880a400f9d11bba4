/* SPDX-License-Identifier: MIT
 *
 * The Condition: a lock and a line of tasks that wait to be notified. */
#ifndef AIO_BIND_CONDITION_H
#define AIO_BIND_CONDITION_H

#include "bind/lock.h"

extern const char aio_condition_mark;

typedef struct aio_condition {
  const void *mark; /* see aio_marked_test */
  aio_line line;
  aio_lock *lock; /* in the user value */
} aio_condition;

enum { AIO_CONDITION_UV_LOCK = 2, AIO_CONDITION_UVS = 2 };

void aio_condition_open(lua_State *L, aio_state *st);

#endif
