/* SPDX-License-Identifier: MIT
 *
 * Posting from other threads. Called by the embedding program; what is posted runs from the ready
 * queue like any callback. Invariant: a posted function is called exactly once, in the loop's
 * thread or, when the loop closes before, without a Lua state. */
#include <stdatomic.h>
#include <stdlib.h>

#include "bind/error.h"
#include "bind/host.h"
#include "core/port.h"

struct aio_remote {
  aio_cnode last; /* posted when the last reference goes, to take it off the loop's count */
  aio_port *port;
  atomic_uint refs;
};

typedef struct post {
  aio_cnode node;
  aio_posted *fn;
  void *ud;
} post;

/* ---- posts ---- */

/* Stack: light userdata of the post. */
static int call_protected(lua_State *L) {
  post p = *(post *)lua_touserdata(L, 1);
  lua_settop(L, 0);
  p.fn(L, p.ud);
  return 0;
}

/* Stack: the loop's userdata as a light one, the error. */
static int report_protected(lua_State *L) {
  aio_lloop *l = lua_touserdata(L, 1);
  lua_createtable(L, 0, 3);
  lua_insert(L, 2);
  lua_setfield(L, 2, "exception");
  lua_pushliteral(L, "callback_error");
  lua_setfield(L, 2, "kind");
  lua_pushliteral(L, "a function posted by the host raised an error");
  lua_setfield(L, 2, "message");
  aio_lloop_report(L, l);
  return 0;
}

/* The error at the top (popped) goes to the exception handler, or ends the step. */
static void failed(lua_State *L, aio_lloop *l) {
  if (aio_error_is_fatal(L, l->st, -1)) {
    aio_lloop_fatal(L, l);
    return;
  }
  lua_pushcfunction(L, report_protected);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, l);
  lua_insert(L, -2);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1); /* no memory to tell anybody */
}

static void post_run(aio_loop *core, aio_cnode *c) {
  post *p = AIO_CONTAINER(c, post, node);
  aio_lloop *l = core->owner;
  lua_State *L = l->L;
  lua_pushcfunction(L, aio_error_msgh);
  lua_pushcfunction(L, call_protected);
  lua_pushlightuserdata(L, p);
  if (lua_pcall(L, 1, 0, -3) != LUA_OK) failed(L, l);
  lua_pop(L, 1);
  free(p);
}

static void post_drop(aio_cnode *c) {
  post *p = AIO_CONTAINER(c, post, node);
  p->fn(NULL, p->ud);
  free(p);
}

int aio_remote_post(aio_remote *r, aio_posted *fn, void *ud) {
  post *p = malloc(sizeof *p);
  if (!p) return AIO_HOST_NOMEM;
  p->node.run = post_run;
  p->node.drop = post_drop;
  p->fn = fn;
  p->ud = ud;
  if (aio_port_post(r->port, &p->node)) return AIO_HOST_OK;
  free(p);
  return AIO_HOST_CLOSED;
}

/* ---- references ---- */

static void remote_free(aio_cnode *c) {
  aio_remote *r = AIO_CONTAINER(c, aio_remote, last);
  aio_port_release(r->port);
  free(r);
}

static void remote_run(aio_loop *core, aio_cnode *c) {
  core->remotes--;
  remote_free(c);
}

aio_remote *aio_remote_open(lua_State *L) {
  aio_lloop *l = aio_lloop_current(L);
  if (!l) return NULL;
  aio_remote *r = calloc(1, sizeof *r);
  if (!r) return NULL;
  r->port = aio_port_get(l->core);
  if (!r->port) {
    free(r);
    return NULL;
  }
  r->last.run = remote_run;
  r->last.drop = remote_free;
  atomic_init(&r->refs, 1);
  l->core->remotes++;
  return r;
}

void aio_remote_retain(aio_remote *r) {
  atomic_fetch_add(&r->refs, 1);
}

void aio_remote_release(aio_remote *r) {
  if (atomic_fetch_sub(&r->refs, 1) > 1) return;
  if (!aio_port_post(r->port, &r->last)) remote_free(&r->last);
}
