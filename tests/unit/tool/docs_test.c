/* The documents name everything that the tables hold: settings, metrics, reasons, routes, subcommands. What is added to
 * a table and not told is found here. */
#include "assert_near.h"
#include "base/file.h"
#include "base/slice.h"
#include "ingest/file_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_text(const char *name)
{
    char path[512], *text = NULL;
    size_t size;
    snprintf(path, sizeof(path), "%s/%s", FMADS_SOURCE_DIR, name);
    if (fm_file_read_all(&fm_file_system, path, 1 << 20, &text, &size) < 0)
        fail_msg("could not read %s", path);
    return text;
}

/* Every row of a table whose line begins with `row`: what stands between `from` and `to` must stand, in `mark`s, in the
 * document. */
static void assert_told(const char *table, const char *row, const char *from, const char *to, const char *document,
                        const char *mark)
{
    char *rows = read_text(table), *told = read_text(document);
    int count = 0;
    for (char *line = rows; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, row, strlen(row)) != 0)
            continue;
        char *begin = strstr(line, from);
        assert_non_null(begin);
        begin += strlen(from);
        char *end = strstr(begin, to);
        assert_non_null(end);
        char wanted[160];
        snprintf(wanted, sizeof(wanted), "%s%.*s%s", mark, (int)(end - begin), begin, mark);
        if (!strstr(told, wanted))
            fail_msg("%s does not name %s of %s", document, wanted, table);
        count++;
    }
    assert_true(count >= 5);
    free(rows);
    free(told);
}

static void every_setting_is_told(void **unused)
{
    (void)unused;
    assert_told("src/main/config.def", "TEXT(", ", \"", "\"", "docs/operations.md", "`");
    assert_told("src/main/config.def", "INT(", ", \"", "\"", "docs/operations.md", "`");
    assert_told("src/main/config.def", "TIME(", ", \"", "\"", "docs/operations.md", "`");
}

static void every_file_format_is_told(void **unused)
{
    (void)unused;
    char *told = read_text("docs/records.md");
    for (uint32_t index = 0; fm_file_format_name(index); index++) {
        char wanted[80];
        snprintf(wanted, sizeof(wanted), "`%s`", fm_file_format_name(index));
        if (!strstr(told, wanted))
            fail_msg("docs/records.md does not name the format %s", fm_file_format_name(index));
    }
    free(told);
}

static void every_metric_is_told(void **unused)
{
    (void)unused;
    assert_told("src/base/metrics.def", "METRIC(", ", \"", "\"", "docs/operations.md", "`");
}

static void every_route_is_told(void **unused)
{
    (void)unused;
    assert_told("src/net/routes.def", "ROUTE(", ", \"", "\"", "docs/api.md", " ");
}

static void every_parameter_is_told(void **unused)
{
    (void)unused;
    assert_told("src/net/parameters.def", "PARAMETER(", ", ", ",", "docs/api.md", "`");
}

static void every_condition_is_told(void **unused)
{
    (void)unused;
    assert_told("src/base/conditions.def", "CONDITION(", ", ", ",", "docs/records.md", "`");
}

/* Reasons of records are lower case and numbered from 100, those of requests from 200. */
static void every_reason_is_told(void **unused)
{
    (void)unused;
    char *rows = read_text("src/base/errors.def"), *records = read_text("docs/records.md"),
         *api = read_text("docs/api.md"), *save = NULL;
    int count = 0;
    for (char *line = strtok_r(rows, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char name[64], wanted[80];
        int code;
        if (sscanf(line, "ERROR(%63[a-z_0-9], %d", name, &code) != 2)
            continue;
        snprintf(wanted, sizeof(wanted), "`%s`", name);
        if (!strstr(code < 200 ? records : api, wanted))
            fail_msg("%s does not name %s", code < 200 ? "docs/records.md" : "docs/api.md", wanted);
        count++;
    }
    assert_true(count > 40);
    free(rows);
    free(records);
    free(api);
}

static void links_lead_somewhere(void **unused)
{
    (void)unused;
    static const char *const documents[] = {"README.md",       "docs/TOUR.md",  "docs/api.md",
                                            "docs/records.md", "docs/rules.md", "docs/operations.md"};
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        char *text = read_text(documents[i]);
        const char *slash = strrchr(documents[i], '/');
        for (char *at = text; (at = strstr(at, "](")); at++) {
            char target[128], path[256];
            if (sscanf(at + 2, "%127[^)#]", target) != 1 || strncmp(target, "http", 4) == 0)
                continue;
            snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash + 1 - documents[i]) : 0, documents[i], target);
            free(read_text(path));
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_is_told),     cmocka_unit_test(every_metric_is_told),
        cmocka_unit_test(every_file_format_is_told), cmocka_unit_test(every_route_is_told),
        cmocka_unit_test(every_parameter_is_told),   cmocka_unit_test(every_reason_is_told),
        cmocka_unit_test(every_condition_is_told),   cmocka_unit_test(links_lead_somewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
