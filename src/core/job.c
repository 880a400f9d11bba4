/* SPDX-License-Identifier: MIT
 *
 * Jobs, see the header. The Lua face starts and releases them, libuv ends them. Invariant: a job is
 * in its loop's list of objects, and counted in `live`, exactly while `loop` is set. */
#include "core/job.h"

static void let_go(aio_job *j) {
  if (!j->loop) return;
  aio_list_del(&j->object.link);
  j->loop->live--;
  j->loop = NULL;
}

/* One that has not begun is taken back. */
static void abandon(aio_job *j) {
  j->released = true;
  let_go(j);
  uv_cancel((uv_req_t *)&j->req);
}

static void job_detach(aio_object *o) {
  aio_job *j = AIO_CONTAINER(o, aio_job, object);
  while (aio_list_shift(&j->waiters)) {
  }
  *j->owner = NULL;
  abandon(j);
}

static void on_work(uv_work_t *req) {
  aio_job *j = AIO_CONTAINER(req, aio_job, req);
  j->run(j);
}

static void on_ended(uv_work_t *req, int status) {
  (void)status; /* UV_ECANCELED only of what was released */
  aio_job *j = AIO_CONTAINER(req, aio_job, req);
  aio_loop *l = j->loop;
  j->done = true;
  let_go(j);
  if (j->released)
    j->free(j);
  else if (l)
    aio_wake_all(l, &j->waiters);
}

int aio_job_start(aio_loop *l, aio_job **owner, aio_job *j) {
  aio_link_init(&j->waiters);
  int err = uv_queue_work(&l->uv, &j->req, on_work, on_ended);
  if (err) return err;
  j->object.detach = job_detach;
  j->loop = l;
  j->owner = owner;
  *owner = j;
  aio_list_push(&l->objects, &j->object.link);
  l->live++;
  return 0;
}

void aio_job_release(aio_job *j) {
  if (j->done)
    j->free(j);
  else
    abandon(j);
}
