/* tests/unit/engine/snapshot_file_test.c - snapshot files: what is readable of a damaged one, and which stay.
 * links: main */
#include "replay/lab.h"

#include "engine/snapshot.h"

#include "engine/shard_internal.h"

lab *lab_running;

static void put_partition(fm_text *text, uint32_t partition, uint64_t applied)
{
    fm_snapshot_head head;
    memset(&head, 0, sizeof(head));
    head.partition = partition;
    head.applied = applied;
    fm_text_clear(text);
    fm_text_add(text, &head, sizeof(head));
    fm_text_put(text, "the rest");
}

static void write_file(const char *directory, uint64_t incarnation, uint32_t shard, uint64_t number, uint64_t applied)
{
    fm_text text[3] = {0};
    const fm_text *partitions[FM_PARTITION_COUNT] = {0};
    fm_error error = {0};
    for (uint32_t p = 0; p < 3; p++) {
        put_partition(&text[p], p, applied);
        partitions[p] = &text[p];
    }
    lab_must(fm_snapshot_write(&fm_file_system, directory, incarnation, shard, number, partitions, &error), &error);
    for (uint32_t p = 0; p < 3; p++)
        fm_text_fini(&text[p]);
}

static int files_in(const char *directory)
{
    int count = 0;
    DIR *folder = opendir(directory);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        count += strstr(entry->d_name, ".snap") != NULL;
    if (folder != NULL)
        closedir(folder);
    return count;
}

typedef struct visited {
    uint32_t count;
    uint64_t applied[100], incarnation[100];
} visited;

static int visit(void *context, const fm_snapshot_head *head, const char *data, size_t size, const char *file)
{
    visited *v = context;
    assert_true(size == sizeof(*head) + 8 && memcmp(data + sizeof(*head), "the rest", 8) == 0);
    v->incarnation[v->count] = fm_snapshot_incarnation(file);
    v->applied[v->count++] = head->applied;
    return 0;
}

static void visit_all(const char *directory, visited *v)
{
    fm_error error = {0};
    *v = (visited){0};
    lab_must(fm_snapshot_visit_all(&fm_file_system, directory, visit, v, &error), &error);
}

/* Number 2 was never written, because 3 was waiting behind it: 1 is the one before 3. */
static void the_one_before_stays_whatever_its_number(void **unused)
{
    (void)unused;
    char directory[256];
    visited v;
    lab_folder(directory, sizeof(directory));
    write_file(directory, 7, 0, 1, 100);
    write_file(directory, 7, 1, 1, 100);
    write_file(directory, 7, 0, 3, 300);
    assert_int_equal(files_in(directory), 3);
    write_file(directory, 7, 0, 4, 400);
    assert_int_equal(files_in(directory), 3);
    visit_all(directory, &v);
    assert_int_equal(v.count, 9);
    assert_true(v.applied[0] == 300 && v.applied[3] == 400 && v.applied[6] == 100);
    lab_remove(directory);
}

static void a_damaged_file_gives_what_stands_before_the_damage(void **unused)
{
    (void)unused;
    char directory[256], path[400];
    visited v;
    lab_folder(directory, sizeof(directory));
    write_file(directory, 7, 0, 1, 100);
    snprintf(path, sizeof(path), "%s/0000000007-000-0000000001.snap", directory);
    char *data;
    size_t size;
    assert_int_equal(fm_file_read_all(&fm_file_system, path, 1 << 20, &data, &size), 0);
    for (size_t at = 0; at < size; at++) { /* every byte once */
        data[at] ^= 0x20;
        assert_int_equal(fm_file_replace(&fm_file_system, path, data, size), 0);
        visit_all(directory, &v);
        assert_true(v.count < 3);
        data[at] ^= 0x20;
    }
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(fm_file_replace(&fm_file_system, path, data, cut), 0);
        visit_all(directory, &v);
        assert_true(v.count < 3);
    }
    free(data);
    lab_remove(directory);
}

static void other_files_are_left_alone(void **unused)
{
    (void)unused;
    char directory[256], path[400];
    visited v;
    lab_folder(directory, sizeof(directory));
    static const char *const other[] = {"notes.txt", "1-2.snap", "1-2-3.snap.new", "a-b-c.snap"};
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, other[i]);
        fclose(fopen(path, "w"));
    }
    write_file(directory, 9, 0, 1, 5);
    fm_snapshot_remove_before(&fm_file_system, directory, 9);
    visit_all(directory, &v);
    assert_int_equal(v.count, 3);
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, other[i]);
        assert_int_equal(access(path, R_OK), 0);
    }
    fm_snapshot_remove_before(&fm_file_system, directory, 10);
    visit_all(directory, &v);
    assert_int_equal(v.count, 0);
    lab_remove(directory);
}

/* A run's first snapshots do not remove what it was recovered from; runs do not pile up either. */
static void a_run_keeps_what_it_came_from_until_it_has_two(void **unused)
{
    (void)unused;
    char directory[256], snapshots[300];
    lab_folder(directory, sizeof(directory));
    snprintf(snapshots, sizeof(snapshots), "%s/snapshots", directory);
    uint64_t previous = 0;
    for (int run = 0; run < 5; run++) {
        lab l;
        lab_options options = {.shards = 2, .batch = 10, .snapshots = true, .sync = FM_SYNC_INTERVAL};
        lab_open(&l, directory, &options);
        uint64_t incarnation = fm_journal_incarnation(l.journal);
        for (int i = 0; i < 20; i++) {
            char symbol[16];
            snprintf(symbol, sizeof(symbol), "S%d", i);
            fm_record record = lab_record(FM_VALUE, INT64_C(1399000000) * FM_NS_PER_S + run, symbol);
            lab_send(&l, "run", &record, 1);
        }
        lab_close(&l, true); /* one snapshot of each shard */
        lab_free_bodies(&l);
        DIR *folder = opendir(snapshots);
        bool kept = false, older = false;
        for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
            uint64_t of = fm_snapshot_incarnation(entry->d_name);
            kept |= of == previous;
            older |= of != 0 && of < previous;
        }
        closedir(folder);
        assert_true(kept || run == 0);
        assert_false(older);
        previous = incarnation;
    }
    lab_remove(directory);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_before_stays_whatever_its_number),
        cmocka_unit_test(a_damaged_file_gives_what_stands_before_the_damage),
        cmocka_unit_test(other_files_are_left_alone),
        cmocka_unit_test(a_run_keeps_what_it_came_from_until_it_has_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
