/* SPDX-License-Identifier: MIT
 *
 * Values that go from one Lua state to another: written into a blob by the one, made anew out of
 * it by the other. What can cross: nil, booleans, numbers, strings, tables without metatable
 * (shared and cyclic ones keep their shape), Lua functions with their upvalues, what is found in a
 * loaded module (by its name), error objects and their classes, context variables, channels, loops.
 *
 * Layout of a blob: one byte, FLAT or NESTED; the number of values; the values. The first mention
 * of an object makes it, and numbers it; what it holds comes after all values, as number and
 * contents, until the number 0. So nothing here is recursive but the chain of error classes, and a
 * list of any length in which each entry holds the next is copied like any other. */
#ifndef AIO_BIND_COPY_H
#define AIO_BIND_COPY_H

#include "base/blob.h"
#include "bind/state.h"

enum aio_copy_layout { AIO_COPY_FLAT, AIO_COPY_NESTED };

enum aio_copy_tag {
  AIO_COPY_END, /* in place of a key: the table has no more */
  AIO_COPY_NIL,
  AIO_COPY_FALSE,
  AIO_COPY_TRUE,
  AIO_COPY_INTEGER,
  AIO_COPY_NUMBER,
  AIO_COPY_STRING,
  AIO_COPY_LARGE,   /* a string as a part of the blob */
  AIO_COPY_REF,     /* an object that was mentioned before: its number */
  AIO_COPY_GLOBALS, /* the table of globals */
  /* The first mention of an object: */
  AIO_COPY_TABLE,    /* how many items, how many fields */
  AIO_COPY_MARKED,   /* the name of the module that is its metatable, then as a table */
  AIO_COPY_FUNCTION, /* its code */
  AIO_COPY_MODULE,   /* name */
  AIO_COPY_FIELD,    /* module, name */
  AIO_COPY_CLASS,    /* one of aio's own error classes: enum aio_error_class */
  AIO_COPY_SUBCLASS, /* name, the class above */
  AIO_COPY_ERROR,    /* its class; the fields are its contents */
  AIO_COPY_VARIABLE, /* a ContextVar: its number in the process; the fields are its contents */
  AIO_COPY_CHANNEL,  /* a part of the blob */
  AIO_COPY_LOOP,     /* the same */
};

/* What the values are called when one of them cannot cross: "argument" and the number of the first
 * (below 0: it has none). */
typedef struct aio_copy_names {
  const char *what;
  int first;
  int gap; /* so much higher are the numbers from the third value on */
} aio_copy_names;

/* Writes the `n` values from stack index `first` on into an empty blob, whose memory is used if it
 * has some. Raises a message with the path to what cannot cross, or for want of memory; the blob
 * has no memory then. [may throw] */
void aio_copy_out(lua_State *L, aio_state *st, int first, int n, aio_copy_names names,
                  aio_blob *out);
/* Pushes the values of a blob, which is left as it is; their count. [may throw] */
int aio_copy_in(lua_State *L, aio_state *st, const aio_blob *b);

/* What is known by name (copy_name.c). All may throw. */

/* Is the function at `idx` a field of a module that is loaded, or a method of a class of ours? Then
 * pushes the name of the module ("=n" for the class of that number) and that of the field. `loads`
 * is another number when more modules are loaded. */
bool aio_copy_field_of(lua_State *L, const aio_state *st, int idx, lua_Integer loads);
/* Pushes what a loaded module is; loads it first if need be. */
void aio_copy_push_module(lua_State *L, const aio_state *st, const char *name);

/* Is the value at `idx` an error class? */
bool aio_copy_is_class(lua_State *L, const aio_state *st, int idx);
/* The number of aio's own class at `idx`, or 0. */
int aio_copy_own_class(lua_State *L, const aio_state *st, int idx);
/* Pops a name; replaces the class at the top by the one below it with that name, which is made if
 * this state has none. */
void aio_copy_subclass(lua_State *L, const aio_state *st);
/* Keeps the class at the top as the one that its name stands for below its parent. */
void aio_copy_know_class(lua_State *L, const aio_state *st);

/* Is the table at `idx` a ContextVar? */
bool aio_copy_is_variable(lua_State *L, const aio_state *st, int idx);
/* The number by which all states of the process know the ContextVar at `idx`. */
uint64_t aio_copy_variable_id(lua_State *L, const aio_state *st, int idx);
/* Pushes the ContextVar with that number; makes an empty one if this state has none. */
void aio_copy_push_variable(lua_State *L, const aio_state *st, uint64_t id);

void aio_copy_open(lua_State *L, aio_state *st);
void aio_copy_name_open(lua_State *L, aio_state *st);

#endif
