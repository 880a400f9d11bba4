/* SPDX-License-Identifier: MIT
 *
 * A future: an outcome that comes later, and the list of who waits for it. A Task begins with one.
 * `waiters` holds nodes of three kinds in the order of registration: tasks (their wait), Lua
 * callbacks (Handles) and C nodes (a gather's children); completing moves all of them to the ready
 * queue in that order, which needs no memory. */
#ifndef AIO_BIND_FUTURE_H
#define AIO_BIND_FUTURE_H

#include "bind/state.h"

enum aio_future_state { AIO_FUT_PENDING, AIO_FUT_DONE, AIO_FUT_FAILED, AIO_FUT_CANCELLED };

enum aio_future_flag {
  AIO_FUT_IS_TASK = 1,
  AIO_FUT_MULTI = 2,      /* the result is a table of several values with n */
  AIO_FUT_NORESULT = 4,   /* no value at all */
  AIO_FUT_RETRIEVED = 8,  /* somebody has looked at the error */
  AIO_FUT_CALLBACKS = 16, /* Lua callbacks are registered */
  AIO_FUT_LISTED = 64,    /* seen in a list of jobs, only within one C function */
  AIO_FUT_CONTEXT = 128,  /* Task: its context is not nil */
  AIO_FUT_DELEGATES = 32, /* a cancel goes to the task EXTRA.delegate, whose end completes it */
};

/* User values of Future and Task. */
enum aio_future_uv {
  AIO_UV_RESULT = 1, /* done: result or error; a Task before its end: its argument, then what it
                        waits for, so that nothing it is linked into can be collected */
  AIO_UV_EXTRA,      /* table of rare things (name, cancel message, callbacks...), or nil */
  AIO_UV_THREAD,     /* Task: function, then coroutine, then loop; Future: loop */
  AIO_UV_CONTEXT,    /* Task: its context, or nil */
};
enum { AIO_FUTURE_UVS = 3, AIO_TASK_UVS = 4 };

typedef struct aio_future {
  aio_link waiters; /* of aio_node.link */
  aio_lloop *loop;
  uint8_t state; /* enum aio_future_state */
  uint8_t flags; /* enum aio_future_flag */
  uint32_t top;  /* Task: how many values stand on the stack of the function that waits; a future
                    that delegates: the request to cancel that is being passed on */
} aio_future;

/* Opens the class Future and the functions of the module table at the top. */
void aio_future_open(lua_State *L, aio_state *st);

/* The Future or Task at `arg`, else NULL / an argument error. */
aio_future *aio_future_test(lua_State *L, const aio_state *st, int arg);
aio_future *aio_future_check(lua_State *L, const aio_state *st, int arg);

/* Pushes a new pending future of the loop. [may throw] */
aio_future *aio_future_new(lua_State *L, aio_state *st, aio_lloop *loop);

static inline bool aio_future_done(const aio_future *f) {
  return f->state != AIO_FUT_PENDING;
}

/* Right before completing: anchors the Lua callbacks of the future at `idx`. Runs no finalizer, so
 * none can complete it, or add to its callbacks, in between. [may throw] */
void aio_future_prepare(lua_State *L, aio_state *st, int idx);
/* Completes: sets the state and moves all waiters to the ready queue. The outcome is in place. */
void aio_future_complete(aio_future *f, enum aio_future_state state);

/* Pushes the results of a done future at `idx` (its count), or raises its error. [may throw] */
int aio_future_push_outcome(lua_State *L, aio_state *st, int idx);
/* Pushes the error of a failed or cancelled future, making the CancelledError if need be. */
void aio_future_push_error(lua_State *L, aio_state *st, int idx);
/* Makes one value of those from `first` to the top; what kind of result it is. [may throw] */
uint8_t aio_future_pack(lua_State *L, int first);
/* Takes the value at the top, of that kind, as the result of the future at `idx`. */
void aio_future_put(lua_State *L, int idx, aio_future *f, uint8_t kind);
/* Marks a failed future (at idx) so that it is reported when nobody looks. [may throw] */
void aio_future_watch(lua_State *L, aio_state *st, int idx);

/* EXTRA of the object at `idx`: sets the field to the value at the top, pops it. [may throw] */
void aio_extra_set(lua_State *L, int idx, const char *key);
/* Pushes a field of EXTRA, or nil. */
int aio_extra_get(lua_State *L, int idx, const char *key);

/* The state in a word, for tostring; of a future that is done, how it ended. */
const char *aio_future_state_name(const aio_future *f);

/* x:await(), and the other methods that Tasks share. */
extern const luaL_Reg aio_future_methods[];
/* Lua: loop:create_future(). */
int aio_future_make_on(lua_State *L);
/* The cancel function of a wait in await: a marker, bind/task.c follows the chain itself. */
bool aio_future_await_cancel(aio_wait *w);

#endif
