/* tool/digest.h - the SHA-256 of a file's bytes: what `fmads replay` calls a source. */
#ifndef FM_TOOL_DIGEST_H
#define FM_TOOL_DIGEST_H

#include "base/error.h"

#include <stdint.h>

#define FM_DIGEST_HEX 65 /* 64 digits and NUL */

int fm_digest_file(const char *path, char hex[FM_DIGEST_HEX], fm_error *error) FM_CHECKED; /* FM_ENOTFOUND, FM_EIO */
int fm_digest_bytes(const void *data, size_t size, char hex[FM_DIGEST_HEX]) FM_CHECKED;    /* FM_ENOMEM */

#endif
