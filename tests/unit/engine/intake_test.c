/* tests/unit/engine/intake_test.c - requests: whole or not at all, answered once, and every byte of room given back or used.
 * links: main
 * labels: tsan */
#include "replay/lab.h"

#include "engine/shard_internal.h"
#include "journal/file_state.h"

lab *lab_running;

static void begin(lab *l, char *directory, size_t size, lab_options options)
{
    lab_folder(directory, size);
    if (options.shards == 0)
        options.shards = 1;
    options.batch = 100;
    lab_open(l, directory, &options);
}

static void end(lab *l, const char *directory)
{
    lab_close(l, false);
    lab_free_bodies(l);
    lab_remove(directory);
}

static int64_t credit_out(const lab *l)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < l->options.shards; i++)
        sum += atomic_load(&fm_journal_writer_of(l->journal, i)->reserved);
    return sum;
}

static fm_record value(const char *symbol, uint64_t i)
{
    fm_record record = lab_record(FM_VALUE, INT64_C(1399000000) * FM_NS_PER_S + (int64_t)i, symbol);
    record.value = (double)i;
    return record;
}

/* Names as long as they may be; some records are refused; scales grow; symbols return in other domains and from other sources. */
static void what_was_reserved_is_used_or_given_back(void **unused)
{
    (void)unused;
    for (uint32_t shards = 1; shards <= 3; shards += 2) {
        lab l;
        char directory[256], domain[FM_NAME_MAX + 1], symbol[FM_SYMBOL_MAX + 1], name[3][FM_NAME_MAX + 1];
        fm_random random;
        fm_random_seed(&random, 12 + shards);
        begin(&l, directory, sizeof(directory), (lab_options){.shards = shards});
        assert_int_equal(credit_out(&l), 0);
        for (int request = 0; request < 150; request++) {
            fm_record record[60];
            uint32_t count = (uint32_t)fm_random_below(&random, 60);
            memset(domain, 'd', sizeof(domain) - 1);
            snprintf(domain, sizeof(domain), "%d", (int)fm_random_below(&random, 40));
            domain[strlen(domain)] = 'd';
            domain[FM_NAME_MAX] = 0;
            for (uint32_t i = 0; i < count; i++) {
                memset(symbol, 'S', sizeof(symbol) - 1);
                symbol[FM_SYMBOL_MAX] = 0;
                symbol[fm_random_below(&random, 8)] = 'T';
                symbol[8 + fm_random_below(&random, 8)] = 'U';
                for (int n = 0; n < 3; n++) {
                    memset(name[n], 'a' + (int)fm_random_below(&random, 6), sizeof(name[n]) - 1);
                    name[n][FM_NAME_MAX] = 0;
                }
                record[i] = value(symbol, (uint64_t)request * 100 + i);
                record[i].kind = FM_TRADE;
                record[i].number[0] = (fm_decimal_number){12345, (int32_t)fm_random_below(&random, 12)}; /* above 9: refused */
                record[i].venue = lab_keep(fm_slice_of(name[0]));
                record[i].channel = lab_keep(fm_slice_of(name[1]));
                record[i].source = lab_keep(fm_slice_of(name[2]));
                record[i].symbol = lab_keep(fm_slice_of(symbol));
                record[i].row = fm_random_below(&random, 1000);
            }
            lab_send(&l, domain, record, count);
        }
        assert_true(l.accepted > 1000 && l.rejected > 100);
        for (int i = 0; i < 3; i++)
            fm_shard_turn(fm_engine_shard(l.engine, 0));
        if (shards == 1)
            assert_int_equal(credit_out(&l), 0);
        atomic_store(&l.stop, true);
        for (uint32_t i = 1; i < shards; i++)
            pthread_join(l.thread[i], NULL);
        assert_int_equal(credit_out(&l), 0);
        l.options.shards = 1; /* the others have ended */
        uint32_t hosts = shards;
        fm_shard_turn(fm_engine_shard(l.engine, 0));
        l.options.shards = hosts;
        for (uint32_t i = 1; i < shards; i++)
            assert_int_equal(pthread_create(&l.thread[i], NULL, lab_thread, fm_engine_shard(l.engine, i)), 0);
        end(&l, directory);
    }
}

/* ---- symbols and names ---- */

static const fm_series *series_of(lab *l, fm_slice symbol)
{
    uint32_t p = fm_partition_of(symbol);
    const fm_partition *partition = &fm_engine_shard(l->engine, p % l->options.shards)->partition[p];
    int domain = fm_admission_domain(&partition->admission, FM_SLICE("run"));
    int series = domain < 0 ? -1 : fm_admission_symbol(&partition->admission, (uint32_t)domain, symbol);
    return series < 0 ? NULL : partition->series[series];
}

/* Symbols that differ in one byte, of every size; met for the first time, again, and again after a request with all of them was taken back. */
static void every_symbol_is_itself_in_its_own_partition(void **unused)
{
    (void)unused;
    enum { PLACES = 5, SYMBOLS = FM_SYMBOL_MAX * PLACES };
    static fm_record record[SYMBOLS];
    lab l;
    char directory[256], text[FM_SYMBOL_MAX + 1];
    begin(&l, directory, sizeof(directory), (lab_options){0});
    for (uint32_t i = 0; i < SYMBOLS; i++) {
        uint32_t size = i / PLACES + 1, place = (i % PLACES) * (size - 1) / (PLACES - 1);
        memset(text, 'A', sizeof(text));
        text[place] = (char)('B' + i % PLACES); /* where places are the same, letters are not */
        record[i] = value("", i);
        record[i].symbol = lab_keep((fm_slice){text, size});
    }
    fm_intake *intake = fm_intake_open(fm_engine_shard(l.engine, 0), FM_SLICE("run"), 1);
    for (uint32_t i = 0; i < SYMBOLS; i++)
        assert_int_equal(fm_intake_add(intake, i, &record[i]), 0);
    fm_intake_abort(intake);
    for (uint32_t time = 1; time <= 3; time++) {
        lab_send(&l, "run", record, SYMBOLS);
        for (uint32_t i = 0; i < SYMBOLS; i++) {
            const fm_series *series = series_of(&l, record[i].symbol);
            assert_non_null(series);
            assert_int_equal(series->records, time);
            assert_int_equal(strlen(series->symbol), record[i].symbol.size);
            assert_memory_equal(series->symbol, record[i].symbol.data, record[i].symbol.size);
            assert_true(series->last_value == (double)i);
        }
    }
    assert_int_equal(l.accepted, 3 * SYMBOLS);
    assert_int_equal(credit_out(&l), 0);
    end(&l, directory);
}

/* Names that change from record to record, also back, and to none; a row repeats only with its own source. */
static void each_record_has_its_own_names(void **unused)
{
    (void)unused;
    for (uint32_t shards = 1; shards <= 3; shards += 2) {
        lab l;
        char directory[256];
        static const char *const venue[] = {"XNAS", "XNYS", "", "XNAS", "a-venue-of-more-than-sixteen-bytes"};
        static const char *const channel[] = {"", "", "", "itch", ""};
        static const char *const source[] = {"", "one", "", "two"};
        static fm_record record[600];
        begin(&l, directory, sizeof(directory), (lab_options){.shards = shards});
        for (uint32_t i = 0; i < 600; i++) {
            char symbol[16];
            snprintf(symbol, sizeof(symbol), "N%u", i % 7);
            record[i] = value("", i);
            record[i].symbol = lab_keep(fm_slice_of(symbol));
            record[i].venue = fm_slice_of(venue[i % 5]);
            record[i].channel = fm_slice_of(channel[i % 5]);
            record[i].source = fm_slice_of(source[i / 150]);
            record[i].row = i % 150;
        }
        lab_send(&l, "run", record, 600);
        assert_int_equal(l.reply.accepted, 600);
        lab_send(&l, "run", record, 600);
        assert_int_equal(l.reply.accepted, 300); /* those without a source */
        assert_int_equal(l.reply.duplicate, 300);
        if (shards == 1)
            for (uint32_t i = 0; i < 7; i++) {
                const fm_series *series = series_of(&l, record[i].symbol);
                assert_non_null(series);
                assert_string_equal(series->venue, venue[i % 5]); /* of the first record */
            }
        fm_shard_turn(fm_engine_shard(l.engine, 0));
        end(&l, directory);
    }
}

/* ---- a full disk ---- */

static _Atomic bool disk_full;

static int allocate_or_not(fm_file *file, uint64_t size)
{
    return atomic_load(&disk_full) ? FM_ENOSPC : fm_file_system.allocate(file, size);
}

enum { KNOWN = 300 };

/* Requests in domains of their own until one is refused; true when a record was refused for want of room. */
static bool flood(lab *l, const fm_record *record)
{
    fm_shard *shard = fm_engine_shard(l->engine, 0);
    for (int request = 0; request < 360; request++) {
        char domain[16];
        snprintf(domain, sizeof(domain), "d%d", request / 2);
        fm_intake *intake = fm_intake_open(shard, fm_slice_of(domain), fm_wall_ns(&fm_clock_system));
        assert_non_null(intake);
        for (uint32_t i = 0; i < KNOWN; i++) {
            fm_record one = record[i];
            one.number[0].scale = request % 2 ? 2 : 11; /* refused for its decimals: then the symbol is not known after all */
            assert_int_equal(fm_intake_add(intake, i, &one), 0);
        }
        l->answered = false;
        int result = fm_intake_publish(intake, lab_on_reply, l);
        if (result < 0) {
            assert_int_equal(result, FM_journal_full);
            return false;
        }
        while (!l->answered)
            fm_shard_turn(shard);
        if (request % 2 && l->reply.rejected > 0) {
            assert_int_equal(l->reply.error[0].code, FM_journal_full);
            return true;
        }
    }
    fail_msg("the disk was never full");
    return false;
}

/* Records that need more room than anybody could know before they were judged are refused one by one when there is none; the log is never written into room that is not there. */
static void a_full_disk_refuses_what_needs_more_room_than_was_reserved(void **unused)
{
    (void)unused;
    static fm_record record[KNOWN];
    static char symbol[KNOWN][FM_SYMBOL_MAX + 1];
    static fm_file_layer layer;
    uint32_t refused = 0;
    layer = fm_file_system;
    layer.allocate = allocate_or_not;
    for (uint32_t i = 0; i < KNOWN; i++) {
        memset(symbol[i], 'K', FM_SYMBOL_MAX);
        snprintf(symbol[i], 8, "%06u", i);
        symbol[i][6] = 'K';
        record[i] = value(symbol[i], i);
        record[i].kind = FM_TRADE;
        record[i].number[0] = (fm_decimal_number){100, 0};
        record[i].venue = (fm_slice){symbol[0], FM_NAME_MAX};
        record[i].source = FM_SLICE("file");
        record[i].row = i;
    }
    for (uint32_t fill = 0; fill < 8; fill++) {
        lab l;
        char directory[256];
        atomic_store(&disk_full, false);
        begin(&l, directory, sizeof(directory), (lab_options){.layer = &layer, .segment_bytes = 1u << 20});
        for (uint32_t i = 0; i < KNOWN; i += 100)
            lab_send(&l, "first", record + i, 100);
        fm_record one = value("FILL", 1);
        for (uint32_t i = 0; i < fill * 100; i++)
            lab_send(&l, "first", &one, 1);
        atomic_store(&disk_full, true);
        refused += flood(&l, record);
        assert_int_equal(credit_out(&l), 0);
        atomic_store(&disk_full, false);
        end(&l, directory);
    }
    printf("%u of 8 floods met the end of the room within a request\n", refused);
    assert_true(refused > 0);
}

/* ---- answers ---- */

static void a_request_without_records_is_answered(void **unused)
{
    (void)unused;
    lab l;
    char directory[256];
    begin(&l, directory, sizeof(directory), (lab_options){.shards = 2});
    for (int i = 0; i < 10; i++)
        lab_send(&l, "run", NULL, 0);
    assert_int_equal(l.accepted + l.rejected + l.duplicate, 0);
    end(&l, directory);
}

typedef struct answers {
    uint32_t count[600], sum;
} answers;

typedef struct asked {
    answers *all;
    uint32_t number;
} asked;

static void count_answer(void *context, const fm_reply *reply)
{
    asked *one = context;
    assert_int_equal(reply->accepted + reply->rejected + reply->duplicate, one->number % 7);
    one->all->count[one->number]++;
    one->all->sum++;
}

/* Many at once, over all shards, with and without a wait for the disk, the last ones published right before the end. */
static void every_request_is_answered_once(void **unused)
{
    (void)unused;
    static const fm_sync sync[] = {FM_SYNC_INTERVAL, FM_SYNC_ALWAYS, FM_SYNC_OFF};
    for (int mode = 0; mode < 3; mode++)
        for (uint32_t shards = 1; shards <= 3; shards += 2) {
            lab l;
            char directory[256];
            static answers all;
            static asked one[600];
            memset(&all, 0, sizeof(all));
            begin(&l, directory, sizeof(directory), (lab_options){.shards = shards, .sync = sync[mode]});
            fm_shard *shard = fm_engine_shard(l.engine, 0);
            for (uint32_t r = 0; r < 600; r++) {
                fm_intake *intake = fm_intake_open(shard, FM_SLICE("run"), 1);
                assert_non_null(intake);
                for (uint32_t i = 0; i < r % 7; i++) {
                    char symbol[16];
                    snprintf(symbol, sizeof(symbol), "Q%u", (r * 31 + i) % 90);
                    fm_record record = value(symbol, r);
                    assert_int_equal(fm_intake_add(intake, i, &record), 0);
                }
                one[r] = (asked){&all, r};
                assert_int_equal(fm_intake_publish(intake, count_answer, &one[r]), 0);
                if (r % 50 == 0)
                    fm_shard_turn(shard);
            }
            for (int turn = 0; turn < 200000 && all.sum < 600; turn++) {
                fm_shard_turn(shard);
                usleep(10);
            }
            for (int turn = 0; turn < 3; turn++)
                fm_shard_turn(shard);
            for (uint32_t r = 0; r < 600; r++)
                assert_int_equal(all.count[r], 1);
            end(&l, directory);
        }
}

/* ---- limits ---- */

static void what_an_empty_queue_would_not_hold_is_too_large_and_else_it_is_full(void **unused)
{
    (void)unused;
    lab l;
    char directory[256];
    begin(&l, directory, sizeof(directory), (lab_options){.ring_bytes = 65536, .sync = FM_SYNC_INTERVAL});
    fm_shard *shard = fm_engine_shard(l.engine, 0);
    fm_record record = value("A", 1);
    for (int round = 0; round < 3; round++) {
        fm_intake *intake = fm_intake_open(shard, FM_SLICE("run"), 1);
        int result = 0;
        for (uint32_t i = 0; result == 0; i++)
            result = fm_intake_add(intake, i, &record);
        assert_int_equal(result, FM_batch_too_large);
        fm_intake_abort(intake);
    }
    fm_intake *half = fm_intake_open(shard, FM_SLICE("run"), 1);
    for (uint32_t i = 0; i < 200; i++)
        assert_int_equal(fm_intake_add(half, i, &record), 0);
    l.answered = false;
    assert_int_equal(fm_intake_publish(half, lab_on_reply, &l), 0);
    fm_intake *more = fm_intake_open(shard, FM_SLICE("run"), 1);
    int result = 0;
    for (uint32_t i = 0; result == 0; i++)
        result = fm_intake_add(more, i, &record);
    assert_int_equal(result, FM_queue_full);
    fm_intake_abort(more);
    assert_int_equal(fm_shard_turn(shard), 200); /* of the request that was taken back nothing is seen */
    assert_true(l.answered);
    assert_int_equal(l.reply.accepted, 200);
    assert_int_equal(credit_out(&l), 0);
    end(&l, directory);
}

static void open_requests_have_a_limit(void **unused)
{
    (void)unused;
    lab l;
    char directory[256];
    begin(&l, directory, sizeof(directory), (lab_options){0});
    fm_shard *shard = fm_engine_shard(l.engine, 0);
    static answers all;
    static asked one;
    one = (asked){&all, 0};
    for (uint32_t r = 0; r < FM_REQUESTS_MAX; r++) {
        fm_intake *intake = fm_intake_open(shard, FM_SLICE("run"), 1);
        assert_non_null(intake);
        assert_int_equal(fm_intake_publish(intake, count_answer, &one), 0);
    }
    assert_null(fm_intake_open(shard, FM_SLICE("run"), 1));
    for (int turn = 0; turn < 200000 && all.count[0] < FM_REQUESTS_MAX; turn++) { /* the disk has to say that it is synced */
        fm_shard_turn(shard);
        usleep(10);
    }
    assert_int_equal(all.count[0], FM_REQUESTS_MAX);
    fm_intake *again = fm_intake_open(shard, FM_SLICE("run"), 1);
    assert_non_null(again);
    fm_intake_abort(again);
    end(&l, directory);
}

static int is_behind(void *self)
{
    (void)self;
    return 1;
}

static void nothing_is_admitted_while_the_router_is_behind(void **unused)
{
    (void)unused;
    lab l;
    char directory[256];
    begin(&l, directory, sizeof(directory), (lab_options){.behind = is_behind});
    fm_intake *intake = fm_intake_open(fm_engine_shard(l.engine, 0), FM_SLICE("run"), 1);
    fm_record record = value("A", 1);
    assert_int_equal(fm_intake_add(intake, 0, &record), 0);
    assert_int_equal(fm_intake_publish(intake, lab_on_reply, &l), FM_queue_full);
    assert_int_equal(fm_shard_turn(fm_engine_shard(l.engine, 0)), 0);
    assert_int_equal(credit_out(&l), 0);
    end(&l, directory);
}

/* Of more refusals than are listed the first ones by index are, whichever shard answers first. */
static void the_first_refusals_are_listed(void **unused)
{
    (void)unused;
    lab l;
    char directory[256];
    begin(&l, directory, sizeof(directory), (lab_options){.shards = 3});
    static fm_record record[1000];
    for (uint32_t i = 0; i < 1000; i++) {
        char symbol[16];
        snprintf(symbol, sizeof(symbol), "R%u", i % 64);
        record[i] = value("", i);
        record[i].symbol = lab_keep(fm_slice_of(symbol));
        record[i].kind = FM_TRADE;
        record[i].number[0] = (fm_decimal_number){1, 11}; /* too precise */
    }
    lab_send(&l, "run", record, 1000);
    assert_int_equal(l.reply.rejected, 1000);
    assert_int_equal(l.reply.error_count, FM_REPLY_ERRORS_MAX);
    for (uint32_t i = 0; i < FM_REPLY_ERRORS_MAX; i++) {
        assert_int_equal(l.reply.error[i].index, i);
        assert_int_equal(l.reply.error[i].code, FM_price_too_precise);
    }
    end(&l, directory);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_reserved_is_used_or_given_back),
        cmocka_unit_test(every_symbol_is_itself_in_its_own_partition),
        cmocka_unit_test(each_record_has_its_own_names),
        cmocka_unit_test(a_full_disk_refuses_what_needs_more_room_than_was_reserved),
        cmocka_unit_test(a_request_without_records_is_answered),
        cmocka_unit_test(every_request_is_answered_once),
        cmocka_unit_test(what_an_empty_queue_would_not_hold_is_too_large_and_else_it_is_full),
        cmocka_unit_test(open_requests_have_a_limit),
        cmocka_unit_test(nothing_is_admitted_while_the_router_is_behind),
        cmocka_unit_test(the_first_refusals_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
