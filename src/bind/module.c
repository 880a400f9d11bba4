/* SPDX-License-Identifier: MIT
 *
 * luaopen_aio_core: opens the parts of this floor in one table, the C module behind `aio`. The Lua
 * files add to it; names with an underscore are for them. */
#include "bind/module.h"
#include "bind/address.h"
#include "bind/buffer.h"
#include "bind/call.h"
#include "bind/channel.h"
#include "bind/condition.h"
#include "bind/copy.h"
#include "bind/coroutine.h"
#include "bind/crew.h"
#include "bind/datagram.h"
#include "bind/error.h"
#include "bind/file.h"
#include "bind/fs.h"
#include "bind/fs_watch.h"
#include "bind/gather.h"
#include "bind/handle.h"
#include "bind/interrupt.h"
#include "bind/job.h"
#include "bind/listener.h"
#include "bind/lloop.h"
#include "bind/local.h"
#include "bind/made.h"
#include "bind/process.h"
#include "bind/queue.h"
#include "bind/remote.h"
#include "bind/select.h"
#include "bind/sendfile.h"
#include "bind/signal.h"
#include "bind/slow.h"
#include "bind/socket.h"
#include "bind/stream.h"
#include "bind/transport.h"
#include "bind/worker.h"

/* core._set_hook(name, fn): the Lua functions that C calls: report(loop, ctx), task_ended(task, ok,
 * results...), deadlock(loop), interrupt(loop), slow_callback(loop, task or handle, seconds),
 * awaited_error(task, err), never_retrieved(future), create_by_factory(loop, fn, ...),
 * context_of(handle). */
static int set_hook(lua_State *L) {
  luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  aio_push_ref(L, aio_state_up(L), AIO_REF_HOOKS);
  lua_insert(L, 1);
  lua_rawset(L, 1);
  return 0;
}

/* core._set_prefix(source): what the sources of aio's own Lua functions begin with; they are never
 * blamed for an error. */
static int set_prefix(lua_State *L) {
  aio_state *st = aio_state_up(L);
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  if (len >= sizeof st->prefix) len = sizeof st->prefix - 1;
  memcpy(st->prefix, s, len);
  st->prefix[len] = '\0';
  return 0;
}

/* core._where(): "file:line" of the nearest code that is not aio's, or "". */
static int where(lua_State *L) {
  aio_error_where(L, aio_state_up(L));
  return 1;
}

/* core._argerror(n, name, message): raises as luaL_argerror does, but blames the nearest code that
 * is not aio's, also after a tail call. */
static int argerror(lua_State *L) {
  aio_error_where(L, aio_state_up(L));
  lua_pushfstring(L, "%s%sbad argument #%d to '%s' (%s)", lua_tostring(L, -1),
                  *lua_tostring(L, -1) ? ": " : "", (int)luaL_checkinteger(L, 1),
                  luaL_checkstring(L, 2), luaL_checkstring(L, 3));
  return lua_error(L);
}

/* core._raise(err): raises an error object with `where` filled, for wrong states. */
static int raise_state(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  aio_error_where(L, aio_state_up(L));
  lua_setfield(L, 1, "where");
  lua_settop(L, 1);
  return lua_error(L);
}

/* core._log(level, text): true when the host's log took the text; else it is for stderr. */
static int host_log(lua_State *L) {
  const aio_state *st = aio_state_up(L);
  const char *level = luaL_checkstring(L, 1), *text = luaL_checkstring(L, 2);
  if (st->log) st->log(st->log_ud, level, text);
  lua_pushboolean(L, st->log != NULL);
  return 1;
}

/* core.stats(): what is alive in this state, for leak checks. */
static int stats(lua_State *L) {
  const aio_state *st = aio_state_up(L);
  lua_createtable(L, 0, 6);
  lua_pushinteger(L, st->ntasks);
  lua_setfield(L, -2, "tasks");
  lua_pushinteger(L, st->nhandles);
  lua_setfield(L, -2, "handles");
  lua_pushinteger(L, st->nloops);
  lua_setfield(L, -2, "loops");
  lua_pushinteger(L, st->pooled);
  lua_setfield(L, -2, "threads_pooled");
  lua_pushinteger(L, st->slots - st->nfree);
  lua_setfield(L, -2, "anchors");
  lua_pushinteger(L,
                  st->loop || st->running ? (st->running ? st->running : st->loop)->core->live : 0);
  lua_setfield(L, -2, "live");
  return 1;
}

/* coroutine.running, wrapped: a task whose thread somebody may hold is never given to another. */
static int coroutine_running(lua_State *L) {
  aio_state *st = aio_state_up(L);
  if (st->current) st->current->tflags |= AIO_TASK_EXPOSED;
  int main = lua_pushthread(L);
  lua_pushboolean(L, main);
  return 2;
}

/* Keys of the pool exist from the start, so that giving a thread back needs no memory. */
static void fill_pool(lua_State *L, aio_state *st) {
  aio_push_ref(L, st, AIO_REF_POOL);
  for (int i = 1; i <= AIO_POOL_MAX; i++) {
    lua_pushboolean(L, 0);
    lua_rawseti(L, -2, i);
  }
  lua_pop(L, 1);
}

static void wrap_running(lua_State *L, aio_state *st) {
  if (lua_getglobal(L, "coroutine") == LUA_TTABLE) {
    static const luaL_Reg fns[] = {{"running", coroutine_running}, {NULL, NULL}};
    aio_setfuncs(L, st, fns);
  }
  lua_pop(L, 1);
}

/* What each part adds to the module table at the top, in an order in which all that one needs is
 * there before it. */
static void (*const openers[])(lua_State *L, aio_state *st) = {
    aio_error_open,
    aio_handle_open,
    aio_future_open,
    aio_task_open,
    aio_gather_open,
    aio_context_open,
    aio_sleep_open,
    aio_protect_open,
    aio_coroutine_open,
    aio_made_open,
    aio_slow_open,
    aio_clock_open,
    aio_lock_open,
    aio_condition_open,
    aio_event_open,
    aio_semaphore_open,
    aio_queue_open,
    aio_select_open,
    aio_lloop_open,
    aio_interrupt_open,
    aio_stream_open_class,
    aio_stream_drain_open,
    aio_pair_open_functions,
    aio_filter_open_functions,
    aio_feed_open_functions,
    aio_pipe_open_functions,
    aio_local_open_functions,
    aio_address_open,
    aio_listener_open_class,
    aio_datagram_open_class,
    aio_watch_open,
    aio_socket_open_class,
    aio_buffer_open,
    aio_transport_open,
    aio_datagram_transport_open,
    aio_signal_open,
    aio_process_open_class,
    aio_pipe_ends_open,
    aio_sendfile_open,
    aio_job_open_class,
    aio_fs_open_functions,
    aio_file_open_class,
    aio_fs_watch_open,
    aio_copy_open,
    aio_copy_name_open,
    aio_channel_open,
    aio_call_open,
    aio_remote_loops_open,
    aio_crew_open,
    aio_worker_open,
    aio_random_open,
};

AIO_EXPORT int luaopen_aio_core(lua_State *L) {
  luaL_checkversion(L);
  lua_settop(L, 0);
  aio_state *st = aio_state_open(L);
  fill_pool(L, st);
  lua_newtable(L);
  static const luaL_Reg fns[] = {{"_set_hook", set_hook}, {"_set_prefix", set_prefix},
                                 {"_where", where},       {"_argerror", argerror},
                                 {"_raise", raise_state}, {"_log", host_log},
                                 {"stats", stats},        {NULL, NULL}};
  aio_setfuncs(L, st, fns);
  for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) openers[i](L, st);
  wrap_running(L, st);
  return 1;
}
