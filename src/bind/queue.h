/* SPDX-License-Identifier: MIT
 *
 * A queue as its two files see it: queue.c has the class, queue_items.c where the items are. */
#ifndef AIO_BIND_QUEUE_H
#define AIO_BIND_QUEUE_H

#include "bind/line.h"

enum aio_queue_kind { AIO_QUEUE_FIFO, AIO_QUEUE_LIFO, AIO_QUEUE_PRIORITY };

enum {
  AIO_QUEUE_UV_ITEMS = 2, /* FIFO: a ring, LIFO: a stack, PRIORITY: what aio.priority makes of it */
  AIO_QUEUE_UV_COMPARE,   /* PRIORITY: the user's function, or nil */
  AIO_QUEUE_UVS = 3
};

typedef struct aio_queue {
  const void *mark; /* see aio_marked_test */
  aio_line getters, putters, joiners;
  lua_Integer maxsize;
  lua_Unsigned unfinished; /* items for which task_done has not been called */
  size_t head;             /* FIFO: place of the first item in the ring, from 0 */
  size_t count;            /* items in it */
  size_t room;             /* slots of the table, a power of two */
  uint8_t kind;            /* enum aio_queue_kind */
  bool shut;
  bool busy; /* a compare runs */
} aio_queue;

void aio_queue_open(lua_State *L, aio_state *st);

static inline bool aio_queue_full(const aio_queue *q) {
  return q->maxsize > 0 && q->count >= (size_t)q->maxsize;
}

/* Pushes the table for the items of a new queue. [may throw] */
void aio_items_new(lua_State *L, aio_queue *q);
/* Makes room for one more item than there is; a finalizer may use the queue meanwhile. [may throw]
 */
void aio_items_reserve(lua_State *L, aio_queue *q, int self);
/* The same for a PRIORITY queue: [may throw, then nothing has changed]. */
void aio_items_push(lua_State *L, aio_queue *q, int self, int item);
void aio_items_pop(lua_State *L, aio_queue *q, int self);

/* Slot of the i-th item, from 0. */
static inline lua_Integer aio_items_slot(const aio_queue *q, size_t i) {
  return (lua_Integer)((q->head + i) & (q->room - 1)) + 1;
}

/* Adds the item at `item`; room is reserved. Leaves what it needed on the stack. */
static inline void aio_items_put(lua_State *L, aio_queue *q, int self, int item) {
  if (q->kind == AIO_QUEUE_PRIORITY) {
    aio_items_push(L, q, self, item);
    return;
  }
  lua_getiuservalue(L, self, AIO_QUEUE_UV_ITEMS);
  lua_pushvalue(L, item);
  lua_rawseti(L, -2, aio_items_slot(q, q->count++));
}

/* Takes the next item, of which there is one: it is at the top, what was needed below it. */
static inline void aio_items_get(lua_State *L, aio_queue *q, int self) {
  if (q->kind == AIO_QUEUE_PRIORITY) {
    aio_items_pop(L, q, self);
    return;
  }
  bool fifo = q->kind == AIO_QUEUE_FIFO;
  lua_Integer at = aio_items_slot(q, fifo ? 0 : q->count - 1);
  q->head = (q->head + fifo) & (q->room - 1);
  q->count--;
  lua_getiuservalue(L, self, AIO_QUEUE_UV_ITEMS);
  lua_rawgeti(L, -1, at);
  lua_pushnil(L);
  lua_rawseti(L, -3, at);
}

/* Drops all. [may throw, before] */
void aio_items_clear(lua_State *L, aio_queue *q, int self);

#endif
