/* SPDX-License-Identifier: MIT
 *
 * A line: tasks that wait their turn at a lock, an event, a queue. Every object of synchronisation
 * has one or more. A waiter is *given* a turn: it leaves the line for the ready queue and uses the
 * turn when it runs. One that cannot use it (cancelled meanwhile, or its coroutine was closed by
 * somebody) hands it back, and `pass` gives it to the next; so no turn is ever lost.
 *
 * In a line stand tasks (their aio_wait) and clauses of aio.select (a node of kind AIO_NODE_C in
 * an aio_wait, see select.h). Invariant: `given` counts the turns that were given to waiters which
 * have not run since. */
#ifndef AIO_BIND_LINE_H
#define AIO_BIND_LINE_H

#include "bind/lloop.h"

typedef struct aio_line {
  aio_link waiters;                /* of aio_node.link, first in, first out */
  aio_lloop *loop;                 /* of those who wait; NULL before the first */
  void (*pass)(struct aio_line *); /* gives a turn that was handed back to the next; or NULL */
  uint32_t given;
} aio_line;

/* Every object with lines begins with the address of a mark of its class, which is cheaper to look
 * at than the metatable. NULL when the value at `arg` is something else. */
static inline void *aio_marked_test(lua_State *L, int arg, const void *mark, size_t size) {
  const void **p = lua_touserdata(L, arg);
  return p && lua_rawlen(L, arg) == size && *p == mark ? (void *)p : NULL;
}

/* The first user value of every object with lines: its loop, set by the first wait. */
enum { AIO_LINE_UV_LOOP = 1 };

void aio_line_init(aio_line *line, void (*pass)(aio_line *));

/* Binds the line of the object at `obj` to the loop; false when the object is used in another. */
bool aio_line_bind(lua_State *L, aio_line *line, int obj, aio_lloop *loop);
/* Lets the running task wait in the line of the object at `obj`, which the task keeps alive. Use as
 * `return aio_line_wait(...)`. [may throw, before anything has changed; yields] */
int aio_line_wait(lua_State *L, aio_state *st, aio_line *line, int obj, lua_KFunction k);
/* The two halves of it, for who has something to do between: what can throw, and the rest. */
aio_task *aio_line_enter(lua_State *L, aio_state *st, aio_line *line, int obj);
int aio_line_suspend(lua_State *L, aio_task *t, aio_line *line, int obj, lua_KFunction k);
/* First call of its continuation: the task; NULL: yield again. When the task was cancelled, its
 * turn goes to the next and the cancellation is raised. [may throw] */
aio_task *aio_line_resumed(lua_State *L, lua_KContext ctx, aio_line *line);
/* For continuations that must not raise: has the task, which runs again, been given a turn? */
bool aio_line_turn(aio_task *t, aio_line *line);

/* Gives a turn to the first in the line; true when there was one. Cannot fail. */
bool aio_line_give_first(aio_line *line);
static inline bool aio_line_give(aio_line *line) {
  return !aio_list_empty(&line->waiters) && aio_line_give_first(line);
}
/* To all that are in it now. */
void aio_line_give_all(aio_line *line);
/* A clause of select runs again that was given a turn: it uses it, or hands it back. */
static inline void aio_line_use(aio_line *line) {
  line->given--;
}
void aio_line_hand_back(aio_line *line);
/* Nobody is in the line, nor on the way from it. */
static inline bool aio_line_idle(const aio_line *line) {
  return line->given == 0 && aio_list_empty(&line->waiters);
}
/* How many stand in it. */
int aio_line_count(const aio_line *line);

/* The coroutine of a task that waited was closed by somebody: a turn of its goes to the next. */
void aio_line_abandon(aio_task *t);

/* `object:with(fn, ...)` once the object, at stack slot 1, is held: closes it after the call, also
 * when that fails. `done` (with `ctx`) calls lua_closeslot(L, 1) and returns what is above. */
int aio_line_with(lua_State *L, lua_KContext ctx, lua_KFunction done);

/* Sets the class at the top (popped), which is called to make an object, into the module table
 * below it. [may throw] */
void aio_class_publish(lua_State *L, aio_state *st, const char *name, lua_CFunction new);
/* The metatable field __select of the class at the top: what an `op` of aio.select does with an
 * object of it. [may throw] */
struct aio_clause_ops;
void aio_class_selectable(lua_State *L, const char *op, const struct aio_clause_ops *ops);

#endif
