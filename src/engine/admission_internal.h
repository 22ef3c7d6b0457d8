/* engine/admission_internal.h - what admission.c (notes what is in the log) and admit.c (judges what is not yet) share: look-ups, and the noting
 * of a data record, in line because every record comes through here. */
#ifndef FM_ENGINE_ADMISSION_INTERNAL_H
#define FM_ENGINE_ADMISSION_INTERNAL_H

#include "base/assert.h"
#include "base/hash.h"
#include "engine/admission.h"
#include "engine/duplicates.h"

#include <string.h>

static inline int fm_find_domain(const fm_admission *admission, fm_slice name)
{
    /* Few domains, and most records are of the first ones. */
    for (uint32_t i = 0; i < admission->domain_count; i++) {
        const fm_domain_entry *domain = &admission->domain[i];
        if (domain->name_size == name.size && fm_bytes_equal(domain->name, name.data, name.size))
            return (int)i;
    }
    return -1;
}

static inline uint64_t fm_symbol_key(uint64_t symbol_hash, uint32_t domain)
{
    return symbol_hash ^ ((uint64_t)domain * UINT64_C(0x9e3779b97f4a7c15));
}

/* The symbol is padded with zeros, as the entry's is, to `padded` bytes, a multiple of FM_SYMBOL_PAD: two words say for nearly all that they are
 * equal. */
static inline bool fm_symbol_is(const fm_symbol_entry *entry, uint64_t hash, uint32_t domain, const char *symbol, size_t size, size_t padded)
{
    uint64_t differ = (entry->hash ^ hash) | (entry->domain ^ domain) | (entry->symbol_size ^ size);
    for (size_t i = 0; i < padded; i += 8)
        differ |= fm_word_of(entry->symbol + i, 8) ^ fm_word_of(symbol + i, 8);
    return differ == 0;
}

/* From place `at` of the table on. The index, or -1. */
int fm_probe_symbol(const fm_admission *admission, uint64_t hash, uint32_t domain, const char *symbol, size_t size, uint32_t at);

/* At its own place first, which is in line. */
static inline int fm_find_symbol(const fm_admission *admission, uint64_t hash, uint32_t domain, const char *symbol, size_t size, size_t padded)
{
    if (FM_UNLIKELY(admission->symbol_table_size == 0))
        return -1;
    uint32_t at = (uint32_t)(hash >> 16) & (admission->symbol_table_size - 1), found = admission->symbol_table[at];
    if (FM_UNLIKELY(found == 0))
        return -1;
    if (FM_LIKELY(fm_symbol_is(&admission->symbol[found - 1], hash, domain, symbol, size, padded)))
        return (int)found - 1;
    return fm_probe_symbol(admission, hash, domain, symbol, size, at + 1);
}

static inline int fm_find_stream(fm_admission *admission, fm_slice text, uint8_t venue_size)
{
    if (text.size == 0)
        return 0;
    const fm_stream_entry *last = &admission->stream[admission->last_stream];
    if (last->venue_size == venue_size && (size_t)last->venue_size + last->channel_size == text.size &&
        fm_bytes_equal(last->text, text.data, text.size))
        return (int)admission->last_stream;
    for (uint32_t i = 1; i < admission->stream_count; i++) {
        const fm_stream_entry *entry = &admission->stream[i];
        if (entry->venue_size == venue_size && (size_t)entry->venue_size + entry->channel_size == text.size &&
            memcmp(entry->text, text.data, text.size) == 0) {
            admission->last_stream = i;
            return (int)i;
        }
    }
    return -1;
}

static inline int fm_find_source(const fm_admission *admission, uint32_t domain, fm_slice name, uint64_t hash)
{
    for (uint32_t i = 1; i < admission->source_count; i++) {
        const fm_source_entry *entry = &admission->source[i];
        if (entry->hash == hash && entry->domain == domain && entry->name_size == name.size && memcmp(entry->name, name.data, name.size) == 0)
            return (int)i;
    }
    return -1;
}

static inline uint64_t fm_event_sequence_key(const fm_admission *admission, const fm_event *event, uint32_t domain, uint32_t stream, const fm_origin *origin)
{
    return fm_sequence_key(domain, &admission->stream[stream], origin != NULL ? origin->session_hash : 0, event->ts_ns, event->seq,
                           origin != NULL ? origin->seq_index : 0);
}

/* `key` is its sequence's when it has one. */
static inline void fm_note_data(fm_admission *admission, const fm_admission_limits *limits, const fm_event *event, uint32_t domain_index,
                             uint64_t key)
{
    fm_domain_entry *domain = &admission->domain[domain_index];
    if (event->ts_ns > domain->time_ns)
        domain->time_ns = event->ts_ns;
    const fm_origin *origin = fm_event_origin(event);
    if (FM_UNLIKELY(origin != NULL) && origin->source != 0) {
        fm_source_entry *source = &admission->source[origin->source];
        fm_rows_note(source, limits->source_window, origin->row);
        source->used_at = admission->next_sequence;
    }
    if (event->seq != FM_SEQ_ABSENT)
        fm_sequences_note(&admission->sequences, limits->sequence_window, key);
    admission->next_sequence++;
}

/* Fills heading->known[partition]. */
void fm_heading_look_up(fm_heading *heading, fm_admission *admission, uint32_t partition);

/* Brings the record's decimals to the symbol's scales; false, and nothing has changed, when they do not suffice or a number gets too large. */
bool fm_fit_scales(fm_message_record *record, const fm_symbol_entry *symbol);

/* The short way, which nearly every record takes: all its names are known, its symbol is known and no longer than two words, it is one line, and
 * it carries nothing that could tell a duplicate. True: accepted, as by fm_admit. False: nothing has changed, fm_admit is to judge. */
static inline bool fm_admit_known(fm_admission *admission, fm_heading *heading, fm_message_record *record, fm_entries *out)
{
    uint32_t partition = record->head.partition;
    const fm_known *known = &heading->known[partition];
    if (FM_UNLIKELY(((heading->complete >> partition) & 1) == 0)) {
        fm_heading_look_up(heading, admission, partition);
        if (((heading->complete >> partition) & 1) == 0)
            return false;
    }
    bool plain = record->event.extra_words == 0 && record->event.seq == FM_SEQ_ABSENT && record->head.symbol_size <= FM_SYMBOL_PAD;
    if (FM_UNLIKELY(record->event.ts_ns > heading->latest_ns || !plain))
        return false;
    uint32_t domain_index = (uint32_t)known->domain;
    int series = fm_find_symbol(admission, fm_symbol_key(record->symbol_hash, domain_index), domain_index, record->rest, record->head.symbol_size,
                                FM_SYMBOL_PAD);
    if (FM_UNLIKELY(series < 0))
        return false;
    const fm_symbol_entry *symbol = &admission->symbol[series];
    uint32_t given = (uint32_t)fm_word_of((const char *)record->scale, 4);
    uint32_t twice = ((uint8_t)symbol->price_scale | (uint32_t)(uint8_t)symbol->size_scale << 8) * 0x10001u;
    if (FM_UNLIKELY(given != twice) && !fm_fit_scales(record, symbol))
        return false;

    fm_event *event = (fm_event *)(void *)(out->bytes + out->size);
    fm_domain_entry *domain = &admission->domain[domain_index];
    int64_t ts_ns = record->event.ts_ns, newest_ns = domain->time_ns;
    *event = record->event;
    event->series = (uint32_t)series;
    event->stream = (uint16_t)known->stream;
    event->flags |= ts_ns < newest_ns ? FM_FLAG_LATE : 0;
    domain->time_ns = ts_ns < newest_ns ? newest_ns : ts_ns;
    out->size += sizeof(fm_event);
    admission->next_sequence++;
    return true;
}

#endif
