/* base/zone.h - the offsets of a time zone from UTC, as the system's tz database has them: RFC 8536 files.
 *
 * Only for compiling what is then kept (calendars): the database differs between machines, so nothing that folds a
 * journal reads it. */
#ifndef FM_BASE_ZONE_H
#define FM_BASE_ZONE_H

#include "base/error.h"

#include <stdint.h>

typedef struct fm_zone_offset {
    int64_t from_s; /* UTC seconds since 1970; INT64_MIN in the first */
    int32_t offset_s;
} fm_zone_offset;

/* The changes from `from_s` on, behind what held at that time, up to the end of what the file lists (2037).
 * FM_ENOTFOUND: there is no such zone; FM_ESYNTAX: its file is no RFC 8536 one, or lists no changes though its rule has
 * some. *out is the caller's to free. */
int fm_zone_read(const char *name, int64_t from_s, fm_zone_offset **out, uint32_t *count, fm_error *error) FM_CHECKED;

#endif
