/* SPDX-License-Identifier: MIT
 *
 * A folder with all that is in it, removed in one job on Unix. Every step goes from an open folder
 * by a name that may be no link, since what was a folder a moment ago may be a link out of the tree
 * now; and up again only to the very folder that it came down from. So neither depth nor the length
 * of paths matters. Invariant: `names` are the folders that are left of each level, the last one of
 * each but the deepest level being the one that was entered. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fs.h"

enum { FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

typedef struct level {
  dev_t dev;
  ino_t ino;
  size_t names; /* where its names begin */
} level;

typedef struct tree {
  aio_fs *f;
  int fd; /* the folder of the deepest level */
  level *levels;
  size_t depth, levels_room;
  char *names;
  size_t len, names_room;
} tree;

static int failed(tree *t, const char *call) {
  t->f->call = call;
  return uv_translate_sys_error(errno);
}

/* ---- the stacks ---- */

static bool grow(void **array, size_t *room, size_t need, size_t size) {
  if (need <= *room) return true;
  size_t more = need * 2;
  void *p = realloc(*array, more * size);
  if (!p) return false;
  *array = p;
  *room = more;
  return true;
}

static int push_name(tree *t, const char *name) {
  size_t n = strlen(name) + 1;
  void *names = t->names;
  if (!grow(&names, &t->names_room, t->len + n, 1)) return UV_ENOMEM;
  t->names = names;
  memcpy(t->names + t->len, name, n);
  t->len += n;
  return 0;
}

/* The name that ends before `end`. */
static char *name_before(const tree *t, size_t end) {
  char *p = t->names + end - 1;
  while (p > t->names && p[-1]) p--;
  return p;
}

static void pop_name(tree *t) {
  t->len = (size_t)(name_before(t, t->len) - t->names);
}

/* Keeps the path of what has failed, for the error; without memory it is that of the whole. */
static void note_path(tree *t, const char *name) {
  size_t len = strlen(t->f->path) + t->len + t->depth + strlen(name) + 2;
  char *path = malloc(len);
  free(t->f->data);
  t->f->data = path;
  if (!path) return;
  path = stpcpy(path, t->f->path);
  for (size_t i = 1; i < t->depth; i++) {
    *path++ = '/';
    path = stpcpy(path, name_before(t, t->levels[i].names));
  }
  *path++ = '/';
  strcpy(path, name);
}

/* ---- a folder ---- */

/* What is no folder goes at once, what is one is put down. */
static int remove_entry(tree *t, const struct dirent *e) {
  if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) return 0;
  struct stat st;
  bool folder = e->d_type == DT_DIR;
  if (e->d_type == DT_UNKNOWN && fstatat(t->fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
    folder = S_ISDIR(st.st_mode);
  if (folder) return push_name(t, e->d_name);
  if (unlinkat(t->fd, e->d_name, 0) == 0 || errno == ENOENT) return 0;
  int err = errno == EISDIR ? push_name(t, e->d_name) : failed(t, "unlink");
  if (err) note_path(t, e->d_name);
  return err;
}

static int remove_entries(tree *t) {
  int fd = openat(t->fd, ".", FOLDER);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) {
    int err = failed(t, "scandir");
    if (fd >= 0) close(fd);
    return err;
  }
  int err = 0;
  for (struct dirent *e; !err && (errno = 0, e = readdir(dir));) {
    err = atomic_load(&t->f->job.released) ? UV_ECANCELED : remove_entry(t, e);
  }
  if (!err && errno) err = failed(t, "scandir");
  closedir(dir);
  return err;
}

/* Takes `fd` over, a folder that is one level deeper. */
static int enter(tree *t, int fd) {
  struct stat st;
  if (t->fd >= 0) close(t->fd);
  t->fd = fd;
  void *levels = t->levels;
  if (!grow(&levels, &t->levels_room, t->depth + 1, sizeof *t->levels)) return UV_ENOMEM;
  t->levels = levels;
  if (fstat(fd, &st) < 0) return failed(t, "fstat");
  t->levels[t->depth++] = (level){st.st_dev, st.st_ino, t->len};
  return remove_entries(t);
}

/* ---- down and up ---- */

static bool is_no_folder(int err) {
  return err == ENOTDIR || err == ELOOP || err == EMLINK;
}

static int go_down(tree *t) {
  const char *name = name_before(t, t->len);
  int fd = openat(t->fd, name, FOLDER), err = 0;
  if (fd >= 0) return enter(t, fd);
  if (is_no_folder(errno) ? unlinkat(t->fd, name, 0) < 0 && errno != ENOENT : errno != ENOENT) {
    err = failed(t, "open");
    note_path(t, name);
  }
  pop_name(t);
  return err;
}

/* Somebody may have moved it elsewhere meanwhile; what is above it there is not ours. */
static int climb(tree *t) {
  const level *above = &t->levels[t->depth - 2];
  struct stat st;
  int fd = openat(t->fd, "..", FOLDER);
  if (fd < 0) return failed(t, "open");
  close(t->fd);
  t->fd = fd;
  if (fstat(fd, &st) < 0) return failed(t, "fstat");
  t->f->call = "open";
  return st.st_dev == above->dev && st.st_ino == above->ino ? 0 : UV_EBUSY;
}

static int go_up(tree *t) {
  int err = climb(t);
  t->depth--;
  const char *name = name_before(t, t->len);
  if (!err && unlinkat(t->fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT) err = failed(t, "rmdir");
  if (err) note_path(t, name);
  pop_name(t);
  return err;
}

static int remove_content(tree *t, int fd) {
  int err = enter(t, fd);
  while (!err) {
    bool empty = t->len == t->levels[t->depth - 1].names;
    if (empty && t->depth == 1) break;
    err = empty ? go_up(t) : go_down(t);
  }
  return err;
}

/* "link/" would be what the link leads to. */
static void strip_slashes(char *path) {
  for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) path[n - 1] = '\0';
}

int aio_fs_remove_tree(aio_fs *f) {
  tree t = {.f = f, .fd = -1};
  strip_slashes(f->path);
  f->call = "open";
  int fd = open(f->path, FOLDER), err;
  if (fd < 0 && is_no_folder(errno)) return AIO_FS_CALL(f, unlink, f->path, NULL);
  if (fd < 0) return failed(&t, "open");
  err = remove_content(&t, fd);
  close(t.fd);
  free(t.levels);
  free(t.names);
  if (err) return err;
  err = AIO_FS_CALL(f, rmdir, f->path, NULL);
  return err == UV_ENOENT ? 0 : err;
}
