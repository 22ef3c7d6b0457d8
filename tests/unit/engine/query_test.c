/* tests/unit/engine/query_test.c - answers about the engine's state: JSON that parses, paged without a gap, and nothing lost at the end.
 * links: main
 * labels: tsan */
#include "replay/lab.h"

lab *lab_running;

/* ---- a strict reader of JSON: one value, and nothing behind it ---- */

typedef struct json {
    const char *at, *end;
} json;

static bool json_value(json *in, int depth);

static void json_space(json *in)
{
    while (in->at < in->end && strchr(" \t\r\n", *in->at) != NULL)
        in->at++;
}

static bool json_text(json *in)
{
    if (in->at >= in->end || *in->at++ != '"')
        return false;
    for (; in->at < in->end && *in->at != '"'; in->at++) {
        if ((unsigned char)*in->at < 0x20)
            return false;
        if (*in->at != '\\')
            continue;
        in->at++;
        if (in->at >= in->end || strchr("\"\\/bfnrtu", *in->at) == NULL)
            return false;
    }
    return in->at < in->end && *in->at++ == '"';
}

static bool json_number(json *in)
{
    char *end;
    if (in->at >= in->end || strchr("-0123456789", *in->at) == NULL)
        return false;
    double value = strtod(in->at, &end);
    bool good = end > in->at && isfinite(value);
    in->at = end;
    return good;
}

static bool json_list(json *in, int depth, char close)
{
    in->at++;
    json_space(in);
    if (in->at < in->end && *in->at == close)
        return in->at++, true;
    for (;;) {
        if (close == '}') {
            json_space(in);
            if (!json_text(in))
                return false;
            json_space(in);
            if (in->at >= in->end || *in->at++ != ':')
                return false;
        }
        if (!json_value(in, depth + 1))
            return false;
        json_space(in);
        if (in->at >= in->end)
            return false;
        char c = *in->at++;
        if (c == close)
            return true;
        if (c != ',')
            return false;
    }
}

static bool json_word(json *in, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(in->end - in->at) < size || memcmp(in->at, word, size) != 0)
        return false;
    in->at += size;
    return true;
}

static bool json_value(json *in, int depth)
{
    json_space(in);
    if (in->at >= in->end || depth > 20)
        return false;
    switch (*in->at) {
    case '{':
        return json_list(in, depth, '}');
    case '[':
        return json_list(in, depth, ']');
    case '"':
        return json_text(in);
    case 't':
        return json_word(in, "true");
    case 'f':
        return json_word(in, "false");
    case 'n':
        return json_word(in, "null");
    default:
        return json_number(in);
    }
}

static bool json_parses(fm_slice text)
{
    json in = {text.data, text.data + text.size};
    if (!json_value(&in, 0))
        return false;
    json_space(&in);
    return in.at == in.end;
}

/* ---- asking ---- */

typedef struct answer {
    int      count, result;
    fm_text  text;
} answer;

static void on_done(void *context, int result, fm_slice text)
{
    answer *a = context;
    a->result = result;
    fm_text_clear(&a->text);
    fm_text_add(&a->text, text.data != NULL ? text.data : "", text.size);
    __atomic_add_fetch(&a->count, 1, __ATOMIC_RELEASE);
}

static void wait_for(lab *l, answer *a, int count)
{
    for (int turn = 0; turn < 100000 && __atomic_load_n(&a->count, __ATOMIC_ACQUIRE) < count; turn++) {
        fm_shard_turn(fm_engine_shard(l->engine, 0));
        usleep(10);
    }
    assert_int_equal(a->count, count);
}

static void fill(lab *l, uint32_t symbols)
{
    for (uint32_t i = 0; i < symbols; i++) {
        char symbol[16];
        snprintf(symbol, sizeof(symbol), "I%04u", i * 37 % symbols);
        fm_record record = lab_record(i % 2 ? FM_TRADE : FM_QUOTE, INT64_C(1399000000) * FM_NS_PER_S + i, symbol);
        record.number[0] = (fm_decimal_number){12345, 3};
        record.number[1] = (fm_decimal_number){7, 0};
        record.venue = FM_SLICE("X\"\\Y"); /* what has to be escaped */
        lab_send(l, i % 5 ? "run" : "live", &record, 1);
    }
}

static lab_options options_of(uint32_t shards)
{
    return (lab_options){.shards = shards, .batch = 10, .rules = FMADS_SOURCE_DIR "/tests/replay/rules", .sync = FM_SYNC_INTERVAL};
}

static void instruments_are_paged_in_order_without_a_gap(void **unused)
{
    (void)unused;
    for (uint32_t shards = 1; shards <= 3; shards += 2) {
        lab l;
        char directory[256], after[FM_SYMBOL_MAX + 1] = "", previous[FM_SYMBOL_MAX + 1] = "";
        answer a = {0};
        lab_options options = options_of(shards);
        uint32_t seen = 0;
        lab_folder(directory, sizeof(directory));
        lab_open(&l, directory, &options);
        fill(&l, 250);
        for (int page = 0; page < 100; page++) {
            assert_int_equal(fm_engine_instruments_json(l.engine, FM_SLICE("run"), fm_slice_of(after), 7, on_done, &a), 0);
            wait_for(&l, &a, page + 1);
            assert_int_equal(a.result, 0);
            assert_true(json_parses((fm_slice){a.text.data, a.text.size}));
            for (const char *at = a.text.data; (at = strstr(at, "{\"symbol\":\"")) != NULL; seen++) {
                at += strlen("{\"symbol\":\"");
                char symbol[FM_SYMBOL_MAX + 1];
                snprintf(symbol, sizeof(symbol), "%.5s", at);
                assert_true(strcmp(symbol, previous) > 0);
                memcpy(previous, symbol, sizeof(previous));
            }
            const char *next = strstr(a.text.data, "\"next\":\"");
            if (next == NULL)
                break;
            snprintf(after, sizeof(after), "%.5s", next + 8);
            assert_string_equal(after, previous);
        }
        assert_int_equal(seen, 200);
        fm_text_fini(&a.text);
        lab_close(&l, false);
        lab_free_bodies(&l);
        lab_remove(directory);
    }
}

static void latest_values_parse_and_an_unknown_symbol_is_not_found(void **unused)
{
    (void)unused;
    lab l;
    char directory[256];
    answer a = {0};
    lab_options options = options_of(2);
    lab_folder(directory, sizeof(directory));
    lab_open(&l, directory, &options);
    fill(&l, 100);
    assert_int_equal(fm_engine_latest_json(l.engine, FM_SLICE("run"), FM_SLICE("I0037"), on_done, &a), 0);
    wait_for(&l, &a, 1);
    assert_int_equal(a.result, 0);
    assert_true(json_parses((fm_slice){a.text.data, a.text.size}));
    assert_non_null(strstr(a.text.data, "\"price\":12.345"));
    assert_int_equal(fm_engine_latest_json(l.engine, FM_SLICE("run"), FM_SLICE("NOBODY"), on_done, &a), 0);
    wait_for(&l, &a, 2);
    assert_int_equal(a.result, FM_ENOTFOUND);
    assert_int_equal(a.text.size, 0);
    assert_int_equal(fm_engine_latest_json(l.engine, FM_SLICE("run"), FM_SLICE(""), on_done, &a), FM_EINVAL);
    assert_int_equal(fm_engine_instruments_json(l.engine, FM_SLICE("run"), FM_SLICE(""), 0, on_done, &a), FM_EINVAL);
    fm_text_fini(&a.text);
    lab_close(&l, false);
    lab_free_bodies(&l);
    lab_remove(directory);
}

static void books_are_told_by_venue_and_an_instrument_may_have_none(void **unused)
{
    (void)unused;
    lab l;
    char directory[256];
    answer a = {0};
    lab_options options = options_of(2);
    lab_folder(directory, sizeof(directory));
    lab_open(&l, directory, &options);
    fill(&l, 100);
    fm_record record = lab_record(FM_BOOK, INT64_C(1399000000) * FM_NS_PER_S, "BOOKED");
    record.side = FM_SELL;
    record.action = FM_BOOK_SET;
    record.number[0] = (fm_decimal_number){12345, 3};
    record.number[1] = (fm_decimal_number){7, 0};
    record.venue = FM_SLICE("X\"\\Y");
    lab_send(&l, "run", &record, 1);
    const char *told[] = {"\"asks\":[{\"price\":12.345,\"size\":7,\"orders\":0,", "\"form\":\"levels\"", "\"imbalance\":-1,"};
    assert_int_equal(fm_engine_books_json(l.engine, FM_SLICE("run"), FM_SLICE("BOOKED"), 10, on_done, &a), 0);
    wait_for(&l, &a, 1);
    assert_int_equal(a.result, 0);
    assert_true(json_parses((fm_slice){a.text.data, a.text.size}));
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        assert_non_null(strstr(a.text.data, told[i]));
    assert_int_equal(fm_engine_books_json(l.engine, FM_SLICE("run"), FM_SLICE("I0037"), 10, on_done, &a), 0);
    wait_for(&l, &a, 2);
    assert_non_null(strstr(a.text.data, "\"items\":[]}"));
    assert_int_equal(fm_engine_books_json(l.engine, FM_SLICE("run"), FM_SLICE("NOBODY"), 10, on_done, &a), 0);
    wait_for(&l, &a, 3);
    assert_int_equal(a.result, FM_ENOTFOUND);
    assert_int_equal(fm_engine_books_json(l.engine, FM_SLICE("run"), FM_SLICE("I0037"), FM_QUERY_DEPTH_MAX + 1, on_done, &a), FM_EINVAL);
    fm_text_fini(&a.text);
    lab_close(&l, false);
    lab_free_bodies(&l);
    lab_remove(directory);
}

static int64_t later(void *context)
{
    (void)context;
    static _Atomic int64_t now = INT64_C(1399000000) * FM_NS_PER_S; /* two seconds at each look: the board is renewed once a second */
    return atomic_fetch_add(&now, 2 * FM_NS_PER_S);
}

static void rules_tell_their_counters_and_who_is_not_ready(void **unused)
{
    (void)unused;
    lab l;
    char directory[256];
    lab_options options = options_of(2);
    options.clock = (fm_clock){later, fm_clock_system.mono_ns, NULL};
    lab_folder(directory, sizeof(directory));
    lab_open(&l, directory, &options);
    fill(&l, 100);
    usleep(20000);
    fm_shard_turn(fm_engine_shard(l.engine, 0));
    fm_text out = {0};
    fm_engine_rules_json(l.engine, &out);
    assert_true(json_parses((fm_slice){out.data, out.size}));
    assert_non_null(strstr(out.data, "\"id\":\"lab/jump\""));
    assert_non_null(strstr(out.data, "{\"symbol\":\"I"));
    fm_text_fini(&out);
    lab_close(&l, false);
    lab_free_bodies(&l);
    lab_remove(directory);
}

/* Whatever was asked right before the end: told that it is over, or freed with the shards; never answered twice. The sanitizer looks for leaks. */
static void questions_at_the_end_are_not_lost(void **unused)
{
    (void)unused;
    lab l;
    char directory[256];
    answer a = {0}, b = {0};
    lab_options options = options_of(3);
    lab_folder(directory, sizeof(directory));
    lab_open(&l, directory, &options);
    fill(&l, 30);
    atomic_store(&l.stop, true); /* the other shards' threads end, shard 0 makes no turn */
    for (uint32_t i = 1; i < 3; i++)
        pthread_join(l.thread[i], NULL);
    assert_int_equal(fm_engine_instruments_json(l.engine, FM_SLICE("run"), FM_SLICE(""), 10, on_done, &a), 0);
    assert_int_equal(fm_engine_latest_json(l.engine, FM_SLICE("run"), FM_SLICE("I0001"), on_done, &a), 0);
    assert_int_equal(fm_engine_books_json(l.engine, FM_SLICE("run"), FM_SLICE("I0001"), 10, on_done, &a), 0);
    fm_engine_stop(l.engine);
    assert_int_equal(fm_engine_books_json(l.engine, FM_SLICE("run"), FM_SLICE("I0001"), 10, on_done, &b), FM_ESHUTDOWN);
    assert_int_equal(fm_engine_instruments_json(l.engine, FM_SLICE("run"), FM_SLICE(""), 10, on_done, &b), FM_ESHUTDOWN);
    assert_int_equal(fm_engine_latest_json(l.engine, FM_SLICE("run"), FM_SLICE("I0001"), on_done, &b), FM_ESHUTDOWN);
    assert_int_equal(a.count + b.count, 0);
    fm_engine_destroy(l.engine);
    fm_journal_close(l.journal);
    fm_generations_close(l.generations);
    fm_references_close(l.references);
    for (uint32_t i = 0; i < 3; i++)
        fm_host_destroy(l.host[i]);
    lab_free_bodies(&l);
    lab_remove(directory);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instruments_are_paged_in_order_without_a_gap),
        cmocka_unit_test(latest_values_parse_and_an_unknown_symbol_is_not_found),
        cmocka_unit_test(books_are_told_by_venue_and_an_instrument_may_have_none),
        cmocka_unit_test(rules_tell_their_counters_and_who_is_not_ready),
        cmocka_unit_test(questions_at_the_end_are_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
