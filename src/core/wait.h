/* SPDX-License-Identifier: MIT
 *
 * What the ready queue holds, and what a suspended task waits for. Everything that can be waited
 * for (sleep, future, lock, queue, read, write) is one `aio_wait` inside the Task, linked into the
 * list of the thing that will wake it. Waking moves it into the loop's ready queue by the same
 * link; so waking and cancelling need no memory and cannot fail.
 *
 * Invariant: a wait in state PENDING may be linked in one list; in state READY it is in the ready
 * queue of its loop; in state IDLE its task runs, or has not started. */
#ifndef AIO_CORE_WAIT_H
#define AIO_CORE_WAIT_H

#include <stdint.h>

#include "base/heap.h"
#include "base/list.h"

typedef struct aio_loop aio_loop;

/* Who runs a ready node. */
enum aio_node_kind {
  AIO_NODE_TASK,     /* a task's wait: resume the task */
  AIO_NODE_CALLBACK, /* a Lua callback (Handle) */
  AIO_NODE_C,        /* an aio_cnode: call its function; knows no Lua */
};

enum aio_node_state { AIO_IDLE, AIO_PENDING, AIO_READY };

typedef struct aio_node {
  aio_link link;
  uint8_t kind;  /* enum aio_node_kind */
  uint8_t state; /* enum aio_node_state */
} aio_node;

typedef struct aio_cnode {
  aio_node node;
  void (*run)(aio_loop *l, struct aio_cnode *self);
  void (*drop)(struct aio_cnode *self); /* instead of run, when the loop closes; may be NULL */
} aio_cnode;

typedef struct aio_wait {
  aio_node node;
  /* Withdraws the wait for a cancellation; true when the cancel was taken (then the wait is READY,
   * or what it waits for has been asked to end). NULL: unlink from the list and wake. */
  bool (*cancel)(struct aio_wait *);
  void *target;    /* what it waits for, for `cancel` and for the continuation */
  aio_timer timer; /* sleeping, or a time limit of a wait */
} aio_wait;

static inline aio_node *aio_node_of(aio_link *l) {
  return AIO_CONTAINER(l, aio_node, link);
}
static inline aio_wait *aio_wait_of(aio_link *l) {
  return AIO_CONTAINER(l, aio_wait, node.link);
}

#endif
