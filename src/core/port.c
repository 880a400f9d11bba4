/* SPDX-License-Identifier: MIT
 *
 * Ports, see the header. The loop itself holds one reference and gives it back when it closes. */
#include "core/port.h"

#include <stdatomic.h>
#include <stdlib.h>

struct aio_port {
  aio_object object; /* so that the loop's close is noticed */
  uv_mutex_t lock;
  aio_loop *loop;
  atomic_uint refs;
};

void aio_port_retain(aio_port *p) {
  atomic_fetch_add(&p->refs, 1);
}

void aio_port_release(aio_port *p) {
  if (atomic_fetch_sub(&p->refs, 1) > 1) return;
  uv_mutex_destroy(&p->lock);
  free(p);
}

static void port_detach(aio_object *o) {
  aio_port *p = AIO_CONTAINER(o, aio_port, object);
  aio_list_del(&o->link);
  uv_mutex_lock(&p->lock);
  p->loop->port = NULL;
  p->loop = NULL;
  uv_mutex_unlock(&p->lock);
  aio_port_release(p);
}

aio_port *aio_port_get(aio_loop *l) {
  aio_port *p = l->port;
  if (!p) {
    p = calloc(1, sizeof *p);
    if (!p) return NULL;
    if (uv_mutex_init(&p->lock)) {
      free(p);
      return NULL;
    }
    p->object.detach = port_detach;
    p->loop = l;
    atomic_init(&p->refs, 1);
    aio_list_push(&l->objects, &p->object.link);
    l->port = p;
  }
  atomic_fetch_add(&p->refs, 1);
  return p;
}

bool aio_port_post(aio_port *p, aio_cnode *c) {
  uv_mutex_lock(&p->lock);
  bool taken = p->loop && aio_loop_post(p->loop, c);
  uv_mutex_unlock(&p->lock);
  return taken;
}
