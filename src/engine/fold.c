/* engine/fold.c - applies log entries: control entries here, data entries through market.c and rows.c. */
#include "engine/fold_internal.h"

#include "base/assert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const fm_rule_set no_rules = {.count = 0};

/* ---- making and ending ---- */

static void *need(void *memory)
{
    FM_ASSERT(memory != NULL);
    return memory;
}

int fm_fold_create(const fm_fold_config *config, fm_fold **out, fm_error *error)
{
    fm_fold *fold = need(calloc(1, sizeof(*fold)));
    fold->config = *config;
    if (config->book.levels_max == 0)
        fold->config.book = (fm_book_limits){.levels_max = 1u << 14, .orders_max = 1u << 18};
    if (config->books_max == 0)
        fold->config.books_max = 1024;
    if (fm_arena_init(&fold->arena, config->arena_bytes) < 0) {
        free(fold);
        return fm_fail(error, FM_ENOMEM, "could not reserve %llu bytes of address space for instruments",
                       (unsigned long long)config->arena_bytes);
    }
    uint32_t batch = config->batch_max;
    fold->row = need(calloc(batch, sizeof(*fold->row)));
    fold->timer_event = need(calloc(batch, sizeof(*fold->timer_event)));
    fold->call_event = need(calloc(batch, sizeof(*fold->call_event)));
    fold->call_timer = need(calloc(batch, sizeof(*fold->call_timer)));
    fold->call_scale = need(calloc(batch, sizeof(*fold->call_scale)));
    fold->call_slots = need(calloc(batch, sizeof(*fold->call_slots)));
    fold->call_hit = need(calloc(batch, sizeof(*fold->call_hit)));
    fold->call_emit = need(calloc(batch + FM_RULE_ROW_EMITS_MAX, sizeof(*fold->call_emit))); /* one row's, whatever the batch */
    fold->call_ask = need(calloc(batch, sizeof(*fold->call_ask)));
    int planned = fm_fold_plan(fold, &no_rules, &fold->current, error);
    if (planned < 0) {
        fm_fold_destroy(fold);
        return planned;
    }
    *out = fold;
    return 0;
}

void fm_fold_destroy(fm_fold *fold)
{
    if (fold == NULL)
        return;
    for (uint32_t i = 0; i < fold->plan_count; i++)
        fm_plan_destroy(fold->plan[i]);
    free(fold->plan);
    free(fold->row);
    free(fold->timer_event);
    free(fold->matrix);
    free(fold->rule_row);
    free(fold->rule_end);
    free(fold->rule_pending);
    free(fold->call_event);
    free(fold->call_timer);
    free(fold->call_scale);
    free(fold->call_slots);
    free(fold->call_hit);
    free(fold->call_emit);
    free(fold->call_ask);
    free(fold->alert);
    fm_text_fini(&fold->body);
    fm_text_fini(&fold->message);
    fm_arena_fini(&fold->arena);
    free(fold);
}

int fm_fold_plan(fm_fold *fold, const fm_rule_set *set, fm_plan **out, fm_error *error)
{
    for (uint32_t i = 0; i < fold->plan_count; i++)
        if (memcmp(&fold->plan[i]->set->hash, &set->hash, sizeof(set->hash)) == 0 && fold->plan[i]->set->count == set->count) {
            *out = fold->plan[i];
            return 0;
        }
    fm_plan *plan;
    FM_TRY(fm_plan_create(set, &plan, error));
    fold->plan = fm_grow(fold->plan, &fold->plan_capacity, fold->plan_count + 1, sizeof(*fold->plan));
    fold->plan[fold->plan_count++] = plan;
    *out = plan;
    return 0;
}

/* ---- partitions ---- */

void fm_partition_init(fm_partition *partition, uint32_t index, fm_plan *plan)
{
    *partition = (fm_partition){.index = index, .plan = plan};
    fm_admission_init(&partition->admission);
}

void fm_partition_fini(fm_partition *partition)
{
    fm_admission_fini(&partition->admission);
    for (uint32_t d = 0; d < partition->domain_count; d++) {
        free(partition->domain[d].health);
        free(partition->domain[d].heap);
        for (uint32_t s = 0; s < partition->domain[d].sector_count; s++)
            free(partition->domain[d].sector[s].member);
        free(partition->domain[d].sector);
    }
    free(partition->domain);
    for (uint32_t s = 0; s < partition->series_count; s++) {
        fm_market_forget_books(partition, partition->series[s]);
        free(partition->series[s]);
    }
    free(partition->series);
    free(partition->kill);
    free(partition->killed_from);
    *partition = (fm_partition){0};
}

void fm_fold_adopt(fm_fold *fold, fm_partition *partition, uint32_t index)
{
    fm_partition_init(partition, index, fold->plan[0]);
    fold->partition[index] = partition;
    fm_partition_refresh_kills(partition);
}

void fm_fold_release(fm_fold *fold, fm_partition *partition)
{
    for (uint32_t s = 0; s < partition->series_count; s++)
        fm_blocks_give(&partition->plan->blocks, partition->series[s]->block, partition->series[s]->layout->block_size);
    fold->partition[partition->index] = NULL;
    fm_partition_fini(partition);
}

void fm_fold_domains(fm_fold *fold, fm_partition *partition, uint32_t count)
{
    (void)fold;
    partition->domain = fm_grow(partition->domain, &partition->domain_capacity, count, sizeof(fm_fold_domain));
    for (; partition->domain_count < count; partition->domain_count++) {
        fm_fold_domain *domain = &partition->domain[partition->domain_count];
        domain->time_ns = INT64_MIN;
        domain->batch_first_ns = INT64_MAX;
        domain->health = need(calloc(partition->plan->set->count + 1, sizeof(fm_rule_health)));
    }
}

fm_series *fm_fold_series(fm_fold *fold, fm_partition *partition, uint32_t index)
{
    (void)fold;
    const fm_symbol_entry *entry = &partition->admission.symbol[index];
    partition->series = fm_grow(partition->series, &partition->series_capacity, index + 1, sizeof(*partition->series));
    fm_series *series = need(aligned_alloc(alignof(fm_series), sizeof(*series)));
    *series = (fm_series){.index = index, .domain = entry->domain, .price_scale = entry->price_scale, .size_scale = entry->size_scale,
                          .symbol_size = entry->symbol_size, .venue_size = entry->venue_size, .top_stream = FM_STREAM_NONE, .newest_ns = INT64_MIN,
                          .last_trade_ns = INT64_MIN, .last_quote_ns = INT64_MIN, .last_value_ns = INT64_MIN, .last_price = NAN,
                          .last_size = NAN, .last_value = NAN, .last_close = NAN, .bid = NAN, .bid_size = NAN, .ask = NAN, .ask_size = NAN, .mid = NAN, .basis_ns = INT64_MIN, .due_ns = INT64_MIN,
                          .actions_ns = INT64_MIN, .price_ratio = 1.0, .size_ratio = 1.0, .cross = {NAN, NAN, NAN, NAN}};
    memcpy(series->symbol, entry->symbol, entry->symbol_size);
    memcpy(series->venue, entry->venue, entry->venue_size);
    fm_series_refer(partition, series);
    series->layout = fm_series_layout(partition->plan, series);
    series->block = fm_blocks_take(&partition->plan->blocks, series->layout->block_size);
    fm_block_init(partition->plan, series->layout, series->block);
    fm_series_derive(partition->plan, series);
    partition->series[index] = series;
    partition->series_count = index + 1;
    return series;
}

/* A block for the layout that the series has under this plan, with what the old one knew. */
static void move_block(fm_series *series, fm_plan *from_plan, fm_plan *plan)
{
    const fm_layout *from = series->layout;
    series->layout = fm_series_layout(plan, series);
    char *block = fm_blocks_take(&plan->blocks, series->layout->block_size);
    fm_block_init(plan, series->layout, block);
    fm_block_carry(from_plan, from, series->block, plan, series->layout, block);
    fm_blocks_give(&from_plan->blocks, series->block, from->block_size);
    series->block = block;
    fm_series_derive(plan, series);
}

void fm_fold_switch(fm_fold *fold, fm_partition *partition, fm_plan *plan)
{
    fm_plan *old = partition->plan;
    if (old == plan)
        return;
    for (uint32_t s = 0; s < partition->series_count; s++)
        move_block(partition->series[s], old, plan);
    fold->pending_stale = true;
    for (uint32_t d = 0; d < partition->domain_count; d++) {
        fm_rule_health *health = need(calloc(plan->set->count + 1, sizeof(fm_rule_health)));
        for (uint32_t t = 0; t < plan->set->count; t++)
            for (uint32_t f = 0; f < old->set->count; f++)
                if (memcmp(&plan->set->rule[t].hash, &old->set->rule[f].hash, sizeof(fm_hash128)) == 0 &&
                    strcmp(plan->set->rule[t].id, old->set->rule[f].id) == 0)
                    health[t] = partition->domain[d].health[f]; /* an unchanged rule keeps its strikes */
        free(partition->domain[d].health);
        partition->domain[d].health = health;
        fm_domain_derive(plan, &partition->domain[d]);
    }
    partition->plan = plan;
    fm_partition_refresh_kills(partition);
    fm_fold_timers(fold, partition);
}

void fm_fold_reference(fm_fold *fold, fm_partition *partition, const fm_reference_set *set)
{
    partition->reference = set;
    for (uint32_t s = 0; s < partition->series_count; s++) {
        fm_series *series = partition->series[s];
        fm_series_refer(partition, series);
        if (fm_series_layout(partition->plan, series) != series->layout)
            move_block(series, partition->plan, partition->plan);
    }
    fold->pending_stale = true;
    fm_fold_timers(fold, partition);
}

/* ---- entries ---- */

static int bad_entry(const fm_partition *partition, const char *what, fm_error *error)
{
    return fm_fail(error, FM_ECORRUPT, "entry %llu of partition %u cannot follow those before it: %s",
                   (unsigned long long)(partition->applied + 1), partition->index, what);
}

/* Plans that no partition is at any more go with the memory of their states. The first one has no rules and stays. */
static void drop_unused_plans(fm_fold *fold)
{
    uint32_t kept = 1;
    for (uint32_t i = 1; i < fold->plan_count; i++) {
        bool used = fold->plan[i] == fold->current;
        for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
            used |= fold->partition[p] != NULL && fold->partition[p]->plan == fold->plan[i];
        if (used)
            fold->plan[kept++] = fold->plan[i];
        else
            fm_plan_destroy(fold->plan[i]);
    }
    fold->plan_count = kept;
}

/* Rows of one batch share a plan, because they share the runner's rules. */
static int use_plan(fm_fold *fold, fm_plan *plan, fm_error *error)
{
    if (fold->current == plan)
        return 0;
    fm_rows_run(fold);
    if (fold->config.runner != NULL) {
        char hash[33];
        fm_hash128_hex(plan->set->hash, hash);
        if (plan->set->count > 0) /* partitions may be at different generations for a while: the runner may have let go of this one's texts */
            (void)fold->config.generation_of(fold->config.generation_context, hash);
        FM_TRY(fold->config.runner->load(fold->config.runner->self, plan->set, error));
    }
    uint32_t batch = fold->config.batch_max;
    uint64_t matrix = (uint64_t)batch * plan->column_count + 4; /* rows are written four columns at a time */
    if (matrix > fold->matrix_size) {
        free(fold->matrix);
        fold->matrix = need(malloc(matrix * sizeof(double)));
        fold->matrix_size = matrix;
    }
    if (plan->set->count > fold->rule_capacity) {
        free(fold->rule_row);
        free(fold->rule_end);
        free(fold->rule_pending);
        fold->rule_row = need(malloc((size_t)plan->set->count * batch * sizeof(uint32_t)));
        fold->rule_end = need(calloc(plan->set->count, sizeof(*fold->rule_end)));
        fold->rule_pending = need(calloc(plan->set->count, sizeof(uint32_t)));
        fold->rule_capacity = plan->set->count;
        for (uint32_t r = 0; r < plan->set->count; r++)
            fold->rule_end[r] = fold->rule_row + (size_t)r * batch;
    }
    fold->current = plan;
    fold->pending_stale = true;
    drop_unused_plans(fold);
    return 0;
}

static int apply_generation(fm_fold *fold, fm_partition *partition, const fm_event *event, fm_error *error)
{
    char hash[33];
    fm_slice_copy(fm_control_text(event), hash, sizeof(hash));
    const fm_rule_set *set = fold->config.generation_of(fold->config.generation_context, hash);
    if (set == NULL)
        return fm_fail(error, FM_ENOTFOUND, "rule generation %s is named in the journal but its text is not beside it", hash);
    fm_plan *plan;
    FM_TRY(fm_fold_plan(fold, set, &plan, error));
    fm_rows_run(fold);
    fm_fold_switch(fold, partition, plan);
    drop_unused_plans(fold);
    return 0;
}

static int apply_reference(fm_fold *fold, fm_partition *partition, const fm_event *event, fm_error *error)
{
    char hash[33];
    fm_slice_copy(fm_control_text(event), hash, sizeof(hash));
    const fm_fold_config *config = &fold->config;
    const fm_reference_set *set = config->reference_of != NULL ? config->reference_of(config->generation_context, hash) : NULL;
    if (set == NULL)
        return fm_fail(error, FM_ENOTFOUND, "reference data %s are named in the journal but their text is not beside it", hash);
    fm_rows_run(fold);
    fm_fold_reference(fold, partition, set);
    return 0;
}

static void apply_kill(fm_fold *fold, fm_partition *partition, const fm_event *event)
{
    fm_rows_run(fold);
    fm_partition_note_kill(partition, event);
}

/* Timers fire before the first record whose time is at or past them, and see the features as of the record before. A batch must end
 * before a record that a timer asked for in the batch could precede: hence batch_first_ns + timer_min_ns. */
static int fire_timers(fm_fold *fold, fm_partition *partition, uint32_t domain_index, int64_t ts_ns, int64_t receive_ns, fm_error *error)
{
    const fm_plan *plan = partition->plan;
    fm_fold_domain *domain = &partition->domain[domain_index];
    for (;;) {
        int64_t earliest = domain->batch_first_ns == INT64_MAX ? INT64_MAX : domain->batch_first_ns + plan->timer_min_ns;
        fm_timer top;
        bool any = fm_timer_top(partition, domain_index, &top);
        if ((!any || top.due_ns > ts_ns) && earliest > ts_ns)
            return 0;
        FM_TRY(use_plan(fold, partition->plan, error));
        if (domain->batch_first_ns != INT64_MAX) {
            fm_rows_run(fold); /* brings the timers that its rows ask for into the heap */
            continue;
        }
        fm_rows_run(fold);
        int64_t round_end = top.due_ns + plan->timer_min_ns;
        while (fm_timer_top(partition, domain_index, &top) && top.due_ns <= ts_ns && top.due_ns < round_end &&
               fold->row_count < fold->config.batch_max) {
            fm_timer_pop(partition, domain_index);
            if (top.due_ns > domain->time_ns)
                domain->time_ns = top.due_ns;
            if (domain->batch_first_ns == INT64_MAX)
                domain->batch_first_ns = top.due_ns;
            fm_rows_add_timer(fold, partition, partition->series[top.series], top.rule, top.due_ns, receive_ns);
            partition->timers++; /* also when it was nobody's any more: a number that every fold gives it */
        }
        fm_rows_run(fold);
    }
}

static int apply_clock(fm_fold *fold, fm_partition *partition, const fm_event *event, int64_t receive_ns, fm_error *error)
{
    uint32_t index = event->as.control.index;
    if (index >= partition->domain_count)
        return bad_entry(partition, "a clock of an unknown domain", error);
    FM_TRY(fire_timers(fold, partition, index, event->ts_ns, receive_ns, error));
    if (event->ts_ns > partition->domain[index].time_ns)
        partition->domain[index].time_ns = event->ts_ns;
    return 0;
}

static int apply_control(fm_fold *fold, fm_partition *partition, const fm_event *event, int64_t receive_ns, fm_error *error)
{
    const fm_control *control = &event->as.control;
    fm_series *series;
    switch (event->kind) {
    case FM_DOMAIN:
        fm_fold_domains(fold, partition, control->index + 1);
        return 0;
    case FM_SERIES:
        if (control->index != partition->series_count || control->domain >= partition->domain_count)
            return bad_entry(partition, "a symbol out of order", error);
        series = fm_fold_series(fold, partition, control->index);
        series->price_scale = control->price_scale; /* admission runs ahead within a commit: its scales may be those of later records */
        series->size_scale = control->size_scale;
        fm_series_derive(partition->plan, series);
        return 0;
    case FM_SCALE:
        if (control->index >= partition->series_count)
            return bad_entry(partition, "the scale of an unknown symbol", error);
        series = partition->series[control->index];
        if (control->price_scale < series->price_scale || control->size_scale < series->size_scale)
            return bad_entry(partition, "a scale that shrinks", error);
        fm_market_rescale_books(series, control->price_scale - series->price_scale, control->size_scale - series->size_scale);
        series->price_scale = control->price_scale;
        series->size_scale = control->size_scale;
        fm_series_derive(partition->plan, series);
        return 0;
    case FM_STREAM:
    case FM_SOURCE:
        return 0; /* admission's */
    case FM_GENERATION:
        return apply_generation(fold, partition, event, error);
    case FM_BUILD:
        fm_slice_copy(fm_control_text(event), partition->build, sizeof(partition->build));
        return 0;
    case FM_CLOCK:
        return apply_clock(fold, partition, event, receive_ns, error);
    case FM_KILL:
        apply_kill(fold, partition, event);
        return 0;
    case FM_CROSS:
        return fm_cross_apply(fold, partition, event, error);
    case FM_REFERENCE:
        return apply_reference(fold, partition, event, error);
    default:
        return bad_entry(partition, "its kind is unknown", error);
    }
}

static int apply_data(fm_fold *fold, fm_partition *partition, const fm_event *event, int64_t receive_ns, fm_error *error)
{
    if (event->series >= partition->series_count)
        return bad_entry(partition, "its symbol is unknown", error);
    fm_series *series = partition->series[event->series];
    fm_fold_domain *domain = &partition->domain[series->domain];
    FM_TRY(use_plan(fold, partition->plan, error));
    if (partition->plan->timer_min_ns != INT64_MAX)
        FM_TRY(fire_timers(fold, partition, series->domain, event->ts_ns, receive_ns, error));
    if (fold->row_count == fold->config.batch_max)
        fm_rows_run(fold);
    uint32_t size = fm_event_size(event), taken = fm_rows_add(fold, partition, (const char *)event, size, receive_ns);
    FM_ASSERT(taken == size);
    if (series->layout->has_timer && event->ts_ns < domain->batch_first_ns) /* only now: a relisting ends the batch before its record */
        domain->batch_first_ns = event->ts_ns;
    return 0;
}

int fm_fold_apply(fm_fold *fold, fm_partition *partition, const fm_event *event, int64_t receive_ns, fm_error *error)
{
    if (event->kind < FM_KIND_CONTROL)
        return apply_data(fold, partition, event, receive_ns, error);
    FM_TRY(apply_control(fold, partition, event, receive_ns, error));
    partition->applied++;
    partition->timers = 0;
    return 0;
}

int fm_fold_apply_all(fm_fold *fold, fm_partition *partition, const char *bytes, uint32_t size, int64_t receive_ns, fm_error *error)
{
    for (uint32_t at = 0; at < size;) {
        if (fold->current == partition->plan && partition->plan->timer_min_ns == INT64_MAX)
            at += fm_rows_add(fold, partition, bytes + at, size - at, receive_ns);
        if (at == size)
            break;
        const fm_event *event = (const fm_event *)(bytes + at); /* the first, or the one that is not for every record */
        FM_TRY(fm_fold_apply(fold, partition, event, receive_ns, error));
        at += fm_event_size(event);
    }
    return 0;
}

int fm_fold_run(fm_fold *fold, fm_error *error)
{
    (void)error;
    fm_rows_run(fold);
    return 0;
}
