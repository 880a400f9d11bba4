/* SPDX-License-Identifier: MIT
 *
 * Datagram endpoints above their sockets: the queue of received packets, who is woken when, and the
 * way from open to closed. Called by floor 3 and by ports. Invariant: every change that can satisfy
 * a waiter wakes it before the function returns. */
#include "core/datagram.h"

#include <string.h>

static void datagram_detach(aio_object *o);

aio_datagram *aio_datagram_new(aio_loop *l, size_t bound) {
  aio_datagram *d = aio_mem_new(&l->mem, sizeof *d);
  if (!d) return NULL;
  memset(d, 0, sizeof *d);
  d->object.detach = datagram_detach;
  aio_list_push(&l->objects, &d->object.link);
  d->loop = l;
  d->mem = l->mem;
  d->bound = bound;
  aio_link_init(&d->packets);
  aio_link_init(&d->readers);
  aio_link_init(&d->writers);
  aio_link_init(&d->unsent);
  return d;
}

static int set_reading(aio_datagram *d, bool on) {
  if (d->reading == on || !aio_datagram_is_open(d) || (on && d->closing)) return 0;
  int err = aio_dport_read(d->port, on);
  if (!err) d->reading = on;
  return err;
}

int aio_datagram_open(aio_datagram *d, const aio_address *local, const aio_address *peer,
                      const aio_datagram_opts *opts, const char **call) {
  int err = aio_dport_open(d, local, peer, opts, call);
  if (err) return err;
  d->opened = true;
  d->connected = peer != NULL;
  d->loop->live++;
  *call = "recv";
  err = set_reading(d, true);
  if (err) aio_datagram_close(d);
  return err;
}

static void packet_free(aio_datagram *d, aio_packet *p) {
  aio_list_del(&p->link);
  aio_mem_free(&d->mem, p, sizeof *p + p->len);
}

static aio_packet *packet_new(aio_datagram *d, const char *ptr, size_t len) {
  aio_packet *p = aio_mem_new(&d->mem, sizeof *p + len);
  if (!p) return NULL;
  p->len = len;
  memcpy(p->data, ptr, len);
  return p;
}

static void drop_first(aio_datagram *d) {
  d->count--;
  d->gone++;
  packet_free(d, aio_datagram_first(d));
}

static void drop_unsent(aio_datagram *d, aio_packet *p) {
  d->unsent_size -= p->len;
  packet_free(d, p);
}

static aio_packet *first_unsent(const aio_datagram *d) {
  aio_link *p = aio_list_first(&d->unsent);
  return p ? AIO_CONTAINER(p, aio_packet, link) : NULL;
}

static void tell_above(aio_datagram *d) {
  if (d->above) aio_loop_tell(d->loop, d->above);
}

/* Lets go of the port and of everything that hangs on the loop. Wakes nobody. */
static void let_go(aio_datagram *d) {
  if (d->opened) {
    d->loop->live--;
    d->lost = aio_datagram_dropped(d);
    aio_dport_close(d->port);
  }
  d->port = NULL;
  d->closed = true;
  d->reading = false;
  while (d->count) drop_first(d);
  for (aio_packet *p; (p = first_unsent(d));) drop_unsent(d, p);
  aio_list_del(&d->object.link);
  d->loop = NULL;
}

void aio_datagram_close(aio_datagram *d) {
  if (d->closed) return;
  aio_loop *l = d->loop;
  tell_above(d);
  let_go(d);
  aio_wake_all(l, &d->readers);
  aio_wake_all(l, &d->writers);
}

void aio_datagram_finish(aio_datagram *d) {
  if (d->closed) return;
  d->closing = true;
  set_reading(d, false);
  while (d->count) drop_first(d);
  if (!first_unsent(d)) aio_datagram_close(d);
}

void aio_datagram_release(aio_datagram *d) {
  aio_datagram_close(d);
  aio_mem_free(&d->mem, d, sizeof *d);
}

static void unlink_all(aio_link *waiters) {
  while (aio_list_shift(waiters)) {
  }
}

/* The loop closes. Tasks that wait here were dealt with by the scheduler. */
static void datagram_detach(aio_object *o) {
  aio_datagram *d = AIO_CONTAINER(o, aio_datagram, object);
  unlink_all(&d->readers);
  unlink_all(&d->writers);
  let_go(d);
}

/* ---- receiving ---- */

char *aio_packets_get(aio_loop *l) {
  if (!l->packets) l->packets = aio_mem_new(&l->mem, AIO_PACKETS_ROOM);
  return l->packets;
}

void aio_packets_fini(aio_loop *l) {
  aio_mem_free(&l->mem, l->packets, AIO_PACKETS_ROOM);
  l->packets = NULL;
}

void aio_datagram_received(aio_datagram *d, const char *ptr, size_t len, const aio_address *from) {
  aio_packet *p = aio_datagram_room(d) ? packet_new(d, ptr, len) : NULL;
  if (!p) {
    d->lost++;
    return;
  }
  p->from = *from;
  aio_list_push(&d->packets, &p->link);
  d->count++;
  if (aio_datagram_room(d) == 0) set_reading(d, false);
  aio_wake_first(d->loop, &d->readers);
  tell_above(d);
}

/* Reading that was stopped goes on when there is some room again, not at each packet. */
void aio_datagram_consume(aio_datagram *d) {
  drop_first(d);
  if (d->count <= d->bound / 2 && !d->error) set_reading(d, true);
}

int aio_datagram_want(aio_datagram *d) {
  return set_reading(d, true);
}

/* An error may stay where it is: it is told before anything more is read. */
void aio_datagram_failed(aio_datagram *d, int err) {
  d->error = err;
  set_reading(d, false);
  aio_wake_first(d->loop, &d->readers);
  tell_above(d);
}

int aio_datagram_take_error(aio_datagram *d) {
  int err = d->error;
  d->error = 0;
  if (err && aio_datagram_room(d) > 0) set_reading(d, true);
  return err;
}

uint64_t aio_datagram_dropped(const aio_datagram *d) {
  return d->lost + (d->port ? aio_dport_dropped(d->port) : 0);
}

/* ---- sending ---- */

int aio_datagram_send(aio_datagram *d, const char *ptr, size_t len, const aio_address *to) {
  return aio_dport_send(d->port, ptr, len, to);
}

int aio_datagram_leave(aio_datagram *d, const char *ptr, size_t len, const aio_address *to) {
  aio_packet *p = packet_new(d, ptr, len);
  if (!p) return UV_ENOMEM;
  memset(&p->from, 0, sizeof p->from);
  if (to) p->from = *to;
  aio_list_push(&d->unsent, &p->link);
  d->unsent_size += len;
  return 0;
}

static int send_packet(aio_datagram *d, const aio_packet *p) {
  bool addressed = p->from.path_len || p->from.ip.sa.sa_family;
  return aio_dport_send(d->port, p->data, p->len, addressed ? &p->from : NULL);
}

void aio_datagram_writable(aio_datagram *d) {
  int err = 0;
  for (aio_packet *p; (p = first_unsent(d));) {
    int failed = send_packet(d, p);
    if (failed == UV_EAGAIN) break;
    if (failed) err = failed;
    drop_unsent(d, p);
  }
  if (err) aio_datagram_failed(d, err);
  aio_wake_all(d->loop, &d->writers);
  tell_above(d);
  if (d->closing && !first_unsent(d)) aio_datagram_close(d);
}
