/* SPDX-License-Identifier: MIT
 *
 * Received descriptors, see the header. Entries are in the order in which they came. */
#include "core/fdbox.h"

#include <string.h>
#include <uv.h>

static size_t size_of(size_t max) {
  return sizeof(aio_fdbox) + max * sizeof(aio_fdbox_entry);
}

static void close_fd(int fd) {
  uv_fs_t r;
  uv_fs_close(NULL, &r, fd, NULL);
  uv_fs_req_cleanup(&r);
}

aio_fdbox *aio_fdbox_new(const aio_mem *mem, size_t max) {
  aio_fdbox *b = aio_mem_new(mem, size_of(max));
  if (!b) return NULL;
  memset(b, 0, sizeof *b);
  b->max = max;
  return b;
}

void aio_fdbox_drop(aio_fdbox *b, size_t n) {
  while (b->n > n) close_fd(b->entries[--b->n].fd);
}

void aio_fdbox_free(aio_fdbox *b, const aio_mem *mem) {
  if (!b) return;
  aio_fdbox_drop(b, 0);
  aio_mem_free(mem, b, size_of(b->max));
}

bool aio_fdbox_put(aio_fdbox *b, int fd) {
  if (b->n == b->max) {
    close_fd(fd);
    return false;
  }
  b->entries[b->n++] = (aio_fdbox_entry){b->received, fd};
  return true;
}

size_t aio_fdbox_due(const aio_fdbox *b, size_t unread) {
  size_t n = 0;
  while (n < b->n && b->entries[n].at <= b->received - unread) n++;
  return n;
}

size_t aio_fdbox_cut(const aio_fdbox *b, size_t unread) {
  uint64_t here = b->received - unread;
  for (size_t i = 0; i < b->n; i++) {
    if (b->entries[i].at > here) return (size_t)(b->entries[i].at - here);
  }
  return unread;
}

int aio_fdbox_take(aio_fdbox *b) {
  int fd = b->entries[0].fd;
  b->n--;
  memmove(b->entries, b->entries + 1, b->n * sizeof b->entries[0]);
  return fd;
}
