/* SPDX-License-Identifier: MIT
 *
 * A hash table with open addressing. Used while values are copied. Invariant: at most three
 * quarters of the entries are taken, so a search ends. */
#include "base/ptrmap.h"

#include <stdlib.h>
#include <string.h>

#ifdef AIO_HOSTILE
enum { FIRST_ROOM = 2 };
#else
enum { FIRST_ROOM = 16 };
#endif

typedef struct aio_ptrmap_entry entry;

void aio_ptrmap_fini(aio_ptrmap *m) {
  free(m->entries);
  *m = (aio_ptrmap){0};
}

void aio_ptrmap_clear(aio_ptrmap *m) {
  if (m->count) memset(m->entries, 0, m->room * sizeof *m->entries);
  m->count = 0;
}

/* Fibonacci hashing: the low bits of addresses say little. */
static size_t place(const aio_ptrmap *m, const void *key) {
  uint64_t h = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
  return (size_t)(h >> 32) & (m->room - 1);
}

static entry *find(const aio_ptrmap *m, const void *key) {
  size_t i = place(m, key);
  while (m->entries[i].key && m->entries[i].key != key) i = (i + 1) & (m->room - 1);
  return &m->entries[i];
}

uint32_t aio_ptrmap_get(const aio_ptrmap *m, const void *key) {
  if (!m->room) return 0;
  const entry *e = find(m, key);
  return e->key ? e->value : 0;
}

static bool grow(aio_ptrmap *m) {
  aio_ptrmap bigger = {.room = m->room ? m->room * 2 : FIRST_ROOM, .count = m->count};
  bigger.entries = calloc(bigger.room, sizeof *bigger.entries);
  if (!bigger.entries) return false;
  for (size_t i = 0; i < m->room; i++)
    if (m->entries[i].key) *find(&bigger, m->entries[i].key) = m->entries[i];
  free(m->entries);
  *m = bigger;
  return true;
}

bool aio_ptrmap_add(aio_ptrmap *m, const void *key, uint32_t value) {
  if ((m->count + 1) * 4 > m->room * 3 && !grow(m)) return false;
  *find(m, key) = (entry){key, value};
  m->count++;
  return true;
}
