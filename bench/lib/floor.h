/* SPDX-License-Identifier: MIT
 *
 * What the programs in C need: a clock, memory, one line of JSON. */
#ifndef AIOBENCH_FLOOR_H
#define AIOBENCH_FLOOR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double clock_s(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static inline double now(void) {
  return clock_s(CLOCK_MONOTONIC);
}

/* A figure of /proc/self/status, in KiB. */
static inline long status_kb(const char *key) {
  char line[256];
  long kb = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (!strncmp(line, key, strlen(key))) {
      kb = atol(line + strlen(key) + 1);
      break;
    }
  if (f) fclose(f);
  return kb;
}

static inline void report(long ops, double seconds) {
  printf("{\"ops\": %ld, \"seconds\": %.6f, \"rss_kb\": %ld}\n", ops, seconds, status_kb("VmHWM"));
}

#endif
