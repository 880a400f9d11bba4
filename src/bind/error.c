/* SPDX-License-Identifier: MIT
 *
 * Error classes and objects. Used by every file of this floor that raises; the tree is the table
 * below. Invariant: a class is its instances' metatable, and its raw field `_parent` is the class
 * above, so a test for a class is a short walk without calls. */
#include "bind/error.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "bind/copy.h"
#include "bind/made.h"
#include "bind/module.h"
#include "bind/task.h"

typedef struct class_def {
  enum aio_error_class id, parent;
  const char *name;
} class_def;

static const class_def classes[] = {
    {AIO_E_BASE, 0, "BaseError"},
    {AIO_E_ERROR, AIO_E_BASE, "Error"},
    {AIO_E_CANCELLED, AIO_E_BASE, "CancelledError"},
    {AIO_E_KEYBOARD_INTERRUPT, AIO_E_BASE, "KeyboardInterrupt"},
    {AIO_E_SYSTEM_EXIT, AIO_E_BASE, "SystemExit"},
    {AIO_E_GENERATOR_EXIT, AIO_E_BASE, "GeneratorExit"},
    {AIO_E_BASE_GROUP, AIO_E_BASE, "BaseExceptionGroup"},
    {AIO_E_RUNTIME, AIO_E_ERROR, "RuntimeError"},
    {AIO_E_INVALID_STATE, AIO_E_RUNTIME, "InvalidStateError"},
    {AIO_E_BROKEN_BARRIER, AIO_E_RUNTIME, "BrokenBarrierError"},
    {AIO_E_TIMEOUT, AIO_E_ERROR, "TimeoutError"},
    {AIO_E_LOOKUP, AIO_E_ERROR, "LookupError"},
    {AIO_E_OS, AIO_E_ERROR, "OSError"},
    {AIO_E_SSL, AIO_E_OS, "SSLError"},
    {AIO_E_SSL_CERT, AIO_E_SSL, "SSLCertVerificationError"},
    {AIO_E_INCOMPLETE_READ, AIO_E_ERROR, "IncompleteReadError"},
    {AIO_E_LIMIT_OVERRUN, AIO_E_ERROR, "LimitOverrunError"},
    {AIO_E_QUEUE_EMPTY, AIO_E_ERROR, "QueueEmpty"},
    {AIO_E_QUEUE_FULL, AIO_E_ERROR, "QueueFull"},
    {AIO_E_QUEUE_SHUT_DOWN, AIO_E_ERROR, "QueueShutDown"},
    {AIO_E_SENDFILE, AIO_E_ERROR, "SendfileNotAvailableError"},
    {AIO_E_GROUP, AIO_E_ERROR, "ExceptionGroup"},
};

void aio_error_push_class(lua_State *L, const aio_state *st, enum aio_error_class c) {
  aio_push_ref(L, st, AIO_REF_CLASSES);
  lua_rawgeti(L, -1, c);
  lua_replace(L, -2);
}

/* Is the class at the top, or one above it, the class at `want`? Pops it. */
static bool below(lua_State *L, int want) {
  while (lua_istable(L, -1)) {
    if (lua_rawequal(L, -1, want)) {
      lua_pop(L, 1);
      return true;
    }
    lua_pushliteral(L, "_parent");
    lua_rawget(L, -2);
    lua_replace(L, -2);
  }
  lua_pop(L, 1);
  return false;
}

/* Pushes the metatable of the error object at `idx`; false (nothing pushed) for other values. */
static bool push_class_of(lua_State *L, int idx) {
  return lua_istable(L, idx) && lua_getmetatable(L, idx);
}

bool aio_error_matches(lua_State *L, int idx, int class) {
  class = lua_absindex(L, class);
  return push_class_of(L, idx) && below(L, class);
}

bool aio_error_is(lua_State *L, const aio_state *st, int idx, enum aio_error_class c) {
  idx = lua_absindex(L, idx);
  aio_error_push_class(L, st, c);
  bool yes = aio_error_matches(L, idx, -1);
  lua_pop(L, 1);
  return yes;
}

bool aio_error_is_base_only(lua_State *L, const aio_state *st, int idx) {
  return aio_error_is(L, st, idx, AIO_E_BASE) && !aio_error_is(L, st, idx, AIO_E_ERROR);
}

bool aio_error_is_fatal(lua_State *L, const aio_state *st, int idx) {
  return aio_error_is(L, st, idx, AIO_E_SYSTEM_EXIT) ||
         aio_error_is(L, st, idx, AIO_E_KEYBOARD_INTERRUPT);
}

bool aio_error_is_memory(lua_State *L, int idx) {
  return lua_type(L, idx) == LUA_TSTRING && strstr(lua_tostring(L, idx), "not enough memory");
}

static int text_protected(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

const char *aio_error_text(lua_State *L, int idx) {
  idx = lua_absindex(L, idx);
  lua_pushcfunction(L, text_protected);
  lua_pushvalue(L, idx);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    if (aio_error_is_memory(L, -1)) lua_error(L);
    lua_pop(L, 1);
    lua_pushfstring(L, "an error object (a %s) whose __tostring fails", luaL_typename(L, idx));
  }
  return lua_tostring(L, -1);
}

void aio_error_new(lua_State *L, const aio_state *st, enum aio_error_class c, const char *message) {
  lua_createtable(L, 0, 2);
  aio_error_push_class(L, st, c);
  lua_setmetatable(L, -2);
  if (!message) return;
  lua_pushstring(L, message);
  lua_setfield(L, -2, "message");
}

static bool is_ours(const aio_state *st, const lua_Debug *ar) {
  size_t n = strlen(st->prefix);
  return ar->what[0] == 'C' || (n && strncmp(ar->source, st->prefix, n) == 0);
}

void aio_error_where(lua_State *L, const aio_state *st) {
  lua_Debug ar;
  bool lost = false;
  for (int level = 0; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Slt", &ar);
    lost = lost || ar.istailcall;
    if (is_ours(st, &ar) || ar.currentline <= 0) continue;
    lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
    return;
  }
  /* aio's own function is the body of the task: whoever made it is to blame, unless the frame that
   * is to blame has gone by a tail call */
  if (lost || !aio_made_push(L, st)) lua_pushliteral(L, "");
}

int aio_error_state(lua_State *L, const aio_state *st, enum aio_error_class c, const char *fmt,
                    ...) {
  va_list args;
  va_start(args, fmt);
  const char *message = lua_pushvfstring(L, fmt, args);
  va_end(args);
  aio_error_new(L, st, c, message);
  aio_error_where(L, st);
  lua_setfield(L, -2, "where");
  return lua_error(L);
}

void aio_error_push_os(lua_State *L, const aio_state *st, int uverr, const char *syscall) {
  aio_error_new(L, st, AIO_E_OS, NULL);
  char buf[128];
  uv_strerror_r(uverr, buf, sizeof buf);
  lua_pushfstring(L, "%s: %s", syscall, buf);
  lua_setfield(L, -2, "message");
  uv_err_name_r(uverr, buf, sizeof buf);
  lua_pushstring(L, buf);
  lua_setfield(L, -2, "code");
  lua_pushinteger(L, -uverr);
  lua_setfield(L, -2, "errno");
  lua_pushstring(L, syscall);
  lua_setfield(L, -2, "syscall");
}

void aio_error_push_ssl(lua_State *L, const aio_state *st, const char *code, const char *call,
                        const char *reason) {
  aio_error_new(L, st, AIO_E_SSL, NULL);
  lua_pushfstring(L, "%s: %s", call, reason ? reason : "TLS failed");
  lua_setfield(L, -2, "message");
  lua_pushstring(L, code);
  lua_setfield(L, -2, "code");
  lua_pushstring(L, reason);
  lua_setfield(L, -2, "reason");
}

/* tostring(err): "Name: where: message", as much of it as there is. */
static int error_tostring(lua_State *L) {
  luaL_Buffer b;
  const char *name = "BaseError";
  if (lua_getfield(L, 1, "name") == LUA_TSTRING) name = lua_tostring(L, -1);
  luaL_buffinit(L, &b);
  luaL_addstring(&b, name);
  static const char *const parts[] = {"where", "message"};
  for (int i = 0; i < 2; i++) {
    lua_getfield(L, 1, parts[i]);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      continue;
    }
    size_t len;
    const char *s = luaL_tolstring(L, -1, &len);
    lua_remove(L, -2);
    if (len) {
      lua_pushfstring(L, ": %s", s);
      lua_remove(L, -2);
    }
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
  return 1;
}

/* Class(message, fields): a new error object; the fields are copied into it. */
static int class_call(lua_State *L) {
  if (!lua_isnoneornil(L, 3)) luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  lua_createtable(L, 0, 2);
  if (lua_istable(L, 3))
    for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
      lua_pushvalue(L, -2);
      lua_pushvalue(L, -2);
      lua_rawset(L, 4);
    }
  if (!lua_isnil(L, 2)) {
    lua_pushvalue(L, 2);
    lua_setfield(L, 4, "message");
  }
  lua_pushvalue(L, 1);
  lua_setmetatable(L, 4);
  return 1;
}

/* ExceptionGroup(message, list of errors), or with fields as any class. */
static int group_call(lua_State *L) {
  lua_settop(L, 3);
  if (lua_istable(L, 3) && lua_rawlen(L, 3) > 0) {
    lua_createtable(L, 0, 1);
    lua_insert(L, 3);
    lua_setfield(L, 3, "errors");
  }
  return class_call(L);
}

/* SystemExit(code): the one class whose argument is not a message. */
static int system_exit_call(lua_State *L) {
  lua_settop(L, 2);
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, "code");
  if (!lua_isnil(L, 2)) {
    luaL_tolstring(L, 2, NULL);
    lua_setfield(L, -2, "message");
  }
  lua_pushvalue(L, 1);
  lua_setmetatable(L, -2);
  return 1;
}

static lua_CFunction call_of(int id) {
  if (id == AIO_E_SYSTEM_EXIT) return system_exit_call;
  return id == AIO_E_GROUP || id == AIO_E_BASE_GROUP ? group_call : class_call;
}

/* Pushes a class named `name` below the class at `parent` (0: none). */
static void class_new(lua_State *L, const char *name, int parent, lua_CFunction call) {
  lua_createtable(L, 0, 8);
  int class = lua_gettop(L);
  lua_pushvalue(L, class);
  lua_setfield(L, class, "__index");
  lua_pushcfunction(L, error_tostring);
  lua_setfield(L, class, "__tostring");
  lua_pushstring(L, name);
  lua_setfield(L, class, "name");
  lua_pushstring(L, name);
  lua_setfield(L, class, "__name");
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, call);
  lua_setfield(L, -2, "__call");
  lua_pushfstring(L, "class %s", name);
  lua_setfield(L, -2, "__name");
  if (parent) {
    lua_pushvalue(L, parent);
    lua_setfield(L, class, "_parent");
    lua_pushvalue(L, parent);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, class);
}

/* Class:extend(name): a class below this one. */
static int class_extend(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *name = luaL_checkstring(L, 2);
  lua_getmetatable(L, 1);
  lua_getfield(L, -1, "__call");
  lua_CFunction call = lua_tocfunction(L, -1);
  class_new(L, name, 1, call ? call : class_call);
  lua_pushliteral(L, "__tostring"); /* a group has its own */
  lua_pushvalue(L, -1);
  lua_rawget(L, 1);
  if (lua_isnil(L, -1))
    lua_pop(L, 2);
  else
    lua_rawset(L, -3);
  aio_copy_know_class(L, aio_state_up(L));
  return 1;
}

/* is(err, A, B, ...): is err an error object of one of the classes, or below one? */
static int error_is(lua_State *L) {
  int top = lua_gettop(L);
  luaL_argcheck(L, top >= 2, 2, "error class expected");
  for (int i = 2; i <= top; i++) luaL_checktype(L, i, LUA_TTABLE);
  bool yes = false;
  for (int i = 2; i <= top && !yes; i++) yes = aio_error_matches(L, 1, i);
  lua_pushboolean(L, yes);
  return 1;
}

/* Does this error object want a traceback? Cancellations are too many to pay for one each. */
static bool wants_traceback(lua_State *L, const aio_state *st) {
  if (!st->debug_any && aio_error_is(L, st, 1, AIO_E_CANCELLED)) return false;
  lua_pushliteral(L, "traceback");
  lua_rawget(L, 1);
  bool yes = lua_isnil(L, -1);
  lua_pop(L, 1);
  return yes;
}

void aio_error_trace(lua_State *L, const aio_state *st) {
  if (!wants_traceback(L, st)) return;
  luaL_traceback(L, L, NULL, 1);
  lua_setfield(L, 1, "traceback");
}

/* Has a tail call taken a frame away? It may be the one that is to blame. */
static bool is_frame_lost(lua_State *L) {
  lua_Debug ar;
  for (int level = 0; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "t", &ar);
    if (ar.istailcall) return true;
  }
  return false;
}

/* A wrong argument of a C function that is the body of the task has no line: it gets the one that
 * made the task. */
static void add_place(lua_State *L, const aio_state *st) {
  static const char start[] = "bad argument";
  const char *s = lua_tostring(L, 1);
  if (!s || strncmp(s, start, sizeof start - 1) != 0) return;
  if (is_frame_lost(L) || !aio_made_push(L, st)) return;
  lua_pushfstring(L, "%s: %s", lua_tostring(L, -1), s);
  lua_replace(L, 1);
}

/* Lets Lua add the chain of awaits to the traceback of the error at slot 1. */
static void add_awaits(lua_State *L, const aio_state *st) {
  aio_push_hook(L, st, "awaited_error");
  if (!lua_isfunction(L, -1)) return;
  aio_task_push(L, st->current);
  lua_pushvalue(L, 1);
  lua_pcall(L, 2, 0, 0);
}

int aio_error_msgh(lua_State *L) {
  aio_state *st = aio_state_of(L);
  if (!st) return 1;
  bool plain = !aio_error_is(L, st, 1, AIO_E_BASE);
  if (!plain) {
    aio_error_trace(L, st);
  } else if (st->current) {
    if (!aio_protect_passed(L, st, 1, 1)) luaL_traceback(L, L, NULL, 1);
    aio_task_set_extra(L, st->current, "traceback");
  }
  if (st->debug_any && st->current && lua_type(L, 1) == LUA_TSTRING) add_place(L, st);
  /* an error object that was awaited brings its own traceback; a plain value cannot */
  if (st->current && (st->debug_any || plain)) add_awaits(L, st);
  lua_settop(L, 1);
  return 1;
}

void aio_error_open(lua_State *L, aio_state *st) {
  int module = lua_gettop(L);
  aio_push_ref(L, st, AIO_REF_CLASSES);
  int list = lua_gettop(L);
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
    const class_def *d = &classes[i];
    int parent = 0;
    if (d->parent) {
      lua_rawgeti(L, list, d->parent);
      parent = lua_gettop(L);
    }
    class_new(L, d->name, parent, call_of(d->id));
    lua_pushvalue(L, -1);
    lua_setfield(L, module, d->name);
    lua_rawseti(L, list, d->id);
    lua_settop(L, list);
  }
  static const luaL_Reg extend[] = {{"extend", class_extend}, {NULL, NULL}};
  lua_rawgeti(L, list, AIO_E_BASE);
  aio_setfuncs(L, st, extend);
  lua_settop(L, module);
  static const luaL_Reg fns[] = {{"is", error_is}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
