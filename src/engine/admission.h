/* engine/admission.h - may this record enter the log, and as what?
 *
 * Decides about symbols, scales, duplicates and the clock, and turns a decoded record into log entries: the dictionary records that it
 * makes necessary, then the event. Nothing here looks at prices of the past. */
#ifndef FM_ENGINE_ADMISSION_H
#define FM_ENGINE_ADMISSION_H

#include "engine/message.h"
#include "engine/partition.h"

typedef struct fm_admission_limits {
    uint32_t series_max; /* of this partition's shard; counted in *series_used */
    uint32_t domains_max;
    uint32_t sources_max;
    uint32_t source_window;
    uint32_t sequence_window;
    int8_t   scale_max;
    bool     register_unknown;
    int64_t  future_max_ns;
} fm_admission_limits;

#define FM_ADMIT_BYTES_MAX 1024 /* entries that one record can need: domain, stream, source, series or scale, itself */

void fm_admission_init(fm_admission *admission);
void fm_admission_fini(fm_admission *admission);

/* What the records of a request have in common, and as what each partition knows it. Zeros before the first request; what was looked up for one is
 * kept for the next, which is nearly always from the same sender. */
typedef struct fm_known {
    int32_t domain, stream, source; /* -1: not known yet */
} fm_known;

typedef struct fm_heading {
    uint64_t complete; /* partitions whose `known` has no -1, a bit each; the others are looked up again */
    int64_t  receive_ns;
    int64_t  latest_ns; /* event times beyond are refused */
    bool     live;
    uint8_t  domain_size, venue_size, channel_size, source_size;
    char     domain[FM_NAME_MAX];
    char     names[3 * FM_NAME_MAX]; /* venue, channel, source */
    fm_known known[FM_PARTITION_COUNT];
} fm_heading;

void fm_heading_begin(fm_heading *heading, const fm_admission_limits *limits, const fm_message_begin *begin);
void fm_heading_names(fm_heading *heading, const fm_message_names *names); /* always follows, before the first record */

/* Entries of one partition, one behind the other. */
typedef struct fm_entries {
    char    *bytes;
    uint32_t size;
} fm_entries;

/* 1: accepted; `out` (FM_ADMIT_BYTES_MAX of room) got its entries, the event last, all already noted. 0: a duplicate. FM_ENOSPC: it needs
 * dictionary entries and no room was reserved for them; nothing has changed: reserve FM_ADMIT_BYTES_MAX, set record->has_room, ask again.
 * Other negatives: refused for that reason. The record's decimals are brought to the scales of its series where they stand. */
int fm_admit(fm_admission *admission, const fm_admission_limits *limits, uint32_t *series_used, fm_heading *heading,
             fm_message_record *record, fm_entries *out);

/* Notes an entry that is in the log: dictionaries, times, duplicates. In the log's order. */
int fm_admission_note(fm_admission *admission, const fm_admission_limits *limits, const fm_event *event) FM_CHECKED;

/* The index of a domain, or -1. */
int fm_admission_domain(const fm_admission *admission, fm_slice name);
/* The index of a symbol in a domain, or -1. */
int fm_admission_symbol(const fm_admission *admission, uint32_t domain, fm_slice symbol);

/* Puts symbol `index` into the look-up table: for snapshots. */
void fm_admission_index(fm_admission *admission, uint32_t index);

/* A control entry of `kind` with text: its bytes in out (FM_ADMIT_BYTES_MAX of room); returns its size. */
uint32_t fm_control_entry(char *out, int kind, int64_t ts_ns, const fm_control *control, fm_slice text);
fm_slice fm_control_text(const fm_event *event);

#endif
