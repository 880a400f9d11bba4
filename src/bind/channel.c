/* SPDX-License-Identifier: MIT
 *
 * The class Channel: what one Lua state has of a channel between threads. Its tasks wait in lines,
 * as at a Queue; the side (core/channel.h) is poked when there is something for them.
 *
 * Invariant: when tasks wait in a line, then the side wants it, or a poke or a turn is on its way.
 */
#include "bind/channel.h"

#include <stdlib.h>

#include "bind/copy.h"
#include "bind/error.h"
#include "bind/line.h"
#include "bind/select.h"

enum { SELF = 1, ITEM = 2, BOX = 3 };
enum { DEFAULT_CAPACITY = 64 };

static const char mark = 0;

typedef struct lchannel {
  const void *mark;
  aio_channel *channel;
  aio_parcel *spare; /* for the next message that is sent, or NULL */
  aio_parcel *used;  /* was received and read, and goes back to the senders; or NULL */
  aio_side *side;    /* of the loop in which its tasks wait, or NULL before the first */
  aio_line lines[AIO_ENDS];
} lchannel;

/* ---- objects ---- */

static lchannel *test(lua_State *L, int arg) {
  return aio_marked_test(L, arg, &mark, sizeof(lchannel));
}

static lchannel *check(lua_State *L, int arg) {
  lchannel *c = test(L, arg);
  if (!c) luaL_typeerror(L, arg, "Channel");
  return c;
}

aio_channel *aio_channel_test(lua_State *L, int idx) {
  const lchannel *c = test(L, idx);
  return c ? c->channel : NULL;
}

/* ---- waiting ---- */

/* Gives turns for what is ready; when somebody still waits, the side wants more. */
static void serve(lchannel *c, enum aio_channel_end end) {
  aio_line *line = &c->lines[end];
  do {
    size_t ready = aio_channel_ready(c->channel, end);
    while (line->given < ready && aio_line_give(line)) {
    }
    if (aio_list_empty(&line->waiters)) break;
  } while (!aio_side_want(c->side, end, line->given));
  if (aio_line_idle(&c->lines[AIO_RECEIVE]) && aio_line_idle(&c->lines[AIO_SEND]))
    aio_side_rest(c->side);
}

/* Turns that nobody here uses go to other threads. */
static void serve_or_pass(lchannel *c, enum aio_channel_end end) {
  serve(c, end);
  if (aio_line_idle(&c->lines[end])) aio_channel_pass(c->channel, end);
}

static void poked(void *owner, enum aio_channel_end end) {
  serve_or_pass(owner, end);
}

static void pass_receiver(aio_line *line) {
  serve_or_pass(AIO_CONTAINER(line, lchannel, lines[AIO_RECEIVE]), AIO_RECEIVE);
}

static void pass_sender(aio_line *line) {
  serve_or_pass(AIO_CONTAINER(line, lchannel, lines[AIO_SEND]), AIO_SEND);
}

/* Makes the loop the one in which tasks wait for the channel at `obj`. NULL, or why not. Cannot
 * throw. */
static const char *bind_loop(lua_State *L, lchannel *c, int obj, aio_lloop *loop) {
  if (c->side && aio_side_is_of(c->side, loop->core)) return NULL;
  bool idle = aio_line_idle(&c->lines[AIO_RECEIVE]) && aio_line_idle(&c->lines[AIO_SEND]);
  bool closed = !c->lines[AIO_RECEIVE].loop || !c->lines[AIO_RECEIVE].loop->core;
  if (c->side && !idle && !closed) return AIO_OTHER_LOOP;
  aio_side *side = aio_side_new(c->channel, loop->core, poked, c);
  if (!side) return "not enough memory";
  if (c->side) aio_side_free(c->side);
  c->side = side;
  aio_lloop_push(L, loop);
  lua_setiuservalue(L, obj, AIO_LINE_UV_LOOP);
  for (int i = 0; i < AIO_ENDS; i++) {
    aio_line_init(&c->lines[i], c->lines[i].pass);
    c->lines[i].loop = loop;
    c->lines[i].given = 0;
  }
  return NULL;
}

/* The running task is to wait in a line. NULL: no need, it is ready. [may throw] */
static aio_task *enter(lua_State *L, lchannel *c, enum aio_channel_end end) {
  aio_state *st = aio_state_up(L);
  aio_task *t = aio_task_waiter(L, st);
  const char *why = bind_loop(L, c, SELF, t->fut.loop);
  if (why) aio_error_state(L, st, AIO_E_RUNTIME, why, luaL_tolstring(L, SELF, NULL));
  return aio_side_want(c->side, end, c->lines[end].given) ? t : NULL;
}

static int raise_closed(lua_State *L) {
  aio_error_new(L, aio_state_up(L), AIO_E_QUEUE_SHUT_DOWN, "the channel is closed");
  return lua_error(L);
}

/* ---- sending ---- */

typedef struct box {
  aio_parcel *parcel;
} box;

static int box_gc(lua_State *L) {
  box *b = lua_touserdata(L, 1);
  if (b->parcel) aio_parcel_free(b->parcel);
  b->parcel = NULL;
  return 0;
}

static void check_item(lua_State *L, int arg) {
  luaL_argcheck(L, !lua_isnoneornil(L, arg), arg, "nil cannot be sent (false can)");
}

/* Most messages of which there are many are a number: they need no blob. */
static bool pack_plain(lua_State *L, aio_parcel *p, int item) {
  if (lua_isinteger(L, item)) {
    p->kind = AIO_COPY_INTEGER;
    p->plain.integer = lua_tointeger(L, item);
  } else if (lua_type(L, item) == LUA_TNUMBER) {
    p->kind = AIO_COPY_NUMBER;
    p->plain.number = lua_tonumber(L, item);
  } else {
    p->kind = 0;
  }
  return p->kind != 0;
}

/* The same back. */
static bool unpack_plain(lua_State *L, const aio_parcel *p) {
  if (p->kind == AIO_COPY_INTEGER)
    lua_pushinteger(L, p->plain.integer);
  else if (p->kind == AIO_COPY_NUMBER)
    lua_pushnumber(L, p->plain.number);
  return p->kind != 0;
}

/* A parcel with the value at `item`. [may throw; then there is none] */
static aio_parcel *pack(lua_State *L, lchannel *c, int item) {
  if (c->spare && pack_plain(L, c->spare, item)) {
    aio_parcel *p = c->spare;
    c->spare = NULL;
    return p;
  }
  aio_blob blob = {0};
  if (c->spare) {
    blob = c->spare->blob;
    c->spare->blob = (aio_blob){0};
  }
  aio_copy_out(L, aio_state_up(L), item, 1, (aio_copy_names){"the message", -1, 0}, &blob);
  aio_parcel *p = c->spare ? c->spare : aio_parcel_new();
  if (!p) {
    aio_blob_fini(&blob);
    luaL_error(L, "not enough memory");
  }
  c->spare = NULL;
  p->kind = 0;
  p->blob = blob;
  return p;
}

/* Nobody got it. */
static void keep(lchannel *c, aio_parcel *p) {
  aio_parcel_empty(p);
  if (c->spare)
    aio_parcel_free(p);
  else
    c->spare = p;
}

/* Sends at once, or not at all. */
static enum aio_channel_status send_now(lua_State *L, lchannel *c, int item) {
  if (aio_channel_ready(c->channel, AIO_SEND) == 0) return AIO_CHANNEL_WAIT;
  aio_parcel *p = pack(L, c, item);
  enum aio_channel_status status = aio_channel_put(c->channel, p, &c->spare);
  if (status != AIO_CHANNEL_DONE) keep(c, p);
  return status;
}

static int send_k(lua_State *L, int status, lua_KContext ctx);

/* Stack: channel, item, box. The parcel stays in the box until it is sent. */
static int send_box(lua_State *L, lchannel *c) {
  box *b = lua_touserdata(L, BOX);
  for (;;) {
    switch (aio_channel_put(c->channel, b->parcel, &c->spare)) {
    case AIO_CHANNEL_DONE:
      b->parcel = NULL;
      return 0;
    case AIO_CHANNEL_CLOSED:
      return raise_closed(L);
    default:
      break;
    }
    aio_task *t = enter(L, c, AIO_SEND);
    if (t) return aio_line_suspend(L, t, &c->lines[AIO_SEND], SELF, send_k);
  }
}

static int send_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  lchannel *c = lua_touserdata(L, SELF);
  if (!aio_line_resumed(L, ctx, &c->lines[AIO_SEND])) return aio_suspend_again(L, ctx, send_k);
  return send_box(L, c);
}

static int send_gave_way(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (((aio_task *)ctx)->wait.node.state != AIO_IDLE)
    return aio_suspend_again(L, ctx, send_gave_way);
  return 0; /* a cancellation comes at the next wait: the message was sent */
}

/* channel:send(item) [may yield] */
static int channel_send(lua_State *L) {
  aio_state *st = aio_state_up(L);
  lchannel *c = check(L, SELF);
  check_item(L, ITEM);
  lua_settop(L, ITEM);
  enum aio_channel_status status = send_now(L, c, ITEM);
  if (status == AIO_CHANNEL_CLOSED) return raise_closed(L);
  if (status == AIO_CHANNEL_DONE) {
    aio_task *t = aio_task_tired_here(L, st);
    return t ? aio_task_give_way(L, t, send_gave_way) : 0;
  }
  aio_task_waiter(L, st);
  box *b = aio_object_new(L, st, AIO_REF_PARCEL, sizeof *b, 0);
  b->parcel = pack(L, c, ITEM);
  return send_box(L, c);
}

/* channel:send_nowait(item): QueueFull instead of waiting. */
static int channel_send_nowait(lua_State *L) {
  lchannel *c = check(L, SELF);
  check_item(L, ITEM);
  enum aio_channel_status status = send_now(L, c, ITEM);
  if (status == AIO_CHANNEL_DONE) return 0;
  if (status == AIO_CHANNEL_CLOSED) return raise_closed(L);
  aio_error_new(L, aio_state_up(L), AIO_E_QUEUE_FULL, "the channel is full");
  return lua_error(L);
}

/* ---- receiving ---- */

/* Stack: light userdata of the parcel. */
static int unpack_protected(lua_State *L) {
  const aio_parcel *p = lua_touserdata(L, 1);
  return aio_copy_in(L, aio_state_of(L), &p->blob);
}

/* It has been read; the next who takes one gives it back. */
static void put_by(lchannel *c, aio_parcel *p) {
  if (!p->kind) aio_parcel_empty(p);
  if (c->used)
    aio_parcel_free(p);
  else
    c->used = p;
}

/* Pushes the value of a parcel, and frees it. When memory is out it goes back into the channel. */
static void unpack(lua_State *L, lchannel *c, aio_parcel *p) {
  if (unpack_plain(L, p)) {
    put_by(c, p);
    return;
  }
  lua_pushcfunction(L, unpack_protected);
  lua_pushlightuserdata(L, p);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
    put_by(c, p);
    return;
  }
  if (aio_error_is_memory(L, -1))
    aio_channel_untake(c->channel, p);
  else
    aio_parcel_free(p);
  lua_error(L);
}

static enum aio_channel_status recv_now(lua_State *L, lchannel *c) {
  aio_parcel *p;
  enum aio_channel_status status = aio_channel_take(c->channel, &p, &c->used);
  if (status == AIO_CHANNEL_DONE) unpack(L, c, p);
  return status;
}

static int recv_k(lua_State *L, int status, lua_KContext ctx);
static int next_k(lua_State *L, int status, lua_KContext ctx);

static int recv_wait(lua_State *L, lchannel *c, lua_KFunction k) {
  for (;;) {
    switch (recv_now(L, c)) {
    case AIO_CHANNEL_DONE:
      return 1;
    case AIO_CHANNEL_CLOSED:
      if (k == recv_k) return raise_closed(L);
      lua_pushnil(L);
      return 1;
    default:
      break;
    }
    aio_task *t = enter(L, c, AIO_RECEIVE);
    if (t) return aio_line_suspend(L, t, &c->lines[AIO_RECEIVE], SELF, k);
  }
}

static int recv_again(lua_State *L, lua_KContext ctx, lua_KFunction k) {
  lchannel *c = lua_touserdata(L, SELF);
  if (!aio_line_resumed(L, ctx, &c->lines[AIO_RECEIVE])) return aio_suspend_again(L, ctx, k);
  return recv_wait(L, c, k);
}

static int recv_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return recv_again(L, ctx, recv_k);
}

static int next_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return recv_again(L, ctx, next_k);
}

/* The value stands on the stack of a task that has given way. */
static int recv_gave_way(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (((aio_task *)ctx)->wait.node.state != AIO_IDLE)
    return aio_suspend_again(L, ctx, recv_gave_way);
  return 1; /* a cancellation comes at the next wait: the value is not lost */
}

static int receive(lua_State *L, lua_KFunction k) {
  lchannel *c = check(L, SELF);
  lua_settop(L, SELF);
  aio_task *tired = aio_task_tired_here(L, aio_state_up(L));
  if (!tired) return recv_wait(L, c, k);
  if (recv_now(L, c) != AIO_CHANNEL_DONE) return recv_wait(L, c, k);
  return aio_task_give_way(L, tired, recv_gave_way);
}

/* channel:recv(): the next message. [may yield] */
static int channel_recv(lua_State *L) {
  return receive(L, recv_k);
}

static int items_next(lua_State *L) {
  return receive(L, next_k);
}

static int channel_recv_nowait(lua_State *L) {
  switch (recv_now(L, check(L, SELF))) {
  case AIO_CHANNEL_DONE:
    return 1;
  case AIO_CHANNEL_CLOSED:
    return raise_closed(L);
  default:
    aio_error_new(L, aio_state_up(L), AIO_E_QUEUE_EMPTY, "the channel is empty");
    return lua_error(L);
  }
}

/* for item in channel:items() do: until it is closed and empty. */
static int channel_items(lua_State *L) {
  check(L, SELF);
  lua_settop(L, SELF);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushcclosure(L, items_next, 1);
  lua_insert(L, SELF);
  return 2;
}

/* ---- the rest ---- */

/* channel:close(): nothing can be sent any more, what is inside can still be received. */
static int channel_close(lua_State *L) {
  aio_channel_close(check(L, SELF)->channel);
  return 0;
}

static int channel_is_closed(lua_State *L) {
  lua_pushboolean(L, aio_channel_closed(check(L, SELF)->channel));
  return 1;
}

static int channel_qsize(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)aio_channel_count(check(L, SELF)->channel));
  return 1;
}

static int channel_capacity(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)aio_channel_capacity(check(L, SELF)->channel));
  return 1;
}

static int channel_tostring(lua_State *L) {
  const lchannel *c = check(L, SELF);
  lua_pushfstring(L, "Channel: %p (%I of %I messages%s)", (void *)c->channel,
                  (LUAI_UACINT)aio_channel_count(c->channel),
                  (LUAI_UACINT)aio_channel_capacity(c->channel),
                  aio_channel_closed(c->channel) ? ", closed" : "");
  return 1;
}

/* ---- select ---- */

static void recv_check(lua_State *L, aio_state *st, int obj) {
  (void)st;
  check(L, obj);
}

static int recv_take(lua_State *L, aio_state *st, int obj, bool turn) {
  (void)st;
  lchannel *c = lua_touserdata(L, obj);
  if (turn) aio_line_use(&c->lines[AIO_RECEIVE]);
  enum aio_channel_status status = recv_now(L, c);
  if (status == AIO_CHANNEL_CLOSED) return raise_closed(L);
  return status == AIO_CHANNEL_DONE ? 1 : -1;
}

static const char *arm(lua_State *L, int obj, aio_task *t, aio_wait *w, enum aio_channel_end end) {
  lchannel *c = lua_touserdata(L, obj);
  const char *why = bind_loop(L, c, obj, t->fut.loop);
  if (why) return why;
  aio_list_push(&c->lines[end].waiters, &w->node.link);
  serve(c, end);
  return NULL;
}

static const char *recv_arm(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w) {
  (void)st;
  return arm(L, obj, t, w, AIO_RECEIVE);
}

static void recv_hand_back(void *obj) {
  aio_line_hand_back(&((lchannel *)obj)->lines[AIO_RECEIVE]);
}

static void send_check(lua_State *L, aio_state *st, int obj) {
  (void)st;
  check(L, obj);
  check_item(L, obj + 1);
}

static int send_take(lua_State *L, aio_state *st, int obj, bool turn) {
  (void)st;
  lchannel *c = lua_touserdata(L, obj);
  if (turn) aio_line_use(&c->lines[AIO_SEND]);
  enum aio_channel_status status = send_now(L, c, obj + 1);
  if (status == AIO_CHANNEL_CLOSED) return raise_closed(L);
  return status == AIO_CHANNEL_DONE ? 0 : -1;
}

static const char *send_arm(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w) {
  (void)st;
  return arm(L, obj, t, w, AIO_SEND);
}

static void send_hand_back(void *obj) {
  aio_line_hand_back(&((lchannel *)obj)->lines[AIO_SEND]);
}

static const aio_clause_ops recv_ops = {recv_check, recv_take, recv_arm, recv_hand_back};
static const aio_clause_ops send_ops = {send_check, send_take, send_arm, send_hand_back};

/* ---- making ---- */

static int channel_gc(lua_State *L) {
  lchannel *c = lua_touserdata(L, 1);
  if (c->side) aio_side_free(c->side);
  if (c->spare) aio_parcel_free(c->spare);
  if (c->used) aio_parcel_free(c->used);
  if (c->channel) aio_channel_release(c->channel);
  c->spare = c->used = NULL;
  c->side = NULL;
  c->channel = NULL;
  c->mark = NULL;
  return 0;
}

/* Pushes an empty object. */
static lchannel *object_new(lua_State *L, const aio_state *st) {
  lchannel *c = aio_object_new(L, st, AIO_REF_CHANNEL, sizeof *c, 1);
  aio_line_init(&c->lines[AIO_RECEIVE], pass_receiver);
  aio_line_init(&c->lines[AIO_SEND], pass_sender);
  return c;
}

/* The object at the top is from now on that of the channel, whose reference it takes over. */
static void know(lua_State *L, const aio_state *st, lchannel *c, aio_channel *channel) {
  c->channel = channel;
  c->mark = &mark;
  aio_push_ref(L, st, AIO_REF_CHANNELS);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, channel);
  lua_pop(L, 1);
}

void aio_channel_push(lua_State *L, const aio_state *st, aio_channel *channel) {
  aio_push_ref(L, st, AIO_REF_CHANNELS);
  int type = lua_rawgetp(L, -1, channel);
  lua_replace(L, -2);
  if (type == LUA_TUSERDATA && test(L, -1)) return;
  lua_pop(L, 1);
  lchannel *c = object_new(L, st);
  know(L, st, c, aio_channel_retain(channel));
}

/* aio.Channel(capacity) */
static int channel_new(lua_State *L) {
  const aio_state *st = aio_state_up(L);
  lua_remove(L, 1); /* the class */
  lua_Integer capacity = luaL_optinteger(L, 1, DEFAULT_CAPACITY);
  luaL_argcheck(L, capacity >= 1, 1, "a capacity of at least 1 expected");
  lchannel *c = object_new(L, st);
  aio_channel *channel = aio_channel_new((size_t)capacity);
  if (!channel) return luaL_error(L, "not enough memory");
  know(L, st, c, channel);
  return 1;
}

void aio_channel_open(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {
      {"send", channel_send},           {"send_nowait", channel_send_nowait},
      {"recv", channel_recv},           {"recv_nowait", channel_recv_nowait},
      {"items", channel_items},         {"close", channel_close},
      {"is_closed", channel_is_closed}, {"qsize", channel_qsize},
      {"capacity", channel_capacity},   {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", channel_gc},
                                  {"__close", channel_close},
                                  {"__tostring", channel_tostring},
                                  {NULL, NULL}};
  static const luaL_Reg gc[] = {{"__gc", box_gc}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_PARCEL, "aio.parcel", NULL, gc);
  lua_pop(L, 1);
  aio_class_open(L, st, AIO_REF_CHANNEL, "Channel", methods, meta);
  aio_class_selectable(L, "recv", &recv_ops);
  aio_class_selectable(L, "send", &send_ops);
  aio_class_publish(L, st, "Channel", channel_new);
}
