/* SPDX-License-Identifier: MIT
 *
 * A worker: a thread with a Lua state and a loop, which runs the calls of a crew one after the
 * other. Its structure is made by who starts it and freed by who joins it. */
#ifndef AIO_BIND_WORKER_H
#define AIO_BIND_WORKER_H

#include "bind/crew.h"
#include "core/prod.h"

/* Why a prod came. */
enum aio_stop { AIO_STOP_NO, AIO_STOP_CALL, AIO_STOP_ALL };

typedef struct aio_worker {
  aio_crew *crew;
  uv_thread_t thread;
  /* under the lock of the crew: */
  aio_link link, idle;
  aio_port *port; /* not NULL: its loop takes posts */
  aio_prod *prod; /* not NULL: it can be prodded */
  aio_call *call; /* the one that it runs */
  bool poked;     /* `poke` is on its way */
  atomic_int stop;
  aio_cnode poke;
  /* its own: */
  lua_State *L;
  aio_state *st;
  aio_lloop *loop; /* while its main task waits */
  aio_link over;   /* where it waits for the end */
  bool ending;     /* it takes no more calls */
  bool falls;      /* nor after a SystemExit, which goes to the call that it has */
  size_t used;     /* bytes of Lua memory */
} aio_worker;

/* The thread's function. */
void aio_worker_main(void *worker);
/* There is a call in the queue, or the crew is closed: the worker is to look. In the thread of the
 * executor; first, under the lock, the way to it (NULL: it looks anyway), then, better without the
 * lock, which the worker wants at once, the poke itself. */
aio_port *aio_worker_wants_poke(aio_worker *w);
void aio_worker_poke(aio_worker *w, aio_port *port);
/* A call that a worker ran has ended so. Called in its thread. */
void aio_worker_ended(aio_worker *w, aio_call *call, enum aio_call_outcome how);

/* In a signal handler of the worker's thread: see to it that what runs there ends. */
void aio_worker_prodded(void *worker);
/* What is asked of it has happened: takes the hooks off again. */
void aio_worker_unstop(aio_worker *w);
/* What the worker resumes now has to be stopped as well, if it is being stopped. */
void aio_worker_resumes(const aio_worker *w, lua_State *co);
/* Replaces coroutine.resume and wrap by functions that note what they resume. */
void aio_track_open(lua_State *L, aio_state *st);

void aio_worker_open(lua_State *L, aio_state *st);

#endif
