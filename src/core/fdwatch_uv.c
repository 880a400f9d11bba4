/* SPDX-License-Identifier: MIT
 *
 * Watches over libuv's uv_poll_t, where there is no epoll. Invariant: the libuv handle, which
 * closes later, is a block of its own. */
#include "core/fdwatch.h"

typedef struct uv_watch {
  aio_fdwatch watch;
  struct uv_part *part;
} uv_watch;

typedef struct uv_part {
  uv_poll_t poll;
  aio_loop *loop;
  aio_fdwatch *watch; /* NULL once it is closing */
} uv_part;

static void on_poll(uv_poll_t *p, int status, int events) {
  aio_fdwatch *w = AIO_CONTAINER(p, uv_part, poll)->watch;
  if (w) w->fire(w, status < 0 ? w->asked : (unsigned)events & w->asked);
}

static void part_free(uv_part *p) {
  aio_mem_free(&p->loop->mem, p, sizeof *p);
}

static void on_closed(uv_handle_t *h) {
  part_free(AIO_CONTAINER(h, uv_part, poll));
}

static void part_close(uv_watch *u) {
  if (!u->part) return;
  u->part->watch = NULL;
  uv_close((uv_handle_t *)&u->part->poll, on_closed);
  u->part = NULL;
}

/* libuv asks the system whether the descriptor can be watched at all. */
static int part_open(uv_watch *u) {
  aio_loop *l = u->watch.loop;
  uv_part *p = aio_mem_new(&l->mem, sizeof *p);
  if (!p) return UV_ENOMEM;
  p->loop = l;
  p->watch = &u->watch;
  int err = uv_poll_init_socket(&l->uv, &p->poll, u->watch.fd);
  if (err)
    part_free(p);
  else
    u->part = p;
  return err;
}

aio_fdwatch *aio_fdwatch_new(aio_loop *l, aio_sock fd, int *err) {
  uv_watch *u = aio_mem_new(&l->mem, sizeof *u);
  *err = UV_ENOMEM;
  if (!u) return NULL;
  aio_fdwatch_init(&u->watch, l, fd);
  u->part = NULL;
  *err = 0;
  return &u->watch;
}

/* A new handle whenever more is asked for, so that libuv looks at the descriptor anew. */
int aio_fdwatch_ask(aio_fdwatch *w, unsigned events) {
  uv_watch *u = AIO_CONTAINER(w, uv_watch, watch);
  if (!w->loop) return 0;
  if (!events || (events & ~(unsigned)w->asked)) part_close(u);
  int err = events && !u->part ? part_open(u) : 0;
  if (!err && events) err = uv_poll_start(&u->part->poll, (int)events, on_poll);
  if (err) {
    part_close(u);
    events = 0;
  }
  w->loop->watchers_changed = true;
  if (!events != !w->asked) w->loop->live += events ? 1 : (unsigned)-1;
  w->asked = (uint8_t)events;
  return err;
}

void aio_fdwatch_free(aio_fdwatch *w) {
  if (w->loop) w->object.detach(&w->object);
  aio_mem_free(&w->mem, AIO_CONTAINER(w, uv_watch, watch), sizeof(uv_watch));
}
