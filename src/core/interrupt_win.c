/* SPDX-License-Identifier: MIT
 *
 * Ctrl-C on Windows: a console handler. The system calls it in a thread of its own, and there is no
 * SIGPIPE. Invariant: the handler is registered exactly while `active.arg` is set. */
#include "core/interrupt.h"

#include <stdatomic.h>
#include <windows.h>

static struct {
  atomic_flag taken;
  aio_interrupt_fn *fn;
  void *arg;
  atomic_int count;
} active = {.taken = ATOMIC_FLAG_INIT};

static BOOL WINAPI on_control(DWORD type) {
  if (type != CTRL_C_EVENT) return FALSE;
  int count = atomic_fetch_add(&active.count, 1) + 1;
  if (count > 2) return FALSE; /* the default action */
  active.fn(active.arg, count);
  return TRUE;
}

bool aio_interrupt_start(aio_interrupt_fn *fn, void *arg) {
  if (atomic_flag_test_and_set(&active.taken)) return false;
  active.fn = fn;
  active.arg = arg;
  atomic_store(&active.count, 0);
  SetConsoleCtrlHandler(on_control, TRUE);
  return true;
}

void aio_interrupt_stop(void *arg) {
  if (active.arg != arg || !arg) return;
  SetConsoleCtrlHandler(on_control, FALSE);
  active.arg = NULL;
  atomic_flag_clear(&active.taken);
}
