/* main/generations.c - one file a generation: for each rule its file name, size and text. */
#include "main/generations.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)64 << 20)

typedef struct generation {
    fm_rule_load load;
    struct generation *next;
} generation;

struct fm_generations {
    const fm_file_layer *layer;
    char        directory[512];
    fm_host   **hosts;
    uint32_t    host_count;
    generation *first;
    pthread_mutex_t lock;
};

int fm_generations_open(const fm_file_layer *layer, const char *directory, fm_host **hosts, uint32_t host_count, fm_generations **out,
                        fm_error *error)
{
    fm_generations *generations = calloc(1, sizeof(*generations));
    FM_ASSERT(generations != NULL);
    generations->layer = layer;
    generations->hosts = hosts;
    generations->host_count = host_count;
    snprintf(generations->directory, sizeof(generations->directory), "%s", directory);
    pthread_mutex_init(&generations->lock, NULL);
    int result = fm_folder_make(directory);
    if (result < 0) {
        fm_generations_close(generations);
        return fm_fail(error, result, "could not make folder \"%s\"", directory);
    }
    *out = generations;
    return 0;
}

void fm_generations_close(fm_generations *generations)
{
    if (generations == NULL)
        return;
    while (generations->first != NULL) {
        generation *next = generations->first->next;
        fm_rules_load_free(&generations->first->load);
        free(generations->first);
        generations->first = next;
    }
    pthread_mutex_destroy(&generations->lock);
    free(generations);
}

/* Runners keep the texts of their rules and of what they were told last: an older generation's are told again each time it is asked for. */
static int tell(const fm_generations *generations, const fm_rule_load *load)
{
    for (uint32_t h = 0; h < generations->host_count; h++)
        FM_TRY(fm_host_sources(generations->hosts[h], load->set, load->source, load->source_size));
    return 0;
}

static const fm_rule_set *known(const fm_generations *generations, const char *hash)
{
    for (const generation *one = generations->first; one != NULL; one = one->next) {
        char text[33];
        fm_hash128_hex(one->load.set->hash, text);
        if (strcmp(text, hash) == 0)
            return tell(generations, &one->load) < 0 ? NULL : one->load.set;
    }
    return NULL;
}

/* Under the lock. Takes the load. */
static int add(fm_generations *generations, fm_rule_load *load, fm_error *error)
{
    int told = tell(generations, load);
    if (told < 0)
        return fm_fail(error, told, "could not give the rules to their runners: %s", fm_error_text(told));
    generation *one = calloc(1, sizeof(*one));
    FM_ASSERT(one != NULL);
    one->load = *load;
    one->next = generations->first;
    generations->first = one;
    memset(load, 0, sizeof(*load));
    return 0;
}

static int keep(const fm_generations *generations, const fm_rule_load *load, const char *hash, fm_error *error)
{
    char path[600];
    fm_text text = {0};
    snprintf(path, sizeof(path), "%s/%s", generations->directory, hash);
    for (uint32_t r = 0; r < load->set->count; r++) {
        fm_text_printf(&text, "%s\n%zu\n", load->set->rule[r].file, load->source_size[r]);
        fm_text_add(&text, load->source[r], load->source_size[r]);
        fm_text_put(&text, "\n");
    }
    int result = fm_file_replace(generations->layer, path, text.data != NULL ? text.data : "", text.size);
    fm_text_fini(&text);
    if (result < 0)
        return fm_fail(error, result, "could not keep rule generation \"%s\": %s", path, fm_error_text(result));
    return 0;
}

int fm_generations_load(fm_generations *generations, const char *rules_dir, const fm_rule_set **out, fm_rule_load *report, fm_error *error)
{
    memset(report, 0, sizeof(*report));
    FM_TRY(fm_rules_load(rules_dir, report, error));
    char hash[33];
    fm_hash128_hex(report->set->hash, hash);
    pthread_mutex_lock(&generations->lock);
    const fm_rule_set *set = known(generations, hash);
    int result = 0;
    if (set == NULL) {
        result = keep(generations, report, hash, error);
        if (result >= 0) {
            set = report->set;
            result = add(generations, report, error);
        }
    }
    pthread_mutex_unlock(&generations->lock);
    if (result >= 0)
        *out = set;
    return result;
}

/* Splits a generation's file into names and texts, in place. */
static uint32_t split(char *data, size_t size, const char **names, const char **texts)
{
    uint32_t count = 0;
    for (char *at = data, *end = data + size; at < end && count < FM_RULES_MAX;) {
        char *name_end = memchr(at, '\n', (size_t)(end - at));
        if (name_end == NULL)
            return 0;
        char *size_end;
        unsigned long long text_size = strtoull(name_end + 1, &size_end, 10);
        if (size_end >= end || *size_end != '\n' || text_size >= (unsigned long long)(end - size_end))
            return 0;
        *name_end = 0;
        names[count] = at;
        texts[count++] = size_end + 1;
        at = size_end + 1 + text_size;
        *at++ = 0;
    }
    return count;
}

static const fm_rule_set *read_generation(fm_generations *generations, const char *hash)
{
    char path[600], found[33];
    const char *names[FM_RULES_MAX], *texts[FM_RULES_MAX];
    char *data;
    size_t size;
    fm_error error = {0};
    fm_rule_load load = {0};
    snprintf(path, sizeof(path), "%s/%s", generations->directory, hash);
    if (fm_file_read_all(generations->layer, path, FILE_BYTES_MAX, &data, &size) < 0)
        return NULL;
    uint32_t count = split(data, size, names, texts);
    int result = fm_rules_load_texts(names, texts, count, &load, &error);
    const fm_rule_set *set = load.set;
    if (result >= 0) {
        fm_hash128_hex(set->hash, found);
        if (strcmp(found, hash) != 0)
            result = fm_fail(&error, FM_ECORRUPT, "its texts give generation %s", found);
    }
    if (result >= 0)
        result = add(generations, &load, &error);
    if (result < 0) {
        fm_log(FM_LOG_ERROR, "generation_unreadable", "file", path, "reason", error.message, NULL);
        fm_rules_load_free(&load);
        set = NULL;
    }
    free(data);
    return set;
}

const fm_rule_set *fm_generations_find(fm_generations *generations, const char *hash)
{
    pthread_mutex_lock(&generations->lock);
    const fm_rule_set *set = known(generations, hash);
    if (set == NULL)
        set = read_generation(generations, hash);
    pthread_mutex_unlock(&generations->lock);
    return set;
}
