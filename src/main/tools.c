/* main/tools.c - subcommands that look at files of a server: rules, config, journal. */
#include "base/log.h"
#include "journal/dump.h"
#include "journal/journal.h"
#include "main/data_dir.h"
#include "main/settings.h"
#include "script/host.h"
#include "tool/tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool take_flag(int *argc, char **argv, const char *name)
{
    for (int i = 1; i < *argc; i++)
        if (strcmp(argv[i], name) == 0) {
            memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof(*argv));
            --*argc;
            return true;
        }
    return false;
}

static const char *take_value(int *argc, char **argv, const char *name)
{
    for (int i = 1; i + 1 < *argc; i++)
        if (strcmp(argv[i], name) == 0) {
            const char *value = argv[i + 1];
            memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof(*argv));
            *argc -= 2;
            return value;
        }
    return NULL;
}

/* ---- rules ---- */

static void print_file(const fm_rule_report *file, bool json, bool first)
{
    if (!json) {
        printf("%-6s %-40s %u rule%s, %u test%s", file->ok ? "ok" : "FAILED", file->file, file->rules, file->rules == 1 ? "" : "s", file->tests,
               file->tests == 1 ? "" : "s");
        if (file->tests_failed > 0)
            printf(", %u failed", file->tests_failed);
        putchar('\n');
        if (!file->ok) {
            printf("       %s:%d: %s\n", file->error.file[0] ? file->error.file : file->file, file->error.line, file->error.message);
            if (file->error.hint[0])
                printf("       hint: %s\n", file->error.hint);
        }
        return;
    }
    fm_text text = {0};
    fm_text_put(&text, first ? "" : ",");
    fm_text_put(&text, "{\"file\":");
    fm_text_json(&text, fm_slice_of(file->file));
    fm_text_printf(&text, ",\"ok\":%s,\"rules\":%u,\"tests\":%u,\"tests_failed\":%u,\"line\":%d,\"message\":", file->ok ? "true" : "false", file->rules,
                   file->tests, file->tests_failed, file->error.line);
    fm_text_json(&text, fm_slice_of(file->error.message));
    fm_text_put(&text, "}");
    fputs(text.data, stdout);
    fm_text_fini(&text);
}

static void print_rule(const fm_rule *rule, bool json, bool first)
{
    static const char *const severity[] = {"info", "warning", "error", "critical"};
    char hash[33];
    fm_hash128_hex(rule->hash, hash);
    if (json) {
        printf("%s{\"id\":\"%s\",\"version\":%u,\"hash\":\"%s\",\"severity\":\"%s\",\"file\":\"%s\",\"line\":%d,\"needs\":[", first ? "" : ",", rule->id,
               rule->version, hash, severity[rule->severity], rule->file, rule->line);
        for (uint32_t i = 0; i < rule->need_count; i++)
            printf("%s\"%s\"", i > 0 ? "," : "", rule->needs[i].kernel->name);
        printf("]}");
        return;
    }
    printf("%-32s v%-3u %-8s %.12s ", rule->id, rule->version, severity[rule->severity], hash);
    for (uint32_t i = 0; i < rule->need_count; i++)
        printf(" %s=%s", rule->needs[i].name, rule->needs[i].kernel->name);
    putchar('\n');
}

int fm_tool_rules(int argc, char **argv)
{
    bool json = take_flag(&argc, argv, "--json");
    const char *what = argc > 1 ? argv[1] : "";
    bool list = strcmp(what, "list") == 0;
    if (!list && strcmp(what, "check") != 0 && strcmp(what, "test") != 0)
        return fm_tool_usage_error("rules", *what ? "there is no \"rules %s\"" : "it takes check, test or list%s", what);
    if (argc > 3)
        return fm_tool_usage_error("rules", "one folder at a time");
    const char *folder = argc > 2 ? argv[2] : "rules";
    fm_rule_load load;
    fm_error error = {0};
    int result = fm_rules_load(folder, &load, &error);
    if (result < 0 && load.report_count == 0) {
        fm_rules_load_free(&load);
        return fm_tool_failed(&error);
    }
    uint32_t rules = 0, tests = 0, failed = 0;
    printf("%s", json ? "{\"items\":[" : "");
    for (uint32_t i = 0; i < load.report_count; i++) {
        if (!list)
            print_file(&load.report[i], json, i == 0);
        rules += load.report[i].rules;
        tests += load.report[i].tests;
        failed += !load.report[i].ok;
    }
    for (uint32_t i = 0; list && load.set != NULL && i < load.set->count; i++)
        print_rule(&load.set->rule[i], json, i == 0);
    if (json)
        printf("],\"files\":%u,\"rules\":%u,\"tests\":%u,\"failed\":%u}\n", load.report_count, rules, tests, failed);
    else
        printf("%u file%s, %u rule%s, %u test%s: %s\n", load.report_count, load.report_count == 1 ? "" : "s", rules, rules == 1 ? "" : "s", tests,
               tests == 1 ? "" : "s", failed == 0 && result >= 0 ? "ok" : "FAILED");
    if (result < 0 && failed == 0)
        fm_tool_failed(&error);
    fm_rules_load_free(&load);
    return result < 0 ? FM_EXIT_FOUND : FM_EXIT_OK;
}

/* ---- config ---- */

int fm_tool_config(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "check") != 0 || argc > 3)
        return fm_tool_usage_error("config", "it takes check and one file");
    char option[] = "--config";
    char *arguments[4] = {argv[0], option, argc > 2 ? argv[2] : NULL, NULL};
    int count = argc > 2 ? 3 : 1;
    fm_settings settings;
    fm_error error = {0};
    if (fm_settings_read(&settings, &count, arguments, &error) < 0) {
        fm_tool_failed(&error);
        return FM_EXIT_FOUND;
    }
    printf("ok\n");
    return FM_EXIT_OK;
}

/* ---- journal ---- */

static int parse(const char *command, const char *name, const char *text, uint64_t preset, uint64_t *out)
{
    char *end;
    *out = text != NULL ? strtoull(text, &end, 10) : preset;
    return text != NULL && (*text == 0 || *end != 0) ? fm_tool_usage_error(command, "%s takes a number, not \"%s\"", name, text) : 0;
}

int fm_tool_journal(int argc, char **argv)
{
    fm_settings settings;
    fm_error error = {0};
    take_flag(&argc, argv, "--json"); /* its lines are JSON anyway */
    const char *partition_text = take_value(&argc, argv, "--partition");
    const char *from_text = take_value(&argc, argv, "--from"), *limit_text = take_value(&argc, argv, "--limit");
    uint64_t partition, from, limit;
    int usage = parse("journal", "--partition", partition_text, FM_PARTITION_COUNT, &partition);
    usage = usage ? usage : parse("journal", "--from", from_text, 1, &from);
    usage = usage ? usage : parse("journal", "--limit", limit_text, UINT64_MAX, &limit);
    if (usage != 0)
        return usage;
    if (partition_text != NULL && partition >= FM_PARTITION_COUNT)
        return fm_tool_usage_error("journal", "--partition is 0 to %d", FM_PARTITION_COUNT - 1);
    if (fm_settings_read(&settings, &argc, argv, &error) < 0)
        return fm_tool_failed(&error);
    if (argc != 2 || strcmp(argv[1], "dump") != 0)
        return fm_tool_usage_error("journal", "it takes dump");
    fm_journal_config config = {.layer = &fm_file_system, .writer_count = 1, .read_only = true, .segment_bytes = (uint64_t)settings.journal_segment_bytes,
                                .retain_bytes = (uint64_t)settings.journal_retain_bytes};
    char directory[560];
    snprintf(directory, sizeof(directory), "%s/journal", settings.data_dir);
    config.directory = directory;
    fm_journal *journal;
    if (fm_journal_open(&config, &journal, &error) < 0)
        return fm_tool_failed(&error);
    fm_journal_dump_options options = {.partitions = partition_text != NULL ? UINT64_C(1) << partition : UINT64_MAX, .from = from, .limit = limit};
    int result = fm_journal_dump(journal, &options, stdout, &error);
    fm_journal_close(journal);
    return result < 0 ? fm_tool_failed(&error) : FM_EXIT_OK;
}
