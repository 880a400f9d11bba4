/* SPDX-License-Identifier: MIT
 *
 * What the transports of streams and of datagrams share: calling a protocol, what becomes of its
 * errors, the pause of a writer, and the methods that are the same for both. A transport begins
 * with a handle: floor 2 makes the handle's node ready when something has happened, and its body
 * calls the protocol, one event in a turn. So each callback is one protected call, made by the
 * loop.
 *
 * Invariants: a transport is anchored from its making until connection_lost was called. `calling`
 * is the callback that runs, or NULL. */
#ifndef AIO_BIND_TRANSPORT_H
#define AIO_BIND_TRANSPORT_H

#include "bind/handle.h"
#include "core/address.h"

typedef struct aio_transport {
  aio_handle handle; /* must be first */
  const struct aio_transport_kind *kind;
  const char *calling;
  unsigned dropped;  /* writes since the connection is gone */
  bool fatal;        /* an error in the callback ends the connection */
  bool failed;       /* the body has not come to its end */
  bool broken;       /* a callback's error, among the user values, ended the connection */
  bool made, lost;   /* connection_made, connection_lost were called */
  bool fresh;        /* connection_made was the last callback: who waits for it goes on first */
  bool closing;      /* by close or abort */
  bool buffered;     /* the protocol brings buffers of its own */
  bool write_paused; /* pause_writing was called, resume_writing not yet */
} aio_transport;

enum {
  AIO_TRANSPORT_UV_PROTOCOL = AIO_HANDLE_UV_FN,
  AIO_TRANSPORT_UV_BELOW = AIO_HANDLE_UV_ARG, /* the stream */
  AIO_TRANSPORT_UV_ERROR,                     /* what a callback raised */
  AIO_TRANSPORT_UV_SELF_NAME,                 /* the addresses, packed, for when it is closed */
  AIO_TRANSPORT_UV_PEER_NAME,
  AIO_TRANSPORT_UVS = AIO_TRANSPORT_UV_PEER_NAME
};

/* What streams and datagrams do in their own way. Below a transport there may be nothing left, as
 * after a finalizer. */
typedef struct aio_transport_kind {
  const char *name; /* of the class */
  enum aio_ref class;
  size_t size; /* of the object, which begins with an aio_transport */
  lua_CFunction body;
  bool (*is_closing)(const aio_transport *t);
  void (*close)(aio_transport *t); /* what was written is still sent; only when it is not closing */
  void (*abort)(aio_transport *t);
  int (*address)(const aio_transport *t, bool peer, aio_address *a); /* only when it is made */
  /* Pushes what get_extra_info tells under `name`, or nothing; the transport is at slot 1, which it
   * may overwrite. [may throw] */
  void (*info)(lua_State *L, const aio_transport *t, const char *name);
} aio_transport_kind;

enum { AIO_TRANSPORT_HIGH = 64 * 1024 }; /* the water mark by default, as in asyncio */

/* Opens the classes and the functions of the module table at the top. */
void aio_transport_open(lua_State *L, aio_state *st);          /* transport_stream.c */
void aio_datagram_transport_open(lua_State *L, aio_state *st); /* transport_datagram.c */

/* Pushes the class: the methods that all transports share, and its own. [may throw] */
void aio_transport_class_open(lua_State *L, aio_state *st, const aio_transport_kind *kind,
                              const luaL_Reg *own, lua_CFunction gc);
/* Pushes a transport for the protocol at `protocol`, not yet anchored. [may throw] */
aio_transport *aio_transport_push(lua_State *L, aio_state *st, const aio_transport_kind *kind,
                                  aio_lloop *l, int protocol);
/* Keeps the addresses of the transport at the top among its user values. [may throw] */
void aio_transport_keep_names(lua_State *L, const aio_transport *t);
/* After connection_lost: it is not run again, and may be collected. Cannot fail. */
void aio_transport_stop(lua_State *L, aio_transport *t);

/* The body begins, ends. Only between them callbacks are called. */
void aio_transport_begin(aio_transport *t);
void aio_transport_end(aio_transport *t);
/* Pushes the callback and the protocol of the transport at slot 1, and says what an error in it
 * does; false and nothing pushed when the protocol has no such callback. [may throw] */
bool aio_transport_callback(lua_State *L, aio_transport *t, const char *name, bool fatal);
/* Calls a callback in place with the value at the top (popped, may be nil); it cannot wait, and its
 * error is only reported. [may throw, what ends the program] */
void aio_transport_call_now(lua_State *L, aio_transport *t, int self, const char *name);
/* Calls connection_made, with the transport at slot 1. [may throw] */
void aio_transport_made(lua_State *L, aio_transport *t);
/* Calls connection_lost with the error at the top (popped), at slot 1. [may throw] */
void aio_transport_lost(lua_State *L, aio_transport *t);
/* Calls pause_writing, resume_writing when it is time for that. [may throw as call_now] */
void aio_transport_pace(lua_State *L, aio_transport *t, int self, size_t size, size_t low,
                        size_t high);
/* A write that nobody will get; the fifth is worth a warning. [may throw] */
void aio_transport_drop(lua_State *L, aio_transport *t, int self);

/* Ends it after what was written, if it does not end yet; ends it at once. */
void aio_transport_close(aio_transport *t);
void aio_transport_abort(aio_transport *t);

/* The water marks that the table at slot 2 gives. [may throw] */
void aio_transport_limits(lua_State *L, size_t *low, size_t *high);
/* Raises unless the value at `arg` can be a protocol; does it bring buffers of its own? [may
 * throw] */
bool aio_transport_check_protocol(lua_State *L, int arg);

#endif
