/* engine/admission.c - what admission knows of a partition, noted entry by entry in the order of the log. */
#include "engine/admission_internal.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

void *fm_grow(void *array, uint32_t *capacity, uint32_t need, size_t size)
{
    if (need <= *capacity)
        return array;
    uint32_t grown = *capacity == 0 ? 8 : *capacity;
    while (grown < need)
        grown *= 2;
    array = realloc(array, (size_t)grown * size);
    FM_ASSERT(array != NULL);
    memset((char *)array + (size_t)*capacity * size, 0, (size_t)(grown - *capacity) * size);
    *capacity = grown;
    return array;
}

void fm_admission_init(fm_admission *admission)
{
    *admission = (fm_admission){.next_sequence = 1};
    admission->stream = fm_grow(NULL, &admission->stream_capacity, 1, sizeof(fm_stream_entry));
    admission->stream_count = 1;
    admission->stream[0].hash = fm_hash64("", 0, 2);
    admission->source = fm_grow(NULL, &admission->source_capacity, 1, sizeof(fm_source_entry));
    admission->source_count = 1;
}

void fm_admission_fini(fm_admission *admission)
{
    for (uint32_t i = 0; i < admission->source_count; i++)
        fm_rows_forget(&admission->source[i]);
    free(admission->domain);
    free(admission->stream);
    free(admission->symbol);
    free(admission->symbol_table);
    free(admission->source);
    fm_sequences_fini(&admission->sequences);
}

/* ---- look-ups ---- */

int fm_admission_domain(const fm_admission *admission, fm_slice name)
{
    return fm_find_domain(admission, name);
}

int fm_probe_symbol(const fm_admission *admission, uint64_t hash, uint32_t domain, const char *symbol, size_t size, uint32_t at)
{
    uint32_t mask = admission->symbol_table_size - 1, found;
    for (at &= mask; (found = admission->symbol_table[at]) != 0; at = (at + 1) & mask)
        if (fm_symbol_is(&admission->symbol[found - 1], hash, domain, symbol, size, fm_symbol_padded(size)))
            return (int)found - 1;
    return -1;
}

int fm_admission_symbol(const fm_admission *admission, uint32_t domain, fm_slice symbol)
{
    char padded[FM_SYMBOL_MAX];
    if (symbol.size > FM_SYMBOL_MAX)
        return -1;
    fm_symbol_put(padded, symbol);
    uint64_t hash = fm_symbol_key(fm_hash_slice(symbol), domain);
    return fm_find_symbol(admission, hash, domain, padded, symbol.size, fm_symbol_padded(symbol.size));
}

static void table_insert(fm_admission *admission, uint32_t index)
{
    uint32_t mask = admission->symbol_table_size - 1;
    uint32_t at = (uint32_t)(admission->symbol[index].hash >> 16) & mask;
    while (admission->symbol_table[at] != 0)
        at = (at + 1) & mask;
    admission->symbol_table[at] = index + 1;
}

void fm_admission_index(fm_admission *admission, uint32_t index)
{
    if (2 * (index + 1) > admission->symbol_table_size) {
        uint32_t size = admission->symbol_table_size == 0 ? 64 : 2 * admission->symbol_table_size;
        free(admission->symbol_table);
        admission->symbol_table = calloc(size, sizeof(uint32_t));
        FM_ASSERT(admission->symbol_table != NULL);
        admission->symbol_table_size = size;
        for (uint32_t i = 0; i < index; i++)
            table_insert(admission, i);
    }
    table_insert(admission, index);
}

/* ---- noting entries ---- */

static void note_domain(fm_admission *admission, const fm_event *event)
{
    fm_slice name = fm_control_text(event);
    uint32_t index = event->as.control.index;
    admission->domain = fm_grow(admission->domain, &admission->domain_capacity, index + 1, sizeof(fm_domain_entry));
    fm_domain_entry *domain = &admission->domain[index];
    *domain = (fm_domain_entry){.name_size = (uint8_t)name.size, .time_ns = INT64_MIN};
    memcpy(domain->name, name.data, name.size);
    domain->live = fm_slice_equal(name, FM_SLICE("live"));
    admission->domain_count = index + 1;
}

static void note_stream(fm_admission *admission, const fm_event *event)
{
    fm_slice text = fm_control_text(event);
    uint32_t index = event->as.control.index;
    admission->stream = fm_grow(admission->stream, &admission->stream_capacity, index + 1, sizeof(fm_stream_entry));
    fm_stream_entry *stream = &admission->stream[index];
    size_t venue_size = strnlen(text.data, text.size);
    *stream = (fm_stream_entry){.venue_size = (uint8_t)venue_size, .channel_size = (uint8_t)(text.size - venue_size - 1)};
    memcpy(stream->text, text.data, venue_size);
    memcpy(stream->text + venue_size, text.data + venue_size + 1, stream->channel_size);
    stream->hash = fm_hash64(text.data, text.size, 2);
    stream->venue = (uint16_t)index;
    for (uint32_t i = 0; i < index; i++) /* [0] names no venue: a channel alone does not either */
        if (admission->stream[i].venue_size == venue_size && memcmp(admission->stream[i].text, stream->text, venue_size) == 0) {
            stream->venue = admission->stream[i].venue;
            break;
        }
    admission->stream_count = index + 1;
}

static void note_source(fm_admission *admission, const fm_event *event)
{
    fm_slice name = fm_control_text(event);
    uint32_t index = event->as.control.index;
    admission->source = fm_grow(admission->source, &admission->source_capacity, index + 1, sizeof(fm_source_entry));
    fm_source_entry *source = &admission->source[index];
    if (index < admission->source_count) {
        fm_rows_forget(source);
        admission->sources_forgotten++;
    } else {
        admission->source_count = index + 1;
    }
    *source = (fm_source_entry){.hash = fm_hash_slice(name), .domain = event->as.control.domain, .name_size = (uint8_t)name.size};
    memcpy(source->name, name.data, name.size);
}

static void note_series(fm_admission *admission, const fm_event *event)
{
    fm_slice text = fm_control_text(event);
    uint32_t index = event->as.control.index;
    admission->symbol = fm_grow(admission->symbol, &admission->symbol_capacity, index + 1, sizeof(fm_symbol_entry));
    fm_symbol_entry *entry = &admission->symbol[index];
    size_t symbol_size = strnlen(text.data, text.size);
    *entry = (fm_symbol_entry){.domain = event->as.control.domain,
                               .price_scale = event->as.control.price_scale,
                               .size_scale = event->as.control.size_scale,
                               .symbol_size = (uint8_t)symbol_size,
                               .venue_size = (uint8_t)(text.size - symbol_size - 1)};
    memcpy(entry->symbol, text.data, symbol_size);
    memcpy(entry->venue, text.data + symbol_size + 1, entry->venue_size);
    entry->hash = fm_symbol_key(fm_hash_slice((fm_slice){text.data, symbol_size}), entry->domain);
    admission->symbol_count = index + 1;
    fm_admission_index(admission, index);
}

/* That its kind and flags promise. */
static uint32_t extra_words(const fm_event *event)
{
    return (uint32_t)((event->kind == FM_BAR ? sizeof(fm_bar_rest) : 0) + (event->flags & FM_FLAG_ORIGIN ? sizeof(fm_origin) : 0)) / 8;
}

static void note_read(fm_admission *admission, const fm_admission_limits *limits, const fm_event *event)
{
    uint32_t domain = admission->symbol[event->series].domain;
    const fm_origin *origin = fm_event_origin(event);
    uint64_t key = event->seq != FM_SEQ_ABSENT ? fm_event_sequence_key(admission, event, domain, event->stream, origin) : 0;
    fm_note_data(admission, limits, event, domain, key);
}

int fm_admission_note(fm_admission *admission, const fm_admission_limits *limits, const fm_event *event)
{
    switch (event->kind) {
    case FM_DOMAIN:
        note_domain(admission, event);
        break;
    case FM_STREAM:
        note_stream(admission, event);
        break;
    case FM_SOURCE:
        note_source(admission, event);
        break;
    case FM_SERIES:
        note_series(admission, event);
        break;
    case FM_SCALE:
        if (event->as.control.index >= admission->symbol_count)
            return FM_ECORRUPT;
        admission->symbol[event->as.control.index].price_scale = event->as.control.price_scale;
        admission->symbol[event->as.control.index].size_scale = event->as.control.size_scale;
        break;
    case FM_CLOCK:
        if (event->as.control.index >= admission->domain_count)
            return FM_ECORRUPT;
        if (event->ts_ns > admission->domain[event->as.control.index].time_ns)
            admission->domain[event->as.control.index].time_ns = event->ts_ns;
        break;
    case FM_GENERATION:
    case FM_BUILD:
    case FM_KILL:
    case FM_REFERENCE:
    case FM_CROSS:
        break;
    default:
        if (event->kind >= FM_KIND_CONTROL || event->series >= admission->symbol_count || event->extra_words < extra_words(event))
            return FM_ECORRUPT;
        note_read(admission, limits, event);
        return 0;
    }
    admission->next_sequence++;
    return 0;
}

/* ---- entries ---- */

uint32_t fm_control_entry(char *out, int kind, int64_t ts_ns, const fm_control *control, fm_slice text)
{
    fm_event *event = (fm_event *)out;
    uint32_t words = (uint32_t)(text.size + 7) / 8;
    memset(event, 0, sizeof(*event) + 8 * words);
    event->ts_ns = ts_ns;
    event->kind = (uint8_t)kind;
    event->seq = FM_SEQ_ABSENT;
    event->extra_words = (uint16_t)words;
    event->as.control = *control;
    event->as.control.text_size = (uint16_t)text.size;
    if (text.size > 0)
        memcpy(event + 1, text.data, text.size);
    return (uint32_t)sizeof(*event) + 8 * words;
}

fm_slice fm_control_text(const fm_event *event)
{
    return (fm_slice){(const char *)(event + 1), event->as.control.text_size};
}
