/* SPDX-License-Identifier: MIT
 *
 * The owners of jobs, see the header. Invariant: the userdata exists before its job does. */
#include "bind/job.h"

enum { JOB = 1 };

static int job_gc(lua_State *L) {
  aio_job_end(L);
  return 0;
}

void aio_job_open_class(lua_State *L, aio_state *st) {
  static const luaL_Reg meta[] = {{"__gc", job_gc}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_JOB, "Job", NULL, meta);
  lua_pop(L, 1);
}

aio_job **aio_job_push(lua_State *L, const aio_state *st) {
  aio_job **j = aio_object_new(L, st, AIO_REF_JOB, sizeof *j, 0);
  lua_insert(L, JOB);
  return j;
}

int aio_job_wait(lua_State *L, aio_task *t, aio_job *j, lua_KFunction k) {
  aio_task_hold(L, t, JOB);
  return aio_task_suspend(L, t, &j->waiters, NULL, k);
}

void aio_job_end(lua_State *L) {
  aio_job **j = lua_touserdata(L, JOB);
  if (*j) aio_job_release(*j);
  *j = NULL;
}

aio_job *aio_job_resumed(lua_State *L, lua_KContext ctx) {
  const aio_task *t = (aio_task *)ctx;
  if (t->wait.node.state == AIO_IDLE && aio_task_cancel_due(t)) aio_job_end(L);
  if (!aio_task_resumed(L, ctx)) return NULL;
  return *(aio_job **)lua_touserdata(L, JOB);
}
