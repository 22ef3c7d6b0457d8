/* ingest/quarantine.c - the ring of refused records. */
#include "ingest/quarantine.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

int fm_quarantine_init(fm_quarantine *quarantine, uint32_t capacity)
{
    if (capacity == 0)
        return FM_EINVAL;
    fm_quarantine_entry *entry = calloc(capacity, sizeof *entry);
    if (!entry)
        return FM_ENOMEM;
    *quarantine = (fm_quarantine){.entry = entry, .capacity = capacity};
    return 0;
}

void fm_quarantine_fini(fm_quarantine *quarantine)
{
    free(quarantine->entry);
    *quarantine = (fm_quarantine){0};
}

void fm_quarantine_add(fm_quarantine *quarantine, int64_t receive_ns, int code, uint32_t index, const char *message,
                       fm_slice record)
{
    fm_quarantine_entry *entry = &quarantine->entry[quarantine->count++ % quarantine->capacity];
    entry->number = quarantine->count;
    entry->receive_ns = receive_ns;
    entry->code = code;
    entry->index = index;
    entry->full_size = record.size < UINT32_MAX ? (uint32_t)record.size : UINT32_MAX;
    entry->size = record.size < FM_QUARANTINE_BYTES ? (uint32_t)record.size : FM_QUARANTINE_BYTES;
    if (entry->size > 0)
        memcpy(entry->data, record.data, entry->size);
    fm_slice_copy(fm_slice_of(message), entry->message, sizeof entry->message);
}

uint32_t fm_quarantine_list(const fm_quarantine *quarantine, uint64_t before, uint32_t limit,
                            const fm_quarantine_entry **out)
{
    uint64_t newest = before == 0 || before > quarantine->count ? quarantine->count : before - 1;
    uint64_t gone = quarantine->count > quarantine->capacity ? quarantine->count - quarantine->capacity : 0;
    uint32_t listed = 0;
    for (uint64_t number = newest; number > gone && listed < limit; number--) {
        const fm_quarantine_entry *entry = &quarantine->entry[(number - 1) % quarantine->capacity];
        FM_ASSERT(entry->number == number);
        out[listed++] = entry;
    }
    return listed;
}
