/* tests/unit/journal/space_test.c - the disk is full, the disk is back, old segments go when they may. */
#include "journal_bed.h"

#include "journal/file_layout.h"

#include <sys/mount.h>
#include <sys/wait.h>

/* A disk with room for so many segments. */
static _Atomic int allocations_left;
static _Atomic bool fail_writes, fail_syncs;

static int allocate_counted(fm_file *file, uint64_t size)
{
    if (size < BED_SEGMENT)
        return fm_file_system.allocate(file, size);
    if (atomic_load(&allocations_left) <= 0)
        return FM_ENOSPC;
    atomic_fetch_sub(&allocations_left, 1);
    return fm_file_system.allocate(file, size);
}

static int write_or_fail(fm_file *file, const void *data, size_t size, uint64_t offset)
{
    return atomic_load(&fail_writes) ? FM_EIO : fm_file_system.write(file, data, size, offset);
}

static int sync_or_fail(fm_file *file)
{
    (void)file;
    return atomic_load(&fail_syncs) ? FM_EIO : 0;
}

static void full_bed(fm_bed *bed, int segments)
{
    bed_init(bed);
    bed->layer.allocate = allocate_counted;
    bed->layer.write = write_or_fail;
    bed->layer.sync = sync_or_fail;
    atomic_store(&allocations_left, segments);
    atomic_store(&fail_writes, false);
    atomic_store(&fail_syncs, false);
}

static bool soon(bool (*holds)(fm_bed *bed), fm_bed *bed)
{
    for (int i = 0; i < 8000; i++) {
        if (holds(bed))
            return true;
        usleep(1000);
    }
    return false;
}

static bool is_full(fm_bed *bed)
{
    return fm_counter(fm_journal_counters(bed->journal), FM_METRIC_JOURNAL_FULL) == 1;
}

static bool takes_again(fm_bed *bed)
{
    fm_journal_writer *writer = fm_journal_writer_of(bed->journal, 0);
    if (fm_journal_reserve(writer, 6400) < 0)
        return false;
    fm_journal_unreserve(writer, 6400);
    return true;
}

/* Reserves and appends until it is refused; every frame has `events` events. Returns bytes of events. */
static uint64_t fill(fm_bed *bed, uint32_t events, int *refusal)
{
    fm_journal_writer *writer = fm_journal_writer_of(bed->journal, 0);
    uint64_t bytes = 0, room = (uint64_t)events * 96;
    for (;;) {
        *refusal = fm_journal_reserve(writer, room);
        if (*refusal < 0)
            return bytes;
        size_t used = bed_append(bed, 0, 7, events);
        fm_journal_unreserve(writer, room - used);
        fm_journal_flush(writer);
        bytes += used;
    }
}

static void a_full_disk_refuses_reservations_and_room_comes_back_by_itself(void **unused)
{
    (void)unused;
    static const uint32_t sizes[] = {1, 2, 8, 100};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        fm_bed bed;
        full_bed(&bed, 2);
        bed_open(&bed);
        int refusal = 0;
        uint64_t bytes = 0;
        for (int k = 0; k < 5000 && refusal != FM_journal_full; k++) {
            bytes += fill(&bed, sizes[i], &refusal); /* at first the second segment may not be ready */
            usleep(1000);
        }
        assert_int_equal(refusal, FM_journal_full);
        assert_true(is_full(&bed));
        assert_in_range(bytes, BED_SEGMENT / 2, 2 * BED_SEGMENT);
        if (i == 0) { /* waits for the retry of the syncer, a second */
            atomic_store(&allocations_left, 3);
            assert_true(soon(takes_again, &bed));
            assert_false(is_full(&bed));
            assert_true(fill(&bed, sizes[i], &refusal) > 0);
        }
        bed_close(&bed);
        atomic_store(&allocations_left, 1000);
        bed_open(&bed);
        bed_assert_whole(&bed);
        bed_fini(&bed);
    }
}

/* Events of 64 bytes, or of the largest size that there is. */
static size_t make_events(fm_random *random, uint32_t count, uint32_t large_of_hundred, char *out)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool large = fm_random_below(random, 100) < large_of_hundred;
        fm_event event = {.kind = FM_VALUE, .extra_words = large ? (FM_JOURNAL_EVENT_MAX - sizeof(event)) / 8 : 0};
        memcpy(out + size, &event, sizeof(event));
        memset(out + size + sizeof(event), 1, 8u * event.extra_words);
        size += sizeof(event) + 8u * event.extra_words;
    }
    return size;
}

static int count_frame(void *context, const fm_frame *frame)
{
    *(uint64_t *)context += frame->count;
    return 0;
}

/* Requests reserve, to the byte, until one is refused, before the first of them is appended; each becomes frames of at
 * most `frame_events` events. Again, until nothing is left. Returns the events appended. */
static uint64_t use_up(fm_bed *bed, fm_random *random, uint32_t large_of_hundred, uint32_t frame_events)
{
    enum { REQUEST_EVENTS = 6 };
    static char events[4 * BED_SEGMENT + REQUEST_EVENTS * FM_JOURNAL_EVENT_MAX];
    fm_journal_writer *writer = fm_journal_writer_of(bed->journal, 0);
    uint64_t appended = 0;
    for (;;) {
        size_t taken = 0, size = 0;
        do {
            taken += size;
            size = make_events(random, 1 + (uint32_t)fm_random_below(random, REQUEST_EVENTS), large_of_hundred,
                               events + taken);
        } while (taken < 4 * BED_SEGMENT && fm_journal_reserve(writer, size) >= 0);
        if (taken == 0)
            return appended;
        for (size_t at = 0; at < taken;) {
            size_t part = 0;
            uint32_t count = 0;
            for (; count < frame_events && at + part < taken; count++)
                part += fm_event_size((const fm_event *)(events + at + part));
            fm_journal_append(writer, 0, bed->next[0], count, 77, events + at, part);
            bed->next[0] += count;
            appended += count;
            at += part;
        }
        fm_journal_flush(writer);
    }
}

static bool has_two(fm_bed *bed)
{
    return fm_counter(fm_journal_counters(bed->journal), FM_METRIC_JOURNAL_SEGMENTS) == 2;
}

/* The promise behind a reservation: with no third segment to be had, none of these appends may find the journal full
 * (which would abort). */
static void what_is_reserved_can_be_appended(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        fm_random random;
        fm_random_seed(&random, seed);
        fm_bed bed;
        full_bed(&bed, 2);
        bed_open(&bed);
        static const uint32_t large_of_hundred[] = {0, 3, 30};
        assert_true(soon(has_two, &bed));
        uint64_t appended = use_up(&bed, &random, large_of_hundred[seed % 3], 1 + (uint32_t)(seed % 2) * 5);
        if (seed % 3 == 0)
            assert_true(appended * 112 > BED_SEGMENT); /* and it was worth something */
        bed_close(&bed);
        atomic_store(&allocations_left, 1000);
        bed_open(&bed);
        uint64_t read = 0;
        assert_int_equal(fm_journal_read(bed.journal, UINT64_MAX, NULL, count_frame, &read, NULL), 0);
        assert_int_equal(read, appended);
        bed_fini(&bed);
    }
}

static void more_than_a_segment_is_refused_by_its_own_name(void **unused)
{
    (void)unused;
    fm_bed bed;
    full_bed(&bed, 100);
    bed_open(&bed);
    fm_journal_writer *writer = fm_journal_writer_of(bed.journal, 0);
    assert_int_equal(fm_journal_reserve(writer, BED_SEGMENT), FM_batch_too_large);
    assert_int_equal(fm_journal_reserve(writer, UINT64_MAX), FM_batch_too_large);
    assert_int_equal(fm_journal_reserve(writer, 0), 0);
    assert_true(soon(takes_again, &bed));
    bed_fini(&bed);
}

static void a_disk_that_is_full_at_the_start_does_not_keep_the_journal_closed(void **unused)
{
    (void)unused;
    fm_bed bed;
    full_bed(&bed, 10);
    bed_open(&bed);
    bed_append(&bed, 0, 1, 10);
    bed_close(&bed);
    atomic_store(&allocations_left, 0);
    bed_open(&bed);
    bed_assert_whole(&bed);
    assert_true(is_full(&bed));
    assert_int_equal(fm_journal_reserve(fm_journal_writer_of(bed.journal, 0), 64), FM_journal_full);
    atomic_store(&allocations_left, 10);
    assert_true(soon(takes_again, &bed));
    bed_append(&bed, 0, 1, 10);
    bed_close(&bed);
    bed_open(&bed);
    bed_assert_whole(&bed);
    bed_fini(&bed);
}

static void a_real_disk_may_be_full(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    if (mount("tmpfs", bed.directory, "tmpfs", 0, "size=300k") != 0) {
        print_message("a_real_disk_may_be_full is skipped: mounting a tmpfs is not allowed here\n");
        rmdir(bed.directory);
        skip();
    }
    bed.layer = fm_file_system;
    bed.config.sync = FM_SYNC_ALWAYS;
    bed_open(&bed);
    int refusal = 0;
    uint64_t bytes = 0;
    for (int i = 0; i < 200 && refusal != FM_journal_full; i++) {
        bytes += fill(&bed, 20, &refusal);
        usleep(1000);
    }
    assert_int_equal(refusal, FM_journal_full);
    assert_true(bytes > 2 * BED_SEGMENT);
    assert_true(is_full(&bed));
    bed_close(&bed); /* gives the preallocated rest back */
    bed_open(&bed);
    bed_assert_whole(&bed);
    bed_close(&bed);
    umount(bed.directory);
    bed_fini(&bed);
}

/* How a process ends that loses its disk while it works. */
static int end_of_process(_Atomic bool *what_fails)
{
    fm_bed bed;
    full_bed(&bed, 100);
    pid_t child = fork();
    if (child == 0) {
        fclose(stderr);
        bed_open(&bed);
        fm_journal_writer *writer = fm_journal_writer_of(bed.journal, 0);
        atomic_store(what_fails, true);
        for (int i = 0; i < 1000; i++) {
            bed_append(&bed, 0, 1, 1);
            fm_journal_flush(writer);
            fm_journal_request_sync(writer);
            usleep(1000);
        }
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    bed.journal = NULL;
    bed_fini(&bed);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_write_or_a_sync_that_fails_ends_the_process(void **unused)
{
    (void)unused;
    assert_int_equal(end_of_process(&fail_writes), SIGABRT);
    assert_int_equal(end_of_process(&fail_syncs), SIGABRT);
}

/* ---- pages ---- */

static uint64_t data_end, cleared_end; /* of the segment being written, by what the layer was told */
static int clears;
static _Atomic bool watching; /* else other files are written too */

static int write_watched(fm_file *file, const void *data, size_t size, uint64_t offset)
{
    static const char zeros[BED_SEGMENT];
    if (!atomic_load(&watching) || offset == 0)
        return fm_file_system.write(file, data, size, offset);
    bool clear = size <= sizeof(zeros) && memcmp(data, zeros, size) == 0;
    if (clear) {
        assert_true(offset >= data_end && offset >= cleared_end);
        assert_int_equal((offset + size) % BED_SEGMENT, 0);
        cleared_end = offset + size;
        clears++;
    } else {
        assert_true(offset + size <= cleared_end);
        data_end = offset + size;
    }
    return fm_file_system.write(file, data, size, offset);
}

static void a_write_ends_in_bytes_that_were_cleared_once_and_before(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    bed.config.segment_bytes = 16 * BED_SEGMENT;
    bed.layer.write = write_watched;
    data_end = cleared_end = 0;
    clears = 0;
    bed_open(&bed);
    atomic_store(&watching, true);
    for (uint32_t i = 0; data_end < 14 * BED_SEGMENT; i++) {
        bed_append(&bed, 0, 7,
                   i % 17 == 16 ? 3000 : 50 + i % 100); /* 3000: clears where it ends, not all that it fills */
        fm_journal_flush(fm_journal_writer_of(bed.journal, 0));
    }
    atomic_store(&watching, false);
    assert_in_range(clears, 5, 13);
    bed_close(&bed);
    bed_open(&bed);
    bed_assert_whole(&bed);
    bed_fini(&bed);
}

/* ---- retention ---- */

static size_t segments_on_disk(const fm_bed *bed)
{
    return bed_file_count(bed->directory, ".seg");
}

static void write_segments(fm_bed *bed, uint32_t partition, int count)
{
    fm_journal_writer *writer = fm_journal_writer_of(bed->journal, 0);
    (void)fm_journal_rolled(writer);
    for (int rolls = 0; rolls < count; rolls += fm_journal_rolled(writer)) {
        bed_append(bed, 0, partition, 50);
        fm_journal_flush(writer);
        usleep(100);
    }
}

static bool has_few(fm_bed *bed)
{
    size_t count = segments_on_disk(bed);
    return count <= 6 && count == fm_counter(fm_journal_counters(bed->journal), FM_METRIC_JOURNAL_SEGMENTS);
}

static void what_is_not_released_stays_whatever_the_limit(void **unused)
{
    (void)unused;
    fm_bed bed;
    full_bed(&bed, 1000);
    bed.config.retain_bytes = 4 * BED_SEGMENT;
    bed_open(&bed);
    write_segments(&bed, 3, 12);
    usleep(50000);
    assert_true(segments_on_disk(&bed) >= 13);

    fm_journal_release(bed.journal, 3, bed.next[3] - 1);
    write_segments(&bed, 3, 1); /* a roll wakes the syncer */
    assert_true(soon(has_few, &bed));
    assert_true(segments_on_disk(&bed) >= 3);
    bed_close(&bed);

    bed_open(&bed);
    fm_seen seen;
    assert_int_equal(bed_read(&bed, UINT64_MAX, NULL, &seen, NULL), 0);
    assert_false(seen.wrong);
    assert_true(seen.first[3] > 1);
    assert_int_equal(seen.last[3] + 1, bed.next[3]);
    /* A caller that has less than what was removed is told, and not given a log with a hole. */
    uint64_t after[FM_PARTITION_COUNT] = {[3] = seen.first[3] - 2};
    assert_int_equal(bed_read(&bed, UINT64_MAX, after, &seen, NULL), FM_ECORRUPT);
    after[3]++;
    assert_int_equal(bed_read(&bed, UINT64_MAX, after, &seen, NULL), 0);
    bed_fini(&bed);
}

static void one_partition_that_is_needed_keeps_its_segment_and_all_behind(void **unused)
{
    (void)unused;
    fm_bed bed;
    full_bed(&bed, 1000);
    bed.config.retain_bytes = BED_SEGMENT;
    bed_open(&bed);
    write_segments(&bed, 0, 3);
    bed_append(&bed, 0, 9, 1); /* nobody releases this one */
    write_segments(&bed, 0, 8);
    fm_journal_release(bed.journal, 0, UINT64_MAX);
    write_segments(&bed, 0, 1);
    usleep(100000);
    bed_close(&bed);
    bed_open(&bed);
    fm_seen seen;
    assert_int_equal(bed_read(&bed, UINT64_MAX, NULL, &seen, NULL), 0);
    assert_false(seen.wrong);
    assert_int_equal(seen.last[9], 1);
    assert_int_equal(seen.last[0] + 1, bed.next[0]);
    assert_true(seen.first[0] > 1);
    assert_true(seen.last[0] - seen.first[0] > 8 * 400);
    bed_fini(&bed);
}

static void the_next_sequence_is_known_when_all_frames_are_gone(void **unused)
{
    (void)unused;
    fm_bed bed;
    full_bed(&bed, 1000);
    bed_open(&bed);
    write_segments(&bed, 5, 4);
    bed_close(&bed);
    bed.config.retain_bytes = 0;
    bed_open(&bed);
    fm_journal_release(bed.journal, 5, UINT64_MAX);
    write_segments(&bed, 6, 2);
    fm_journal_release(bed.journal, 6, UINT64_MAX);
    write_segments(&bed, 6, 2);
    usleep(50000);
    bed_close(&bed);
    bed_open(&bed);
    fm_seen seen;
    assert_int_equal(bed_read(&bed, UINT64_C(1) << 5, NULL, &seen, NULL), 0);
    assert_int_equal(seen.frames, 0);
    bed_append(&bed, 0, 5, 3); /* asserted in append: goes on where it was */
    bed_close(&bed);
    bed_open(&bed);
    assert_int_equal(bed_read(&bed, UINT64_C(1) << 5, NULL, &seen, NULL), 0);
    assert_int_equal(seen.first[5], bed.next[5] - 3);
    bed_fini(&bed);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_refuses_reservations_and_room_comes_back_by_itself),
        cmocka_unit_test(what_is_reserved_can_be_appended),
        cmocka_unit_test(more_than_a_segment_is_refused_by_its_own_name),
        cmocka_unit_test(a_disk_that_is_full_at_the_start_does_not_keep_the_journal_closed),
        cmocka_unit_test(a_real_disk_may_be_full),
        cmocka_unit_test(a_write_or_a_sync_that_fails_ends_the_process),
        cmocka_unit_test(a_write_ends_in_bytes_that_were_cleared_once_and_before),
        cmocka_unit_test(what_is_not_released_stays_whatever_the_limit),
        cmocka_unit_test(one_partition_that_is_needed_keeps_its_segment_and_all_behind),
        cmocka_unit_test(the_next_sequence_is_known_when_all_frames_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
