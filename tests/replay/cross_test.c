/* tests/replay/cross_test.c - kernels that are told of sessions, markets and sectors: three shards tell each other while they run, and a fold of the
 * journal, with other shards and batches, says the same bytes though nobody tells it anything.
 * timeout: 300
 * labels: tsan */
#include "replay/however.h"

#include "kernels/kernel.h"

lab *lab_running;

enum { NAMES = 7, SECONDS = 1500 };

static const char *const NAME[NAMES] = {"AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "MKT"};
static const char *const RULE[] = {"session_profile { bucket = 1, sessions = 1 }", "market_beta { interval = 5, half_life = 120 }",
                                   "market_correlation { window = 120 }", "lead_lag { interval = 5, half_life = 300 }",
                                   "cross_rank { of = feature.log_return { window = 60 } }"};
#define RULES (sizeof(RULE) / sizeof(RULE[0]))

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(fm_folder_make(path), 0);
    *slash = '/';
    assert_int_equal(fm_file_replace(&fm_file_system, path, text, strlen(text)), 0);
}

static void write_rules(const char *folder)
{
    char name[100], text[1000];
    for (size_t r = 0; r < RULES; r++) {
        snprintf(name, sizeof(name), "rules/told/r%zu.lua", r);
        snprintf(text, sizeof(text),
                 "rule \"r%zu\" {\n  needs = { a = feature.%s },\n  match = { class = \"stock\" },\n  state = { n = 0, sum = 0 },\n"
                 "  on_event = function(ctx, e, f, s)\n    s.n, s.sum = s.n + 1, s.sum / 2 + f.a\n"
                 "    if s.n %% 50 == 0 then ctx.alert { score = s.sum } end\n  end,\n  alerts_per_minute = 60000,\n}\n",
                 r, RULE[r]);
        write_file(folder, name, text);
    }
}

/* Sessions of ten minutes each weekday: those of the test are three days' worth of them, back to back in its clock. */
static void write_reference(const char *folder)
{
    char text[1000] = "symbol,class,sector,market,calendar\n";
    write_file(folder, "reference/calendars/T.json",
               "{\"zone\":\"UTC\",\"sessions\":[{\"days\":[\"sun\",\"mon\",\"tue\",\"wed\",\"thu\",\"fri\",\"sat\"],\"open\":\"12:00\",\"close\":\"12:10\"}]}");
    for (int n = 0; n < NAMES - 1; n++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s,stock,letters,MKT,T\n", NAME[n]);
    write_file(folder, "reference/instruments.csv", text);
}

static void generate(lab_records *records)
{
    fm_random random;
    fm_random_seed(&random, 11);
    double price[NAMES];
    for (int n = 0; n < NAMES; n++)
        price[n] = 10000 + 100 * n;
    for (int t = 0; t < SECONDS; t++) {
        double common = fm_random_normal(&random);
        int day = t / 500;
        int64_t ts_ns = (INT64_C(1399032000) + 86400 * day + t % 500) * FM_NS_PER_S; /* from 12:00 UTC on three days */
        for (int n = 0; n < NAMES; n++) {
            price[n] *= 1 + 2e-4 * (n == NAMES - 1 ? common : 0.5 * common + fm_random_normal(&random));
            fm_record record = lab_record(FM_TRADE, ts_ns + (int64_t)fm_random_below(&random, FM_NS_PER_S), NAME[n]);
            record.number[0] = (fm_decimal_number){(int64_t)price[n], 2};
            record.number[1] = (fm_decimal_number){100, 0};
            lab_add(records, &record);
        }
    }
}

static void every_rule_spoke(const lab *l)
{
    for (size_t r = 0; r < RULES; r++) {
        char id[40];
        bool spoke = false;
        snprintf(id, sizeof(id), "\"told/r%zu\"", r);
        for (uint32_t i = 0; i < l->body_count && !spoke; i++)
            spoke = strstr(l->body[i], id) != NULL;
        if (!spoke)
            fail_msg("%s said nothing", RULE[r]);
    }
}

static void what_shards_told_each_other_is_in_the_journal(void **unused)
{
    (void)unused;
    lab l;
    char directory[256], files[256], rules[300], reference[300];
    uint32_t live_count, count;
    lab_records records = {0};
    lab_folder(files, sizeof(files));
    lab_folder(directory, sizeof(directory));
    write_rules(files);
    write_reference(files);
    snprintf(rules, sizeof(rules), "%s/rules", files);
    snprintf(reference, sizeof(reference), "%s/reference", files);
    generate(&records);
    lab_options options = {.shards = 3, .batch = 64, .rules = rules, .reference = reference, .snapshots = true, .sync = FM_SYNC_INTERVAL};
    lab_open(&l, directory, &options);
    send_all(&l, &records, 0, records.count, 70);
    lab_close(&l, true);
    every_rule_spoke(&l);
    fm_hash128 live = finish(&l, &live_count), got;
    verify_must_agree(directory);
    got = lab_replayed(directory, 1, 1000, &count);
    same("one shard, batches of 1000", live, live_count, got, count);
    got = lab_replayed(directory, 2, 7, &count);
    same("two shards, batches of 7", live, live_count, got, count);
    lab_remove(directory);
    lab_remove(files);
    free(records.record);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_shards_told_each_other_is_in_the_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
