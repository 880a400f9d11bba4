/* SPDX-License-Identifier: MIT
 *
 * A Lua interpreter for the tests: `aio-lua [-e chunk] script args...`. It counts every byte of the
 * Lua state, makes allocations fail on demand, tells of descriptors, records which functions are
 * called and ends a case that hangs, all as the module `testhost`. Linux only.
 *
 * Invariant: when the state is closed all of its memory is back, or the process ends with 70. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "clock.h"
#include "fds.h"
#include "guard.h"

enum {
  EXIT_LEAK = 70,  /* the closed state has not given everything back */
  EXIT_HANG = 124, /* a case ran longer than it may */
};

/* --- the allocator ---------------------------------------------------------------------------- */

static struct {
  size_t bytes, blocks;
  uint64_t requests;    /* allocations since `arm` */
  uint64_t first, last; /* which of them fail; 0: none */
  uint64_t failed;
} memory;

static bool must_fail(void) {
  if (memory.first == 0) return false;
  memory.requests++;
  if (memory.requests < memory.first || memory.requests > memory.last) return false;
  memory.failed++;
  return true;
}

static void *allocate(void *ud, void *ptr, size_t old, size_t size) {
  (void)ud;
  if (!ptr) old = 0;
  if (size == 0) {
    if (ptr) memory.blocks--;
    memory.bytes -= old;
    free(ptr);
    return NULL;
  }
  if (size > old && must_fail()) return NULL;
  void *block = realloc(ptr, size);
  if (!block) return NULL;
  if (!ptr) memory.blocks++;
  memory.bytes += size - old;
  return block;
}

/* memory() -> bytes, blocks in use */
static int host_memory(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)memory.bytes);
  lua_pushinteger(L, (lua_Integer)memory.blocks);
  return 2;
}

/* arm(n, count): from now on the allocations n to n + count - 1 fail. */
static int host_arm(lua_State *L) {
  lua_Integer n = luaL_checkinteger(L, 1), count = luaL_optinteger(L, 2, 20);
  luaL_argcheck(L, n > 0, 1, "counts from 1");
  memory.requests = memory.failed = 0;
  memory.first = (uint64_t)n;
  memory.last = (uint64_t)(n + count - 1);
  return 0;
}

/* disarm() -> allocations asked for since `arm`, how many of them failed. Allocates nothing. */
static int host_disarm(lua_State *L) {
  memory.first = 0;
  lua_pushinteger(L, (lua_Integer)memory.requests);
  lua_pushinteger(L, (lua_Integer)memory.failed);
  return 2;
}

/* --- descriptors, working directory ----------------------------------------------------------- */

static void push_link(lua_State *L, const char *path) {
  char target[512];
  ssize_t n = readlink(path, target, sizeof target);
  lua_pushlstring(L, target, n < 0 ? 0 : (size_t)n);
}

/* fds() -> table: descriptor to what it is */
static int host_fds(lua_State *L) {
  lua_newtable(L);
  DIR *dir = opendir("/proc/self/fd");
  if (!dir) return luaL_error(L, "/proc/self/fd: %s", strerror(errno));
  for (struct dirent *e; (e = readdir(dir));) {
    char path[64];
    int fd = atoi(e->d_name);
    if (e->d_name[0] == '.' || fd == dirfd(dir)) continue;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    push_link(L, path);
    lua_rawseti(L, -2, fd);
  }
  closedir(dir);
  return 1;
}

/* cwd() -> the working directory */
static int host_cwd(lua_State *L) {
  push_link(L, "/proc/self/cwd");
  return 1;
}

/* --- hangs ------------------------------------------------------------------------------------ */

static char running[256];

static void on_alarm(int sig) {
  (void)sig;
  static const char text[] = "\nHANGS: ";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0 ||
      write(STDERR_FILENO, running, strlen(running)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
    _exit(EXIT_HANG);
  _exit(EXIT_HANG);
}

/* alarm(seconds, name): ends the process with a word about `name` after that time; 0 stops it. */
static int host_alarm(lua_State *L) {
  lua_Integer seconds = luaL_checkinteger(L, 1);
  snprintf(running, sizeof running, "%s", luaL_optstring(L, 2, "?"));
  signal(SIGALRM, on_alarm);
  alarm((unsigned)seconds);
  return 0;
}

/* --- children --------------------------------------------------------------------------------- */

static bool in_child; /* this process is a fork: it ends at once when its state is closed */

/* fork() -> 0 in the child, which says what it found by its exit status; its pid in the parent. */
static int host_fork(lua_State *L) {
  fflush(NULL);
  pid_t pid = fork();
  if (pid < 0) return luaL_error(L, "fork: %s", strerror(errno));
  in_child = in_child || pid == 0;
  lua_pushinteger(L, pid);
  return 1;
}

/* wait(pid) -> "exit" or "signal", number */
static int host_wait(lua_State *L) {
  int status = 0;
  while (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0) {
    if (errno != EINTR) return luaL_error(L, "waitpid: %s", strerror(errno));
  }
  bool exited = WIFEXITED(status);
  lua_pushstring(L, exited ? "exit" : "signal");
  lua_pushinteger(L, exited ? WEXITSTATUS(status) : WTERMSIG(status));
  return 2;
}

/* silence(path): standard output and error go to that file from now on. */
static int host_silence(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  if (!freopen(path, "w", stdout)) return luaL_error(L, "%s: %s", path, strerror(errno));
  dup2(STDOUT_FILENO, STDERR_FILENO);
  return 0;
}

/* --- which functions are called --------------------------------------------------------------- */

static int called_key; /* its address is the registry key of the table: function to true or false */

/* Notes that the value at the top was called, when it is one to watch; pops it. The key exists
 * then, so setting it needs no memory. */
static bool note(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &called_key);
  lua_pushvalue(L, -2);
  bool watched = lua_rawget(L, -2) == LUA_TBOOLEAN;
  lua_pop(L, 1);
  if (watched) {
    lua_pushvalue(L, -2);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
  }
  lua_pop(L, 2);
  return watched;
}

static void on_call(lua_State *L, lua_Debug *ar) {
  if (!lua_checkstack(L, 8)) return;
  lua_getinfo(L, "f", ar);
  /* What is called by `__call` is the first argument: a class. */
  if (note(L) && lua_getlocal(L, ar, 1)) {
    if (lua_istable(L, -1))
      note(L);
    else
      lua_pop(L, 1);
  }
}

/* trace(called): sets called[f] for every function f called from now on that is a key of the table,
 * in this thread and those made from it. */
static int host_trace(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &called_key);
  lua_sethook(L, on_call, LUA_MASKCALL, 0);
  return 0;
}

/* --- the clock -------------------------------------------------------------------------------- */

/* fast_clock(): waits of this process end at once from now on, and the clock jumps by them. */
static int host_fast_clock(lua_State *L) {
  (void)L;
  aio_test_clock_fast();
  return 0;
}

static const luaL_Reg functions[] = {
    {"memory", host_memory},
    {"arm", host_arm},
    {"disarm", host_disarm},
    {"fds", host_fds},
    {"cwd", host_cwd},
    {"alarm", host_alarm},
    {"fork", host_fork},
    {"wait", host_wait},
    {"silence", host_silence},
    {"trace", host_trace},
    {"fast_clock", host_fast_clock},
    {NULL, NULL},
};

static int open_host(lua_State *L) {
  luaL_newlib(L, functions);
  luaL_setfuncs(L, aio_test_fds, 0);
  luaL_setfuncs(L, aio_test_guard, 0);
  return 1;
}

/* --- the interpreter -------------------------------------------------------------------------- */

/* Closes the state and looks whether its memory is back. */
static int finish(lua_State *L, int status) {
  lua_close(L);
  if (memory.bytes == 0 && memory.blocks == 0) return status;
  fprintf(stderr, "aio-lua: %zu bytes in %zu blocks of the closed state are lost\n", memory.bytes,
          memory.blocks);
  return EXIT_LEAK;
}

static lua_State *main_state;

/* os.exit(code, close): as Lua's, and the look at the memory when the state is to be closed. */
static int host_exit(lua_State *L) {
  int status = lua_isboolean(L, 1) ? (lua_toboolean(L, 1) ? 0 : 1) : (int)luaL_optinteger(L, 1, 0);
  if (lua_toboolean(L, 2)) status = finish(main_state, status);
  fflush(NULL);
  if (in_child) _exit(status);
  exit(status);
}

static void set_exit(lua_State *L) {
  lua_getglobal(L, "os");
  lua_pushcfunction(L, host_exit);
  lua_setfield(L, -2, "exit");
  lua_pop(L, 1);
}
static int traceback(lua_State *L) {
  const char *text = luaL_tolstring(L, 1, NULL);
  luaL_traceback(L, L, text, 1);
  return 1;
}

static void set_arg(lua_State *L, int argc, char **argv, int script) {
  lua_createtable(L, argc, script);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

static void run_script(lua_State *L, int argc, char **argv, int script) {
  if (luaL_loadfile(L, argv[script]) != LUA_OK) lua_error(L);
  luaL_checkstack(L, argc, "too many arguments");
  for (int i = script + 1; i < argc; i++) lua_pushstring(L, argv[i]);
  lua_call(L, argc - script - 1, 0);
}

/* Arguments on the stack: argc, argv. */
static int protected_main(lua_State *L) {
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);
  luaL_openlibs(L);
  luaL_requiref(L, "testhost", open_host, 0);
  set_exit(L);
  int script = 1;
  while (script + 1 < argc && strcmp(argv[script], "-e") == 0) script += 2;
  if (script >= argc) return luaL_error(L, "usage: aio-lua [-e chunk] script arguments...");
  set_arg(L, argc, argv, script);
  lua_settop(L, 0);
  for (int i = 2; i < script; i += 2) {
    if (luaL_dostring(L, argv[i]) != LUA_OK) return lua_error(L);
  }
  run_script(L, argc, argv, script);
  return 0;
}

int main(int argc, char **argv) {
  lua_State *L = main_state = lua_newstate(allocate, NULL);
  if (!L) return EXIT_FAILURE;
  lua_pushcfunction(L, traceback);
  lua_pushcfunction(L, protected_main);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  int status = EXIT_SUCCESS;
  if (lua_pcall(L, 2, 0, 1) != LUA_OK) {
    fprintf(stderr, "aio-lua: %s\n", lua_tostring(L, -1));
    status = EXIT_FAILURE;
  }
  status = finish(L, status);
  fflush(NULL);
  if (in_child) _exit(status);
  return status;
}
