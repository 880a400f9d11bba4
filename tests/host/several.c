/* SPDX-License-Identifier: MIT
 *
 * Two Lua states with a loop each, in two threads and stepped in turn in one: timers, connections,
 * children and signals of each come to it alone, and a signal that both handle to both. Invariant:
 * SIGHUP is sent once, when both have their handlers. */
#include "host.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

enum { LOOPS = 2, TURN_MS = 1 };

/* `ID` is 1 or 2. Each has signals of its own, and children that end with its number. */
static const char program[] =
    "local loop, own, shared = aio.get_event_loop(), 0, aio.Event()\n"
    "local SIGNAL = ID == 1 and 'SIGUSR1' or 'SIGUSR2'\n"
    "loop:add_signal_handler(SIGNAL, function() own = own + 1 end)\n"
    "loop:add_signal_handler('SIGHUP', shared.set, shared)\n"
    "local function signals()\n"
    "  for i = 1, 20 do\n"
    "    aio.kill(aio.getpid(), SIGNAL)\n"
    "    while own < i do aio.sleep(0.001) end\n"
    "    assert(own == i)\n"
    "  end\n"
    "end\n"
    "local function child(i)\n"
    "  local code = ID * 100 + i\n"
    "  local p = aio.create_subprocess_shell('echo ' .. i .. '; exit ' .. code,\n"
    "    { stdout = aio.PIPE })\n"
    "  assert(p:communicate() == i .. '\\n')\n"
    "  assert(p.returncode == code)\n"
    "end\n"
    "local function echo(conn)\n"
    "  for line in conn:lines() do conn:write(ID, ' ', line, '\\n') end\n"
    "end\n"
    "local function talk(port)\n"
    "  local conn <close> = aio.open_connection('127.0.0.1', port)\n"
    "  for i = 1, 50 do\n"
    "    conn:write(i, '\\n')\n"
    "    assert(conn:readline() == ID .. ' ' .. i .. '\\n')\n"
    "  end\n"
    "end\n"
    "function main()\n"
    "  local server <close> = aio.start_server(echo, '127.0.0.1', 0)\n"
    "  local numbers = {}\n"
    "  for i = 1, 20 do numbers[i] = i end\n"
    "  ready()\n"
    "  aio.gather(signals, function() aio.map(child, numbers, { limit = 5 }) end,\n"
    "    function() for _ = 1, 5 do talk(server.port) end end, function() shared:wait() end)\n"
    "  loop:remove_signal_handler(SIGNAL)\n"
    "  loop:remove_signal_handler('SIGHUP')\n"
    "  done = true\n"
    "end\n";

static atomic_int nready;

static int ready(lua_State *L) {
  (void)L;
  atomic_fetch_add(&nready, 1);
  return 0;
}

static lua_State *begin(memory *m, int id) {
  lua_State *L = host_new(m, NULL);
  lua_pushinteger(L, id);
  lua_setglobal(L, "ID");
  lua_register(L, "ready", ready);
  host_do(L, program);
  host_spawn(L, "main");
  return L;
}

static void end(lua_State *L, const memory *m) {
  CHECK(aio_host_close(L, 0) == 0);
  host_free(L, m);
}

static void *run(void *id) {
  memory m;
  lua_State *L = begin(&m, *(int *)id);
  host_until(L, "done");
  end(L, &m);
  return NULL;
}

static void two_loops_in_two_threads(void) {
  pthread_t threads[LOOPS];
  int ids[LOOPS] = {1, 2};
  atomic_init(&nready, 0);
  for (int i = 0; i < LOOPS; i++) CHECK(pthread_create(&threads[i], NULL, run, &ids[i]) == 0);
  while (atomic_load(&nready) < LOOPS) poll(NULL, 0, TURN_MS);
  CHECK(kill(getpid(), SIGHUP) == 0);
  for (int i = 0; i < LOOPS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void two_loops_in_turn(void) {
  memory m[LOOPS];
  lua_State *L[LOOPS];
  bool sent = false;
  atomic_init(&nready, 0);
  for (int i = 0; i < LOOPS; i++) L[i] = begin(&m[i], i + 1);
  for (int left = LOOPS; left > 0;) {
    left = LOOPS;
    for (int i = 0; i < LOOPS; i++) {
      if (host_bool(L[i], "done"))
        left--;
      else
        CHECK(aio_host_step(L[i], -1) >= 0);
    }
    if (!sent && atomic_load(&nready) == LOOPS) {
      CHECK(kill(getpid(), SIGHUP) == 0);
      sent = true;
    }
    poll(NULL, 0, TURN_MS);
  }
  for (int i = 0; i < LOOPS; i++) end(L[i], &m[i]);
}

const host_case several_cases[] = {{"two_loops_in_two_threads", two_loops_in_two_threads},
                                   {"two_loops_in_turn", two_loops_in_turn},
                                   {NULL, NULL}};
