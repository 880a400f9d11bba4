/* SPDX-License-Identifier: MIT
 *
 * Small files without a job: Windows does not say what would have to wait. */
#include "core/fs.h"

bool aio_fs_read_now(aio_fs *f) {
  (void)f;
  return false;
}
