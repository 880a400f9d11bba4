/* SPDX-License-Identifier: MIT
 *
 * Cases: posting from other threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "host.h"

static void *ud_of(atomic_int *n) {
  return n;
}

/* Counts calls with and without a Lua state. */
static atomic_int called, dropped;

static void count(lua_State *L, void *ud) {
  atomic_fetch_add(L ? &called : &dropped, 1);
  if (ud) atomic_fetch_sub((atomic_int *)ud, 1);
}

static void set_done(lua_State *L, void *ud) {
  (void)ud;
  if (!L) return;
  lua_pushboolean(L, 1);
  lua_setglobal(L, "done");
}

enum { THREADS = 4, POSTS = 1000 };

static void *post_many(void *arg) {
  aio_remote *r = arg;
  for (int i = 0; i < POSTS; i++) CHECK(aio_remote_post(r, count, NULL) == AIO_HOST_OK);
  aio_remote_release(r);
  return NULL;
}

static void posts_from_threads(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  pthread_t threads[THREADS];
  aio_remote *r = aio_remote_open(L);
  CHECK(r);
  for (int i = 0; i < THREADS; i++) {
    aio_remote_retain(r);
    CHECK(pthread_create(&threads[i], NULL, post_many, r) == 0);
  }
  while (atomic_load(&called) < THREADS * POSTS) CHECK(aio_host_step(L, 0.002) >= 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  CHECK(atomic_load(&called) == THREADS * POSTS && atomic_load(&dropped) == 0);
  aio_remote_release(r);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void *post_done(void *arg) {
  aio_remote *r = arg;
  CHECK(aio_remote_post(r, set_done, NULL) == AIO_HOST_OK);
  aio_remote_release(r);
  return NULL;
}

/* The descriptor of a loop that sleeps becomes readable. */
static void a_post_wakes(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  pthread_t t;
  CHECK(pthread_create(&t, NULL, post_done, aio_remote_open(L)) == 0);
  host_until(L, "done");
  pthread_join(t, NULL);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void after_the_close(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  aio_remote *r = aio_remote_open(L);
  atomic_int owned = 1;
  CHECK(aio_remote_post(r, count, ud_of(&owned)) == AIO_HOST_OK);
  host_free(L, &m); /* without a step, without aio_host_close */
  CHECK(atomic_load(&called) == 0 && atomic_load(&dropped) == 1 && atomic_load(&owned) == 0);
  CHECK(aio_remote_post(r, count, NULL) == AIO_HOST_CLOSED);
  CHECK(atomic_load(&dropped) == 1);
  aio_remote_retain(r);
  aio_remote_release(r);
  aio_remote_release(r);
}

/* Threads that post all the time while the loop closes: each post is called once, one way or the
 * other. */
static atomic_int accepted;

static void *post_until_closed(void *arg) {
  aio_remote *r = arg;
  while (aio_remote_post(r, count, NULL) == AIO_HOST_OK) atomic_fetch_add(&accepted, 1);
  aio_remote_release(r);
  return NULL;
}

static void close_among_posts(void) {
  memory m;
  for (int round = 0; round < 20; round++) {
    lua_State *L = host_new(&m, NULL);
    pthread_t threads[THREADS];
    int before = atomic_load(&accepted);
    for (int i = 0; i < THREADS; i++)
      CHECK(pthread_create(&threads[i], NULL, post_until_closed, aio_remote_open(L)) == 0);
    while (atomic_load(&accepted) < before + THREADS) aio_host_step(L, 0);
    if (round % 2) CHECK(aio_host_close(L, 0) == 0);
    host_free(L, &m);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  }
  CHECK(atomic_load(&accepted) == atomic_load(&called) + atomic_load(&dropped));
}

static char kind[64], message[256];

static void keep_error(void *ud, lua_State *L, const char *k, const char *text) {
  (void)ud;
  (void)L;
  snprintf(kind, sizeof kind, "%s", k);
  snprintf(message, sizeof message, "%s", text);
}

static void raise_error(lua_State *L, void *ud) {
  if (L) luaL_error(L, "%s", (const char *)ud);
}

static void wait_there(lua_State *L, void *ud) {
  (void)ud;
  if (L) CHECK(luaL_dostring(L, "aio.sleep(1)") == LUA_OK || lua_error(L));
}

static void raise_exit(lua_State *L, void *ud) {
  (void)ud;
  if (L && luaL_dostring(L, "error(aio.SystemExit(4))") != LUA_OK) lua_error(L);
}

static void errors_of_posts(void) {
  memory m;
  aio_host_options o = {.size = sizeof o, .on_error = keep_error};
  lua_State *L = host_new(&m, &o);
  aio_remote *r = aio_remote_open(L);
  aio_remote_post(r, raise_error, "in the post");
  CHECK(aio_host_step(L, -1) >= 0);
  CHECK(strcmp(kind, "callback_error") == 0 && strstr(message, "in the post"));
  aio_remote_post(r, wait_there, NULL);
  CHECK(aio_host_step(L, -1) >= 0);
  CHECK(strstr(message, "cannot wait outside a task"));
  aio_remote_post(r, raise_exit, NULL);
  CHECK(aio_host_step(L, -1) == AIO_HOST_EXIT);
  lua_settop(L, 0);
  aio_remote_release(r);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void spawn_there(lua_State *L, void *ud) {
  (void)ud;
  if (!L) return;
  lua_getglobal(L, "f");
  CHECK(aio_host_spawn(L, 0) == AIO_HOST_OK);
}

static void a_post_spawns(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  aio_remote *r = aio_remote_open(L);
  host_do(L, "function f() aio.sleep(0) done = true end");
  aio_remote_post(r, spawn_there, NULL);
  aio_remote_release(r);
  host_until(L, "done");
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

/* A program without a host's loop: aio.run waits for what another thread will post, and is a
 * deadlock once the last handle is gone. */
static aio_remote *held;

static int hold(lua_State *L) {
  held = aio_remote_open(L);
  CHECK(held);
  return 0;
}

static void set_future(lua_State *L, void *ud) {
  (void)ud;
  if (L) host_do(L, "fut:set_result(5)");
}

static void *set_and_release(void *arg) {
  (void)arg;
  CHECK(aio_remote_post(held, set_future, NULL) == AIO_HOST_OK);
  aio_remote_release(held);
  return NULL;
}

static int start_thread(lua_State *L) {
  pthread_t t;
  (void)L;
  CHECK(pthread_create(&t, NULL, set_and_release, NULL) == 0);
  pthread_detach(t);
  return 0;
}

static void under_run(void) {
  memory m;
  lua_State *L = host_plain(&m);
  luaL_requiref(L, "aio", luaopen_aio, 1);
  lua_settop(L, 0);
  lua_register(L, "hold", hold);
  lua_register(L, "start_thread", start_thread);
  host_do(L, "assert(aio.run(function()\n"
             "  fut = aio.Future()\n"
             "  hold()\n"
             "  start_thread()\n"
             "  return fut:await()\n"
             "end) == 5)\n"
             "fut = nil\n"
             "local ok, err = pcall(aio.run, function() aio.Future():await() end)\n"
             "assert(not ok and aio.is(err, aio.RuntimeError))");
  host_free(L, &m);
}

const host_case remote_cases[] = {{"posts_from_threads", posts_from_threads},
                                  {"a_post_wakes", a_post_wakes},
                                  {"after_the_close", after_the_close},
                                  {"close_among_posts", close_among_posts},
                                  {"errors_of_posts", errors_of_posts},
                                  {"a_post_spawns", a_post_spawns},
                                  {"under_run", under_run},
                                  {NULL, NULL}};
