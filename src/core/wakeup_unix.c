/* SPDX-License-Identifier: MIT
 *
 * Waking on Unix: an eventfd, or a pipe where there is none. Called by core/loop.c. */
#include "core/wakeup.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

static int open_fds(int fds[2]) {
#ifdef __linux__
  fds[0] = fds[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fds[0] < 0 ? uv_translate_sys_error(errno) : 0;
#else
  return uv_pipe(fds, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE);
#endif
}

void aio_wakeup_fini(aio_wakeup *w) {
  close(w->fds[0]);
  if (w->fds[1] != w->fds[0]) close(w->fds[1]);
}

/* An eventfd is empty after one read, a pipe perhaps not; then this is called again. */
static void on_readable(uv_poll_t *p, int status, int events) {
  (void)status;
  (void)events;
  aio_wakeup *w = p->data;
  uint64_t some[8];
  if (read(w->fds[0], some, sizeof some) < 0 && errno != EAGAIN && errno != EINTR)
    uv_poll_stop(p); /* cannot happen; to be asked again for ever would be worse */
  w->woken(w->arg);
}

int aio_wakeup_init(uv_loop_t *uv, aio_wakeup *w, void (*woken)(void *arg), void *arg) {
  int err = open_fds(w->fds);
  if (err) return err;
  if ((err = uv_poll_init(uv, &w->poll, w->fds[0]))) {
    aio_wakeup_fini(w);
    return err;
  }
  w->poll.data = w;
  w->woken = woken;
  w->arg = arg;
  return uv_poll_start(&w->poll, UV_READABLE, on_readable);
}

void aio_wakeup_send(aio_wakeup *w) {
  static const uint64_t one = 1;
  int saved = errno; /* that of the code which a signal has interrupted */
  while (write(w->fds[1], &one, sizeof one) < 0 && errno == EINTR) {
  }
  errno = saved;
}
