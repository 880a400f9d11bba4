/* SPDX-License-Identifier: MIT
 *
 * Calls of the file system as jobs of the thread pool: one struct with the arguments, the function
 * that does the work there, and what it has found. The Lua face picks the function and reads the
 * results. Whole files are read and written in one job each (fs_whole.c), since every way to the
 * pool and back costs more than the system calls. Invariant: a function uses libuv only without a
 * loop, so that it may run in any thread. */
#ifndef AIO_CORE_FS_H
#define AIO_CORE_FS_H

#include "core/job.h"

typedef struct aio_fs aio_fs;

/* [any thread] 0 or an error code; the failed call is then in `call`. */
typedef int (*aio_fs_fn)(aio_fs *f);

struct aio_fs {
  aio_job job; /* must be first */
  aio_fs_fn fn;
  int err;
  const char *call;   /* the name of the system call that `err` is about */
  char *path, *path2; /* behind the structure */
  char *data;         /* malloc'ed: what is to be written, or was read or found */
  size_t len;
  int64_t a, b;        /* arguments: modes, flags, ids */
  double atime, mtime; /* arguments of utime */
  int fd;              /* of a file that was opened, else -1; it is closed with the struct */
  bool special;        /* it is no regular file: this way does not go */
  uv_fs_t req;         /* statbuf, or the entries of scandir */
};

/* A new call of `fn`, not yet started; or NULL. The paths are copied; `path2` may be NULL. */
aio_fs *aio_fs_new(aio_fs_fn fn, const char *path, const char *path2);
/* For one that was not started. */
void aio_fs_free(aio_fs *f);
/* Starts it. 0 or an error code; then it is freed. */
int aio_fs_start(aio_loop *l, aio_job **owner, aio_fs *f);
/* The owner gets one that was done without a job. */
void aio_fs_give(aio_fs *f, aio_job **owner);
static inline aio_fs *aio_fs_of(aio_job *j) {
  return AIO_CONTAINER(j, aio_fs, job);
}

/* What can be called. In `a` and `b` are: of mkdir and chmod the mode; of copyfile libuv's flags;
 * of chown uid and gid, -1: as it was; of symlink libuv's flags; of open the flags and the mode. */
int aio_fs_stat(aio_fs *f);
int aio_fs_lstat(aio_fs *f);
int aio_fs_mkdir(aio_fs *f);
int aio_fs_rmdir(aio_fs *f);
int aio_fs_unlink(aio_fs *f);
int aio_fs_rename(aio_fs *f);
int aio_fs_link(aio_fs *f);
int aio_fs_symlink(aio_fs *f);
int aio_fs_readlink(aio_fs *f);
int aio_fs_realpath(aio_fs *f);
int aio_fs_chmod(aio_fs *f);
int aio_fs_chown(aio_fs *f);
int aio_fs_utime(aio_fs *f);
int aio_fs_scandir(aio_fs *f);
int aio_fs_copyfile(aio_fs *f);
int aio_fs_mkdtemp(aio_fs *f);
/* Removes what it is, a folder with all that is in it; links are not followed, whoever changes the
 * tree meanwhile. An error is about the path in `data`, unless that is NULL. fs_tree_unix.c. */
int aio_fs_remove_tree(aio_fs *f);
/* Opens, without waiting for the other end of a FIFO, and looks what it is: `fd` and req.statbuf.
 */
int aio_fs_open(aio_fs *f);
int aio_fs_mkstemp(aio_fs *f);
/* The whole of a file, in `data`. What is `special` is left open, `fd` and req.statbuf, to be read
 * by other means: who has a FIFO open for writing notices when its reader goes. */
int aio_fs_read(aio_fs *f);
/* The same at once, in the loop's thread, where the system can do it without waiting: a small file
 * whose name and bytes are cached, on Linux. False: it needs a job, which goes on from what was
 * opened here. fs_unix.c, fs_win.c. */
bool aio_fs_read_now(aio_fs *f);
/* Makes `data` the whole of a file: a new one in the same folder takes its place, so that others
 * see all of the old or all of the new. `a`: mode of a file that is new; `b`: is it synced? */
int aio_fs_write(aio_fs *f);

/* The characters that separate names in a path. fs_unix.c, fs_win.c. */
extern const char aio_fs_separators[];

/* Runs one call of libuv's in this thread: its result, with the name of the call noted down. */
#define AIO_FS_CALL(f, name, ...)                                                                  \
  ((f)->call = #name, uv_fs_req_cleanup(&(f)->req), (int)uv_fs_##name(NULL, &(f)->req, __VA_ARGS__))

/* What kind of thing a stat has found. */
enum aio_fs_type {
  AIO_FS_UNKNOWN,
  AIO_FS_FILE,
  AIO_FS_DIRECTORY,
  AIO_FS_LINK,
  AIO_FS_FIFO,
  AIO_FS_SOCKET,
  AIO_FS_CHAR,
  AIO_FS_BLOCK
};
enum aio_fs_type aio_fs_type_of(uint64_t mode);
/* Of an entry of scandir. */
enum aio_fs_type aio_fs_type_of_entry(uv_dirent_type_t t);

#endif
