/* tests/unit/engine/fold_bed.h - admission and fold without journal, threads and Lua: rules are C functions, the log is in memory.
 *
 * A bed is one engine's state. `bed_admit` is the live way: admission notes, the entry goes to a log. `bed_apply` folds entries of a log; a
 * second bed that notes and folds the same log (`bed_replay`) must come to the same bytes and the same alerts. */
#ifndef FM_TESTS_FOLD_BED_H
#define FM_TESTS_FOLD_BED_H

#include "assert_near.h"

#include "base/hash.h"
#include "base/random.h"
#include "base/record.h"
#include "base/text.h"
#include "engine/duplicates.h"
#include "engine/fold_internal.h"
#include "engine/snapshot.h"
#include "kernels/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BED_T0 (INT64_C(1399033800) * FM_NS_PER_S)

typedef struct bed_log {
    char     *bytes;
    size_t    size, capacity;
    size_t   *at; /* of each entry */
    uint8_t  *partition;
    uint32_t  count, entry_capacity;
} bed_log;

typedef struct bed_alert {
    uint32_t partition, ordinal;
    uint64_t sequence;
    int64_t  event_ns;
    char     rule[65], symbol[65];
    char    *body;
} bed_alert;

typedef struct bed bed;
/* What a rule does with row k of the call: 0, or a failure that leaves no effect. */
typedef int (*bed_body)(bed *b, fm_rule_call *call, uint32_t k);

struct bed {
    fm_fold            *fold;
    fm_fold_config      config;
    fm_partition        partition[FM_PARTITION_COUNT];
    fm_counters         counters;
    uint32_t            series_used;
    const fm_rule_set  *set[16];
    uint32_t            set_count;
    const fm_rule_set  *loaded;
    fm_rule_runner      runner;
    bed_body            body[FM_RULES_MAX]; /* by rule index of whatever set is loaded */
    void               *body_context;
    bool                dead[FM_RULES_MAX]; /* stopped: the runner has been rebuilt without it */
    bed_alert          *alert;
    uint32_t            alert_count, alert_capacity;
    uint32_t            kills;
    char                killed[8][FM_RULE_ID_MAX + 1];
    uint32_t            loads;
    uint64_t            applied[FM_PARTITION_COUNT]; /* entries of the log folded: of each partition */
};

/* ---- the log ---- */

static inline void bed_log_add(bed_log *log, uint32_t partition, const void *bytes, size_t size)
{
    if (log->size + size > log->capacity) {
        log->capacity = 2 * (log->size + size) + 65536;
        log->bytes = realloc(log->bytes, log->capacity);
        assert_non_null(log->bytes);
    }
    if (log->count == log->entry_capacity) {
        log->entry_capacity = 2 * log->entry_capacity + 1024;
        log->at = realloc(log->at, log->entry_capacity * sizeof(*log->at));
        log->partition = realloc(log->partition, log->entry_capacity);
        assert_true(log->at != NULL && log->partition != NULL);
    }
    memcpy(log->bytes + log->size, bytes, size);
    log->at[log->count] = log->size;
    log->partition[log->count++] = (uint8_t)partition;
    log->size += size;
}

static inline const fm_event *bed_event(const bed_log *log, uint32_t entry)
{
    return (const fm_event *)(log->bytes + log->at[entry]);
}

static inline void bed_log_fini(bed_log *log)
{
    free(log->bytes);
    free(log->at);
    free(log->partition);
    *log = (bed_log){0};
}

/* ---- the runner: `body` of each rule, row by row, as script/host.c does it ---- */

static inline int bed_load(void *self, const fm_rule_set *set, fm_error *error)
{
    bed *b = self;
    (void)error;
    b->loaded = set;
    b->loads++;
    memset(b->dead, 0, sizeof(b->dead));
    return 0;
}

static inline int bed_run(void *self, fm_rule_call *call)
{
    bed *b = self;
    assert_false(b->dead[call->rule]); /* the engine does not call a stopped rule again */
    for (; call->done < call->count; call->done++) {
        const fm_rule *rule = &b->loaded->rule[call->rule];
        uint32_t emits = call->emit_count, timers = call->timer_count, k = call->done;
        double slots[FM_RULE_SLOTS_MAX];
        if (rule->slot_count > 0)
            memcpy(slots, call->slots[k], rule->slot_count * sizeof(double));
        int result = b->body[call->rule](b, call, k);
        if (result == 0)
            continue;
        call->emit_count = emits;
        call->timer_count = timers;
        if (rule->slot_count > 0)
            memcpy(call->slots[k], slots, rule->slot_count * sizeof(double));
        if (result == FM_EDEADLINE || result == FM_ERULE_MEMORY)
            b->dead[call->rule] = true;
        if (result == FM_EBUSY && emits + timers == 0)
            fail_msg("a row that is alone in a call has no room for what one row may ask");
        fm_fail(&call->error, result, "row failed on purpose");
        snprintf(call->error.file, sizeof(call->error.file), "%s", rule->file);
        call->error.line = 7;
        return result;
    }
    return 0;
}

/* For bodies: ctx.alert and ctx.timer. FM_EBUSY is to be returned at once. */
static inline int bed_emit(fm_rule_call *call, uint32_t k, double score, const char *key)
{
    if (call->emit_count >= call->emit_max)
        return FM_EBUSY;
    fm_rule_emit *emit = &call->emit[call->emit_count++];
    *emit = (fm_rule_emit){.row = k, .severity = UINT32_MAX, .score = score};
    snprintf(emit->key, sizeof(emit->key), "%s", key);
    return 0;
}

static inline int bed_timer(fm_rule_call *call, uint32_t k, int64_t after_ns)
{
    if (call->timer_count > 0 && call->timer_ask[call->timer_count - 1].row == k)
        call->timer_count--;
    if (call->timer_count >= call->timer_max)
        return FM_EBUSY;
    call->timer_ask[call->timer_count++] = (fm_timer_ask){k, call->event[k]->ts_ns + after_ns};
    return 0;
}

static inline bool bed_is_timer(const fm_rule_call *call, uint32_t k)
{
    return call->timer != NULL && call->timer[k];
}

/* ---- making and ending ---- */

static inline void bed_on_alert(void *context, const fm_alert *alert)
{
    bed *b = context;
    b->alert = fm_grow(b->alert, &b->alert_capacity, b->alert_count + 1, sizeof(*b->alert));
    bed_alert *kept = &b->alert[b->alert_count++];
    *kept = (bed_alert){.partition = alert->partition, .ordinal = alert->ordinal, .sequence = alert->sequence, .event_ns = alert->event_ns,
                        .body = strndup(alert->body, alert->body_size)};
    memcpy(kept->rule, alert->rule, sizeof(kept->rule));
    memcpy(kept->symbol, alert->symbol, sizeof(kept->symbol));
}

static inline void bed_on_killed(void *context, const fm_rule *rule, const fm_error *error)
{
    bed *b = context;
    (void)error;
    assert_true(b->kills < 8);
    memcpy(b->killed[b->kills++], rule->id, sizeof(rule->id));
}

static inline const fm_rule_set *bed_generation(void *context, const char *hash)
{
    bed *b = context;
    for (uint32_t i = 0; i < b->set_count; i++) {
        char text[33];
        fm_hash128_hex(b->set[i]->hash, text);
        if (strcmp(text, hash) == 0)
            return b->set[i];
    }
    return NULL;
}

static inline fm_fold_config bed_config(void)
{
    return (fm_fold_config){.limits = {.series_max = 1000, .domains_max = 16, .sources_max = 4, .source_window = 3 * FM_ROW_PAGE_BITS,
                                       .sequence_window = 64, .scale_max = FM_SCALE_MAX, .register_unknown = true,
                                       .future_max_ns = 5 * FM_NS_PER_S},
                            .arena_bytes = 64u << 20, .batch_max = 64, .stale_venue_ns = FM_NS_PER_S, .clock = fm_clock_system};
}

static inline bed *bed_open(const fm_fold_config *config)
{
    bed *b = calloc(1, sizeof(*b));
    fm_error error = {0};
    assert_non_null(b);
    b->config = *config;
    b->runner = (fm_rule_runner){.self = b, .load = bed_load, .run = bed_run};
    b->config.runner = &b->runner;
    b->config.generation_of = bed_generation;
    b->config.generation_context = b;
    b->config.emit = bed_on_alert;
    b->config.killed = bed_on_killed;
    b->config.context = b;
    b->config.counters = &b->counters;
    assert_int_equal(fm_fold_create(&b->config, &b->fold, &error), 0);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        fm_fold_adopt(b->fold, &b->partition[p], p);
    return b;
}

static inline void bed_close(bed *b)
{
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        fm_fold_release(b->fold, &b->partition[p]);
    fm_fold_destroy(b->fold);
    for (uint32_t i = 0; i < b->alert_count; i++)
        free(b->alert[i].body);
    free(b->alert);
    free(b);
}

/* ---- rule sets ---- */

static inline fm_rule_set *bed_set(uint32_t count)
{
    fm_rule_set *set = calloc(1, sizeof(*set) + count * sizeof(fm_rule));
    assert_non_null(set);
    set->count = count;
    return set;
}

/* A rule with presets; give it an id that sorts. The set is signed by bed_use. */
static inline fm_rule *bed_rule(fm_rule_set *set, uint32_t index, const char *id)
{
    fm_rule *rule = &set->rule[index];
    *rule = (fm_rule){.version = 1, .line = 3, .alerts_per_minute = 600, .severity = FM_WARNING};
    snprintf(rule->id, sizeof(rule->id), "%s", id);
    snprintf(rule->file, sizeof(rule->file), "%s.lua", id);
    snprintf(rule->message, sizeof(rule->message), "{symbol}");
    rule->hash = fm_hash128_of(id, strlen(id));
    return rule;
}

static inline void bed_need(fm_rule *rule, fm_kernel_kind kind, const char *kernel, const char *name, const char *param, double value)
{
    fm_need *need = &rule->needs[rule->need_count++];
    *need = (fm_need){.kernel = fm_kernel_find(kind, kernel)};
    assert_non_null(need->kernel);
    snprintf(need->name, sizeof(need->name), "%s", name);
    for (int i = 0; need->kernel->params[i].name != NULL; i++)
        need->params[i] = need->kernel->params[i].preset;
    if (param != NULL) {
        int at = fm_kernel_field_index(need->kernel->params, param);
        assert_true(at >= 0);
        need->params[at] = value;
    }
}

static inline void bed_slot(fm_rule *rule, const char *name, double preset)
{
    snprintf(rule->slot_name[rule->slot_count], sizeof(rule->slot_name[0]), "%s", name);
    rule->slot_preset[rule->slot_count++] = preset;
}

static inline void bed_know(bed *b, fm_rule_set *set)
{
    struct {
        fm_hash128 hash;
        char       id[FM_RULE_ID_MAX + 1];
    } text[FM_RULES_MAX];
    memset(text, 0, sizeof(text));
    for (uint32_t r = 0; r < set->count; r++) {
        text[r].hash = set->rule[r].hash;
        memcpy(text[r].id, set->rule[r].id, sizeof(text[r].id));
    }
    set->hash = fm_hash128_of(text, sizeof(text));
    b->set[b->set_count++] = set;
}

/* ---- live ---- */

static inline fm_record bed_record(int kind, int64_t ts_ns, const char *symbol)
{
    fm_record record = {.ts_ns = ts_ns, .kind = (uint8_t)kind, .seq = FM_SEQ_ABSENT, .row = FM_SEQ_ABSENT, .symbol = fm_slice_of(symbol)};
    for (int i = 0; i < 4; i++)
        record.number[i] = (fm_decimal_number){FM_ABSENT, 0};
    return record;
}

static inline fm_record bed_trade(int64_t ts_ns, const char *symbol, int64_t price, int scale)
{
    fm_record record = bed_record(FM_TRADE, ts_ns, symbol);
    record.number[0] = (fm_decimal_number){price, scale};
    record.number[1] = (fm_decimal_number){1, 0};
    return record;
}

static inline fm_record bed_value(int64_t ts_ns, const char *symbol, double value)
{
    fm_record record = bed_record(FM_VALUE, ts_ns, symbol);
    record.value = value;
    return record;
}

/* The payload of a bar, a level or an order. */
static inline void bed_rare(const fm_record *record, fm_message_record *message)
{
    const fm_decimal_number *number = record->number;
    fm_event *event = &message->event;
    if (record->kind == FM_BAR) {
        event->as.bar = (fm_bar){number[0].mantissa, number[1].mantissa, number[2].mantissa, number[3].mantissa};
        *fm_message_bar_rest(message) = (fm_bar_rest){.interval_ns = record->interval_ns, .volume = record->volume.mantissa,
                                                      .buy_volume = record->buy_volume.mantissa, .trade_count = record->trade_count};
        message->head.volume_scales = (uint8_t)(record->volume.scale | record->buy_volume.scale << 4);
        event->extra_words = sizeof(fm_bar_rest) / 8;
        return;
    }
    event->flags = record->book_flags;
    if (record->kind == FM_BOOK)
        event->as.book = (fm_book){.price = number[0].mantissa, .size = number[1].mantissa, .order_count = record->order_count, .action = record->action};
    else
        event->as.order = (fm_order){.price = number[0].mantissa, .size = number[1].mantissa, .order_id = record->order_id,
                                     .account = record->account, .action = record->action};
}

#define BED_MESSAGE_MAX (sizeof(fm_message_record) + sizeof(fm_bar_rest) + sizeof(fm_origin) + FM_SYMBOL_MAX)

/* As a receiving thread makes it. */
static inline void bed_message(const fm_record *record, void *out)
{
    fm_message_record *message = out;
    bool origin = record->source.size > 0 || record->session.size > 0 || record->seq_index != 0;
    bool four = record->kind == FM_QUOTE || record->kind == FM_BAR;
    memset(message, 0, sizeof(*message));
    message->event.ts_ns = record->ts_ns;
    message->event.kind = record->kind;
    message->event.side = record->side;
    message->event.conditions = record->conditions;
    message->event.seq = record->seq;
    if (record->kind == FM_TRADE)
        message->event.as.trade = (fm_trade){.price = record->number[0].mantissa, .size = record->number[1].mantissa};
    else if (record->kind == FM_QUOTE)
        message->event.as.quote = (fm_quote){record->number[0].mantissa, record->number[1].mantissa, record->number[2].mantissa,
                                             record->number[3].mantissa};
    else if (record->kind == FM_VALUE)
        message->event.as.value.value = record->value;
    else if (record->kind == FM_STATUS)
        message->event.as.status.phase = record->phase;
    else
        bed_rare(record, message);
    if (origin) {
        message->event.flags |= FM_FLAG_ORIGIN;
        message->event.extra_words += sizeof(fm_origin) / 8;
        *fm_message_origin(message) = (fm_origin){.seq_index = record->seq_index, .row = record->row,
                                                  .session_hash = record->session.size > 0 ? fm_hash_slice(record->session) : 0};
    }
    message->symbol_hash = fm_hash_slice(record->symbol);
    for (int i = 0; i < 4; i++)
        message->scale[i] = (int8_t)record->number[four ? i : i % 2].scale;
    message->head.partition = (uint8_t)fm_partition_of(record->symbol);
    message->head.symbol_size = (uint8_t)record->symbol.size;
    message->head.has_room = 1;
    fm_symbol_put(message->rest + 8 * message->event.extra_words, record->symbol);
}

static inline void bed_heading(const fm_admission_limits *limits, const char *domain, const fm_record *record, fm_heading *heading)
{
    union {
        fm_message_names names;
        char bytes[sizeof(fm_message_names) + 3 * FM_NAME_MAX];
    } message = {.names = {.venue_size = (uint8_t)record->venue.size, .channel_size = (uint8_t)record->channel.size,
                           .source_size = (uint8_t)record->source.size}};
    fm_bytes_put(fm_bytes_put(fm_bytes_put(message.names.text, record->venue), record->channel), record->source);
    fm_message_begin begin = {.domain_size = (uint32_t)strlen(domain), .receive_ns = BED_T0 + 86400 * FM_NS_PER_S};
    memcpy(begin.domain, domain, begin.domain_size);
    fm_heading_begin(heading, limits, &begin);
    fm_heading_names(heading, &message.names);
}

/* The verdict; accepted entries go to the log, not yet to the fold. */
static inline int bed_admit(bed *b, bed_log *log, const char *domain, const fm_record *record)
{
    union {
        uint64_t align;
        char bytes[BED_MESSAGE_MAX];
    } message;
    union {
        uint64_t align;
        char bytes[FM_ADMIT_BYTES_MAX];
    } out;
    fm_heading heading = {0};
    bed_message(record, &message);
    bed_heading(&b->config.limits, domain, record, &heading);
    fm_message_record *m = (fm_message_record *)&message;
    fm_entries entries = {.bytes = out.bytes};
    int verdict = fm_admit(&b->partition[m->head.partition].admission, &b->config.limits, &b->series_used, &heading, m, &entries);
    if (verdict <= 0)
        return verdict;
    for (uint32_t at = 0; at < entries.size;) {
        const fm_event *event = (const fm_event *)(out.bytes + at);
        bed_log_add(log, m->head.partition, event, fm_event_size(event));
        at += fm_event_size(event);
    }
    return verdict;
}

static inline void bed_control(bed *b, bed_log *log, uint32_t partition, int kind, int64_t ts_ns, const fm_control *control, fm_slice text)
{
    union {
        uint64_t align;
        char bytes[FM_ADMIT_BYTES_MAX];
    } out;
    uint32_t size = fm_control_entry(out.bytes, kind, ts_ns, control, text);
    assert_int_equal(fm_admission_note(&b->partition[partition].admission, &b->config.limits, (const fm_event *)out.bytes), 0);
    bed_log_add(log, partition, out.bytes, size);
}

/* The generation becomes current in every partition. */
static inline void bed_use(bed *b, bed_log *log, const fm_rule_set *set)
{
    char hash[33];
    fm_hash128_hex(set->hash, hash);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        bed_control(b, log, p, FM_GENERATION, BED_T0, &(fm_control){0}, fm_slice_of(hash));
}

static inline void bed_apply(bed *b, const bed_log *log, uint32_t entry)
{
    fm_error error = {0};
    uint32_t p = log->partition[entry];
    if (fm_fold_apply(b->fold, &b->partition[p], bed_event(log, entry), BED_T0, &error) < 0)
        fail_msg("%s", error.message);
}

static inline void bed_fold_run(bed *b)
{
    fm_error error = {0};
    assert_int_equal(fm_fold_run(b->fold, &error), 0);
}

/* Folds all that the bed has not folded yet. */
static inline void bed_fold(bed *b, const bed_log *log)
{
    uint64_t sequence[FM_PARTITION_COUNT] = {0};
    for (uint32_t i = 0; i < log->count; i++)
        if (++sequence[log->partition[i]] > b->partition[log->partition[i]].applied)
            bed_apply(b, log, i);
    bed_fold_run(b);
}

/* Notes and folds entries [from, to) as recovery does; runs now and then when `random` is given. */
static inline void bed_replay(bed *b, const bed_log *log, uint32_t from, uint32_t to, fm_random *random)
{
    for (uint32_t i = from; i < to; i++) {
        uint32_t p = log->partition[i];
        assert_int_equal(fm_admission_note(&b->partition[p].admission, &b->config.limits, bed_event(log, i)), 0);
        bed_apply(b, log, i);
        if (random != NULL && fm_random_below(random, 7) == 0)
            bed_fold_run(b);
    }
    bed_fold_run(b);
}

/* ---- comparing ---- */

static inline void bed_same_state(const bed *x, const bed *y)
{
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        fm_text a = {0}, b = {0};
        fm_snapshot_put(&x->partition[p], &a);
        fm_snapshot_put(&y->partition[p], &b);
        bool same = a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
        size_t at = 0;
        while (at < a.size && at < b.size && a.data[at] == b.data[at])
            at++;
        if (!same)
            fail_msg("the states of partition %u differ at byte %zu (%zu and %zu bytes)", p, at, a.size, b.size);
        fm_text_fini(&a);
        fm_text_fini(&b);
    }
}

static inline const bed_alert *bed_alert_of(const bed *b, uint32_t p, uint32_t *at)
{
    while (*at < b->alert_count && b->alert[*at].partition != p)
        ++*at;
    return *at < b->alert_count ? &b->alert[(*at)++] : NULL;
}

/* Alerts of each partition in the order in which they left. */
static inline void bed_same_alerts(const bed *x, const bed *y)
{
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        for (uint32_t i = 0, j = 0;;) {
            const bed_alert *a = bed_alert_of(x, p, &i), *b = bed_alert_of(y, p, &j);
            if (a == NULL && b == NULL)
                break;
            if (a == NULL || b == NULL || strcmp(a->body, b->body) != 0 || a->sequence != b->sequence || a->ordinal != b->ordinal)
                fail_msg("the alerts of partition %u differ:\n%s\n%s", p, a != NULL ? a->body : "none", b != NULL ? b->body : "none");
        }
}

#endif
