/* tests/unit/journal/damage_test.c - a torn tail is cut and kept, damage is never read over. */
#include "journal_bed.h"

#include "journal/file_layout.h"

/* A journal as a kill of the process leaves it: `frames` frames of `events` events each in partitions 0 to 2. */
static void make_crashed(fm_bed *out, int frames, uint32_t events, fm_sync sync)
{
    fm_bed bed;
    bed_init(&bed);
    bed_init(out);
    bed.config.sync = sync;
    bed_open(&bed);
    fm_journal_writer *writer = fm_journal_writer_of(bed.journal, 0);
    for (int i = 0; i < frames; i++) {
        bed_append(&bed, 0, (uint32_t)i % 3, events);
        fm_journal_flush(writer);
    }
    bed_copy(bed.directory, out->directory);
    memcpy(out->next, bed.next, sizeof(bed.next));
    bed_fini(&bed);
}

typedef struct frame_list {
    size_t count;
    uint64_t offset[4096];
    uint64_t size[4096];
    char file[4096];
} frame_list;

static int note_frame(void *context, const fm_frame *frame)
{
    frame_list *list = context;
    assert_true(list->count < 4096);
    list->offset[list->count] = frame->offset;
    list->size[list->count++] = sizeof(fm_frame_header) + frame->size;
    snprintf(list->file, sizeof(list->file), "%s", frame->file);
    return 0;
}

/* Where the frames stand, by a reading that changes nothing. */
static void list_frames(fm_bed *bed, frame_list *out)
{
    memset(out, 0, sizeof(*out));
    bed->config.read_only = true;
    bed_open(bed);
    assert_int_equal(fm_journal_read(bed->journal, UINT64_MAX, NULL, note_frame, out, NULL), 0);
    bed_close(bed);
    bed->config.read_only = false;
}

/* The log goes on behind a cut, and nothing of it is lost later. */
static void assert_goes_on(fm_bed *bed)
{
    for (int i = 0; i < 6; i++)
        bed_append(bed, 0, (uint32_t)i % 3, 2);
    bed_close(bed);
    bed_open(bed);
    bed_assert_whole(bed);
}

/* Tears the last frame after `kept` of its bytes. `shortened` = the file ends there; else zeros follow, as in
 * preallocated blocks. */
static void tear_and_open(const fm_bed *crashed, const frame_list *frames, uint64_t kept, bool shortened)
{
    fm_bed bed;
    bed_init(&bed);
    bed_copy(crashed->directory, bed.directory);
    memcpy(bed.next, crashed->next, sizeof(bed.next));
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s%s", bed.directory, frames->file + strlen(crashed->directory));
    size_t size;
    char *data = bed_load(path, &size);
    uint64_t offset = frames->offset[frames->count - 1], frame_size = frames->size[frames->count - 1];
    bool anything = false, same = !shortened; /* a frame may end in zeros of its own */
    for (uint64_t i = 0; i < frame_size; i++) {
        anything = anything || (i < kept && data[offset + i] != 0);
        same = same && (i < kept || data[offset + i] == 0);
    }
    memset(data + offset + kept, 0, frame_size - kept);
    bed_store(path, data, shortened ? offset + kept : size);
    free(data);

    uint32_t partition = (uint32_t)(frames->count - 1) % 3;
    bed.next[partition] -= same ? 0 : 2;
    bed_open(&bed);
    bed_assert_whole(&bed);
    char torn[PATH_MAX + 64];
    snprintf(torn, sizeof(torn), "%s.torn-%llu", path, (unsigned long long)offset);
    assert_int_equal(access(torn, F_OK) == 0, anything && !same);
    assert_goes_on(&bed);
    bed_fini(&bed);
}

static void a_last_frame_torn_at_any_byte_is_cut(void **unused)
{
    (void)unused;
    fm_bed crashed;
    make_crashed(&crashed, 7, 2, FM_SYNC_INTERVAL);
    static frame_list frames;
    list_frames(&crashed, &frames);
    assert_int_equal(frames.count, 7);
    uint64_t size = frames.size[6];
    for (uint64_t kept = 0; kept < size; kept++)
        tear_and_open(&crashed, &frames, kept, kept % 2 == 1);
    tear_and_open(&crashed, &frames, 0, true);
    bed_fini(&crashed);
}

static int open_and_read(fm_bed *bed, fm_seen *seen, fm_error *error)
{
    int result = fm_journal_open(&bed->config, &bed->journal, error);
    if (result < 0)
        bed->journal = NULL;
    else
        result = bed_read(bed, UINT64_MAX, NULL, seen, error);
    return result;
}

/* Opens with one bit turned. Returns whether the damage was told; else what was read must be a beginning of what was
 * written. */
static bool is_told(fm_bed *bed, const fm_seen *whole, size_t *lost)
{
    fm_seen seen = {0};
    fm_error error = {0};
    int result = open_and_read(bed, &seen, &error);
    bed_close(bed);
    assert_false(seen.wrong);
    if (result < 0) {
        assert_true(result == FM_ECORRUPT || result == FM_EVERSION);
        assert_true(error.message[0] != '\0');
        return true;
    }
    for (int p = 0; p < FM_PARTITION_COUNT; p++) {
        assert_true(seen.last[p] <= whole->last[p]);
        assert_true(seen.first[p] <= 1);
    }
    *lost = whole->frames - seen.frames;
    return false;
}

/* Turns one bit in every byte of every file, opens read-only each time. `told` and `lost` count by outcome. */
static void flip_everything(fm_bed *bed, size_t limit_of_file, size_t *told, size_t *lost_frames, size_t *silent)
{
    bed->config.read_only = true;
    fm_seen whole;
    bed_open(bed);
    assert_int_equal(bed_read(bed, UINT64_MAX, NULL, &whole, NULL), 0);
    bed_close(bed);
    fm_random random;
    fm_random_seed(&random, 20140502);
    size_t count;
    char **paths = bed_files(bed->directory, "", &count);
    *told = *lost_frames = *silent = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size;
        char *data = bed_load(paths[i], &size);
        FILE *file = fopen(paths[i], "r+b");
        assert_non_null(file);
        setvbuf(file, NULL, _IONBF, 0);
        for (size_t at = 0; at < size && at < limit_of_file; at++) {
            char turned = (char)(data[at] ^ 1 << fm_random_below(&random, 8));
            size_t lost = 0;
            fseek(file, (long)at, SEEK_SET);
            fputc(turned, file);
            if (is_told(bed, &whole, &lost))
                (*told)++;
            else if (lost > 0)
                *lost_frames += lost;
            else
                (*silent)++;
            fseek(file, (long)at, SEEK_SET);
            fputc(data[at], file);
        }
        fclose(file);
        free(data);
    }
    bed_files_free(paths, count);
}

static void any_bit_turned_in_a_closed_journal_is_told_or_does_no_harm(void **unused)
{
    (void)unused;
    fm_bed bed;
    bed_init(&bed);
    for (int run = 0; run < 2; run++) {
        bed_open(&bed);
        for (int i = 0; i < 5; i++)
            bed_append(&bed, 0, (uint32_t)i % 3, 3);
        bed_close(&bed);
    }
    size_t told, lost, silent;
    flip_everything(&bed, 4700, &told, &lost, &silent);
    assert_int_equal(lost, 0); /* nothing closed is ever taken for torn */
    /* Without harm: one of two copies of journal.meta and the padding of its blocks, and the newest segment's seal. */
    assert_in_range(silent, 1, 4700 + FM_SEAL_SIZE);
    assert_true(told > 3000);
    bed_fini(&bed);
}

static void any_bit_turned_in_a_crashed_journal_is_told_or_shortens_its_end(void **unused)
{
    (void)unused;
    fm_bed crashed;
    make_crashed(&crashed, 9, 3, FM_SYNC_OFF);
    size_t told, lost, silent;
    flip_everything(&crashed, 2600, &told, &lost, &silent);
    assert_true(told >= 60); /* the header */
    assert_true(lost > 0);
    bed_fini(&crashed);
}

/* Zeros frame `index` of the newest segment's file. */
static void zero_frame(const frame_list *frames, size_t index)
{
    size_t size;
    char *data = bed_load(frames->file, &size);
    memset(data + frames->offset[index], 0, frames->size[index]);
    bed_store(frames->file, data, size);
    free(data);
}

static void a_hole_before_what_was_never_synced_is_a_torn_tail(void **unused)
{
    (void)unused;
    fm_bed crashed;
    make_crashed(&crashed, 9, 4, FM_SYNC_OFF);
    static frame_list frames;
    list_frames(&crashed, &frames);
    zero_frame(&frames, 6); /* of partition 0; 7 and 8 go with it */
    for (int p = 0; p < 3; p++)
        crashed.next[p] = 9;
    bed_open(&crashed);
    bed_assert_whole(&crashed);
    assert_int_equal(bed_file_count(crashed.directory, ".torn-"), 1);
    assert_goes_on(&crashed);
    bed_fini(&crashed);
}

static void a_hole_in_what_was_synced_is_damage(void **unused)
{
    (void)unused;
    fm_bed bed, crashed;
    bed_init(&bed);
    bed_init(&crashed);
    bed_open(&bed);
    fm_journal_writer *writer = fm_journal_writer_of(bed.journal, 0);
    for (int i = 0; i < 9; i++) {
        bed_append(&bed, 0, (uint32_t)i % 3, 4);
        uint64_t written = fm_journal_flush(writer);
        for (int k = 0; k < 5000 && fm_journal_synced(writer) < written; k++)
            usleep(1000);
    }
    bed_copy(bed.directory, crashed.directory);
    bed_fini(&bed);
    static frame_list frames;
    list_frames(&crashed, &frames);
    zero_frame(&frames, 6);
    for (int read_only = 0; read_only < 2; read_only++) {
        fm_error error = {0};
        crashed.config.read_only = read_only == 1;
        assert_int_equal(fm_journal_open(&crashed.config, &crashed.journal, &error), FM_ECORRUPT);
        char text[64];
        snprintf(text, sizeof(text), "offset %llu", (unsigned long long)frames.offset[6]);
        assert_non_null(strstr(error.message, text));
        assert_non_null(strstr(error.message, "0000000001-000-00000000.seg"));
        assert_true(error.hint[0] != '\0');
    }
    assert_int_equal(bed_file_count(crashed.directory, ".torn-"), 0); /* refused, nothing was touched */
    crashed.journal = NULL;
    bed_fini(&crashed);
}

/* Three segments, never synced, the end of the first one lost with the power. */
static void segments_behind_a_torn_one_are_kept_aside(void **unused)
{
    (void)unused;
    fm_bed bed, crashed;
    bed_init(&bed);
    bed_init(&crashed);
    bed.config.sync = FM_SYNC_OFF;
    bed_open(&bed);
    fm_journal_writer *writer = fm_journal_writer_of(bed.journal, 0);
    for (int rolls = 0; rolls < 2; rolls += fm_journal_rolled(writer)) {
        bed_append(&bed, 0, 0, 10);
        fm_journal_flush(writer);
    }
    bed_copy(bed.directory, crashed.directory);
    bed_fini(&bed);
    size_t count, size;
    char **paths = bed_files(crashed.directory, ".seg", &count);
    assert_true(count >= 3);
    char *data = bed_load(paths[0], &size);
    memset(data + 30000, 0, size - 30000);
    bed_store(paths[0], data, size);
    free(data);
    bed_files_free(paths, count);

    bed_open(&crashed);
    fm_seen seen;
    assert_int_equal(bed_read(&crashed, UINT64_MAX, NULL, &seen, NULL), 0);
    assert_false(seen.wrong);
    assert_in_range(seen.last[0], 300, 460);
    assert_int_equal(bed_file_count(crashed.directory, ".torn-0"), 2);
    crashed.next[0] = seen.last[0] + 1;
    assert_goes_on(&crashed);
    bed_fini(&crashed);
}

/* Blocks of an older file may surface behind the end. They are whole frames, but not this segment's. */
static void frames_of_another_segment_are_no_frames_here(void **unused)
{
    (void)unused;
    fm_bed bed, crashed;
    bed_init(&bed);
    bed_init(&crashed);
    bed_open(&bed);
    fm_journal_writer *writer = fm_journal_writer_of(bed.journal, 0);
    while (!fm_journal_rolled(writer)) {
        bed_append(&bed, 0, 0, 10);
        fm_journal_flush(writer);
    }
    bed_copy(bed.directory, crashed.directory);
    memcpy(crashed.next, bed.next, sizeof(bed.next));
    bed_fini(&bed);
    static frame_list frames;
    list_frames(&crashed, &frames);
    uint64_t end = frames.offset[frames.count - 1] + frames.size[frames.count - 1];

    size_t count, size, old_size;
    char **paths = bed_files(crashed.directory, ".seg", &count);
    assert_true(count >= 2);
    char *old = bed_load(paths[0], &old_size), *data = bed_load(paths[1], &size);
    assert_string_equal(frames.file, paths[1]);
    memcpy(data + end, old + frames.offset[0], frames.size[0]);
    bed_store(paths[1], data, size);
    free(old);
    free(data);
    bed_files_free(paths, count);

    bed_open(&crashed);
    bed_assert_whole(&crashed);
    assert_int_equal(bed_file_count(crashed.directory, ".torn-"), 1);
    assert_goes_on(&crashed);
    bed_fini(&crashed);
}

/* A close or a repair takes unused segments away; when the power fails meanwhile, any of them may be gone. */
static void a_gap_between_unused_segments_is_no_loss(void **unused)
{
    (void)unused;
    for (int read_only = 1; read_only >= 0; read_only--) {
        fm_bed crashed;
        make_crashed(&crashed, 9, 4, FM_SYNC_INTERVAL);
        size_t count;
        char **paths = bed_files(crashed.directory, ".seg", &count), moved[PATH_MAX];
        snprintf(moved, sizeof(moved), "%s/0000000001-000-00000003.seg", crashed.directory);
        size_t size;
        char *data = bed_load(paths[0], &size);
        memset(data + sizeof(fm_segment_header), 0, size - sizeof(fm_segment_header));
        bed_store(moved, data, size);
        free(data);
        bed_files_free(paths, count);
        crashed.config.read_only = read_only == 1;
        bed_open(&crashed);
        bed_assert_whole(&crashed);
        assert_int_equal(access(moved, F_OK) == 0, read_only);
        if (read_only == 0)
            assert_goes_on(&crashed);
        bed_fini(&crashed);
    }
}

/* What an opening or a reading says about a folder that was meddled with. */
static int code_of(fm_bed *bed)
{
    fm_seen seen = {0};
    fm_error error = {0};
    int result = open_and_read(bed, &seen, &error);
    assert_false(seen.wrong);
    bed_close(bed);
    return result;
}

static void make_three_runs(fm_bed *bed)
{
    bed_init(bed);
    for (int run = 0; run < 3; run++) {
        bed_open(bed);
        for (int i = 0; i < 200; i++)
            bed_append(bed, 0, 0, 10);
        bed_close(bed);
    }
    bed->config.read_only = true;
}

static void a_missing_or_shortened_or_renamed_file_is_told(void **unused)
{
    (void)unused;
    for (int what = 0; what < 7; what++) {
        fm_bed bed;
        make_three_runs(&bed);
        assert_int_equal(code_of(&bed), 0);
        size_t count, size;
        char path[PATH_MAX + 64];
        char **paths = bed_files(bed.directory, ".seg", &count);
        assert_true(count >= 6);
        char *data = bed_load(paths[1], &size);
        switch (what) {
        case 0: /* in the middle of a run */
            unlink(paths[1]);
            break;
        case 1: /* a whole run */
            for (size_t i = 0; i < count; i++) {
                if (strstr(paths[i], "/0000000002-") != NULL)
                    unlink(paths[i]);
            }
            break;
        case 2: /* the beginning, which retention did not remove */
            unlink(paths[0]);
            break;
        case 3:
            bed_store(paths[1], data, size / 16 * 8);
            break;
        case 6: /* in the middle of the newest run */
            unlink(paths[count - 2]);
            break;
        case 4: /* one segment in the place of another */
            bed_store(paths[2], data, size);
            break;
        default:
            snprintf(path, sizeof(path), "%s/journal.meta", bed.directory);
            unlink(path);
        }
        free(data);
        bed_files_free(paths, count);
        bed.config.read_only =
            what != 5; /* without journal.meta a reader finds no journal; a writer must not make a new one */
        assert_int_equal(code_of(&bed), FM_ECORRUPT);
        bed_fini(&bed);
    }
}

static void another_layout_is_refused_by_name(void **unused)
{
    (void)unused;
    fm_bed bed;
    make_three_runs(&bed);
    size_t count, size;
    char **paths = bed_files(bed.directory, ".seg", &count);
    char *data = bed_load(paths[0], &size);
    fm_segment_header header;
    memcpy(&header, data, sizeof(header));
    header.layout = 2;
    header.crc = fm_crc32c(0, &header, offsetof(fm_segment_header, crc));
    memcpy(data, &header, sizeof(header));
    bed_store(paths[0], data, size);
    free(data);
    bed_files_free(paths, count);
    assert_int_equal(code_of(&bed), FM_EVERSION);
    bed_fini(&bed);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_last_frame_torn_at_any_byte_is_cut),
        cmocka_unit_test(any_bit_turned_in_a_closed_journal_is_told_or_does_no_harm),
        cmocka_unit_test(any_bit_turned_in_a_crashed_journal_is_told_or_shortens_its_end),
        cmocka_unit_test(a_hole_before_what_was_never_synced_is_a_torn_tail),
        cmocka_unit_test(a_hole_in_what_was_synced_is_damage),
        cmocka_unit_test(segments_behind_a_torn_one_are_kept_aside),
        cmocka_unit_test(frames_of_another_segment_are_no_frames_here),
        cmocka_unit_test(a_gap_between_unused_segments_is_no_loss),
        cmocka_unit_test(a_missing_or_shortened_or_renamed_file_is_told),
        cmocka_unit_test(another_layout_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
