/* SPDX-License-Identifier: MIT
 *
 * Terminal modes on Unix, see the header. The modes that are to be put back are in one list of the
 * process, since the end of the process is one too: streams of several loops and states may have
 * changed terminals. Invariant: everything in the list has an open descriptor; of several of one
 * terminal each has the mode that the one before it made, and the first the one that was found. */
#include "core/tty_unix.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct aio_tty_saved {
  aio_link link;
  int fd;
  dev_t terminal;
  pid_t pid; /* a child that was forked does not touch its parent's terminal */
  struct termios mode;
};

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t lock;
static aio_link changed;

/* The end of a background job must not stop it, as a change of the terminal otherwise does. */
static int set_mode(int fd, const struct termios *mode) {
  sigset_t out, before;
  int err;
  sigemptyset(&out);
  sigaddset(&out, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &out, &before);
  do err = tcsetattr(fd, TCSADRAIN, mode) < 0 ? -errno : 0;
  while (err == -EINTR);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return err;
}

static void put_back(const aio_tty_saved *s) {
  if (s->pid == getpid()) set_mode(s->fd, &s->mode);
}

static void at_exit(void) {
  if (uv_mutex_trylock(&lock)) return;
  for (aio_link *l = changed.prev; l != &changed; l = l->prev)
    put_back(AIO_CONTAINER(l, aio_tty_saved, link));
  uv_mutex_unlock(&lock);
}

static void init(void) {
  aio_link_init(&changed);
  if (uv_mutex_init(&lock)) abort();
  atexit(at_exit);
}

/* The same number for every descriptor of a terminal. With the lock. */
static dev_t terminal_of(int fd) {
  struct stat st;
  const char *slave = ptsname(fd); /* of a master: all masters are one device */
  int err = slave ? stat(slave, &st) : fstat(fd, &st);
  return err ? 0 : st.st_rdev;
}

/* Those that have changed the same terminal later found what this one had made of it. */
static void hand_over(const aio_tty_saved *s) {
  for (aio_link *l = s->link.next; l != &changed; l = l->next) {
    aio_tty_saved *later = AIO_CONTAINER(l, aio_tty_saved, link);
    if (later->terminal == s->terminal) later->mode = s->mode;
  }
}

/* Notes the mode that is to be put back; NULL with *err. */
static aio_tty_saved *save(int fd, int *err) {
  aio_tty_saved *s = malloc(sizeof *s);
  *err = UV_ENOMEM;
  if (!s) return NULL;
  *err = tcgetattr(fd, &s->mode) < 0 ? -errno : 0;
  if (*err) {
    free(s);
    return NULL;
  }
  s->fd = fd;
  s->pid = getpid();
  uv_once(&once, init);
  uv_mutex_lock(&lock);
  s->terminal = terminal_of(fd);
  aio_link_init(&s->link);
  aio_list_push(&changed, &s->link);
  uv_mutex_unlock(&lock);
  return s;
}

int aio_tty_change(int fd, enum aio_tty_mode mode, aio_tty_saved **saved) {
  int err;
  if (mode == AIO_TTY_NORMAL) {
    aio_tty_restore(saved);
    return 0;
  }
  if (!*saved && !(*saved = save(fd, &err))) return err;
  struct termios t = (*saved)->mode;
  t.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
  t.c_oflag |= ONLCR;
  t.c_cflag |= CS8;
  t.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN);
  if (mode == AIO_TTY_RAW)
    t.c_lflag &= ~(tcflag_t)ISIG;
  else
    t.c_iflag |= (*saved)->mode.c_iflag & ICRNL;
  t.c_cc[VMIN] = 1;
  t.c_cc[VTIME] = 0;
  return set_mode(fd, &t);
}

void aio_tty_restore(aio_tty_saved **saved) {
  aio_tty_saved *s = *saved;
  *saved = NULL;
  if (!s) return;
  put_back(s);
  uv_mutex_lock(&lock);
  hand_over(s);
  aio_list_del(&s->link);
  uv_mutex_unlock(&lock);
  free(s);
}

int aio_tty_size(int fd, int *columns, int *rows) {
  struct winsize ws;
  if (ioctl(fd, TIOCGWINSZ, &ws) < 0) return -errno;
  *columns = ws.ws_col;
  *rows = ws.ws_row;
  return 0;
}
