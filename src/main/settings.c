/* main/settings.c - from texts to settings, each checked against its row in config.def. */
#include "main/settings.h"

#include "base/event.h"
#include "base/slice.h"
#include "script/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum kind { KIND_TEXT, KIND_INT, KIND_TIME, KIND_BOOL } kind;

typedef struct row {
    const char *name;
    kind        kind;
    size_t      offset;
    const char *preset, *low, *high; /* as text */
} row;

static const row rows[] = {
#define TEXT(field, name, preset, help) {name, KIND_TEXT, offsetof(fm_settings, field), preset, NULL, NULL},
#define INT(field, name, preset, low, high, help) {name, KIND_INT, offsetof(fm_settings, field), #preset, #low, #high},
#define TIME(field, name, preset, low, high, help) {name, KIND_TIME, offsetof(fm_settings, field), preset, low, high},
#define BOOL(field, name, preset, help) {name, KIND_BOOL, offsetof(fm_settings, field), #preset, NULL, NULL},
#include "main/config.def"
#undef TEXT
#undef INT
#undef TIME
#undef BOOL
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int parse_unit(const char *text, const char *const *unit, const int64_t *factor, int64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return FM_EINVAL;
    unsigned long long number = strtoull(text, &end, 10);
    for (int i = 0; unit[i] != NULL; i++)
        if (strcmp(end, unit[i]) == 0) {
            if (number > (uint64_t)(INT64_MAX / factor[i]))
                return FM_EINVAL;
            *out = (int64_t)number * factor[i];
            return 0;
        }
    return FM_EINVAL;
}

int fm_parse_time(const char *text, int64_t *ns)
{
    static const char *const unit[] = {"ns", "us", "ms", "s", "m", "h", "d", NULL};
    static const int64_t factor[] = {1, FM_NS_PER_US, FM_NS_PER_MS, FM_NS_PER_S, 60 * FM_NS_PER_S, 3600 * FM_NS_PER_S, 86400 * FM_NS_PER_S};
    return parse_unit(text, unit, factor, ns);
}

int fm_parse_count(const char *text, int64_t *out)
{
    static const char *const unit[] = {"", "KiB", "MiB", "GiB", "TiB", NULL};
    static const int64_t factor[] = {1, 1 << 10, 1 << 20, 1 << 30, INT64_C(1) << 40};
    return parse_unit(text, unit, factor, out);
}

static int parse_number(const row *of, const char *text, int64_t *out)
{
    return of->kind == KIND_TIME ? fm_parse_time(text, out) : fm_parse_count(text, out);
}

/* Edits between two names, for "did you mean". */
static int distance(const char *a, const char *b)
{
    int line[128];
    int size = (int)strlen(b);
    if (size >= 127)
        return 999;
    for (int j = 0; j <= size; j++)
        line[j] = j;
    for (int i = 1; a[i - 1] != 0; i++) {
        int diagonal = line[0];
        line[0] = i;
        for (int j = 1; j <= size; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = line[j];
            best = line[j] + 1 < best ? line[j] + 1 : best;
            line[j] = line[j - 1] + 1 < best ? line[j - 1] + 1 : best;
        }
    }
    return line[size];
}

static int unknown(const char *name, fm_error *error)
{
    const row *nearest = &rows[0];
    for (size_t i = 1; i < ROWS; i++)
        if (distance(name, rows[i].name) < distance(name, nearest->name))
            nearest = &rows[i];
    int code = fm_fail(error, FM_EINVAL, "there is no setting \"%.100s\"", name);
    if (error != NULL)
        snprintf(error->hint, sizeof(error->hint), "the nearest is \"%s\"", nearest->name);
    return code;
}

static int set_number(const row *of, int64_t *out, const char *value, fm_error *error)
{
    int64_t number, low, high;
    if (parse_number(of, of->low, &low) < 0 || parse_number(of, of->high, &high) < 0)
        return FM_EINVAL;
    if (parse_number(of, value, &number) < 0)
        return fm_fail(error, FM_EINVAL, "setting \"%s\" is \"%.60s\", not a %s", of->name, value,
                       of->kind == KIND_TIME ? "duration such as \"200ms\", \"5s\" or \"10m\"" : "whole number such as 1024 or \"16MiB\"");
    if (number < low || number > high)
        return fm_fail(error, FM_EINVAL, "setting \"%s\" is %.60s, it may be %s to %s", of->name, value, of->low, of->high);
    *out = number;
    return 0;
}

int fm_settings_set(fm_settings *settings, const char *name, const char *value, fm_error *error)
{
    const row *of = NULL;
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            of = &rows[i];
    if (of == NULL)
        return unknown(name, error);
    void *field = (char *)settings + of->offset;
    if (of->kind == KIND_TEXT) {
        if (strlen(value) >= sizeof(settings->net_listen))
            return fm_fail(error, FM_EINVAL, "setting \"%s\" is longer than %zu bytes", name, sizeof(settings->net_listen) - 1);
        strcpy(field, value);
        return 0;
    }
    if (of->kind != KIND_BOOL)
        return set_number(of, field, value, error);
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return fm_fail(error, FM_EINVAL, "setting \"%s\" is \"%.60s\", it may be true or false", name, value);
    *(bool *)field = value[0] == 't';
    return 0;
}

void fm_settings_preset(fm_settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    for (size_t i = 0; i < ROWS; i++) {
        fm_error error = {0};
        if (fm_settings_set(settings, rows[i].name, rows[i].preset, &error) < 0) {
            fprintf(stderr, "fmads: config.def: %s\n", error.message);
            abort();
        }
    }
}

static int visit(void *context, const char *name, const char *value, fm_error *error)
{
    return fm_settings_set(context, name, value, error);
}

/* FMADS_JOURNAL_SYNC=... as "journal.sync"; NULL when it is none of ours. A section that is known makes it ours, so that a misspelt key is
 * told; other names with our prefix belong to somebody else. */
static const char *setting_of(const char *variable, char *name, size_t size)
{
    static const char prefix[] = "FMADS_";
    const char *at = variable + sizeof(prefix) - 1, *equals = strchr(variable, '=');
    if (strncmp(variable, prefix, sizeof(prefix) - 1) != 0 || equals == NULL || (size_t)(equals - at) >= size)
        return NULL;
    size_t length = 0;
    for (bool section = true; at < equals; at++) {
        name[length++] = section && *at == '_' ? '.' : (char)tolower((unsigned char)*at);
        section = section && *at != '_';
    }
    name[length] = 0;
    size_t section_size = strcspn(name, ".") + 1;
    for (size_t i = 0; i < ROWS; i++)
        if (section_size < length && strncmp(rows[i].name, name, section_size) == 0)
            return equals + 1;
    return NULL;
}

static int read_environment(fm_settings *settings, fm_error *error)
{
    for (char **variable = environ; *variable != NULL; variable++) {
        char name[128];
        const char *value = setting_of(*variable, name, sizeof(name));
        if (value != NULL && fm_settings_set(settings, name, value, error) < 0) {
            if (error != NULL) {
                size_t said = strlen(error->hint);
                snprintf(error->hint + said, sizeof(error->hint) - said, "%sit comes from %.*s in the environment", said > 0 ? "; " : "",
                         (int)strcspn(*variable, "="), *variable);
            }
            return FM_EINVAL;
        }
    }
    return 0;
}

/* The value of option `name` when argv[at] is it; *used = how many arguments that were. */
static const char *option(int argc, char **argv, int at, const char *name, int *used)
{
    size_t size = strlen(name);
    *used = 0;
    if (strncmp(argv[at], name, size) != 0)
        return NULL;
    if (argv[at][size] == '=') {
        *used = 1;
        return argv[at] + size + 1;
    }
    if (argv[at][size] != 0 || at + 1 >= argc)
        return NULL;
    *used = 2;
    return argv[at + 1];
}

static int set_assignment(fm_settings *settings, const char *text, fm_error *error)
{
    char name[128];
    const char *equals = strchr(text, '=');
    if (equals == NULL || (size_t)(equals - text) >= sizeof(name))
        return fm_fail(error, FM_EINVAL, "--set takes section.key=value, not \"%.60s\"", text);
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = 0;
    return fm_settings_set(settings, name, equals + 1, error);
}

static const char *take_config(int *argc, char **argv)
{
    const char *path = NULL;
    for (int i = 1; i < *argc;) {
        int used;
        const char *value = option(*argc, argv, i, "--config", &used);
        if (value == NULL) {
            i++;
            continue;
        }
        path = value;
        memmove(&argv[i], &argv[i + used], (size_t)(*argc - i - used + 1) * sizeof(*argv));
        *argc -= used;
    }
    return path;
}

int fm_settings_read(fm_settings *settings, int *argc, char **argv, fm_error *error)
{
    static const char *const shortcut[][2] = {{"--listen", "net.listen"}, {"--data", "data.dir"}, {"--rules", "rules.dir"}};
    fm_settings_preset(settings);
    const char *path = take_config(argc, argv);
    if (path == NULL && access("deploy/fmads.lua", R_OK) == 0)
        path = "deploy/fmads.lua";
    if (path != NULL)
        FM_TRY(fm_config_read(path, visit, settings, error));
    FM_TRY(read_environment(settings, error));
    for (int i = 1; i < *argc;) {
        int used = 0;
        const char *value = option(*argc, argv, i, "--set", &used);
        if (value != NULL)
            FM_TRY(set_assignment(settings, value, error));
        for (size_t s = 0; value == NULL && s < sizeof(shortcut) / sizeof(shortcut[0]); s++)
            if ((value = option(*argc, argv, i, shortcut[s][0], &used)) != NULL)
                FM_TRY(fm_settings_set(settings, shortcut[s][1], value, error));
        if (value == NULL) {
            i++;
            continue;
        }
        memmove(&argv[i], &argv[i + used], (size_t)(*argc - i - used + 1) * sizeof(*argv));
        *argc -= used;
    }
    return 0;
}
