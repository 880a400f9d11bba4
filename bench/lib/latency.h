/* SPDX-License-Identifier: MIT
 *
 * How long answers took, in logarithmic buckets. */
#include <stdint.h>

#include "lib/floor.h"

enum { OCTAVES = 64, STEPS = 32 };

static uint64_t hist[OCTAVES * STEPS];

/* Logarithmic buckets: 32 to an octave of nanoseconds. */
static int bucket(uint64_t ns) {
  if (ns < STEPS) return (int)ns;
  int top = 63 - __builtin_clzll(ns);
  return (top - 4) * STEPS + (int)((ns >> (top - 5)) & (STEPS - 1));
}
static double value(int b) {
  return b < STEPS ? b : (double)((uint64_t)(STEPS + b % STEPS) << (b / STEPS - 1));
}
static double percentile_us(double p) {
  uint64_t all = 0, seen = 0;
  for (int i = 0; i < OCTAVES * STEPS; i++) all += hist[i];
  for (int i = 0; i < OCTAVES * STEPS; i++)
    if ((seen += hist[i]) && (double)seen >= p * (double)all) return value(i) / 1000;
  return 0;
}
static void note_latency(double since) {
  hist[bucket((uint64_t)((now() - since) * 1e9))]++;
}
