/* SPDX-License-Identifier: MIT
 *
 * The second opinion: a head that the strict rules took is shown to llhttp, which has to take it
 * too, so that a fault of one of them alone lets nothing through. */
#include "proto/h1.h"
#include "proto/llhttp.h"

#ifdef AIO_LLHTTP
static int headers_complete(llhttp_t *parser) {
  *(bool *)parser->data = true;
  return 1; /* the body is not for it */
}

bool h1_second(h1 *p) {
  static const llhttp_settings_t settings = {.on_headers_complete = headers_complete};
  llhttp_t parser;
  bool reached = false;
  llhttp_init(&parser, p->head.response ? HTTP_RESPONSE : HTTP_REQUEST, &settings);
  parser.data = &reached;
  llhttp_errno_t err = llhttp_execute(&parser, p->head.text, p->head.len);
  if (reached && (err == HPE_OK || err == HPE_PAUSED_UPGRADE)) return true;
  const char *what = parser.reason ? parser.reason : "malformed";
  return head_refuse(&p->head, 400, what, p->head.text, p->head.len);
}
#else
bool h1_second(h1 *p) {
  (void)p;
  return true;
}
#endif
