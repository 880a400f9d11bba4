/* SPDX-License-Identifier: MIT
 *
 * The measuring of a loader whose connections each have one request under way: a tenth of the time
 * is a warm-up, then answers, and the CPU time of the server's process, are counted. Its program
 * calls `answered` for each answer, and counts up `bad` for one that is not what was sent. */
#include "lib/load.h"

#include <sys/epoll.h>

#include "lib/latency.h"

enum { EVENTS = 1024, PATIENCE_MS = 10000 };

static long ops, bad;

static void answered(double since) {
  note_latency(since);
  ops++;
}

/* Calls on_input for what epoll tells, until `end`; without any answer for so long it is `bad`. */
static void load_until(int ep, double end, void (*on_input)(void *conn)) {
  struct epoll_event got[EVENTS];
  while (now() < end && !bad) {
    int n = epoll_wait(ep, got, EVENTS, PATIENCE_MS);
    if (n == 0) bad++;
    for (int i = 0; i < n; i++) on_input(got[i].data.ptr);
  }
}

/* Measures for so long, and prints one line of JSON. */
static void measure(int ep, int pid, double secs, void (*on_input)(void *conn)) {
  load_until(ep, now() + secs / 10, on_input);
  memset(hist, 0, sizeof hist);
  ops = 0;
  double cpu = cpu_of(pid), start = now();
  load_until(ep, start + secs, on_input);
  cpu = cpu_of(pid) - cpu;
  double took = now() - start;
  printf("{\"ops\": %ld, \"seconds\": %f, \"cpu_us\": %f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
         "\"bad\": %ld}\n",
         ops, took, cpu / (double)ops * 1e6, percentile_us(0.50), percentile_us(0.99), bad);
}
