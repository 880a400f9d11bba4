/* SPDX-License-Identifier: MIT
 *
 * Windows has neither a way to say what would have to wait, so that small files could be read
 * without a job, nor one to go through folders without their paths. */
#include "core/fs.h"

const char aio_fs_separators[] = "/\\";

/* Step by step, in Lua. */
int aio_fs_remove_tree(aio_fs *f) {
  f->special = true;
  return 0;
}

bool aio_fs_read_now(aio_fs *f) {
  (void)f;
  return false;
}
