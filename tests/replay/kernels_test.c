/* tests/replay/kernels_test.c - the determinism contract for every kernel there is, and for bars, books by level and books by order.
 * timeout: 600
 *
 * The rules are made from the table of kernels: one for each, with short windows, whose handler sums what the kernel says and tells it now and
 * then. Live, recovered with and without a snapshot, with other shards and batches, and verified: the same bytes. */
#include "replay/however.h"

#include "kernels/kernel.h"

lab *lab_running;

enum { RECORDS = 5000 };

/* ---- rules ---- */

/* Short enough to be warm after a few thousand records. */
static double shortened(const fm_field *param)
{
    static const struct {
        const char *name;
        double value;
    } wanted[] = {{"window", 20}, {"half_life", 3}, {"interval", 3}, {"memory", 20}, {"season", 10}, {"count", 24}, {"sample", 16}, {"trees", 4}, {"depth", 4},
                  {"kept", 16},   {"cuts", 8},      {"chains", 4},  {"warm", 16},  {"run", 8},     {"volume", 50}};
    double value = param->preset;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (strcmp(param->name, wanted[i].name) == 0)
            value = wanted[i].value;
    return value < param->low ? param->low : value > param->high ? param->high : value;
}

static void write_rule(const char *folder, const fm_kernel *kernel)
{
    char path[400];
    bool many = fm_kernel_field_index(kernel->inputs, "x2") >= 0;
    snprintf(path, sizeof(path), "%s/kernel/k_%s.lua", folder, kernel->name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "rule \"k_%s\" {\n  needs = { a = %s.%s {", kernel->name, kernel->kind == FM_KERNEL_FEATURE ? "feature" : "detector", kernel->name);
    for (const fm_field *param = kernel->params; param->name != NULL; param++)
        if (!many || strcmp(param->name, "dims") != 0)
            fprintf(out, " %s = %.17g,", param->name, shortened(param));
    fprintf(out, "%s } },\n", many ? " of = { feature.log_return {}, feature.spread {}, feature.trade_sign {} }" : "");
    fprintf(out, "  state = { n = 0, sum = 0 },\n"
                 "  on_event = function(ctx, e, f, s)\n"
                 "    s.n, s.sum = s.n + 1, s.sum / 2 + f.a\n"
                 "    if s.n %% 20 == 0 then ctx.alert { score = s.sum } end\n"
                 "  end,\n"
                 "  alerts_per_minute = 60000,\n}\n");
    fclose(out);
}

/* Made of reference data or other instruments, not of the records of one: tests/replay/cross_test.c has them. */
static bool needs_reference(const fm_kernel *kernel)
{
    static const char *const inputs[] = {"market", "sector_mean", "sector_sd", "sector_rank", "session_minute", "day_type"};
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        if (fm_kernel_field_index(kernel->inputs, inputs[i]) >= 0)
            return true;
    return false;
}

static uint32_t write_rules(char *folder, size_t size)
{
    char path[400];
    uint32_t count = 0;
    lab_folder(folder, size);
    snprintf(path, sizeof(path), "%s/kernel", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    for (const fm_kernel *const *kernel = fm_kernels; *kernel != NULL; kernel++)
        if (!needs_reference(*kernel)) {
            write_rule(folder, *kernel);
            count++;
        }
    return count;
}

/* ---- records ---- */

static fm_record level_of(fm_random *random, int64_t ts, const char *symbol, int64_t ticks)
{
    fm_record record = lab_record(FM_BOOK, ts, symbol);
    record.side = (uint8_t)(FM_BUY + fm_random_below(random, 2));
    int64_t away = 1 + (int64_t)fm_random_below(random, 12);
    record.number[0] = (fm_decimal_number){record.side == FM_BUY ? ticks - away : ticks + away, 2};
    record.number[1] = (fm_decimal_number){(int64_t)fm_random_below(random, 30), 0};
    record.action = record.number[1].mantissa > 0 ? FM_BOOK_SET : FM_BOOK_DELETE;
    record.order_count = (uint32_t)fm_random_below(random, 5);
    record.book_flags = fm_random_below(random, 4) == 0 ? FM_FLAG_MORE : 0;
    record.venue = FM_SLICE("LEVELS");
    if (fm_random_below(random, 200) == 0)
        record.action = FM_BOOK_CLEAR;
    return record;
}

static fm_record order_of(fm_random *random, int64_t ts, const char *symbol, int64_t ticks)
{
    static const uint8_t actions[] = {FM_ORDER_ADD, FM_ORDER_ADD, FM_ORDER_ADD, FM_ORDER_MODIFY, FM_ORDER_CANCEL, FM_ORDER_EXECUTE, FM_ORDER_FILL};
    fm_record record = lab_record(FM_ORDER, ts, symbol);
    record.action = actions[fm_random_below(random, 7)];
    record.side = (uint8_t)(FM_BUY + fm_random_below(random, 2));
    int64_t away = 1 + (int64_t)fm_random_below(random, 6);
    record.number[0] = (fm_decimal_number){record.side == FM_BUY ? ticks - away : ticks + away, 2};
    record.number[1] = (fm_decimal_number){1 + (int64_t)fm_random_below(random, 30), 0};
    record.order_id = fm_random_below(random, 40); /* known ones, twice, and strangers */
    record.account = (uint32_t)fm_random_below(random, 3);
    record.book_flags = fm_random_below(random, 6) == 0 ? FM_FLAG_MORE : 0;
    record.venue = FM_SLICE("ORDERS");
    if (fm_random_below(random, 300) == 0)
        record.action = FM_ORDER_CLEAR;
    return record;
}

static fm_record bar_of(fm_random *random, int64_t ts, const char *symbol, int64_t ticks)
{
    fm_record record = lab_record(FM_BAR, ts, symbol);
    int64_t up = (int64_t)fm_random_below(random, 9), down = (int64_t)fm_random_below(random, 9);
    int64_t range = up + down + 1;
    const int64_t price[] = {ticks - down + (int64_t)fm_random_below(random, (uint64_t)range), ticks + up, ticks - down,
                             ticks - down + (int64_t)fm_random_below(random, (uint64_t)range)};
    for (int i = 0; i < 4; i++)
        record.number[i] = (fm_decimal_number){price[i], 2};
    record.interval_ns = FM_NS_PER_S;
    record.volume = (fm_decimal_number){(int64_t)fm_random_below(random, 5000), 0};
    record.buy_volume = (fm_decimal_number){FM_ABSENT, 0};
    record.trade_count = FM_SEQ_ABSENT;
    return record;
}

static fm_record tick_of(fm_random *random, int64_t ts, const char *symbol, int64_t ticks)
{
    bool quote = fm_random_below(random, 2) == 0;
    fm_record record = lab_record(quote ? FM_QUOTE : FM_TRADE, ts, symbol);
    int64_t half = 1 + (int64_t)fm_random_below(random, 4);
    record.side = quote ? 0 : (uint8_t)fm_random_below(random, 3);
    record.number[0] = (fm_decimal_number){quote ? ticks - half : ticks, 2};
    record.number[1] = (fm_decimal_number){1 + (int64_t)fm_random_below(random, 500), 0};
    if (quote) {
        record.number[2] = (fm_decimal_number){ticks + half, 2};
        record.number[3] = (fm_decimal_number){1 + (int64_t)fm_random_below(random, 500), 0};
    }
    return record;
}

/* Three instruments with all kinds of records; one has bars alone, one levels alone, one orders alone. */
static void generate(lab_records *records, uint64_t seed)
{
    static const char *const symbols[] = {"ALL1", "ALL2", "ALL3", "BARS", "LEVELS", "ORDERS"};
    fm_record (*const make[])(fm_random *, int64_t, const char *, int64_t) = {tick_of, tick_of, bar_of, level_of, order_of};
    fm_random random;
    fm_random_seed(&random, seed);
    int64_t ts = INT64_C(1399033800) * FM_NS_PER_S, ticks[6];
    for (int i = 0; i < 6; i++)
        ticks[i] = 10000 + 1000 * i;
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint32_t s = (uint32_t)fm_random_below(&random, 6), kind = (uint32_t)fm_random_below(&random, 5);
        ts += (int64_t)fm_random_below(&random, 100 * FM_NS_PER_MS);
        ticks[s] += (int64_t)fm_random_below(&random, 5) - 2;
        int64_t at = fm_random_below(&random, 60) == 0 ? ts - (int64_t)fm_random_below(&random, FM_NS_PER_S) : ts;
        fm_record record = make[s < 3 ? kind : s - 1](&random, at, symbols[s], ticks[s]);
        if (i > RECORDS / 2 && s == 0) /* a finer scale from here on */
            record.number[0] = (fm_decimal_number){10 * record.number[0].mantissa, 3};
        lab_add(records, &record);
    }
}

/* ---- */

/* A kernel that never says a word would be equal to anything: the digest of one shard, and that each has spoken. */
static fm_hash128 run_and_listen(const char *rules, const lab_records *records, uint32_t *count)
{
    lab l;
    char directory[256], rule[100];
    lab_folder(directory, sizeof(directory));
    lab_options options = {.shards = 1, .batch = 1000, .rules = rules, .sync = FM_SYNC_INTERVAL};
    lab_open(&l, directory, &options);
    send_all(&l, records, 0, records->count, 1000);
    lab_close(&l, false);
    for (const fm_kernel *const *kernel = fm_kernels; *kernel != NULL; kernel++) {
        bool spoke = needs_reference(*kernel);
        snprintf(rule, sizeof(rule), "\"kernel/k_%s\"", (*kernel)->name);
        for (uint32_t i = 0; i < l.body_count && !spoke; i++)
            spoke = strstr(l.body[i], rule) != NULL;
        if (!spoke)
            fail_msg("%s said nothing", (*kernel)->name);
    }
    fm_hash128 digest = finish(&l, count);
    lab_remove(directory);
    return digest;
}

static void every_kernel_says_the_same_bytes_however_it_is_run(void **unused)
{
    (void)unused;
    char rules[256];
    uint32_t kernels = write_rules(rules, sizeof(rules)), expected_count, count;
    const char *text = getenv("FMADS_SEED");
    uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : 20140502;
    lab_records records = {0};
    generate(&records, seed);
    fm_hash128 expected = run_and_listen(rules, &records, &expected_count), got;
    printf("seed %llu (FMADS_SEED), %u kernels, %u records, %u alerts\n", (unsigned long long)seed, kernels, records.count, expected_count);
    assert_true(expected_count > 10 * kernels);
    got = run_live(rules, &records, 3, 7, &count);
    same("3 shards, batches of 7", expected, expected_count, got, count);
    for (int snapshot = 0; snapshot < 2; snapshot++) {
        got = run_recovered(rules, &records, RECORDS / 2 + 311, snapshot, &count);
        same(snapshot ? "recovered from a snapshot" : "recovered from the journal", expected, expected_count, got, count);
    }
    lab_remove(rules);
    free(records.record);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_says_the_same_bytes_however_it_is_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
