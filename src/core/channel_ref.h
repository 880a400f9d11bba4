/* SPDX-License-Identifier: MIT
 *
 * How long a channel lives: while somebody has a handle of it, or can get one out of the queue of a
 * channel that lives. Channels go through channels, also through themselves and in circles, so
 * counting is not enough: when the last handle of one goes that lies in queues, those who hold it
 * are looked through. All of it under one lock of the process, which messages without a channel in
 * them never take. */
#ifndef AIO_CORE_CHANNEL_REF_H
#define AIO_CORE_CHANNEL_REF_H

#include <stdbool.h>

#include "base/list.h"

/* A part of each channel. */
typedef struct aio_channel_ref {
  unsigned handles;
  aio_link carriers; /* of aio_carried.link: where it lies in a queue */
  aio_link link;     /* among those that are looked through, or that are dead */
} aio_channel_ref;

/* A channel in a message. It is a handle, but while it lies in a queue. */
typedef struct aio_carried {
  aio_link link;
  aio_channel_ref *what;
  aio_channel_ref *inside; /* in whose queue it lies, or NULL */
} aio_carried;

/* With one handle. False: there is no lock to have. */
bool aio_channel_ref_init(aio_channel_ref *r);
/* [any thread] as all below */
void aio_channel_ref_retain(aio_channel_ref *r);
void aio_channel_ref_release(aio_channel_ref *r);

/* NULL: memory is out. */
aio_carried *aio_carried_new(aio_channel_ref *what);
void aio_carried_free(void *carried);
/* It is going into the queue of a channel of which the caller has a handle; or it has come out. */
void aio_carried_enter(aio_carried *c, aio_channel_ref *inside);
void aio_carried_leave(aio_carried *c);

/* Of core/channel.c: nobody can reach it any more. Frees what is in the queue; and the rest. */
void aio_channel_drain(aio_channel_ref *r);
void aio_channel_free(aio_channel_ref *r);

#endif
