/* SPDX-License-Identifier: MIT
 *
 * A channel: a bounded queue of parcels between threads. Knows no Lua: a parcel is a blob.
 * malloc'ed and counted.
 *
 * Threads wait by sides: a side is what one loop has of a channel. While tasks of the loop wait to
 * receive (send), the side *wants* it: it stands in the channel's list. Who puts (takes) a parcel
 * pokes the first side of that list, by a post to its loop, and takes it off the list. A poked side
 * must, sooner or later, want again, or take (put), or pass the poke on; so none is lost.
 *
 * Invariant: no side wants what is ready beyond the turns that it has given. */
#ifndef AIO_CORE_CHANNEL_H
#define AIO_CORE_CHANNEL_H

#include "base/blob.h"
#include "core/channel_ref.h"
#include "core/port.h"

enum aio_channel_end { AIO_RECEIVE, AIO_SEND, AIO_ENDS };

typedef struct aio_parcel {
  aio_link link;
  uint8_t kind; /* whatever the sender says; 0: what there is stands in the blob */
  union {
    int64_t integer;
    double number;
  } plain; /* beside the link, so that a number takes one line of the cache to the other thread */
  aio_blob blob;
} aio_parcel;

typedef struct aio_channel aio_channel;

/* NULL: memory is out. One handle for the caller, see core/channel_ref.h. */
aio_channel *aio_channel_new(size_t capacity);
/* [any thread], as all below */
aio_channel *aio_channel_retain(aio_channel *c);
void aio_channel_release(aio_channel *c);
/* A channel as part of a blob, to be released by aio_carried_free; NULL: memory is out. */
aio_carried *aio_channel_carry(aio_channel *c);
aio_channel *aio_channel_carried(const aio_carried *c);

enum aio_channel_status { AIO_CHANNEL_DONE, AIO_CHANNEL_WAIT, AIO_CHANNEL_CLOSED };

/* Hands a parcel over (DONE), or not: the channel is full or closed. `*spare` is one that is to be
 * used for the next, or NULL; if it is NULL, it may get one that came back. */
enum aio_channel_status aio_channel_put(aio_channel *c, aio_parcel *p, aio_parcel **spare);
/* Takes the next parcel. CLOSED: it is also empty. `*used` is one taken before that has been read,
 * or NULL: it is given back, to be sent again. */
enum aio_channel_status aio_channel_take(aio_channel *c, aio_parcel **p, aio_parcel **used);
/* Puts one back where it was. */
void aio_channel_untake(aio_channel *c, aio_parcel *p);
/* A new, empty parcel; NULL: memory is out. */
aio_parcel *aio_parcel_new(void);
void aio_parcel_free(aio_parcel *p);
/* It was read: what is in it goes. Little memory stays with it, for the next message. */
void aio_parcel_empty(aio_parcel *p);
/* No more can be put. True when it was open. */
bool aio_channel_close(aio_channel *c);

size_t aio_channel_capacity(const aio_channel *c);
size_t aio_channel_count(aio_channel *c);
bool aio_channel_closed(aio_channel *c);
/* A guess, without the lock: how many parcels can be taken (places are free); of a closed channel
 * any number. */
size_t aio_channel_ready(aio_channel *c, enum aio_channel_end end);

typedef struct aio_side aio_side;

/* A side of the loop, in whose thread it is made and freed. `poked` is called there, until the side
 * is freed or the loop closes. NULL: memory is out. */
aio_side *aio_side_new(aio_channel *c, aio_loop *core,
                       void (*poked)(void *owner, enum aio_channel_end end), void *owner);
void aio_side_free(aio_side *s);
/* Is it of this loop, and that open? */
bool aio_side_is_of(const aio_side *s, const aio_loop *core);
/* From now on a poke comes when there is more than `given` ready; false: there is already. */
bool aio_side_want(aio_side *s, enum aio_channel_end end, size_t given);
/* Nobody of this side waits any more. */
void aio_side_rest(aio_side *s);
/* A poke was not used: it goes to the next side that wants it. */
void aio_channel_pass(aio_channel *c, enum aio_channel_end end);

#endif
