/* tests/unit/engine/told_invariance_test.c - books, bars, reference data that change hands, values of other partitions:
 * batches, and a snapshot in the midst of it all, mean nothing.
 *
 * Records are generated from a seed (FMADS_SEED, printed). Two sets of reference data take turns, with splits,
 * dividends, relists, renames, a calendar of nights and one whose sessions overlap; what folds say to each other goes
 * through the log, as the shards do it. Limits of books are a few levels and orders. */
#include "fold_bed.h"

#include "engine/book.h"

enum { SYMBOLS = 12, RECORDS = 4000, SAID_MAX = 512 };

#define HOUR (3600 * FM_NS_PER_S)

static const char *const NAME[SYMBOLS] = {"AA", "BB", "CC", "DD", "EE", "FF", "GG", "HH", "II", "JJ", "KK", "MKT"};

/* ---- reference data ---- */

static fm_reference_set *held[2];

static const fm_reference_set *reference_of(void *context, const char *hash)
{
    (void)context;
    for (int i = 0; i < 2; i++) {
        char text[33];
        fm_hash128_hex(held[i]->hash, text);
        if (strcmp(text, hash) == 0)
            return held[i];
    }
    return NULL;
}

/* One whose evenings begin before a day without a session has passed, and one whose sessions overlap. */
static void put_calendars(fm_text *out)
{
    fm_text_put(out, FM_REFERENCE_HEAD
                "calendar NIGHTS\noffset -9223372036854775808 -21600\nsession 1 -420 960\nsession 2 -420 960\n"
                "session 3 -420 960\nsession 5 -600 900\nholiday 16191\n"
                "calendar OVERLAP\noffset -9223372036854775808 3600\noffset 1399200000 7200\n");
    for (int day = 0; day < 7; day++)
        fm_text_printf(out, "session %d -600 1200\n", day);
    fm_text_put(out, "half 16192 1440\nhalf 16194 100\n");
}

static fm_reference_set *make_reference(fm_random *random)
{
    static const char *const kind[] = {"split 4 -",    "split 0.1 -", "dividend 1.5 -", "roll 3 -",
                                       "ratio 1.01 -", "relist - -",  "relist - -",     "rename - ZZ"};
    static const char *const sector[] = {"tech", "energy", "-"}, *const calendar[] = {"NIGHTS", "OVERLAP", "-"};
    fm_text text = {0};
    fm_error error = {0};
    fm_reference_set *set;
    put_calendars(&text);
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        int64_t at = BED_T0;
        fm_text_printf(&text, "instrument %s %s %s %s %s\n", NAME[i], fm_random_below(random, 2) ? "equity" : "etf",
                       sector[fm_random_below(random, 3)], fm_random_below(random, 2) ? "MKT" : "AA",
                       calendar[fm_random_below(random, 3)]);
        for (uint64_t left = fm_random_below(random, 12); left > 0; left--) {
            at += 1 + (int64_t)fm_random_below(random, 20 * HOUR);
            fm_text_printf(&text, "action %lld %s\n", (long long)at, kind[fm_random_below(random, 8)]);
        }
    }
    if (fm_reference_parse((fm_slice){text.data, text.size}, &set, &error) < 0)
        fail_msg("%s", error.message);
    fm_text_fini(&text);
    return set;
}

/* ---- rules ---- */

static int quiet(bed *b, fm_rule_call *call, uint32_t k)
{
    const double *row = call->matrix + (size_t)call->row[k] * call->stride;
    (void)b;
    call->hit[k] = row[call->column[0]] > 0.0;
    return 0;
}

/* Each firing says how many records it has seen: one that comes at another place says another number. */
static int timer(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    double n = ++call->slots[k][0];
    if (bed_is_timer(call, k))
        return bed_emit(call, k, n, "timer");
    return bed_timer(call, k, FM_NS_PER_S + (int64_t)n % 3 * FM_NS_PER_S);
}

static fm_rule_set *make_rules(void)
{
    static const struct {
        fm_kernel_kind kind;
        const char *id, *kernel;
    } RULES[] = {
        {FM_KERNEL_FEATURE, "t/a", "log_return"},   {FM_KERNEL_FEATURE, "t/b", "session_profile"},
        {FM_KERNEL_FEATURE, "t/c", "market_beta"},  {FM_KERNEL_FEATURE, "t/d", "cross_rank"},
        {FM_KERNEL_FEATURE, "t/e", "cancel_ratio"}, {FM_KERNEL_FEATURE, "t/f", "depth_imbalance"},
        {FM_KERNEL_FEATURE, "t/g", "atr"},          {FM_KERNEL_DETECTOR, "t/h", "ewma_z"},
        {FM_KERNEL_FEATURE, "t/i", "ewma"},
    };
    uint32_t count = sizeof(RULES) / sizeof(RULES[0]);
    fm_rule_set *set = bed_set(count + 1);
    for (uint32_t r = 0; r < count; r++) {
        fm_rule *rule = bed_rule(set, r, RULES[r].id);
        rule->has_when = true;
        bed_need(rule, RULES[r].kind, RULES[r].kernel, "n", NULL, 0);
        snprintf(rule->match.class_, sizeof(rule->match.class_), "%s", r % 3 == 0 ? "equity" : "*");
    }
    set->rule[7].needs[0].gate = 0.01;
    fm_rule *rule = bed_rule(set, count, "t/timer");
    rule->has_on_event = rule->has_on_timer = true;
    bed_slot(rule, "n", 0);
    return set;
}

static void give_bodies(bed *b, uint32_t count)
{
    for (uint32_t r = 0; r < count; r++)
        b->body[r] = r + 1 == count ? timer : quiet;
}

/* ---- records ---- */

static void generate_rare(fm_random *random, fm_record *record, int64_t price, int scale)
{
    bool gone = fm_random_below(random, 3) == 0;
    record->side = (uint8_t)(FM_BUY + fm_random_below(random, 2));
    record->book_flags = (uint8_t)(fm_random_below(random, 4) == 0 ? FM_FLAG_MORE : 0);
    record->number[0] = (fm_decimal_number){price + (record->side == FM_BUY ? -1 : 1), scale};
    record->number[1] = (fm_decimal_number){gone ? 0 : 1 + (int64_t)fm_random_below(random, 50), 0};
    record->order_id =
        fm_random_below(random, 3) == 0 ? UINT64_MAX - fm_random_below(random, 3) : fm_random_below(random, 40);
    if (record->kind == FM_BOOK)
        record->action = fm_random_below(random, 60) == 0 ? FM_BOOK_CLEAR : gone ? FM_BOOK_DELETE : FM_BOOK_SET;
    else
        record->action = (uint8_t)(1 + fm_random_below(random, fm_random_below(random, 60) == 0 ? 6 : 5));
    if (record->kind != FM_BAR)
        return;
    record->book_flags = 0;
    record->side = 0;
    for (int i = 0; i < 4; i++)
        record->number[i] = (fm_decimal_number){price + (i == 1) - (i == 2), scale};
    record->interval_ns = 60 * FM_NS_PER_S;
    record->volume = (fm_decimal_number){gone ? FM_ABSENT : 250, 0};
    record->buy_volume = (fm_decimal_number){FM_ABSENT, 0};
    record->trade_count = FM_SEQ_ABSENT;
}

static fm_record generate(fm_random *random, int64_t *ts, uint32_t i)
{
    static const uint8_t kind[] = {FM_TRADE, FM_TRADE, FM_QUOTE, FM_BAR,  FM_BOOK,
                                   FM_BOOK,  FM_ORDER, FM_ORDER, FM_VALUE};
    static const char *const venue[] = {"", "XAAA", "XBBB"};
    uint64_t gap = fm_random_below(random, 100);
    *ts += gap < 50   ? 0
           : gap < 98 ? (int64_t)fm_random_below(random, 3 * FM_NS_PER_S)
                      : (int64_t)fm_random_below(random, 9 * HOUR);
    int64_t at = fm_random_below(random, 15) == 0 ? *ts - (int64_t)fm_random_below(random, 8 * HOUR) : *ts;
    fm_record record =
        bed_record(kind[fm_random_below(random, sizeof(kind))], at, NAME[fm_random_below(random, SYMBOLS)]);
    int scale = (int)fm_random_below(random, 2 + i / 1500);
    static const int64_t power[] = {1, 10, 100, 1000};
    int64_t price = (100 + (int64_t)fm_random_below(random, 9)) * power[scale];
    record.venue = fm_slice_of(venue[fm_random_below(random, 3)]);
    record.value = fm_random_normal(random);
    if (record.kind >= FM_BAR) {
        generate_rare(random, &record, price, scale);
        return record;
    }
    record.number[0] = (fm_decimal_number){price, scale};
    record.number[1] = (fm_decimal_number){1 + (int64_t)fm_random_below(random, 9), 0};
    if (record.kind == FM_QUOTE) {
        record.number[2] = (fm_decimal_number){price + power[scale], scale};
        record.number[3] = (fm_decimal_number){(int64_t)fm_random_below(random, 4), 0};
    }
    return record;
}

/* ---- what partitions say to each other ---- */

static struct {
    fm_cross cross;
    char text[FM_CROSS_BYTES];
} said[SAID_MAX];
static uint32_t said_count, told[4]; /* by fm_cross_kind */

static void on_cross(void *context, const fm_cross *cross)
{
    (void)context;
    if (said_count == SAID_MAX) /* a full ring */
        return;
    said[said_count].cross = *cross;
    memcpy(said[said_count++].text, cross->text.data, cross->text.size);
}

static void log_crosses(bed *b, bed_log *log)
{
    for (uint32_t i = 0; i < said_count; i++)
        for (uint64_t left = said[i].cross.targets; left != 0; left &= left - 1) {
            uint32_t p = (uint32_t)__builtin_ctzll(left);
            if (b->partition[p].admission.domain_count == 0 && said[i].cross.kind != FM_CROSS_MEMBER)
                continue;
            if (b->partition[p].admission.domain_count == 0)
                bed_control(b, log, p, FM_DOMAIN, BED_T0, &(fm_control){.index = 0}, FM_SLICE("run"));
            fm_control control = {.index = said[i].cross.kind, .at_sequence = said[i].cross.position};
            bed_control(b, log, p, FM_CROSS, said[i].cross.grid_ns, &control,
                        (fm_slice){said[i].text, said[i].cross.text.size});
            told[said[i].cross.kind]++;
        }
    said_count = 0;
}

static void refer(bed *b, bed_log *log, const fm_reference_set *set)
{
    char hash[33];
    fm_hash128_hex(set->hash, hash);
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        bed_control(b, log, p, FM_REFERENCE, BED_T0, &(fm_control){0}, fm_slice_of(hash));
}

static void live(bed *b, bed_log *log, fm_random *random)
{
    int64_t ts = BED_T0;
    for (uint32_t i = 0, turn = 0; i < RECORDS; turn++) {
        uint32_t commit = 1 + (uint32_t)fm_random_below(random, 90);
        if (turn % 9 == 0)
            refer(b, log, held[turn / 9 % 2]);
        for (uint32_t k = 0; k < commit; k++, i++) {
            fm_record record = generate(random, &ts, i);
            assert_true(bed_admit(b, log, "run", &record) >= 0);
        }
        log_crosses(b, log);
        bed_fold(b, log);
    }
}

/* ---- claims ---- */

static fm_fold_config make_config(uint32_t batch)
{
    fm_fold_config config = bed_config();
    config.batch_max = batch;
    config.reference_of = reference_of;
    config.book = (fm_book_limits){.levels_max = 5, .orders_max = 12};
    config.books_max = 3;
    return config;
}

static bed *open_bed(uint32_t batch, fm_rule_set *set)
{
    fm_fold_config config = make_config(batch);
    bed *b = bed_open(&config);
    bed_know(b, set);
    give_bodies(b, set->count);
    return b;
}

/* The state of one bed as the beginning of another. */
static void restore(bed *to, const bed *from)
{
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        fm_text bytes = {0};
        fm_error error = {0};
        fm_snapshot_put(&from->partition[p], &bytes);
        if (from->partition[p].applied > 0 &&
            fm_snapshot_get(to->fold, &to->partition[p], bytes.data, bytes.size, &error) < 0)
            fail_msg("%s", error.message);
        fm_text_fini(&bytes);
    }
}

static void compare(const bed *b, const bed_log *log, fm_rule_set *set, uint64_t seed)
{
    static const uint32_t batches[] = {1, 2, 7, 64, 1000};
    for (uint32_t i = 0; i < 5; i++) {
        fm_random random;
        fm_random_seed(&random, seed + i);
        bed *other = open_bed(batches[i], set);
        bed_replay(other, log, 0, log->count, i % 2 ? &random : NULL);
        bed_same_alerts(b, other);
        bed_same_state(b, other);
        bed_close(other);
    }
    for (uint32_t i = 0; i < 8; i++) { /* a restart somewhere */
        fm_random random;
        fm_random_seed(&random, seed * 31 + i);
        uint32_t at = (uint32_t)fm_random_below(&random, log->count);
        bed *before = open_bed(64, set), *after = open_bed(16, set);
        bed_replay(before, log, 0, at, NULL);
        restore(after, before);
        bed_same_state(before, after);
        bed_replay(after, log, at, log->count, &random);
        bed_same_state(b, after);
        bed_close(before);
        bed_close(after);
    }
}

static uint64_t seed_of_run(void)
{
    const char *text = getenv("FMADS_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 20261123;
}

/* Bytes that a program with a bug might have written: refused, or a state that can be written again. Never folded on: kernel states are numbers
 * that nobody can check. */
static void damage(bed *b, fm_rule_set *set, uint64_t seed)
{
    fm_random random;
    fm_random_seed(&random, seed);
    uint32_t taken = 0, refused = 0;
    for (uint32_t i = 0; i < 240; i++) {
        uint32_t p = fm_partition_of(fm_slice_of(NAME[i % SYMBOLS]));
        fm_text whole = {0}, again = {0};
        fm_error error = {0};
        fm_snapshot_put(&b->partition[p], &whole);
        size_t size = i % 4 == 0 ? (size_t)fm_random_below(&random, whole.size + 1) : whole.size;
        char *bytes = memcpy(malloc(size + (size == 0)), whole.data, size);
        for (uint64_t flips = 1 + fm_random_below(&random, 3); flips > 0 && size > 0; flips--)
            bytes[fm_random_below(&random, size)] = (char)(fm_random_below(&random, 3) == 0 ? 0xff : fm_random_below(&random, 256));
        bed *other = open_bed(8, set);
        if (fm_snapshot_get(other->fold, &other->partition[p], bytes, size, &error) < 0) {
            assert_true(error.message[0] != '\0');
            refused++;
        } else {
            fm_snapshot_put(&other->partition[p], &again);
            taken++;
        }
        bed_close(other);
        free(bytes);
        fm_text_fini(&whole);
        fm_text_fini(&again);
    }
    assert_true(taken > 0 && refused > 0);
}

static void batches_and_restarts_have_no_meaning(void **unused)
{
    (void)unused;
    for (uint64_t seed = seed_of_run(); seed < seed_of_run() + 4; seed++) {
        printf("seed %llu (FMADS_SEED)\n", (unsigned long long)seed);
        fm_random random;
        fm_random_seed(&random, seed);
        fm_rule_set *set = make_rules();
        bed_log log = {0};
        for (int i = 0; i < 2; i++)
            held[i] = make_reference(&random);
        bed *b = open_bed(64, set);
        b->fold->config.cross = on_cross;
        bed_use(b, &log, set);
        live(b, &log, &random);
        assert_true(b->alert_count > 100 && fm_counter(&b->counters, FM_METRIC_ACTIONS_APPLIED) > 20);
        compare(b, &log, set, seed);
        damage(b, set, seed);
        bed_close(b);
        bed_log_fini(&log);
        free(set);
        for (int i = 0; i < 2; i++)
            fm_reference_free(held[i]);
    }
    assert_true(told[FM_CROSS_MARKET] > 0 && told[FM_CROSS_MEMBER] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_and_restarts_have_no_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
