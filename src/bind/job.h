/* SPDX-License-Identifier: MIT
 *
 * How a task waits for a job of the thread pool: a userdata at stack slot 1 owns the job. Used by
 * fs.c and the files. The pattern is
 *
 *   aio_task *t = aio_task_waiter(L, st);
 *   aio_job **j = aio_job_push(L, st);
 *   ... start the job, with `j` as its owner
 *   return aio_job_wait(L, t, *j, done_k);
 *
 * and in done_k
 *
 *   aio_job *j = aio_job_resumed(L, ctx);
 *   if (!j) return aio_suspend_again(L, ctx, done_k);
 *   ... push what it has found, aio_job_end(L)
 */
#ifndef AIO_BIND_JOB_H
#define AIO_BIND_JOB_H

#include "bind/task.h"
#include "core/job.h"

void aio_job_open_class(lua_State *L, aio_state *st);
/* Puts a userdata for a job that is to be started at slot 1, below all else. [may throw] */
aio_job **aio_job_push(lua_State *L, const aio_state *st);
/* Waits for the job of slot 1. [yields] */
int aio_job_wait(lua_State *L, aio_task *t, aio_job *j, lua_KFunction k);
/* First call of a continuation: the job, which has ended; NULL: yield again. A cancellation gives
 * the job up and is raised. [may throw] */
aio_job *aio_job_resumed(lua_State *L, lua_KContext ctx);
/* Frees the job of slot 1, now rather than when it is collected. */
void aio_job_end(lua_State *L);

#endif
