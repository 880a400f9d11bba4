/* SPDX-License-Identifier: MIT
 *
 * Looking out, see the header. Called by the scheduler before it waits. Invariant: `looking` counts
 * the threads that look out. */
#include "core/lookout.h"

#include "core/loop.h"
#include "core/thread.h"

#ifdef AIO_HOSTILE
enum { MOMENT_NS = 1000000, SHORT_NS = 10000000, MOST_WANTED = 2 };
#else
enum {
  MOMENT_NS = 50000, /* how long one looks: about what sleeping and waking cost */
  SHORT_NS = 100000, /* a wait in the kernel that looking would have spared */
  MOST_WANTED = 256,
};
#endif
enum { PAUSES = 64 }; /* between two looks at the clock */

static atomic_int looking;
static uv_once_t once = UV_ONCE_INIT;
static int most; /* threads that may: as many as processors, but with one nobody */

static void count_processors(void) {
  int n = (int)uv_available_parallelism();
  most = n > 1 ? n : 0;
}

static bool look(const aio_loop *l, uint64_t end) {
  do {
    for (int i = 0; i < PAUSES; i++) {
      if (aio_posts_any(&l->posts)) return true;
      aio_thread_pause();
    }
    aio_thread_yield(); /* who is to post may need this processor */
  } while (uv_hrtime() < end);
  return aio_posts_any(&l->posts);
}

/* After how many short waits it looks out again. A look that took much longer than a moment has let
 * others have the processor: who sleeps gets it sooner then than who looks. */
static unsigned wanted_next(unsigned wanted, bool found, uint64_t took) {
  if (took >= 2 * MOMENT_NS) return MOST_WANTED;
  if (found) return wanted / 2;
  return wanted < MOST_WANTED / 2 ? 2 * wanted + 1 : MOST_WANTED;
}

bool aio_loop_lookout(aio_loop *l, double timeout) {
  aio_lookout *o = &l->lookout;
  o->since = 0;
  if (!l->port || l->remotes == 0 || l->ops != &aio_engine_real) return false;
  uint64_t now = uv_hrtime();
  if (o->seen < o->wanted || (timeout > 0 && timeout * 1e9 < MOMENT_NS)) {
    o->since = now;
    return false;
  }
  uv_once(&once, count_processors);
  bool found = false;
  if (atomic_fetch_add(&looking, 1) < most) {
    found = look(l, now + MOMENT_NS);
    o->seen = 0;
    o->wanted = wanted_next(o->wanted, found, uv_hrtime() - now);
  }
  atomic_fetch_sub(&looking, 1);
  return found;
}

void aio_loop_lookout_late(aio_loop *l) {
  aio_lookout *o = &l->lookout;
  if (o->since && o->seen < o->wanted && uv_hrtime() - o->since < SHORT_NS) o->seen++;
  o->since = 0;
}
