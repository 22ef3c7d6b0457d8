/* ingest/inflate.h - gzip bodies, bounded: a bomb costs at most `limit` bytes. */
#ifndef FM_INGEST_INFLATE_H
#define FM_INGEST_INFLATE_H

#include "base/error.h"

#include <stddef.h>

/* Inflates all gzip members in data into out. 0, or FM_encoding (not gzip, torn, trailing garbage), FM_body_too_large
 * (more than `limit`). *size is the number of bytes written. */
int fm_inflate_gzip(const void *data, size_t data_size, void *out, size_t limit, size_t *size) FM_CHECKED;

#endif
