/* engine/duplicates.c - bits for rows, a bounded set for sequences. */
#include "engine/duplicates.h"

#include "base/assert.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

fm_seen fm_rows_look(const fm_source_entry *source, uint64_t row)
{
    if (source->page == NULL || row > source->high)
        return FM_SEEN_NEW;
    uint32_t pages = source->page_count;
    uint64_t page_index = row / FM_ROW_PAGE_BITS;
    if (source->high / FM_ROW_PAGE_BITS - page_index >= pages)
        return FM_SEEN_TOO_OLD;
    const fm_row_page *page = &source->page[page_index % pages];
    if (page->tag != page_index + 1)
        return FM_SEEN_NEW;
    uint32_t bit = (uint32_t)(row % FM_ROW_PAGE_BITS);
    return (page->bits[bit / 64] >> (bit % 64)) & 1 ? FM_SEEN_BEFORE : FM_SEEN_NEW;
}

void fm_rows_note(fm_source_entry *source, uint32_t window, uint64_t row)
{
    if (source->page == NULL) {
        source->page_count = (window + FM_ROW_PAGE_BITS - 1) / FM_ROW_PAGE_BITS;
        source->page = calloc(source->page_count, sizeof(*source->page));
        FM_ASSERT(source->page != NULL);
    }
    uint32_t pages = source->page_count;
    uint64_t page_index = row / FM_ROW_PAGE_BITS;
    fm_row_page *page = &source->page[page_index % pages];
    if (page->tag > page_index + 1) /* taken when the window was larger: too old to be asked for */
        return;
    if (page->tag != page_index + 1) {
        memset(page, 0, sizeof(*page));
        page->tag = page_index + 1;
    }
    uint32_t bit = (uint32_t)(row % FM_ROW_PAGE_BITS);
    page->bits[bit / 64] |= UINT64_C(1) << (bit % 64);
    if (row > source->high)
        source->high = row;
}

void fm_rows_forget(fm_source_entry *source)
{
    free(source->page);
    source->page = NULL;
    source->page_count = 0;
    source->high = 0;
}

/* Venue sequences restart daily, so without a session the event date (UTC) stands for it. */
uint64_t fm_sequence_key(uint32_t domain, const fm_stream_entry *stream, uint64_t session_hash, int64_t ts_ns, uint64_t seq, uint32_t seq_index)
{
    uint64_t date = (uint64_t)(ts_ns / (86400 * FM_NS_PER_S));
    uint64_t key[5] = {domain, stream->hash, session_hash != 0 ? session_hash : date, seq, seq_index};
    return fm_hash64(key, sizeof(key), 1);
}

static uint32_t slot_of(const fm_sequence_set *set, uint64_t key)
{
    uint32_t mask = 2 * set->capacity - 1;
    uint32_t at = (uint32_t)(key >> 20) & mask;
    while (set->table[at] != 0 && set->table[at] != key)
        at = (at + 1) & mask;
    return at;
}

bool fm_sequences_has(const fm_sequence_set *set, uint64_t key)
{
    return set->capacity != 0 && set->table[slot_of(set, key)] == key;
}

/* Removal from linear probing: later members of the run move up, so that no gap hides them. */
static void table_remove(fm_sequence_set *set, uint64_t key)
{
    uint32_t mask = 2 * set->capacity - 1;
    uint32_t hole = slot_of(set, key);
    if (set->table[hole] == 0)
        return;
    for (uint32_t at = (hole + 1) & mask; set->table[at] != 0; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)(set->table[at] >> 20) & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            set->table[hole] = set->table[at];
            hole = at;
        }
    }
    set->table[hole] = 0;
}

void fm_sequences_note(fm_sequence_set *set, uint32_t capacity, uint64_t key)
{
    if (set->capacity == 0) {
        FM_ASSERT((capacity & (capacity - 1)) == 0 && capacity > 0);
        set->ring = calloc(capacity, sizeof(uint64_t));
        set->table = calloc(2 * (size_t)capacity, sizeof(uint64_t));
        FM_ASSERT(set->ring != NULL && set->table != NULL);
        set->capacity = capacity;
    }
    uint32_t at = slot_of(set, key);
    if (set->table[at] == key)
        return;
    if (set->count == set->capacity) {
        table_remove(set, set->ring[set->head]);
        at = slot_of(set, key);
    } else {
        set->count++;
    }
    set->table[at] = key;
    set->ring[set->head] = key;
    set->head = (set->head + 1) & (set->capacity - 1);
}

void fm_sequences_fini(fm_sequence_set *set)
{
    free(set->ring);
    free(set->table);
    *set = (fm_sequence_set){0};
}
