/* SPDX-License-Identifier: MIT
 *
 * `aio-replay FILE...` gives each file to the target that AIO_FUZZ_TARGET names, as libFuzzer
 * would: for the tests, in any build, and to look at one input. `aio-replay -N` makes up N inputs.
 * The last line is "ok N inputs". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

enum {
  INPUT_MAX = 1 << 16,
  MADE_UP_MAX = 512,
  SECONDS = 120, /* for one input, also under valgrind: the alarm ends what hangs */
};

static unsigned char input[INPUT_MAX];

static void replay_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(EXIT_FAILURE);
  }
  size_t size = fread(input, 1, sizeof input, file);
  fclose(file);
  fprintf(stderr, "%s\n", path);
  alarm(SECONDS);
  LLVMFuzzerTestOneInput(input, size);
}

/* Numbers that look random, the same in each run. */
static unsigned next(void) {
  static uint64_t seed = 1;
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(seed >> 33);
}

static void make_up(long n) {
  for (long i = 0; i < n; i++) {
    size_t size = next() % MADE_UP_MAX;
    for (size_t at = 0; at < size; at++) input[at] = (unsigned char)next();
    alarm(SECONDS);
    LLVMFuzzerTestOneInput(input, size);
  }
}

int main(int argc, char **argv) {
  long inputs = 0;
  LLVMFuzzerInitialize(&argc, &argv);
  for (int i = 1; i < argc; i++) {
    long n = argv[i][0] == '-' ? strtol(argv[i] + 1, NULL, 10) : 0;
    if (n > 0)
      make_up(n);
    else
      replay_file(argv[i]);
    inputs += n > 0 ? n : 1;
  }
  size_t lost = aio_fuzz_close();
  if (lost) fprintf(stderr, "%zu bytes of the closed state are lost\n", lost);
  printf("ok %ld inputs\n", inputs);
  return lost ? EXIT_FAILURE : EXIT_SUCCESS;
}
