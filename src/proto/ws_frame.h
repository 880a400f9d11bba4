/* SPDX-License-Identifier: MIT
 *
 * The frames of WebSocket, RFC 6455 section 5: heads read and made, payloads masked, and which
 * codes may close a connection. Pure functions over bytes that the caller has. */
#ifndef AIO_PROTO_WS_FRAME_H
#define AIO_PROTO_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  AIO_WS_CONTINUATION = 0,
  AIO_WS_TEXT = 1,
  AIO_WS_BINARY = 2,
  AIO_WS_CLOSE = 8,
  AIO_WS_PING = 9,
  AIO_WS_PONG = 10
};

/* Bits of the first byte. */
enum { AIO_WS_FIN = 0x80, AIO_WS_RSV1 = 0x40, AIO_WS_RSV = 0x70, AIO_WS_OPCODE = 0x0f };

enum { AIO_WS_HEAD_MAX = 14, AIO_WS_CONTROL_MAX = 125 };

/* Codes of section 7.4 that we send. */
enum {
  AIO_WS_PROTOCOL_ERROR = 1002,
  AIO_WS_NO_STATUS = 1005, /* never on the wire: the close frame had no code */
  AIO_WS_INVALID_DATA = 1007,
  AIO_WS_TOO_BIG = 1009
};

typedef struct aio_ws_head {
  uint64_t length; /* of the payload */
  uint8_t first;   /* the first byte: FIN, RSV and opcode */
  bool masked;
  uint8_t mask[4];
} aio_ws_head;

static inline uint8_t aio_ws_opcode(const aio_ws_head *h) {
  return h->first & AIO_WS_OPCODE;
}

static inline bool aio_ws_is_control(const aio_ws_head *h) {
  return (h->first & 8) != 0;
}

/* Reads a head from the first `n` bytes of a frame: how long it is; 0: it needs more bytes; -1: no
 * frame may begin so, *why says it in static memory. What the first two bytes show is refused as
 * soon as they are there. RSV bits are the caller's business. */
int aio_ws_head_read(aio_ws_head *h, const uint8_t *bytes, size_t n, const char **why);

/* Writes a head of at most AIO_WS_HEAD_MAX bytes; `mask` may be NULL. Returns how long it is. */
size_t aio_ws_head_write(uint8_t *to, uint8_t first, uint64_t length, const uint8_t *mask);

/* Masks or unmasks `n` bytes, which are the bytes from `offset` on of the payload. `to` and `from`
 * are the same, or do not overlap. */
void aio_ws_mask(char *to, const char *from, size_t n, const uint8_t mask[4], uint64_t offset);

/* May a close frame have this code? */
bool aio_ws_code_is_valid(unsigned code);

#endif
