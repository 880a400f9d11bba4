/* SPDX-License-Identifier: MIT
 *
 * The methods of HTTP and its extensions, in the main those of IANA's registry; the frequent ones
 * first. */
#include "proto/method.h"

#include <string.h>

static const char *const methods[] = {
    "GET",       "POST",        "HEAD",     "PUT",       "DELETE", "OPTIONS", "PATCH",
    "CONNECT",   "TRACE",       "PROPFIND", "PROPPATCH", "MKCOL",  "COPY",    "MOVE",
    "LOCK",      "UNLOCK",      "SEARCH",   "BIND",      "REBIND", "UNBIND",  "ACL",
    "REPORT",    "MKACTIVITY",  "CHECKOUT", "MERGE",     "LINK",   "UNLINK",  "MKCALENDAR",
    "SUBSCRIBE", "UNSUBSCRIBE", "NOTIFY",   "M-SEARCH",  "PURGE",  "SOURCE",
};

bool method_is_known(const char *s, size_t len) {
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    if (strlen(methods[i]) == len && memcmp(methods[i], s, len) == 0) return true;
  }
  return false;
}
