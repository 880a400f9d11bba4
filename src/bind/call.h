/* SPDX-License-Identifier: MIT
 *
 * A call of a function in another thread: copied arguments go there, copied results or the error
 * come back into a future. It is malloc'ed and counted; the side of the caller, the side that is
 * called and every posted node hold a reference each.
 *
 * Whose is what: `promise`, `args` and `outcome` belong to the side that is called once the call
 * has been handed over, until the outcome is handed back; what is below "the side that is called"
 * to its thread; what is below "an executor's" to its lock. */
#ifndef AIO_BIND_CALL_H
#define AIO_BIND_CALL_H

#include <stdatomic.h>

#include "base/blob.h"
#include "bind/copy.h"
#include "bind/lloop.h"
#include "bind/promise.h"
#include "core/port.h"

enum aio_call_outcome {
  AIO_CALL_VALUES,
  AIO_CALL_ERROR, /* the error, and where it was raised */
  AIO_CALL_CANCELLED,
  AIO_CALL_NOMEM,     /* memory ran out over there */
  AIO_CALL_ABANDONED, /* the loop was closed */
  AIO_CALL_MESSAGE,   /* what went wrong, as text */
};

typedef struct aio_call {
  atomic_uint refs;
  aio_promise *promise; /* NULL once the outcome is handed back */
  aio_blob args;        /* context or nil, function, arguments */
  aio_blob outcome;
  uint8_t how; /* enum aio_call_outcome */
  aio_cnode arrive, cancel;
  aio_port *to; /* of a call into a loop */

  /* an executor's */
  aio_link link;
  struct aio_crew *crew;
  struct aio_worker *worker; /* who runs it */
  bool over;                 /* nobody else will answer it */
  bool cancelled;            /* `cancel` was posted */

  /* the side that is called */
  aio_lloop *loop;
  aio_task *task; /* NULL before and after */
  uint32_t slot;  /* of the box whose user value is the task */
  bool stopped;   /* it was cancelled in the middle of a step */
  aio_cnode ended;
  aio_object object;
} aio_call;

/* Pushes a box with a new call in it, whose arguments are the `n` values from index `first` on:
 * context or nil, function, arguments. `number` is that of the function in messages. The caller
 * refers to it while the box is on the stack. [may throw] */
aio_call *aio_call_new(lua_State *L, aio_state *st, int first, int n, aio_copy_names names);
/* Pushes the future of a new call. [may throw] */
void aio_call_future(lua_State *L, aio_call *call, void (*gone)(void *ud, bool unwanted));
void aio_call_retain(aio_call *call);  /* [any thread] */
void aio_call_release(aio_call *call); /* [any thread] */

/* In the thread that is called: starts the task. False: it has been answered already. Takes over
 * the reference of the side that is called. Cannot throw. */
bool aio_call_begin(lua_State *L, aio_lloop *l, aio_call *call);
/* Its task, if it has begun, is nothing to it any more: somebody else answers. Cannot throw. */
void aio_call_disown(lua_State *L, aio_call *call);
/* Asks its task to cancel. Cannot throw. */
void aio_call_cancel(lua_State *L, aio_call *call);
/* Hands the outcome back, and gives the reference up. [any thread] */
void aio_call_answer(aio_call *call, enum aio_call_outcome how);
/* Writes the error at the top (popped) as the outcome, and hands it back. Cannot throw. */
void aio_call_answer_error(lua_State *L, aio_call *call);

/* Hands a RuntimeError with this message back. Cannot throw. */
void aio_call_answer_message(aio_call *call, const char *message);

void aio_call_open(lua_State *L, aio_state *st);

#endif
