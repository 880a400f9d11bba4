/* SPDX-License-Identifier: MIT
 *
 * The watcher's thread and its arming, see the header. Arming a watcher that waits already, for the
 * same time or a later one, makes no system call: an idle step stays cheap. */
#include "core/watcher.h"

#include <stdlib.h>

static const double NS_PER_S = 1e9;

static double now(void) {
  return (double)uv_hrtime() / NS_PER_S;
}

static double rest(const aio_watcher *w) {
  if (w->deadline < 0) return -1;
  double s = w->deadline - now();
  return s > 0 ? s : 0;
}

/* Waits once, without the lock. True when the host is to be called. */
static bool wait_once(aio_watcher *w) {
  double timeout = rest(w);
  bool expired;
  if (timeout == 0) return true;
  w->waiting = true;
  uv_mutex_unlock(&w->lock);
  bool ready = aio_watcher_sys_wait(w, timeout, &expired);
  uv_mutex_lock(&w->lock);
  w->waiting = false;
  return ready || (expired && rest(w) == 0); /* the deadline may have moved away meanwhile */
}

static void watch(void *arg) {
  aio_watcher *w = arg;
  uv_mutex_lock(&w->lock);
  while (!w->quit) {
    if (!w->armed) {
      uv_cond_wait(&w->changed, &w->lock);
      continue;
    }
    if (!wait_once(w) || w->quit) continue;
    w->armed = false;
    uv_mutex_unlock(&w->lock);
    w->ready(w->ud);
    uv_mutex_lock(&w->lock);
  }
  uv_mutex_unlock(&w->lock);
}

static int start(aio_watcher *w) {
  int err = uv_mutex_init(&w->lock);
  if (err) return err;
  err = uv_cond_init(&w->changed);
  if (!err) {
    err = aio_watcher_sys_init(w);
    if (!err) {
      err = uv_thread_create(&w->thread, watch, w);
      if (err) aio_watcher_sys_fini(w);
    }
    if (err) uv_cond_destroy(&w->changed);
  }
  if (err) uv_mutex_destroy(&w->lock);
  return err;
}

aio_watcher *aio_watcher_new(aio_loop *l, void (*ready)(void *ud), void *ud, int *err) {
  aio_watcher *w = calloc(1, sizeof *w);
  *err = UV_ENOMEM;
  if (!w) return NULL;
  w->loop = l;
  w->ready = ready;
  w->ud = ud;
  *err = start(w);
  if (!*err) return w;
  free(w);
  return NULL;
}

static void nudge(aio_watcher *w) {
  if (w->waiting)
    aio_watcher_sys_wake(w);
  else
    uv_cond_signal(&w->changed);
}

void aio_watcher_arm(aio_watcher *w, double deadline) {
  uv_mutex_lock(&w->lock);
  bool earlier = deadline >= 0 && (w->deadline < 0 || deadline < w->deadline);
  bool tell = !w->armed || earlier;
  w->armed = true;
  w->deadline = deadline;
  if (tell) nudge(w);
  uv_mutex_unlock(&w->lock);
}

void aio_watcher_free(aio_watcher *w) {
  if (!w) return;
  uv_mutex_lock(&w->lock);
  w->quit = true;
  nudge(w);
  uv_mutex_unlock(&w->lock);
  uv_thread_join(&w->thread);
  aio_watcher_sys_fini(w);
  uv_cond_destroy(&w->changed);
  uv_mutex_destroy(&w->lock);
  free(w);
}
