/* alert/router_frame.h - the bytes of the router's log: a head at the start of each file, then frames.
 *
 * The head carries all that dedup needs from files that retention has removed: each partition's cursor and the newest
 * sequence before this file. It is written whole or not at all (beside, synced, renamed). Little-endian, as every
 * machine that this runs on. */
#ifndef FM_ALERT_ROUTER_FRAME_H
#define FM_ALERT_ROUTER_FRAME_H

#include "alert/router.h"
#include "base/event.h"

#include <assert.h>

#define FM_ROUTER_BODY_MAX  (1u << 20) /* bytes of one alert's body */
#define FM_ROUTER_FRAME_MAX (FM_ROUTER_BODY_MAX + 4096u)

typedef struct fm_router_cursor { /* the newest alert of a partition that is logged; sequence 0 = none yet */
    uint64_t sequence;
    uint64_t ordinal;
} fm_router_cursor;

typedef struct fm_router_head {
    char magic[8];
    uint32_t version;
    uint32_t crc32c;            /* of the whole head with this field 0 */
    uint64_t first_sequence;    /* the frames behind it start with this one */
    uint64_t previous_sequence; /* the newest before; not always first - 1: see FM_ROUTER_SKIP */
    uint64_t incarnation_ms;    /* of the data directory whose positions the cursors are */
    uint64_t sync_always;
    char boot_id[40]; /* of the machine's run in which the frames were written */
    fm_router_cursor cursor[FM_PARTITION_COUNT];
} fm_router_head;

enum { FM_ROUTER_ALERT = 1, FM_ROUTER_CLEAN_STOP = 2 };

typedef struct fm_router_frame { /* then symbol, rule, domain, body, and zeros up to a multiple of 8 */
    uint32_t size;               /* of all of it */
    uint32_t crc32c;             /* of `size` and of everything behind this field */
    uint64_t router_sequence;
    uint64_t
        synced_size; /* bytes of this file on the disk for certain when this was written: damage, or a torn tail? */
    uint32_t kind;
    uint16_t symbol_size, rule_size;
    uint32_t domain_size, body_size;
    uint32_t severity, partition, ordinal, unused;
    fm_hash128 id;
    uint64_t sequence;
    int64_t event_ns, receive_ns, detect_ns, publish_ns;
} fm_router_frame;

static_assert(sizeof(fm_router_head) == 88 + 16 * FM_PARTITION_COUNT, "the head has no padding");
static_assert(sizeof(fm_router_frame) == 112, "the frame has no padding");

/* True when an alert at (sequence, ordinal) is at or before the cursor. */
static inline bool fm_router_cursor_has(const fm_router_cursor *cursor, uint64_t sequence, uint32_t ordinal)
{
    return sequence < cursor->sequence ||
           (sequence == cursor->sequence && cursor->sequence != 0 && ordinal <= cursor->ordinal);
}

void fm_router_head_seal(fm_router_head *head);                     /* magic, version, crc */
int fm_router_head_check(const void *data, size_t size) FM_CHECKED; /* FM_ECORRUPT, FM_EVERSION */

size_t fm_router_frame_size(const fm_routed_alert *alert);
void fm_router_frame_put(void *out, const fm_routed_alert *alert); /* all but what seal fills in */
void fm_router_frame_seal(fm_router_frame *frame, uint64_t router_sequence, uint64_t synced_size, int64_t publish_ns);
void fm_router_frame_clean_stop(fm_router_frame *frame, uint64_t last_sequence, uint64_t synced_size);
int fm_router_frame_check(const void *data, size_t size) FM_CHECKED; /* whole, of at most `size`? FM_ECORRUPT */
void fm_router_frame_get(const fm_router_frame *frame, fm_routed_alert *out); /* slices point into the frame */

#endif
