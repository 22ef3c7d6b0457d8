/* tests/replay/reload_test.c - rules change while records come: a changed rule is another rule from there on, an unchanged one notices
 * nothing, a bad file changes nothing, and a fold of the journal goes through the same generations.
 * timeout: 300
 * labels: tsan */
#include "replay/lab.h"

#include "engine/shard_internal.h"

lab *lab_running;

static const char counts[] = "-- counts: every 50th record of an instrument.\n"
                             "rule \"counts\" {\n"
                             "  state = { n = 0 },\n"
                             "  on_event = function(ctx, e, f, s)\n"
                             "    s.n = s.n + 1\n"
                             "    if s.n % 50 == 0 then ctx.alert { score = s.n } end\n"
                             "  end,\n"
                             "  message = \"{symbol}\",\n"
                             "}\n";
static const char moves[] = "-- moves: up within a second.\n"
                            "rule \"moves\" {\n"
                            "  needs = { far = feature.log_return { window = \"1s\" } },\n"
                            "  when = function(f) return f.far > %s end,\n"
                            "  message = \"{symbol} {far:.6f}\",\n"
                            "}\n";
static const char bad[] = "rule \"moves\" {\n  needs = { gap = feature.spread {} }, when = function(f) return f.nothing > 1 end,\n}\n";

typedef struct rule_folder {
    char path[256];
} rule_folder;

static void write_rule(const rule_folder *folder, const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/lab", folder->path);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/lab/%s.lua", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_moves(const rule_folder *folder, const char *threshold)
{
    char text[1000];
    snprintf(text, sizeof(text), moves, threshold);
    write_rule(folder, "moves", text);
}

static void make_folder(rule_folder *folder)
{
    lab_folder(folder->path, sizeof(folder->path));
    write_rule(folder, "counts", counts);
    write_moves(folder, "0.0006");
}

static void send_part(lab *l, const lab_records *records, uint32_t from, uint32_t to)
{
    for (uint32_t at = from; at < to; at += 97)
        lab_send(l, "run", &records->record[at], to - at < 97 ? to - at : 97);
}

static uint32_t of_rule(const lab *l, const char *rule)
{
    char text[100];
    uint32_t count = 0;
    snprintf(text, sizeof(text), "\"rule\":{\"id\":\"%s\"", rule);
    for (uint32_t i = 0; i < l->body_count; i++)
        count += strstr(l->body[i], text) != NULL;
    return count;
}

/* Three parts of the records; before the second and the third the rules become what `change` makes of them. */
static void run_in_parts(const lab_records *records, uint32_t shards, void (*change)(const rule_folder *folder, int part), lab *l, char *directory,
                         size_t directory_size)
{
    rule_folder folder;
    make_folder(&folder);
    lab_folder(directory, directory_size);
    lab_options options = {.shards = shards, .batch = 64, .rules = folder.path, .snapshots = true, .sync = FM_SYNC_INTERVAL};
    lab_open(l, directory, &options);
    for (uint32_t part = 0; part < 3; part++) {
        if (part > 0 && change != NULL) {
            change(&folder, (int)part);
            lab_rules(l, folder.path);
        }
        send_part(l, records, records->count / 3 * part, records->count / 3 * (part + 1));
    }
    lab_close(l, true);
    lab_remove(folder.path);
}

static void there_and_back(const rule_folder *folder, int part)
{
    write_moves(folder, part == 1 ? "0.0001" : "0.0006");
}

static void rules_go_back_to_what_they_were(void **unused)
{
    (void)unused;
    lab_records records = {0};
    lab l;
    char directory[256];
    uint32_t unique, again;
    lab_generate(&records, 5, 6000);
    run_in_parts(&records, 1, there_and_back, &l, directory, sizeof(directory));
    fm_hash128 said = lab_digest(l.body, l.body_count, &unique);
    lab_free_bodies(&l);
    lab_verify(directory);
    fm_hash128 replayed = lab_replayed(directory, 1, 7, &again);
    assert_int_equal(again, unique);
    assert_memory_equal(&said, &replayed, sizeof(said));
    lab_remove(directory);
    free(records.record);
}

/* The files of one writer hold all generations, and those of the next begin with the first one again. */
static void recovery_goes_through_the_generations_of_every_writer(void **unused)
{
    (void)unused;
    lab_records records = {0};
    lab l;
    char directory[256];
    uint32_t unique, again;
    lab_generate(&records, 6, 6000);
    run_in_parts(&records, 3, there_and_back, &l, directory, sizeof(directory));
    fm_hash128 said = lab_digest(l.body, l.body_count, &unique);
    lab_free_bodies(&l);
    for (uint32_t shards = 1; shards <= 2; shards++) {
        fm_hash128 replayed = lab_replayed(directory, shards, 1000, &again);
        assert_int_equal(again, unique);
        assert_memory_equal(&said, &replayed, sizeof(said));
    }
    lab_remove(directory);
    free(records.record);
}

static void remove_rule(const rule_folder *folder, const char *name)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/lab/%s.lua", folder->path, name);
    assert_int_equal(unlink(path), 0);
}

static void all_go(const rule_folder *folder, int part)
{
    if (part == 1)
        return;
    remove_rule(folder, "counts");
    remove_rule(folder, "moves");
}

/* No rules are a generation too: a snapshot of it is found again, and no record says again what is already so. */
static void all_rules_may_go(void **unused)
{
    (void)unused;
    lab_records records = {0};
    lab l;
    char directory[256], folder[256];
    lab_generate(&records, 9, 3000);
    run_in_parts(&records, 1, all_go, &l, directory, sizeof(directory));
    lab_free_bodies(&l);
    lab_verify(directory);
    lab_folder(folder, sizeof(folder));
    uint64_t entries[2];
    for (int again = 0; again < 2; again++) {
        lab_options options = {.shards = 1, .batch = 64, .rules = folder, .snapshots = true, .sync = FM_SYNC_INTERVAL};
        lab_open(&l, directory, &options);
        entries[again] = 0;
        for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
            entries[again] += fm_engine_shard(l.engine, 0)->partition[p].applied;
        lab_close(&l, true);
        lab_free_bodies(&l);
    }
    assert_int_equal(entries[0], entries[1]);
    lab_remove(directory);
    lab_remove(folder);
    free(records.record);
}

static void an_unchanged_rule_notices_nothing(void **unused)
{
    (void)unused;
    lab_records records = {0};
    lab still, changed;
    char first[256], second[256];
    uint32_t same = 0;
    lab_generate(&records, 7, 6000);
    run_in_parts(&records, 1, NULL, &still, first, sizeof(first));
    run_in_parts(&records, 1, there_and_back, &changed, second, sizeof(second));
    assert_true(of_rule(&still, "lab/counts") > 20);
    assert_int_equal(of_rule(&still, "lab/counts"), of_rule(&changed, "lab/counts"));
    assert_true(of_rule(&changed, "lab/moves") > of_rule(&still, "lab/moves"));
    for (uint32_t i = 0, j = 0; i < still.body_count; i++) { /* to the byte, in the order in which they came */
        if (strstr(still.body[i], "lab/counts") == NULL)
            continue;
        while (strstr(changed.body[j], "lab/counts") == NULL)
            j++;
        assert_string_equal(still.body[i], changed.body[j]);
        j++;
        same++;
    }
    assert_int_equal(same, of_rule(&still, "lab/counts"));
    lab_free_bodies(&still);
    lab_free_bodies(&changed);
    lab_remove(first);
    lab_remove(second);
    free(records.record);
}

static void a_bad_file_leaves_the_old_rules(void **unused)
{
    (void)unused;
    lab_records records = {0};
    rule_folder folder;
    lab l, still;
    char directory[256], other[256];
    lab_generate(&records, 8, 3000);
    run_in_parts(&records, 1, NULL, &still, other, sizeof(other));
    make_folder(&folder);
    lab_folder(directory, sizeof(directory));
    lab_options options = {.shards = 1, .batch = 64, .rules = folder.path, .snapshots = true, .sync = FM_SYNC_INTERVAL};
    lab_open(&l, directory, &options);
    send_part(&l, &records, 0, 1500);
    write_rule(&folder, "moves", bad);
    const fm_rule_set *set = NULL;
    fm_rule_load report;
    fm_error error = {0};
    assert_int_equal(fm_generations_load(l.generations, folder.path, &set, &report, &error), FM_ERULE);
    assert_null(set);
    bool told = false;
    for (uint32_t i = 0; i < report.report_count; i++)
        told |= !report.report[i].ok && strstr(report.report[i].file, "moves.lua") != NULL && report.report[i].error.line == 2 &&
                strstr(report.report[i].error.message, "nothing") != NULL;
    assert_true(told);
    fm_rules_load_free(&report);
    send_part(&l, &records, 1500, 3000);
    lab_close(&l, true);
    uint32_t unique, unique_still;
    fm_hash128 said = lab_digest(l.body, l.body_count, &unique), said_still = lab_digest(still.body, still.body_count, &unique_still);
    assert_int_equal(unique, unique_still);
    assert_memory_equal(&said, &said_still, sizeof(said));
    lab_verify(directory);
    lab_free_bodies(&l);
    lab_free_bodies(&still);
    lab_remove(folder.path);
    lab_remove(directory);
    lab_remove(other);
    free(records.record);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_go_back_to_what_they_were),
        cmocka_unit_test(recovery_goes_through_the_generations_of_every_writer),
        cmocka_unit_test(all_rules_may_go),
        cmocka_unit_test(an_unchanged_rule_notices_nothing),
        cmocka_unit_test(a_bad_file_leaves_the_old_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
