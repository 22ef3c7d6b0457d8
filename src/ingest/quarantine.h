/* ingest/quarantine.h - refused records, kept in memory for GET /v1/quarantine: a ring of the newest, one for each
 * receiving thread.
 *
 * Of each: when, why, where in its request, and its first bytes. The oldest leave when it is full; the counters keep
 * the totals. */
#ifndef FM_INGEST_QUARANTINE_H
#define FM_INGEST_QUARANTINE_H

#include "base/error.h"
#include "base/slice.h"

#include <stdint.h>

#define FM_QUARANTINE_BYTES 512

typedef struct fm_quarantine_entry {
    uint64_t number;    /* counts refused records of this ring from 1 */
    int64_t receive_ns; /* wall clock */
    int32_t code;       /* errors.def */
    uint32_t index;     /* of the record in its request */
    uint32_t size;      /* bytes kept */
    uint32_t full_size; /* bytes of the record */
    char message[160];
    char data[FM_QUARANTINE_BYTES];
} fm_quarantine_entry;

typedef struct fm_quarantine {
    fm_quarantine_entry *entry;
    uint32_t capacity;
    uint64_t count; /* ever */
} fm_quarantine;

int fm_quarantine_init(fm_quarantine *quarantine, uint32_t capacity) FM_CHECKED;
void fm_quarantine_fini(fm_quarantine *quarantine);
void fm_quarantine_add(fm_quarantine *quarantine, int64_t receive_ns, int code, uint32_t index, const char *message,
                       fm_slice record);

/* The newest first: entries with number < before (0 = from the newest), at most `limit`; returns how many. */
uint32_t fm_quarantine_list(const fm_quarantine *quarantine, uint64_t before, uint32_t limit,
                            const fm_quarantine_entry **out);

#endif
