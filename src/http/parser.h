/* SPDX-License-Identifier: MIT
 *
 * The parser of a connection as the files of this floor see it, see parser.c. */
#ifndef AIO_HTTP_PARSER_H
#define AIO_HTTP_PARSER_H

#include "http/http.h"
#include "proto/h1.h"

typedef struct http_parser {
  aio_sink_ud ud; /* first: see core/api.h */
  aio_sink sink;
  h1 h1;
} http_parser;

/* The parser at stack slot 1. [may throw] */
http_parser *http_parser_self(lua_State *L);

/* Pushes what the parsers of this state allocate from, a userdata that lives as long as the state:
 * blocks.c. [may throw] */
void http_blocks_push(lua_State *L);
/* The allocator that the userdata at `idx` is. */
aio_mem http_blocks_mem(lua_State *L, int idx);

#endif
