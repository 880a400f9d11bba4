/* SPDX-License-Identifier: MIT
 *
 * The other end: that of a stream that is sent from memory. */
#include "throughput/loader.c"
