/* SPDX-License-Identifier: MIT
 *
 * The two functions that libFuzzer calls, and the end, which only replay.c has. */
#ifndef AIO_FUZZ_HOST_H
#define AIO_FUZZ_HOST_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Closes the Lua state; returns how many bytes of it are lost. */
size_t aio_fuzz_close(void);

#endif
