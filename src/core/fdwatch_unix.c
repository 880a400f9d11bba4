/* SPDX-License-Identifier: MIT
 *
 * Watches on Linux: an epoll queue of our own, whose descriptor libuv polls. The kernel is told of
 * every change at once, so a bad descriptor is an error of the one who asks.
 *
 * The queue knows open files, not numbers: one that was closed while it is open elsewhere, in a
 * child or by another number, stays in it, and no call can reach it there. Then the queue is
 * `stale`, and before anything is taken out of it, it is replaced by a new one. Invariant: a queue
 * that is not stale has no pointers but those of the watches in `asking`. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "core/fdwatch.h"

enum { EVENTS_AT_ONCE = 64 };

struct aio_fdset {
  aio_object object;
  uv_poll_t poll;
  aio_loop *loop;
  int epfd;
  aio_link asking; /* of aio_fdwatch.asking */
  bool stale;
};

/* Every watch whose descriptor has an error or was hung up is ready for all that it asks. */
static unsigned events_of(const aio_fdwatch *w, uint32_t got) {
  unsigned events = 0;
  if (got & (EPOLLERR | EPOLLHUP)) return w->asked;
  if (got & EPOLLIN) events |= UV_READABLE;
  if (got & EPOLLOUT) events |= UV_WRITABLE;
  return events & w->asked;
}

static void note_asked(aio_fdwatch *w, unsigned events) {
  if (!events == !w->asked) {
    w->asked = (uint8_t)events;
    return;
  }
  w->asked = (uint8_t)events;
  w->loop->live += events ? 1 : (unsigned)-1;
  aio_list_del(&w->asking);
  if (events) aio_list_push(&w->loop->fdset->asking, &w->asking);
}

static int control(aio_fdwatch *w, int op, unsigned events) {
  struct aio_fdset *set = w->loop->fdset;
  struct epoll_event e = {.events = 0, .data.ptr = w};
  if (events & UV_READABLE) e.events |= EPOLLIN;
  if (events & UV_WRITABLE) e.events |= EPOLLOUT;
  if (epoll_ctl(set->epfd, op, w->fd, &e) == 0) return 0;
  if (op != EPOLL_CTL_ADD) set->stale = true;
  return -errno;
}

/* All watches into the new queue. One that cannot be there reports a last time, so that whoever
 * waits learns from the descriptor what it is. */
static void add_again(struct aio_fdset *set) {
  aio_link old;
  aio_link_init(&old);
  aio_list_splice(&old, &set->asking);
  for (aio_link *l; (l = aio_list_shift(&old));) {
    aio_fdwatch *w = AIO_CONTAINER(l, aio_fdwatch, asking);
    unsigned asked = w->asked;
    aio_list_push(&set->asking, l);
    if (control(w, EPOLL_CTL_ADD, asked) == 0) continue;
    note_asked(w, 0);
    w->fire(w, asked);
  }
}

static void on_poll(uv_poll_t *p, int status, int events);

/* Puts a new queue where the old one was, by the same number. False when the system has none: then
 * libuv calls again. */
static bool renew(struct aio_fdset *set) {
  int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return false;
  uv_poll_stop(&set->poll);
  bool ok = dup3(fd, set->epfd, O_CLOEXEC) >= 0;
  close(fd);
  uv_poll_start(&set->poll, UV_READABLE, on_poll);
  set->loop->watchers_changed = true;
  if (!ok) return false;
  set->stale = false;
  add_again(set);
  return true;
}

static void on_poll(uv_poll_t *p, int status, int events) {
  (void)status;
  (void)events;
  struct aio_fdset *set = AIO_CONTAINER(p, struct aio_fdset, poll);
  if (set->stale && !renew(set)) return;
  struct epoll_event got[EVENTS_AT_ONCE];
  int n = epoll_wait(set->epfd, got, EVENTS_AT_ONCE, 0);
  for (int i = 0; i < n; i++) {
    aio_fdwatch *w = got[i].data.ptr;
    unsigned ready = events_of(w, got[i].events);
    if (ready) w->fire(w, ready);
  }
}

/* ---- the queue of a loop ---- */

static void set_free(struct aio_fdset *set) {
  aio_mem_free(&set->loop->mem, set, sizeof *set);
}

static void on_closed(uv_handle_t *h) {
  set_free(AIO_CONTAINER(h, struct aio_fdset, poll));
}

static void set_detach(aio_object *o) {
  struct aio_fdset *set = AIO_CONTAINER(o, struct aio_fdset, object);
  aio_list_del(&set->object.link);
  set->loop->fdset = NULL;
  while (aio_list_shift(&set->asking)) {
  }
  uv_close((uv_handle_t *)&set->poll, on_closed);
  close(set->epfd);
}

static int set_open(struct aio_fdset *set) {
  set->epfd = epoll_create1(EPOLL_CLOEXEC);
  if (set->epfd < 0) return -errno;
  int err = uv_poll_init(&set->loop->uv, &set->poll, set->epfd);
  if (err) {
    close(set->epfd);
    return err;
  }
  err = uv_poll_start(&set->poll, UV_READABLE, on_poll);
  if (err) set_detach(&set->object);
  return err;
}

/* The loop's queue, made at the first call. */
static int set_get(aio_loop *l) {
  if (l->fdset) return 0;
  struct aio_fdset *set = aio_mem_new(&l->mem, sizeof *set);
  if (!set) return UV_ENOMEM;
  memset(set, 0, sizeof *set);
  set->loop = l;
  set->object.detach = set_detach;
  aio_link_init(&set->asking);
  aio_link_init(&set->object.link);
  int err = set_open(set);
  if (err) {
    if (!uv_is_closing((uv_handle_t *)&set->poll)) set_free(set); /* else libuv still has it */
    return err;
  }
  aio_list_push(&l->objects, &set->object.link);
  l->fdset = set;
  return 0;
}

/* ---- watches ---- */

aio_fdwatch *aio_fdwatch_new(aio_loop *l, aio_sock fd, int *err) {
  *err = set_get(l);
  if (*err) return NULL;
  aio_fdwatch *w = aio_mem_new(&l->mem, sizeof *w);
  *err = w ? 0 : UV_ENOMEM;
  if (w) aio_fdwatch_init(w, l, fd);
  return w;
}

/* The number may belong to another file by now, which the queue does not know. */
static int change(aio_fdwatch *w, unsigned events) {
  int err = control(w, w->asked ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, events);
  if (err == UV_ENOENT) return control(w, EPOLL_CTL_ADD, events);
  if (err == UV_EEXIST) return control(w, EPOLL_CTL_MOD, events);
  return err;
}

int aio_fdwatch_ask(aio_fdwatch *w, unsigned events) {
  if (!w->loop) return 0;
  int err = 0;
  if (events) {
    err = change(w, events);
    /* What is gone cannot report: only who asks for more wants to know. */
    if (err && (events & ~(unsigned)w->asked)) return err;
    w->loop->watchers_changed = true;
  } else if (w->asked && w->loop->fdset) {
    control(w, EPOLL_CTL_DEL, 0);
  }
  note_asked(w, events);
  return 0;
}

void aio_fdwatch_free(aio_fdwatch *w) {
  if (w->loop) w->object.detach(&w->object);
  aio_mem_free(&w->mem, w, sizeof *w);
}
