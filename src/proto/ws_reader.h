/* SPDX-License-Identifier: MIT
 *
 * The receiving side of a WebSocket: takes bytes as they come, in pieces of any size, and stops at
 * each thing that its owner should look at: a whole message, a control frame (also between the
 * fragments of a message), an error. Refuses all that RFC 6455 forbids, and says with which code
 * the connection is to be closed. Text is looked at as it comes, unless it is compressed.
 *
 * Invariants: `data` holds only bytes that have come, so what a peer announces takes no memory.
 * While an event waits nothing more is taken; after a close frame or an error everything is thrown
 * away. */
#ifndef AIO_PROTO_WS_READER_H
#define AIO_PROTO_WS_READER_H

#include "base/mem.h"
#include "proto/utf8.h"
#include "proto/ws_frame.h"

enum aio_ws_event {
  AIO_WS_NOTHING,
  AIO_WS_MESSAGE,   /* `data`, `len`, `opcode`, `compressed` */
  AIO_WS_CONTROL,   /* `control`, `control_len`, `frame`: a ping or a pong */
  AIO_WS_CLOSED,    /* the same: the reason; and `code` */
  AIO_WS_FAILED,    /* `code` and `why` */
  AIO_WS_NO_MEMORY, /* nothing is lost: the next bytes are offered again */
};

typedef struct aio_ws_reader {
  aio_mem mem;
  size_t max;       /* bytes in a message, as they come */
  bool expect_mask; /* frames come from a client */
  bool deflate;     /* permessage-deflate was agreed on: RSV1 may be set */
  bool over;        /* a close frame has come, or an error */
  bool in_frame;    /* `frame` is valid, its payload comes */
  bool in_message;  /* fragments have come, and not the last */
  bool compressed;  /* of the message */
  uint8_t opcode;   /* of the message */
  uint8_t event;    /* enum aio_ws_event */
  uint8_t head_len; /* bytes in `head` */
  uint8_t control_len;
  uint16_t code;
  aio_utf8 utf8;
  aio_ws_head frame;
  uint64_t taken;  /* bytes used up so far */
  uint64_t left;   /* bytes of the payload that have not come */
  const char *why; /* in static memory */
  char *data;
  size_t len, room;
  uint8_t head[AIO_WS_HEAD_MAX];
  char control[AIO_WS_CONTROL_MAX];
} aio_ws_reader;

/* A cleared reader with `mem`, `max`, `expect_mask` and `deflate` set is ready. */
void aio_ws_reader_fini(aio_ws_reader *r);

/* Takes bytes: how many are used up. Less than all only when there is an event. */
size_t aio_ws_reader_feed(aio_ws_reader *r, const char *bytes, size_t n);

/* The owner has looked at the event: what belongs to it is given up. */
void aio_ws_reader_next(aio_ws_reader *r);

#endif
