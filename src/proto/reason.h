/* SPDX-License-Identifier: MIT
 *
 * The words that go with a status. */
#ifndef AIO_PROTO_REASON_H
#define AIO_PROTO_REASON_H

/* In static memory; "" for a status that has none. */
const char *reason_of(int status);

#endif
