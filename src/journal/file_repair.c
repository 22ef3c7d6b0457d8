/* journal/file_repair.c - what an opening finds in the folder: lists the segments, judges the tails that a crash left.
 *
 * Every opening for writing leaves all older segments sealed, so only the newest run can have a tail. A bad frame there
 * is one of two things. A frame further on, or before, may tell (fm_frame_header.synced) that this place was on the
 * disk when it was made: then bytes were damaged, and that is never repaired by forgetting. Otherwise nobody was ever
 * promised those bytes: the machine died before they were synced, perhaps after later ones were; the log ends at the
 * last whole frame before them. */
#include "journal/file_state.h"

#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COPY_SIZE = 1 << 20 };

static int damaged(fm_error *error, const char *path, uint64_t offset, const char *what)
{
    int code =
        fm_fail(error, FM_ECORRUPT, "journal segment \"%s\" is damaged at offset %" PRIu64 ": %s", path, offset, what);
    if (error != NULL) {
        snprintf(error->file, sizeof(error->file), "%.255s", path);
        snprintf(error->hint, sizeof(error->hint),
                 "restore the data directory from a backup; records are never skipped");
    }
    return code;
}

/* 1 with the header's values in *segment; 0 when the file was never used (no header, nothing behind it). */
static int load_header(fm_scan *scan, fm_segment *segment, fm_error *error)
{
    const char *bytes = NULL;
    int there = fm_scan_bytes(scan, 0, sizeof(fm_segment_header), &bytes);
    int result = there;
    if (there > 0) {
        fm_segment_header header;
        memcpy(&header, bytes, sizeof(header));
        result = fm_segment_check_header(&header, segment);
        if (result == 0)
            return 1;
    }
    if (result == FM_EVERSION)
        return fm_fail(error, FM_EVERSION, "journal segment \"%s\" has a layout that this build cannot read",
                       scan->path);
    if (there < 0)
        return fm_fail(error, there, "could not read journal segment \"%s\"", scan->path);
    /* The header is on the disk before the segment gets its first frame. */
    fm_survey survey;
    if (fm_scan_survey(scan, 0, &survey) < 0)
        return fm_fail(error, FM_EIO, "could not read journal segment \"%s\"", scan->path);
    if (survey.end > sizeof(fm_segment_header))
        return damaged(error, scan->path, 0, "its header does not match its checksum");
    return 0;
}

static int load_sealed(fm_journal *journal, fm_scan *scan, fm_segment *segment, fm_error *error)
{
    FM_TRY(fm_scan_open(scan, journal->directory, segment, error));
    int there = load_header(scan, segment, error);
    if (there < 0)
        return there;
    uint64_t synced;
    if (there > 0)
        there = fm_scan_tail_seal(scan, &segment->range, &synced, &segment->end);
    if (there < 0)
        return fm_fail(error, there, "could not read journal segment \"%s\"", scan->path);
    if (there == 0)
        return damaged(error, scan->path, scan->file_size, "it does not end with its seal");
    segment->file_size = scan->file_size;
    segment->sealed = true;
    return 0;
}

/* The next frame: its sequences are noted, and the newest synced position that it tells. */
static int walk_frame(fm_scan *scan, fm_segment *segment, uint64_t *told)
{
    fm_frame_header header;
    const char *payload;
    int found = fm_scan_next(scan, &header, &payload);
    segment->end = scan->offset;
    if (found > 0 && header.synced > *told)
        *told = header.synced;
    if (found == FM_SCAN_FRAME)
        fm_seal_note(&segment->range, header.partition, header.first_sequence,
                     header.first_sequence + header.count - 1);
    return found;
}

/* Reads a segment of the newest run to its seal (1) or to the first bytes that are no frame (0); segment->end is there.
 */
static int walk(fm_journal *journal, fm_scan *scan, fm_segment *segment, uint64_t *synced, fm_error *error)
{
    FM_TRY(fm_scan_open(scan, journal->directory, segment, error));
    segment->end = sizeof(fm_segment_header);
    segment->file_size = scan->file_size;
    int there = load_header(scan, segment, error);
    if (there <= 0)
        return there;

    uint64_t told = 0;
    int found = fm_scan_tail_seal(scan, &segment->range, &told, &segment->end);
    segment->sealed = found > 0;
    if (found == 0) {
        do
            found = walk_frame(scan, segment, &told);
        while (found == FM_SCAN_FRAME);
    }
    if (told > *synced)
        *synced = told;
    if (found < 0)
        return fm_fail(error, found, "could not read journal segment \"%s\"", scan->path);
    return segment->sealed || found == FM_SCAN_SEAL;
}

/* Copies [from, end) of the scanned file into <segment>.torn-<from>. */
static int keep_aside(fm_journal *journal, fm_scan *scan, const fm_segment *segment, uint64_t from, uint64_t end)
{
    char suffix[32], path[PATH_MAX];
    snprintf(suffix, sizeof(suffix), ".torn-%" PRIu64, from);
    fm_journal_path(journal, segment, suffix, path);
    fm_file *file;
    FM_TRY(journal->layer->open(path, FM_FILE_CREATE, &file));
    int result = journal->layer->truncate(file, 0);
    for (uint64_t at = from; at < end && result == 0;) {
        size_t size = end - at < COPY_SIZE ? (size_t)(end - at) : COPY_SIZE;
        const char *bytes = NULL;
        int there = fm_scan_bytes(scan, at, size, &bytes);
        result = there == 1 ? journal->layer->write(file, bytes, size, at - from) : there < 0 ? there : FM_EIO;
        at += size;
    }
    if (result == 0)
        result = journal->layer->sync(file);
    journal->layer->close(file);
    if (result == 0)
        result = journal->layer->sync_folder(journal->directory);
    FM_TRY(result);
    fm_log(FM_LOG_WARN, "journal_torn_tail", "file", scan->path, "offset", fm_log_int((int64_t)from), "bytes",
           fm_log_int((int64_t)(end - from)), "kept", path, NULL);
    return 0;
}

/* Ends the file of a segment with its seal at segment->end. */
static int seal(fm_journal *journal, fm_segment *segment, bool has_seal, uint64_t synced)
{
    char path[PATH_MAX], bytes[FM_SEAL_SIZE];
    fm_journal_path(journal, segment, "", path);
    fm_file *file;
    FM_TRY(journal->layer->open(path, FM_FILE_CREATE, &file));
    /* A seal at the end of the file says that all of it is on the disk, so it comes after a sync. */
    int result = journal->layer->sync(file);
    if (result == 0 && !has_seal)
        result = journal->layer->truncate(file, segment->end);
    if (result == 0 && !has_seal) {
        fm_seal_make(segment, synced, bytes);
        result = journal->layer->write(file, bytes, sizeof(bytes), segment->end);
    }
    if (result == 0)
        result = journal->layer->truncate(file, segment->end + FM_SEAL_SIZE);
    if (result == 0)
        result = journal->layer->sync(file);
    journal->layer->close(file);
    if (result == 0) {
        segment->file_size = segment->end + FM_SEAL_SIZE;
        segment->sealed = true;
    }
    return result;
}

/* Cuts what stands behind the frames (and the seal) of a segment; a segment without frames goes. */
static int cut(fm_journal *journal, fm_scan *scan, fm_segment *segment, bool has_seal, fm_error *error)
{
    if (journal->read_only || segment->sealed)
        return 0;
    uint64_t from = has_seal ? segment->end + FM_SEAL_SIZE : segment->end;
    fm_survey survey;
    int result = fm_scan_open(scan, journal->directory, segment, error);
    if (result == 0)
        result = fm_scan_survey(scan, from, &survey);
    if (result == 0 && survey.end > from)
        result = keep_aside(journal, scan, segment, from, survey.end);
    if (result == 0 && segment->end == sizeof(fm_segment_header))
        result = journal->layer->unlink(scan->path);
    else if (result == 0)
        result = seal(journal, segment, has_seal, fm_segment_position(segment, segment->end));
    return result < 0
               ? fm_fail(error, result, "could not repair the end of \"%s\": %s", scan->path, fm_error_text(result))
               : 0;
}

/* Takes a segment behind the end of the log away: kept under another name when there is something in it. */
static int take_away(fm_journal *journal, const fm_segment *segment, bool used, fm_error *error)
{
    char path[PATH_MAX], kept[PATH_MAX];
    fm_journal_path(journal, segment, "", path);
    fm_journal_path(journal, segment, ".torn-0", kept);
    int result = used ? journal->layer->rename(path, kept) : journal->layer->unlink(path);
    if (result < 0)
        return fm_fail(error, result, "could not take \"%s\" away: %s", path, fm_error_text(result));
    if (used)
        fm_log(FM_LOG_WARN, "journal_torn_tail", "file", path, "offset", "0", "kept", kept, NULL);
    return 0;
}

/* The log of one writer ends in segment 0 of `segments`; the rest lies behind its end. Returns how many stay. */
static int repair_tail(fm_journal *journal, fm_scan *scan, fm_segment **segments, size_t count, uint64_t synced,
                       fm_error *error)
{
    fm_segment *tail = segments[0];
    for (size_t i = 0; i < count; i++) {
        fm_survey survey;
        FM_TRY(fm_scan_open(scan, journal->directory, segments[i], error));
        uint64_t from = i == 0 ? tail->end : sizeof(fm_segment_header);
        if (fm_scan_survey(scan, from, &survey) < 0)
            return fm_fail(error, FM_EIO, "could not read journal segment \"%s\"", scan->path);
        if (survey.synced > synced)
            synced = survey.synced;
        if (i > 0)
            segments[i]->end = survey.end;
    }
    if (synced > fm_segment_position(tail, tail->end)) {
        char path[PATH_MAX];
        fm_journal_path(journal, tail, "", path);
        return damaged(error, path, tail->end, "what stood there was on the disk, and is no whole frame now");
    }
    if (!journal->read_only) {
        /* The last first: a crash in between leaves a log that is judged the same again. */
        for (size_t i = count; i-- > 1;)
            FM_TRY(take_away(journal, segments[i], segments[i]->end > sizeof(fm_segment_header), error));
        if (count > 1 && journal->layer->sync_folder(journal->directory) < 0)
            return fm_fail(error, FM_EIO, "could not sync folder \"%s\"", journal->directory);
    }
    FM_TRY(cut(journal, scan, tail, false, error));
    return tail->end > sizeof(fm_segment_header) ? 1 : 0;
}

/* One writer of the newest run. Returns how many of its segments stay; the others are gone or do not belong to the log.
 */
static int repair_writer(fm_journal *journal, fm_scan *scan, fm_segment **segments, size_t count, fm_error *error)
{
    uint64_t synced = 0;
    for (size_t i = 0; i < count; i++) {
        int ended = walk(journal, scan, segments[i], &synced, error);
        if (ended < 0)
            return ended;
        if (ended > 0) {
            FM_TRY(cut(journal, scan, segments[i], true, error));
            continue;
        }
        if (segments[i]->segment_bytes == 0 && i > 0)
            segments[i]->segment_bytes = segments[i - 1]->segment_bytes;
        int kept = repair_tail(journal, scan, segments + i, count - i, synced, error);
        return kept < 0 ? kept : (int)i + kept;
    }
    return (int)count;
}

/* How many segments stand in a row, of one writer of one run; retention takes the first ones only. */
static size_t row_of(fm_segment **segments, size_t count)
{
    size_t row = 1;
    while (row < count && segments[row]->index == segments[row - 1]->index + 1)
        row++;
    return row;
}

/* The segments behind a gap. Names are on the disk before frames are, so a gap before frames is a file that was lost;
 * but segments that were never used go at a close and at a repair, and when the power fails meanwhile, in any order. */
static int check_gap(fm_journal *journal, fm_scan *scan, fm_segment **segments, size_t count, bool newest,
                     fm_error *error)
{
    for (size_t i = 0; i < count; i++) {
        fm_survey survey = {.end = UINT64_MAX};
        if (newest)
            FM_TRY(fm_scan_open(scan, journal->directory, segments[i], error));
        if (newest && fm_scan_survey(scan, sizeof(fm_segment_header), &survey) < 0)
            return fm_fail(error, FM_EIO, "could not read journal segment \"%s\"", scan->path);
        if (survey.end <= sizeof(fm_segment_header))
            continue;
        char path[PATH_MAX];
        fm_journal_path(journal, segments[i], "", path);
        return fm_fail(error, FM_ECORRUPT, "the journal segment before \"%s\" is missing", path);
    }
    for (size_t i = count; !journal->read_only && i-- > 0;)
        FM_TRY(take_away(journal, segments[i], false, error));
    return 0;
}

static int list_folder(fm_journal *journal, fm_error *error)
{
    DIR *folder = opendir(journal->directory);
    if (folder == NULL)
        return fm_fail_errno(error, errno == ENOENT ? FM_ENOTFOUND : FM_EIO, "could not read folder \"%s\"",
                             journal->directory);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        fm_segment named = {0};
        if (!fm_segment_parse_name(entry->d_name, &named))
            continue;
        fm_segment *segment = malloc(sizeof(*segment));
        if (segment == NULL) {
            closedir(folder);
            return fm_fail(error, FM_ENOMEM, "no memory to list folder \"%s\"", journal->directory);
        }
        *segment = named;
        segment->finished = true;
        fm_journal_add(journal, segment);
    }
    closedir(folder);
    if (journal->segment_count > 0)
        qsort(journal->segments, journal->segment_count, sizeof(journal->segments[0]), fm_segment_compare);
    return 0;
}

/* One writer of one run, `count` segments from `segments` on. Returns how many stay. */
static int load_row(fm_journal *journal, fm_scan *scan, fm_segment **segments, size_t count, bool newest,
                    fm_error *error)
{
    size_t row = row_of(segments, count);
    FM_TRY(check_gap(journal, scan, segments + row, count - row, newest, error));
    if (newest)
        return repair_writer(journal, scan, segments, row, error);
    for (size_t i = 0; i < row; i++)
        FM_TRY(load_sealed(journal, scan, segments[i], error));
    return (int)row;
}

int fm_journal_load(fm_journal *journal, fm_error *error)
{
    FM_TRY(list_folder(journal, error));
    size_t total = journal->segment_count, stay = 0;
    fm_segment **all = journal->segments;
    uint64_t newest = total > 0 ? all[total - 1]->incarnation : 0;
    fm_scan scan;
    fm_scan_init(&scan, journal->layer);
    int result = 0;
    for (size_t first = 0; first < total && result >= 0;) {
        size_t count = 1;
        while (first + count < total && all[first + count]->incarnation == all[first]->incarnation &&
               all[first + count]->writer == all[first]->writer)
            count++;
        result = load_row(journal, &scan, all + first, count, all[first]->incarnation == newest, error);
        size_t kept = result < 0 ? count : (size_t)result;
        for (size_t i = kept; i < count; i++)
            free(all[first + i]);
        memmove(all + stay, all + first, kept * sizeof(all[0]));
        stay += kept;
        first += count;
        if (result < 0) { /* the rest is freed with the list */
            memmove(all + stay, all + first, (total - first) * sizeof(all[0]));
            stay += total - first;
        }
    }
    fm_scan_fini(&scan);
    journal->segment_count = stay;
    for (size_t i = 0; i < stay; i++)
        journal->disk_bytes += all[i]->file_size;
    if (newest > journal->incarnation)
        journal->incarnation = newest;
    return result < 0 ? result : 0;
}
