/* SPDX-License-Identifier: MIT
 *
 * Changes of a file or a folder, over uv_fs_event. A file is watched through the folder that it is
 * in, so that one that is replaced, removed or made again is still seen; a folder by itself, and
 * through the one above it too, which tells when to begin anew. What happens waits in a queue.
 *
 * A watch has one owner, who calls aio_fswatch_release once. Invariant: `loop` is NULL when it was
 * closed, or its loop was; then nothing comes any more. */
#ifndef AIO_CORE_FSWATCH_H
#define AIO_CORE_FSWATCH_H

#include "core/loop.h"

/* Events that wait; when there are more, they give way to one AIO_FSWATCH_OVERFLOW. */
#ifdef AIO_HOSTILE
enum { AIO_FSWATCH_EVENTS = 4 };
#else
enum { AIO_FSWATCH_EVENTS = 4096 };
#endif

enum aio_fswatch_type { AIO_FSWATCH_CHANGE, AIO_FSWATCH_RENAME, AIO_FSWATCH_OVERFLOW };

typedef struct aio_fsevent {
  aio_link link;
  size_t size; /* of this block */
  enum aio_fswatch_type type;
  bool inside;  /* `name` is in the folder that is watched; else it is what is watched itself */
  char name[1]; /* there may be more */
} aio_fsevent;

typedef struct aio_fswatch aio_fswatch;

typedef struct aio_fswatch_part {
  uv_fs_event_t handle;
  aio_fswatch *watch;
} aio_fswatch_part;

struct aio_fswatch {
  aio_object object;
  aio_loop *loop;
  aio_mem mem;
  size_t size;
  aio_fswatch_part inner, outer; /* the folder that is watched; the one that the path is in */
  char *path, *base;
  bool is_folder, released;
  unsigned handles; /* that libuv still has */
  unsigned count;   /* of `events` */
  aio_link events, waiters;
};

/* Watches `path`, which is `base` in `folder`. NULL with an error code in *err. */
aio_fswatch *aio_fswatch_new(aio_loop *l, const char *path, const char *folder, const char *base,
                             bool is_folder, int *err);
/* The first event, or NULL; it stays in the queue until it is dropped. */
aio_fsevent *aio_fswatch_first(const aio_fswatch *w);
void aio_fswatch_drop(aio_fswatch *w, aio_fsevent *e);
/* Nothing comes any more; who waits is woken. May be repeated. */
void aio_fswatch_close(aio_fswatch *w);
void aio_fswatch_release(aio_fswatch *w);

#endif
