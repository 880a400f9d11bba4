/* SPDX-License-Identifier: MIT
 *
 * The class Channel, for what copies values between states. */
#ifndef AIO_BIND_CHANNEL_H
#define AIO_BIND_CHANNEL_H

#include "bind/state.h"
#include "core/channel.h"

/* The channel at `idx`, else NULL. */
aio_channel *aio_channel_test(lua_State *L, int idx);
/* Pushes this state's object of the channel; there is one. [may throw] */
void aio_channel_push(lua_State *L, const aio_state *st, aio_channel *c);

void aio_channel_open(lua_State *L, aio_state *st);

#endif
