/* tests/unit/base/file_test.c - one suite over both layers, then what only one of them promises. */
#include "assert_near.h"

#include "base/file.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct place {
    const fm_file_layer *layer;
    char folder[64];
} place;

static place at_system = {.layer = &fm_file_system}, at_withholding = {.layer = &fm_file_withholding};

static int make_folder(void **state)
{
    place *here = *state;
    strcpy(here->folder, "/tmp/fmads-file-XXXXXX");
    return mkdtemp(here->folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", ((place *)*state)->folder);
    return system(command);
}

static const char *path_in(const place *here, const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", here->folder, name);
    return path;
}

static fm_file *opened(const place *here, const char *name)
{
    fm_file *file = NULL;
    assert_int_equal(here->layer->open(path_in(here, name), FM_FILE_CREATE, &file), 0);
    return file;
}

static void what_is_written_is_read(void **state)
{
    const place *here = *state;
    fm_file *file = opened(here, "a");
    char out[16] = "";
    assert_int_equal(here->layer->size(file), 0);
    assert_int_equal(here->layer->read(file, out, 4, 0), 0);
    assert_int_equal(here->layer->write(file, "hello", 5, 0), 0);
    assert_int_equal(here->layer->write(file, "J", 1, 0), 0);
    assert_int_equal(here->layer->read(file, out, sizeof(out), 0), 5);
    assert_memory_equal(out, "Jello", 5);
    assert_int_equal(here->layer->read(file, out, 2, 3), 2);
    assert_memory_equal(out, "lo", 2);
    assert_int_equal(here->layer->read(file, out, 2, 5), 0);
    assert_int_equal(here->layer->write(file, "end", 3, 10000), 0); /* a hole reads as zeros */
    assert_int_equal(here->layer->size(file), 10003);
    assert_int_equal(here->layer->read(file, out, 4, 9998), 4);
    assert_memory_equal(out, "\0\0en", 4);
    assert_int_equal(here->layer->sync(file), 0);
    assert_int_equal(here->layer->read(file, out, 4, 9998), 4);
    assert_memory_equal(out, "\0\0en", 4);
    here->layer->close(file);
    here->layer->close(NULL);
}

static void a_missing_file_is_not_found_and_not_made(void **state)
{
    const place *here = *state;
    fm_file *file = NULL;
    assert_int_equal(here->layer->open(path_in(here, "missing"), FM_FILE_READ, &file), FM_ENOTFOUND);
    assert_null(file);
    assert_int_equal(here->layer->open(path_in(here, "no/folder"), FM_FILE_CREATE, &file), FM_ENOTFOUND);
    assert_int_equal(here->layer->unlink(path_in(here, "missing")), FM_ENOTFOUND);
    assert_int_equal(here->layer->rename(path_in(here, "missing"), path_in(here, "b")), FM_ENOTFOUND);
    assert_int_equal(access(path_in(here, "missing"), F_OK), -1);
}

static void a_cut_file_reads_zeros_when_it_grows_again(void **state)
{
    const place *here = *state;
    fm_file *file = opened(here, "a");
    char data[6000], out[6000];
    memset(data, 'x', sizeof(data));
    for (int synced = 0; synced < 2; synced++) {
        assert_int_equal(here->layer->write(file, data, sizeof(data), 0), 0);
        if (synced)
            assert_int_equal(here->layer->sync(file), 0);
        assert_int_equal(here->layer->truncate(file, 100), 0);
        assert_int_equal(here->layer->size(file), 100);
        assert_int_equal(here->layer->allocate(file, 5000), 0);
        assert_int_equal(here->layer->size(file), 5000);
        assert_int_equal(here->layer->read(file, out, sizeof(out), 0), 5000);
        for (int i = 0; i < 5000; i++)
            assert_int_equal(out[i], i < 100 ? 'x' : 0);
        assert_int_equal(here->layer->allocate(file, 10), 0); /* never shortens */
        assert_int_equal(here->layer->size(file), 5000);
    }
    here->layer->close(file);
}

static void a_rename_replaces_and_open_files_go_on(void **state)
{
    const place *here = *state;
    char out[8] = "";
    fm_file *old = opened(here, "b"), *fresh = opened(here, "a");
    assert_int_equal(here->layer->write(old, "old", 3, 0), 0);
    assert_int_equal(here->layer->write(fresh, "new", 3, 0), 0);
    assert_int_equal(here->layer->rename(path_in(here, "a"), path_in(here, "b")), 0);
    assert_int_equal(here->layer->read(old, out, 8, 0), 3);
    assert_memory_equal(out, "old", 3);
    assert_int_equal(here->layer->write(fresh, "N", 1, 0), 0);
    fm_file *again = NULL;
    assert_int_equal(here->layer->open(path_in(here, "b"), FM_FILE_READ, &again), 0);
    assert_int_equal(here->layer->read(again, out, 8, 0), 3);
    assert_memory_equal(out, "New", 3);
    here->layer->close(again);
    assert_int_equal(here->layer->open(path_in(here, "a"), FM_FILE_READ, &again), FM_ENOTFOUND);
    here->layer->close(old);
    here->layer->close(fresh);
}

static void an_unlinked_file_lives_while_it_is_open(void **state)
{
    const place *here = *state;
    char out[8] = "";
    fm_file *file = opened(here, "a"), *other = NULL;
    assert_int_equal(here->layer->write(file, "old", 3, 0), 0);
    assert_int_equal(here->layer->unlink(path_in(here, "a")), 0);
    assert_int_equal(here->layer->open(path_in(here, "a"), FM_FILE_READ, &other), FM_ENOTFOUND);
    assert_int_equal(here->layer->unlink(path_in(here, "a")), FM_ENOTFOUND);
    other = opened(here, "a"); /* another file of that name */
    assert_int_equal(here->layer->size(other), 0);
    assert_int_equal(here->layer->read(file, out, 8, 0), 3);
    assert_int_equal(here->layer->sync_folder(here->folder), 0);
    assert_int_equal(here->layer->read(file, out, 8, 0), 3);
    assert_int_equal(here->layer->size(other), 0);
    here->layer->close(file);
    here->layer->close(other);
}

static void whole_files_are_read_up_to_a_limit(void **state)
{
    const place *here = *state;
    char *data = NULL;
    size_t size = 0;
    assert_int_equal(fm_file_replace(here->layer, path_in(here, "a"), "0123456789", 10), 0);
    assert_int_equal(fm_file_read_all(here->layer, path_in(here, "a"), 9, &data, &size), FM_ELIMIT);
    assert_null(data);
    assert_int_equal(fm_file_read_all(here->layer, path_in(here, "a"), 10, &data, &size), 0);
    assert_int_equal(size, 10);
    assert_string_equal(data, "0123456789");
    free(data);
    assert_int_equal(fm_file_replace(here->layer, path_in(here, "a"), "", 0), 0);
    assert_int_equal(fm_file_read_all(here->layer, path_in(here, "a"), 10, &data, &size), 0);
    assert_int_equal(size, 0);
    free(data);
    assert_int_equal(fm_file_read_all(here->layer, path_in(here, "b"), 10, &data, &size), FM_ENOTFOUND);
    assert_int_equal(access(path_in(here, "a.new"), F_OK), -1); /* nothing is left beside */
}

static void replacing_into_a_missing_folder_fails(void **state)
{
    const place *here = *state;
    assert_int_equal(fm_file_replace(here->layer, path_in(here, "no/a"), "x", 1), FM_ENOTFOUND);
}

/* Random operations on a file and on bytes in memory stay equal, with syncs and reopenings between them. */
static void random_operations_do_what_memory_does(void **state)
{
    const place *here = *state;
    enum { LIMIT = 40000 };
    static unsigned char model[LIMIT], out[LIMIT + 8], data[LIMIT];
    fm_random random;
    fm_random_seed(&random, 17);
    memset(model, 0, sizeof(model));
    size_t size = 0;
    fm_file *file = opened(here, "a");
    for (int round = 0; round < 3000; round++) {
        uint64_t at = fm_random_below(&random, LIMIT),
                 length = fm_random_below(&random, LIMIT - at + 1) >> fm_random_below(&random, 12);
        switch (fm_random_below(&random, 8)) {
        case 0:
            assert_int_equal(here->layer->truncate(file, at), 0);
            if (at < size)
                memset(model + at, 0, size - at);
            size = at;
            break;
        case 1:
            assert_int_equal(here->layer->allocate(file, at), 0);
            size = at > size ? at : size;
            break;
        case 2:
            assert_int_equal(here->layer->sync(file), 0);
            break;
        case 3:
            here->layer->close(file);
            file = opened(here, "a");
            break;
        default:
            for (size_t i = 0; i < length; i++)
                data[i] = model[at + i] = (unsigned char)fm_random_next(&random);
            assert_int_equal(here->layer->write(file, data, length, at), 0);
            size = length > 0 && at + length > size ? at + length : size;
        }
        assert_int_equal(here->layer->size(file), size);
        if (round % 10 == 0) {
            assert_int_equal(here->layer->read(file, out, sizeof(out), 0), size);
            assert_memory_equal(out, model, size);
        }
    }
    here->layer->close(file);
}

static void folders_are_made_with_their_parents(void **unused)
{
    (void)unused;
    struct stat status;
    void *state = &at_system;
    assert_int_equal(make_folder(&state), 0);
    assert_int_equal(fm_folder_make(path_in(&at_system, "x/y//z/")), 0);
    assert_int_equal(fm_folder_make(path_in(&at_system, "x/y/z")), 0);
    assert_int_equal(stat(path_in(&at_system, "x/y/z"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    fm_file *file = opened(&at_system, "file");
    fm_file_system.close(file);
    assert_true(fm_folder_make(path_in(&at_system, "file")) < 0);
    assert_true(fm_folder_make(path_in(&at_system, "file/x")) < 0);
    assert_int_equal(fm_folder_make(""), FM_EINVAL);
    assert_int_equal(remove_folder(&state), 0);
}

static void a_full_disk_is_said_so(void **unused)
{
    (void)unused;
    fm_file *file = NULL;
    assert_int_equal(fm_file_system.open("/dev/full", FM_FILE_CREATE, &file), 0);
    assert_int_equal(fm_file_system.write(file, "x", 1, 0), FM_ENOSPC);
    fm_file_system.close(file);
}

#define ON_BOTH(claim)                                                                                                 \
    {#claim " (system)", claim, make_folder, remove_folder, &at_system},                                               \
    {                                                                                                                  \
#claim " (withholding)", claim, make_folder, remove_folder, &at_withholding                                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(what_is_written_is_read),
        ON_BOTH(a_missing_file_is_not_found_and_not_made),
        ON_BOTH(a_cut_file_reads_zeros_when_it_grows_again),
        ON_BOTH(a_rename_replaces_and_open_files_go_on),
        ON_BOTH(an_unlinked_file_lives_while_it_is_open),
        ON_BOTH(whole_files_are_read_up_to_a_limit),
        ON_BOTH(replacing_into_a_missing_folder_fails),
        ON_BOTH(random_operations_do_what_memory_does),
        cmocka_unit_test(folders_are_made_with_their_parents),
        cmocka_unit_test(a_full_disk_is_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
