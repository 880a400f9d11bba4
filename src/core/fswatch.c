/* SPDX-License-Identifier: MIT
 *
 * Watches over uv_fs_event, see the header. */
#include "core/fswatch.h"

#include <string.h>

/* ---- the queue ---- */

aio_fsevent *aio_fswatch_first(const aio_fswatch *w) {
  aio_link *first = aio_list_first(&w->events);
  return first ? AIO_CONTAINER(first, aio_fsevent, link) : NULL;
}

void aio_fswatch_drop(aio_fswatch *w, aio_fsevent *e) {
  aio_list_del(&e->link);
  w->count--;
  aio_mem_free(&w->mem, e, e->size);
}

static void drop_all(aio_fswatch *w) {
  for (aio_fsevent *e; (e = aio_fswatch_first(w));) aio_fswatch_drop(w, e);
}

/* An editor that saves makes many of the same. */
static bool is_repeated(const aio_fswatch *w, const char *name, enum aio_fswatch_type type,
                        bool inside) {
  if (aio_list_empty(&w->events)) return false;
  const aio_fsevent *last = AIO_CONTAINER(w->events.prev, aio_fsevent, link);
  return last->type == type && last->inside == inside && strcmp(last->name, name) == 0;
}

/* When memory is out the event is lost, unless there is one that stands for all. */
static void push(aio_fswatch *w, const char *name, enum aio_fswatch_type type, bool inside) {
  if (is_repeated(w, name, type, inside)) return;
  size_t size = sizeof(aio_fsevent) + strlen(name);
  aio_fsevent *e = aio_mem_new(&w->mem, size);
  if (!e) {
    e = aio_fswatch_first(w);
    if (e) e->type = AIO_FSWATCH_OVERFLOW;
  } else {
    e->size = size;
    e->type = type;
    e->inside = inside;
    strcpy(e->name, name);
    aio_link_init(&e->link);
    aio_list_push(&w->events, &e->link);
    w->count++;
  }
  aio_wake_all(w->loop, &w->waiters);
}

static void note(aio_fswatch *w, const char *name, int events, bool inside) {
  aio_fsevent *first = aio_fswatch_first(w);
  if (first && first->type == AIO_FSWATCH_OVERFLOW) return; /* it stands for this one too */
  if (w->count >= AIO_FSWATCH_EVENTS) {
    drop_all(w);
    push(w, w->base, AIO_FSWATCH_OVERFLOW, false);
    return;
  }
  push(w, name, events & UV_RENAME ? AIO_FSWATCH_RENAME : AIO_FSWATCH_CHANGE, inside);
}

/* ---- events ---- */

static void on_inner(uv_fs_event_t *h, const char *name, int events, int status) {
  aio_fswatch *w = AIO_CONTAINER(h, aio_fswatch_part, handle)->watch;
  if (!w->loop) return;
  if (status < 0 || !name)
    note(w, w->base, UV_RENAME, false);
  else
    note(w, name, events, true);
}

/* The folder of that name may be another one by now, or none. */
static void begin_anew(aio_fswatch *w) {
  uv_fs_event_stop(&w->inner.handle);
  uv_fs_event_start(&w->inner.handle, on_inner, w->path, 0);
}

static void on_outer(uv_fs_event_t *h, const char *name, int events, int status) {
  aio_fswatch *w = AIO_CONTAINER(h, aio_fswatch_part, handle)->watch;
  if (!w->loop || (status >= 0 && name && strcmp(name, w->base) != 0)) return;
  if (w->is_folder && (events & UV_RENAME)) begin_anew(w);
  note(w, w->base, status < 0 ? UV_RENAME : events, false);
}

/* ---- life ---- */

static void free_gone(aio_fswatch *w) {
  if (!w->released || w->handles) return;
  drop_all(w);
  aio_mem_free(&w->mem, w, w->size);
}

static void on_closed(uv_handle_t *h) {
  aio_fswatch *w = AIO_CONTAINER(h, aio_fswatch_part, handle)->watch;
  w->handles--;
  free_gone(w);
}

static void let_go(aio_fswatch *w) {
  aio_list_del(&w->object.link);
  w->loop->live--;
  w->loop = NULL;
  uv_close((uv_handle_t *)&w->inner.handle, on_closed);
  uv_close((uv_handle_t *)&w->outer.handle, on_closed);
}

static void fswatch_detach(aio_object *o) {
  aio_fswatch *w = AIO_CONTAINER(o, aio_fswatch, object);
  while (aio_list_shift(&w->waiters)) {
  }
  let_go(w);
}

void aio_fswatch_close(aio_fswatch *w) {
  if (!w->loop) return;
  drop_all(w);
  aio_wake_all(w->loop, &w->waiters);
  let_go(w);
}

void aio_fswatch_release(aio_fswatch *w) {
  aio_fswatch_close(w);
  w->released = true;
  free_gone(w);
}

static void part_init(aio_fswatch *w, aio_fswatch_part *p) {
  p->watch = w;
  uv_fs_event_init(&w->loop->uv, &p->handle);
  w->handles++;
}

aio_fswatch *aio_fswatch_new(aio_loop *l, const char *path, const char *folder, const char *base,
                             bool is_folder, int *err) {
  size_t n = strlen(path) + 1, nbase = strlen(base) + 1, size = sizeof(aio_fswatch) + n + nbase;
  aio_fswatch *w = aio_mem_new(&l->mem, size);
  *err = UV_ENOMEM;
  if (!w) return NULL;
  memset(w, 0, sizeof *w);
  w->size = size;
  w->path = memcpy((char *)(w + 1), path, n);
  w->base = memcpy(w->path + n, base, nbase);
  w->mem = l->mem;
  w->loop = l;
  w->is_folder = is_folder;
  w->object.detach = fswatch_detach;
  aio_link_init(&w->events);
  aio_link_init(&w->waiters);
  aio_list_push(&l->objects, &w->object.link);
  l->live++;
  part_init(w, &w->inner);
  part_init(w, &w->outer);
  *err = uv_fs_event_start(&w->outer.handle, on_outer, folder, 0);
  if (!*err && is_folder) *err = uv_fs_event_start(&w->inner.handle, on_inner, path, 0);
  if (!*err) return w;
  aio_fswatch_release(w);
  return NULL;
}
