/* SPDX-License-Identifier: MIT
 *
 * What the C cases of the host interface share: a Lua state that counts its memory, checks that end
 * the process with a word about where. Invariant: a case leaves no byte of its states behind. */
#ifndef AIO_TESTS_HOST_H
#define AIO_TESTS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "luaaio.h"

typedef struct memory {
  size_t bytes, blocks;
  unsigned long requests;    /* every allocation and growth so far */
  unsigned long first, last; /* which of them fail; 0: none */
} memory;

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                              \
      abort();                                                                                     \
    }                                                                                              \
  } while (0)

/* A state with the standard libraries and aio opened; the module is the global `aio`. */
lua_State *host_new(memory *m, const aio_host_options *options);
/* The same without aio. */
lua_State *host_plain(memory *m);
/* lua_close; checks that all memory is back. */
void host_free(lua_State *L, const memory *m);
/* Runs a chunk that must not fail. */
void host_do(lua_State *L, const char *chunk);
/* Spawns the global function of that name, without arguments, and forgets the task. */
void host_spawn(lua_State *L, const char *name);
/* The global boolean, integer, string of that name. */
bool host_bool(lua_State *L, const char *name);
lua_Integer host_int(lua_State *L, const char *name);
const char *host_string(lua_State *L, const char *name);
/* Steps, waiting for the descriptor in between, until the global `name` is true. */
void host_until(lua_State *L, const char *name);

/* From now on the monotonic clock stands still, but for what passes. */
void host_freeze(void);
void host_pass(double seconds);

typedef struct host_case {
  const char *name;
  void (*run)(void);
} host_case;

extern const host_case step_cases[], remote_cases[], promise_cases[], close_cases[],
    several_cases[];

#endif
