/* SPDX-License-Identifier: MIT
 *
 * Cases: the orderly close with work pending. */
#include <dirent.h>
#include <netdb.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>

#include "host.h"

static void sleepers(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "ended = 0\n"
             "function f()\n"
             "  local _ <close> = aio.defer(function() aio.sleep(0) ended = ended + 1 end)\n"
             "  aio.sleep(3600)\n"
             "end");
  for (int i = 0; i < 100; i++) host_spawn(L, "f");
  aio_host_step(L, -1);
  CHECK(aio_host_close(L, 1) == 0);
  CHECK(host_int(L, "ended") == 100);
  host_free(L, &m);
}

static void not_started(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "function f() started = true end");
  host_spawn(L, "f");
  CHECK(aio_host_close(L, 1) == 0);
  CHECK(!host_bool(L, "started"));
  host_free(L, &m);
}

static int unclosed;

static void count_unclosed(void *ud, lua_State *L, const char *kind, const char *message) {
  (void)ud;
  (void)L;
  (void)message;
  unclosed += strcmp(kind, "unclosed") == 0;
}

/* One swallows every cancel and goes on at once, one cleans up for an hour. */
static void stubborn(void) {
  memory m;
  aio_host_options o = {.size = sizeof o, .on_error = count_unclosed};
  lua_State *L = host_new(&m, &o);
  host_do(L, "function spins() while true do pcall(aio.sleep, 0) end end\n"
             "function lingers()\n"
             "  local _ <close> = aio.defer(function() aio.sleep(3600) end)\n"
             "  aio.sleep(3600)\n"
             "end");
  host_spawn(L, "spins");
  host_spawn(L, "lingers");
  for (int i = 0; i < 2; i++) CHECK(aio_host_step(L, 0) == AIO_HOST_MORE);
  CHECK(aio_host_close(L, 0.01) == 2);
  CHECK(unclosed == 2);
  host_free(L, &m);
}

static void cleanup_starts_a_task(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "function f()\n"
             "  local _ <close> = aio.defer(function()\n"
             "    aio.create_task(function() aio.sleep(3600) end)\n"
             "  end)\n"
             "  aio.sleep(3600)\n"
             "end");
  host_spawn(L, "f");
  aio_host_step(L, -1);
  CHECK(aio_host_close(L, 1) == 0);
  host_free(L, &m);
}

static void exit_during_the_close(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "aio.get_event_loop():set_exception_handler(function(_, ctx)\n"
             "  told = aio.is(ctx.exception, aio.SystemExit)\n"
             "end)\n"
             "function f()\n"
             "  local _ <close> = aio.defer(error, aio.SystemExit(1))\n"
             "  aio.sleep(3600)\n"
             "end\n"
             "function g()\n"
             "  local _ <close> = aio.defer(function() aio.sleep(0) ended = true end)\n"
             "  aio.sleep(3600)\n"
             "end");
  host_spawn(L, "f");
  host_spawn(L, "g");
  aio_host_step(L, -1);
  CHECK(aio_host_close(L, 1) == 0);
  CHECK(host_bool(L, "told") && host_bool(L, "ended"));
  host_free(L, &m);
}

static void over_some_frames(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "function f()\n"
             "  local _ <close> = aio.defer(function() for _ = 1, 3 do aio.next_step() end end)\n"
             "  aio.sleep(3600)\n"
             "end");
  for (int i = 0; i < 10; i++) host_spawn(L, "f");
  aio_host_step(L, -1);
  CHECK(aio_host_cancel(L) == 10);
  int frames = 0;
  while (aio_host_cancel(L) > 0) {
    CHECK(aio_host_step(L, 0.002) >= 0);
    CHECK(++frames <= 10);
  }
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void connections(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "function f()\n"
             "  server = aio.start_server(function(conn) conn:read(1) end, '127.0.0.1', 0)\n"
             "  aio.create_task(function()\n"
             "    local conn <close> = aio.open_connection('127.0.0.1', server.port)\n"
             "    up = true\n"
             "    conn:read(1)\n"
             "  end)\n"
             "  server:serve_forever()\n"
             "end");
  host_spawn(L, "f");
  host_until(L, "up");
  CHECK(aio_host_close(L, 1) == 0);
  host_free(L, &m);
}

/* A look-up that hangs in the pool: libc's own, held up here. It comes back after the state has
 * gone. */
static sem_t entered, let_go, left;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
  (void)node;
  (void)service;
  (void)hints;
  sem_post(&entered);
  sem_wait(&let_go);
  *result = NULL;
  sem_post(&left);
  return EAI_NONAME;
}

/* The threads of this process; 0 where the system has no /proc. */
static int threads(void) {
  DIR *d = opendir("/proc/self/task");
  int n = 0;
  if (!d) return 0;
  for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
  closedir(d);
  return n;
}

static void stuck_look_up(void) {
  memory m;
  sem_init(&entered, 0, 0);
  sem_init(&let_go, 0, 0);
  sem_init(&left, 0, 0);
  lua_State *L = host_new(&m, NULL);
  host_do(L, "function f()\n"
             "  local _ <close> = aio.defer(function() ended = true end)\n"
             "  aio.open_connection('stuck.invalid', 80)\n"
             "end");
  host_spawn(L, "f");
  aio_host_step(L, -1);
  sem_wait(&entered);
  int before = threads();
  CHECK(aio_host_close(L, 1) == 0);
  CHECK(host_bool(L, "ended"));
  host_free(L, &m);
  sem_post(&let_go);
  sem_wait(&left);
  /* The thread that waited for it frees the loop: until it has gone that is no leak. */
  while (threads() > before) sched_yield();
}

static void generators(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "function f()\n"
             "  numbers = aio.generator(function(yield)\n"
             "    local _ <close> = aio.defer(function() aio.sleep(0) ended = true end)\n"
             "    for i = 1, 10 do yield(i) end\n"
             "  end)\n"
             "  first = numbers()\n"
             "end");
  host_spawn(L, "f");
  aio_host_step(L, -1);
  CHECK(host_int(L, "first") == 1 && !host_bool(L, "ended"));
  CHECK(aio_host_close(L, 1) == 0);
  CHECK(host_bool(L, "ended"));
  host_free(L, &m);
}

static void in_the_middle_of_a_turn(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "n = 0 function f() n = n + 1 aio.sleep(3600) end");
  for (int i = 0; i < 10; i++) host_spawn(L, "f");
  for (int i = 0; i < 3; i++) CHECK(aio_host_step(L, 0) == AIO_HOST_MORE);
  CHECK(aio_host_close(L, 1) == 0);
  CHECK(host_int(L, "n") == 3);
  host_free(L, &m);
}

/* ---- memory fails, 20 allocations in a row from each point on ---- */

enum { IN_A_ROW = 20 };

static void arm(memory *m, unsigned long n) {
  m->first = m->requests + n;
  m->last = m->first + IN_A_ROW - 1;
}

/* Until one open gets by without meeting the failure. */
static void failing_open(void) {
  aio_host_options o = {.size = sizeof o, .on_error = count_unclosed};
  for (unsigned long n = 1;; n += 1 + n / 50) {
    memory m;
    lua_State *L = host_plain(&m);
    arm(&m, n);
    int status = aio_host_open(L, &o);
    bool met = m.requests >= m.first;
    m.first = 0;
    CHECK(lua_gettop(L) == (status == AIO_HOST_NOMEM ? 0 : 1));
    CHECK(met || status == AIO_HOST_OK);
    if (status == AIO_HOST_OK) CHECK(aio_host_close(L, 0) == 0);
    host_free(L, &m);
    if (!met) break;
  }
}

/* A spawn and a close with work pending: what fails is one task, the close always comes to its end.
 */
static void failing_spawn_and_close(void) {
  for (unsigned long n = 1; n <= 100; n++) {
    memory m;
    aio_host_options o = {.size = sizeof o, .on_error = count_unclosed};
    lua_State *L = host_new(&m, &o);
    host_do(L, "function f()\n"
               "  local _ <close> = aio.defer(function() aio.sleep(0) end)\n"
               "  aio.sleep(3600)\n"
               "end");
    for (int i = 0; i < 5; i++) host_spawn(L, "f");
    aio_host_step(L, -1);
    lua_getglobal(L, "f");
    arm(&m, n);
    int status = aio_host_spawn(L, 0);
    CHECK(status == AIO_HOST_OK || status == AIO_HOST_ERROR);
    CHECK(lua_gettop(L) == 1);
    CHECK(aio_host_step(L, -1) >= 0);
    CHECK(aio_host_close(L, 1) >= 0);
    m.first = 0;
    CHECK(aio_host_step(L, 0) == AIO_HOST_CLOSED);
    host_free(L, &m);
  }
}

const host_case close_cases[] = {{"sleepers", sleepers},
                                 {"not_started", not_started},
                                 {"stubborn", stubborn},
                                 {"cleanup_starts_a_task", cleanup_starts_a_task},
                                 {"exit_during_the_close", exit_during_the_close},
                                 {"over_some_frames", over_some_frames},
                                 {"connections", connections},
                                 {"stuck_look_up", stuck_look_up},
                                 {"generators", generators},
                                 {"failing_open", failing_open},
                                 {"failing_spawn_and_close", failing_spawn_and_close},
                                 {"in_the_middle_of_a_turn", in_the_middle_of_a_turn},
                                 {NULL, NULL}};
