/* SPDX-License-Identifier: MIT
 *
 * How the watcher waits on Windows: a completion port cannot be looked at, so a packet is taken out
 * and put back. A packet without an OVERLAPPED ends the waiting; libuv passes over those. */
#include "core/watcher.h"

#include <math.h>

static const double MS_PER_S = 1e3;

int aio_watcher_sys_init(aio_watcher *w) {
  (void)w;
  return 0;
}

void aio_watcher_sys_fini(aio_watcher *w) {
  (void)w;
}

void aio_watcher_sys_wake(aio_watcher *w) {
  PostQueuedCompletionStatus(w->loop->uv.iocp, 0, 0, NULL);
}

bool aio_watcher_sys_wait(aio_watcher *w, double timeout, bool *expired) {
  DWORD bytes;
  ULONG_PTR key;
  OVERLAPPED *packet = NULL;
  double ms = ceil(timeout * MS_PER_S);
  DWORD limit = timeout < 0 || ms >= INFINITE ? INFINITE : (DWORD)ms;
  BOOL ok = GetQueuedCompletionStatus(w->loop->uv.iocp, &bytes, &key, &packet, limit);
  *expired = !ok && !packet;
  if (!packet) return false;
  PostQueuedCompletionStatus(w->loop->uv.iocp, bytes, key, packet);
  return true;
}
