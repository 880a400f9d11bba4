/* SPDX-License-Identifier: MIT
 *
 * Whole files, each in one job: see fs.h. Invariant: after an error no file is left that was not
 * there before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fs.h"

#ifdef AIO_HOSTILE
enum { READ_AT_LEAST = 16, AT_ONCE = 1000 };
#else
/* Where the system does not tell how long a file is (/proc); and the most that one call takes. */
enum { READ_AT_LEAST = 4096, AT_ONCE = 1 << 30 };
#endif

/* Frees nothing that `req` of the struct holds: the reads and writes here need nothing freed. */
static int put_or_get(aio_fs *f, char *at, size_t len, bool put) {
  uv_buf_t buf = uv_buf_init(at, (unsigned)(len < AT_ONCE ? len : AT_ONCE));
  return put ? AIO_FS_CALL(f, write, f->fd, &buf, 1, -1, NULL)
             : AIO_FS_CALL(f, read, f->fd, &buf, 1, -1, NULL);
}

static int shut(aio_fs *f) {
  int fd = f->fd;
  f->fd = -1;
  return AIO_FS_CALL(f, close, fd, NULL);
}

/* ---- reading ---- */

/* Twice the room. The file has grown, or its length was not known. */
static int enlarge(aio_fs *f, size_t *room) {
  size_t more = *room < READ_AT_LEAST ? READ_AT_LEAST : *room * 2;
  char *data = realloc(f->data, more);
  if (!data) return UV_ENOMEM;
  f->data = data;
  *room = more;
  return 0;
}

/* As far as it went when it was opened, since somebody may add to it faster than it is read; or,
 * where that is not told (0), to the end, which only a read that gets nothing tells. */
static int read_all(aio_fs *f, size_t size, size_t room) {
  while (size == 0 || f->len < size) {
    int err = f->len == room ? enlarge(f, &room) : 0;
    if (!err && atomic_load(&f->job.released)) err = UV_ECANCELED;
    if (err) return err;
    int got = put_or_get(f, f->data + f->len, room - f->len, false);
    if (got <= 0) return got;
    f->len += (size_t)got;
  }
  return 0;
}

int aio_fs_read(aio_fs *f) {
  f->a = UV_FS_O_RDONLY;
  int err = f->fd < 0 ? aio_fs_open(f) : 0;
  if (err) return err;
  enum aio_fs_type type = aio_fs_type_of(f->req.statbuf.st_mode);
  f->call = "read";
  if (type == AIO_FS_DIRECTORY) return UV_EISDIR;
  f->special = type != AIO_FS_FILE;
  if (f->special) return 0;
  uint64_t size = f->req.statbuf.st_size;
  if (size >= SIZE_MAX) return UV_ENOMEM;
  f->data = malloc(size ? (size_t)size : READ_AT_LEAST);
  err = f->data ? read_all(f, (size_t)size, size ? (size_t)size : READ_AT_LEAST) : UV_ENOMEM;
  return err ? err : shut(f);
}

/* ---- writing ---- */

enum { TRIES = 100, NAME = 24, LINKS = 40 };

/* How much of a path is its folder, with the separator. */
static size_t folder_of(const char *path) {
  size_t n = strlen(path);
  while (n && !strchr(aio_fs_separators, path[n - 1])) n--;
  return n;
}

/* Opens a new file in the folder of `target`, whose path is put into `temp`: no longer a name than
 * any system takes. */
static int open_beside(aio_fs *f, const char *target, char *temp, int mode) {
  int fd = UV_EEXIST, folder = (int)folder_of(target);
  for (int i = 0; fd == UV_EEXIST && i < TRIES; i++) {
    uint64_t random;
    int err = uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    if (err) return err;
    sprintf(temp, "%.*s.%016llx.tmp", folder, target, (unsigned long long)random);
    fd = AIO_FS_CALL(f, open, temp, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_EXCL, mode, NULL);
  }
  f->fd = fd < 0 ? -1 : fd;
  return fd < 0 ? fd : 0;
}

static int write_all(aio_fs *f) {
  for (size_t done = 0; done < f->len;) {
    int put = put_or_get(f, f->data + done, f->len - done, true);
    if (put < 0) return put;
    done += (size_t)put;
  }
  return 0;
}

/* Only a privileged process can give files away, so that it is no error when that fails; but what
 * runs as its owner must not become a program of ours. */
static int take_over(aio_fs *f, const uv_stat_t *old) {
  enum { ALL = 07777, SET_IDS = 06000 };
  int mode = (int)(old->st_mode & ALL);
  if (AIO_FS_CALL(f, fchown, f->fd, (uv_uid_t)old->st_uid, (uv_gid_t)old->st_gid, NULL))
    mode &= ~SET_IDS;
  return AIO_FS_CALL(f, fchmod, f->fd, mode, NULL);
}

/* `old`: what the new file takes over from the one that is there; or NULL. */
static int fill_new(aio_fs *f, const uv_stat_t *old) {
  int err = write_all(f);
  if (!err && old) err = take_over(f, old);
  if (!err && f->b) err = AIO_FS_CALL(f, fsync, f->fd, NULL);
  return err;
}

static int replace(aio_fs *f, const char *target, const uv_stat_t *old) {
  enum { OURS = 0600 }; /* who may not read the old content cannot read the new one meanwhile */
  char *temp = malloc(strlen(target) + NAME);
  if (!temp) return UV_ENOMEM;
  int err = open_beside(f, target, temp, old ? OURS : (int)f->a);
  if (!err) {
    err = fill_new(f, old);
    const char *call = f->call;
    int close_err = shut(f);
    if (err)
      f->call = call;
    else
      err = close_err;
    if (!err) err = AIO_FS_CALL(f, rename, temp, target, NULL);
    call = f->call;
    if (err) (void)AIO_FS_CALL(f, unlink, temp, NULL);
    f->call = call;
  }
  free(temp);
  return err;
}

/* Makes `*target` what a link leads to, in the folder where the link is. */
static int follow(char **target, const char *to) {
  size_t folder = strchr(aio_fs_separators, *to) ? 0 : folder_of(*target), n = strlen(to) + 1;
  char *next = malloc(folder + n);
  if (!next) return UV_ENOMEM;
  memcpy(next, *target, folder);
  memcpy(next + folder, to, n);
  free(*target);
  *target = next;
  return 0;
}

/* A link stays a link: the file that it leads to is replaced, or made. */
static int replace_end_of_links(aio_fs *f, const uv_stat_t *old) {
  char *target = malloc(strlen(f->path) + 1);
  int err = target ? 0 : UV_ENOMEM;
  if (target) strcpy(target, f->path);
  for (int i = 0; !err && AIO_FS_CALL(f, readlink, target, NULL) == 0; i++)
    err = i < LINKS ? follow(&target, f->req.ptr) : UV_ELOOP;
  if (!err) err = replace(f, target, old);
  free(target);
  return err;
}

int aio_fs_write(aio_fs *f) {
  int err = AIO_FS_CALL(f, stat, f->path, NULL);
  if (err == UV_ENOENT) return replace_end_of_links(f, NULL);
  if (err) return err;
  uv_stat_t old = f->req.statbuf;
  if (aio_fs_type_of(old.st_mode) == AIO_FS_DIRECTORY) {
    f->call = "open";
    return UV_EISDIR;
  }
  f->special = aio_fs_type_of(old.st_mode) != AIO_FS_FILE;
  return f->special ? 0 : replace_end_of_links(f, &old);
}
