/* tests/unit/engine/invariance_test.c - a batch is a way to run, never a meaning: any batch size, any `run` after any entry, admission ahead
 * of the fold or not, partitions one by one or mixed: the same alerts in the same order, and the same bytes of state.
 *
 * The records are generated from a seed (FMADS_SEED, printed); the rules do all that rules may: hold, fail, ask for timers, raise several
 * alerts on a record, and two of them are stopped by a deadline that no replay would meet again. */
#include "fold_bed.h"

enum { EMITS, FAILS, HOLD, STOPPED, STOPPED_TOO, TIMER, RULES };

typedef struct behaviour {
    bool deadlines; /* the first run meets them; a replay must obey the records instead */
} behaviour;

static double need_of(const fm_rule_call *call, uint32_t k, uint32_t need)
{
    return call->matrix[(size_t)call->row[k] * call->stride + call->column[need]];
}

static int emits(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    double n = ++call->slots[k][0];
    static const char *const key[] = {"z", "b", "m"};
    for (int i = 0; i < (int)n % 4 - (n > 60); i++)
        if (bed_emit(call, k, n, key[((int)n + i) % 3]) < 0)
            return FM_EBUSY;
    return 0;
}

static int fails(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    double n = ++call->slots[k][0];
    if ((int)n % 9 == 8) {
        bed_emit(call, k, 1e9, "never"); /* a call that fails has no effect */
        return FM_ERULE;
    }
    return (int)n % 7 == 0 ? bed_emit(call, k, need_of(call, k, 0), "") : 0;
}

static int hold(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    call->hit[k] = need_of(call, k, 0) > 0.0;
    return 0;
}

static int stopped(bed *b, fm_rule_call *call, uint32_t k)
{
    double n = ++call->slots[k][0];
    if (((const behaviour *)b->body_context)->deadlines && n == 150)
        return FM_EDEADLINE;
    return (int)n % 10 == 0 ? bed_emit(call, k, n, "") : 0;
}

/* Many instruments' timers fire before one record; the rule is stopped at one of them, and those before it stand. */
static int stopped_too(bed *b, fm_rule_call *call, uint32_t k)
{
    if (!bed_is_timer(call, k))
        return bed_timer(call, k, FM_NS_PER_S);
    double n = ++call->slots[k][0];
    if (((const behaviour *)b->body_context)->deadlines && n == 9)
        return FM_ERULE_MEMORY;
    if (bed_emit(call, k, n, "timer") < 0)
        return FM_EBUSY;
    return bed_timer(call, k, 2 * FM_NS_PER_S);
}

static int timer(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    double n = ++call->slots[k][0];
    if (bed_is_timer(call, k)) {
        call->slots[k][1]++;
        if (bed_emit(call, k, n, (int)n % 2 ? "odd" : "even") < 0)
            return FM_EBUSY;
        return (int)n % 3 == 0 ? bed_timer(call, k, (int64_t)(2.5 * FM_NS_PER_S)) : 0;
    }
    return (int)n % 5 == 0 ? bed_timer(call, k, ((int)n % 4) * FM_NS_PER_S) : 0;
}

static fm_rule_set *make_rules(uint32_t count)
{
    static const char *const id[RULES] = {"t/a_emits", "t/b_fails", "t/c_hold", "t/d_stopped", "t/e_stopped_too", "t/f_timer"};
    fm_rule_set *set = bed_set(RULES);
    set->count = count;
    for (uint32_t r = 0; r < RULES; r++) {
        fm_rule *rule = bed_rule(set, r, id[r]);
        rule->has_when = r == HOLD;
        rule->has_on_event = !rule->has_when;
        if (rule->has_on_event)
            bed_slot(rule, "n", 0);
    }
    set->rule[EMITS].alerts_per_minute = 200;
    bed_need(&set->rule[FAILS], FM_KERNEL_FEATURE, "ewma", "z", "half_life", 5);
    bed_need(&set->rule[HOLD], FM_KERNEL_FEATURE, "log_return", "move", "window", 1);
    set->rule[HOLD].for_ns = FM_NS_PER_S / 2;
    set->rule[HOLD].cooldown_ns = 3 * FM_NS_PER_S;
    bed_need(&set->rule[STOPPED], FM_KERNEL_FEATURE, "spread", "wide", NULL, 0);
    set->rule[STOPPED_TOO].has_on_timer = true;
    bed_slot(&set->rule[TIMER], "fired", 0);
    set->rule[TIMER].has_on_timer = true;
    set->rule[TIMER].cooldown_ns = FM_NS_PER_S;
    return set;
}

static void give_bodies(bed *b, const behaviour *how)
{
    static const bed_body body[RULES] = {emits, fails, hold, stopped, stopped_too, timer};
    memcpy(b->body, body, sizeof(body));
    b->body_context = (void *)how;
}

static fm_record generated(fm_random *random, int64_t *ts, uint32_t i)
{
    static char symbol[16];
    static const char *const venue[] = {"", "XAAA", "XBBB"};
    snprintf(symbol, sizeof(symbol), "S%02u", (uint32_t)(fm_random_below(random, 3) == 0 ? fm_random_below(random, 30) : fm_random_below(random, 4)));
    uint64_t gap = fm_random_below(random, 100);
    *ts += gap < 60 ? 0 : gap == 60 ? 9 * FM_NS_PER_S : (int64_t)fm_random_below(random, 80 * FM_NS_PER_MS);
    int64_t at = fm_random_below(random, 20) == 0 ? *ts - (int64_t)fm_random_below(random, 5 * FM_NS_PER_S) : *ts;
    uint64_t kind = fm_random_below(random, 10);
    fm_record record = bed_record(kind < 4 ? FM_TRADE : kind < 8 ? FM_QUOTE : kind < 9 ? FM_VALUE : FM_STATUS, at, symbol);
    int scale = (int)fm_random_below(random, 2 + i / 700);
    static const int64_t power[] = {1, 10, 100, 1000, 10000, 100000};
    int64_t price = (100 + (int64_t)fm_random_below(random, 9)) * power[scale];
    record.venue = fm_slice_of(venue[fm_random_below(random, 3)]);
    record.value = fm_random_normal(random);
    record.phase = 1 + (uint32_t)fm_random_below(random, 4);
    if (record.kind == FM_TRADE) {
        record.number[0] = (fm_decimal_number){price, scale};
        record.number[1] = (fm_decimal_number){(int64_t)fm_random_below(random, 9), 0};
    } else if (record.kind == FM_QUOTE) {
        record.number[0] = (fm_decimal_number){price - power[scale], scale};
        record.number[1] = (fm_decimal_number){(int64_t)fm_random_below(random, 4), 0};
        record.number[2] = (fm_decimal_number){price + power[scale], scale};
        record.number[3] = (fm_decimal_number){(int64_t)fm_random_below(random, 4), 0};
    }
    if (i % 3 == 0) {
        record.channel = FM_SLICE("L1");
        record.seq = i / 4;
    }
    if (i % 5 == 0) {
        record.source = FM_SLICE("file");
        record.row = i;
    }
    return record;
}

/* As shard.c does it: what was stopped in a fold gets its records in the next commit. */
static void log_kills(bed *b, bed_log *log, uint32_t known)
{
    for (uint32_t kill = b->kills; kill-- > known;)
        for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
            for (uint32_t k = 0; k < b->partition[p].kill_count; k++) {
                const fm_kill_mark *mark = &b->partition[p].kill[k];
                char text[sizeof(*mark) + 3];
                if (strcmp(mark->rule, b->killed[kill]) != 0)
                    continue;
                int size = snprintf(text, sizeof(text), "%s%c%s%c%s", mark->rule, 0, mark->hash, 0, mark->reason);
                bed_control(b, log, p, FM_KILL, BED_T0, &(fm_control){.at_sequence = mark->at_sequence, .at_timer = mark->at_timer},
                            (fm_slice){text, (size_t)size});
            }
}

static void live(bed *b, bed_log *log, const fm_rule_set *set, uint64_t seed, uint32_t records)
{
    fm_random random;
    fm_random_seed(&random, seed);
    int64_t ts = BED_T0;
    bed_use(b, log, set);
    for (uint32_t i = 0; i < records;) {
        uint32_t commit = 1 + (uint32_t)fm_random_below(&random, 120), kills = b->kills; /* admission runs ahead by this much */
        for (uint32_t k = 0; k < commit && i < records; k++, i++) {
            fm_record record = generated(&random, &ts, i);
            assert_true(bed_admit(b, log, i % 11 == 0 ? "other" : "run", &record) >= 0);
        }
        bed_fold(b, log);
        log_kills(b, log, kills);
    }
    bed_fold(b, log);
}

static void obey_kills(bed *b, const bed_log *log)
{
    for (uint32_t i = 0; i < log->count; i++) {
        const fm_event *event = bed_event(log, i);
        if (event->kind != FM_KILL)
            continue;
        fm_partition_note_kill(&b->partition[log->partition[i]], event);
    }
}

static void replay_one_by_one(bed *b, const bed_log *log)
{
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        for (uint32_t i = 0; i < log->count; i++)
            if (log->partition[i] == p)
                bed_replay(b, log, i, i + 1, NULL);
}

/* As a commit does it: a partition's entries follow each other in memory and are applied in one go. */
static void replay_in_lists(bed *b, const bed_log *log, fm_random *random)
{
    char *bytes = malloc(log->size);
    assert_non_null(bytes);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        for (uint32_t i = 0; i < log->count;) {
            fm_error error = {0};
            uint32_t size = 0;
            for (uint32_t left = 1 + (uint32_t)fm_random_below(random, 50); left > 0 && i < log->count; i++) {
                if (log->partition[i] != p)
                    continue;
                const fm_event *event = bed_event(log, i);
                assert_int_equal(fm_admission_note(&b->partition[p].admission, &b->config.limits, event), 0);
                memcpy(bytes + size, event, fm_event_size(event));
                size += fm_event_size(event);
                left--;
            }
            if (fm_fold_apply_all(b->fold, &b->partition[p], bytes, size, BED_T0, &error) < 0)
                fail_msg("%s", error.message);
            bed_fold_run(b);
        }
    free(bytes);
}

static uint64_t seed_of_run(void)
{
    const char *text = getenv("FMADS_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 20131008;
}

static void a_batch_has_no_meaning(void **unused)
{
    (void)unused;
    for (uint64_t seed = seed_of_run(); seed < seed_of_run() + 5; seed++) {
        printf("seed %llu (FMADS_SEED)\n", (unsigned long long)seed);
        fm_rule_set *set = make_rules(RULES);
        bed_log log = {0};
        behaviour first = {.deadlines = true}, again = {0};
        fm_fold_config config = bed_config();
        bed *b = bed_open(&config);
        bed_know(b, set);
        give_bodies(b, &first);
        live(b, &log, set, seed, 3000);
        assert_true(b->alert_count > 100);
        assert_int_equal(b->kills, 2);
        static const uint32_t batches[] = {1, 2, 7, 64, 1000};
        for (int i = 0; i < 6; i++) {
            fm_random random;
            fm_random_seed(&random, seed + (uint64_t)i);
            config.batch_max = batches[i % 5];
            bed *other = bed_open(&config);
            bed_know(other, set);
            give_bodies(other, &again);
            obey_kills(other, &log);
            if (i == 5)
                replay_one_by_one(other, &log);
            else
                bed_replay(other, &log, 0, log.count, i % 2 ? &random : NULL);
            bed_same_alerts(b, other);
            bed_same_state(b, other);
            bed_close(other);
        }
        bed_close(b);
        bed_log_fini(&log);
        free(set);
    }
}

/* With rules that ask for timers, and with none: then the list is taken in one loop. */
static void entries_in_lists_are_the_entries_one_by_one(void **unused)
{
    (void)unused;
    for (uint32_t count = STOPPED_TOO; count <= RULES; count += RULES - STOPPED_TOO) {
        fm_rule_set *set = make_rules(count);
        bed_log log = {0};
        behaviour first = {.deadlines = true}, again = {0};
        fm_fold_config config = bed_config();
        bed *b = bed_open(&config);
        bed_know(b, set);
        give_bodies(b, &first);
        live(b, &log, set, seed_of_run(), 3000);
        assert_true(b->alert_count > 100);
        static const uint32_t batches[] = {1, 5, 1000};
        for (int i = 0; i < 3; i++) {
            fm_random random;
            fm_random_seed(&random, seed_of_run() + (uint64_t)i);
            config.batch_max = batches[i];
            bed *other = bed_open(&config);
            bed_know(other, set);
            give_bodies(other, &again);
            obey_kills(other, &log);
            replay_in_lists(other, &log, &random);
            bed_same_alerts(b, other);
            bed_same_state(b, other);
            bed_close(other);
        }
        bed_close(b);
        bed_log_fini(&log);
        free(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_has_no_meaning),
        cmocka_unit_test(entries_in_lists_are_the_entries_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
