/* SPDX-License-Identifier: MIT
 *
 * The Lua face of a stream: a full userdata around an aio_stream of floor 2. Its methods are in
 * stream.c (life), stream_read.c and stream_write.c. Invariant: `s` is NULL only before the stream
 * was made and after the finalizer. */
#ifndef AIO_BIND_STREAM_H
#define AIO_BIND_STREAM_H

#include "bind/lloop.h"
#include "core/stream.h"

typedef struct aio_stream_ud {
  aio_stream *s;
  uint64_t released;       /* of s->out.released: anchors given up so far */
  lua_Integer first, last; /* the anchors in use, keys of the table AIO_STREAM_UV_ANCHORS */
  size_t scanned;          /* a read in search of a separator: how far it has looked */
  size_t discarded;        /* bytes of a too long line that were thrown away so far */
  bool told;               /* somebody got the error that ended all writing */
  bool detached;           /* a server leaves it open when the handler ends */
  bool accepted;           /* by a server */
  const void *sender;      /* the task that sends a file: nobody else may write */
  aio_cnode handled;       /* among the waiters of the handler's task, see listener.c */
} aio_stream_ud;

enum {
  AIO_STREAM_UV_LOOP = 1, /* the loop object, so that it outlives the stream */
  AIO_STREAM_UV_ANCHORS,  /* long strings that wait in the send queue */
  AIO_STREAM_UV_WHERE,    /* debug mode: where it was made */
  AIO_STREAM_UV_HANDLER,  /* the task whose waiters `handled` is in */
  AIO_STREAM_UV_FILTER,   /* what a filter on it tells: get_extra_info looks for names there */
  AIO_STREAM_UV_SINK,     /* what core._feed was called with last */
  AIO_STREAM_UVS = 6
};

/* Opens the class Stream and the functions of the module table at the top. */
void aio_stream_open_class(lua_State *L, aio_state *st);
void aio_stream_drain_open(lua_State *L, aio_state *st);
void aio_pair_open_functions(lua_State *L, aio_state *st);   /* pair.c */
void aio_filter_open_functions(lua_State *L, aio_state *st); /* filter.c */
void aio_feed_open_functions(lua_State *L, aio_state *st);   /* feed.c */
void aio_pipe_open_functions(lua_State *L, aio_state *st);   /* pipe.c */
extern const struct aio_clause_ops aio_stream_clause;        /* aio.select{{stream, "read", n}} */
extern const luaL_Reg aio_stream_read_methods[], aio_stream_write_methods[];
extern const luaL_Reg aio_stream_tty_methods[]; /* pipe.c */

/* Pushes a stream of the loop around nothing, for `s` to be set. [may throw] */
aio_stream_ud *aio_stream_push(lua_State *L, aio_state *st, aio_lloop *l);

/* Raises an OSError, or an SSLError for an error of a filter. [throws] */
int aio_stream_raise(lua_State *L, const aio_stream *s, int err, const char *call);
/* Raises unless it takes data: open, its peer there, no file under way. [may throw] */
aio_stream *aio_stream_check_writable(lua_State *L, aio_stream_ud *u);
/* Raises when what was written cannot be sent any more. [may throw] */
void aio_stream_check_sent(lua_State *L, aio_stream_ud *u);
/* Raises that the stream is closed. [throws] */
int aio_stream_raise_closed(lua_State *L);
/* The stream at stack slot 1. [may throw] */
static inline aio_stream_ud *aio_stream_self(lua_State *L) {
  const aio_state *st = aio_state_up(L);
  aio_stream_ud *u = lua_touserdata(L, 1);
  if (u && lua_getmetatable(L, 1)) {
    bool ours = lua_topointer(L, -1) == st->mt[AIO_REF_STREAM];
    lua_pop(L, 1);
    if (ours && u->s) return u;
    if (ours) aio_stream_raise_closed(L); /* somebody called the finalizer */
  }
  return aio_object_check(L, st, 1, AIO_REF_STREAM);
}

/* The same for a task that goes on. [may throw] */
static inline aio_stream_ud *aio_stream_self_again(lua_State *L) {
  aio_stream_ud *u = lua_touserdata(L, 1);
  if (!u->s) aio_stream_raise_closed(L); /* as above, while it waited */
  return u;
}

/* Pushes the first `n` bytes, which are there, and drops them from the stream. False, and nothing
 * pushed: a finalizer has used this very stream; look again. [may throw] */
bool aio_stream_take(lua_State *L, aio_stream *s, size_t n);
/* What get_extra_info of the stream at slot 1 tells under `name`; false and nothing pushed when
 * that is nothing. [may throw] */
bool aio_stream_info(lua_State *L, aio_stream_ud *u, const char *name);
/* Pushes the error that ended the stream. [may throw] */
void aio_stream_push_error(lua_State *L, const aio_state *st, const aio_stream *s, int err,
                           const char *call);
/* Writes the values from slot 2 on to the stream at slot 1, which takes data; what the system
 * refuses shows in its write_error. [may throw] */
void aio_stream_put(lua_State *L, aio_stream_ud *u);
/* The water marks `high` and `low` of the option table at slot 2; SIZE_MAX where not given. [may
 * throw] */
void aio_stream_marks(lua_State *L, size_t *high, size_t *low);

/* The sink that the stream at slot 1 holds does not know it any more: feed.c. Cannot fail. */
void aio_stream_drop_sink(lua_State *L, const aio_stream_ud *u);
/* Gives up the anchors of strings that have been sent. Cannot fail. */
void aio_stream_unanchor(lua_State *L, aio_stream_ud *u, int idx);

#endif
