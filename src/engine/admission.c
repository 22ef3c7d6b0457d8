/* engine/admission.c - dictionaries grow, duplicates stop here, decimals take the scale of their series. */
#include "engine/admission.h"

#include "base/assert.h"
#include "base/hash.h"
#include "engine/duplicates.h"

#include <stdlib.h>
#include <string.h>

static const int64_t power_of_ten[FM_SCALE_MAX + 1] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

static const int64_t largest_times[FM_SCALE_MAX + 1] = { /* FM_MAGNITUDE_MAX / 10^k */
    FM_MAGNITUDE_MAX,           FM_MAGNITUDE_MAX / 10,       FM_MAGNITUDE_MAX / 100,       FM_MAGNITUDE_MAX / 1000,
    FM_MAGNITUDE_MAX / 10000,   FM_MAGNITUDE_MAX / 100000,   FM_MAGNITUDE_MAX / 1000000,   FM_MAGNITUDE_MAX / 10000000,
    FM_MAGNITUDE_MAX / 100000000, FM_MAGNITUDE_MAX / 1000000000};

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

static inline int find_domain(const fm_admission *admission, fm_slice name)
{
    /* Few domains, and most records are of the first ones. */
    for (uint32_t i = 0; i < admission->domain_count; i++) {
        const fm_domain_entry *domain = &admission->domain[i];
        if (domain->name_size == name.size && fm_bytes_equal(domain->name, name.data, name.size))
            return (int)i;
    }
    return -1;
}

int fm_admission_domain(const fm_admission *admission, fm_slice name)
{
    return find_domain(admission, name);
}

static uint64_t symbol_key(uint64_t symbol_hash, uint32_t domain)
{
    return symbol_hash ^ ((uint64_t)domain * UINT64_C(0x9e3779b97f4a7c15));
}

static inline int find_symbol(const fm_admission *admission, uint64_t hash, uint32_t domain, fm_slice symbol)
{
    if (admission->symbol_table_size == 0)
        return -1;
    uint32_t mask = admission->symbol_table_size - 1;
    for (uint32_t at = (uint32_t)(hash >> 16) & mask; admission->symbol_table[at] != 0; at = (at + 1) & mask) {
        const fm_symbol_entry *entry = &admission->symbol[admission->symbol_table[at] - 1];
        if (entry->hash == hash && entry->domain == domain && entry->symbol_size == symbol.size &&
            fm_bytes_equal(entry->symbol, symbol.data, symbol.size))
            return (int)(admission->symbol_table[at] - 1);
    }
    return -1;
}

int fm_admission_symbol(const fm_admission *admission, uint32_t domain, fm_slice symbol)
{
    return find_symbol(admission, symbol_key(fm_hash_slice(symbol), domain), domain, symbol);
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

static int find_stream(fm_admission *admission, fm_slice text, uint8_t venue_size)
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

static int find_source(const fm_admission *admission, uint32_t domain, fm_slice name, uint64_t hash)
{
    for (uint32_t i = 1; i < admission->source_count; i++) {
        const fm_source_entry *entry = &admission->source[i];
        if (entry->hash == hash && entry->domain == domain && entry->name_size == name.size && memcmp(entry->name, name.data, name.size) == 0)
            return (int)i;
    }
    return -1;
}

/* Where a new source goes: a fresh place, or that of the one used longest ago. */
static uint32_t source_place(const fm_admission *admission, const fm_admission_limits *limits)
{
    if (admission->source_count <= limits->sources_max)
        return admission->source_count;
    uint32_t oldest = 1;
    for (uint32_t i = 2; i < admission->source_count; i++)
        if (admission->source[i].used_at < admission->source[oldest].used_at)
            oldest = i;
    return oldest;
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
    entry->hash = symbol_key(fm_hash_slice((fm_slice){text.data, symbol_size}), entry->domain);
    admission->symbol_count = index + 1;
    fm_admission_index(admission, index);
}

static inline void note_data(fm_admission *admission, const fm_admission_limits *limits, const fm_event *event, uint32_t domain_index)
{
    fm_domain_entry *domain = &admission->domain[domain_index];
    if (event->ts_ns > domain->time_ns)
        domain->time_ns = event->ts_ns;
    const fm_origin *origin = event->flags & FM_FLAG_ORIGIN ? (const fm_origin *)(event + 1) : NULL;
    if (origin != NULL && origin->source != 0) {
        fm_source_entry *source = &admission->source[origin->source];
        fm_rows_note(source, limits->source_window, origin->row);
        source->used_at = admission->next_sequence;
    }
    if (event->seq != FM_SEQ_ABSENT)
        fm_sequences_note(&admission->sequences, limits->sequence_window,
                          fm_sequence_key(domain_index, &admission->stream[event->stream],
                                          origin != NULL ? origin->session_hash : 0, event->ts_ns, event->seq,
                                          origin != NULL ? origin->seq_index : 0));
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
        break;
    default:
        if (event->kind >= FM_KIND_CONTROL || event->series >= admission->symbol_count)
            return FM_ECORRUPT;
        note_data(admission, limits, event, admission->symbol[event->series].domain);
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

/* ---- admitting ---- */

typedef struct admitting {
    fm_admission              *admission;
    const fm_admission_limits *limits;
    fm_message_record         *record;
    char    *out;
    uint32_t size, count;
} admitting;

static void add_control(admitting *a, int kind, const fm_control *control, fm_slice text)
{
    char *entry = a->out + a->size;
    a->size += fm_control_entry(entry, kind, a->record->event.ts_ns, control, text);
    a->count++;
    int noted = fm_admission_note(a->admission, a->limits, (fm_event *)entry);
    FM_ASSERT(noted == 0);
}

/* "first\0second": two texts of a dictionary record. */
static fm_slice two_texts(char *buffer, const char *first, size_t first_size, const char *second, size_t second_size)
{
    memcpy(buffer, first, first_size);
    buffer[first_size] = 0;
    memcpy(buffer + first_size + 1, second, second_size);
    return (fm_slice){buffer, first_size + 1 + second_size};
}

/* Numbers of the record in the scales of the series. Negative: does not fit. */
static inline int rescale(int64_t *number, int from, int to, int too_large)
{
    if (*number == FM_ABSENT || from == to)
        return 0;
    int64_t largest = largest_times[to - from];
    if (*number > largest || *number < -largest)
        return too_large;
    *number *= power_of_ten[to - from];
    return 0;
}

typedef struct scales {
    int8_t price, size;
} scales;

static inline void raise_scale(int8_t *scale, int64_t number, int8_t given)
{
    int8_t asked = number != FM_ABSENT ? given : 0;
    *scale = asked > *scale ? asked : *scale;
}

/* The smallest scales that hold both the series' past and this record. */
static inline scales scales_needed(const fm_message_record *record, scales have)
{
    const fm_event *event = &record->event;
    if (event->kind == FM_TRADE) {
        have.price = record->scale[0] > have.price ? record->scale[0] : have.price;
        raise_scale(&have.size, event->as.trade.size, record->scale[1]);
    } else if (event->kind == FM_QUOTE) {
        raise_scale(&have.price, event->as.quote.bid, record->scale[0]);
        raise_scale(&have.size, event->as.quote.bid_size, record->scale[1]);
        raise_scale(&have.price, event->as.quote.ask, record->scale[2]);
        raise_scale(&have.size, event->as.quote.ask_size, record->scale[3]);
    }
    return have;
}

static inline int rescale_event(fm_event *event, const int8_t from[4], scales to)
{
    if (event->kind == FM_TRADE) {
        FM_TRY(rescale(&event->as.trade.price, from[0], to.price, FM_price_too_large));
        FM_TRY(rescale(&event->as.trade.size, from[1], to.size, FM_size_too_large));
    } else if (event->kind == FM_QUOTE) {
        FM_TRY(rescale(&event->as.quote.bid, from[0], to.price, FM_price_too_large));
        FM_TRY(rescale(&event->as.quote.bid_size, from[1], to.size, FM_size_too_large));
        FM_TRY(rescale(&event->as.quote.ask, from[2], to.price, FM_price_too_large));
        FM_TRY(rescale(&event->as.quote.ask_size, from[3], to.size, FM_size_too_large));
    }
    return 0;
}

/* Has it been here? Only a source row or a venue sequence can tell: true trades may be identical to the byte. */
static int judge_duplicate(const admitting *a, uint32_t domain, int source, int stream)
{
    const fm_message_record *record = a->record;
    if (source > 0) {
        fm_seen seen = fm_rows_look(&a->admission->source[source], record->row);
        if (seen == FM_SEEN_TOO_OLD)
            return FM_row_too_old;
        if (seen == FM_SEEN_BEFORE)
            return 0;
    }
    if (record->event.seq != FM_SEQ_ABSENT && stream >= 0) {
        uint64_t key = fm_sequence_key(domain, &a->admission->stream[stream], record->session_hash, record->event.ts_ns,
                                       record->event.seq, record->seq_index);
        if (fm_sequences_has(&a->admission->sequences, key))
            return 0;
    }
    return 1;
}

static void register_names(admitting *a, uint32_t domain, int *stream, int *source)
{
    const fm_message_record *record = a->record;
    char text[2 * FM_NAME_MAX + 1];
    if (*stream < 0) {
        fm_slice names = fm_message_stream(record);
        fm_control control = {.index = a->admission->stream_count};
        *stream = (int)control.index;
        add_control(a, FM_STREAM, &control,
                    two_texts(text, names.data, record->venue_size, names.data + record->venue_size, record->channel_size));
    }
    if (record->source_size > 0 && *source < 0) {
        fm_control control = {.index = source_place(a->admission, a->limits), .domain = domain};
        *source = (int)control.index;
        add_control(a, FM_SOURCE, &control, fm_message_source(record));
    }
}

static void register_series(admitting *a, uint32_t domain, int *series, scales need)
{
    const fm_message_record *record = a->record;
    char text[2 * FM_NAME_MAX + 1];
    if (*series < 0) {
        fm_control control = {
            .index = a->admission->symbol_count, .domain = domain, .price_scale = need.price, .size_scale = need.size};
        fm_slice symbol = fm_message_symbol(record);
        *series = (int)control.index;
        add_control(a, FM_SERIES, &control,
                    two_texts(text, symbol.data, symbol.size, fm_message_stream(record).data, record->venue_size));
    } else {
        fm_control control = {.index = (uint32_t)*series, .domain = domain, .price_scale = need.price, .size_scale = need.size};
        add_control(a, FM_SCALE, &control, (fm_slice){"", 0});
    }
}

static inline void add_event(admitting *a, uint32_t domain, int series, int stream, int source)
{
    const fm_message_record *record = a->record;
    fm_event *event = (fm_event *)(a->out + a->size);
    *event = record->event;
    event->series = (uint32_t)series;
    event->stream = (uint16_t)stream;
    event->flags = record->event.ts_ns < a->admission->domain[domain].time_ns ? FM_FLAG_LATE : 0;
    event->extra_words = 0;
    if (source > 0 || record->seq_index != 0 || record->session_hash != 0) {
        event->flags |= FM_FLAG_ORIGIN;
        event->extra_words = sizeof(fm_origin) / 8;
        *(fm_origin *)(event + 1) = (fm_origin){.source = source > 0 ? (uint32_t)source : 0,
                                                .seq_index = record->seq_index,
                                                .row = record->row,
                                                .session_hash = record->session_hash};
    }
    a->size += fm_event_size(event);
    a->count++;
    note_data(a->admission, a->limits, event, domain);
    a->admission->next_sequence++;
}

int fm_admit(fm_admission *admission, const fm_admission_limits *limits, uint32_t *series_used, fm_slice domain_name,
             fm_message_record *record, int64_t receive_ns, char *out, uint32_t *size, uint32_t *count)
{
    admitting a = {.admission = admission, .limits = limits, .record = record, .out = out};
    int domain = find_domain(admission, domain_name);
    if (domain < 0 && admission->domain_count >= limits->domains_max)
        return FM_domain_limit;
    bool live = domain >= 0 ? admission->domain[domain].live : fm_slice_equal(domain_name, FM_SLICE("live"));
    if (live && record->event.ts_ns > receive_ns + limits->future_max_ns)
        return FM_ts_in_future;

    uint32_t domain_index = domain >= 0 ? (uint32_t)domain : admission->domain_count;
    fm_slice symbol = fm_message_symbol(record);
    int series = domain < 0 ? -1 : find_symbol(admission, symbol_key(record->symbol_hash, domain_index), domain_index, symbol);
    if (series < 0 && !limits->register_unknown)
        return FM_unknown_symbol;
    if (series < 0 && *series_used >= limits->series_max)
        return FM_instrument_limit;
    int stream = find_stream(admission, fm_message_stream(record), record->venue_size);
    if (stream < 0 && admission->stream_count >= FM_STREAMS_MAX)
        return FM_stream_limit;
    fm_slice source_name = fm_message_source(record);
    int source = source_name.size == 0 ? 0 : find_source(admission, domain_index, source_name, fm_hash_slice(source_name));

    int verdict = judge_duplicate(&a, domain_index, source, stream);
    if (verdict <= 0)
        return verdict;

    scales have = {0, 0};
    if (series >= 0)
        have = (scales){admission->symbol[series].price_scale, admission->symbol[series].size_scale};
    scales need = scales_needed(record, have);
    if (need.price > limits->scale_max)
        return FM_price_too_precise;
    if (need.size > limits->scale_max)
        return FM_size_too_precise;
    bool names = domain < 0 || stream < 0 || source < 0, symbols = series < 0 || have.price != need.price || have.size != need.size;
    if (FM_UNLIKELY((names || symbols) && !record->has_room))
        return FM_ENOSPC;
    FM_TRY(rescale_event(&record->event, record->scale, need));

    /* From here on nothing can refuse it: the entries are made. */
    if (domain < 0)
        add_control(&a, FM_DOMAIN, &(fm_control){.index = domain_index}, domain_name);
    if (FM_UNLIKELY(names))
        register_names(&a, domain_index, &stream, &source);
    if (FM_UNLIKELY(symbols)) {
        *series_used += series < 0;
        register_series(&a, domain_index, &series, need);
    }
    add_event(&a, domain_index, series, stream, source);
    *size = a.size;
    *count = a.count;
    return 1;
}
