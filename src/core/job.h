/* SPDX-License-Identifier: MIT
 *
 * A job for libuv's thread pool: a function that blocks, run in another thread, and who waits for
 * its end. One that runs cannot be cancelled, only abandoned: it is malloc'ed, lives until it
 * returns, and then, abandoned, frees itself without looking at the loop.
 *
 * Jobs are structures that begin with an aio_job. One has an owner, a pointer, who calls
 * aio_job_release once, whether it has ended or not. When the loop closes first, the pointer is set
 * to NULL. */
#ifndef AIO_CORE_JOB_H
#define AIO_CORE_JOB_H

#include <stdatomic.h>

#include "core/loop.h"

typedef struct aio_job aio_job;
struct aio_job {
  aio_object object;
  uv_work_t req;
  aio_loop *loop; /* NULL: it has ended, or was abandoned */
  aio_job **owner;
  aio_link waiters;        /* woken when it ends */
  void (*run)(aio_job *);  /* [any thread] what blocks; may not touch what is above */
  void (*free)(aio_job *); /* frees it and what `run` has left in it, also when that never ran */
  bool done;
  atomic_bool released; /* nobody wants it any more; `run` may look */
};

/* Starts it, its memory cleared but for `run` and `free`, and sets *owner. 0 or an error code; then
 * it is still the caller's. */
int aio_job_start(aio_loop *l, aio_job **owner, aio_job *j);
/* The owner goes. */
void aio_job_release(aio_job *j);

#endif
