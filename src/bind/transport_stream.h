/* SPDX-License-Identifier: MIT
 *
 * The transport of a stream, as its files see it: transport_stream.c calls the protocol,
 * transport_stream_write.c has the methods that write. */
#ifndef AIO_BIND_TRANSPORT_STREAM_H
#define AIO_BIND_TRANSPORT_STREAM_H

#include "bind/stream.h"
#include "bind/transport.h"

typedef struct aio_stream_transport {
  aio_transport t;      /* must be first */
  aio_stream_ud *below; /* user value BELOW; NULL after the finalizer */
  bool reads, writes;   /* a pipe does one of them */
  bool paused;          /* reading */
  bool eof_told;        /* eof_received was called */
  bool eof_final;       /* the peer has ended both directions, as it does over TLS */
  bool busy;            /* somebody sends a file */
} aio_stream_transport;

/* The transport at stack slot 1. [may throw] */
aio_stream_transport *aio_stream_transport_self(lua_State *L);
/* Puts the stream in the place of the transport at slot 1, which the anchor holds. */
void aio_stream_transport_replace(lua_State *L);
/* Lets it run when the protocol is to hear something. */
void aio_stream_transport_wake(aio_stream_transport *u);

/* The stream, NULL when nothing is left of it. */
static inline aio_stream *aio_stream_transport_below(const aio_stream_transport *u) {
  return u->below ? u->below->s : NULL;
}

/* Can it be read from and written to: open, and nobody has closed it? */
bool aio_stream_transport_is_live(const aio_stream_transport *u);

/* Something was written: a loss that was kept back while the transport is paused is told. */
void aio_stream_transport_unkeep(aio_stream_transport *u);

/* transport_stream_write.c */
extern const luaL_Reg aio_stream_transport_write_methods[];
extern const luaL_Reg aio_stream_transport_functions[]; /* of the module table */

#endif
