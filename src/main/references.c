/* main/references.c - see the header. */
#include "main/references.h"

#include "base/assert.h"
#include "base/log.h"
#include "base/text.h"
#include "main/reference_files.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)256 << 20)

typedef struct held {
    fm_reference_set *set;
    struct held *next;
} held;

struct fm_references {
    const fm_file_layer *layer;
    char directory[512];
    held *first;
    pthread_mutex_t lock;
};

int fm_references_open(const fm_file_layer *layer, const char *directory, fm_references **out, fm_error *error)
{
    fm_references *references = calloc(1, sizeof(*references));
    FM_ASSERT(references != NULL);
    references->layer = layer;
    snprintf(references->directory, sizeof(references->directory), "%s", directory);
    pthread_mutex_init(&references->lock, NULL);
    int result = fm_folder_make(directory);
    if (result < 0) {
        fm_references_close(references);
        return fm_fail(error, result, "could not make folder \"%s\"", directory);
    }
    *out = references;
    return 0;
}

void fm_references_close(fm_references *references)
{
    if (references == NULL)
        return;
    while (references->first != NULL) {
        held *next = references->first->next;
        fm_reference_free(references->first->set);
        free(references->first);
        references->first = next;
    }
    pthread_mutex_destroy(&references->lock);
    free(references);
}

/* Under the lock. */
static const fm_reference_set *known(const fm_references *references, const char *hash)
{
    for (const held *one = references->first; one != NULL; one = one->next) {
        char text[33];
        fm_hash128_hex(one->set->hash, text);
        if (strcmp(text, hash) == 0)
            return one->set;
    }
    return NULL;
}

/* Under the lock. Takes the set. */
static const fm_reference_set *add(fm_references *references, fm_reference_set *set)
{
    held *one = calloc(1, sizeof(*one));
    FM_ASSERT(one != NULL);
    *one = (held){set, references->first};
    references->first = one;
    return set;
}

static void path_of(const fm_references *references, const char *hash, char path[600])
{
    snprintf(path, 600, "%s/%s", references->directory, hash);
}

/* Under the lock. */
static int keep(fm_references *references, const fm_text *text, const fm_reference_set **out, fm_error *error)
{
    fm_reference_set *set;
    char hash[33], path[600];
    FM_TRY(fm_reference_parse((fm_slice){text->data, text->size}, &set, error));
    fm_hash128_hex(set->hash, hash);
    const fm_reference_set *same = known(references, hash);
    if (same != NULL) {
        fm_reference_free(set);
        *out = same;
        return 0;
    }
    path_of(references, hash, path);
    int result = fm_file_replace(references->layer, path, text->data, text->size);
    if (result < 0) {
        fm_reference_free(set);
        return fm_fail(error, result, "could not keep reference data \"%s\": %s", path, fm_error_text(result));
    }
    *out = add(references, set);
    return 0;
}

int fm_references_load(fm_references *references, const char *reference_dir, const fm_reference_set **out,
                       fm_error *error)
{
    fm_text text = {0};
    int result = fm_reference_files_read(reference_dir, &text, error);
    if (result >= 0) {
        pthread_mutex_lock(&references->lock);
        result = keep(references, &text, out, error);
        pthread_mutex_unlock(&references->lock);
    }
    fm_text_fini(&text);
    return result;
}

static const fm_reference_set *read_set(fm_references *references, const char *hash)
{
    char path[600], *data, found[33];
    size_t size;
    fm_reference_set *set;
    fm_error error = {0};
    path_of(references, hash, path);
    if (fm_file_read_all(references->layer, path, FILE_BYTES_MAX, &data, &size) < 0)
        return NULL;
    int result = fm_reference_parse((fm_slice){data, size}, &set, &error);
    free(data);
    if (result >= 0) {
        fm_hash128_hex(set->hash, found);
        if (strcmp(found, hash) == 0)
            return add(references, set);
        fm_reference_free(set);
        fm_fail(&error, FM_ECORRUPT, "its text gives the set %s", found);
    }
    fm_log(FM_LOG_ERROR, "reference_unreadable", "file", path, "reason", error.message, NULL);
    return NULL;
}

const fm_reference_set *fm_references_find(fm_references *references, const char *hash)
{
    pthread_mutex_lock(&references->lock);
    const fm_reference_set *set = known(references, hash);
    if (set == NULL)
        set = read_set(references, hash);
    pthread_mutex_unlock(&references->lock);
    return set;
}
