/* SPDX-License-Identifier: MIT
 *
 * Children, see the header. libuv forks, waits until the program was started or has failed to, and
 * reaps it at SIGCHLD; here are the pipes, the waiting and what happens when the loop closes.
 *
 * Some facts about starting. Descriptors of ours are all closed on exec, so a child has nothing but
 * 0 to 2. Its end of a pipe is an ordinary, blocking one, since few programs expect anything else.
 * libuv makes descriptors 0 to 2 of the child blocking too, also those that it shares with us: what
 * streams have there, they have opened for themselves (descriptor_unix.c). It gives the child the
 * default action for every signal and an empty mask. */
#include "core/child.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/pipe.h"

aio_child *aio_child_new(void) {
  aio_child *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  aio_link_init(&c->object.link);
  aio_link_init(&c->waiters);
  return c;
}

static void free_gone(aio_child *c) {
  if (c->released && !c->handle) free(c);
}

static void on_closed(uv_handle_t *h) {
  aio_child *c = h->data;
  c->handle = false;
  free_gone(c);
}

static void close_now(void *arg) {
  uv_close(arg, on_closed);
}

static void close_handle(aio_child *c) {
  aio_child_uncover(close_now, &c->uv);
}

static void let_go(aio_child *c) {
  c->loop->live--;
  c->loop->working--;
  c->loop = NULL;
  aio_list_del(&c->object.link);
}

static void on_ended(uv_process_t *p, int64_t status, int sig) {
  aio_child *c = p->data;
  aio_loop *l = c->loop;
  c->state = AIO_CHILD_ENDED;
  c->returncode = sig ? -sig : (int)status;
  let_go(c);
  close_handle(c);
  aio_wake_all(l, &c->waiters);
}

/* The loop closes. Tasks that wait here were dealt with by the scheduler. */
static void detach(aio_object *o) {
  aio_child *c = AIO_CONTAINER(o, aio_child, object);
  while (aio_list_shift(&c->waiters)) {
  }
  if (!c->detached) uv_process_kill(&c->uv, SIGKILL);
  c->state = AIO_CHILD_LOST;
  let_go(c);
  close_handle(c);
  aio_child_reap(c->pid);
}

/* ---- pipes ---- */

/* The ends that the child gets; -1: none. */
typedef struct aio_child_ends {
  int fd[AIO_CHILD_STDIO];
} aio_child_ends;

static void close_fd(int fd) {
  uv_fs_t r;
  uv_fs_close(NULL, &r, fd, NULL);
  uv_fs_req_cleanup(&r);
}

static void close_ends(const aio_child_ends *ends) {
  for (int i = 0; i < AIO_CHILD_STDIO; i++) {
    if (ends->fd[i] >= 0) close_fd(ends->fd[i]);
  }
}

/* Our end is non-blocking from the start, and reads only when it is asked to: what nobody has read
 * is still in the pipe. */
static int make_pipe(const aio_stdio *io, bool is_stdin, int *end, const char **call) {
  int fds[2], ours = is_stdin ? 1 : 0;
  *call = "pipe";
  int err = uv_pipe(fds, is_stdin ? 0 : UV_NONBLOCK_PIPE, is_stdin ? UV_NONBLOCK_PIPE : 0);
  if (err) return err;
  *end = fds[!ours];
  aio_pipe_opts opts = {.own = true, .use = is_stdin ? AIO_PIPE_WRITE : AIO_PIPE_READ};
  err = aio_pipe_open(io->stream, fds[ours], &opts, call);
  if (err) close_fd(fds[ours]);
  return err;
}

static void set_fd(uv_stdio_container_t *to, int fd) {
  to->flags = UV_INHERIT_FD;
  to->data.fd = fd;
}

static int set_stdio(uv_stdio_container_t *to, const aio_stdio *io, aio_child_ends *ends,
                     const char **call) {
  for (int i = 0; i < AIO_CHILD_STDIO; i++) {
    int err = 0;
    switch (io[i].kind) {
    case AIO_STDIO_INHERIT:
      to[i].flags = UV_IGNORE; /* the null device, where this process has nothing itself */
      if (aio_child_has_fd(i)) set_fd(&to[i], i);
      break;
    case AIO_STDIO_NULL:
      to[i].flags = UV_IGNORE;
      break;
    case AIO_STDIO_FD:
      set_fd(&to[i], io[i].fd);
      break;
    case AIO_STDIO_SAME:
      to[i] = to[io[i].fd];
      break;
    case AIO_STDIO_PIPE:
      err = make_pipe(&io[i], i == 0, &ends->fd[i], call);
      set_fd(&to[i], ends->fd[i]);
    }
    if (err) return err;
  }
  return 0;
}

/* ---- starting ---- */

static unsigned flags_of(const aio_child_opts *o) {
  return (o->set_uid ? UV_PROCESS_SETUID : 0) | (o->set_gid ? UV_PROCESS_SETGID : 0) |
         (o->new_session || o->detached ? UV_PROCESS_DETACHED : 0) |
         (o->verbatim ? UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS : 0) | UV_PROCESS_WINDOWS_HIDE;
}

static int spawn(aio_child *c, aio_loop *l, const aio_child_opts *o, uv_stdio_container_t *stdio) {
  uv_process_options_t options;
  memset(&options, 0, sizeof options);
  options.file = o->file;
  options.args = o->args;
  options.env = o->env;
  options.cwd = o->cwd;
  options.flags = flags_of(o);
  options.uid = (uv_uid_t)o->uid;
  options.gid = (uv_gid_t)o->gid;
  options.stdio = stdio;
  options.stdio_count = AIO_CHILD_STDIO;
  options.exit_cb = on_ended;
  c->uv.data = c;
  c->handle = true;
  aio_child_cover();
  int err = uv_spawn(&l->uv, &c->uv, &options);
  if (err) close_handle(c);
  return err;
}

static void begun(aio_child *c, aio_loop *l, bool detached) {
  c->state = AIO_CHILD_RUNNING;
  c->pid = c->uv.pid;
  c->detached = detached;
  c->loop = l;
  c->object.detach = detach;
  aio_list_push(&l->objects, &c->object.link);
  l->live++;
  l->working++;
  l->watchers_changed = true;
}

int aio_child_start(aio_child *c, aio_loop *l, const aio_child_opts *opts, const char **call) {
  uv_stdio_container_t stdio[AIO_CHILD_STDIO];
  aio_child_ends ends = {{-1, -1, -1}};
  memset(stdio, 0, sizeof stdio);
  int err = set_stdio(stdio, opts->stdio, &ends, call);
  if (!err) {
    *call = "spawn";
    err = spawn(c, l, opts, stdio);
  }
  close_ends(&ends);
  if (!err) {
    begun(c, l, opts->detached);
    return 0;
  }
  for (int i = 0; i < AIO_CHILD_STDIO; i++) {
    if (opts->stdio[i].stream) aio_stream_abort(opts->stdio[i].stream);
  }
  return err;
}

int aio_child_signal(aio_child *c, int sig) {
  return c->state == AIO_CHILD_RUNNING ? uv_process_kill(&c->uv, sig) : UV_ESRCH;
}

void aio_child_release(aio_child *c) {
  c->released = true;
  free_gone(c);
}
