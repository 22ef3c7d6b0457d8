/* engine/cross.c - see the header: what a partition says, and what it makes of what it is told. */
#include "engine/cross.h"

#include "base/assert.h"
#include "base/fmath.h"
#include "engine/fold_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS (FM_SECTOR_HORIZON + 1)

int64_t fm_grid_next(int64_t ts_ns, int64_t grid_ns)
{
    int64_t slot = ts_ns / grid_ns - (ts_ns % grid_ns < 0), next;
    return __builtin_mul_overflow(slot + 1, grid_ns, &next) ? INT64_MAX : next;
}

static int64_t slot_of(int64_t ts_ns, int64_t grid_ns)
{
    return ts_ns / grid_ns - (ts_ns % grid_ns < 0);
}

/* ---- saying ---- */

typedef struct cross_text { /* being written */
    fm_cross_text head;
    char rest[FM_CROSS_BYTES - sizeof(fm_cross_text)];
    size_t size;
} cross_text;

static void put_name(cross_text *text, const char *name)
{
    size_t size = strlen(name) + 1;
    FM_ASSERT(text->size + size <= sizeof(text->rest));
    memcpy(text->rest + text->size, name, size);
    text->size += size;
}

static void say(fm_fold *fold, const fm_partition *partition, uint32_t domain, uint64_t targets, fm_cross_kind kind, int64_t grid_ns,
                const cross_text *text)
{
    const fm_domain_entry *name = &partition->admission.domain[domain];
    fm_cross cross = {.targets = targets,
                      .domain = {name->name, name->name_size},
                      .kind = kind,
                      .grid_ns = grid_ns,
                      .position = partition->position,
                      .text = {(const char *)&text->head, sizeof(text->head) + text->size}};
    fold->config.cross(fold->config.context, &cross);
}

static void say_price(fm_fold *fold, const fm_partition *partition, const fm_series *series, uint64_t targets, fm_cross_kind kind, int64_t grid_ns,
                      double price)
{
    cross_text text = {.head = {.value = price, .spread = NAN}};
    if (kind == FM_CROSS_MEMBER)
        put_name(&text, series->instrument->sector);
    put_name(&text, series->symbol);
    say(fold, partition, series->domain, targets, kind, grid_ns, &text);
}

void fm_cross_publish(fm_fold *fold, const fm_partition *partition, const fm_series *series, int64_t ts_ns)
{
    const fm_instrument *instrument = series->instrument;
    double price = fm_series_price(series);
    if (fold->config.cross == NULL || series->newest_ns == INT64_MIN || !(price > 0.0))
        return;
    int64_t slot = slot_of(ts_ns, FM_MARKET_GRID_NS);
    if (instrument->watched_by != 0 && slot > slot_of(series->newest_ns, FM_MARKET_GRID_NS))
        say_price(fold, partition, series, instrument->watched_by, FM_CROSS_MARKET, slot * FM_MARKET_GRID_NS, price);
    slot = slot_of(ts_ns, FM_SECTOR_GRID_NS);
    if (instrument->in_sector != NULL && slot > slot_of(series->newest_ns, FM_SECTOR_GRID_NS))
        say_price(fold, partition, series, UINT64_C(1) << instrument->in_sector->home, FM_CROSS_MEMBER, slot * FM_SECTOR_GRID_NS, price);
}

/* ---- a sector at home ---- */

static fm_sector_state *sector_state(fm_fold_domain *domain, const char *name)
{
    for (uint32_t i = 0; i < domain->sector_count; i++)
        if (strcmp(domain->sector[i].name, name) == 0)
            return &domain->sector[i];
    domain->sector = fm_grow(domain->sector, &domain->sector_capacity, domain->sector_count + 1, sizeof(*domain->sector));
    fm_sector_state *sector = &domain->sector[domain->sector_count++];
    *sector = (fm_sector_state){.slot = INT64_MIN};
    snprintf(sector->name, sizeof(sector->name), "%s", name);
    return sector;
}

/* Members stand in the order of their symbols, so that sums over them do not depend on who came first. */
static fm_sector_member *member_of(fm_fold *fold, fm_sector_state *sector, const char *symbol)
{
    uint32_t low = 0, high = sector->member_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = strcmp(sector->member[middle].symbol, symbol);
        if (order == 0)
            return &sector->member[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (sector->member_count == FM_SECTOR_MEMBERS) {
        fm_count(fold->config.counters, FM_METRIC_CROSS_DROPPED, 1);
        return NULL;
    }
    sector->member = fm_grow(sector->member, &sector->member_capacity, sector->member_count + 1, sizeof(*sector->member));
    memmove(&sector->member[low + 1], &sector->member[low], (sector->member_count - low) * sizeof(*sector->member));
    sector->member_count++;
    fm_sector_member *member = &sector->member[low];
    memset(member, 0, sizeof(*member));
    snprintf(member->symbol, sizeof(member->symbol), "%s", symbol);
    member->slot = member->first = INT64_MIN;
    return member;
}

static void set_price(fm_sector_member *member, int64_t slot, double price)
{
    if (member->slot == INT64_MIN) {
        member->first = slot;
    } else if (slot < member->slot) {
        return; /* from before what is known */
    } else {
        double held = member->price[(member->slot % SLOTS + SLOTS) % SLOTS];
        int64_t filled = slot - member->slot < SLOTS ? slot - member->slot : SLOTS;
        for (int64_t i = 0; i < filled; i++)
            member->price[((slot - i) % SLOTS + SLOTS) % SLOTS] = held;
    }
    member->slot = slot;
    member->price[(slot % SLOTS + SLOTS) % SLOTS] = price;
}

/* The member's log return up to the slot; NaN when it has been silent, or has not been there for so long. */
static double return_of(const fm_sector_member *member, int64_t slot)
{
    int64_t from = slot - FM_SECTOR_HORIZON;
    if (member->slot <= from || member->slot > slot || member->first > from)
        return NAN;
    double now = member->price[(member->slot % SLOTS + SLOTS) % SLOTS], past = member->price[(from % SLOTS + SLOTS) % SLOTS];
    return fm_log(now) - fm_log(past);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How many of `sorted` are below x, or, with `equal`, not above it. */
static uint32_t count_below(const double *sorted, uint32_t count, double x, bool equal)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (sorted[middle] < x || (equal && sorted[middle] == x))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static double rank_of(const double *sorted, uint32_t count, double x)
{
    uint32_t below = count_below(sorted, count, x, false), equal = count_below(sorted, count, x, true) - below;
    return (below + 0.5 * (equal - 1)) / (count - 1);
}

typedef struct comparison { /* of a sector's members at a slot */
    const fm_sector_state *sector;
    double *value, *sorted; /* of each member, NaN = none; of those that have one */
    uint8_t *partition;     /* of each member: its own */
    uint32_t count;
    double mean, spread;
} comparison;

static bool compare(comparison *all, int64_t slot)
{
    const fm_sector_state *sector = all->sector;
    double sum = 0.0, squares = 0.0;
    for (uint32_t i = 0; i < sector->member_count; i++) {
        all->value[i] = return_of(&sector->member[i], slot);
        all->partition[i] = (uint8_t)fm_partition_of(fm_slice_of(sector->member[i].symbol));
        if (!isnan(all->value[i])) {
            sum += all->value[i];
            all->sorted[all->count++] = all->value[i];
        }
    }
    if (all->count < FM_SECTOR_LEAST)
        return false;
    all->mean = sum / all->count;
    for (uint32_t i = 0; i < all->count; i++)
        squares += (all->sorted[i] - all->mean) * (all->sorted[i] - all->mean);
    all->spread = sqrt(squares / (all->count - 1));
    qsort(all->sorted, all->count, sizeof(double), ascending);
    return true;
}

static cross_text text_of(const comparison *all)
{
    cross_text text = {.head = {.value = all->mean, .spread = all->spread}};
    put_name(&text, all->sector->name);
    return text;
}

/* The ranks of the members in that partition, in as many records as they need; one without, when there are none. */
static void say_ranks(fm_fold *fold, const fm_partition *partition, uint32_t domain, const comparison *all, uint32_t target)
{
    int64_t grid_ns = all->sector->slot * FM_SECTOR_GRID_NS;
    cross_text text = text_of(all);
    for (uint32_t i = 0; i < all->sector->member_count; i++) {
        if (isnan(all->value[i]) || all->partition[i] != target)
            continue;
        fm_cross_rank entry = {fm_hash_slice(fm_slice_of(all->sector->member[i].symbol)), rank_of(all->sorted, all->count, all->value[i])};
        if (text.size + sizeof(entry) > sizeof(text.rest)) {
            say(fold, partition, domain, UINT64_C(1) << target, FM_CROSS_RANKS, grid_ns, &text);
            text = text_of(all);
        }
        memcpy(text.rest + text.size, &entry, sizeof(entry));
        text.size += sizeof(entry);
        text.head.count++;
    }
    say(fold, partition, domain, UINT64_C(1) << target, FM_CROSS_RANKS, grid_ns, &text);
}

static const fm_sector *sector_in(const fm_reference_set *set, const char *name)
{
    for (uint32_t i = 0; set != NULL && i < set->sector_count; i++)
        if (strcmp(set->sector[i].name, name) == 0)
            return &set->sector[i];
    return NULL;
}

static void say_sector(fm_fold *fold, const fm_partition *partition, uint32_t domain, const fm_sector_state *sector)
{
    const fm_sector *told = sector_in(partition->reference, sector->name);
    if (fold->config.cross == NULL || told == NULL)
        return;
    comparison all = {.sector = sector, .value = malloc((size_t)(sector->member_count + 1) * (2 * sizeof(double) + 1))};
    FM_ASSERT(all.value != NULL);
    all.sorted = all.value + sector->member_count;
    all.partition = (uint8_t *)(all.sorted + sector->member_count);
    if (compare(&all, sector->slot))
        for (uint64_t left = told->partitions; left != 0; left &= left - 1)
            say_ranks(fold, partition, domain, &all, (uint32_t)__builtin_ctzll(left));
    free(all.value);
}

static void apply_member(fm_fold *fold, fm_partition *partition, const fm_event *event, const fm_cross_text *head, const char *name, const char *symbol)
{
    uint32_t domain = event->as.control.domain;
    fm_sector_state *sector = sector_state(&partition->domain[domain], name);
    int64_t slot = slot_of(event->ts_ns, FM_SECTOR_GRID_NS);
    if (slot > sector->slot) {
        if (sector->slot != INT64_MIN)
            say_sector(fold, partition, domain, sector);
        sector->slot = slot;
    }
    fm_sector_member *member = member_of(fold, sector, symbol);
    if (member != NULL)
        set_price(member, slot, head->value);
}

/* ---- being told ---- */

static void apply_market(fm_partition *partition, uint32_t domain, const fm_cross_text *head, const char *symbol)
{
    for (uint32_t s = 0; s < partition->series_count; s++) {
        fm_series *series = partition->series[s];
        if (series->domain == domain && series->instrument != NULL && strcmp(series->instrument->market, symbol) == 0)
            series->cross[FM_CROSS_OF_MARKET] = head->value;
    }
}

static void apply_ranks(fm_partition *partition, uint32_t domain, const fm_cross_text *head, const char *name, const char *entries)
{
    const fm_sector *sector = sector_in(partition->reference, name);
    for (uint32_t s = 0; s < partition->series_count && sector != NULL; s++) {
        fm_series *series = partition->series[s];
        if (series->domain != domain || series->instrument == NULL || series->instrument->in_sector != sector)
            continue;
        series->cross[FM_CROSS_OF_MEAN] = head->value;
        series->cross[FM_CROSS_OF_SPREAD] = head->spread;
        uint64_t hash = fm_hash_slice((fm_slice){series->symbol, series->symbol_size});
        for (uint32_t i = 0; i < head->count; i++) {
            fm_cross_rank entry;
            memcpy(&entry, entries + i * sizeof(entry), sizeof(entry));
            if (entry.symbol_hash == hash)
                series->cross[FM_CROSS_OF_RANK] = entry.rank;
        }
    }
}

/* The name at *at, which moves behind its NUL; NULL when it is none of at most `most` characters. */
static const char *take_name(const char **at, const char *end, size_t most)
{
    const char *name = *at, *nul = name < end ? memchr(name, 0, (size_t)(end - name)) : NULL;
    if (nul == NULL || nul == name || (size_t)(nul - name) > most)
        return NULL;
    *at = nul + 1;
    return name;
}

int fm_cross_apply(fm_fold *fold, fm_partition *partition, const fm_event *event, fm_error *error)
{
    fm_slice text = fm_control_text(event);
    const char *at = text.data + sizeof(fm_cross_text), *end = text.data + text.size;
    uint32_t kind = event->as.control.index, domain = event->as.control.domain;
    fm_cross_text head;
    if (text.size < sizeof(head) || domain >= partition->domain_count)
        return fm_fail(error, FM_ECORRUPT, "a value of another partition is torn, or of an unknown domain");
    memcpy(&head, text.data, sizeof(head));
    const char *name = take_name(&at, end, kind == FM_CROSS_MARKET ? FM_SYMBOL_MAX : FM_REFERENCE_NAME_MAX);
    const char *symbol = kind == FM_CROSS_MEMBER ? take_name(&at, end, FM_SYMBOL_MAX) : name;
    bool good = name != NULL && symbol != NULL;
    if (good && kind == FM_CROSS_MARKET)
        apply_market(partition, domain, &head, name);
    else if (good && kind == FM_CROSS_MEMBER && head.value > 0.0)
        apply_member(fold, partition, event, &head, name, symbol);
    else if (good && kind == FM_CROSS_RANKS && (size_t)(end - at) == head.count * sizeof(fm_cross_rank))
        apply_ranks(partition, domain, &head, name, at);
    else
        return fm_fail(error, FM_ECORRUPT, "a value of another partition is none");
    return 0;
}
