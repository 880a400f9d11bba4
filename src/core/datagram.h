/* SPDX-License-Identifier: MIT
 *
 * A datagram endpoint: packets in both directions, whole or not at all. Received ones wait in a
 * bounded queue for whoever takes them; when it is full nothing more is read, and the system drops
 * (UDP) or makes the sender wait (Unix). A sender whose packet the system does not take waits
 * itself, or leaves it in a queue. Floor 3 gives it methods. Knows no Lua.
 *
 * An aio_datagram has one owner, who calls aio_datagram_release once. It is in its loop's list of
 * objects while it is open; it may outlive the loop, then it is closed.
 *
 * Invariants: at most one wait in `readers`. `loop` is set, and `port` after the opening, exactly
 * while it is not closed. A port never reports inside one of its own functions. */
#ifndef AIO_CORE_DATAGRAM_H
#define AIO_CORE_DATAGRAM_H

#include "core/address.h"
#include "core/loop.h"

/* Room for one datagram; how many are received by one system call, where that is possible; and the
 * room of a loop for all of them, which one alone of a Unix socket may fill. */
enum { AIO_PACKET_MAX = 64 * 1024 };
#ifdef AIO_HOSTILE
enum { AIO_PACKETS_AT_ONCE = 1 };
#else
enum { AIO_PACKETS_AT_ONCE = 4 };
#endif
enum { AIO_PACKETS_ROOM = AIO_PACKET_MAX * 4 };

typedef struct aio_datagram aio_datagram;
typedef struct aio_dport aio_dport;

/* One datagram that was received, or waits to be sent. */
typedef struct aio_packet {
  aio_link link;
  aio_address from; /* or whereto; family 0: to the peer */
  size_t len;
  char data[];
} aio_packet;

struct aio_datagram {
  aio_object object;
  aio_loop *loop;
  aio_mem mem;
  aio_dport *port;  /* the socket */
  aio_link packets; /* of aio_packet.link, oldest first */
  size_t count, bound;
  aio_link readers; /* the one wait for a packet, see aio_datagram_want */
  aio_link writers; /* waits until the system takes packets again */
  aio_link unsent;  /* of aio_packet.link: left to be sent, oldest first */
  size_t unsent_size;
  aio_node *above; /* of a transport: made ready by packets, errors, room and the end; or NULL */
  uint64_t gone;   /* packets that have left the queue, in whatever way */
  uint64_t lost;   /* packets for which there was no memory */
  int error;       /* what came of an earlier packet; told to the next who sends or receives */
  bool reading;    /* the port reports */
  bool connected;  /* it has a peer of its own */
  bool opened, closed;
  bool closing; /* it closes when `unsent` is empty */
};

typedef struct aio_datagram_opts {
  bool broadcast, reuse_port;
  int ttl;         /* of multicasts; < 0: the system's */
  int loop;        /* multicasts come back to this machine: 0, 1; < 0: the system's */
  const char *via; /* interface of multicasts: a name, an IPv4 address; NULL: the system's choice */
} aio_datagram_opts;

/* ---- for its owner ---- */

/* A new endpoint without a socket, or NULL when memory is out. */
aio_datagram *aio_datagram_new(aio_loop *l, size_t bound);
/* Opens it: bound to `local`, connected to `peer`; either may be NULL, not both. 0, or an error
 * code with the name of the failed *call; then it can be tried again. */
int aio_datagram_open(aio_datagram *d, const aio_address *local, const aio_address *peer,
                      const aio_datagram_opts *opts, const char **call);
/* The owner goes: it is closed and freed. */
void aio_datagram_release(aio_datagram *d);

static inline bool aio_datagram_is_open(const aio_datagram *d) {
  return d->opened && !d->closed;
}

/* The oldest packet, or NULL. */
static inline aio_packet *aio_datagram_first(const aio_datagram *d) {
  aio_link *p = aio_list_first(&d->packets);
  return p ? AIO_CONTAINER(p, aio_packet, link) : NULL;
}
/* Drops it. */
void aio_datagram_consume(aio_datagram *d);
/* Somebody is about to wait in `readers`. 0 or an error code. */
int aio_datagram_want(aio_datagram *d);
/* The error of an earlier packet, or 0; it is told once. */
int aio_datagram_take_error(aio_datagram *d);
/* Sends one packet, `to` NULL: to the peer. 0; UV_EAGAIN: not now, wait in `writers` and try again;
 * or another error code. */
int aio_datagram_send(aio_datagram *d, const char *ptr, size_t len, const aio_address *to);
/* Leaves a packet, for which that said UV_EAGAIN, or that comes behind such ones, to be sent as
 * soon as possible. What the system then refuses is an error of the endpoint. 0 or UV_ENOMEM. */
int aio_datagram_leave(aio_datagram *d, const char *ptr, size_t len, const aio_address *to);
/* Receives nothing more, and closes when what was left is sent. May be repeated. */
void aio_datagram_finish(aio_datagram *d);
/* Closes at once; what was received is dropped, all who wait are woken. May be repeated. */
void aio_datagram_close(aio_datagram *d);
/* Packets that came here and that nobody will get, as far as is known. */
uint64_t aio_datagram_dropped(const aio_datagram *d);

/* ---- for its port, from the loop's callbacks ---- */

/* The loop's room to receive into, made at the first call; NULL when memory is out. */
char *aio_packets_get(aio_loop *l);
/* Frees it, when the loop closes. */
void aio_packets_fini(aio_loop *l);
/* How many packets there is room for; when it is 0 no more are to be reported. */
static inline size_t aio_datagram_room(const aio_datagram *d) {
  return d->bound - d->count;
}
/* A packet was received. Look at `reading` when all of an event are reported. */
void aio_datagram_received(aio_datagram *d, const char *ptr, size_t len, const aio_address *from);
/* The network has refused an earlier packet, or receiving failed. */
void aio_datagram_failed(aio_datagram *d, int err);
/* The system takes packets again. */
void aio_datagram_writable(aio_datagram *d);

/* ---- one file for each kind of system: datagram_unix.c, datagram_uv.c ---- */

/* Opens d->port; see aio_datagram_open. */
int aio_dport_open(aio_datagram *d, const aio_address *local, const aio_address *peer,
                   const aio_datagram_opts *opts, const char **call);
/* Reports what comes in, or does so no longer. 0 or an error code. */
int aio_dport_read(aio_dport *p, bool on);
int aio_dport_send(aio_dport *p, const char *ptr, size_t len, const aio_address *to);
/* Lets go of everything; it frees itself and never calls the endpoint again. */
void aio_dport_close(aio_dport *p);
int aio_dport_address(aio_dport *p, bool peer, aio_address *a);
int aio_dport_fileno(const aio_dport *p); /* its descriptor, or -1 */
/* Joins or leaves a multicast group; `via` as in the options. 0 or an error code. */
int aio_dport_member(aio_dport *p, const aio_address *group, const char *via, bool join);
/* Packets that the system has dropped for want of room; 0 where it does not tell. */
uint64_t aio_dport_dropped(const aio_dport *p);

#endif
