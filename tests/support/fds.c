/* SPDX-License-Identifier: MIT
 *
 * Descriptors for the tests, see the header; part of the module `testhost`. */
#include "fds.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int fd_at(lua_State *L, int arg) {
  return (int)luaL_checkinteger(L, arg);
}

static void check(lua_State *L, int result, const char *what) {
  if (result < 0) luaL_error(L, "%s: %s", what, strerror(errno));
}

static int push_two(lua_State *L, const int fds[2]) {
  lua_pushinteger(L, fds[0]);
  lua_pushinteger(L, fds[1]);
  return 2;
}

/* pipe() -> the end to read from, the end to write to */
static int fds_pipe(lua_State *L) {
  int fds[2];
  check(L, pipe2(fds, O_CLOEXEC), "pipe");
  return push_two(L, fds);
}

/* socketpair() -> two connected stream sockets */
static int fds_socketpair(lua_State *L) {
  int fds[2];
  check(L, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), "socketpair");
  return push_two(L, fds);
}

/* pty(columns, rows) -> the master, the slave of a new pseudo terminal */
static int fds_pty(lua_State *L) {
  struct winsize size = {.ws_col = (unsigned short)luaL_optinteger(L, 1, 80),
                         .ws_row = (unsigned short)luaL_optinteger(L, 2, 25)};
  int fds[2];
  check(L, openpty(&fds[0], &fds[1], NULL, NULL, &size), "openpty");
  fcntl(fds[0], F_SETFD, FD_CLOEXEC);
  fcntl(fds[1], F_SETFD, FD_CLOEXEC);
  return push_two(L, fds);
}

/* resize(fd, columns, rows): of a terminal. */
static int fds_resize(lua_State *L) {
  struct winsize size = {.ws_col = (unsigned short)luaL_checkinteger(L, 2),
                         .ws_row = (unsigned short)luaL_checkinteger(L, 3)};
  check(L, ioctl(fd_at(L, 1), TIOCSWINSZ, &size), "TIOCSWINSZ");
  return 0;
}

/* tty_mode(fd) -> "icanon echo isig", those that are on */
static int fds_tty_mode(lua_State *L) {
  struct termios t;
  check(L, tcgetattr(fd_at(L, 1), &t), "tcgetattr");
  lua_pushfstring(L, "%s%s%s", t.c_lflag & ICANON ? "icanon " : "", t.c_lflag & ECHO ? "echo " : "",
                  t.c_lflag & ISIG ? "isig" : "");
  return 1;
}

static int fds_close(lua_State *L) {
  check(L, close(fd_at(L, 1)), "close");
  return 0;
}

/* dup(fd, to or nil) -> the new descriptor */
static int fds_dup(lua_State *L) {
  int fd = lua_isnoneornil(L, 2) ? fcntl(fd_at(L, 1), F_DUPFD_CLOEXEC, 3)
                                 : dup2(fd_at(L, 1), fd_at(L, 2));
  check(L, fd, "dup");
  lua_pushinteger(L, fd);
  return 1;
}

/* write(fd, data) -> how many bytes went */
static int fds_write(lua_State *L) {
  size_t len;
  const char *data = luaL_checklstring(L, 2, &len);
  ssize_t n = write(fd_at(L, 1), data, len);
  check(L, (int)n, "write");
  lua_pushinteger(L, n);
  return 1;
}

/* read(fd, n) -> what is there, "" at the end; nil when a terminal has gone */
static int fds_read(lua_State *L) {
  char data[65536];
  size_t most = (size_t)luaL_optinteger(L, 2, sizeof data);
  ssize_t n = read(fd_at(L, 1), data, most < sizeof data ? most : sizeof data);
  if (n < 0 && errno == EIO) return 0;
  check(L, (int)n, "read");
  lua_pushlstring(L, data, (size_t)n);
  return 1;
}

/* nonblocking(fd) -> is it? */
static int fds_nonblocking(lua_State *L) {
  int flags = fcntl(fd_at(L, 1), F_GETFL);
  check(L, flags, "fcntl");
  lua_pushboolean(L, flags & O_NONBLOCK);
  return 1;
}

/* is_open(fd) -> boolean */
static int fds_is_open(lua_State *L) {
  lua_pushboolean(L, fcntl(fd_at(L, 1), F_GETFD) >= 0);
  return 1;
}

/* closed_on_exec(fd) -> boolean */
static int fds_closed_on_exec(lua_State *L) {
  int flags = fcntl(fd_at(L, 1), F_GETFD);
  check(L, flags, "fcntl");
  lua_pushboolean(L, flags & FD_CLOEXEC);
  return 1;
}

/* spawn(command, {[0] = fd, fd, fd}) -> pid: the shell runs it in a session of its own, with these
 * descriptors; a terminal at 0 becomes its controlling one. */
static int fds_spawn(lua_State *L) {
  const char *command = luaL_checkstring(L, 1);
  int fds[3];
  for (int i = 0; i < 3; i++) {
    lua_rawgeti(L, 2, i);
    fds[i] = lua_isnil(L, -1) ? i : (int)luaL_checkinteger(L, -1);
  }
  pid_t pid = fork();
  check(L, pid, "fork");
  if (pid == 0) {
    setsid();
    for (int i = 0; i < 3; i++) dup2(fds[i], i);
    ioctl(0, TIOCSCTTY, 0);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
  }
  lua_pushinteger(L, pid);
  return 1;
}

const luaL_Reg aio_test_fds[] = {{"pipe", fds_pipe},         {"socketpair", fds_socketpair},
                                 {"pty", fds_pty},           {"resize", fds_resize},
                                 {"tty_mode", fds_tty_mode}, {"close", fds_close},
                                 {"dup", fds_dup},           {"write", fds_write},
                                 {"read", fds_read},         {"nonblocking", fds_nonblocking},
                                 {"is_open", fds_is_open},   {"closed_on_exec", fds_closed_on_exec},
                                 {"spawn", fds_spawn},       {NULL, NULL}};
