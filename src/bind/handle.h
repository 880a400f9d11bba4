/* SPDX-License-Identifier: MIT
 *
 * A Handle: a Lua callback that the loop will run, at once (call_soon), at a time (call_later) or
 * when a future is done. Anchored from the moment it is scheduled until it has run. Objects that
 * begin with an aio_handle (transports) are run by the loop in the same way. */
#ifndef AIO_BIND_HANDLE_H
#define AIO_BIND_HANDLE_H

#include <string.h>

#include "bind/state.h"

enum aio_handle_uv {
  AIO_HANDLE_UV_FN = 1,
  AIO_HANDLE_UV_CONTEXT,
  AIO_HANDLE_UV_LOOP,
  AIO_HANDLE_UV_ARG, /* the first of `nargs` arguments */
};

typedef struct aio_handle {
  aio_node node; /* must be first */
  aio_timer timer;
  aio_lloop *loop;
  double when;   /* deadline of call_at; 0 for the others */
  uint32_t slot; /* anchor */
  uint16_t nargs;
  bool timed, cancelled;
  bool insists;  /* see aio_handle_insist */
  uint32_t more; /* runs to come, counted by `again` */
  /* Not NULL: a run does not release the handle; `again` is called after each run instead, and may
   * release it or make it ready once more; `starved`: the run ended for want of memory, and the
   * handle insists. Called too when it is cancelled: then it must release it. Cannot throw. */
  void (*again)(lua_State *L, struct aio_handle *h, bool starved);
  void *owner; /* for `again` */
  /* Not NULL: called, with the object, in place of the function among the user values. */
  lua_CFunction body;
  /* Or NULL: adds to the report of an error, a table at the top; the object is at `self`, the error
   * at `err`. [may throw] */
  void (*describe)(lua_State *L, struct aio_handle *h, int self, int err);
} aio_handle;

void aio_handle_open(lua_State *L, aio_state *st);

/* Pushes a new handle without a function, with room for `nargs` arguments. [may throw] */
aio_handle *aio_handle_new(lua_State *L, aio_state *st, aio_lloop *loop, int nargs);
/* Makes a handle of the new object at the top, which begins with `h`. */
void aio_handle_init(lua_State *L, aio_handle *h, aio_lloop *loop, int nargs);
/* The handle at `idx`, or the object that begins with one; else NULL. */
aio_handle *aio_handle_test(lua_State *L, const aio_state *st, int idx);
/* Anchors the handle, which is at `idx`, and counts it as work of its loop. [may throw] */
void aio_handle_anchor(lua_State *L, aio_handle *h, int idx);
void aio_handle_unanchor(lua_State *L, aio_handle *h);
/* Can the value at `arg` be called? */
bool aio_handle_callable(lua_State *L, int arg);
/* A run that ends for want of memory is not reported but repeated on the next turn: for callbacks
 * of aio itself on which somebody waits, written so that a second call does the rest. */
void aio_handle_insist(aio_handle *h);
/* Pushes the handle for the function at stack slot `fn` and the arguments behind it, anchored, in a
 * copy of the current context. [may throw] */
aio_handle *aio_handle_make(lua_State *L, aio_state *st, aio_lloop *l, int fn);
/* Runs a callback that the ready queue delivered, and releases it. Never throws. */
void aio_handle_run(lua_State *L, aio_handle *h);

/* loop:call_soon(fn, ...) and the others; shared with the host interface. */
extern const luaL_Reg aio_handle_loop_methods[];

#endif
