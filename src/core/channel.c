/* SPDX-License-Identifier: MIT
 *
 * Channels, see the header. Called by the Lua face of each thread. Lock order: a channel's lock,
 * then those of ports. Invariant: a side in a list of `wanting`, or with a poke under way, is
 * referred to by that. */
#include "core/channel.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { MOST_SPARE = 1024, KEPT_ROOM = 1024 };

struct aio_channel {
  aio_channel_ref ref;
  size_t capacity;
  uv_mutex_t lock;
  aio_link parcels;    /* under the lock, as all below */
  atomic_size_t count; /* these two are read without it as well, for a guess */
  atomic_bool closed;
  aio_link spare; /* parcels that were read, for the next messages */
  size_t nspare;
  aio_link wanting[AIO_ENDS]; /* of side_end.link */
};

typedef struct side_end {
  aio_link link; /* in the channel's list; under its lock */
  bool under_way;
  aio_cnode poke;
  enum aio_channel_end end;
  struct aio_side *side;
} side_end;

struct aio_side {
  atomic_uint refs;
  aio_channel *channel;
  aio_port *port;
  side_end ends[AIO_ENDS];
  /* the loop's thread's: */
  aio_object object;
  aio_loop *core; /* NULL: closed, or the side was freed */
  bool counted;   /* in the loop's `remotes` */
  void (*poked)(void *owner, enum aio_channel_end end);
  void *owner; /* NULL: freed */
};

/* ---- channels ---- */

aio_channel *aio_channel_new(size_t capacity) {
  aio_channel *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  if (!aio_channel_ref_init(&c->ref) || uv_mutex_init(&c->lock)) {
    free(c);
    return NULL;
  }
  c->capacity = capacity;
  atomic_init(&c->count, 0);
  atomic_init(&c->closed, false);
  aio_link_init(&c->parcels);
  aio_link_init(&c->spare);
  for (int i = 0; i < AIO_ENDS; i++) aio_link_init(&c->wanting[i]);
  return c;
}

static aio_channel *channel_of(aio_channel_ref *r) {
  return AIO_CONTAINER(r, aio_channel, ref);
}

aio_channel *aio_channel_retain(aio_channel *c) {
  aio_channel_ref_retain(&c->ref);
  return c;
}

void aio_channel_release(aio_channel *c) {
  aio_channel_ref_release(&c->ref);
}

aio_carried *aio_channel_carry(aio_channel *c) {
  return aio_carried_new(&c->ref);
}

aio_channel *aio_channel_carried(const aio_carried *c) {
  return channel_of(c->what);
}

/* ---- parcels ---- */

aio_parcel *aio_parcel_new(void) {
  aio_parcel *p = calloc(1, sizeof *p);
  if (p) aio_link_init(&p->link);
  return p;
}

void aio_parcel_free(aio_parcel *p) {
  aio_blob_fini(&p->blob);
  free(p);
}

void aio_parcel_empty(aio_parcel *p) {
  if (p->blob.room > KEPT_ROOM)
    aio_blob_fini(&p->blob);
  else
    aio_blob_clear(&p->blob);
}

static void free_parcels(aio_link *list) {
  for (aio_link *p; (p = aio_list_shift(list));)
    aio_parcel_free(AIO_CONTAINER(p, aio_parcel, link));
}

/* The channels in a parcel that is going into the queue of `c`, or that has come out of it. */
static void enter(aio_channel *c, const aio_parcel *p) {
  if (p->kind) return;
  for (uint32_t i = 0; i < p->blob.nparts; i++)
    if (p->blob.parts[i].release == aio_carried_free)
      aio_carried_enter(p->blob.parts[i].p, &c->ref);
}

static void leave(const aio_parcel *p) {
  if (p->kind) return;
  for (uint32_t i = 0; i < p->blob.nparts; i++)
    if (p->blob.parts[i].release == aio_carried_free) aio_carried_leave(p->blob.parts[i].p);
}

void aio_channel_drain(aio_channel_ref *r) {
  free_parcels(&channel_of(r)->parcels);
}

void aio_channel_free(aio_channel_ref *r) {
  aio_channel *c = channel_of(r);
  free_parcels(&c->spare);
  uv_mutex_destroy(&c->lock);
  free(c);
}

size_t aio_channel_capacity(const aio_channel *c) {
  return c->capacity;
}

static size_t ready(aio_channel *c, enum aio_channel_end end) {
  if (atomic_load_explicit(&c->closed, memory_order_relaxed)) return SIZE_MAX;
  size_t count = atomic_load_explicit(&c->count, memory_order_relaxed);
  if (end == AIO_RECEIVE) return count;
  return count < c->capacity ? c->capacity - count : 0;
}

/* The lock is held. */
static size_t set_count(aio_channel *c, size_t count) {
  atomic_store_explicit(&c->count, count, memory_order_relaxed);
  return count;
}

static void side_release(aio_side *s) {
  if (atomic_fetch_sub(&s->refs, 1) > 1) return;
  aio_port_release(s->port);
  aio_channel_release(s->channel);
  free(s);
}

/* The lock is held. Pokes the first side that wants this. References that are given up go to
 * `gone`, to be released without the lock. */
static void poke_first(aio_channel *c, enum aio_channel_end end, aio_link *gone) {
  for (aio_link *p; (p = aio_list_shift(&c->wanting[end]));) {
    side_end *e = AIO_CONTAINER(p, side_end, link);
    e->under_way = aio_port_post(e->side->port, &e->poke);
    if (e->under_way) return; /* its reference is now the post's */
    aio_list_push(gone, &e->link);
  }
}

static void release_all(aio_link *gone) {
  for (aio_link *p; (p = aio_list_shift(gone));)
    side_release(AIO_CONTAINER(p, side_end, link)->side);
}

enum aio_channel_status aio_channel_put(aio_channel *c, aio_parcel *p, aio_parcel **spare) {
  aio_link gone;
  aio_link_init(&gone);
  enter(c, p);
  uv_mutex_lock(&c->lock);
  enum aio_channel_status status = c->closed                 ? AIO_CHANNEL_CLOSED
                                   : c->count >= c->capacity ? AIO_CHANNEL_WAIT
                                                             : AIO_CHANNEL_DONE;
  if (status == AIO_CHANNEL_DONE) {
    aio_list_push(&c->parcels, &p->link);
    set_count(c, c->count + 1);
    aio_link *back = *spare ? NULL : aio_list_shift(&c->spare);
    if (back) {
      *spare = AIO_CONTAINER(back, aio_parcel, link);
      c->nspare--;
    }
    poke_first(c, AIO_RECEIVE, &gone);
  }
  uv_mutex_unlock(&c->lock);
  if (status != AIO_CHANNEL_DONE) leave(p);
  release_all(&gone);
  return status;
}

/* The lock is held. What is too much stays with the caller. */
static void give_back(aio_channel *c, aio_parcel **used) {
  if (!*used || c->nspare == MOST_SPARE) return;
  aio_list_push(&c->spare, &(*used)->link);
  c->nspare++;
  *used = NULL;
}

enum aio_channel_status aio_channel_take(aio_channel *c, aio_parcel **parcel, aio_parcel **used) {
  aio_link gone;
  aio_link_init(&gone);
  uv_mutex_lock(&c->lock);
  give_back(c, used);
  aio_link *p = aio_list_shift(&c->parcels);
  bool closed = c->closed;
  if (p && set_count(c, c->count - 1) < c->capacity) poke_first(c, AIO_SEND, &gone);
  uv_mutex_unlock(&c->lock);
  release_all(&gone);
  if (!p) return closed ? AIO_CHANNEL_CLOSED : AIO_CHANNEL_WAIT;
  *parcel = AIO_CONTAINER(p, aio_parcel, link);
  leave(*parcel);
  return AIO_CHANNEL_DONE;
}

void aio_channel_untake(aio_channel *c, aio_parcel *p) {
  aio_link gone;
  aio_link_init(&gone);
  enter(c, p);
  uv_mutex_lock(&c->lock);
  aio_list_push(c->parcels.next, &p->link); /* before the first */
  set_count(c, c->count + 1);
  poke_first(c, AIO_RECEIVE, &gone);
  uv_mutex_unlock(&c->lock);
  release_all(&gone);
}

bool aio_channel_close(aio_channel *c) {
  aio_link gone;
  aio_link_init(&gone);
  uv_mutex_lock(&c->lock);
  bool was_open = !c->closed;
  c->closed = true;
  for (int i = 0; i < AIO_ENDS; i++)
    while (!aio_list_empty(&c->wanting[i])) poke_first(c, (enum aio_channel_end)i, &gone);
  uv_mutex_unlock(&c->lock);
  release_all(&gone);
  return was_open;
}

size_t aio_channel_count(aio_channel *c) {
  return atomic_load_explicit(&c->count, memory_order_relaxed);
}

bool aio_channel_closed(aio_channel *c) {
  return atomic_load_explicit(&c->closed, memory_order_relaxed);
}

size_t aio_channel_ready(aio_channel *c, enum aio_channel_end end) {
  return ready(c, end);
}

void aio_channel_pass(aio_channel *c, enum aio_channel_end end) {
  aio_link gone;
  aio_link_init(&gone);
  uv_mutex_lock(&c->lock);
  if (ready(c, end) > 0) poke_first(c, end, &gone);
  uv_mutex_unlock(&c->lock);
  release_all(&gone);
}

/* ---- sides ---- */

/* A poke has come, or its loop is closed. */
static void arrived(side_end *e, bool live) {
  aio_side *s = e->side;
  uv_mutex_lock(&s->channel->lock);
  e->under_way = false;
  uv_mutex_unlock(&s->channel->lock);
  if (live && s->owner)
    s->poked(s->owner, e->end);
  else
    aio_channel_pass(s->channel, e->end);
  side_release(s);
}

static void poke_run(aio_loop *core, aio_cnode *n) {
  (void)core;
  arrived(AIO_CONTAINER(n, side_end, poke), true);
}

static void poke_drop(aio_cnode *n) {
  arrived(AIO_CONTAINER(n, side_end, poke), false);
}

static void uncount(aio_side *s) {
  if (s->counted) s->core->remotes--;
  s->counted = false;
}

/* Takes the side off the channel's lists. */
static void unlist(aio_side *s) {
  aio_link gone;
  aio_link_init(&gone);
  uv_mutex_lock(&s->channel->lock);
  for (int i = 0; i < AIO_ENDS; i++) {
    if (!aio_link_linked(&s->ends[i].link)) continue;
    aio_list_del(&s->ends[i].link);
    aio_list_push(&gone, &s->ends[i].link);
  }
  uv_mutex_unlock(&s->channel->lock);
  release_all(&gone);
}

static void let_go(aio_side *s) {
  if (!s->core) return;
  uncount(s);
  aio_list_del(&s->object.link);
  s->core = NULL;
  unlist(s);
}

static void side_detach(aio_object *o) {
  let_go(AIO_CONTAINER(o, aio_side, object));
}

aio_side *aio_side_new(aio_channel *c, aio_loop *core,
                       void (*poked)(void *owner, enum aio_channel_end end), void *owner) {
  aio_side *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->port = aio_port_get(core);
  if (!s->port) {
    free(s);
    return NULL;
  }
  atomic_init(&s->refs, 1);
  s->channel = aio_channel_retain(c);
  for (int i = 0; i < AIO_ENDS; i++) {
    side_end *e = &s->ends[i];
    aio_link_init(&e->link);
    e->poke.run = poke_run;
    e->poke.drop = poke_drop;
    e->end = (enum aio_channel_end)i;
    e->side = s;
  }
  s->core = core;
  s->object.detach = side_detach;
  aio_list_push(&core->objects, &s->object.link);
  s->poked = poked;
  s->owner = owner;
  return s;
}

void aio_side_free(aio_side *s) {
  let_go(s);
  s->owner = NULL;
  side_release(s);
}

bool aio_side_is_of(const aio_side *s, const aio_loop *core) {
  return s->core == core;
}

bool aio_side_want(aio_side *s, enum aio_channel_end end, size_t given) {
  side_end *e = &s->ends[end];
  uv_mutex_lock(&s->channel->lock);
  bool wants = ready(s->channel, end) <= given;
  if (wants && !e->under_way && !aio_link_linked(&e->link)) {
    atomic_fetch_add(&s->refs, 1);
    aio_list_push(&s->channel->wanting[end], &e->link);
  }
  uv_mutex_unlock(&s->channel->lock);
  if (wants && !s->counted) {
    s->counted = true;
    s->core->remotes++;
  }
  return wants;
}

void aio_side_rest(aio_side *s) {
  if (s->core) uncount(s);
}
