/* engine/query.c - the engine's state as JSON. A question travels to the shards that know, is answered there between two batches, and the last
 * one to answer calls back. */
#include "engine/shard_internal.h"

#include "base/assert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- instruments ---- */

typedef struct found {
    char     symbol[FM_SYMBOL_MAX + 1], venue[FM_NAME_MAX + 1];
    uint64_t records;
    int64_t  newest_ns;
} found;

typedef struct question {
    pthread_mutex_t lock;
    uint32_t      pending;
    bool          ended; /* some shard will not answer: nobody is called back */
    char          domain[FM_NAME_MAX + 1], symbol[FM_SYMBOL_MAX + 1]; /* or: those after it */
    uint32_t      limit;
    fm_query_done done;
    void         *context;
    found        *found; /* the `limit` + 1 smallest so far, sorted */
    uint32_t      count;
} question;

static question *question_create(uint32_t pending, fm_slice domain, fm_slice symbol, uint32_t limit, fm_query_done done, void *context)
{
    question *q = calloc(1, sizeof(*q));
    FM_ASSERT(q != NULL);
    pthread_mutex_init(&q->lock, NULL);
    q->pending = pending;
    q->limit = limit;
    q->done = done;
    q->context = context;
    fm_slice_copy(domain.size > 0 ? domain : FM_SLICE("live"), q->domain, sizeof(q->domain));
    fm_slice_copy(symbol, q->symbol, sizeof(q->symbol));
    return q;
}

static void question_free(question *q)
{
    pthread_mutex_destroy(&q->lock);
    free(q->found);
    free(q);
}

static void keep(question *q, const fm_series *series)
{
    if (strcmp(series->symbol, q->symbol) <= 0)
        return;
    uint32_t at = q->count;
    while (at > 0 && strcmp(q->found[at - 1].symbol, series->symbol) > 0)
        at--;
    if (at > q->limit)
        return;
    uint32_t last = q->count <= q->limit ? q->count++ : q->limit;
    memmove(&q->found[at + 1], &q->found[at], (last - at) * sizeof(found));
    found *one = &q->found[at];
    memcpy(one->symbol, series->symbol, sizeof(one->symbol));
    memcpy(one->venue, series->venue, sizeof(one->venue));
    one->records = series->records;
    one->newest_ns = series->newest_ns;
}

static void put_time(fm_text *out, const char *name, int64_t ts_ns)
{
    if (ts_ns == INT64_MIN)
        fm_text_printf(out, "\"%s\":null", name);
    else
        fm_text_printf(out, "\"%s\":%lld", name, (long long)ts_ns);
}

static void answer_instruments(question *q)
{
    fm_text out = {0};
    uint32_t count = q->count < q->limit ? q->count : q->limit;
    fm_text_put(&out, "{\"items\":[");
    for (uint32_t i = 0; i < count; i++) {
        fm_text_put(&out, i > 0 ? ",{\"symbol\":" : "{\"symbol\":");
        fm_text_json(&out, fm_slice_of(q->found[i].symbol));
        fm_text_put(&out, ",\"venue\":");
        fm_text_json(&out, fm_slice_of(q->found[i].venue));
        fm_text_put(&out, ",\"domain\":");
        fm_text_json(&out, fm_slice_of(q->domain));
        fm_text_printf(&out, ",\"records\":%llu,", (unsigned long long)q->found[i].records);
        put_time(&out, "ts", q->found[i].newest_ns);
        fm_text_put(&out, "}");
    }
    fm_text_put(&out, "],\"next\":");
    if (q->count > q->limit)
        fm_text_json(&out, fm_slice_of(q->found[q->limit - 1].symbol));
    else
        fm_text_put(&out, "null");
    fm_text_put(&out, "}");
    q->done(q->context, 0, (fm_slice){out.data, out.size});
    fm_text_fini(&out);
}

/* `count` shards have said what they know, or never will; the last one answers. */
static void close_question(question *q, uint32_t count, bool ended)
{
    pthread_mutex_lock(&q->lock);
    q->ended |= ended;
    q->pending -= count;
    bool last = q->pending == 0;
    pthread_mutex_unlock(&q->lock);
    if (!last)
        return;
    if (!q->ended)
        answer_instruments(q);
    question_free(q);
}

static void gather_instruments(void *context, fm_shard *shard)
{
    question *q = context;
    if (shard == NULL) {
        close_question(q, 1, true);
        return;
    }
    pthread_mutex_lock(&q->lock);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        const fm_partition *partition = &shard->partition[p];
        int domain = partition->series == NULL ? -1 : fm_admission_domain(&partition->admission, fm_slice_of(q->domain));
        for (uint32_t s = 0; domain >= 0 && s < partition->series_count; s++)
            if (partition->series[s]->domain == (uint32_t)domain)
                keep(q, partition->series[s]);
    }
    pthread_mutex_unlock(&q->lock);
    close_question(q, 1, false);
}

int fm_engine_instruments_json(fm_engine *engine, fm_slice domain, fm_slice after, uint32_t limit, fm_query_done done, void *context)
{
    if (limit == 0 || limit > 1000 || domain.size > FM_NAME_MAX || after.size > FM_SYMBOL_MAX)
        return FM_EINVAL;
    question *q = question_create(engine->shard_count, domain, after, limit, done, context);
    q->found = calloc(limit + 2, sizeof(found));
    FM_ASSERT(q->found != NULL);
    for (uint32_t i = 0; i < engine->shard_count; i++)
        if (fm_shard_call(&engine->shard[i], gather_instruments, q) < 0) {
            close_question(q, engine->shard_count - i, true);
            return FM_ESHUTDOWN;
        }
    return 0;
}

/* ---- latest values ---- */

static void put_real(fm_text *out, const char *name, double value)
{
    fm_text_printf(out, ",\"%s\":", name);
    fm_text_real(out, value);
}

static void put_features(fm_text *out, const fm_partition *partition, const fm_series *series)
{
    const fm_plan *plan = partition->plan;
    const double *outputs = fm_block_outputs(series->layout, series->block);
    fm_text_put(out, ",\"rules\":{");
    for (uint32_t i = 0; i < series->layout->rule_count; i++) {
        uint32_t r = series->layout->rule[i];
        const fm_rule *rule = &plan->set->rule[r];
        fm_text_printf(out, "%s\"%s\":{", i > 0 ? "," : "", rule->id);
        for (uint32_t k = 0; k < plan->rule[r].visible; k++) {
            fm_text_printf(out, "%s\"%s\":", k > 0 ? "," : "", rule->needs[plan->rule[r].need[k]].name);
            fm_text_real(out, outputs[plan->rule[r].column[k]]);
        }
        fm_text_put(out, "}");
    }
    fm_text_put(out, "}");
}

static void put_latest(fm_text *out, const question *q, const fm_partition *partition, const fm_series *series)
{
    fm_text_put(out, "{\"symbol\":");
    fm_text_json(out, fm_slice_of(series->symbol));
    fm_text_put(out, ",\"venue\":");
    fm_text_json(out, fm_slice_of(series->venue));
    fm_text_put(out, ",\"domain\":");
    fm_text_json(out, fm_slice_of(q->domain));
    fm_text_printf(out, ",\"records\":%llu,\"crossed\":%llu,", (unsigned long long)series->records, (unsigned long long)series->crossed);
    put_time(out, "ts", series->newest_ns);
    fm_text_put(out, ",\"trade\":{");
    put_time(out, "ts", series->last_trade_ns);
    put_real(out, "price", fm_series_quoted(series, series->last_price));
    put_real(out, "size", series->last_size * series->size_ratio);
    fm_text_put(out, "},\"quote\":{");
    put_time(out, "ts", series->last_quote_ns);
    put_real(out, "bid", fm_series_quoted(series, series->bid));
    put_real(out, "bid_size", series->bid_size * series->size_ratio);
    put_real(out, "ask", fm_series_quoted(series, series->ask));
    put_real(out, "ask_size", series->ask_size * series->size_ratio);
    put_real(out, "mid", fm_series_quoted(series, series->mid));
    fm_text_put(out, "},\"value\":{");
    put_time(out, "ts", series->last_value_ns);
    put_real(out, "value", series->last_value);
    fm_text_put(out, "}");
    put_features(out, partition, series);
    fm_text_put(out, "}");
}

static void answer_latest(void *context, fm_shard *shard)
{
    question *q = context;
    if (shard == NULL) {
        question_free(q);
        return;
    }
    fm_text out = {0};
    fm_slice symbol = fm_slice_of(q->symbol);
    const fm_partition *partition = &shard->partition[fm_partition_of(symbol)];
    const fm_series *series = fm_series_named(partition, fm_slice_of(q->domain), symbol);
    if (series != NULL)
        put_latest(&out, q, partition, series);
    q->done(q->context, out.size > 0 ? 0 : FM_ENOTFOUND, (fm_slice){out.data, out.size});
    fm_text_fini(&out);
    question_free(q);
}

int fm_engine_latest_json(fm_engine *engine, fm_slice domain, fm_slice symbol, fm_query_done done, void *context)
{
    if (symbol.size == 0 || symbol.size > FM_SYMBOL_MAX || domain.size > FM_NAME_MAX)
        return FM_EINVAL;
    question *q = question_create(1, domain, symbol, 0, done, context);
    int result = fm_shard_call(&engine->shard[fm_owner_of(engine, fm_partition_of(symbol))], answer_latest, q);
    if (result < 0)
        question_free(q);
    return result;
}

/* ---- the hot cache ---- */

#define LATEST_PER_TURN 256

static void send_latest(fm_shard *shard, const fm_series *series)
{
    const fm_engine_config *config = &shard->engine->config;
    const struct {
        const char *name;
        double      value;
    } field[] = {{"price", fm_series_quoted(series, series->last_price)}, {"size", series->last_size * series->size_ratio},
                 {"bid", fm_series_quoted(series, series->bid)}, {"bid_size", series->bid_size * series->size_ratio},
                 {"ask", fm_series_quoted(series, series->ask)}, {"ask_size", series->ask_size * series->size_ratio},
                 {"mid", fm_series_quoted(series, series->mid)}, {"value", series->last_value}};
    fm_text text = {0};
    fm_latest latest = {.symbol = {series->symbol, series->symbol_size}};
    size_t at[16];
    fm_text_printf(&text, "%lld", (long long)series->newest_ns);
    latest.field[0] = FM_SLICE("ts");
    at[0] = 0;
    at[1] = text.size;
    latest.count = 1;
    for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++)
        if (!isnan(field[i].value)) {
            fm_text_real(&text, field[i].value);
            latest.field[latest.count] = fm_slice_of(field[i].name);
            at[++latest.count] = text.size;
        }
    for (uint32_t i = 0; i < latest.count; i++)
        latest.text[i] = (fm_slice){text.data + at[i], at[i + 1] - at[i]};
    config->latest(config->latest_context, &latest);
    fm_text_fini(&text);
}

/* Walks the live instruments, some in each turn, and sends those that changed since the last walk. */
void fm_shard_publish_latest(fm_shard *shard)
{
    const fm_engine_config *config = &shard->engine->config;
    if (config->latest == NULL)
        return;
    int64_t now = fm_wall_ns(&config->clock);
    if (shard->latest_partition == 0 && shard->latest_series == 0 && now < shard->latest_ns + config->latest_interval_ns)
        return;
    if (shard->latest_partition == 0 && shard->latest_series == 0)
        shard->latest_ns = now;
    for (uint32_t looked = 0; looked < LATEST_PER_TURN && shard->latest_partition < FM_PARTITION_COUNT;) {
        fm_partition *partition = &shard->partition[shard->latest_partition];
        if (shard->latest_series >= partition->series_count) {
            shard->latest_partition++;
            shard->latest_series = 0;
            continue;
        }
        fm_series *series = partition->series[shard->latest_series++];
        looked++;
        if (partition->admission.domain[series->domain].live && series->records != series->published) {
            series->published = series->records;
            send_latest(shard, series);
        }
    }
    if (shard->latest_partition == FM_PARTITION_COUNT)
        shard->latest_partition = 0;
}

/* ---- rules ---- */

#define NOT_READY_LISTED 20

void fm_rule_board_fini(fm_rule_board *board)
{
    for (uint32_t r = 0; board->set != NULL && r < board->set->count; r++)
        fm_text_fini(&board->not_ready[r]);
    free(board->health);
    free(board->quarantined);
    free(board->killed);
    free(board->not_ready);
    free(board->not_ready_count);
    board->set = NULL;
    board->health = NULL;
    board->quarantined = board->killed = board->not_ready_count = NULL;
    board->not_ready = NULL;
}

static void board_make(fm_rule_board *board, const fm_rule_set *set)
{
    if (board->set != set) {
        fm_rule_board_fini(board);
        board->health = calloc(set->count + 1, sizeof(*board->health));
        board->quarantined = calloc(set->count + 1, sizeof(uint32_t));
        board->killed = calloc(set->count + 1, sizeof(uint32_t));
        board->not_ready = calloc(set->count + 1, sizeof(fm_text));
        board->not_ready_count = calloc(set->count + 1, sizeof(uint32_t));
        FM_ASSERT(board->health && board->quarantined && board->killed && board->not_ready && board->not_ready_count);
        board->set = set;
    }
    memset(board->health, 0, (set->count + 1) * sizeof(*board->health));
    memset(board->quarantined, 0, (set->count + 1) * sizeof(uint32_t));
    memset(board->killed, 0, (set->count + 1) * sizeof(uint32_t));
    memset(board->not_ready_count, 0, (set->count + 1) * sizeof(uint32_t));
    for (uint32_t r = 0; r < set->count; r++)
        fm_text_clear(&board->not_ready[r]);
}

static void board_add_series(fm_rule_board *board, const fm_plan *plan, const fm_partition *partition, const fm_series *series)
{
    for (uint32_t i = 0; i < series->layout->rule_count; i++) {
        uint32_t r = series->layout->rule[i];
        uint64_t missing = 0;
        for (uint32_t w = 0; w < plan->mask_words; w++)
            missing |= plan->rule[r].needs.word[w] & ~series->ready[w];
        if (missing == 0)
            continue;
        if (board->not_ready_count[r]++ < NOT_READY_LISTED) {
            fm_text *list = &board->not_ready[r];
            fm_text_put(list, list->size > 0 ? ",{\"symbol\":" : "{\"symbol\":");
            fm_text_json(list, fm_slice_of(series->symbol));
            fm_text_put(list, ",\"domain\":");
            fm_text_json(list, fm_slice_of(partition->admission.domain[series->domain].name));
            fm_text_put(list, "}");
        }
    }
}

static void board_add_kill(fm_rule_board *board, const fm_partition *partition, uint32_t r)
{
    board->killed[r]++;
    for (uint32_t k = 0; k < partition->kill_count; k++)
        if (partition->kill[k].at_sequence == partition->killed_from[r].sequence && strcmp(partition->kill[k].rule, board->set->rule[r].id) == 0)
            memcpy(board->health[r].error, partition->kill[k].reason, sizeof(board->health[r].error));
}

/* What stands in the partitions and is not counted where it happens. */
static void renew_gauges(fm_shard *shard)
{
    uint64_t series = 0, forgotten = 0;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        series += shard->partition[p].series_count;
        forgotten += shard->partition[p].admission.sources_forgotten;
    }
    fm_gauge(&shard->counters, FM_METRIC_SERIES, series);
    fm_gauge(&shard->counters, FM_METRIC_SOURCES_FORGOTTEN, forgotten);
    fm_shard_renew_books(shard);
}

void fm_shard_renew_board(fm_shard *shard)
{
    const fm_rule_set *set = shard->generation;
    int64_t now = fm_wall_ns(&shard->engine->config.clock);
    if (set == NULL || now < shard->board_ns + FM_NS_PER_S)
        return;
    shard->board_ns = now;
    renew_gauges(shard);
    fm_rule_board *board = &shard->board;
    pthread_mutex_lock(&board->lock);
    board_make(board, set);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        const fm_partition *partition = &shard->partition[p];
        if (partition->plan == NULL || partition->plan->set != set)
            continue;
        for (uint32_t r = 0; r < set->count; r++)
            if (partition->killed_from[r].sequence != UINT64_MAX)
                board_add_kill(board, partition, r);
        for (uint32_t d = 0; d < partition->domain_count; d++)
            for (uint32_t r = 0; r < set->count; r++) {
                const fm_rule_health *health = &partition->domain[d].health[r];
                board->health[r].alerts += health->alerts;
                board->health[r].capped += health->capped;
                board->health[r].errors += health->errors;
                board->health[r].not_ready += health->not_ready;
                board->quarantined[r] += health->quarantined;
                if (health->error[0] != 0)
                    memcpy(board->health[r].error, health->error, sizeof(health->error));
            }
        for (uint32_t s = 0; s < partition->series_count; s++)
            board_add_series(board, partition->plan, partition, partition->series[s]);
    }
    pthread_mutex_unlock(&board->lock);
}

typedef struct rule_sum {
    uint64_t alerts, capped, errors, not_ready;
    uint32_t quarantined, killed, waiting;
    char     error[160];
    fm_text  symbols;
} rule_sum;

static void sum_board(fm_rule_board *board, const fm_rule_set *set, uint32_t r, rule_sum *sum)
{
    pthread_mutex_lock(&board->lock);
    if (board->set == set) {
        sum->alerts += board->health[r].alerts;
        sum->capped += board->health[r].capped;
        sum->errors += board->health[r].errors;
        sum->not_ready += board->health[r].not_ready;
        sum->quarantined += board->quarantined[r];
        sum->killed += board->killed[r];
        sum->waiting += board->not_ready_count[r];
        if (board->health[r].error[0] != 0)
            memcpy(sum->error, board->health[r].error, sizeof(sum->error));
        if (board->not_ready[r].size > 0) {
            fm_text_put(&sum->symbols, sum->symbols.size > 0 ? "," : "");
            fm_text_add(&sum->symbols, board->not_ready[r].data, board->not_ready[r].size);
        }
    }
    pthread_mutex_unlock(&board->lock);
}

void fm_engine_rules_json(fm_engine *engine, fm_text *out)
{
    const fm_rule_set *set = atomic_load_explicit(&engine->generation, memory_order_acquire);
    fm_text_put(out, "{\"items\":[");
    for (uint32_t r = 0; set != NULL && r < set->count; r++) {
        const fm_rule *rule = &set->rule[r];
        rule_sum sum = {0};
        char hash[33];
        for (uint32_t i = 0; i < engine->shard_count; i++)
            sum_board(&engine->shard[i].board, set, r, &sum);
        fm_hash128_hex(rule->hash, hash);
        const char *status = sum.killed > 0 ? "stopped" : sum.quarantined > 0 ? "quarantined" : sum.errors > 0 ? "error" : sum.waiting > 0 ? "not_ready" : "ok";
        fm_text_printf(out, "%s{\"id\":\"%s\",\"version\":%u,\"hash\":\"%s\",\"file\":", r > 0 ? "," : "", rule->id, rule->version, hash);
        fm_text_json(out, fm_slice_of(rule->file));
        fm_text_printf(out,
                       ",\"line\":%d,\"shadow\":%s,\"status\":\"%s\",\"alerts\":%llu,\"capped\":%llu,\"errors\":%llu,\"not_ready\":%llu,"
                       "\"quarantined_in\":%u,\"stopped_in\":%u,\"last_error\":",
                       rule->line, rule->shadow ? "true" : "false", status, (unsigned long long)sum.alerts, (unsigned long long)sum.capped,
                       (unsigned long long)sum.errors, (unsigned long long)sum.not_ready, sum.quarantined, sum.killed);
        if (sum.error[0] != 0)
            fm_text_json(out, fm_slice_of(sum.error));
        else
            fm_text_put(out, "null");
        fm_text_printf(out, ",\"not_ready_count\":%u,\"not_ready_instruments\":[%s]}", sum.waiting, sum.symbols.size > 0 ? sum.symbols.data : "");
        fm_text_fini(&sum.symbols);
    }
    fm_text_put(out, "],\"next\":null}");
}
