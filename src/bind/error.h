/* SPDX-License-Identifier: MIT
 *
 * Error objects: a table with the class as its metatable. The classes are tables too, made here
 * because C raises most of them; `aio.errors` (Lua) adds what only groups need.
 *
 * A wrong argument raises a plain message, as Lua's own functions do; a wrong state raises
 * RuntimeError with `where`, the nearest line that is not aio's. */
#ifndef AIO_BIND_ERROR_H
#define AIO_BIND_ERROR_H

#include "bind/state.h"

enum aio_error_class {
  AIO_E_BASE = 1,
  AIO_E_ERROR,
  AIO_E_CANCELLED,
  AIO_E_KEYBOARD_INTERRUPT,
  AIO_E_SYSTEM_EXIT,
  AIO_E_GENERATOR_EXIT,
  AIO_E_BASE_GROUP,
  AIO_E_RUNTIME,
  AIO_E_INVALID_STATE,
  AIO_E_BROKEN_BARRIER,
  AIO_E_TIMEOUT,
  AIO_E_LOOKUP,
  AIO_E_OS,
  AIO_E_SSL,
  AIO_E_SSL_CERT,
  AIO_E_INCOMPLETE_READ,
  AIO_E_LIMIT_OVERRUN,
  AIO_E_QUEUE_EMPTY,
  AIO_E_QUEUE_FULL,
  AIO_E_QUEUE_SHUT_DOWN,
  AIO_E_SENDFILE,
  AIO_E_GROUP,
  AIO_E_COUNT
};

/* Makes all classes and sets them, `is` and friends into the module table at the top. */
void aio_error_open(lua_State *L, aio_state *st);

/* Pushes a new error object; `message` may be NULL. [may throw] */
void aio_error_new(lua_State *L, const aio_state *st, enum aio_error_class c, const char *message);
/* Pushes a RuntimeError (or `c`) blamed on the caller's line and raises it. [throws] */
int aio_error_state(lua_State *L, const aio_state *st, enum aio_error_class c, const char *fmt,
                    ...);
/* Pushes an OSError from a libuv error code: code, errno, syscall, message. [may throw] */
void aio_error_push_os(lua_State *L, const aio_state *st, int uverr, const char *syscall);
/* Pushes an SSLError: code, and as its message the call and the reason. [may throw] */
void aio_error_push_ssl(lua_State *L, const aio_state *st, const char *code, const char *call,
                        const char *reason);

/* Pushes one of aio's own classes. */
void aio_error_push_class(lua_State *L, const aio_state *st, enum aio_error_class c);

/* Is the value at `idx` an error object of this class or one below it? */
bool aio_error_is(lua_State *L, const aio_state *st, int idx, enum aio_error_class c);
/* The same for the class (a table) at `class`. */
bool aio_error_matches(lua_State *L, int idx, int class);
/* BaseError but not Error: what aio.pcall lets pass. */
bool aio_error_is_base_only(lua_State *L, const aio_state *st, int idx);
/* SystemExit or KeyboardInterrupt: what unwinds everything. */
bool aio_error_is_fatal(lua_State *L, const aio_state *st, int idx);
/* Is the error at `idx` a failed allocation? */
bool aio_error_is_memory(lua_State *L, int idx);

/* Pushes the error at `idx` as a text; one whose __tostring fails as a text that says so. Returns
 * it. [may throw, for want of memory only] */
const char *aio_error_text(lua_State *L, int idx);

/* Pushes "file:line" of the nearest Lua function outside aio, or "". [may throw] */
void aio_error_where(lua_State *L, const aio_state *st);

/* For message handlers: fills err.traceback of the error object at slot 1, unless it has one or is
 * a cancellation outside of debug mode. [may throw] */
void aio_error_trace(lua_State *L, const aio_state *st);

/* Message handler (light C function): fills err.traceback, or keeps the traceback of a plain value
 * for the task that is running. */
int aio_error_msgh(lua_State *L);

#endif
