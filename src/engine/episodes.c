/* engine/episodes.c - from rows to alerts: each rule loops over its rows of the batch, episodes decide, alerts leave in order. */
#include "engine/fold_internal.h"

#include "base/assert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- episodes ---- */

static fm_rule_state *rule_state(const fm_row *row, uint32_t rule)
{
    int at = fm_layout_rule(row->series->layout, rule);
    return fm_block_rule(row->series->layout, row->series->block, (uint32_t)at);
}

/* The rate cap counts in minutes of event time, per rule, partition and domain. */
static bool capped(fm_fold *fold, const fm_rule *rule, fm_rule_health *health, int64_t now_ns)
{
    int64_t minute = now_ns - now_ns % (60 * FM_NS_PER_S);
    if (minute != health->minute_ns) {
        health->minute_ns = minute;
        health->minute_count = 0;
    }
    if (health->minute_count >= rule->alerts_per_minute) {
        health->capped++;
        fm_count(fold->config.counters, FM_METRIC_ALERTS_CAPPED, 1);
        return true;
    }
    health->minute_count++;
    return false;
}

static void alert_id(fm_pending_alert *alert, const fm_rule *rule, const fm_series *series)
{
    struct {
        char     rule[FM_RULE_ID_MAX + 1], symbol[FM_SYMBOL_MAX + 1], key[64];
        char     unused[2];
        int64_t  start_ns;
        uint64_t ordinal;
    } text;
    memset(&text, 0, sizeof(text));
    memcpy(text.rule, rule->id, strlen(rule->id));
    memcpy(text.symbol, series->symbol, series->symbol_size);
    memcpy(text.key, alert->key, strlen(alert->key));
    text.start_ns = alert->start_ns;
    text.ordinal = alert->ordinal;
    alert->id = fm_hash128_of(&text, sizeof(text));
}

/* Raises an alert unless cooldown or the cap holds it back. */
static void raise(fm_fold *fold, uint32_t rule_index, uint32_t row_index, int64_t start_ns, uint64_t start_position, const fm_rule_emit *emit)
{
    const fm_row *row = &fold->row[row_index];
    const fm_rule *rule = &fold->current->set->rule[rule_index];
    fm_rule_state *state = rule_state(row, rule_index);
    fm_rule_health *health = &row->partition->domain[row->series->domain].health[rule_index];
    if (state->fired_ns != INT64_MIN && rule->cooldown_ns > 0 && row->now_ns < state->quiet_ns + rule->cooldown_ns)
        return;
    if (capped(fold, rule, health, row->now_ns))
        return;
    state->ordinal = state->fired_ns == start_ns ? state->ordinal + 1 : 0;
    state->fired_ns = start_ns;
    state->quiet_ns = row->now_ns;
    health->alerts++;
    fm_count(fold->config.counters, FM_METRIC_ALERTS, 1);
    if (rule->shadow)
        return;
    fold->alert = fm_grow(fold->alert, &fold->alert_capacity, fold->alert_count + 1, sizeof(*fold->alert));
    fm_pending_alert *alert = &fold->alert[fold->alert_count];
    *alert = (fm_pending_alert){.row = row_index, .rule = rule_index, .order = fold->alert_count, .ordinal = state->ordinal,
                                .start_ns = start_ns, .start_position = start_position, .score = NAN, .severity = rule->severity};
    if (emit != NULL) {
        alert->score = emit->score;
        alert->severity = emit->severity <= FM_CRITICAL ? emit->severity : rule->severity;
        memcpy(alert->key, emit->key, sizeof(alert->key));
    }
    alert_id(alert, rule, row->series);
    fold->alert_count++;
}

/* One alert an episode: `when` holds without a break. The next episode may raise again once the cooldown has passed. */
static void step_when(fm_fold *fold, uint32_t rule_index, uint32_t row_index, bool hit)
{
    const fm_row *row = &fold->row[row_index];
    fm_rule_state *state = rule_state(row, rule_index);
    if (!hit) {
        fold->rule_pending[rule_index]--;
        row->series->pending[rule_index / 64] &= ~(UINT64_C(1) << (rule_index % 64));
        state->pending_ns = INT64_MIN;
        return;
    }
    if (state->pending_ns == INT64_MIN) {
        fold->rule_pending[rule_index]++;
        row->series->pending[rule_index / 64] |= UINT64_C(1) << (rule_index % 64);
        state->pending_ns = row->now_ns;
        state->pending_position = row->position;
    }
    if (state->fired_ns == state->pending_ns)
        state->quiet_ns = row->now_ns;
    else if (row->now_ns - state->pending_ns >= fold->current->set->rule[rule_index].for_ns)
        raise(fold, rule_index, row_index, state->pending_ns, state->pending_position, NULL);
}

static void count_pending(fm_fold *fold)
{
    fold->pending_stale = false;
    memset(fold->rule_pending, 0, fold->current->set->count * sizeof(uint32_t));
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        const fm_partition *partition = fold->partition[p];
        if (partition == NULL || partition->plan != fold->current)
            continue;
        for (uint32_t s = 0; s < partition->series_count; s++) {
            const fm_series *series = partition->series[s];
            for (uint32_t i = 0; i < series->layout->rule_count; i++)
                fold->rule_pending[series->layout->rule[i]] += fm_block_rule(series->layout, series->block, i)->pending_ns != INT64_MIN;
        }
    }
}

/* ---- one rule over the batch ---- */

/* Most rows neither hold nor end an episode: they cost a look at their byte, and at their instrument while some episode is open. */
static void take_hits(fm_fold *fold, uint32_t rule_index, const fm_rule_call *call, uint32_t from, uint32_t to)
{
    for (uint32_t k = from; k < to; k++) {
        if (fold->rule_pending[rule_index] == 0) {
            const uint8_t *next = memchr(call->hit + k, 1, to - k);
            if (next == NULL)
                return;
            k = (uint32_t)(next - call->hit);
        }
        const fm_series *series = fold->row[call->row[k]].series;
        if (call->hit[k] != 0 || (series->pending[rule_index / 64] >> (rule_index % 64)) & 1)
            step_when(fold, rule_index, call->row[k], call->hit[k] != 0);
    }
}

static void take_results(fm_fold *fold, uint32_t rule_index, const fm_rule_call *call, uint32_t from, uint32_t to)
{
    const fm_rule *rule = &fold->current->set->rule[rule_index];
    if (rule->has_when)
        take_hits(fold, rule_index, call, from, to);
    for (uint32_t e = 0; e < call->emit_count; e++) {
        const fm_row *row = &fold->row[call->row[call->emit[e].row]];
        raise(fold, rule_index, call->row[call->emit[e].row], row->now_ns, row->position, &call->emit[e]);
    }
    int64_t least = rule->timer_min_ns > 0 ? rule->timer_min_ns : FM_TIMER_MIN_NS;
    for (uint32_t t = 0; rule->has_on_timer && t < call->timer_count; t++) { /* nobody would hear another rule's */
        const fm_row *row = &fold->row[call->row[call->timer_ask[t].row]];
        int64_t due = call->timer_ask[t].due_ns;
        due = due < row->now_ns + least ? row->now_ns + least : due;
        fm_timer_ask_for(row->partition, row->series, rule_index, due);
    }
}

/* Is the rule already quarantined somewhere in this fold? Whoever reads the log wants to hear it once, not for each partition. */
static bool known_to_fail(const fm_fold *fold, uint32_t rule_index)
{
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        const fm_partition *partition = fold->partition[p];
        for (uint32_t d = 0; partition != NULL && partition->plan == fold->current && d < partition->domain_count; d++)
            if (partition->domain[d].health[rule_index].quarantined)
                return true;
    }
    return false;
}

static void strike(fm_fold *fold, uint32_t rule_index, const fm_row *row, const fm_error *failure)
{
    fm_rule_health *health = &row->partition->domain[row->series->domain].health[rule_index];
    health->errors++;
    fm_count(fold->config.counters, FM_METRIC_RULE_ERRORS, 1);
    fm_kill_reason(failure, health->error);
    if (++health->strikes >= FM_STRIKES_MAX) {
        if (fold->config.quarantined != NULL && !known_to_fail(fold, rule_index))
            fold->config.quarantined(fold->config.context, &fold->current->set->rule[rule_index], health->error);
        health->quarantined = true;
        row->partition->domain[row->series->domain].quarantined[rule_index / 64] |= UINT64_C(1) << (rule_index % 64);
    }
}

static uint32_t *rows_of(const fm_fold *fold, uint32_t rule_index)
{
    return fold->rule_row + (size_t)rule_index * fold->config.batch_max;
}

/* What handlers see beside the features. A rule with nothing but `when` needs none of it. */
static void fill_call(fm_fold *fold, uint32_t rule_index, fm_rule_call *call, uint32_t from)
{
    const fm_rule *rule = &fold->current->set->rule[rule_index];
    bool timers = false;
    if (!rule->has_on_event && !rule->has_on_timer && rule->slot_count == 0)
        return;
    for (uint32_t k = from; k < call->count; k++) {
        const fm_row *row = &fold->row[call->row[k]];
        fold->call_event[k] = row->event;
        fold->call_timer[k] = row->timer;
        fold->call_scale[k][0] = row->price_scale;
        fold->call_scale[k][1] = row->size_scale;
        timers |= row->timer;
        fold->call_slots[k] = rule->slot_count > 0 ? rule_state(row, rule_index)->slot : NULL;
    }
    call->event = fold->call_event;
    call->scale = (const int8_t (*)[2])fold->call_scale;
    call->timer = timers ? fold->call_timer : NULL;
    call->slots = rule->slot_count > 0 ? fold->call_slots : NULL;
}

static void build_call(fm_fold *fold, uint32_t rule_index, fm_rule_call *call)
{
    const fm_plan *plan = fold->current;
    *call = (fm_rule_call){.rule = rule_index, .count = (uint32_t)(fold->rule_end[rule_index] - rows_of(fold, rule_index)), .matrix = fold->matrix, .stride = plan->column_count,
                           .row = rows_of(fold, rule_index), .column = plan->rule[rule_index].column, .hit = fold->call_hit,
                           .emit = fold->call_emit, .emit_max = fold->config.batch_max + FM_RULE_ROW_EMITS_MAX, .timer_ask = fold->call_ask,
                           .timer_max = fold->config.batch_max};
    fill_call(fold, rule_index, call, 0);
}

/* Rows of a (partition, domain) where the rule was just quarantined leave the rest of the call. */
static void drop_quarantined(fm_fold *fold, uint32_t rule_index, fm_rule_call *call)
{
    uint32_t *rows = rows_of(fold, rule_index);
    uint32_t kept = call->done;
    for (uint32_t k = call->done; k < call->count; k++) {
        const fm_row *row = &fold->row[rows[k]];
        if (!row->partition->domain[row->series->domain].health[rule_index].quarantined)
            rows[kept++] = rows[k];
    }
    call->count = kept;
    fill_call(fold, rule_index, call, call->done);
}

/* Deadline or memory: from the failed row on, no partition of this fold shows the rule another record. */
static void stop_rule(fm_fold *fold, uint32_t rule_index, const fm_rule_call *call)
{
    const fm_rule *rule = &fold->current->set->rule[rule_index];
    fm_kill_mark mark;
    memset(&mark, 0, sizeof(mark));
    memcpy(mark.rule, rule->id, sizeof(mark.rule));
    fm_hash128_hex(rule->hash, mark.hash);
    fm_kill_reason(&call->error, mark.reason);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        fm_partition *partition = fold->partition[p];
        if (partition == NULL || partition->plan != fold->current)
            continue;
        mark.at_sequence = partition->applied + 1;
        mark.at_timer = partition->timers;
        for (uint32_t k = call->count; k-- > call->done;) {
            const fm_row *row = &fold->row[call->row[k]];
            if (row->partition == partition) {
                mark.at_sequence = row->sequence;
                mark.at_timer = row->timers;
            }
        }
        fm_partition_add_kill(partition, &mark);
    }
    fm_count(fold->config.counters, FM_METRIC_RULE_KILLS, 1);
    if (fold->config.killed != NULL)
        fold->config.killed(fold->config.context, rule, &call->error);
}

static void run_rule(fm_fold *fold, uint32_t rule_index)
{
    fm_rule_call call;
    build_call(fold, rule_index, &call);
    fm_count(fold->config.counters, FM_METRIC_RULE_CALLS, call.count);
    while (call.done < call.count) {
        uint32_t from = call.done;
        call.emit_count = 0;
        call.timer_count = 0;
        int result = fold->config.runner->run(fold->config.runner->self, &call);
        take_results(fold, rule_index, &call, from, call.done);
        if (result >= 0)
            return;
        if (result == FM_EBUSY) { /* the rows before have filled the room, and it is empty again */
            FM_ASSERT(call.emit_count + call.timer_count > 0);
            continue;
        }
        if (result == FM_EDEADLINE || result == FM_ERULE_MEMORY) {
            stop_rule(fold, rule_index, &call);
            return;
        }
        strike(fold, rule_index, &fold->row[call.row[call.done]], &call.error);
        call.done++;
        drop_quarantined(fold, rule_index, &call);
    }
}

/* ---- alerts leave ---- */

static int by_order(const fm_row *rows, const fm_pending_alert *a, const fm_pending_alert *b)
{
    const fm_row *ra = &rows[a->row], *rb = &rows[b->row];
    if (ra->partition != rb->partition)
        return ra->partition->index < rb->partition->index ? -1 : 1;
    if (ra->sequence != rb->sequence)
        return ra->sequence < rb->sequence ? -1 : 1;
    if (ra->now_ns != rb->now_ns)
        return ra->now_ns < rb->now_ns ? -1 : 1;
    if (a->rule != b->rule)
        return a->rule < b->rule ? -1 : 1;
    if (ra->series != rb->series) /* timers of one time: in the order in which they fire, which a full batch may cut anywhere */
        return strcmp(ra->series->symbol, rb->series->symbol);
    int keys = strcmp(a->key, b->key);
    if (keys != 0)
        return keys;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void sort_alerts(fm_fold *fold)
{
    for (uint32_t i = 1; i < fold->alert_count; i++) { /* few, and nearly in order */
        fm_pending_alert alert = fold->alert[i];
        uint32_t at = i;
        for (; at > 0 && by_order(fold->row, &alert, &fold->alert[at - 1]) < 0; at--)
            fold->alert[at] = fold->alert[at - 1];
        fold->alert[at] = alert;
    }
}

static void emit_alerts(fm_fold *fold)
{
    int64_t detect_ns = fm_wall_ns(&fold->config.clock);
    sort_alerts(fold);
    for (uint32_t i = 0; i < fold->alert_count; i++) {
        const fm_pending_alert *pending = &fold->alert[i];
        const fm_row *row = &fold->row[pending->row];
        uint32_t p = row->partition->index;
        if (fold->emitted[p].sequence != row->sequence) {
            fold->emitted[p].sequence = row->sequence;
            fold->emitted[p].ordinal = 0;
        }
        fm_alert_body(fold, pending);
        fm_alert alert = {.id = pending->id, .partition = p, .ordinal = fold->emitted[p].ordinal++, .sequence = row->sequence,
                          .event_ns = row->now_ns, .receive_ns = row->receive_ns, .detect_ns = detect_ns, .severity = pending->severity,
                          .body = fold->body.data, .body_size = (uint32_t)fold->body.size};
        memcpy(alert.symbol, row->series->symbol, sizeof(alert.symbol));
        memcpy(alert.rule, fold->current->set->rule[pending->rule].id, sizeof(alert.rule));
        memcpy(alert.domain, row->partition->admission.domain[row->series->domain].name, sizeof(alert.domain));
        fold->config.emit(fold->config.context, &alert);
    }
    fold->alert_count = 0;
}

void fm_rows_run(fm_fold *fold)
{
    if (fold->row_count == 0) {
        for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
            for (uint32_t d = 0; fold->partition[p] != NULL && d < fold->partition[p]->domain_count; d++)
                fold->partition[p]->domain[d].batch_first_ns = INT64_MAX;
        return;
    }
    if (fold->pending_stale && fold->current->set->count > 0)
        count_pending(fold);
    for (uint32_t r = 0; r < fold->current->set->count; r++)
        if (fold->rule_end[r] != rows_of(fold, r)) {
            run_rule(fold, r);
            fold->rule_end[r] = rows_of(fold, r);
        }
    if (fold->alert_count > 0)
        emit_alerts(fold);
    for (uint32_t i = 0; i < fold->row_count && fold->current->timer_min_ns != INT64_MAX; i++)
        fold->row[i].partition->domain[fold->row[i].series->domain].batch_first_ns = INT64_MAX;
    fold->row_count = 0;
}
