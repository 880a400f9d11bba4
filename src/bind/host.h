/* SPDX-License-Identifier: MIT
 *
 * What the parts of the host interface share. The public side, with all contracts, is luaaio.h. */
#ifndef AIO_BIND_HOST_H
#define AIO_BIND_HOST_H

#include "bind/lloop.h"
#include "core/watcher.h"
#include "luaaio.h"

typedef struct aio_host {
  aio_host_options options;
  aio_object object;    /* learns that the loop closes, whoever closes it */
  aio_lloop *loop;      /* NULL once closed */
  aio_watcher *watcher; /* NULL without on_ready */
} aio_host;

/* The host of the state with an open loop, or NULL; then there is also room on the stack. */
aio_host *aio_host_of(lua_State *L);
/* After something that may have made a step wanted: tells the watcher. */
void aio_host_rearm(aio_host *h);

#endif
