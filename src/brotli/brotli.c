/* SPDX-License-Identifier: MIT
 *
 * luaopen_aio_brotli: the library aio/brotli.so, both directions by brotli. Loaded by
 * lua/aio/http/coding.lua when the coding br is first used. Windows are at most 16 MiB, as the
 * standard has it. */
#include <brotli/decode.h>
#include <brotli/encode.h>

#include "codec/codec.h"

AIO_EXPORT int luaopen_aio_brotli(lua_State *L);

static const char no_memory[] = "not enough memory";

/* ---- decoding ---- */

static void *decoder_new(int level) {
  (void)level;
  return BrotliDecoderCreateInstance(NULL, NULL, NULL);
}

static void decoder_free(void *state) {
  BrotliDecoderDestroyInstance(state);
}

static const char *why_not(BrotliDecoderState *state) {
  BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state);
  bool memory = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
  return memory ? no_memory : "invalid data of brotli";
}

static enum codec_result decoder_step(void *state, codec_io *io, enum codec_end end,
                                      const char **why) {
  (void)end;
  const uint8_t *in = (const uint8_t *)io->in;
  uint8_t *out = (uint8_t *)io->out;
  BrotliDecoderResult r =
      BrotliDecoderDecompressStream(state, &io->in_len, &in, &io->out_len, &out, NULL);
  io->in = (const char *)in;
  io->out = (char *)out;
  switch (r) {
  case BROTLI_DECODER_RESULT_SUCCESS:
    return CODEC_ENDED;
  case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: /* which it says with output left, too */
    return BrotliDecoderHasMoreOutput(state) ? CODEC_OUTPUT : CODEC_INPUT;
  case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
    return CODEC_OUTPUT;
  default:
    *why = why_not(state);
    return CODEC_MALFORMED;
  }
}

/* ---- encoding ---- */

/* A window of 512 KiB, of which its memory is twice as much; brotli's own is eight times that. */
static void *encoder_new(int level) {
  enum { WINDOW_BITS = 19 };
  BrotliEncoderState *state = BrotliEncoderCreateInstance(NULL, NULL, NULL);
  if (!state) return NULL;
  BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, (uint32_t)level);
  BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, WINDOW_BITS);
  return state;
}

static void encoder_free(void *state) {
  BrotliEncoderDestroyInstance(state);
}

static enum codec_result encoder_step(void *state, codec_io *io, enum codec_end end,
                                      const char **why) {
  static const BrotliEncoderOperation operations[] = {
      BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH};
  const uint8_t *in = (const uint8_t *)io->in;
  uint8_t *out = (uint8_t *)io->out;
  bool ok = BrotliEncoderCompressStream(state, operations[end], &io->in_len, &in, &io->out_len,
                                        &out, NULL);
  io->in = (const char *)in;
  io->out = (char *)out;
  if (!ok) {
    *why = no_memory;
    return CODEC_MALFORMED;
  }
  bool more =
      BrotliEncoderHasMoreOutput(state) || (end == CODEC_FINISH && !BrotliEncoderIsFinished(state));
  return more ? CODEC_OUTPUT : CODEC_INPUT;
}

AIO_EXPORT int luaopen_aio_brotli(lua_State *L) {
  static const codec_class decoder = {.name = "aio.brotli.decoder",
                                      .open = decoder_new,
                                      .close = decoder_free,
                                      .step = decoder_step};
  static const codec_class encoder = {.name = "aio.brotli.encoder",
                                      .least = BROTLI_MIN_QUALITY,
                                      .most = BROTLI_MAX_QUALITY,
                                      .unset = 5, /* as dear as gzip's usual level */
                                      .open = encoder_new,
                                      .close = encoder_free,
                                      .step = encoder_step};
  luaL_checkversion(L);
  lua_createtable(L, 0, 2);
  codec_open(L, &decoder, &encoder);
  return 1;
}
