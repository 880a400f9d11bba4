/* SPDX-License-Identifier: MIT
 *
 * A listener: several listening sockets (doors) that accept connections for one owner, and the
 * connections that are still open. Accepting stops while there are too many connections, and while
 * the system has no descriptor or memory left; then no waiting client is lost.
 *
 * It has one owner, who calls aio_listener_release once. Invariants: `count` is the number of
 * streams in `accepted` and `conns`; a listener is in the loop's list `starved` exactly while its
 * accepting failed for want of descriptors; `loop` is NULL when the loop has closed. */
#ifndef AIO_CORE_LISTENER_H
#define AIO_CORE_LISTENER_H

#include "core/sock.h"
#include "core/stream.h"

typedef struct aio_door {
  aio_link link;
  aio_listener *listener;
} aio_door;

typedef struct aio_door_opts {
  int backlog;
  bool reuse_port;
} aio_door_opts;

struct aio_listener {
  aio_object object;
  aio_loop *loop;
  aio_mem mem;
  aio_link doors;    /* of aio_door.link */
  aio_link accepted; /* streams that the owner has not taken yet, by `sibling` */
  aio_link conns;    /* streams that are open, by `sibling` */
  aio_link closers;  /* waits until it is closed and no connection is open */
  aio_link starving; /* in aio_loop.starved */
  aio_timer retry;
  size_t count, max;                  /* open connections, and how many may be (0: any number) */
  size_t limit;                       /* of the streams' reads */
  size_t fds;                         /* received descriptors that a connection keeps (0: none) */
  void (*notify)(aio_listener *self); /* the first stream came into `accepted`, or an `error` */
  void *owner;
  int error; /* of a door, until the owner has taken note; or 0 */
  bool serving, closed;
};

/* A new listener without doors, or NULL when memory is out. */
aio_listener *aio_listener_new(aio_loop *l, void (*notify)(aio_listener *), void *owner);
/* The owner goes: closes; open connections stay open, those not taken are dropped. */
void aio_listener_release(aio_listener *ls);

void aio_listener_start(aio_listener *ls);
/* Accepts now whom the system has let in already, as far as the listener is hungry: closing the
 * doors would reset them. */
void aio_listener_drain(aio_listener *ls);
/* Closes the doors. May be repeated. */
void aio_listener_close(aio_listener *ls);
/* Closes or aborts all open connections, also those that nobody has taken yet. */
void aio_listener_end_conns(aio_listener *ls, bool abort);
/* The next accepted stream, now in `conns` and owned by the caller, or NULL. */
aio_stream *aio_listener_take(aio_listener *ls);

/* ---- for doors and streams ---- */

/* May it accept (one more)? */
static inline bool aio_listener_hungry(const aio_listener *ls) {
  return ls->serving && !ls->closed && !aio_link_linked(&ls->starving) &&
         (ls->max == 0 || ls->count < ls->max);
}
/* A door accepted `s`, which is open. */
void aio_listener_accepted(aio_listener *ls, aio_stream *s);
/* A door found no descriptor or no memory. */
void aio_listener_starve(aio_listener *ls);
/* A door is deaf from now on: its descriptor is not what it was. */
void aio_listener_failed(aio_listener *ls, int err);
/* A stream of the listener has closed. */
void aio_listener_forget(aio_stream *s);
/* A descriptor of the loop was closed: starved listeners try again. */
void aio_listener_revive(aio_loop *l);

/* ---- one file for each kind of system: listener_unix.c, listener_uv.c ---- */

/* Opens a socket that listens at `a`. NULL with *err and the name of the failed *call. */
aio_door *aio_door_open(aio_listener *ls, const aio_address *a, const aio_door_opts *opts, int *err,
                        const char **call);
/* The same with a bound socket that the user made, which is non-blocking. On an error `fd` is the
 * caller's as before. */
aio_door *aio_door_take(aio_listener *ls, aio_sock fd, bool is_unix, const aio_door_opts *opts,
                        int *err, const char **call);
/* Leaves the file of a Unix socket where it is at the end. */
void aio_door_keep_file(aio_door *d);
/* Its descriptor, or -1. */
int aio_door_fileno(aio_door *d);
/* Accepts, or not, as the listener is hungry or not. */
void aio_door_update(aio_door *d);
/* Accepts whoever waits, see aio_listener_drain; nobody where libuv accepts by itself. */
void aio_door_drain(aio_door *d);
/* Closes and frees it. */
void aio_door_close(aio_door *d);
/* Where it listens. */
int aio_door_address(aio_door *d, aio_address *a);

#endif
