/* SPDX-License-Identifier: MIT
 *
 * Descriptors that libuv polls, see the header. Sources call it, the loop calls `join` before it
 * polls, libuv calls on_event. */
#include "core/poll_unix.h"

#include <errno.h>
#include <sys/stat.h>

static void on_event(uv_poll_t *h, int status, int events) {
  aio_poll *p = AIO_CONTAINER(h, aio_poll, handle);
  p->loop->events++;
  if (status < 0) {
    events = p->wanted;
    p->asked = 0;
    aio_poll_ask(p, 0);
  }
  p->ops->ready(p, status, events);
}

int aio_poll_meet(aio_poll *p) {
  int err = uv_poll_init(&p->loop->uv, &p->handle, p->fd);
  p->known = !err;
  return err;
}

/* What the kernel would say: a file can be put where a socket was. libuv has just asked it when a
 * descriptor becomes known. */
static int look(const aio_poll *p) {
  struct stat st;
  if (fstat(p->fd, &st) < 0) return -errno;
  return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? UV_EPERM : 0;
}

static int tell(aio_poll *p) {
  if (!p->wanted) return p->known ? uv_poll_stop(&p->handle) : 0;
  int err = p->known ? look(p) : aio_poll_meet(p);
  return err ? err : uv_poll_start(&p->handle, p->wanted, on_event);
}

static void join(aio_joiner *j) {
  aio_poll *p = AIO_CONTAINER(j, aio_poll, joiner);
  int err = tell(p);
  if (!err) {
    p->asked = p->wanted;
    return;
  }
  if (p->known) uv_poll_stop(&p->handle);
  p->asked = p->wanted = 0;
  p->ops->refused(p, err);
}

void aio_poll_init(aio_poll *p, aio_loop *l, int fd, const aio_poll_ops *ops) {
  p->joiner.join = join;
  aio_link_init(&p->joiner.link);
  p->ops = ops;
  p->loop = l;
  p->fd = fd;
  p->wanted = p->asked = 0;
  p->known = false;
}

void aio_poll_ask(aio_poll *p, unsigned events) {
  p->wanted = (uint8_t)events;
  aio_list_del(&p->joiner.link);
  if (p->wanted == p->asked) return;
  aio_list_push(&p->loop->joining, &p->joiner.link);
  p->loop->watchers_changed = true;
}

static void on_closed(uv_handle_t *h) {
  aio_poll *p = AIO_CONTAINER(h, aio_poll, handle);
  p->ops->closed(p);
}

void aio_poll_close(aio_poll *p) {
  aio_list_del(&p->joiner.link);
  if (p->known)
    uv_close((uv_handle_t *)&p->handle, on_closed);
  else
    p->ops->closed(p);
}
