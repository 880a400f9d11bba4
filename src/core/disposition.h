/* SPDX-License-Identifier: MIT
 *
 * What a signal does to the process when no handler of a loop is there. libuv puts its own handler
 * in its place and leaves the default action behind; here is kept what was there before, and put
 * back. Dispositions belong to the process, so the table is one of the few static ones. One file
 * per system. */
#ifndef AIO_CORE_DISPOSITION_H
#define AIO_CORE_DISPOSITION_H

/* Before libuv begins to watch the signal for one more loop, and after it has ceased to. A signal
 * that arrives during `uncover` is not lost to the default action in between. */
void aio_disposition_cover(int sig);
void aio_disposition_uncover(int sig, void (*stop)(void *arg), void *arg);

#endif
