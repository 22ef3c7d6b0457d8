/* engine/rows.c - from records to rows: kernels step, and the rules that look at the record are told. */
#include "engine/market.h"

#include "base/assert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- kernels ---- */

static inline bool covers(const uint64_t *have, const fm_mask *need, uint32_t words)
{
    uint64_t missing = 0;
    for (uint32_t w = 0; w < words; w++)
        missing |= need->word[w] & ~have[w];
    return missing == 0;
}

static inline void derive_rule(const fm_plan *plan, fm_series *series, uint32_t rule)
{
    uint64_t bit = UINT64_C(1) << (rule % 64), *ready = &series->rules_ready[rule / 64];
    *ready = covers(series->ready, &plan->rule[rule].needs, plan->mask_words) ? *ready | bit : *ready & ~bit;
}

/* Some output of the program became known, or missing: its bits, and the rules that wait for it. */
static void renew_ready(const fm_plan *plan, const fm_program *program, fm_series *series)
{
    const double *outputs = fm_block_outputs(series->layout, series->block);
    for (const fm_step *step = program->step; step != program->end; step++)
        for (uint32_t u = 0; u < step->used_count; u++) {
            uint32_t column = step->column[u];
            uint64_t bit = UINT64_C(1) << (column % 64), *ready = &series->ready[column / 64];
            *ready = isnan(outputs[column]) ? *ready & ~bit : *ready | bit;
        }
    for (uint32_t i = 0; i < program->reader_count; i++)
        derive_rule(plan, series, program->reader[i]);
}

/* `changed` when the output became known, or missing. */
static inline void put(double *output, double value, bool *changed)
{
    if (FM_UNLIKELY(isunordered(*output, value)) && isnan(*output) != isnan(value))
        *changed = true;
    *output = value;
}

/* Scores, then learns, unless the value is an anomaly by the detector's own word: p, the second output of every detector. */
static void step_gate(const fm_step *step, char *block, int64_t ts_ns, const double *in, double *out)
{
    uint64_t *run = (uint64_t *)(void *)(block + step->gate_run);
    step->kernel->score(block + step->state, ts_ns, in, out);
    *run = out[1] < step->gate && *run < FM_GATE_RUN ? *run + 1 : 0;
    if (*run == 0)
        step->kernel->update(block + step->state, ts_ns, in);
}

/* A step that is not plain: inputs from all over, among them another node's output; several outputs; a kernel that scores and updates
 * apart. `learn` false: a detector only looks. */
static void step_any(const fm_step *step, char *block, double *outputs, int64_t ts_ns, double *market, bool learn, bool *changed)
{
    double in[FM_KERNEL_INPUTS_MAX], out[FM_KERNEL_OUTPUTS_MAX];
    market[FM_INPUT_MISSING] = NAN;
    for (uint32_t i = 0; i < step->of_count; i++)
        market[FM_INPUT_OF + i] = outputs[step->of_column[i]];
    for (uint32_t i = 0; i < step->input_count; i++)
        in[i] = market[step->input[i]];
    if (FM_UNLIKELY(!learn && step->kernel->kind == FM_KERNEL_DETECTOR)) {
        step->kernel->score(block + step->state, ts_ns, in, out);
    } else if (step->gate > 0.0) {
        step_gate(step, block, ts_ns, in, out);
    } else if (step->kernel->step != NULL) {
        step->kernel->step(block + step->state, ts_ns, in, out);
    } else {
        step->kernel->score(block + step->state, ts_ns, in, out);
        step->kernel->update(block + step->state, ts_ns, in);
    }
    for (uint32_t u = 0; u < step->used_count; u++)
        put(&outputs[step->column[u]], out[step->used[u]], changed);
}

/* Steps what the record carries, in an order in which inputs come first. */
static inline bool step_nodes(const fm_program *program, char *block, double *outputs, int64_t ts_ns, double *market, bool learn)
{
    bool changed = false;
    const fm_step *step = program->step, *plain_end = learn ? program->plain_end : program->step, *end = program->end;
    for (; step != plain_end; step++) {
        double value = step->one(block + step->state, ts_ns, &market[step->input[0]]);
        put(&outputs[step->column[0]], value, &changed);
    }
    for (; FM_UNLIKELY(step != end); step++)
        step_any(step, block, outputs, ts_ns, market, learn, &changed);
    return changed;
}

/* ---- rows ---- */

void fm_series_derive(const fm_plan *plan, fm_series *series)
{
    series->price_unit = fm_unit_of(series->price_scale) / series->price_ratio;
    series->size_unit = fm_unit_of(series->size_scale) * series->size_ratio;
    const double *outputs = fm_block_outputs(series->layout, series->block);
    memset(series->ready, 0, sizeof(series->ready));
    memset(series->rules_ready, 0, sizeof(series->rules_ready));
    memset(series->pending, 0, sizeof(series->pending));
    for (uint32_t c = 0; c < plan->column_count; c++)
        series->ready[c / 64] |= (uint64_t)!isnan(outputs[c]) << (c % 64);
    for (uint32_t i = 0; i < series->layout->rule_count; i++) {
        uint32_t r = series->layout->rule[i];
        derive_rule(plan, series, r);
        series->pending[r / 64] |= (uint64_t)(fm_block_rule(series->layout, series->block, i)->pending_ns != INT64_MIN) << (r % 64);
    }
}

void fm_domain_derive(const fm_plan *plan, fm_fold_domain *domain)
{
    memset(domain->quarantined, 0, sizeof(domain->quarantined));
    for (uint32_t r = 0; r < plan->set->count; r++)
        domain->quarantined[r / 64] |= (uint64_t)domain->health[r].quarantined << (r % 64);
}

static uint64_t without_killed(const fm_row *row, uint32_t word, uint64_t rules)
{
    for (uint64_t left = rules; left != 0; left &= left - 1)
        if (fm_partition_kills(row->partition, 64 * word + (uint32_t)__builtin_ctzll(left), row->sequence, row->timers))
            rules &= ~(left & -left);
    return rules;
}

/* Rules that miss an input do not see the row. */
static void count_missing(fm_fold *fold, fm_fold_domain *domain, uint32_t word, uint64_t missing)
{
    fm_count(fold->config.counters, FM_METRIC_RULE_NOT_READY, (uint64_t)__builtin_popcountll(missing));
    for (; missing != 0; missing &= missing - 1)
        domain->health[64 * word + (size_t)__builtin_ctzll(missing)].not_ready++;
}

/* The rules that look at this row: those of the program that are not barred and miss no input. */
static inline void list_rules(fm_fold *fold, const fm_partition *partition, fm_fold_domain *domain, const fm_series *series,
                              const fm_program *program, uint32_t row_index)
{
    uint32_t w = 0, **end = fold->rule_end;
    do {
        uint64_t rules = program->rules[w] & ~domain->quarantined[w];
        if (FM_UNLIKELY(partition->any_killed))
            rules = without_killed(&fold->row[row_index], w, rules);
        uint64_t ready = rules & series->rules_ready[w];
        if (FM_UNLIKELY(rules != ready))
            count_missing(fold, domain, w, rules ^ ready);
        for (; ready != 0; ready &= ready - 1)
            *end[(size_t)__builtin_ctzll(ready)]++ = row_index;
        end += 64;
    } while (FM_UNLIKELY(++w < fold->current->rule_words));
}

/* Of the entry that is being applied: how many were before it. */
typedef struct place {
    uint64_t applied, position;
} place;

static inline uint32_t add_row(fm_fold *fold, fm_partition *partition, fm_series *series, const double *outputs, const fm_event *event,
                               int64_t receive_ns, int64_t now_ns, place at, bool timer)
{
    uint32_t index = fold->row_count++, columns = fold->current->column_count;
    fold->row[index] = (fm_row){.event = event, .series = series, .partition = partition,
                                .sequence = at.applied + 1, .timers = partition->timers, .timer = timer, .position = at.position + !timer,
                                .receive_ns = receive_ns, .now_ns = now_ns,
                                .price_scale = series->price_scale, /* those of this record: a later one of the batch may raise them */
                                .size_scale = series->size_scale};
    /* Four at a time, past the end of both: rule states follow the outputs, and the next row (or spare room) the matrix row. */
    double *to = fold->matrix + (size_t)index * columns;
    for (const double *end = outputs + columns; outputs < end; outputs += 4, to += 4)
        memcpy(to, outputs, 4 * sizeof(double));
    return index;
}

static inline void add_record(fm_fold *fold, fm_partition *partition, fm_series *series, const fm_event *event, int64_t receive_ns, place at)
{
    double market[FM_INPUT_COUNT];
    fm_fold_domain *domain = &partition->domain[series->domain];
    const fm_layout *layout = series->layout;
    if (event->ts_ns > domain->time_ns)
        domain->time_ns = event->ts_ns;
    if (FM_UNLIKELY(event->flags & FM_FLAG_LATE))
        fm_count(fold->config.counters, FM_METRIC_LATE, 1);
    fm_on on = fm_market_apply(fold, partition, series, event, market);
    if (layout->rule_count > 0) {
        const fm_program *program = &layout->program[on];
        char *block = series->block;
        double *outputs = fm_block_outputs(layout, block);
        if (FM_UNLIKELY(program->told))
            fm_market_told(series, event->ts_ns, market);
        bool learn = series->phase <= FM_PHASE_OPEN; /* auctions, halts and closed markets are no example of the usual */
        if (FM_UNLIKELY(step_nodes(program, block, outputs, event->ts_ns, market, learn)))
            renew_ready(fold->current, program, series);
        uint32_t index = add_row(fold, partition, series, outputs, event, receive_ns, domain->time_ns, at, false);
        list_rules(fold, partition, domain, series, program, index);
    }
    partition->timers = 0;
}

uint32_t fm_rows_add(fm_fold *fold, fm_partition *partition, const char *bytes, uint32_t size, int64_t receive_ns)
{
    const char *next = bytes, *end = bytes + size;
    place at = {partition->applied, partition->position};
    for (; next < end; at.applied++, at.position++) {
        const fm_event *event = (const fm_event *)next;
        if (event->kind >= FM_KIND_CONTROL || event->series >= partition->series_count || fold->row_count == fold->config.batch_max)
            break;
        add_record(fold, partition, partition->series[event->series], event, receive_ns, at);
        next += fm_event_size(event);
    }
    partition->applied_data_total += at.position - partition->position;
    partition->applied = at.applied;
    partition->position = at.position;
    return (uint32_t)(next - bytes);
}

void fm_rows_add_timer(fm_fold *fold, fm_partition *partition, fm_series *series, uint32_t rule, int64_t due_ns, int64_t receive_ns)
{
    if (fm_partition_kills(partition, rule, partition->applied + 1, partition->timers) ||
        partition->domain[series->domain].health[rule].quarantined)
        return;
    fm_event *event = &fold->timer_event[fold->row_count];
    *event = (fm_event){.ts_ns = due_ns, .series = series->index, .kind = FM_CLOCK, .seq = FM_SEQ_ABSENT};
    const double *outputs = fm_block_outputs(series->layout, series->block);
    place at = {partition->applied, partition->position};
    *fold->rule_end[rule]++ = add_row(fold, partition, series, outputs, event, receive_ns, due_ns, at, true);
    fm_count(fold->config.counters, FM_METRIC_TIMERS_FIRED, 1);
}
