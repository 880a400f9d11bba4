/* SPDX-License-Identifier: MIT
 *
 * The crew of an executor: its queue of calls and its worker threads. malloc'ed and counted, since
 * a worker that is busy may outlive the executor. All fields below `lock` are under it; the locks
 * of ports may be taken while it is held, never the other way round.
 *
 * A worker takes calls out of the queue itself, so the thread that made them may be busy. One that
 * finds none stands among the idle ones, and is poked when there is one. The last that a worker
 * does is to stand among the dead ones, who are joined by the thread of the executor, or, without
 * one, by nobody. */
#ifndef AIO_BIND_CREW_H
#define AIO_BIND_CREW_H

#include <stdatomic.h>

#include "bind/call.h"

typedef struct aio_crew {
  atomic_uint refs;
  /* set before the first worker starts: */
  aio_blob setup; /* preloaded modules, initializer */
  char *path, *cpath;
  struct aio_crew_loader {
    char *name;
    lua_CFunction open;
  } * loaders; /* C functions of package.preload */
  unsigned nloaders;
  void (*preload)(lua_State *L);
  int (*worker_open)(void *ud, lua_State *L);
  void *ud;
  uint32_t denied;
  size_t memory_limit; /* bytes, 0: none */
  unsigned max;

  uv_mutex_t lock;
  aio_link queue;   /* of aio_call.link */
  aio_link idle;    /* of aio_worker.idle */
  aio_link workers; /* of aio_worker.link */
  aio_link dead;    /* the same */
  unsigned count;   /* of living workers */
  unsigned nidle;
  bool closed;   /* no more calls; who finds the queue empty ends */
  bool orphaned; /* no executor any more: nobody joins */
  struct aio_crew_watch
      *watches; /* one for each loop that is to hear of the next end of a worker */

  /* the executor's thread's: */
  aio_link joiners; /* of aio_node.link: who waits until all workers have ended;
                       of any loop of this thread */
} aio_crew;

/* Tells a loop that a worker has ended; posted once, then its loop frees it. It refers to the crew
 * and the port. */
typedef struct aio_crew_watch {
  aio_cnode node;
  struct aio_crew_watch *next;
  aio_crew *crew;
  aio_port *port;
} aio_crew_watch;

void aio_crew_release(aio_crew *crew); /* [any thread] */

/* A worker has ended: posts all watches; the lock is held, and the caller refers to the crew. */
void aio_crew_tell(aio_crew *crew);

/* Starts a worker; the lock is held. 0 or libuv's error code. */
int aio_crew_hire(aio_crew *crew);

void aio_crew_open(lua_State *L, aio_state *st);

#endif
