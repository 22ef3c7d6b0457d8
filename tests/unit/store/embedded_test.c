/* tests/unit/store/embedded_test.c - the SQLite store: what is put is found, page by page; what is broken is set aside.
 */
#include "unit/alert/fixture.h"
#include "unit/store/full_disk.h"

#include "base/random.h"
#include "store/embedded/embedded.h"
#include "store/store.h"

typedef struct opened {
    char *folder;
    char path[256];
    fm_store *store;
} opened;

static opened open_new(void)
{
    opened self = {.folder = folder_make_temporary()};
    snprintf(self.path, sizeof self.path, "%s/alerts.sqlite", self.folder);
    fm_error error = {0};
    if (fm_store_open_embedded(self.path, &self.store, &error) < 0)
        fail_msg("%s", error.message);
    return self;
}

static void reopen(opened *self)
{
    self->store->close(self->store);
    fm_error error = {0};
    if (fm_store_open_embedded(self->path, &self->store, &error) < 0)
        fail_msg("%s", error.message);
}

static void close_all(opened *self)
{
    self->store->close(self->store);
    folder_remove(self->folder);
}

typedef struct row {
    char id[33], json[64];
    fm_stored_alert alert;
} row;

/* Everything follows from the sequence: symbol S0..S4, rule R0..R2, domain live or replay, severity 0..3. */
static const char *const symbols[] = {"S0", "S1", "S2", "S3", "S4"}, *const rules[] = {"R0", "R1", "R2"},
                         *const domains[] = {"live", "live", "live", "replay"};

static void make_row(row *out, uint64_t sequence)
{
    fm_hash128_hex(id_of(0, sequence, 0), out->id);
    snprintf(out->json, sizeof out->json, "{\"seq\":%" PRIu64 "}", sequence);
    out->alert = (fm_stored_alert){
        .router_sequence = sequence,
        .id = {out->id, 32},
        .symbol = fm_slice_of(symbols[sequence % 5]),
        .rule = fm_slice_of(rules[sequence % 3]),
        .domain = fm_slice_of(domains[sequence % 4]),
        .severity = (uint32_t)(sequence / 7 % 4),
        .event_ns = 1000000 + (int64_t)sequence * 10,
        .json = fm_slice_of(out->json),
    };
}

static int put_range(fm_store *store, uint64_t first, uint32_t count)
{
    row *rows = calloc(count, sizeof *rows);
    fm_stored_alert *alerts = calloc(count, sizeof *alerts);
    assert_true(rows != NULL && alerts != NULL);
    for (uint32_t i = 0; i < count; i++) {
        make_row(&rows[i], first + i);
        alerts[i] = rows[i].alert;
    }
    int result = store->put_alerts(store, alerts, count);
    free(alerts);
    free(rows);
    return result;
}

static uint64_t cursor_of(fm_store *store)
{
    uint64_t cursor = UINT64_MAX;
    assert_int_equal(store->cursor(store, &cursor), 0);
    return cursor;
}

static fm_alert_query any_query(uint32_t limit)
{
    return (fm_alert_query){.to_ns = INT64_MAX, .limit = limit};
}

static void what_is_put_is_found_by_id_and_survives_a_restart(void **unused)
{
    (void)unused;
    opened self = open_new();
    assert_int_equal(cursor_of(self.store), 0);
    assert_int_equal(put_range(self.store, 1, 100), 0);
    reopen(&self);
    assert_int_equal(cursor_of(self.store), 100);
    fm_text text = {0};
    row wanted;
    make_row(&wanted, 42);
    assert_int_equal(self.store->get_alert(self.store, wanted.alert.id, &text), 0);
    assert_string_equal(text.data, "{\"seq\":42}");
    make_row(&wanted, 101);
    assert_int_equal(self.store->get_alert(self.store, wanted.alert.id, &text), FM_ENOTFOUND);
    assert_int_equal(self.store->get_alert(self.store, FM_SLICE("not an id"), &text), FM_ENOTFOUND);
    assert_int_equal(self.store->get_alert(self.store, FM_SLICE("XX3456789012345678901234567890AB"), &text),
                     FM_ENOTFOUND);
    assert_string_equal(text.data, "{\"seq\":42}"); /* untouched by what failed */
    fm_text_fini(&text);
    close_all(&self);
}

static void an_alert_put_again_is_left_as_it_is(void **unused)
{
    (void)unused;
    opened self = open_new();
    assert_int_equal(put_range(self.store, 1, 10), 0);
    row changed, moved;
    make_row(&changed, 5);
    changed.alert.json = FM_SLICE("{\"changed\":1}");
    assert_int_equal(self.store->put_alerts(self.store, &changed.alert, 1), 0);
    assert_int_equal(cursor_of(self.store), 10); /* the cursor never goes back */
    make_row(&moved, 5);
    moved.alert.router_sequence = 11; /* the same alert under a later sequence */
    assert_int_equal(self.store->put_alerts(self.store, &moved.alert, 1), 0);
    assert_int_equal(cursor_of(self.store), 11);
    fm_text text = {0};
    assert_int_equal(self.store->get_alert(self.store, moved.alert.id, &text), 0);
    assert_string_equal(text.data, "{\"seq\":5}");
    fm_text_clear(&text);
    uint64_t next = 77;
    fm_alert_query query = any_query(1000);
    assert_int_equal(self.store->list_alerts(self.store, &query, &text, &next), 0);
    assert_int_equal(next, 0);
    assert_string_equal(text.data, "[{\"seq\":10},{\"seq\":9},{\"seq\":8},{\"seq\":7},{\"seq\":6},{\"seq\":5},{\"seq\":"
                                   "4},{\"seq\":3},{\"seq\":2},{\"seq\":1}]");
    fm_text_fini(&text);
    close_all(&self);
}

static void a_batch_with_a_bad_id_is_refused_whole(void **unused)
{
    (void)unused;
    opened self = open_new();
    row rows[2];
    make_row(&rows[0], 1);
    make_row(&rows[1], 2);
    fm_stored_alert alerts[2] = {rows[0].alert, rows[1].alert};
    alerts[1].id = FM_SLICE("short");
    assert_int_equal(self.store->put_alerts(self.store, alerts, 2), FM_EINVAL);
    assert_int_equal(cursor_of(self.store), 0);
    fm_text text = {0};
    assert_int_equal(self.store->get_alert(self.store, rows[0].alert.id, &text), FM_ENOTFOUND);
    assert_int_equal(put_range(self.store, 1, 2), 0);
    fm_text_fini(&text);
    close_all(&self);
}

static bool matches(const fm_alert_query *query, uint64_t sequence)
{
    row it;
    make_row(&it, sequence);
    return (query->symbol.size == 0 || fm_slice_equal(query->symbol, it.alert.symbol)) &&
           (query->rule.size == 0 || fm_slice_equal(query->rule, it.alert.rule)) &&
           (query->domain.size == 0 || fm_slice_equal(query->domain, it.alert.domain)) &&
           it.alert.event_ns >= query->from_ns && it.alert.event_ns < query->to_ns &&
           it.alert.severity >= query->severity_min;
}

/* Every combination of filters, random page sizes: the pages together are exactly the matching alerts, newest first,
 * none twice. */
static void pages_together_are_the_whole_answer(void **unused)
{
    (void)unused;
    enum { COUNT = 1500 };
    opened self = open_new();
    assert_int_equal(put_range(self.store, 1, COUNT), 0);
    fm_random random;
    fm_random_seed(&random, 4);
    fm_text text = {0};
    for (int round = 0; round < 200; round++) {
        fm_alert_query query = any_query(1 + (uint32_t)fm_random_below(&random, 200));
        if (fm_random_below(&random, 2) == 0)
            query.symbol = fm_slice_of(symbols[fm_random_below(&random, 5)]);
        if (fm_random_below(&random, 2) == 0)
            query.rule = fm_slice_of(rules[fm_random_below(&random, 3)]);
        if (fm_random_below(&random, 2) == 0)
            query.domain = fm_slice_of(domains[fm_random_below(&random, 4)]);
        if (fm_random_below(&random, 2) == 0) {
            query.from_ns = 1000000 + (int64_t)fm_random_below(&random, COUNT * 10);
            query.to_ns = query.from_ns + (int64_t)fm_random_below(&random, COUNT * 10);
        }
        query.severity_min = (uint32_t)fm_random_below(&random, 4);

        uint64_t expected = COUNT, pages = 0;
        do {
            fm_text_clear(&text);
            uint64_t next = 0;
            assert_int_equal(self.store->list_alerts(self.store, &query, &text, &next), 0);
            char *at = text.data + 1;
            for (uint32_t i = 0; *at == '{'; i++) {
                uint64_t got = strtoull(at + strlen("{\"seq\":"), &at, 10);
                at += at[1] == ',' ? 2 : 1;
                assert_true(i < query.limit);
                while (expected > 0 && !matches(&query, expected))
                    expected--;
                assert_int_equal(got, expected);
                expected--;
            }
            assert_string_equal(at, "]");
            query.before = next;
            assert_true(++pages <= COUNT + 1);
        } while (query.before != 0);
        while (expected > 0)
            assert_false(matches(&query, expected--));
    }
    fm_text_fini(&text);
    close_all(&self);
}

/* Else the cost of a page would grow with all that matches, not with what is on it. */
static void every_list_reads_in_order_through_its_index_and_never_sorts(void **unused)
{
    (void)unused;
    static const struct {
        fm_embedded_statement statement;
        const char *through;
    } cases[] = {{FM_EMBEDDED_LIST, "SEARCH a USING INTEGER PRIMARY KEY (rowid<?)"},
                 {FM_EMBEDDED_LIST_SYMBOL, "SEARCH a USING INDEX alerts_symbol (symbol=? AND rowid<?)"},
                 {FM_EMBEDDED_LIST_RULE, "SEARCH a USING INDEX alerts_rule (rule=? AND rowid<?)"},
                 {FM_EMBEDDED_LIST_DOMAIN, "SEARCH a USING INDEX alerts_domain (domain=? AND rowid<?)"}};
    opened self = open_new();
    assert_int_equal(put_range(self.store, 1, 1000), 0);
    sqlite3 *db = ((fm_embedded *)self.store)->db;
    for (int analyzed = 0; analyzed < 2; analyzed++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            char sql[2000];
            snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", fm_embedded_sql[cases[i].statement]);
            sqlite3_stmt *plan = NULL;
            assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &plan, NULL), SQLITE_OK);
            assert_int_equal(sqlite3_step(plan), SQLITE_ROW);
            assert_string_equal((const char *)sqlite3_column_text(plan, 3), cases[i].through);
            while (sqlite3_step(plan) == SQLITE_ROW)
                assert_null(strstr((const char *)sqlite3_column_text(plan, 3), "TEMP B-TREE"));
            sqlite3_finalize(plan);
        }
        assert_int_equal(sqlite3_exec(db, "ANALYZE", NULL, NULL, NULL), SQLITE_OK); /* statistics change no plan */
    }
    close_all(&self);
}

static void a_page_must_have_a_size(void **unused)
{
    (void)unused;
    opened self = open_new();
    fm_text text = {0};
    uint64_t next = 0;
    fm_alert_query query = any_query(0);
    assert_int_equal(self.store->list_alerts(self.store, &query, &text, &next), FM_EINVAL);
    query.limit = 1001;
    assert_int_equal(self.store->list_alerts(self.store, &query, &text, &next), FM_EINVAL);
    query.limit = 1;
    assert_int_equal(self.store->list_alerts(self.store, &query, &text, &next), 0);
    assert_string_equal(text.data, "[]");
    fm_text_fini(&text);
    close_all(&self);
}

static void overwrite(const char *path, long offset, size_t size)
{
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    for (size_t i = 0; i < size; i++)
        fputc((int)(i * 7 + 3) & 0xff, file);
    fclose(file);
}

static void a_corrupt_file_is_set_aside_and_begun_anew(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < 3; kind++) {
        opened self = open_new();
        assert_int_equal(put_range(self.store, 1, 1000), 0);
        self.store->close(self.store);
        if (kind == 0)
            overwrite(self.path, 0, 4096); /* no database at all */
        else if (kind == 1)
            overwrite(self.path, 8192, 16384); /* pages in the middle */
        else
            assert_int_equal(truncate(self.path, 20480), 0);
        fm_error error = {0};
        fm_log_set_level(FM_LOG_ERROR + 1);
        assert_int_equal(fm_store_open_embedded(self.path, &self.store, &error), 0);
        fm_log_set_level(FM_LOG_ERROR);
        assert_int_equal(cursor_of(self.store), 0);
        assert_int_equal(put_range(self.store, 1, 1000), 0);
        char aside[300];
        snprintf(aside, sizeof aside, "%s.corrupt-1", self.path);
        assert_int_equal(access(aside, F_OK), 0);
        close_all(&self);
    }
}

static void damage_found_while_running_starts_a_new_file_by_itself(void **unused)
{
    (void)unused;
    opened self = open_new();
    assert_int_equal(put_range(self.store, 1, 1000), 0);
    reopen(&self);
    sqlite3 *other = NULL; /* a write by somebody else makes the store read its pages anew */
    assert_int_equal(sqlite3_open(self.path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "INSERT INTO cursors VALUES('other', 1)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    overwrite(self.path, 4096, 200000); /* below the open store's feet */
    fm_log_set_level(FM_LOG_ERROR + 1);
    int result = 0;
    for (uint64_t round = 0; round < 10 && result == 0; round++)
        result = put_range(self.store, 1001 + round * 100, 100);
    fm_log_set_level(FM_LOG_ERROR);
    assert_int_equal(result, FM_ECORRUPT);
    assert_int_equal(cursor_of(self.store), 0); /* the caller sees that all is to be written again */
    assert_int_equal(put_range(self.store, 1, 1000), 0);
    assert_int_equal(cursor_of(self.store), 1000);
    close_all(&self);
}

static void an_unknown_schema_is_refused_not_overwritten(void **unused)
{
    (void)unused;
    static const char *const changes[] = {"PRAGMA user_version=2", "PRAGMA user_version=0", "PRAGMA application_id=7"};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        opened self = open_new();
        assert_int_equal(put_range(self.store, 1, 3), 0);
        self.store->close(self.store);
        sqlite3 *db = NULL;
        assert_int_equal(sqlite3_open(self.path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, changes[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        fm_error error = {0};
        fm_store *store = NULL;
        assert_int_equal(fm_store_open_embedded(self.path, &store, &error), FM_EVERSION);
        assert_non_null(strstr(error.message, "schema"));
        assert_true(error.hint[0] != '\0');
        assert_int_equal(access(self.path, F_OK), 0);
        folder_remove(self.folder);
    }
}

static void a_disk_that_is_full_or_failing_changes_nothing_and_passes(void **unused)
{
    (void)unused;
    static const int codes[] = {SQLITE_FULL, SQLITE_IOERR_WRITE}, expected[] = {FM_ENOSPC, FM_EIO};
    for (int i = 0; i < 2; i++) {
        opened self = open_new();
        assert_int_equal(put_range(self.store, 1, 500), 0);
        atomic_store(&full_disk_code, codes[i]);
        assert_int_equal(put_range(self.store, 501, 500), expected[i]);
        assert_int_equal(put_range(self.store, 501, 500), expected[i]);
        fm_text text = {0};
        uint64_t next = 0;
        fm_alert_query query = any_query(1);
        assert_int_equal(self.store->list_alerts(self.store, &query, &text, &next),
                         0); /* questions are still answered */
        assert_string_equal(text.data, "[{\"seq\":500}]");
        fm_text_fini(&text);
        assert_int_equal(cursor_of(self.store), 500);
        atomic_store(&full_disk_code, 0);
        assert_int_equal(put_range(self.store, 501, 500), 0);
        reopen(&self);
        assert_int_equal(cursor_of(self.store), 1000);
        close_all(&self);
    }
}

static void a_path_that_cannot_be_opened_is_an_error_with_its_name(void **unused)
{
    (void)unused;
    fm_error error = {0};
    fm_store *store = NULL;
    assert_true(fm_store_open_embedded("/no-such-folder/alerts.sqlite", &store, &error) < 0);
    assert_non_null(strstr(error.message, "/no-such-folder/alerts.sqlite"));
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    full_disk_register();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_found_by_id_and_survives_a_restart),
        cmocka_unit_test(an_alert_put_again_is_left_as_it_is),
        cmocka_unit_test(a_batch_with_a_bad_id_is_refused_whole),
        cmocka_unit_test(pages_together_are_the_whole_answer),
        cmocka_unit_test(every_list_reads_in_order_through_its_index_and_never_sorts),
        cmocka_unit_test(a_page_must_have_a_size),
        cmocka_unit_test(a_corrupt_file_is_set_aside_and_begun_anew),
        cmocka_unit_test(damage_found_while_running_starts_a_new_file_by_itself),
        cmocka_unit_test(an_unknown_schema_is_refused_not_overwritten),
        cmocka_unit_test(a_disk_that_is_full_or_failing_changes_nothing_and_passes),
        cmocka_unit_test(a_path_that_cannot_be_opened_is_an_error_with_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
