/* SPDX-License-Identifier: MIT
 *
 * Cases: opening, options, stepping, budgets, on_ready. */
#include <math.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

static void open_and_spawn(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "function add(a, b) sum = a + b; aio.sleep(0); return sum end");
  lua_getglobal(L, "add");
  lua_pushinteger(L, 2);
  lua_pushinteger(L, 3);
  CHECK(aio_host_spawn(L, 2) == AIO_HOST_OK);
  CHECK(lua_gettop(L) == 1); /* the task */
  lua_setglobal(L, "task");
  CHECK(aio_host_step(L, 0) == AIO_HOST_MORE); /* one task step */
  CHECK(host_int(L, "sum") == 5);
  CHECK(aio_host_step(L, -1) == AIO_HOST_OK);
  host_do(L, "assert(task:done() and task:result() == 5)");
  CHECK(aio_host_close(L, 1) == 0);
  CHECK(aio_host_step(L, 0) == AIO_HOST_CLOSED);
  host_free(L, &m);
}

static void spawn_refuses(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  lua_pushinteger(L, 1);
  lua_pushinteger(L, 2);
  CHECK(aio_host_spawn(L, 1) == AIO_HOST_ERROR);
  CHECK(lua_gettop(L) == 1);
  CHECK(strstr(lua_tostring(L, -1), "function expected"));
  host_free(L, &m);
}

static void open_refuses(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  CHECK(aio_host_open(L, NULL) == AIO_HOST_ERROR); /* open already */
  lua_settop(L, 0);
  host_free(L, &m);
  L = host_plain(&m);
  aio_host_options none = {0};
  CHECK(aio_host_open(L, &none) == AIO_HOST_ERROR); /* size is not set */
  CHECK(aio_host_step(L, 0) == AIO_HOST_CLOSED);
  CHECK(aio_host_close(L, 0) == AIO_HOST_CLOSED);
  CHECK(aio_host_cancel(L) == AIO_HOST_CLOSED);
  CHECK(aio_host_fileno(L) == -1);
  CHECK(aio_host_deadline(L) < 0);
  CHECK(!aio_remote_open(L));
  CHECK(!aio_promise_open(L));
  host_free(L, &m);
}

/* No libraries: a clear error, not a crash. */
static void open_in_a_bare_state(void) {
  lua_State *L = luaL_newstate();
  CHECK(aio_host_open(L, NULL) == AIO_HOST_ERROR);
  lua_close(L);
}

static void open_again(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  CHECK(aio_host_close(L, 0) == 0);
  CHECK(aio_host_open(L, NULL) == AIO_HOST_OK);
  lua_settop(L, 0);
  host_do(L, "function f() done = true end");
  host_spawn(L, "f");
  host_until(L, "done");
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void outside_a_step(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "fut = aio.Future()\n"
             "aio.create_task(function() value = fut:await() done = true end)\n"
             "aio.get_event_loop():call_soon(function() fut:set_result(7) end)");
  host_until(L, "done");
  CHECK(host_int(L, "value") == 7);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void run_is_refused(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "local ok, err = pcall(aio.run, function() end)\n"
             "assert(not ok and aio.is(err, aio.RuntimeError))\n"
             "assert(tostring(err):find('create_task', 1, true), tostring(err))");
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void two_states(void) {
  memory m1, m2;
  lua_State *a = host_new(&m1, NULL), *b = host_new(&m2, NULL);
  const char *chunk = "n = 0\n"
                      "function f() for _ = 1, 3 do n = n + 1 aio.sleep(0) end done = true end";
  host_do(a, chunk);
  host_do(b, chunk);
  host_spawn(a, "f");
  host_spawn(b, "f");
  aio_host_step(a, 0);
  CHECK(host_int(a, "n") == 1 && host_int(b, "n") == 0);
  host_until(b, "done");
  CHECK(host_int(a, "n") == 1);
  CHECK(aio_host_close(b, 0) == 0);
  host_free(b, &m2);
  host_until(a, "done");
  CHECK(aio_host_close(a, 0) == 0);
  host_free(a, &m1);
}

/* A step in a step, a close in a step, a step of another state in a step. */
static lua_State *other;

static int nested(lua_State *L) {
  CHECK(aio_host_step(L, 0) == AIO_HOST_BUSY);
  CHECK(aio_host_close(L, 0) == AIO_HOST_BUSY);
  CHECK(aio_host_step(other, -1) >= 0);
  return 0;
}

static void nested_steps(void) {
  memory m1, m2;
  lua_State *L = host_new(&m1, NULL);
  other = host_new(&m2, NULL);
  host_do(other, "function f() done = true end");
  host_spawn(other, "f");
  lua_register(L, "nested", nested);
  host_do(L, "function f() nested() done = true end");
  host_spawn(L, "f");
  host_until(L, "done");
  CHECK(host_bool(other, "done"));
  aio_host_close(L, 0);
  aio_host_close(other, 0);
  host_free(L, &m1);
  host_free(other, &m2);
}

static void exit_leaves_the_step(void) {
  memory m;
  lua_State *L = host_new(&m, NULL);
  host_do(L, "function quit() error(aio.SystemExit(3)) end\n"
             "function f() done = true end");
  host_spawn(L, "quit");
  CHECK(aio_host_step(L, -1) == AIO_HOST_EXIT);
  CHECK(lua_gettop(L) == 1);
  lua_setglobal(L, "err");
  host_do(L, "assert(aio.is(err, aio.SystemExit) and err.code == 3)");
  host_spawn(L, "f"); /* the loop can go on */
  host_until(L, "done");
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

/* Once warm, a step of a loop with nothing to do asks for no memory. The number of system calls is
 * counted by strace from outside: they are the ones between the two writes. */
static void idle_steps(const aio_host_options *options) {
  memory m;
  lua_State *L = host_new(&m, options);
  host_do(L, "function f()\n"
             "  server = aio.start_server(function(conn) conn:read(1) end, '127.0.0.1', 0)\n"
             "  conn = aio.open_connection('127.0.0.1', server.port)\n"
             "  up = true\n"
             "  aio.sleep(3600)\n"
             "end");
  host_spawn(L, "f");
  host_until(L, "up");
  for (int i = 0; i < 3; i++) aio_host_step(L, 0.002);
  unsigned long before = m.requests;
  ssize_t n = write(STDERR_FILENO, "begin\n", 6);
  for (int i = 0; i < 100; i++) CHECK(aio_host_step(L, 0.002) == AIO_HOST_OK);
  n += write(STDERR_FILENO, "end\n", 4);
  CHECK(n == 10);
  CHECK(m.requests == before);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void idle(void) {
  idle_steps(NULL);
}

/* 1,000 tasks that always want to go on, 2 ms a step. The clock stands still but for the 0.3 ms
 * that each task step is made to take: a step runs seven of them, 2.1 ms. */
static int work(lua_State *L) {
  host_pass(lua_tonumber(L, 1));
  lua_pushinteger(L, host_int(L, "steps") + 1);
  lua_setglobal(L, "steps");
  return 0;
}

static void budget(void) {
  memory m;
  host_freeze();
  lua_State *L = host_new(&m, NULL);
  lua_register(L, "work", work);
  host_do(L, "function f() while true do work(0.0003) aio.sleep(0) end end");
  for (int i = 0; i < 1000; i++) host_spawn(L, "f");
  for (int i = 1; i <= 600; i++) {
    CHECK(aio_host_step(L, 0.002) == AIO_HOST_MORE);
    CHECK(host_int(L, "steps") == 7 * i);
  }
  CHECK(aio_host_step(L, 0) == AIO_HOST_MORE);
  CHECK(host_int(L, "steps") == 7 * 600 + 1);
  CHECK(aio_host_close(L, 1) == 0);
  host_free(L, &m);
}

static int slow_reports;

static void count_slow(void *ud, lua_State *L, const char *kind, const char *message) {
  (void)ud;
  (void)message;
  CHECK(lua_istable(L, -1));
  if (strcmp(kind, "slow_callback") == 0) slow_reports++;
}

static void overrun_is_reported(void) {
  memory m;
  aio_host_options o = {.size = sizeof o, .on_error = count_slow};
  host_freeze();
  lua_State *L = host_new(&m, &o);
  lua_register(L, "work", work);
  host_do(L, "function ok() work(0.004) end\n"
             "function slow() work(0.006) end\n"
             "function slower() work(0.2) end");
  host_spawn(L, "ok");
  CHECK(aio_host_step(L, 0.005) >= 0);
  CHECK(slow_reports == 0);
  host_spawn(L, "slow"); /* more than the whole budget */
  CHECK(aio_host_step(L, 0.005) >= 0);
  CHECK(slow_reports == 1);
  host_spawn(L, "slow");
  CHECK(aio_host_step(L, -1) >= 0);
  CHECK(slow_reports == 1);
  host_spawn(L, "slower");
  CHECK(aio_host_step(L, -1) >= 0);
  CHECK(slow_reports == 2);
  CHECK(host_int(L, "steps") == 4);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

/* ---- the clock ---- */

static double game_time;

static double game_clock(void *ud) {
  CHECK(ud == &game_time);
  return game_time;
}

static void paused_clock(void) {
  memory m;
  aio_host_options o = {.size = sizeof o, .ud = &game_time, .clock = game_clock};
  game_time = 100;
  lua_State *L = host_new(&m, &o);
  host_do(L, "function f() aio.sleep(5) woken = aio.get_running_loop():time() done = true end");
  host_spawn(L, "f");
  for (int i = 0; i < 10; i++) CHECK(aio_host_step(L, -1) == AIO_HOST_OK);
  CHECK(!host_bool(L, "done"));
  CHECK(fabs(aio_host_deadline(L) - 105) < 1e-9);
  CHECK(fabs(aio_host_time(L) - 100) < 1e-9);
  game_time = 104.9;
  aio_host_step(L, -1);
  CHECK(!host_bool(L, "done"));
  game_time = 105;
  aio_host_step(L, -1);
  CHECK(host_bool(L, "done"));
  CHECK(host_int(L, "woken") == 105);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

/* ---- hooks and features ---- */

static char last_kind[64], last_message[256];

static void keep_error(void *ud, lua_State *L, const char *kind, const char *message) {
  (void)ud;
  CHECK(lua_getfield(L, -1, "message") == LUA_TSTRING);
  lua_pop(L, 1);
  if (strcmp(kind, "slow_callback") == 0) return; /* a busy machine makes any step slow */
  snprintf(last_kind, sizeof last_kind, "%s", kind);
  snprintf(last_message, sizeof last_message, "%s", message);
}

static void error_hook(void) {
  memory m;
  aio_host_options o = {.size = sizeof o, .on_error = keep_error};
  lua_State *L = host_new(&m, &o);
  host_do(L, "aio.get_event_loop():call_soon(function() error('oops', 0) end)");
  aio_host_step(L, -1);
  CHECK(strcmp(last_kind, "callback_error") == 0);
  CHECK(strstr(last_message, "oops"));
  host_do(L, "function f() error('lost', 0) end");
  host_spawn(L, "f");
  aio_host_step(L, -1);
  lua_gc(L, LUA_GCCOLLECT, 0);
  aio_host_step(L, -1);
  CHECK(strcmp(last_kind, "never_retrieved") == 0);
  CHECK(strstr(last_message, "lost"));
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static char logged[1024];

static void keep_log(void *ud, const char *level, const char *text) {
  CHECK(ud == &logged);
  snprintf(logged, sizeof logged, "%s: %s", level, text);
}

static void log_hook(void) {
  memory m;
  aio_host_options o = {.size = sizeof o, .ud = logged, .log = keep_log};
  lua_State *L = host_new(&m, &o);
  host_do(L, "aio.get_event_loop():call_soon(function() error('oops', 0) end)");
  aio_host_step(L, -1);
  CHECK(strncmp(logged, "error: ", 7) == 0 && strstr(logged, "oops"));
  CHECK(logged[strlen(logged) - 1] == '\n');
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

static void denied_network(void) {
  memory m;
  aio_host_options o = {.size = sizeof o, .denied = AIO_HOST_NET};
  lua_State *L = host_new(&m, &o);
  host_do(L,
          "function f()\n"
          "  for _, fn in ipairs { aio.open_connection, aio.start_server, aio.getaddrinfo } do\n"
          "    local ok, err = pcall(fn, function() end, '127.0.0.1', 1)\n"
          "    if fn ~= aio.start_server then ok, err = pcall(fn, '127.0.0.1', 1) end\n"
          "    assert(not ok and aio.is(err, aio.RuntimeError), tostring(err))\n"
          "    assert(tostring(err):find('does not let scripts use the network', 1, true))\n"
          "  end\n"
          "  for _, fn in ipairs { aio.open_unix_connection, aio.start_unix_server } do\n"
          "    local ok, err = pcall(fn, '/nowhere/socket')\n"
          "    if fn == aio.start_unix_server then ok, err = pcall(fn, print, '/nowhere/s') end\n"
          "    assert(not ok and aio.is(err, aio.RuntimeError), tostring(err))\n"
          "  end\n"
          "  done = true\n"
          "end\n"
          "t = aio.create_task(f)");
  aio_host_step(L, -1);
  host_do(L, "t:result()");
  CHECK(host_bool(L, "done"));
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

/* ---- SIGPIPE stays at its default ---- */

static void write_to_a_closed_peer(void) {
  memory m;
  struct sigaction sa;
  signal(SIGPIPE, SIG_DFL);
  lua_State *L = host_new(&m, NULL);
  host_do(L, "function f()\n"
             "  local server = aio.start_server(function(conn) conn:abort() end, '127.0.0.1', 0)\n"
             "  local conn = aio.open_connection('127.0.0.1', server.port)\n"
             "  pcall(conn.read, conn, 1)\n"
             "  local err\n"
             "  repeat\n"
             "    local ok, e = pcall(conn.write, conn, ('x'):rep(1000))\n"
             "    if not ok then err = e else aio.sleep(0) end\n"
             "  until err\n"
             "  assert(aio.is(err, aio.OSError), tostring(err))\n"
             "  code = err.code\n"
             "  conn:abort()\n"
             "  server:close()\n"
             "  server:wait_closed()\n"
             "  done = true\n"
             "end\n");
  host_spawn(L, "f");
  host_until(L, "done");
  CHECK(strcmp(host_string(L, "code"), "EPIPE") == 0 ||
        strcmp(host_string(L, "code"), "ECONNRESET") == 0);
  sigaction(SIGPIPE, NULL, &sa);
  CHECK(sa.sa_handler == SIG_DFL);
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, &m);
}

/* ---- on_ready ---- */

static void ready(void *ud) {
  sem_post(ud);
}

/* Steps only when told to, until `name` is true; how often it was told. */
static int told_until(lua_State *L, sem_t *s, const char *name) {
  int times = 0;
  while (!host_bool(L, name)) {
    CHECK(sem_wait(s) == 0);
    times++;
    CHECK(aio_host_step(L, -1) >= 0);
  }
  return times;
}

static void on_ready(void) {
  memory m;
  sem_t s;
  sem_init(&s, 0, 0);
  aio_host_options o = {.size = sizeof o, .ud = &s, .on_ready = ready};
  lua_State *L = host_new(&m, &o);
  host_do(L, "function soon() a = true end\n"
             "function timers() for _ = 1, 3 do aio.sleep(0.005) end b = true end\n"
             "function posted() c = true end\n"
             "function net()\n"
             "  local server = aio.start_server(function(conn) conn:write(conn:read('l')) end,\n"
             "    '127.0.0.1', 0)\n"
             "  local conn = aio.open_connection('127.0.0.1', server.port)\n"
             "  conn:write('hello\\n')\n"
             "  d = conn:read('a') == 'hello'\n"
             "  conn:close()\n"
             "  server:close()\n"
             "  server:wait_closed()\n"
             "end");
  host_spawn(L, "soon");
  CHECK(told_until(L, &s, "a") >= 1);
  host_spawn(L, "timers");
  CHECK(told_until(L, &s, "b") >= 3);
  host_spawn(L, "net");
  CHECK(told_until(L, &s, "d") >= 1);
  CHECK(aio_host_close(L, 1) == 0);
  host_free(L, &m);
  sem_destroy(&s);
}

/* A script closes the loop of the host. */
static void lua_closes_the_loop(void) {
  memory m;
  sem_t s;
  sem_init(&s, 0, 0);
  aio_host_options o = {.size = sizeof o, .ud = &s, .on_ready = ready};
  lua_State *L = host_new(&m, &o);
  aio_host_step(L, -1);
  host_do(L, "aio.get_event_loop():close() aio.set_event_loop(nil)");
  lua_gc(L, LUA_GCCOLLECT, 0);
  CHECK(aio_host_step(L, -1) == AIO_HOST_CLOSED);
  CHECK(aio_host_close(L, 0) == AIO_HOST_CLOSED);
  CHECK(aio_host_open(L, &o) == AIO_HOST_OK); /* and opens another one */
  lua_settop(L, 0);
  CHECK(aio_host_step(L, -1) == AIO_HOST_OK);
  host_free(L, &m);
  sem_destroy(&s);
}

/* A state that is closed without aio_host_close ends its thread as well. */
static void on_ready_and_lua_close(void) {
  memory m;
  sem_t s;
  sem_init(&s, 0, 0);
  aio_host_options o = {.size = sizeof o, .ud = &s, .on_ready = ready};
  lua_State *L = host_new(&m, &o);
  host_do(L, "function f() aio.sleep(60) end");
  host_spawn(L, "f");
  CHECK(sem_wait(&s) == 0);
  aio_host_step(L, -1);
  host_free(L, &m);
  sem_destroy(&s);
}

/* The thread that watches sleeps as well: re-arming it is free. */
static void idle_watched(void) {
  sem_t s;
  sem_init(&s, 0, 0);
  aio_host_options o = {.size = sizeof o, .ud = &s, .on_ready = ready};
  idle_steps(&o);
  sem_destroy(&s);
}

const host_case step_cases[] = {{"open_and_spawn", open_and_spawn},
                                {"spawn_refuses", spawn_refuses},
                                {"open_refuses", open_refuses},
                                {"open_in_a_bare_state", open_in_a_bare_state},
                                {"open_again", open_again},
                                {"outside_a_step", outside_a_step},
                                {"run_is_refused", run_is_refused},
                                {"two_states", two_states},
                                {"nested_steps", nested_steps},
                                {"exit_leaves_the_step", exit_leaves_the_step},
                                {"idle", idle},
                                {"idle_watched", idle_watched},
                                {"budget", budget},
                                {"overrun_is_reported", overrun_is_reported},
                                {"paused_clock", paused_clock},
                                {"error_hook", error_hook},
                                {"log_hook", log_hook},
                                {"denied_network", denied_network},
                                {"write_to_a_closed_peer", write_to_a_closed_peer},
                                {"on_ready", on_ready},
                                {"lua_closes_the_loop", lua_closes_the_loop},
                                {"on_ready_and_lua_close", on_ready_and_lua_close},
                                {NULL, NULL}};
