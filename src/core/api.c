/* SPDX-License-Identifier: MIT
 *
 * The table that floor 3 hands to libraries of their own. */
#include "core/api.h"

static void timer_stop(aio_loop *l, aio_timer *t) {
  aio_loop_timer_stop(l, t);
}

const aio_api aio_api_here = {
    .version = AIO_API_VERSION,
    .stream_size = sizeof(aio_stream),
    .loop_size = sizeof(aio_loop),
    .stream_insert = aio_stream_insert,
    .stream_release = aio_stream_release,
    .stream_abort = aio_stream_abort,
    .stream_write = aio_stream_write,
    .stream_write_copied = aio_stream_write_copied,
    .stream_write_eof = aio_stream_write_eof,
    .stream_consume = aio_stream_consume,
    .stream_address = aio_stream_address,
    .stream_connected = aio_stream_connected,
    .stream_space = aio_stream_space_for,
    .stream_received = aio_stream_received,
    .stream_read_ended = aio_stream_read_ended,
    .stream_write_failed = aio_stream_write_failed,
    .stream_finished = aio_stream_finished,
    .stream_flush = aio_stream_flush,
    .timer_start = aio_loop_timer_start,
    .timer_stop = timer_stop,
    .wake_all = aio_wake_all,
};
