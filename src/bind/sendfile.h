/* SPDX-License-Identifier: MIT
 *
 * A file that is being sent, as aio.sendfile (Lua) holds it: a full userdata around a part of a
 * file. While a stream sends it, nobody else may write there. */
#ifndef AIO_BIND_SENDFILE_H
#define AIO_BIND_SENDFILE_H

#include "bind/stream.h"
#include "core/sendfile.h"

typedef struct aio_sending {
  aio_file_part part;
  aio_stream_ud *stream; /* that sends it, kept by a user value; or NULL */
} aio_sending;

/* Opens the class and the functions of the module table at the top. */
void aio_sendfile_open(lua_State *L, aio_state *st);
/* The file at `arg`. [may throw] */
aio_sending *aio_sending_check(lua_State *L, int arg);

#endif
