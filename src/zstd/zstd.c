/* SPDX-License-Identifier: MIT
 *
 * luaopen_aio_zstd: the library aio/zstd.so, both directions by Zstandard. Loaded by
 * lua/aio/http/coding.lua when the coding zstd is first used. A frame that wants a window of more
 * than 8 MiB is refused, as RFC 9659 has it for HTTP. */
#include <zstd.h>
#include <zstd_errors.h>

#include "codec/codec.h"

enum { WINDOW_LOG = 23 };

AIO_EXPORT int luaopen_aio_zstd(lua_State *L);

/* Notes why, in a text that stays. */
static enum codec_result failed(size_t code, const char **why) {
  bool memory = ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation;
  *why = memory ? "not enough memory" : ZSTD_getErrorName(code);
  return CODEC_MALFORMED;
}

/* ---- decoding ---- */

static void *decoder_new(int level) {
  (void)level;
  ZSTD_DCtx *d = ZSTD_createDCtx();
  if (d) ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG);
  return d;
}

static void decoder_free(void *state) {
  ZSTD_freeDCtx(state);
}

static enum codec_result decoder_step(void *state, codec_io *io, enum codec_end end,
                                      const char **why) {
  (void)end;
  ZSTD_inBuffer in = {io->in, io->in_len, 0};
  ZSTD_outBuffer out = {io->out, io->out_len, 0};
  size_t r = ZSTD_decompressStream(state, &out, &in);
  io->in += in.pos, io->in_len -= in.pos;
  io->out += out.pos, io->out_len -= out.pos;
  if (ZSTD_isError(r)) return failed(r, why);
  if (r == 0) return CODEC_ENDED;
  return io->out_len == 0 ? CODEC_OUTPUT : CODEC_INPUT;
}

/* ---- encoding ---- */

static void *encoder_new(int level) {
  ZSTD_CCtx *c = ZSTD_createCCtx();
  if (!c) return NULL;
  ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
  return c;
}

static void encoder_free(void *state) {
  ZSTD_freeCCtx(state);
}

static enum codec_result encoder_step(void *state, codec_io *io, enum codec_end end,
                                      const char **why) {
  static const ZSTD_EndDirective ends[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
  ZSTD_inBuffer in = {io->in, io->in_len, 0};
  ZSTD_outBuffer out = {io->out, io->out_len, 0};
  size_t left = ZSTD_compressStream2(state, &out, &in, ends[end]);
  io->in += in.pos, io->in_len -= in.pos;
  io->out += out.pos, io->out_len -= out.pos;
  if (ZSTD_isError(left)) return failed(left, why);
  bool more = end == CODEC_GO_ON ? io->out_len == 0 : left > 0;
  return more ? CODEC_OUTPUT : CODEC_INPUT;
}

AIO_EXPORT int luaopen_aio_zstd(lua_State *L) {
  static const codec_class decoder = {.name = "aio.zstd.decoder",
                                      .again = true,
                                      .open = decoder_new,
                                      .close = decoder_free,
                                      .step = decoder_step};
  static const codec_class encoder = {.name = "aio.zstd.encoder",
                                      .least = 1,
                                      .most = 19, /* above it the window is too large for HTTP */
                                      .unset = 3,
                                      .open = encoder_new,
                                      .close = encoder_free,
                                      .step = encoder_step};
  luaL_checkversion(L);
  lua_createtable(L, 0, 2);
  codec_open(L, &decoder, &encoder);
  return 1;
}
