/* SPDX-License-Identifier: MIT
 *
 * aio.coroutine, a drop-in `coroutine` table. Inside a task, a thread that one of its functions
 * resumes may wait: `task->top` is the thread that may, and a resume that comes back with a wait
 * under way yields too, up to the task's own thread; its continuation resumes the inner thread
 * again at the task's next step. A user's yield is a yield without a wait. Outside a task, all is
 * as in Lua's own table.
 *
 * Bodies run under a yieldable pcall, so that `__close` handlers can wait while an error unwinds.
 *
 * Invariant: a thread suspended by such a wait maps to its task in the table WAITING, so that
 * nobody takes it for one suspended by a user's yield, and its continuation, which has a pointer
 * to the task, keeps the task alive. Its key exists since before, so marking cannot fail. */
#include "bind/coroutine.h"

#include <string.h>

#include "bind/error.h"
#include "bind/lloop.h"
#include "bind/task.h"
#include "bind/worker.h"

enum { FAILED = -1, WAITS = -2 };    /* what `advance` returns beside a count of results */
enum { UP_THREAD = 2, UP_BODY = 2 }; /* upvalues of a wrap's function and of a body */

/* ---- bodies ---- */

/* Fills the traceback of error objects while the frames of this thread are there. */
static int body_msgh(lua_State *L) {
  return lua_istable(L, 1) ? aio_error_msgh(L) : 1;
}

static int body_k(lua_State *L, int status, lua_KContext ctx) {
  (void)ctx;
  if (status != LUA_OK && status != LUA_YIELD) return lua_error(L);
  return lua_gettop(L) - 1;
}

/* What a thread of ours runs; upvalue 2 is the user's function. [may yield] */
static int body(lua_State *L) {
  lua_pushcfunction(L, body_msgh);
  lua_insert(L, 1);
  lua_pushvalue(L, lua_upvalueindex(UP_BODY));
  lua_insert(L, 2);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, body_k);
  return body_k(L, status, 0);
}

/* ---- which threads wait ---- */

/* Sees to it that the thread at `idx` has a key in WAITING. [may throw] */
static void know(lua_State *L, const aio_state *st, int idx) {
  idx = lua_absindex(L, idx);
  aio_push_ref(L, st, AIO_REF_WAITING);
  lua_pushvalue(L, idx);
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_pushvalue(L, idx);
    lua_pushboolean(L, 0);
    lua_rawset(L, -4);
  }
  lua_pop(L, 2);
}

/* Sets the entry of the thread at `idx` to its task, or to false. Cannot fail. */
static void mark(lua_State *L, const aio_state *st, int idx, aio_task *t) {
  idx = lua_absindex(L, idx);
  aio_push_ref(L, st, AIO_REF_WAITING);
  lua_pushvalue(L, idx);
  if (t)
    aio_task_push(L, t);
  else
    lua_pushboolean(L, 0);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* Is the thread at `idx` suspended by a wait that a living task will end? */
static bool waits(lua_State *L, const aio_state *st, int idx) {
  idx = lua_absindex(L, idx);
  aio_push_ref(L, st, AIO_REF_WAITING);
  lua_pushvalue(L, idx);
  lua_rawget(L, -2);
  const aio_task *t = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return t && !aio_future_done(&t->fut);
}

/* ---- resuming ---- */

/* Resumes the thread at `idx` with the `nargs` values on its stack. Its results, or the error
 * (FAILED), come to the top of L; WAITS: it waits for the task, and L must yield as well. */
static int advance(lua_State *L, aio_state *st, int idx, int nargs, bool again) {
  lua_State *co = lua_tothread(L, idx);
  aio_task *t = st->current;
  bool top = t && (again || t->top == L);
  bool passes = top && lua_isyieldable(L);
  int n;
  if (again)
    mark(L, st, idx, NULL);
  else if (top)
    t->top = passes ? co : NULL;
  aio_running frame = {co, st->inner};
  st->inner = &frame;
  if (st->worker) aio_worker_resumes(st->worker, co);
  int status = lua_resume(co, L, nargs, &n);
  st->inner = frame.outer;
  if (passes && status == LUA_YIELD && t->wait.node.state != AIO_IDLE) {
    mark(L, st, idx, t);
    return WAITS;
  }
  if (top) t->top = L;
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return FAILED;
  }
  if (!lua_checkstack(L, n + 1)) {
    lua_pop(co, n);
    lua_pushliteral(L, "too many results to resume");
    return FAILED;
  }
  lua_xmove(co, L, n);
  return n;
}

/* Can the thread at `idx` be resumed? If not, pushes the message of Lua's own resume. */
static bool resumable(lua_State *L, const aio_state *st, int idx) {
  lua_State *co = lua_tothread(L, idx);
  if (waits(L, st, idx)) {
    lua_pushliteral(L, "cannot resume non-suspended coroutine");
    return false;
  }
  if (lua_status(co) == LUA_OK && lua_gettop(co) == 0) {
    lua_pushliteral(L, "cannot resume dead coroutine");
    return false;
  }
  return true;
}

/* First resume of this call: hands over the arguments from `first` on. */
static int begin(lua_State *L, aio_state *st, int idx, int first) {
  lua_State *co = lua_tothread(L, idx);
  int n = lua_gettop(L) - first + 1;
  if (!resumable(L, st, idx)) return FAILED;
  if (!lua_checkstack(co, n)) {
    lua_pushliteral(L, "too many arguments to resume");
    return FAILED;
  }
  know(L, st, idx);
  lua_xmove(L, co, n);
  return advance(L, st, idx, n, false);
}

/* In a continuation: the task was stepped, so the wait inside is over. False: it was not, and
 * somebody else has resumed the outer thread. */
static bool stepped(const aio_state *st, const aio_task *t) {
  return st->current == t && t->wait.node.state == AIO_IDLE;
}

static lua_State *check_thread(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "thread");
  return co;
}

/* ---- resume ---- */

static int resume_k(lua_State *L, int status, lua_KContext ctx);

/* true and the results, or false and the error; L's slot 1 is the thread. */
static int resumed(lua_State *L, aio_state *st, int n) {
  if (n == WAITS) return lua_yieldk(L, 0, (lua_KContext)st->current, resume_k);
  lua_pushboolean(L, n != FAILED);
  if (n == FAILED) n = 1;
  lua_insert(L, -(n + 1));
  return n + 1;
}

static int resume_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_state *st = aio_state_up(L);
  if (!stepped(st, (aio_task *)ctx)) return lua_yieldk(L, 0, ctx, resume_k);
  return resumed(L, st, advance(L, st, 1, 0, true));
}

/* resume(co, ...) [may yield] */
static int co_resume(lua_State *L) {
  aio_state *st = aio_state_up(L);
  check_thread(L);
  return resumed(L, st, begin(L, st, 1, 2));
}

/* ---- wrap ---- */

static int wrap_k(lua_State *L, int status, lua_KContext ctx);

int aio_wrap_raise(lua_State *L, lua_State *co) {
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) {
    aio_thread_reset(co, L);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int wrap_resumed(lua_State *L, aio_state *st, int n) {
  if (n == WAITS) return lua_yieldk(L, 0, (lua_KContext)st->current, wrap_k);
  return n == FAILED ? aio_wrap_raise(L, lua_tothread(L, lua_upvalueindex(UP_THREAD))) : n;
}

static int wrap_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_state *st = aio_state_up(L);
  if (!stepped(st, (aio_task *)ctx)) return lua_yieldk(L, 0, ctx, wrap_k);
  return wrap_resumed(L, st, advance(L, st, lua_upvalueindex(UP_THREAD), 0, true));
}

/* The function that wrap returns. [may yield] */
static int wrap_call(lua_State *L) {
  aio_state *st = aio_state_up(L);
  return wrap_resumed(L, st, begin(L, st, lua_upvalueindex(UP_THREAD), 1));
}

/* ---- the table ---- */

/* create(fn) */
static int co_create(lua_State *L) {
  aio_state *st = aio_state_up(L);
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_State *co = lua_newthread(L);
  aio_push_ref(L, st, AIO_REF_STATE);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, body, 2);
  lua_xmove(L, co, 1);
  know(L, st, 2);
  return 1;
}

/* wrap(fn) */
static int co_wrap(lua_State *L) {
  aio_state *st = aio_state_up(L);
  co_create(L);
  aio_push_ref(L, st, AIO_REF_STATE);
  lua_insert(L, -2);
  lua_pushcclosure(L, wrap_call, 2);
  return 1;
}

static const char *status_of(lua_State *L, const aio_state *st, int idx) {
  lua_State *co = lua_tothread(L, idx);
  lua_Debug ar;
  if (co == L) return "running";
  if (lua_status(co) == LUA_YIELD) return waits(L, st, idx) ? "normal" : "suspended";
  if (lua_status(co) != LUA_OK) return "dead";
  if (lua_getstack(co, 0, &ar)) return "normal";
  return lua_gettop(co) ? "suspended" : "dead";
}

/* status(co) */
static int co_status(lua_State *L) {
  check_thread(L);
  lua_pushstring(L, status_of(L, aio_state_up(L), 1));
  return 1;
}

/* close(co): its `__close` handlers cannot wait, because Lua calls them without a way back; such a
 * wait raises, and close returns false and that error. */
static int co_close(lua_State *L) {
  aio_state *st = aio_state_up(L);
  lua_State *co = check_thread(L);
  const char *status = status_of(L, st, 1);
  if (strcmp(status, "suspended") != 0 && strcmp(status, "dead") != 0)
    return luaL_error(L, "cannot close a %s coroutine", status);
  aio_task *t = st->current;
  lua_State *top = t ? t->top : NULL;
  if (t) t->top = NULL;
  int outcome = aio_thread_reset(co, L);
  if (t) t->top = top;
  lua_pushboolean(L, outcome == LUA_OK);
  if (outcome == LUA_OK) return 1;
  lua_xmove(co, L, 1);
  return 2;
}

/* running(): the thread of a task that somebody may hold is never given to another task. */
static int co_running(lua_State *L) {
  aio_state *st = aio_state_up(L);
  if (st->current) st->current->tflags |= AIO_TASK_EXPOSED;
  int main = lua_pushthread(L);
  lua_pushboolean(L, main);
  return 2;
}

/* isyieldable([co]) */
static int co_isyieldable(lua_State *L) {
  lua_State *co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
  lua_pushboolean(L, lua_isyieldable(co));
  return 1;
}

/* yield(...) [may yield] */
static int co_yield (lua_State *L) {
  return lua_yield(L, lua_gettop(L));
}

/* core._in_thread(co): is co the running thread? Unlike running(), gives nothing away. */
static int in_thread(lua_State *L) {
  lua_pushboolean(L, lua_tothread(L, 1) == L);
  return 1;
}

/* core._inner_thread(co): the thread that co, suspended or not, has resumed; nil when it waits or
 * runs itself. For tracebacks. */
static int inner_thread(lua_State *L) {
  lua_State *co = check_thread(L);
  lua_Debug ar;
  lua_settop(L, 1);
  if (co == L || !lua_checkstack(co, 2) || !lua_getstack(co, 0, &ar)) return 0;
  lua_getinfo(co, "f", &ar);
  lua_CFunction fn = lua_tocfunction(co, -1);
  if (fn == wrap_call)
    lua_getupvalue(co, -1, UP_THREAD);
  else if (fn == co_resume && lua_getlocal(co, &ar, 1) == NULL)
    lua_pushnil(co);
  else if (fn != co_resume)
    lua_pushnil(co);
  lua_xmove(co, L, 1);
  lua_pop(co, 1);
  return 1;
}

void aio_coroutine_open(lua_State *L, aio_state *st) {
  static const luaL_Reg table[] = {{"create", co_create}, {"resume", co_resume},
                                   {"wrap", co_wrap},     {"status", co_status},
                                   {"close", co_close},   {"running", co_running},
                                   {"yield", co_yield },  {"isyieldable", co_isyieldable},
                                   {NULL, NULL}};
  static const luaL_Reg fns[] = {
      {"_in_thread", in_thread}, {"_inner_thread", inner_thread}, {NULL, NULL}};
  lua_newtable(L);
  aio_setfuncs(L, st, table);
  lua_setfield(L, -2, "coroutine");
  aio_setfuncs(L, st, fns);
}
