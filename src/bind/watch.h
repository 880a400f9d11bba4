/* SPDX-License-Identifier: MIT
 *
 * A watched descriptor of one loop: the callbacks of add_reader and add_writer, and the tasks that
 * wait until a socket is ready. Both directions, and both kinds, share one watch, found by the
 * number of the descriptor. Its Lua object stands in a table of the loop while it is of use. */
#ifndef AIO_BIND_WATCH_H
#define AIO_BIND_WATCH_H

#include "bind/lloop.h"
#include "core/fdwatch.h"

enum aio_direction { AIO_READING, AIO_WRITING };

typedef struct aio_watch {
  aio_fdwatch *fd; /* NULL once it is closed */
  aio_lloop *loop;
  aio_link waiters[2];           /* by enum aio_direction; at most one wait in each */
  struct aio_handle *handles[2]; /* user values */
} aio_watch;

/* Opens the class; the loop methods are set by lloop.c. */
void aio_watch_open(lua_State *L, aio_state *st);
extern const luaL_Reg aio_watch_loop_methods[];

/* Pushes the watch of a descriptor in an open loop, a new one when there is none. [may throw] */
aio_watch *aio_watch_push(lua_State *L, aio_lloop *l, aio_sock fd);
/* Is there a task that waits in this direction? */
static inline bool aio_watch_busy(const aio_watch *w, enum aio_direction d) {
  return !aio_list_empty(&w->waiters[d]);
}
/* Asks for a direction. `again`: also when that was done before, since the descriptor may have been
 * closed and opened meanwhile. 0 or a libuv error code. */
int aio_watch_ask(aio_watch *w, enum aio_direction d, bool again);
/* Ends everything: callbacks are removed, those who wait are woken. The watch may be closed
 * already. Cannot fail. */
void aio_watch_end(lua_State *L, aio_watch *w);

#endif
