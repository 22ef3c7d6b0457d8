/* tests/replay/hostile_rules_test.c - rules that loop, fail, fill the memory or are stuck in a pattern: stopped, told with file and line; the
 * others see every record; and a fold of the journal says and knows the same.
 * timeout: 300 */
#include "replay/lab.h"

#include "engine/shard_internal.h"

lab *lab_running;

static const struct {
    const char *name, *text;
} rules[] = {
    {"a_endless", "rule \"a_endless\" {\n"
                  "  state = { n = 0 },\n"
                  "  on_event = function(ctx, e, f, s)\n"
                  "    s.n = s.n + 1\n"
                  "    if s.n % 10 == 0 then ctx.alert { score = s.n } end\n"
                  "    if s.n > 25 then while true do end end\n"
                  "  end,\n  message = \"{symbol}\",\n}\n"},
    {"b_failing", "rule \"b_failing\" {\n"
                  "  state = { n = 0 },\n"
                  "  on_event = function(ctx, e, f, s)\n"
                  "    s.n = s.n + 1\n"
                  "    if s.n % 10 == 0 then ctx.alert { score = s.n } end\n"
                  "    if s.n > 35 then error(\"on purpose\") end\n"
                  "  end,\n  message = \"{symbol}\",\n}\n"},
    {"c_greedy", "rule \"c_greedy\" {\n"
                 "  state = { n = 0 },\n"
                 "  on_event = function(ctx, e, f, s)\n"
                 "    s.n = s.n + 1\n"
                 "    if s.n % 10 == 0 then ctx.alert { score = s.n } end\n"
                 "    if s.n > 45 then\n"
                 "      local kept, text = {}, string.rep(\"x\", 60000)\n"
                 "      for i = 1, 3000 do kept[i] = text .. i end\n"
                 "      assert(#kept > 0)\n"
                 "    end\n"
                 "  end,\n  message = \"{symbol}\",\n}\n"},
    {"d_stuck", "rule \"d_stuck\" {\n"
                "  state = { n = 0 },\n"
                "  on_event = function(ctx, e, f, s)\n"
                "    s.n = s.n + 1\n"
                "    if s.n % 10 == 0 then ctx.alert { score = s.n } end\n"
                "    if s.n > 40 then\n"
                "      local text = string.rep(\"a\", 2000)\n"
                "      if string.find(text, \"a*a*a*a*a*a*a*a*a*a*a*a*b\") then ctx.alert {} end\n"
                "    end\n"
                "  end,\n  message = \"{symbol}\",\n}\n"},
    {"e_good", "rule \"e_good\" {\n"
               "  state = { n = 0 },\n"
               "  on_event = function(ctx, e, f, s)\n"
               "    s.n = s.n + 1\n"
               "    if s.n % 20 == 0 then ctx.alert { score = s.n } end\n"
               "  end,\n  message = \"{symbol}\",\n}\n"},
};
enum { GOOD = 4, RULES = 5 };

static void write_rules(char *folder, size_t size)
{
    char path[400];
    lab_folder(folder, size);
    snprintf(path, sizeof(path), "%s/bad", folder);
    mkdir(path, 0700);
    for (int r = 0; r < RULES; r++) {
        snprintf(path, sizeof(path), "%s/bad/%s.lua", folder, rules[r].name);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(rules[r].text, file);
        fclose(file);
    }
}

static void stopped_somehow(const fm_shard *shard, bool stopped[RULES], char error[RULES][160])
{
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        const fm_partition *partition = &shard->partition[p];
        if (partition->plan == NULL || partition->plan->set->count != RULES)
            continue;
        for (uint32_t r = 0; r < RULES; r++) {
            for (uint32_t k = 0; k < partition->kill_count; k++)
                if (strcmp(partition->kill[k].rule, partition->plan->set->rule[r].id) == 0) {
                    stopped[r] = true;
                    memcpy(error[r], partition->kill[k].reason, sizeof(error[r]));
                }
            for (uint32_t d = 0; d < partition->domain_count; d++)
                if (partition->domain[d].health[r].quarantined) {
                    stopped[r] = true;
                    memcpy(error[r], partition->domain[d].health[r].error, sizeof(error[r]));
                }
        }
    }
}

/* The good rule's own counter, instrument by instrument. */
static void the_good_rule_saw_every_record(const fm_shard *shard)
{
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
        for (uint32_t s = 0; s < shard->partition[p].series_count; s++) {
            const fm_series *series = shard->partition[p].series[s];
            int at = fm_layout_rule(series->layout, GOOD);
            assert_true(at >= 0);
            assert_true(fm_block_rule(series->layout, series->block, (uint32_t)at)->slot[0] == (double)series->records);
        }
}

static void hostile_rules_are_stopped_and_the_rest_goes_on(void **unused)
{
    (void)unused;
    lab l;
    char directory[256], folder[256];
    lab_records records = {0};
    lab_generate(&records, 31, 8000);
    write_rules(folder, sizeof(folder));
    lab_folder(directory, sizeof(directory));
    for (uint32_t shards = 1; shards <= 2; shards++) {
        lab_options options = {.shards = shards, .batch = 128, .rules = folder, .snapshots = true, .sync = FM_SYNC_INTERVAL};
        bool stopped[RULES] = {false};
        char error[RULES][160];
        uint32_t unique, again;
        lab_remove(directory);
        mkdir(directory, 0700);
        lab_open(&l, directory, &options);
        for (uint32_t at = 0; at < records.count; at += 128)
            lab_send(&l, "run", &records.record[at], records.count - at < 128 ? records.count - at : 128);
        lab_send(&l, "run", NULL, 0);
        atomic_store(&l.stop, true);
        for (uint32_t i = 1; i < shards; i++)
            pthread_join(l.thread[i], NULL);
        for (uint32_t i = 0; i < shards; i++) {
            stopped_somehow(fm_engine_shard(l.engine, i), stopped, error);
            the_good_rule_saw_every_record(fm_engine_shard(l.engine, i));
        }
        for (int r = 0; r < RULES; r++) {
            if (stopped[r])
                printf("%s: %s\n", rules[r].name, error[r]);
            char place[64];
            snprintf(place, sizeof(place), "bad/%s.lua:", rules[r].name);
            assert_int_equal(stopped[r], r != GOOD);
            if (stopped[r])
                assert_true(strncmp(error[r], place, strlen(place)) == 0 && atoi(error[r] + strlen(place)) >= 3);
        }
        l.options.shards = 1; /* the other threads have ended already */
        for (uint32_t i = 1; i < shards; i++) {
            fm_shard_turn(fm_engine_shard(l.engine, i));
            fm_shard_snapshot(fm_engine_shard(l.engine, i));
        }
        lab_close(&l, true);
        for (uint32_t i = 1; i < shards; i++)
            fm_host_destroy(l.host[i]);
        fm_hash128 said = lab_digest(l.body, l.body_count, &unique);
        lab_free_bodies(&l);
        assert_true(unique > 200);
        lab_verify(directory);
        fm_hash128 replayed = lab_replayed(directory, 1, 17, &again);
        assert_int_equal(again, unique);
        assert_memory_equal(&said, &replayed, sizeof(said));
    }
    lab_remove(directory);
    lab_remove(folder);
    free(records.record);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_rules_are_stopped_and_the_rest_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
