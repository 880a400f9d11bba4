/* SPDX-License-Identifier: MIT
 *
 * The file of a bound Unix socket: one that a dead process has left is replaced, and one's own is
 * removed at the end, unless somebody has put another one there. For listeners and datagrams.
 * Invariant: `path` is empty when there is no file to remove. */
#ifndef AIO_CORE_SOCKFILE_UNIX_H
#define AIO_CORE_SOCKFILE_UNIX_H

#include <sys/types.h>

#include "core/address.h"

typedef struct aio_sockfile {
  dev_t dev; /* the file that was made */
  ino_t ino;
  char path[AIO_PATH_MAX];
} aio_sockfile;

/* Binds a descriptor of this type (SOCK_STREAM, SOCK_DGRAM) to a path or an abstract name. 0 or a
 * libuv error code. */
int aio_sockfile_bind(aio_sockfile *f, int fd, int type, const aio_address *a);
void aio_sockfile_remove(aio_sockfile *f);

#endif
