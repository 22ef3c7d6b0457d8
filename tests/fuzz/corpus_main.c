/* tests/fuzz/corpus_main.c - feeds every file of the corpus folders to a fuzz target, and each with seeded damage, in builds without
 * libFuzzer: what was once found stays tested everywhere. */
#include "base/file.h"
#include "base/random.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DAMAGED_COPIES = 50 };

static unsigned long inputs;

/* The input lies alone in its memory, so that a sanitizer sees a read beyond its end. */
static void feed(const char *data, size_t size)
{
    uint8_t *alone = malloc(size > 0 ? size : 1);
    if (alone == NULL)
        abort();
    memcpy(alone, data, size);
    LLVMFuzzerTestOneInput(alone, size);
    free(alone);
    inputs++;
}

static void feed_damaged(char *data, size_t size, fm_random *random)
{
    for (int copy = 0; copy < DAMAGED_COPIES && size > 0; copy++) {
        size_t at = fm_random_below(random, size);
        char kept = data[at];
        data[at] = (char)fm_random_next(random);
        feed(data, copy % 4 == 0 ? at : size);
        data[at] = kept;
    }
}

static int feed_folder(const char *folder, fm_random *random)
{
    DIR *open = opendir(folder);
    if (open == NULL) {
        fprintf(stderr, "could not open corpus folder \"%s\"\n", folder);
        return 1;
    }
    unsigned long before = inputs;
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        char path[PATH_MAX], *data;
        size_t size;
        if (entry->d_name[0] == '.' || snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path))
            continue;
        if (fm_file_read_all(&fm_file_system, path, 1 << 24, &data, &size) < 0) {
            fprintf(stderr, "could not read \"%s\"\n", path);
            closedir(open);
            return 1;
        }
        feed(data, size);
        feed_damaged(data, size, random);
        free(data);
    }
    closedir(open);
    if (inputs == before)
        fprintf(stderr, "corpus folder \"%s\" is empty\n", folder);
    return inputs == before;
}

int main(int argc, char **argv)
{
    fm_random random;
    int failed = argc < 2;
    fm_random_seed(&random, 1);
    feed("", 0);
    for (int i = 1; i < argc; i++)
        failed |= feed_folder(argv[i], &random);
    printf("%lu inputs\n", inputs);
    return failed;
}
