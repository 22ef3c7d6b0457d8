/* engine/snapshot.c - one partition to bytes and back. Fields are written one by one, so that equal state is equal bytes. */
#include "engine/snapshot.h"

#include "base/assert.h"
#include "engine/duplicates.h"
#include "engine/fold_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

#define PUT(out, field) fm_text_add((out), &(field), sizeof(field))

static void put_admission(const fm_admission *a, fm_text *out)
{
    PUT(out, a->next_sequence);
    PUT(out, a->domain_count);
    for (uint32_t i = 0; i < a->domain_count; i++) {
        const fm_domain_entry *domain = &a->domain[i];
        PUT(out, domain->name);
        PUT(out, domain->name_size);
        PUT(out, domain->time_ns);
    }
    PUT(out, a->stream_count);
    for (uint32_t i = 0; i < a->stream_count; i++) {
        PUT(out, a->stream[i].hash);
        PUT(out, a->stream[i].venue);
        PUT(out, a->stream[i].venue_size);
        PUT(out, a->stream[i].channel_size);
        PUT(out, a->stream[i].text);
    }
    PUT(out, a->symbol_count);
    for (uint32_t i = 0; i < a->symbol_count; i++)
        PUT(out, a->symbol[i]);
    PUT(out, a->source_count);
    for (uint32_t i = 0; i < a->source_count; i++) {
        const fm_source_entry *source = &a->source[i];
        PUT(out, source->hash);
        PUT(out, source->domain);
        PUT(out, source->name_size);
        PUT(out, source->name);
        PUT(out, source->used_at);
        PUT(out, source->high);
        PUT(out, source->page_count);
        for (uint32_t p = 0; p < source->page_count; p++) {
            uint8_t there = source->page[p].tag != 0;
            PUT(out, there);
            if (there)
                PUT(out, source->page[p]);
        }
    }
    PUT(out, a->sequences.capacity);
    PUT(out, a->sequences.count);
    uint32_t first = a->sequences.head - a->sequences.count;
    for (uint32_t i = 0; i < a->sequences.count; i++) /* oldest first */
        PUT(out, a->sequences.ring[(first + i) & (a->sequences.capacity - 1)]);
}

static void put_sectors(const fm_fold_domain *domain, fm_text *out)
{
    PUT(out, domain->sector_count);
    for (uint32_t i = 0; i < domain->sector_count; i++) {
        const fm_sector_state *sector = &domain->sector[i];
        PUT(out, sector->name);
        PUT(out, sector->slot);
        PUT(out, sector->member_count);
        fm_text_add(out, sector->member, sector->member_count * sizeof(*sector->member));
    }
}

static void put_books(const fm_series *series, fm_text *out)
{
    PUT(out, series->book_count);
    for (uint32_t i = 0; i < series->book_count; i++) {
        const fm_venue_book *one = series->book[i];
        uint64_t size = fm_book_save_size(&one->book);
        PUT(out, one->venue);
        PUT(out, size);
        char *bytes = malloc(size);
        FM_ASSERT(bytes != NULL);
        fm_book_save(&one->book, bytes);
        fm_text_add(out, bytes, size);
        free(bytes);
    }
}

static void put_series(const fm_series *series, fm_text *out)
{
    PUT(out, series->price_scale);
    PUT(out, series->size_scale);
    PUT(out, series->x_from);
    PUT(out, series->kinds);
    PUT(out, series->phase);
    PUT(out, series->newest_ns);
    PUT(out, series->last_trade_ns);
    PUT(out, series->last_quote_ns);
    PUT(out, series->last_value_ns);
    const double number[] = {series->last_price, series->last_size, series->last_value, series->bid,
                             series->bid_size,   series->ask,       series->ask_size,   series->mid, series->last_close};
    PUT(out, number);
    PUT(out, series->records);
    PUT(out, series->crossed);
    PUT(out, series->basis_ns);
    PUT(out, series->actions_ns);
    PUT(out, series->price_ratio);
    PUT(out, series->size_ratio);
    PUT(out, series->cross);
    PUT(out, series->top_count);
    for (uint32_t i = 0; i < series->top_count; i++)
        PUT(out, series->top[i]);
    put_books(series, out);
    PUT(out, series->layout->block_size);
    size_t at = out->size;
    fm_text_add(out, series->block, series->layout->block_size);
    /* When a timer's entry in the heap comes up depends on how often it was put off between two looks: not state. */
    static const int64_t none = INT64_MAX;
    for (uint32_t i = 0; i < series->layout->rule_count; i++)
        memcpy(out->data + at + series->layout->rule_state[i] + offsetof(fm_rule_state, heap_ns), &none, sizeof(none));
}

void fm_snapshot_put(const fm_partition *partition, fm_text *out)
{
    fm_snapshot_head head;
    memset(&head, 0, sizeof(head));
    head.layout = FM_SNAPSHOT_LAYOUT;
    head.partition = partition->index;
    head.applied = partition->applied;
    head.position = partition->position;
    head.signature = partition->plan->signature;
    static const fm_hash128 never = {0};
    if (memcmp(&partition->plan->set->hash, &never, sizeof(never)) != 0) /* a generation may have no rules and is one all the same */
        fm_hash128_hex(partition->plan->set->hash, head.generation);
    if (partition->reference != NULL)
        fm_hash128_hex(partition->reference->hash, head.reference);
    PUT(out, head);
    put_admission(&partition->admission, out);
    PUT(out, partition->build);
    uint32_t kills = 0; /* a kill past this state has its record in the tail, where recovery looks first */
    for (uint32_t i = 0; i < partition->kill_count; i++)
        kills += partition->kill[i].at_sequence <= partition->applied;
    PUT(out, kills);
    for (uint32_t i = 0; i < partition->kill_count; i++)
        if (partition->kill[i].at_sequence <= partition->applied)
            PUT(out, partition->kill[i]);
    PUT(out, partition->domain_count);
    for (uint32_t d = 0; d < partition->domain_count; d++) {
        PUT(out, partition->domain[d].time_ns);
        for (uint32_t r = 0; r < partition->plan->set->count; r++) {
            fm_rule_health health;
            memcpy(&health, &partition->domain[d].health[r], sizeof(health));
            health.not_ready = 0; /* rows counted before a failure stopped the rule depend on the batch: not state */
            PUT(out, health);
        }
        put_sectors(&partition->domain[d], out);
    }
    PUT(out, partition->series_count);
    for (uint32_t s = 0; s < partition->series_count; s++)
        put_series(partition->series[s], out);
}

/* ---- reading ---- */

typedef struct reading {
    const char *at, *end;
    bool        torn;
} reading;

static void take(reading *in, void *out, size_t size)
{
    if (in->torn || (size_t)(in->end - in->at) < size) {
        in->torn = true;
        memset(out, 0, size);
        return;
    }
    memcpy(out, in->at, size);
    in->at += size;
}

#define GET(in, field) take((in), &(field), sizeof(field))

/* Bytes behind a right checksum may still be wrong, if a program with a bug wrote them: whatever is used as an index, a size, a count or a text
 * is checked. Kernel states and rule slots are not: they are numbers. */
static bool must(reading *in, bool holds)
{
    in->torn |= !holds;
    return !in->torn;
}

static void get_source(reading *in, fm_source_entry *source)
{
    *source = (fm_source_entry){0};
    GET(in, source->hash);
    GET(in, source->domain);
    GET(in, source->name_size);
    GET(in, source->name);
    GET(in, source->used_at);
    GET(in, source->high);
    uint32_t page_count;
    GET(in, page_count);
    if (!must(in, source->name_size <= FM_NAME_MAX && page_count <= FM_ROW_PAGES_MAX &&
                      page_count <= (size_t)(in->end - in->at)) || /* a page takes a byte at least */
        page_count == 0)
        return;
    source->page = calloc(page_count, sizeof(*source->page));
    FM_ASSERT(source->page != NULL);
    source->page_count = page_count;
    for (uint32_t p = 0; p < page_count && !in->torn; p++) {
        uint8_t there;
        GET(in, there);
        if (there)
            GET(in, source->page[p]);
    }
}

static void get_domains(reading *in, fm_admission *a)
{
    uint32_t count;
    GET(in, count);
    for (uint32_t i = 0; i < count && !in->torn; i++) {
        a->domain = fm_grow(a->domain, &a->domain_capacity, i + 1, sizeof(fm_domain_entry));
        GET(in, a->domain[i].name);
        GET(in, a->domain[i].name_size);
        GET(in, a->domain[i].time_ns);
        if (!must(in, a->domain[i].name_size <= FM_NAME_MAX && a->domain[i].name[FM_NAME_MAX] == 0))
            break;
        a->domain[i].live = fm_slice_equal((fm_slice){a->domain[i].name, a->domain[i].name_size}, FM_SLICE("live"));
        a->domain_count = i + 1;
    }
}

static void get_streams(reading *in, fm_admission *a)
{
    uint32_t count;
    GET(in, count);
    for (uint32_t i = 0; i < count && !in->torn; i++) {
        a->stream = fm_grow(a->stream, &a->stream_capacity, i + 1, sizeof(fm_stream_entry));
        GET(in, a->stream[i].hash);
        GET(in, a->stream[i].venue);
        GET(in, a->stream[i].venue_size);
        GET(in, a->stream[i].channel_size);
        GET(in, a->stream[i].text);
        must(in, a->stream[i].venue_size <= FM_NAME_MAX && a->stream[i].channel_size <= FM_NAME_MAX && i < FM_STREAMS_MAX);
        a->stream_count = i + 1;
    }
    must(in, a->stream_count == count && count > 0 && a->stream[0].venue_size + a->stream[0].channel_size == 0);
}

static bool scales_hold(int price_scale, int size_scale)
{
    return price_scale >= 0 && price_scale <= FM_SCALE_MAX && size_scale >= 0 && size_scale <= FM_SCALE_MAX;
}

static bool ratio_holds(double ratio)
{
    return ratio >= 1.0 / FM_RATIO_MAX && ratio <= FM_RATIO_MAX;
}

static void get_symbols(reading *in, fm_admission *a)
{
    uint32_t count;
    GET(in, count);
    for (uint32_t i = 0; i < count && !in->torn; i++) {
        a->symbol = fm_grow(a->symbol, &a->symbol_capacity, i + 1, sizeof(fm_symbol_entry));
        fm_symbol_entry *symbol = &a->symbol[i];
        GET(in, *symbol);
        if (!must(in, symbol->symbol_size > 0 && symbol->symbol_size <= FM_SYMBOL_MAX && symbol->venue_size <= FM_NAME_MAX &&
                          symbol->domain < a->domain_count && scales_hold(symbol->price_scale, symbol->size_scale)))
            break;
        a->symbol_count = i + 1;
        fm_admission_index(a, i);
    }
}

static void get_sequences(reading *in, fm_sequence_set *set)
{
    uint32_t capacity, count;
    GET(in, capacity);
    GET(in, count);
    if (!must(in, (capacity & (capacity - 1)) == 0 && capacity <= FM_SEQUENCES_MAX && count <= capacity))
        return;
    for (uint32_t i = 0; i < count && !in->torn; i++) {
        uint64_t key;
        GET(in, key);
        fm_sequences_note(set, capacity, key);
    }
}

static void get_admission(reading *in, fm_admission *a)
{
    uint32_t count;
    GET(in, a->next_sequence);
    get_domains(in, a);
    get_streams(in, a);
    get_symbols(in, a);
    GET(in, count);
    for (uint32_t i = 0; i < count && !in->torn; i++) {
        a->source = fm_grow(a->source, &a->source_capacity, i + 1, sizeof(fm_source_entry));
        get_source(in, &a->source[i]);
        a->source_count = i + 1;
    }
    must(in, count > 0);
    get_sequences(in, &a->sequences);
}

static void get_books(reading *in, const fm_fold *fold, fm_partition *partition, fm_series *series)
{
    uint32_t count;
    GET(in, count);
    must(in, count <= FM_VENUES_MAX);
    for (uint32_t i = 0; i < count && !in->torn; i++) {
        uint32_t venue;
        uint64_t size;
        GET(in, venue);
        GET(in, size);
        if (!must(in, size <= (size_t)(in->end - in->at) && venue < partition->admission.stream_count))
            return;
        fm_order_book *book = fm_market_make_book(&fold->config, partition, series, venue);
        must(in, fm_book_load(book, in->at, size) == 0);
        in->at += size;
    }
}

static void get_series(reading *in, fm_fold *fold, fm_partition *partition, uint32_t index)
{
    fm_series *series = fm_fold_series(fold, partition, index);
    GET(in, series->price_scale);
    GET(in, series->size_scale);
    GET(in, series->x_from);
    must(in, series->x_from <= FM_X_TRADE);
    GET(in, series->kinds);
    GET(in, series->phase);
    GET(in, series->newest_ns);
    GET(in, series->last_trade_ns);
    GET(in, series->last_quote_ns);
    GET(in, series->last_value_ns);
    double number[9];
    GET(in, number);
    series->last_price = number[0];
    series->last_size = number[1];
    series->last_value = number[2];
    series->bid = number[3];
    series->bid_size = number[4];
    series->ask = number[5];
    series->ask_size = number[6];
    series->mid = number[7];
    series->last_close = number[8];
    GET(in, series->records);
    GET(in, series->crossed);
    GET(in, series->basis_ns);
    GET(in, series->actions_ns);
    GET(in, series->price_ratio);
    GET(in, series->size_ratio);
    GET(in, series->cross);
    must(in, ratio_holds(series->price_ratio) && ratio_holds(series->size_ratio));
    uint32_t top_count, block_size;
    GET(in, top_count);
    if (!must(in, top_count <= FM_VENUES_MAX && scales_hold(series->price_scale, series->size_scale)))
        return;
    if (top_count > 0) {
        series->top = fm_arena_alloc(&fold->arena, top_count * sizeof(fm_top), 8);
        FM_ASSERT(series->top != NULL); /* as for blocks: there is room for instruments_max */
        series->top_count = series->top_capacity = top_count;
    }
    for (uint32_t i = 0; i < top_count; i++)
        GET(in, series->top[i]);
    get_books(in, fold, partition, series);
    GET(in, block_size);
    if (must(in, block_size == series->layout->block_size))
        take(in, series->block, block_size);
    fm_series_derive(partition->plan, series);
}

static int get_plan(fm_fold *fold, fm_partition *partition, const fm_snapshot_head *head, fm_error *error)
{
    if (head->generation[0] == 0)
        return 0;
    const fm_rule_set *set = fold->config.generation_of(fold->config.generation_context, head->generation);
    if (set == NULL)
        return fm_fail(error, FM_ENOTFOUND, "rule generation %.33s is named in a snapshot but its text is not beside the journal",
                       head->generation);
    fm_plan *plan;
    FM_TRY(fm_fold_plan(fold, set, &plan, error));
    if (memcmp(&plan->signature, &head->signature, sizeof(plan->signature)) != 0)
        return fm_fail(error, FM_EVERSION, "the state of partition %u in the snapshot is laid out by another build", head->partition);
    fm_fold_switch(fold, partition, plan);
    return 0;
}

static int get_reference(const fm_fold *fold, fm_partition *partition, const fm_snapshot_head *head, fm_error *error)
{
    if (head->reference[0] == 0)
        return 0;
    if (fold->config.reference_of != NULL)
        partition->reference = fold->config.reference_of(fold->config.generation_context, head->reference);
    if (partition->reference == NULL)
        return fm_fail(error, FM_ENOTFOUND, "reference data %.33s are named in a snapshot but their text is not beside the journal", head->reference);
    return 0;
}

static void get_kills(reading *in, fm_partition *partition)
{
    uint32_t count;
    GET(in, count);
    for (uint32_t i = 0; i < count && !in->torn; i++) {
        fm_kill_mark mark;
        GET(in, mark);
        if (must(in, mark.rule[sizeof(mark.rule) - 1] == 0 && mark.hash[sizeof(mark.hash) - 1] == 0 && mark.reason[sizeof(mark.reason) - 1] == 0))
            fm_partition_add_kill(partition, &mark);
    }
}

static bool slot_holds(int64_t slot) /* there is such a time, or it is none yet */
{
    const int64_t most = INT64_MAX / FM_SECTOR_GRID_NS;
    return slot == INT64_MIN || (slot >= -most && slot <= most);
}

static void get_sectors(reading *in, fm_fold_domain *domain)
{
    uint32_t count;
    GET(in, count);
    for (uint32_t i = 0; i < count && !in->torn; i++) {
        domain->sector = fm_grow(domain->sector, &domain->sector_capacity, i + 1, sizeof(*domain->sector));
        fm_sector_state *sector = &domain->sector[i];
        uint32_t members;
        GET(in, sector->name);
        GET(in, sector->slot);
        GET(in, members);
        domain->sector_count = i + 1;
        if (!must(in, sector->name[FM_REFERENCE_NAME_MAX] == 0 && members <= FM_SECTOR_MEMBERS))
            break;
        sector->member = fm_grow(NULL, &sector->member_capacity, members + 1, sizeof(*sector->member));
        take(in, sector->member, members * sizeof(*sector->member));
        sector->member_count = members;
        must(in, slot_holds(sector->slot));
        for (uint32_t m = 0; m < members && !in->torn; m++) {
            const fm_sector_member *member = &sector->member[m];
            must(in, member->symbol[FM_SYMBOL_MAX] == 0 && slot_holds(member->slot) && slot_holds(member->first) &&
                         (m == 0 || strcmp(sector->member[m - 1].symbol, member->symbol) < 0));
        }
    }
}

static void get_domain_states(reading *in, fm_fold *fold, fm_partition *partition)
{
    uint32_t count;
    GET(in, count);
    if (!must(in, count == partition->admission.domain_count))
        return;
    fm_fold_domains(fold, partition, count);
    for (uint32_t d = 0; d < count; d++) {
        GET(in, partition->domain[d].time_ns);
        for (uint32_t r = 0; r < partition->plan->set->count; r++) {
            fm_rule_health *health = &partition->domain[d].health[r];
            uint8_t bytes[sizeof(*health)];
            GET(in, bytes);
            bytes[offsetof(fm_rule_health, quarantined)] &= 1; /* no other byte may stand in a bool */
            memcpy(health, bytes, sizeof(*health));
            must(in, health->error[sizeof(health->error) - 1] == 0);
        }
        get_sectors(in, &partition->domain[d]);
        fm_domain_derive(partition->plan, &partition->domain[d]);
    }
}

int fm_snapshot_get(fm_fold *fold, fm_partition *partition, const char *data, size_t size, fm_error *error)
{
    reading in = {data, data + size, false};
    fm_snapshot_head head;
    GET(&in, head);
    if (in.torn || head.partition != partition->index || head.generation[sizeof(head.generation) - 1] != 0 ||
        head.reference[sizeof(head.reference) - 1] != 0)
        return fm_fail(error, FM_ECORRUPT, "the snapshot of partition %u does not begin as one", partition->index);
    if (head.layout != FM_SNAPSHOT_LAYOUT)
        return fm_fail(error, FM_EVERSION, "the snapshot of partition %u has layout %u, this build reads %u", partition->index, head.layout,
                       FM_SNAPSHOT_LAYOUT);
    FM_TRY(get_reference(fold, partition, &head, error));
    FM_TRY(get_plan(fold, partition, &head, error));
    get_admission(&in, &partition->admission);
    partition->applied = head.applied;
    partition->position = head.position;
    GET(&in, partition->build);
    must(&in, partition->build[sizeof(partition->build) - 1] == 0 && partition->admission.next_sequence == head.applied + 1);
    get_kills(&in, partition);
    get_domain_states(&in, fold, partition);
    uint32_t count;
    GET(&in, count);
    must(&in, count == partition->admission.symbol_count);
    for (uint32_t s = 0; s < count && !in.torn; s++)
        get_series(&in, fold, partition, s);
    if (!must(&in, in.at == in.end))
        return fm_fail(error, FM_ECORRUPT, "the snapshot of partition %u contradicts itself", partition->index);
    fm_fold_timers(fold, partition);
    fold->pending_stale = true;
    return 0;
}
