/* SPDX-License-Identifier: MIT
 *
 * The calls that are one system call each, see the header; libuv's names are the names of errors.
 */
#include "core/fs.h"

#include <stdlib.h>
#include <string.h>

/* ---- life ---- */

static void fs_job_free(aio_job *j) {
  aio_fs_free(aio_fs_of(j));
}

static void fs_job_run(aio_job *j) {
  aio_fs *f = aio_fs_of(j);
  f->err = f->fn(f);
}

aio_fs *aio_fs_new(aio_fs_fn fn, const char *path, const char *path2) {
  size_t n = strlen(path) + 1, n2 = path2 ? strlen(path2) + 1 : 0;
  aio_fs *f = malloc(sizeof *f + n + n2);
  if (!f) return NULL;
  memset(f, 0, sizeof *f);
  f->job.run = fs_job_run;
  f->job.free = fs_job_free;
  f->fn = fn;
  f->fd = -1;
  f->path = memcpy((char *)(f + 1), path, n);
  f->path2 = path2 ? memcpy(f->path + n, path2, n2) : NULL;
  return f;
}

void aio_fs_free(aio_fs *f) {
  uv_fs_req_cleanup(&f->req);
  if (f->fd >= 0) AIO_FS_CALL(f, close, f->fd, NULL);
  uv_fs_req_cleanup(&f->req);
  free(f->data);
  free(f);
}

int aio_fs_start(aio_loop *l, aio_job **owner, aio_fs *f) {
  int err = aio_job_start(l, owner, &f->job);
  if (err) aio_fs_free(f);
  return err;
}

void aio_fs_give(aio_fs *f, aio_job **owner) {
  f->job.done = true;
  *owner = &f->job;
}

/* ---- one call each ---- */

int aio_fs_stat(aio_fs *f) {
  return AIO_FS_CALL(f, stat, f->path, NULL);
}

int aio_fs_lstat(aio_fs *f) {
  return AIO_FS_CALL(f, lstat, f->path, NULL);
}

int aio_fs_mkdir(aio_fs *f) {
  return AIO_FS_CALL(f, mkdir, f->path, (int)f->a, NULL);
}

int aio_fs_rmdir(aio_fs *f) {
  return AIO_FS_CALL(f, rmdir, f->path, NULL);
}

int aio_fs_unlink(aio_fs *f) {
  return AIO_FS_CALL(f, unlink, f->path, NULL);
}

int aio_fs_rename(aio_fs *f) {
  return AIO_FS_CALL(f, rename, f->path, f->path2, NULL);
}

int aio_fs_link(aio_fs *f) {
  return AIO_FS_CALL(f, link, f->path, f->path2, NULL);
}

int aio_fs_symlink(aio_fs *f) {
  return AIO_FS_CALL(f, symlink, f->path, f->path2, (int)f->a, NULL);
}

int aio_fs_chmod(aio_fs *f) {
  return AIO_FS_CALL(f, chmod, f->path, (int)f->a, NULL);
}

int aio_fs_chown(aio_fs *f) {
  return AIO_FS_CALL(f, chown, f->path, (uv_uid_t)f->a, (uv_gid_t)f->b, NULL);
}

int aio_fs_utime(aio_fs *f) {
  return AIO_FS_CALL(f, utime, f->path, f->atime, f->mtime, NULL);
}

int aio_fs_scandir(aio_fs *f) {
  int n = AIO_FS_CALL(f, scandir, f->path, 0, NULL);
  return n < 0 ? n : 0;
}

/* A FIFO would keep a thread of the pool until somebody opens its other end, and what a device is
 * may not be removed when copying to it fails. */
int aio_fs_copyfile(aio_fs *f) {
  const char *const paths[] = {f->path, f->path2};
  for (int i = 0; i < (f->a & UV_FS_COPYFILE_EXCL ? 1 : 2); i++) {
    int err = AIO_FS_CALL(f, stat, paths[i], NULL);
    if (i == 1 && err) break; /* it is made, or the copy finds out what is wrong */
    if (err) return err;
    if (aio_fs_type_of(f->req.statbuf.st_mode) == AIO_FS_DIRECTORY) return UV_EISDIR;
    f->special = aio_fs_type_of(f->req.statbuf.st_mode) != AIO_FS_FILE;
    if (f->special) return 0;
  }
  return AIO_FS_CALL(f, copyfile, f->path, f->path2, (int)f->a, NULL);
}

/* ---- calls that give a string ---- */

static int keep(aio_fs *f, const char *s) {
  f->len = strlen(s);
  f->data = malloc(f->len + 1);
  if (!f->data) return UV_ENOMEM;
  memcpy(f->data, s, f->len + 1);
  return 0;
}

int aio_fs_readlink(aio_fs *f) {
  int err = AIO_FS_CALL(f, readlink, f->path, NULL);
  return err ? err : keep(f, f->req.ptr);
}

int aio_fs_realpath(aio_fs *f) {
  int err = AIO_FS_CALL(f, realpath, f->path, NULL);
  return err ? err : keep(f, f->req.ptr);
}

int aio_fs_mkdtemp(aio_fs *f) {
  int err = AIO_FS_CALL(f, mkdtemp, f->path, NULL);
  return err ? err : keep(f, f->req.path);
}

/* ---- opening ---- */

static int look(aio_fs *f, int fd) {
  if (fd < 0) return fd;
  f->fd = fd;
  return AIO_FS_CALL(f, fstat, fd, NULL);
}

int aio_fs_mkstemp(aio_fs *f) {
  int fd = AIO_FS_CALL(f, mkstemp, f->path, NULL);
  int err = fd < 0 ? fd : keep(f, f->req.path);
  if (err) return err;
  return look(f, fd);
}

int aio_fs_open(aio_fs *f) {
  int flags = (int)f->a | UV_FS_O_NOCTTY;
  int fd = AIO_FS_CALL(f, open, f->path, flags | UV_FS_O_NONBLOCK, (int)f->b, NULL);
  /* a lease on it must be broken first, which may take a while */
  if (fd == UV_EAGAIN) fd = AIO_FS_CALL(f, open, f->path, flags, (int)f->b, NULL);
  if (fd == UV_ENXIO && AIO_FS_CALL(f, stat, f->path, NULL) == 0) {
    f->special = aio_fs_type_of(f->req.statbuf.st_mode) == AIO_FS_FIFO;
    f->call = "open";
  }
  return look(f, fd);
}

/* ---- what it is ---- */

enum aio_fs_type aio_fs_type_of(uint64_t mode) {
  enum { MASK = 0170000 };
  static const struct {
    unsigned mode;
    enum aio_fs_type type;
  } types[] = {{0100000, AIO_FS_FILE}, {0040000, AIO_FS_DIRECTORY}, {0120000, AIO_FS_LINK},
               {0010000, AIO_FS_FIFO}, {0140000, AIO_FS_SOCKET},    {0020000, AIO_FS_CHAR},
               {0060000, AIO_FS_BLOCK}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if ((mode & MASK) == types[i].mode) return types[i].type;
  }
  return AIO_FS_UNKNOWN;
}

enum aio_fs_type aio_fs_type_of_entry(uv_dirent_type_t t) {
  static const enum aio_fs_type types[] = {
      [UV_DIRENT_UNKNOWN] = AIO_FS_UNKNOWN, [UV_DIRENT_FILE] = AIO_FS_FILE,
      [UV_DIRENT_DIR] = AIO_FS_DIRECTORY,   [UV_DIRENT_LINK] = AIO_FS_LINK,
      [UV_DIRENT_FIFO] = AIO_FS_FIFO,       [UV_DIRENT_SOCKET] = AIO_FS_SOCKET,
      [UV_DIRENT_CHAR] = AIO_FS_CHAR,       [UV_DIRENT_BLOCK] = AIO_FS_BLOCK};
  return types[t];
}
