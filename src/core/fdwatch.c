/* SPDX-License-Identifier: MIT
 *
 * What watches have on every system. Called by fdwatch_unix.c and fdwatch_uv.c. */
#include "core/fdwatch.h"

#include <string.h>

static void fdwatch_detach(aio_object *o) {
  aio_fdwatch *w = AIO_CONTAINER(o, aio_fdwatch, object);
  aio_fdwatch_ask(w, 0);
  aio_list_del(&w->object.link);
  w->loop = NULL;
}

void aio_fdwatch_init(aio_fdwatch *w, aio_loop *l, aio_sock fd) {
  memset(w, 0, sizeof *w);
  aio_link_init(&w->asking);
  w->object.detach = fdwatch_detach;
  w->loop = l;
  w->mem = l->mem;
  w->fd = fd;
  aio_list_push(&l->objects, &w->object.link);
}
