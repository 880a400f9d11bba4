/* SPDX-License-Identifier: MIT
 *
 * What aio keeps for one Lua state: the running task, the current loop, references to metatables
 * and the anchor table. One full userdata; upvalue 1 of every C function of ours. Nothing is
 * global, so two states never meet.
 *
 * The anchor table holds strongly what only C links point at: unfinished tasks, scheduled
 * callbacks, loops with work. An object has a slot in it; freeing a slot sets an existing key to
 * `false`, so it needs no memory and cannot fail. */
#ifndef AIO_BIND_STATE_H
#define AIO_BIND_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "bind/compat.h"
#include "core/loop.h"

typedef struct aio_task aio_task;
typedef struct aio_lloop aio_lloop;

/* Idle coroutine threads that a state keeps for its next tasks. */
#ifdef AIO_HOSTILE
enum { AIO_POOL_MAX = 1 };
#else
enum { AIO_POOL_MAX = 512 };
#endif

/* Integer keys in the registry: read in a few nanoseconds from every C function. */
enum aio_ref {
  AIO_REF_STATE,   /* the aio_state userdata itself */
  AIO_REF_ANCHORS, /* slot -> object or false */
  AIO_REF_POOL,    /* 1..n -> idle coroutine threads, then false */
  AIO_REF_HOOKS,   /* name -> Lua function that C calls, see core.set_hook */
  AIO_REF_CONTEXT, /* {the context outside tasks and callbacks} */
  AIO_REF_TASK,    /* metatables */
  AIO_REF_FUTURE,
  AIO_REF_HANDLE,
  AIO_REF_LOOP,
  AIO_REF_LOOP_TUNED, /* the same for loops with a slow_callback_duration of their own */
  AIO_REF_GATHER,
  AIO_REF_SENTINEL,
  AIO_REF_WATCHED, /* weak keys: failed futures at whose error nobody has looked */
  AIO_REF_LOOPS,   /* weak values: light userdata -> loop object */
  AIO_REF_MADE,    /* weak keys: object -> where it was made, see bind/made.h */
  AIO_REF_WAITING, /* weak keys: inner thread -> the task that it waits for, or false */
  AIO_REF_CLASSES, /* error classes by enum aio_error_class, see bind/error.h */
  AIO_REF_STREAM,
  AIO_REF_LISTENER,
  AIO_REF_LOOKUP,
  AIO_REF_DATAGRAM,
  AIO_REF_SOCKET,
  AIO_REF_WATCH,
  AIO_REF_TRANSPORT,
  AIO_REF_DATAGRAM_TRANSPORT,
  AIO_REF_BUFFER,
  AIO_REF_SENDING,
  AIO_REF_LOCK,
  AIO_REF_EVENT,
  AIO_REF_CONDITION,
  AIO_REF_SEMAPHORE,
  AIO_REF_BOUNDED_SEMAPHORE,
  AIO_REF_QUEUE,
  AIO_REF_LIFO_QUEUE,
  AIO_REF_PRIORITY_QUEUE,
  AIO_REF_QUEUE_METAS, /* weak values: "kind:maxsize" -> metatable */
  AIO_REF_SELECT,
  AIO_REF_PROCESS,
  AIO_REF_PIPE_END,
  AIO_REF_COPY,        /* what is being copied for another thread, see bind/copy.h */
  AIO_REF_BLOB,        /* what was copied, while nobody else has it */
  AIO_REF_KNOWN,       /* weak keys: function -> where in the loaded modules it is */
  AIO_REF_CLASS_PATHS, /* weak values: "BaseError.Error.Mine." -> error class */
  AIO_REF_VARIABLES,   /* weak values: number of a context variable -> ContextVar */
  AIO_REF_CALL,        /* a call from another thread, see bind/call.h */
  AIO_REF_POOL_HANDLE, /* an executor */
  AIO_REF_CHANNEL,
  AIO_REF_PARCEL,      /* a message that waits to be sent */
  AIO_REF_CHANNELS,    /* weak values: light userdata -> Channel */
  AIO_REF_LOOP_HANDLE, /* a loop of another thread */
  AIO_REF_FILE,
  AIO_REF_FS_WATCH,
  AIO_REF_FILE_OP, /* who waits for a file, see bind/file.h */
  AIO_REF_JOB,     /* a job of the thread pool, see bind/job.h */
  AIO_REFS
};

/* What a host can switch off; the values are those of luaaio.h. */
enum aio_feature {
  AIO_FEATURE_NET = 1,
  AIO_FEATURE_FS = 2,
  AIO_FEATURE_PROCESS = 4,
  AIO_FEATURE_THREADS = 8
};

/* The coroutines that the running task has resumed, innermost first: what must be found when it is
 * to be stopped from outside. On the C stack of whoever resumes. */
typedef struct aio_running {
  lua_State *co;
  struct aio_running *outer;
} aio_running;

typedef struct aio_state {
  int ref[AIO_REFS];
  const void *mt[AIO_REFS];  /* lua_topointer of the metatables, for quick checks */
  aio_task *current;         /* the task whose step runs, or NULL */
  struct aio_handle *handle; /* the callback that runs, or NULL */
  aio_lloop *running;        /* the loop whose turn runs, or NULL */
  aio_lloop *loop;           /* the current loop (set_event_loop), or NULL; see loop.c */
  uint32_t free_slot;        /* head of the list of free anchor slots (0: none), see state.c */
  uint32_t slots;            /* how many slots the anchor table has */
  uint32_t nfree;            /* how many of them are free */
  uint32_t *next_free;       /* slot -> next free slot */
  uint32_t slot_room;
  uint32_t pooled;                   /* idle threads in the pool */
  uint32_t task_id;                  /* number of the last task, for its default name */
  uint32_t ntasks, nhandles, nloops; /* alive, for leak checks */
  struct aio_host *host;             /* what a C host asked for when it opened the state, or NULL */
  void (*log)(void *ud, const char *level, const char *text); /* the host's, or NULL: stderr */
  void *log_ud;
  uint32_t denied;               /* enum aio_feature: what the host has switched off */
  uint32_t cancels;              /* number of the last request to cancel */
  uint32_t cancel, cancel_depth; /* the one under way, and through how many gathers it has gone */
  uint64_t slow_at;              /* debug mode: then is the step too slow, see bind/slow.h */
  struct aio_worker *worker;     /* this is the state of that worker thread, or NULL */
  aio_running *inner;
  lua_Integer loads;             /* grows with each module that is loaded, see copy_pack.c */
  const void *loaded_mt;         /* our metatable of package.loaded */
  void (*preload)(lua_State *L); /* makes `require` find a built-in aio, or NULL */
  bool hosted;                   /* opened by a C host: aio.run is refused */
  bool debug;                    /* AIO_DEBUG=1: new loops start in debug mode */
  bool debug_any;                /* the loop that runs is in debug mode */
  bool context;                  /* there is one outside tasks, see context.c */
  bool atomic;                   /* a callback of ours that may not wait runs (compare, __lt) */
  bool ended;                    /* the Lua state is being closed: nothing can be anchored */
  char yield_source[LUA_IDSIZE]; /* where a task called coroutine.yield, until that is raised */
  int yield_line;
  char prefix[256]; /* where aio's own Lua files are ("@/usr/share/lua/5.4/aio/") */
} aio_state;

/* The state of the C function that runs. */
static inline aio_state *aio_state_up(lua_State *L) {
  return (aio_state *)lua_touserdata(L, lua_upvalueindex(1));
}
/* The state where no upvalue is at hand; NULL when aio is not open in this Lua state. */
aio_state *aio_state_of(lua_State *L);

static inline void aio_push_ref(lua_State *L, const aio_state *st, enum aio_ref r) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, st->ref[r]);
}

/* Raises RuntimeError when the host has switched the feature off; called first by every function
 * that would use it. [may throw] */
void aio_state_require(lua_State *L, const aio_state *st, enum aio_feature f);

/* Makes and anchors the state. [may throw] */
aio_state *aio_state_open(lua_State *L);

/* Pushes a new metatable, kept as `r`, whose __index is itself, with `methods` and `meta` set
 * (all with the state as upvalue). [may throw] */
void aio_class_open(lua_State *L, aio_state *st, enum aio_ref r, const char *name,
                    const luaL_Reg *methods, const luaL_Reg *meta);
/* Sets functions with the state as upvalue 1 into the table at the top. [may throw] */
void aio_setfuncs(lua_State *L, aio_state *st, const luaL_Reg *fns);

/* A new userdata of class `r`, on the stack. [may throw] */
void *aio_object_new(lua_State *L, const aio_state *st, enum aio_ref r, size_t size, int nuv);
/* The userdata at `arg` when it is of class `r`, else NULL. */
void *aio_object_test(lua_State *L, const aio_state *st, int arg, enum aio_ref r);
/* The same, but raises an argument error. [may throw] */
void *aio_object_check(lua_State *L, const aio_state *st, int arg, enum aio_ref r);

/* Anchors the object at `idx` and returns its slot (never 0). [may throw] */
uint32_t aio_anchor(lua_State *L, aio_state *st, int idx);
/* Sees to it that the next `n` calls of aio_anchor cannot fail. [may throw] */
void aio_anchor_reserve(lua_State *L, aio_state *st, uint32_t n);
/* Gives a slot up; 0 is allowed. Cannot fail. */
void aio_unanchor(lua_State *L, aio_state *st, uint32_t slot);
/* Pushes what a slot holds. */
void aio_push_anchored(lua_State *L, const aio_state *st, uint32_t slot);

/* Pushes the Lua function kept under `name` by core.set_hook, or nil. */
void aio_push_hook(lua_State *L, const aio_state *st, const char *name);

#endif
