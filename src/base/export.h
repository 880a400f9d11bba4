/* SPDX-License-Identifier: MIT
 *
 * AIO_EXPORT marks the opener of a library: the only symbol that is for others. */
#ifndef AIO_BASE_EXPORT_H
#define AIO_BASE_EXPORT_H

#if defined(_WIN32)
#define AIO_EXPORT __declspec(dllexport)
#else
#define AIO_EXPORT __attribute__((visibility("default")))
#endif

#endif
