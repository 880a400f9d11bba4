/* SPDX-License-Identifier: MIT
 *
 * A little of c-ares for Lua: a library that brings descriptors of its own and wants to be told
 * when they are ready. tests/test_watch.lua drives it with add_reader and add_writer. Invariant:
 * nothing here calls Lua from a callback; what came is fetched. */
#include <ares.h>
#include <arpa/inet.h>
#include <lauxlib.h>
#include <lua.h>
#include <netdb.h>
#include <string.h>

enum { CHANGES = 64, RESULTS = 16 };

static const char CLASS[] = "cares channel";

typedef struct change {
  ares_socket_t fd;
  int readable, writable;
} change;

typedef struct channel {
  ares_channel ares;
  int open, nchanges, nresults;
  change changes[CHANGES];
  char results[RESULTS][INET_ADDRSTRLEN + 32];
} channel;

static void on_state(void *data, ares_socket_t fd, int readable, int writable) {
  channel *c = data;
  if (c->nchanges < CHANGES) c->changes[c->nchanges++] = (change){fd, readable, writable};
}

static void on_host(void *data, int status, int timeouts, struct hostent *host) {
  channel *c = data;
  (void)timeouts;
  if (c->nresults == RESULTS) return;
  char *text = c->results[c->nresults++];
  if (status == ARES_SUCCESS)
    inet_ntop(AF_INET, host->h_addr_list[0], text, INET_ADDRSTRLEN);
  else
    strncpy(text, ares_strerror(status), sizeof c->results[0] - 1);
}

static channel *check(lua_State *L) {
  channel *c = luaL_checkudata(L, 1, CLASS);
  luaL_argcheck(L, c->open, 1, "closed");
  return c;
}

/* cares.new(port): asks a server at 127.0.0.1. */
static int new (lua_State *L) {
  struct ares_options options = {.sock_state_cb = on_state, .lookups = "b", .timeout = 60000};
  struct ares_addr_port_node server = {.family = AF_INET};
  int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS | ARES_OPT_TIMEOUTMS;
  channel *c = lua_newuserdatauv(L, sizeof *c, 0);
  memset(c, 0, sizeof *c);
  luaL_setmetatable(L, CLASS);
  options.sock_state_cb_data = c;
  inet_pton(AF_INET, "127.0.0.1", &server.addr.addr4);
  server.udp_port = server.tcp_port = (int)luaL_checkinteger(L, 1);
  if (ares_init_options(&c->ares, &options, mask) != ARES_SUCCESS)
    return luaL_error(L, "ares_init_options failed");
  c->open = 1;
  ares_set_servers_ports(c->ares, &server);
  return 1;
}

static int query(lua_State *L) {
  channel *c = check(L);
  ares_gethostbyname(c->ares, luaL_checkstring(L, 2), AF_INET, on_host, c);
  return 0;
}

static int process(lua_State *L) {
  channel *c = check(L);
  ares_socket_t read_fd = (ares_socket_t)luaL_optinteger(L, 2, ARES_SOCKET_BAD);
  ares_process_fd(c->ares, read_fd, (ares_socket_t)luaL_optinteger(L, 3, ARES_SOCKET_BAD));
  return 0;
}

/* channel:change(): the next fd, readable, writable; nothing: no more. */
static int next_change(lua_State *L) {
  channel *c = luaL_checkudata(L, 1, CLASS); /* its close may have left some */
  if (c->nchanges == 0) return 0;
  change first = c->changes[0];
  memmove(c->changes, c->changes + 1, (size_t)--c->nchanges * sizeof first);
  lua_pushinteger(L, first.fd);
  lua_pushboolean(L, first.readable);
  lua_pushboolean(L, first.writable);
  return 3;
}

static int next_result(lua_State *L) {
  channel *c = check(L);
  if (c->nresults == 0) return 0;
  lua_pushstring(L, c->results[0]);
  memmove(c->results[0], c->results[1], (size_t)--c->nresults * sizeof c->results[0]);
  return 1;
}

static int close_channel(lua_State *L) {
  channel *c = luaL_checkudata(L, 1, CLASS);
  if (c->open) ares_destroy(c->ares);
  c->open = 0;
  return 0;
}

int luaopen_cares(lua_State *L);

int luaopen_cares(lua_State *L) {
  static const luaL_Reg methods[] = {{"query", query},
                                     {"process", process},
                                     {"change", next_change},
                                     {"result", next_result},
                                     {"close", close_channel},
                                     {"__gc", close_channel},
                                     {NULL, NULL}};
  luaL_newmetatable(L, CLASS);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_newtable(L);
  lua_pushcfunction(L, new);
  lua_setfield(L, -2, "new");
  return 1;
}
