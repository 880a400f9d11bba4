/* SPDX-License-Identifier: MIT
 *
 * Where things were made: in debug mode, the line of the user's code that made a task, a callback,
 * a stream or a server is noted for later reports. */
#ifndef AIO_BIND_MADE_H
#define AIO_BIND_MADE_H

#include "bind/lloop.h"

/* Opens the functions in the module table at the top. */
void aio_made_open(lua_State *L, aio_state *st);

/* Notes the caller's line as the one that made the object at `idx`. [may throw] */
void aio_made_note(lua_State *L, const aio_state *st, int idx);

/* Pushes the line that made the running task, when it is known; false: nothing pushed. */
bool aio_made_push(lua_State *L, const aio_state *st);

/* Reports that the object at slot 1, which its finalizer gives to the handler as `field`, was
 * collected while open; `message` says so, and the user value `where` adds the line that made it.
 * [may throw] */
void aio_made_report_unclosed(lua_State *L, aio_lloop *l, const char *message, const char *field,
                              int where);

#endif
