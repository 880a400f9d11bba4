/* SPDX-License-Identifier: MIT
 *
 * Cases: futures that C completes. */
#include <pthread.h>
#include <stdatomic.h>

#include "host.h"

/* A state where `wait(fut)` is a task that leaves what it got in globals. */
static lua_State *state(memory *m, const aio_host_options *o) {
  lua_State *L = host_new(m, o);
  host_do(L, "function wait(fut)\n"
             "  done = false\n"
             "  results = table.pack(pcall(fut.await, fut))\n"
             "  done = true\n"
             "end");
  return L;
}

/* A promise whose future a task awaits already. */
static aio_promise *awaited(lua_State *L) {
  lua_getglobal(L, "wait");
  aio_promise *p = aio_promise_open(L);
  CHECK(p);
  lua_pushvalue(L, -1);
  lua_setglobal(L, "fut");
  CHECK(aio_host_spawn(L, 1) == AIO_HOST_OK);
  lua_setglobal(L, "task");
  CHECK(aio_host_step(L, -1) >= 0);
  CHECK(!host_bool(L, "done"));
  CHECK(aio_promise_wanted(p));
  return p;
}

static int three_values(lua_State *L, void *ud) {
  CHECK(L);
  lua_pushliteral(L, "not a result");
  lua_pushinteger(L, 1);
  lua_pushnil(L);
  lua_pushstring(L, ud);
  return 3;
}

static int no_values(lua_State *L, void *ud) {
  (void)ud;
  CHECK(L);
  return 0;
}

static int raises(lua_State *L, void *ud) {
  CHECK(L);
  return luaL_error(L, "%s", (const char *)ud);
}

/* Finishes what `set` began and looks at the outcome with a chunk. */
static void expect(lua_State *L, aio_promise *p, int status, const char *chunk) {
  CHECK(status == AIO_HOST_OK);
  CHECK(aio_promise_set_nil(p) == AIO_HOST_SETTLED); /* the second time nothing happens */
  host_until(L, "done");
  host_do(L, chunk);
  CHECK(!aio_promise_wanted(p));
  aio_promise_release(p);
}

static void every_kind(void) {
  memory m;
  int x;
  lua_State *L = state(&m, NULL);
  aio_promise *p = awaited(L);
  expect(L, p, aio_promise_set_nil(p), "assert(results.n == 2 and results[2] == nil)");
  p = awaited(L);
  expect(L, p, aio_promise_set_boolean(p, 1), "assert(results[2] == true)");
  p = awaited(L);
  expect(L, p, aio_promise_set_boolean(p, 0), "assert(results[2] == false)");
  p = awaited(L);
  expect(L, p, aio_promise_set_integer(p, -7),
         "assert(math.type(results[2]) == 'integer')\n"
         "assert(results[2] == -7)");
  p = awaited(L);
  expect(L, p, aio_promise_set_number(p, 0.5), "assert(results[2] == 0.5)");
  p = awaited(L);
  expect(L, p, aio_promise_set_string(p, "a\0b", 3), "assert(results[2] == 'a\\0b')");
  p = awaited(L);
  expect(L, p, aio_promise_set_string(p, NULL, 0), "assert(results[2] == '')");
  lua_pushlightuserdata(L, &x);
  lua_setglobal(L, "x");
  p = awaited(L);
  expect(L, p, aio_promise_set_pointer(p, &x), "assert(results[2] == x)");
  p = awaited(L);
  expect(L, p, aio_promise_set_values(p, three_values, "three"),
         "assert(results.n == 4 and results[2] == 1 and results[3] == nil)\n"
         "assert(results[4] == 'three')");
  p = awaited(L);
  expect(L, p, aio_promise_set_values(p, no_values, NULL), "assert(results.n == 1 and results[1])");
  p = awaited(L);
  expect(L, p, aio_promise_fail(p, "no such asset"),
         "assert(not results[1] and aio.is(results[2], aio.Error))\n"
         "assert(results[2].message == 'no such asset')");
  p = awaited(L);
  expect(L, p, aio_promise_set_values(p, raises, "while pushing"),
         "assert(not results[1] and results[2]:find 'while pushing')");
  p = awaited(L);
  expect(L, p, aio_promise_cancel(p),
         "assert(not results[1] and aio.is(results[2], aio.CancelledError))");
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void abandoned(void) {
  memory m;
  lua_State *L = state(&m, NULL);
  aio_promise *p = awaited(L);
  aio_promise_retain(p);
  aio_promise_release(p);
  CHECK(aio_host_step(L, -1) >= 0);
  CHECK(!host_bool(L, "done"));
  aio_promise_release(p);
  host_until(L, "done");
  host_do(L, "assert(not results[1] and aio.is(results[2], aio.RuntimeError))\n"
             "assert(results[2].message:find 'abandoned')");
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

/* What C hands over for nothing is freed by the function itself. */
static atomic_int freed;

static int count_free(lua_State *L, void *ud) {
  CHECK(!L);
  CHECK(ud == &freed);
  atomic_fetch_add(&freed, 1);
  return 0;
}

static void waiter_is_cancelled(void) {
  memory m;
  lua_State *L = state(&m, NULL);
  aio_promise *p = awaited(L);
  host_do(L, "task:cancel()");
  CHECK(aio_host_step(L, -1) >= 0);
  CHECK(host_bool(L, "done"));
  CHECK(!aio_promise_wanted(p));
  CHECK(aio_promise_set_values(p, count_free, &freed) == AIO_HOST_SETTLED);
  CHECK(atomic_load(&freed) == 0); /* not taken: still the caller's */
  aio_promise_release(p);
  p = awaited(L); /* now the outcome is on its way when the waiter is cancelled */
  CHECK(aio_promise_set_values(p, count_free, &freed) == AIO_HOST_OK);
  host_do(L, "task:cancel()");
  CHECK(aio_host_step(L, -1) >= 0);
  CHECK(atomic_load(&freed) == 1);
  aio_promise_release(p);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void lua_completes_it(void) {
  memory m;
  lua_State *L = state(&m, NULL);
  aio_promise *p = awaited(L);
  host_do(L, "fut:set_result('mine')");
  host_until(L, "done");
  host_do(L, "assert(results[2] == 'mine')");
  CHECK(!aio_promise_wanted(p));
  CHECK(aio_promise_set_integer(p, 1) == AIO_HOST_SETTLED);
  aio_promise_release(p);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void nobody_awaits(void) {
  memory m;
  lua_State *L = state(&m, NULL);
  aio_promise *p = aio_promise_open(L);
  CHECK(p);
  lua_settop(L, 0); /* the future is kept alive by the promise */
  lua_gc(L, LUA_GCCOLLECT, 0);
  CHECK(aio_promise_set_string(p, "text", 4) == AIO_HOST_OK);
  CHECK(aio_host_step(L, -1) >= 0);
  aio_promise_release(p);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void loop_closes_first(void) {
  memory m;
  for (int way = 0; way < 2; way++) {
    lua_State *L = state(&m, NULL);
    aio_promise *on_its_way = awaited(L), *late = awaited(L), *never = awaited(L);
    CHECK(aio_promise_set_values(on_its_way, count_free, &freed) == AIO_HOST_OK);
    if (way) {
      host_do(L, "aio.get_event_loop():close()");
      host_do(L, "assert(fut:cancelled())");
    }
    host_free(L, &m);
    CHECK(atomic_load(&freed) == way + 1);
    CHECK(!aio_promise_wanted(late));
    CHECK(aio_promise_set_string(late, "x", 1) != AIO_HOST_OK);
    aio_promise_release(on_its_way);
    aio_promise_release(late);
    aio_promise_release(never);
  }
}

static void cancelled_by_the_close(void) {
  memory m;
  lua_State *L = state(&m, NULL);
  aio_promise *p = awaited(L);
  CHECK(aio_host_close(L, 1) == 0);
  host_do(L, "assert(done and aio.is(results[2], aio.CancelledError) and fut:cancelled())");
  CHECK(!aio_promise_wanted(p));
  CHECK(aio_promise_set_integer(p, 1) == AIO_HOST_SETTLED);
  aio_promise_release(p);
  host_free(L, &m);
}

/* ---- from threads ---- */

enum { LOADERS = 4, ASSETS = 200 };

static void *load(void *arg) {
  aio_promise **p = arg;
  for (int i = 0; i < ASSETS; i++) {
    CHECK(aio_promise_set_integer(p[i], i) == AIO_HOST_OK);
    aio_promise_release(p[i]);
  }
  return NULL;
}

static int open_one(lua_State *L) {
  aio_promise **slot = lua_touserdata(L, 1);
  *slot = aio_promise_open(L);
  CHECK(*slot);
  return 1;
}

static void from_threads(void) {
  memory m;
  static aio_promise *assets[LOADERS][ASSETS];
  lua_State *L = state(&m, NULL);
  pthread_t threads[LOADERS];
  lua_register(L, "open_one", open_one);
  host_do(L, "sum, left = 0, 0\n"
             "function get(slot)\n"
             "  left = left + 1\n"
             "  local n = open_one(slot):await()\n"
             "  sum = sum + n\n"
             "  left = left - 1\n"
             "  all = left == 0\n"
             "end");
  for (int i = 0; i < LOADERS * ASSETS; i++) {
    lua_getglobal(L, "get");
    lua_pushlightuserdata(L, &assets[0][0] + i);
    CHECK(aio_host_spawn(L, 1) == AIO_HOST_OK);
    lua_settop(L, 0);
  }
  CHECK(aio_host_step(L, -1) >= 0);
  for (int i = 0; i < LOADERS; i++) CHECK(pthread_create(&threads[i], NULL, load, assets[i]) == 0);
  host_until(L, "all");
  CHECK(host_int(L, "sum") == LOADERS * (ASSETS * (ASSETS - 1) / 2));
  for (int i = 0; i < LOADERS; i++) pthread_join(threads[i], NULL);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

/* Threads complete, cancel and drop promises while the loop closes. */
static void *meddle(void *arg) {
  aio_promise **p = arg;
  for (int i = 0; i < ASSETS; i++) {
    if (i % 3 == 0) (void)aio_promise_set_string(p[i], "some text", 9);
    if (i % 3 == 1) (void)aio_promise_cancel(p[i]);
    aio_promise_release(p[i]);
  }
  return NULL;
}

static void close_among_completions(void) {
  memory m;
  for (int round = 0; round < 20; round++) {
    static aio_promise *assets[LOADERS][ASSETS];
    lua_State *L = state(&m, NULL);
    pthread_t threads[LOADERS];
    for (int i = 0; i < LOADERS * ASSETS; i++) {
      CHECK((assets[i / ASSETS][i % ASSETS] = aio_promise_open(L)));
      lua_settop(L, 0);
    }
    for (int i = 0; i < LOADERS; i++)
      CHECK(pthread_create(&threads[i], NULL, meddle, assets[i]) == 0);
    aio_host_step(L, 0);
    if (round % 2) CHECK(aio_host_close(L, 0) == 0);
    host_free(L, &m);
    for (int i = 0; i < LOADERS; i++) pthread_join(threads[i], NULL);
  }
}

/* ---- memory fails ---- */

/* At every point, 20 allocations in a row: the future ends one way or another, nothing is lost. */
static void failing_memory(void) {
  enum { POINTS = 60, IN_A_ROW = 20 };
  for (unsigned long n = 1; n <= POINTS; n++) {
    memory m;
    lua_State *L = state(&m, NULL);
    aio_promise *p = awaited(L);
    switch (n % 3) {
    case 0:
      CHECK(aio_promise_set_string(p, "a string that is not in Lua yet", 31) == AIO_HOST_OK);
      break;
    case 1:
      CHECK(aio_promise_fail(p, "a message") == AIO_HOST_OK);
      break;
    default:
      CHECK(aio_promise_set_values(p, three_values, "three") == AIO_HOST_OK);
    }
    m.first = m.requests + n / 3 + 1;
    m.last = m.first + IN_A_ROW - 1;
    CHECK(aio_host_step(L, -1) >= 0);
    m.first = 0;
    host_do(L, "assert(fut:done())");
    aio_promise_release(p);
    (void)aio_host_close(L, 0);
    host_free(L, &m);
  }
}

const host_case promise_cases[] = {{"every_kind", every_kind},
                                   {"abandoned", abandoned},
                                   {"waiter_is_cancelled", waiter_is_cancelled},
                                   {"lua_completes_it", lua_completes_it},
                                   {"nobody_awaits", nobody_awaits},
                                   {"loop_closes_first", loop_closes_first},
                                   {"cancelled_by_the_close", cancelled_by_the_close},
                                   {"from_threads", from_threads},
                                   {"close_among_completions", close_among_completions},
                                   {"failing_memory", failing_memory},
                                   {NULL, NULL}};
