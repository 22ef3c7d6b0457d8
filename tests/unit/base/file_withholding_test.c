/* tests/unit/base/file_withholding_test.c - a child works through the layer and is killed; what lies on the disk then
 * is the claim. */
#include "assert_near.h"

#include "base/file.h"
#include "base/random.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const fm_file_layer *const layer = &fm_file_withholding;
static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/fmads-withholding-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/* In the child, where cmocka's asserts cannot report: a failure ends it otherwise than by the expected kill. */
static void must(int holds)
{
    if (!holds)
        _exit(1);
}

static fm_file *opened(const char *name)
{
    fm_file *file = NULL;
    must(layer->open(in_folder(name), FM_FILE_CREATE, &file) == 0);
    return file;
}

static void kill_after(void (*body)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        body();
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void put_on_disk(const char *name, const char *text)
{
    assert_int_equal(fm_file_replace(&fm_file_system, in_folder(name), text, strlen(text)), 0);
}

static void assert_on_disk(const char *name, const char *text)
{
    char *data = NULL;
    size_t size = 0;
    int result = fm_file_read_all(&fm_file_system, in_folder(name), 1 << 20, &data, &size);
    if (text == NULL) {
        assert_int_equal(result, FM_ENOTFOUND);
        return;
    }
    assert_int_equal(result, 0);
    assert_string_equal(data, text);
    assert_int_equal(size, strlen(text));
    free(data);
}

static void write_without_sync(void)
{
    fm_file *file = opened("a");
    must(layer->write(file, "NEW", 3, 0) == 0);
    char out[8] = "";
    must(layer->read(file, out, 8, 0) == 3 && strcmp(out, "NEW") == 0);
}

static void unsynced_bytes_are_lost(void **unused)
{
    (void)unused;
    put_on_disk("a", "old");
    kill_after(write_without_sync);
    assert_on_disk("a", "old");
}

static void write_sync_write(void)
{
    fm_file *file = opened("a");
    must(layer->write(file, "NEW", 3, 0) == 0 && layer->sync(file) == 0);
    must(layer->write(file, "LATER", 5, 1) == 0);
    layer->close(file); /* closing syncs nothing */
    fm_file *again = opened("a");
    char out[8] = "";
    must(layer->read(again, out, 8, 0) == 6 && strcmp(out, "NLATER") == 0);
}

static void synced_bytes_stay(void **unused)
{
    (void)unused;
    put_on_disk("a", "old");
    kill_after(write_sync_write);
    assert_on_disk("a", "NEW");
}

static void truncate_and_allocate(void)
{
    fm_file *file = opened("a");
    must(layer->truncate(file, 1) == 0 && layer->size(file) == 1);
    must(layer->allocate(file, 5000) == 0 && layer->size(file) == 5000);
}

static void truncate_and_sync(void)
{
    fm_file *file = opened("a");
    must(layer->truncate(file, 1) == 0 && layer->sync(file) == 0);
    must(layer->allocate(file, 5000) == 0);
}

static void unsynced_sizes_are_lost_and_synced_ones_stay(void **unused)
{
    (void)unused;
    put_on_disk("a", "old");
    kill_after(truncate_and_allocate);
    assert_on_disk("a", "old");
    kill_after(truncate_and_sync);
    assert_on_disk("a", "o");
}

static void create_and_sync_the_file_only(void)
{
    fm_file *file = opened("fresh");
    must(layer->write(file, "data", 4, 0) == 0 && layer->sync(file) == 0);
}

static void create_and_sync_the_folder_only(void)
{
    fm_file *file = opened("fresh");
    must(layer->write(file, "data", 4, 0) == 0);
    must(layer->sync_folder(folder) == 0);
}

static void create_and_sync_both(void)
{
    create_and_sync_the_file_only();
    must(layer->sync_folder(folder) == 0);
    fm_file *file = opened("fresh");
    must(layer->write(file, "more", 4, 4) == 0);
}

static void a_new_file_needs_its_own_sync_and_its_folders(void **unused)
{
    (void)unused;
    kill_after(create_and_sync_the_file_only);
    assert_on_disk("fresh", NULL);
    kill_after(create_and_sync_the_folder_only);
    assert_on_disk("fresh", "");
    assert_int_equal(unlink(in_folder("fresh")), 0);
    kill_after(create_and_sync_both);
    assert_on_disk("fresh", "data");
}

static void unlink_only(void)
{
    must(layer->unlink(in_folder("a")) == 0);
    fm_file *file = NULL;
    must(layer->open(in_folder("a"), FM_FILE_READ, &file) == FM_ENOTFOUND);
}

static void unlink_and_make_anew(void)
{
    unlink_only();
    fm_file *file = opened("a");
    must(layer->write(file, "anew", 4, 0) == 0 && layer->sync(file) == 0);
}

static void unlink_and_sync_folder(void)
{
    unlink_only();
    must(layer->sync_folder(folder) == 0);
}

static void an_unlink_needs_the_folders_sync(void **unused)
{
    (void)unused;
    put_on_disk("a", "old");
    kill_after(unlink_only);
    assert_on_disk("a", "old");
    kill_after(unlink_and_make_anew);
    assert_on_disk("a", "old");
    kill_after(unlink_and_sync_folder);
    assert_on_disk("a", NULL);
}

static void rename_unsynced(void)
{
    fm_file *file = opened("fresh");
    must(layer->write(file, "data", 4, 0) == 0);
    must(layer->rename(in_folder("fresh"), in_folder("a")) == 0);
}

static void rename_synced(void)
{
    fm_file *file = opened("fresh");
    must(layer->write(file, "data", 4, 0) == 0 && layer->sync(file) == 0);
    must(layer->write(file, "DATA+", 5, 0) == 0);
    must(layer->rename(in_folder("fresh"), in_folder("a")) == 0);
}

static void a_rename_is_durable_without_the_files_unsynced_bytes(void **unused)
{
    (void)unused;
    put_on_disk("a", "old");
    kill_after(rename_unsynced);
    assert_on_disk("a", ""); /* the classic loss: renamed before synced */
    assert_on_disk("fresh", NULL);
    put_on_disk("a", "old");
    kill_after(rename_synced);
    assert_on_disk("a", "data");
    assert_on_disk("fresh", NULL);
}

static void replace_whole(void)
{
    must(fm_file_replace(layer, in_folder("a"), "replaced", 8) == 0);
}

static void a_replaced_file_is_safe(void **unused)
{
    (void)unused;
    put_on_disk("a", "old");
    kill_after(replace_whole);
    assert_on_disk("a", "replaced");
}

static void a_listing_shows_only_what_would_survive(void **unused)
{
    (void)unused;
    fm_file *file = opened("fresh");
    assert_int_equal(access(in_folder("fresh"), F_OK), -1);
    assert_int_equal(layer->sync_folder(folder), 0);
    assert_int_equal(access(in_folder("fresh"), F_OK), 0);
    layer->close(file);
}

/* Appends numbered blocks, syncs now and then, and tells through a pipe what was synced, until it is killed from
 * outside. */
static void append_and_tell(int told)
{
    fm_file *file = opened("log");
    must(layer->allocate(file, 1 << 20) == 0 && layer->sync(file) == 0 && layer->sync_folder(folder) == 0);
    fm_random random;
    fm_random_seed(&random, (uint64_t)getpid());
    for (uint64_t block = 1;; block++) {
        must(layer->write(file, &block, sizeof(block), (block - 1) % 100000 * 8) == 0);
        if (fm_random_below(&random, 10) == 0) {
            must(layer->sync(file) == 0);
            must(write(told, &block, sizeof(block)) == sizeof(block));
        }
    }
}

static void a_kill_at_any_moment_keeps_what_was_synced(void **unused)
{
    (void)unused;
    for (int round = 0; round < 5; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            append_and_tell(ends[1]);
        close(ends[1]);
        uint64_t synced = 0, seen;
        for (int i = 0; i < 20 + 30 * round; i++) {
            assert_int_equal(read(ends[0], &seen, sizeof(seen)), sizeof(seen));
            synced = seen;
        }
        kill(child, SIGKILL);
        while (read(ends[0], &seen, sizeof(seen)) == sizeof(seen))
            synced = seen;
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status)); /* no must() failed */
        close(ends[0]);

        char *data = NULL;
        size_t size = 0;
        assert_int_equal(fm_file_read_all(&fm_file_system, in_folder("log"), 1 << 21, &data, &size), 0);
        assert_int_equal(size, 1 << 20);
        for (uint64_t block = 1; block <= synced && block <= 100000; block++)
            assert_true(((uint64_t *)data)[block - 1] >= block);
        free(data);
        assert_int_equal(unlink(in_folder("log")), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unsynced_bytes_are_lost, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(synced_bytes_stay, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(unsynced_sizes_are_lost_and_synced_ones_stay, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_new_file_needs_its_own_sync_and_its_folders, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(an_unlink_needs_the_folders_sync, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_rename_is_durable_without_the_files_unsynced_bytes, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_replaced_file_is_safe, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_listing_shows_only_what_would_survive, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_kill_at_any_moment_keeps_what_was_synced, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
