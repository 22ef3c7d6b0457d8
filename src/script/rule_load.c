/* script/rule_load.c - a folder of rules, or their texts, to one immutable set: all or none.
 *
 * Each file has a Lua state of its own here, so what one does cannot reach another, and a file that must be stopped
 * takes nothing along. */
#include "script/host.h"

#include "base/file.h"
#include "script/host_internal.h"
#include "script/library.h"
#include "script/rule_file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MEMORY_BYTES (32u << 20)
#define TEST_DEADLINE_NS  (500 * FM_NS_PER_MS)

typedef struct input {
    char *file; /* PACK/RULE.lua */
    char *text;
    size_t size;
    fm_rule rule;
    bool is_rule;
    fm_error problem; /* of reading the file itself */
} input;

typedef struct inputs {
    input *at;
    uint32_t count, capacity;
} inputs;

static void inputs_fini(inputs *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        free(list->at[i].file);
        free(list->at[i].text);
    }
    free(list->at);
}

/* Takes both. */
static int inputs_add(inputs *list, char *file, char *text, size_t size)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? 2 * list->capacity : 32;
        input *larger = realloc(list->at, capacity * sizeof(*larger));
        if (!larger) {
            free(file);
            free(text);
            return FM_ENOMEM;
        }
        list->at = larger;
        list->capacity = capacity;
    }
    list->at[list->count++] = (input){.file = file, .text = text, .size = size};
    return 0;
}

static int by_file(const void *a, const void *b)
{
    return strcmp(((const input *)a)->file, ((const input *)b)->file);
}

/* ---- one rule file and its tests */

static int test_rule(fm_vm *vm, const input *file, fm_rule_report *report, fm_error *error)
{
    fm_rule_set *set = calloc(1, sizeof(*set) + sizeof(fm_rule));
    if (!set)
        return fm_fail(error, FM_ENOMEM, "could not test \"%s\"", file->file);
    set->count = 1;
    set->rule[0] = file->rule;
    fm_host_config config = {.deadline_ns = TEST_DEADLINE_NS, .memory_bytes = READ_MEMORY_BYTES, .jit = false};
    fm_host *host = NULL;
    int result = fm_host_create(&config, &host, error);
    if (result == 0)
        result = fm_host_sources(host, set, &(char *){file->text}, &file->size);
    if (result == 0)
        result = fm_host_runner(host)->load(host, set, error);
    if (result == 0)
        result = fm_rule_test_run(vm, host, set, 0, &report->tests, &report->tests_failed, error);
    fm_host_destroy(host);
    free(set);
    return result;
}

static int read_and_test(fm_vm *vm, input *file, const input *tests, fm_rule_report *report, fm_error *error)
{
    fm_syntax syntax;
    FM_TRY(fm_syntax_read(file->file, (fm_slice){file->text, file->size}, fm_rule_names, &syntax, error));
    int result = fm_rule_file_read(vm, file->file, &syntax, &file->rule, error);
    fm_syntax_fini(&syntax);
    FM_TRY(result);
    file->rule.hash = fm_hash128_of(file->text, file->size);
    report->rules = 1;
    if (!tests)
        return 0;
    FM_TRY(fm_syntax_read(tests->file, (fm_slice){tests->text, tests->size}, fm_test_names, &syntax, error));
    result = fm_test_file_read(vm, tests->file, &syntax, error);
    fm_syntax_fini(&syntax);
    FM_TRY(result);
    result = test_rule(vm, file, report, error);
    if (result < 0 && !error->file[0])
        snprintf(error->file, sizeof(error->file), "%s", tests->file);
    return result;
}

static void load_file(input *file, const input *tests, fm_rule_report *report)
{
    fm_vm *vm = NULL;
    fm_watch watch = {0};
    fm_rule_path path;
    snprintf(report->file, sizeof(report->file), "%s", file->file);
    int result = file->problem.code;
    if (result < 0)
        report->error = file->problem;
    else
        result = fm_rule_path_read(file->file, &path, &report->error);
    if (result == 0)
        result = fm_vm_create(READ_MEMORY_BYTES, &vm, &report->error);
    if (result == 0 && fm_watch_attach(&watch) == 0)
        vm->watch = &watch;
    if (result == 0)
        result = read_and_test(vm, file, tests, report, &report->error);
    fm_vm_close(vm);
    fm_watch_detach(&watch);
    report->ok = result == 0;
    if (result < 0 && !report->error.file[0])
        snprintf(report->error.file, sizeof(report->error.file), "%s", file->file);
    report->error.code = result;
}

/* ---- all of them */

static const input *find_input(const inputs *list, const char *pack, const char *name, const char *end)
{
    char file[2 * FM_RULE_ID_MAX + 16];
    snprintf(file, sizeof(file), "%s/%s%s", pack, name, end);
    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(list->at[i].file, file) == 0)
            return &list->at[i];
    return NULL;
}

static void add_report(fm_rule_load *out, input *file, inputs *list)
{
    fm_rule_report *report = &out->report[out->report_count];
    fm_rule_path path;
    bool named = fm_rule_path_read(file->file, &path, NULL) == 0;
    if (named && path.is_test) {
        if (find_input(list, path.pack, path.name, ".lua"))
            return; /* told with its rule */
        snprintf(report->file, sizeof(report->file), "%s", file->file);
        fm_fail(&report->error, FM_ENOTFOUND, "there is no rule \"%s/%s\" to test", path.pack, path.name);
        snprintf(report->error.file, sizeof(report->error.file), "%s", file->file);
    } else {
        file->is_rule = true;
        load_file(file, named ? find_input(list, path.pack, path.name, "_test.lua") : NULL, report);
    }
    out->report_count++;
}

static int by_id(const void *a, const void *b)
{
    return strcmp((*(input *const *)a)->rule.id, (*(input *const *)b)->rule.id);
}

static fm_hash128 hash_of(const fm_rule_set *set)
{
    fm_text text = {0};
    for (uint32_t i = 0; i < set->count; i++) {
        char hex[33];
        fm_hash128_hex(set->rule[i].hash, hex);
        fm_text_printf(&text, "%s %s\n", set->rule[i].id, hex);
    }
    fm_hash128 hash = fm_hash128_of(text.data ? text.data : "", text.size);
    fm_text_fini(&text);
    return hash;
}

static int make_set(inputs *list, fm_rule_load *out, fm_error *error)
{
    input *rule[FM_RULES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (!list->at[i].is_rule)
            continue;
        if (count == FM_RULES_MAX)
            return fm_fail(error, FM_ELIMIT, "there are more than %d rules", FM_RULES_MAX);
        rule[count++] = &list->at[i];
    }
    qsort(rule, count, sizeof(*rule), by_id);
    out->set = calloc(1, sizeof(*out->set) + count * sizeof(fm_rule));
    out->source = calloc(count + 1, sizeof(*out->source));
    out->source_size = calloc(count + 1, sizeof(*out->source_size));
    if (!out->set || !out->source || !out->source_size)
        return fm_fail(error, FM_ENOMEM, "could not keep %u rules", count);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(rule[i]->rule.id, rule[i - 1]->rule.id) == 0)
            return fm_fail(error, FM_EINVAL, "the rule \"%s\" is given twice", rule[i]->rule.id);
        out->set->rule[i] = rule[i]->rule;
        out->source[i] = rule[i]->text;
        out->source_size[i] = rule[i]->size;
        rule[i]->text = NULL;
        out->set->count = i + 1;
    }
    out->set->hash = hash_of(out->set);
    return 0;
}

static void drop_set(fm_rule_load *load)
{
    for (uint32_t i = 0; load->source && load->set && i < load->set->count; i++)
        free(load->source[i]);
    free(load->source);
    free(load->source_size);
    free(load->set);
    load->set = NULL;
    load->source = NULL;
    load->source_size = NULL;
}

static int load_inputs(inputs *list, fm_rule_load *out, fm_error *error)
{
    if (list->count > 0)
        qsort(list->at, list->count, sizeof(*list->at), by_file);
    out->report = calloc(list->count + 1, sizeof(*out->report));
    if (!out->report)
        return fm_fail(error, FM_ENOMEM, "could not load %u rule files", list->count);
    for (uint32_t i = 0; i < list->count; i++)
        add_report(out, &list->at[i], list);
    uint32_t refused = 0, first = 0;
    for (uint32_t i = out->report_count; i-- > 0;) {
        refused += !out->report[i].ok;
        first = out->report[i].ok ? first : i;
    }
    if (refused > 0) {
        const fm_error *cause = &out->report[first].error;
        fm_fail(error, FM_ERULE, "%u of %u rule files refused: %.400s", refused, out->report_count, cause->message);
        if (error) {
            memcpy(error->file, cause->file, sizeof(error->file));
            memcpy(error->hint, cause->hint, sizeof(error->hint));
            error->line = cause->line;
            error->column = cause->column;
        }
        return FM_ERULE;
    }
    int result = make_set(list, out, error);
    if (result < 0)
        drop_set(out);
    return result;
}

int fm_rules_load_texts(const char *const *files, const char *const *texts, uint32_t count, fm_rule_load *out,
                        fm_error *error)
{
    inputs list = {0};
    int result = 0;
    memset(out, 0, sizeof(*out));
    for (uint32_t i = 0; i < count && result == 0; i++) {
        char *file = strdup(files[i]), *text = strdup(texts[i]);
        result = inputs_add(&list, file, text, strlen(texts[i]));
    }
    if (result == 0)
        result = load_inputs(&list, out, error);
    inputs_fini(&list);
    return result;
}

/* ---- the folder */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

/* pack.lua describes the pack; the others are made by editors. */
static bool is_rule_file(const char *name)
{
    return name[0] != '.' && ends_with(name, ".lua") && strcmp(name, "pack.lua") != 0;
}

static bool is_pack(const char *name)
{
    return name[0] != '.' && strcmp(name, "lib") != 0 && strcmp(name, "local.d") != 0 && strcmp(name, "params") != 0;
}

static int add_file(inputs *list, const char *directory, const char *pack, const char *name)
{
    char path[4096], *file = NULL, *text = NULL;
    size_t size = 0;
    if (asprintf(&file, "%s/%s", pack, name) < 0)
        return FM_ENOMEM;
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    int read = fm_file_read_all(&fm_file_system, path, FM_SYNTAX_BYTES_MAX, &text, &size);
    FM_TRY(inputs_add(list, file, text, size));
    input *added = &list->at[list->count - 1];
    if (read == FM_ELIMIT)
        fm_fail(&added->problem, read, "the file is larger than %u KiB", FM_SYNTAX_BYTES_MAX >> 10);
    else if (read < 0)
        fm_fail_errno(&added->problem, read, "could not open rule file \"%s\"", file);
    return 0;
}

static int add_pack(inputs *list, const char *directory, const char *pack)
{
    char path[4096];
    int result = 0;
    snprintf(path, sizeof(path), "%s/%s", directory, pack);
    DIR *folder = opendir(path);
    if (!folder)
        return 0; /* a file beside the packs, such as routing.lua */
    for (struct dirent *entry; result == 0 && (entry = readdir(folder));)
        if (is_rule_file(entry->d_name))
            result = add_file(list, directory, pack, entry->d_name);
    closedir(folder);
    return result;
}

int fm_rules_load(const char *directory, fm_rule_load *out, fm_error *error)
{
    inputs list = {0};
    int result = 0;
    memset(out, 0, sizeof(*out));
    DIR *folder = opendir(directory);
    if (!folder)
        return fm_fail_errno(error, FM_EIO, "could not open the rules' folder \"%s\"", directory);
    for (struct dirent *entry; result == 0 && (entry = readdir(folder));)
        if (is_pack(entry->d_name))
            result = add_pack(&list, directory, entry->d_name);
    closedir(folder);
    if (result == 0)
        result = load_inputs(&list, out, error);
    inputs_fini(&list);
    return result;
}

void fm_rules_load_free(fm_rule_load *load)
{
    drop_set(load);
    free(load->report);
    *load = (fm_rule_load){0};
}
