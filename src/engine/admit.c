/* engine/admit.c - may this record enter the log? Duplicates stop here, dictionaries grow, decimals take the scale of their series. */
#include "engine/admission_internal.h"

#include <string.h>

static const int64_t power_of_ten[FM_SCALE_MAX + 1] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

static const int64_t largest_times[FM_SCALE_MAX + 1] = { /* FM_MAGNITUDE_MAX / 10^k */
    FM_MAGNITUDE_MAX,           FM_MAGNITUDE_MAX / 10,       FM_MAGNITUDE_MAX / 100,       FM_MAGNITUDE_MAX / 1000,
    FM_MAGNITUDE_MAX / 10000,   FM_MAGNITUDE_MAX / 100000,   FM_MAGNITUDE_MAX / 1000000,   FM_MAGNITUDE_MAX / 10000000,
    FM_MAGNITUDE_MAX / 100000000, FM_MAGNITUDE_MAX / 1000000000};

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

/* ---- the heading ---- */

void fm_heading_begin(fm_heading *heading, const fm_admission_limits *limits, const fm_message_begin *begin)
{
    if (begin->domain_size != heading->domain_size || memcmp(begin->domain, heading->domain, begin->domain_size) != 0) {
        heading->domain_size = (uint8_t)begin->domain_size;
        memcpy(heading->domain, begin->domain, begin->domain_size);
        heading->live = fm_slice_equal((fm_slice){heading->domain, heading->domain_size}, FM_SLICE("live"));
        heading->complete = 0;
    }
    if (heading->source_size > 0) /* it may have been forgotten, and its place taken */
        heading->complete = 0;
    heading->receive_ns = begin->receive_ns;
    heading->latest_ns = heading->live ? begin->receive_ns + limits->future_max_ns : INT64_MAX;
}

void fm_heading_names(fm_heading *heading, const fm_message_names *names)
{
    size_t size = (size_t)names->venue_size + names->channel_size + names->source_size;
    if (names->venue_size == heading->venue_size && names->channel_size == heading->channel_size &&
        names->source_size == heading->source_size && memcmp(names->text, heading->names, size) == 0)
        return;
    heading->venue_size = names->venue_size;
    heading->channel_size = names->channel_size;
    heading->source_size = names->source_size;
    memcpy(heading->names, names->text, size);
    heading->complete = 0;
}

static fm_slice heading_domain(const fm_heading *heading)
{
    return (fm_slice){heading->domain, heading->domain_size};
}

static fm_slice heading_stream(const fm_heading *heading) /* venue, then channel */
{
    return (fm_slice){heading->names, (size_t)heading->venue_size + heading->channel_size};
}

static fm_slice heading_source(const fm_heading *heading)
{
    return (fm_slice){heading->names + heading->venue_size + heading->channel_size, heading->source_size};
}

void fm_heading_look_up(fm_heading *heading, fm_admission *admission, uint32_t partition)
{
    fm_known *known = &heading->known[partition];
    fm_slice source = heading_source(heading);
    known->domain = fm_find_domain(admission, heading_domain(heading));
    known->stream = fm_find_stream(admission, heading_stream(heading), heading->venue_size);
    known->source = source.size == 0 ? 0 : known->domain < 0 ? -1 : fm_find_source(admission, (uint32_t)known->domain, source, fm_hash_slice(source));
    if ((known->domain | known->stream | known->source) >= 0)
        heading->complete |= UINT64_C(1) << partition;
}

/* ---- admitting ---- */

typedef struct admitting {
    fm_admission              *admission;
    const fm_admission_limits *limits;
    const fm_heading          *heading;
    fm_known                  *known;
    fm_message_record         *record;
    fm_entries                *out;
} admitting;

static void add_control(admitting *a, int kind, const fm_control *control, fm_slice text)
{
    char *entry = a->out->bytes + a->out->size;
    a->out->size += fm_control_entry(entry, kind, a->record->event.ts_ns, control, text);
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

typedef struct scales {
    int8_t of[2]; /* price, size */
} scales;

/* Decimals of the record: price and size in turn, but of a bar. */
static inline uint32_t decimal_count(const fm_event *event)
{
    static const uint8_t count[] = {[FM_TRADE] = 2, [FM_QUOTE] = 4, [FM_BOOK] = 2, [FM_ORDER] = 2};
    return event->kind < sizeof(count) ? count[event->kind] : 0;
}

/* The six of a bar: where each stands, its scale, and which scale of the series is its own. */
typedef struct bar_decimal {
    int64_t *number;
    int8_t   scale;
    uint8_t  which;
} bar_decimal;

static void bar_decimals(fm_message_record *record, bar_decimal out[6])
{
    fm_bar *bar = &record->event.as.bar;
    fm_bar_rest *rest = fm_message_bar_rest(record);
    uint8_t volumes = record->head.volume_scales;
    out[0] = (bar_decimal){&bar->open, record->scale[0], 0};
    out[1] = (bar_decimal){&bar->high, record->scale[1], 0};
    out[2] = (bar_decimal){&bar->low, record->scale[2], 0};
    out[3] = (bar_decimal){&bar->close, record->scale[3], 0};
    out[4] = (bar_decimal){&rest->volume, (int8_t)(volumes % 16), 1};
    out[5] = (bar_decimal){&rest->buy_volume, (int8_t)(volumes / 16), 1};
}

static scales bar_scales_needed(fm_message_record *record, scales have)
{
    bar_decimal decimal[6];
    bar_decimals(record, decimal);
    for (uint32_t i = 0; i < 6; i++)
        if (*decimal[i].number != FM_ABSENT && decimal[i].scale > have.of[decimal[i].which])
            have.of[decimal[i].which] = decimal[i].scale;
    return have;
}

/* As rescale, of a bar. */
static int rescale_bar(fm_message_record *record, scales to)
{
    bar_decimal decimal[6];
    bar_decimals(record, decimal);
    for (uint32_t i = 0; i < 6; i++) {
        int64_t number = *decimal[i].number;
        if (number != FM_ABSENT && number > largest_times[to.of[decimal[i].which] - decimal[i].scale])
            return decimal[i].which == 0 ? FM_price_too_large : FM_size_too_large;
    }
    for (uint32_t i = 0; i < 6; i++)
        if (*decimal[i].number != FM_ABSENT)
            *decimal[i].number *= power_of_ten[to.of[decimal[i].which] - decimal[i].scale];
    return 0;
}

/* The smallest scales that hold both the series' past and this record. */
static scales scales_needed(fm_message_record *record, scales have)
{
    int64_t number[4];
    if (record->event.kind == FM_BAR)
        return bar_scales_needed(record, have);
    memcpy(number, &record->event.as, sizeof(number));
    for (uint32_t i = 0; i < decimal_count(&record->event); i++)
        if (number[i] != FM_ABSENT && record->scale[i] > have.of[i % 2])
            have.of[i % 2] = record->scale[i];
    return have;
}

/* Numbers of the record in the scales of the series, which hold them. Negative, and nothing has changed: one does not fit. */
static inline int rescale(fm_message_record *record, scales to)
{
    int64_t number[4];
    memcpy(number, &record->event.as, sizeof(number));
    for (uint32_t i = 0, count = decimal_count(&record->event); i < count; i++) {
        int by = to.of[i % 2] - record->scale[i];
        if (number[i] == FM_ABSENT || by == 0)
            continue;
        if (number[i] > largest_times[by] || number[i] < -largest_times[by])
            return i % 2 == 0 ? FM_price_too_large : FM_size_too_large;
        number[i] *= power_of_ten[by];
    }
    memcpy(&record->event.as, number, sizeof(number));
    return 0;
}

bool fm_fit_scales(fm_message_record *record, const fm_symbol_entry *symbol)
{
    scales have = {{symbol->price_scale, symbol->size_scale}};
    for (uint32_t i = 0, count = decimal_count(&record->event); i < count; i++)
        if (record->scale[i] > have.of[i % 2]) /* perhaps of a number that is absent: the long way will tell */
            return false;
    return rescale(record, have) == 0;
}

/* Has it been here? Only a source row or a venue sequence can tell: true trades may be identical to the byte. */
static inline int judge_duplicate(const admitting *a, uint32_t domain, uint64_t *key)
{
    fm_message_record *record = a->record;
    const fm_origin *origin = record->event.flags & FM_FLAG_ORIGIN ? fm_message_origin(record) : NULL;
    if (a->known->source > 0) {
        fm_seen seen = fm_rows_look(&a->admission->source[a->known->source], origin->row);
        if (seen == FM_SEEN_TOO_OLD)
            return FM_row_too_old;
        if (seen == FM_SEEN_BEFORE)
            return 0;
    }
    if (record->event.seq != FM_SEQ_ABSENT && a->known->stream >= 0) {
        *key = fm_event_sequence_key(a->admission, &record->event, domain, (uint32_t)a->known->stream, origin);
        if (fm_sequences_has(&a->admission->sequences, *key))
            return 0;
    }
    return 1;
}

static void register_names(admitting *a, uint64_t *key)
{
    fm_known *known = a->known;
    const fm_heading *heading = a->heading;
    char text[2 * FM_NAME_MAX + 1];
    if (known->domain < 0) {
        fm_control control = {.index = a->admission->domain_count};
        known->domain = (int32_t)control.index;
        add_control(a, FM_DOMAIN, &control, heading_domain(heading));
    }
    if (known->stream < 0) {
        fm_control control = {.index = a->admission->stream_count};
        known->stream = (int32_t)control.index;
        add_control(a, FM_STREAM, &control,
                    two_texts(text, heading->names, heading->venue_size, heading->names + heading->venue_size, heading->channel_size));
        const fm_event *event = &a->record->event;
        if (event->seq != FM_SEQ_ABSENT)
            *key = fm_event_sequence_key(a->admission, event, (uint32_t)known->domain, control.index,
                                event->flags & FM_FLAG_ORIGIN ? fm_message_origin(a->record) : NULL);
    }
    if (known->source < 0) {
        fm_control control = {.index = source_place(a->admission, a->limits), .domain = (uint32_t)known->domain};
        known->source = (int32_t)control.index;
        add_control(a, FM_SOURCE, &control, heading_source(heading));
    }
}

static void register_series(admitting *a, int *series, scales need)
{
    uint32_t domain = (uint32_t)a->known->domain;
    char text[2 * FM_NAME_MAX + 1];
    if (*series < 0) {
        fm_control control = {
            .index = a->admission->symbol_count, .domain = domain, .price_scale = need.of[0], .size_scale = need.of[1]};
        fm_slice symbol = fm_message_symbol(a->record);
        *series = (int)control.index;
        add_control(a, FM_SERIES, &control, two_texts(text, symbol.data, symbol.size, a->heading->names, a->heading->venue_size));
    } else {
        fm_control control = {.index = (uint32_t)*series, .domain = domain, .price_scale = need.of[0], .size_scale = need.of[1]};
        add_control(a, FM_SCALE, &control, (fm_slice){"", 0});
    }
}

static inline void add_event(admitting *a, int series, uint64_t key)
{
    fm_event *event = (fm_event *)(void *)(a->out->bytes + a->out->size);
    uint32_t domain = (uint32_t)a->known->domain;
    *event = a->record->event;
    event->series = (uint32_t)series;
    event->stream = (uint16_t)a->known->stream;
    event->flags |= event->ts_ns < a->admission->domain[domain].time_ns ? FM_FLAG_LATE : 0;
    uint32_t extra = 8u * event->extra_words;
    if (FM_UNLIKELY(extra > 0))
        memcpy(event + 1, a->record->rest, extra);
    if (FM_UNLIKELY(event->flags & FM_FLAG_ORIGIN))
        ((fm_origin *)(void *)((char *)(event + 1) + extra))[-1].source = (uint32_t)a->known->source;
    a->out->size += fm_event_size(event);
    fm_note_data(a->admission, a->limits, event, domain, key);
}

int fm_admit(fm_admission *admission, const fm_admission_limits *limits, uint32_t *series_used, fm_heading *heading,
             fm_message_record *record, fm_entries *out)
{
    uint32_t partition = record->head.partition;
    fm_known *known = &heading->known[partition];
    if (((heading->complete >> partition) & 1) == 0)
        fm_heading_look_up(heading, admission, partition);
    admitting a = {.admission = admission, .limits = limits, .heading = heading, .known = known, .record = record, .out = out};
    if (FM_UNLIKELY(known->domain < 0) && admission->domain_count >= limits->domains_max)
        return FM_domain_limit;
    if (FM_UNLIKELY(record->event.ts_ns > heading->latest_ns))
        return FM_ts_in_future;

    uint32_t domain = known->domain >= 0 ? (uint32_t)known->domain : admission->domain_count;
    fm_slice symbol = fm_message_symbol(record);
    int series = -1;
    if (known->domain >= 0)
        series = fm_find_symbol(admission, fm_symbol_key(record->symbol_hash, domain), domain, symbol.data, symbol.size, fm_symbol_padded(symbol.size));
    if (FM_UNLIKELY(series < 0)) {
        if (!limits->register_unknown)
            return FM_unknown_symbol;
        if (*series_used >= limits->series_max)
            return FM_instrument_limit;
    }
    if (FM_UNLIKELY(known->stream < 0) && admission->stream_count >= FM_STREAMS_MAX)
        return FM_stream_limit;
    uint64_t key = 0;
    int verdict = judge_duplicate(&a, domain, &key);
    if (verdict <= 0)
        return verdict;

    scales have = {{0, 0}};
    if (series >= 0)
        have = (scales){{admission->symbol[series].price_scale, admission->symbol[series].size_scale}};
    scales need = scales_needed(record, have);
    if (need.of[0] > limits->scale_max)
        return FM_price_too_precise;
    if (need.of[1] > limits->scale_max)
        return FM_size_too_precise;
    bool names = (known->domain | known->stream | known->source) < 0, symbols = series < 0 || have.of[0] != need.of[0] || have.of[1] != need.of[1];
    if (FM_UNLIKELY((names || symbols) && !record->head.has_room))
        return FM_ENOSPC;
    FM_TRY(record->event.kind == FM_BAR ? rescale_bar(record, need) : rescale(record, need));

    /* From here on nothing can refuse it: the entries are made. */
    if (FM_UNLIKELY(names)) {
        register_names(&a, &key);
        heading->complete |= UINT64_C(1) << partition;
    }
    if (FM_UNLIKELY(symbols)) {
        *series_used += series < 0;
        register_series(&a, &series, need);
    }
    add_event(&a, series, key);
    return 1;
}
