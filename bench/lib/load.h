/* SPDX-License-Identifier: MIT
 *
 * What a loader needs: a connection to the server on the loopback, and what the server's process
 * costs meanwhile. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/floor.h"

static inline void fail(const char *what) {
  perror(what);
  exit(1);
}

/* Seconds that all threads of a process have run, from the scheduler: exact to the nanosecond. */
static inline double cpu_of(int pid) {
  char path[600];
  double total = 0, ns;
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *dir = opendir(path);
  for (struct dirent *e; dir && (e = readdir(dir));) {
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, e->d_name);
    FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
    if (f && fscanf(f, "%lf", &ns) == 1) total += ns / 1e9;
    if (f) fclose(f);
  }
  if (dir) closedir(dir);
  return total;
}

/* A blocking socket, connected to the port. */
static inline int connect_to(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (void *)&a, sizeof a)) fail("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}
