/* SPDX-License-Identifier: MIT
 *
 * A program that owns its frame loop and lets Lua tasks run in it: 60 frames a second, of which aio
 * gets 2 ms. It shows, in order, an asset that a C thread loads, a conversation over TCP, a level
 * (a Lua state of its own) that is unloaded while its tasks wait, and a thousand tasks at once.
 *
 * Build it with aio: the target `game`, or by hand
 *   cc -DGAME_SCRIPT='"game.lua"' game.c -o game \
 *     -laio $(pkg-config --cflags --libs lua5.4 libuv) -lm
 *
 * A game with a window would wait for the vertical blank where this one sleeps; one without frames
 * would wait for aio_host_fileno and aio_host_deadline in its own event loop, or set on_ready.
 *
 * It prints:
 * asset: a hero with 100 hit points
 * server: you said 'hello'
 * server: you said 'goodbye'
 * client: EPIPE
 * level: 53 tasks and one loader at work
 * level: unloaded within 10 steps, 50 monsters tidied up, the loader has stopped
 * crowd: 1000 of 1000 have moved
 * steps: every one within its budget
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "luaaio.h"

#define FRAME_S  (1.0 / 60)
#define BUDGET_S 0.002

enum {
  UNLOAD_FRAMES = 10,
  CROWD_FRAMES = 60,
  MOST_FRAMES = 6000, /* something is wrong then */
};

static void fail(const char *what) {
  fprintf(stderr, "game: %s\n", what);
  exit(EXIT_FAILURE);
}

/* ---- assets: a thread for each ---- */

typedef struct loading {
  aio_promise *promise;
  char name[32];
} loading;

static void nap(double seconds) {
  struct timespec t = {.tv_nsec = (long)(seconds * 1e9)};
  nanosleep(&t, NULL);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int loaders; /* at work; under `lock` */

static int count_loaders(int change) {
  pthread_mutex_lock(&lock);
  int n = loaders += change;
  pthread_mutex_unlock(&lock);
  return n;
}

static void *load(void *arg) {
  loading *l = arg;
  char text[64];
  if (strcmp(l->name, "endless") == 0) { /* works until nobody wants the result */
    while (aio_promise_wanted(l->promise)) nap(0.001);
  } else {
    int n = snprintf(text, sizeof text, "a %s with 100 hit points", l->name);
    aio_promise_set_string(l->promise, text, (size_t)n);
  }
  aio_promise_release(l->promise);
  free(l);
  count_loaders(-1);
  return NULL;
}

/* Lua: load_asset(name) -> future */
static int load_asset(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  loading *l = malloc(sizeof *l);
  if (!l) return luaL_error(L, "not enough memory");
  snprintf(l->name, sizeof l->name, "%s", name);
  l->promise = aio_promise_open(L); /* pushes the future */
  pthread_t thread;
  count_loaders(1);
  if (!l->promise || pthread_create(&thread, NULL, load, l) != 0) {
    count_loaders(-1);
    if (l->promise) aio_promise_release(l->promise); /* the future fails: abandoned */
    free(l);
  } else {
    pthread_detach(thread);
  }
  return 1;
}

/* ---- states and frames ---- */

static int overruns; /* task steps that were reported as too long */

static void on_error(void *ud, lua_State *L, const char *kind, const char *message) {
  (void)ud;
  (void)L;
  if (strcmp(kind, "slow_callback") == 0)
    overruns++;
  else
    fprintf(stderr, "game: %s: %s\n", kind, message);
}

static lua_State *open_state(void) {
  aio_host_options options = {.size = sizeof options, .on_error = on_error};
  lua_State *L = luaL_newstate();
  if (!L) fail("no memory");
  luaL_openlibs(L);
  if (aio_host_open(L, &options) != AIO_HOST_OK) fail(luaL_tolstring(L, -1, NULL));
  if (luaL_loadfile(L, GAME_SCRIPT) != LUA_OK) fail(lua_tostring(L, -1));
  lua_insert(L, 1); /* the script gets the module and a function of ours */
  lua_pushcfunction(L, load_asset);
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) fail(lua_tostring(L, -1));
  lua_setglobal(L, "game");
  return L;
}

/* Pushes a field of what the script returned. */
static void push(lua_State *L, const char *name) {
  lua_settop(L, 0);
  lua_getglobal(L, "game");
  lua_getfield(L, 1, name);
  lua_remove(L, 1);
}

static void start(lua_State *L, const char *name) {
  push(L, name);
  if (aio_host_spawn(L, 0) != AIO_HOST_OK) fail(luaL_tolstring(L, -1, NULL));
  lua_settop(L, 0);
}

static int number(lua_State *L, const char *function) {
  push(L, function);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK) fail(lua_tostring(L, -1));
  int n = (int)lua_tointeger(L, -1);
  lua_settop(L, 0);
  return n;
}

static int is_true(lua_State *L, const char *name) {
  push(L, name);
  int yes = lua_toboolean(L, -1);
  lua_settop(L, 0);
  return yes;
}

static double seconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Steps that took more than their budget and one more task step of at most that length. Measured
 * in processor time, so that a busy machine does not count. */
static int late;

static void step(lua_State *L) {
  int reported = overruns;
  double begin = seconds(CLOCK_THREAD_CPUTIME_ID);
  if (aio_host_step(L, BUDGET_S) < 0) fail("a script wants to end the program");
  double took = seconds(CLOCK_THREAD_CPUTIME_ID) - begin;
  if (took > 2 * BUDGET_S && overruns == reported) late++;
}

/* Draws, then waits for the next frame. */
static void end_frame(double *next) {
  static int frames;
  if (++frames > MOST_FRAMES) fail("the scripts do not come to an end");
  *next += FRAME_S;
  double rest = *next - seconds(CLOCK_MONOTONIC);
  if (rest > 0) nap(rest);
}

/* ---- the game ---- */

static void play_level(double *next) {
  lua_State *L = open_state();
  start(L, "level");
  while (!is_true(L, "level_is_up")) {
    step(L);
    end_frame(next);
  }
  int tasks = aio_host_cancel(L), frames = 0;
  printf("level: %d tasks and %s at work\n", tasks,
         count_loaders(0) == 1 ? "one loader" : "no loader");
  while (aio_host_cancel(L) > 0 && frames < UNLOAD_FRAMES) {
    step(L);
    end_frame(next);
    frames++;
  }
  int tidied = number(L, "monsters_tidied"), left = aio_host_close(L, BUDGET_S);
  lua_close(L);
  while (count_loaders(0) > 0) end_frame(next); /* it has learnt that nobody waits any more */
  printf("level: unloaded %s, %d monsters tidied up, the loader has stopped\n",
         left ? "by force" : "within 10 steps", tidied);
}

int main(void) {
  double next = seconds(CLOCK_MONOTONIC);
  signal(SIGPIPE, SIG_DFL); /* as it is when nobody has changed it: aio does not need more */
  lua_State *L = open_state();
  start(L, "play");
  while (!is_true(L, "played")) {
    step(L);
    end_frame(&next);
  }
  play_level(&next);
  start(L, "crowd");
  for (int i = 0; i < CROWD_FRAMES; i++) {
    step(L);
    end_frame(&next);
  }
  printf("crowd: %d of 1000 have moved\n", number(L, "crowd_moved"));
  printf("steps: %s\n", late ? "some were late" : "every one within its budget");
  int left = aio_host_close(L, 1);
  lua_close(L);
  return left ? EXIT_FAILURE : EXIT_SUCCESS;
}
