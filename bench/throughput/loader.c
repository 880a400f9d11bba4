/* SPDX-License-Identifier: MIT
 *
 * The other end of one stream over the loopback, and the reading of what the server's end costs:
 *   loader PORT PID ROLE MIB
 * ROLE is the server's: "send" MIB mebibytes until the end, or "receive" them and answer. The line
 * "ROLE BYTES" asks for it. One line of JSON, an operation is a mebibyte; `bad` is 1 when bytes
 * are missing. */
#include "lib/load.h"

#include <stdbool.h>
#include <stdint.h>

enum { BLOCK = 256 * 1024, MIB = 1024 * 1024 };

static char block[BLOCK];

static void put(int fd, const char *from, size_t n) {
  while (n > 0) {
    ssize_t sent = send(fd, from, n, MSG_NOSIGNAL);
    if (sent <= 0) fail("send");
    from += sent;
    n -= (size_t)sent;
  }
}

/* Reads to the end; how many bytes came. */
static uint64_t drain(int fd) {
  uint64_t total = 0;
  for (ssize_t k; (k = recv(fd, block, sizeof block, 0)) != 0; total += (uint64_t)k)
    if (k < 0) fail("recv");
  return total;
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int pid = atoi(argv[2]), fd = connect_to(atoi(argv[1]));
  bool receives = !strcmp(argv[3], "receive");
  long mib = atol(argv[4]);
  uint64_t bytes = (uint64_t)mib * MIB;
  char line[64];
  double cpu = cpu_of(pid), start = now();
  put(fd, line,
      (size_t)snprintf(line, sizeof line, "%s %llu\n", argv[3], (unsigned long long)bytes));
  for (uint64_t left = receives ? bytes : 0; left > 0; left -= BLOCK) put(fd, block, BLOCK);
  bool bad = drain(fd) != (receives ? strlen("done\n") : bytes);
  double took = now() - start;
  cpu = cpu_of(pid) - cpu;
  printf("{\"ops\": %ld, \"seconds\": %f, \"cpu_us\": %f, \"bad\": %d}\n", mib, took,
         cpu / (double)mib * 1e6, bad);
  return 0;
}
