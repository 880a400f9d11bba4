/* SPDX-License-Identifier: MIT
 *
 * A child process of a loop, over libuv: started, watched until it ends, reaped. Its pipes are
 * streams like any other; they are made before it is started and know nothing of it. Knows no Lua.
 *
 * An aio_child has one owner, who calls aio_child_release once; a child that runs then goes on, and
 * is reaped when it ends. When the loop closes, a child that was not detached is killed, and a
 * thread waits for its end, so that no zombie stays. The structure is malloc'ed: libuv may have it
 * for longer than the Lua state lives.
 *
 * Invariant: `loop` is set exactly while the child runs and the loop is open; then it counts in
 * `live`. `waiters` is empty once it has ended. */
#ifndef AIO_CORE_CHILD_H
#define AIO_CORE_CHILD_H

#include "core/loop.h"
#include "core/stream.h"

enum { AIO_CHILD_STDIO = 3 };

enum aio_child_state { AIO_CHILD_NEW, AIO_CHILD_RUNNING, AIO_CHILD_ENDED, AIO_CHILD_LOST };

/* What stands behind one of the child's descriptors 0 to 2. */
enum aio_stdio_kind {
  AIO_STDIO_INHERIT, /* that of this process */
  AIO_STDIO_NULL,
  AIO_STDIO_FD,   /* `fd` of this process */
  AIO_STDIO_SAME, /* the same as number `fd` (below it) of the child */
  AIO_STDIO_PIPE, /* a pipe, whose other end becomes the source of `stream` */
};

typedef struct aio_stdio {
  enum aio_stdio_kind kind;
  int fd;
  aio_stream *stream;
} aio_stdio;

typedef struct aio_child_opts {
  const char *file;
  char **args;     /* NULL at the end */
  char **env;      /* NULL: that of this process */
  const char *cwd; /* or NULL */
  aio_stdio stdio[AIO_CHILD_STDIO];
  bool set_uid, set_gid;
  long uid, gid;
  bool new_session; /* leads a session, and a process group, of its own */
  bool detached;    /* the same; lives on when the loop closes */
  bool verbatim;    /* Windows: the last argument is not to be quoted */
} aio_child_opts;

typedef struct aio_child {
  aio_object object;
  uv_process_t uv;
  aio_loop *loop;
  aio_link waiters; /* of aio_node.link: waits for the end */
  int pid;
  int returncode; /* once ENDED: the exit status, or minus the signal that ended it */
  uint8_t state;  /* enum aio_child_state; LOST: its loop closed before it ended */
  bool detached;
  bool handle; /* libuv has the structure */
  bool released;
} aio_child;

/* A new child, not started; NULL when memory is out. */
aio_child *aio_child_new(void);
/* Starts it. 0, or libuv's error code with the name of the failed *call; then all streams of pipes
 * are closed. Waits until the program runs, which is some 100 us. */
int aio_child_start(aio_child *c, aio_loop *l, const aio_child_opts *opts, const char **call);
/* Sends a signal; UV_ESRCH once it has ended. */
int aio_child_signal(aio_child *c, int sig);
/* The owner goes; a child that runs goes on, and is reaped. */
void aio_child_release(aio_child *c);

/* ---- what each system has ---- */

/* Is descriptor `fd` of this process open? */
bool aio_child_has_fd(int fd);
/* Around all that libuv does with SIGCHLD for one child: what was in force before the first child
 * of the process is put back after the last. */
void aio_child_cover(void);
void aio_child_uncover(void (*stop)(void *arg), void *arg);
/* Takes the end of a child that has no loop any more from the system, in a thread of its own. */
void aio_child_reap(int pid);

#endif
