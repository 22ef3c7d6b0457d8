/* tests/unit/main/reference_test.c - reference files to a set, and what is said of those that are wrong.
 * links: main */
#include "main/references.h"

#include "assert_near.h"
#include "base/text.h"
#include "main/reference_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[] = "/tmp/fmads-reference-XXXXXX";

static const char CALENDAR[] = "{\"zone\":\"America/"
                               "New_York\",\"sessions\":[{\"days\":[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\"],\"open\":"
                               "\"09:30\",\"close\":\"16:00\"}],"
                               "\"holidays\":[\"2024-12-25\",\"2024-07-04\"],\"half_days\":{\"2024-07-03\":\"13:00\"}}";
static const char INSTRUMENTS[] = "symbol,class,sector,market,calendar\nMSFT,equity,technology,SPY,XNYS\nAAPL,equity,"
                                  "technology,SPY,XNYS\nBTCUSD,crypto,,,\n";
static const char ACTIONS[] = "symbol,effective,what,number,to\nAAPL,2020-08-31,split,4,\nAAPL,2014-06-09T00:00:00Z,"
                              "split,7,\nFB,2022-06-09,rename,,META\n"
                              "AAPL,2024-02-09,dividend,0.24,\nLUNA,2022-05-28T06:00:00Z,relist,,\n";

static void put(const char *name, const char *text)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/files/%s", folder, name);
    *strrchr(path, '/') = '\0';
    assert_int_equal(fm_folder_make(path), 0);
    snprintf(path, sizeof(path), "%s/files/%s", folder, name);
    assert_int_equal(fm_file_replace(&fm_file_system, path, text, strlen(text)), 0);
}

static void put_all(void)
{
    put("calendars/XNYS.json", CALENDAR);
    put("instruments.csv", INSTRUMENTS);
    put("actions.csv", ACTIONS);
}

static int setup(void **unused)
{
    (void)unused;
    assert_non_null(mkdtemp(folder));
    put_all();
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    char command[400];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static fm_references *open_references(void)
{
    char path[300];
    fm_references *references;
    fm_error error = {0};
    snprintf(path, sizeof(path), "%s/kept", folder);
    assert_int_equal(fm_references_open(&fm_file_system, path, &references, &error), 0);
    return references;
}

static int load(fm_references *references, const fm_reference_set **out, fm_error *error)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/files", folder);
    return fm_references_load(references, path, out, error);
}

static void files_become_a_set_sorted_by_symbol_and_time(void **unused)
{
    (void)unused;
    fm_references *references = open_references();
    const fm_reference_set *set;
    fm_error error = {0};
    if (load(references, &set, &error) < 0)
        fail_msg("%s", error.message);
    assert_int_equal(set->instrument_count, 6); /* SPY, too, since others are compared with it */
    assert_true(fm_reference_find(set, "SPY")->watched_by != 0);
    assert_int_equal(set->sector_count, 1);
    assert_ptr_equal(fm_reference_find(set, "MSFT")->in_sector, &set->sector[0]);
    const fm_instrument *apple = fm_reference_find(set, "AAPL"), *facebook = fm_reference_find(set, "FB");
    assert_string_equal(apple->sector, "technology");
    assert_string_equal(apple->market, "SPY");
    assert_string_equal(apple->calendar->name, "XNYS");
    assert_int_equal(apple->calendar->holiday_count, 2);
    assert_int_equal(apple->action_count, 3);
    const fm_action *action = &set->action[apple->first_action];
    assert_int_equal(action[0].effective_ns, INT64_C(1402272000) * FM_NS_PER_S);
    assert_int_equal(action[1].effective_ns, INT64_C(1598846400) * FM_NS_PER_S); /* midnight in New York: 04:00 UTC */
    assert_near(action[1].number, 4.0, 0);
    assert_int_equal(action[2].kind, FM_ACTION_DIVIDEND);
    assert_int_equal(facebook->action_count, 1);
    assert_string_equal(set->action[facebook->first_action].to, "META");
    assert_int_equal(set->action[facebook->first_action].effective_ns,
                     INT64_C(1654732800) * FM_NS_PER_S); /* no calendar: UTC */
    assert_string_equal(fm_reference_find(set, "BTCUSD")->class_, "crypto");
    assert_null(fm_reference_find(set, "BTCUSD")->calendar);
    assert_null(fm_reference_find(set, "AAP"));
    assert_null(fm_reference_find(NULL, "AAPL"));
    fm_references_close(references);
}

static void a_set_is_named_by_its_text_and_found_again_by_its_name(void **unused)
{
    (void)unused;
    char hash[33], path[400];
    const fm_reference_set *set, *same;
    fm_error error = {0};
    fm_references *references = open_references();
    assert_int_equal(load(references, &set, &error), 0);
    assert_int_equal(load(references, &same, &error), 0);
    assert_ptr_equal(set, same);
    fm_hash128_hex(set->hash, hash);
    fm_references_close(references);
    references = open_references(); /* another process: only the kept text is there */
    same = fm_references_find(references, hash);
    assert_non_null(same);
    assert_int_equal(same->action_count, 5);
    assert_null(fm_references_find(references, "00000000000000000000000000000000"));
    fm_references_close(references);
    snprintf(path, sizeof(path), "%s/kept/%s", folder, hash);
    assert_int_equal(fm_file_replace(&fm_file_system, path, FM_REFERENCE_HEAD, sizeof(FM_REFERENCE_HEAD) - 1), 0);
    references = open_references();
    assert_null(fm_references_find(references, hash)); /* its text is another one's */
    fm_references_close(references);
}

/* Thirty thousand instruments with actions that no other file tells of, and as many markets. */
static void large_files_are_read_in_no_time(void **unused)
{
    (void)unused;
    fm_text instruments = {0}, actions = {0};
    fm_references *references = open_references();
    const fm_reference_set *set;
    fm_error error = {0};
    fm_text_put(&instruments, "symbol,class,sector,market,calendar\n");
    fm_text_put(&actions, "symbol,effective,what,number,to\n");
    for (int i = 10000; i < 40000; i++) {
        fm_text_printf(&instruments, "I%d,,,M%d,\n", i, i);
        fm_text_printf(&actions, "A%d,2020-08-31,split,4,\n", i);
    }
    fm_text_add(&instruments, "", 1);
    fm_text_add(&actions, "", 1);
    put("instruments.csv", instruments.data);
    put("actions.csv", actions.data);
    if (load(references, &set, &error) < 0)
        fail_msg("%s", error.message);
    assert_int_equal(set->instrument_count, 90000);
    assert_string_equal(fm_reference_find(set, "I12345")->market, "M12345");
    assert_int_equal(fm_reference_find(set, "A12345")->action_count, 1);
    fm_references_close(references);
    fm_text_fini(&instruments);
    fm_text_fini(&actions);
    put_all();
}

static void a_file_cannot_put_lines_into_the_text_by_its_name(void **unused)
{
    (void)unused;
    fm_references *references = open_references();
    const fm_reference_set *set;
    fm_error error = {0};
    char path[400];
    put("calendars/X\ncalendar Y.json", CALENDAR);
    if (load(references, &set, &error) < 0)
        fail_msg("%s", error.message);
    assert_int_equal(set->calendar_count, 1);
    fm_references_close(references);
    snprintf(path, sizeof(path), "%s/files/calendars/X\ncalendar Y.json", folder);
    assert_int_equal(remove(path), 0);
}

/* Ten digits, as a date has, are no midnight of anywhere. */
static void seconds_are_the_same_in_every_zone(void **unused)
{
    (void)unused;
    fm_references *references = open_references();
    const fm_reference_set *set;
    fm_error error = {0};
    put("actions.csv", "symbol,effective,what,number,to\nAAPL,1598846400,split,4,\n");
    if (load(references, &set, &error) < 0)
        fail_msg("%s", error.message);
    assert_int_equal(set->action[fm_reference_find(set, "AAPL")->first_action].effective_ns,
                     INT64_C(1598846400) * FM_NS_PER_S);
    fm_references_close(references);
    put_all();
}

/* Seconds as numbers that no nanoseconds can hold, and dates that would be seconds of 1970. */
static void times_that_are_none_are_refused(void **unused)
{
    (void)unused;
    static const char *const FAR[] = {"99999999999", "-99999999999",         "9300000000000000", "1e300",
                                      "inf",         "99999999999999999999", "20200831",         ""};
    for (size_t i = 0; i < sizeof(FAR) / sizeof(FAR[0]); i++) {
        char text[200];
        fm_references *references = open_references();
        const fm_reference_set *set;
        fm_error error = {0};
        snprintf(text, sizeof(text), "symbol,effective,what,number,to\nAAPL,%s,split,4,\n", FAR[i]);
        put("actions.csv", text);
        assert_true(load(references, &set, &error) < 0);
        assert_string_equal(error.message, "\"effective\" is no time");
        fm_references_close(references);
    }
    put_all();
}

static void what_is_wrong_is_said_with_the_file(void **unused)
{
    (void)unused;
    static const struct {
        const char *file, *text, *why;
    } WRONG[] = {
        {"calendars/XNYS.json", "{\"zone\":\"America/Gotham\"}", "America/Gotham"},
        {"calendars/XNYS.json", "{\"zone\":", "malformed JSON"},
        {"calendars/XNYS.json", "{}", "no \"zone\""},
        {"calendars/XNYS.json",
         "{\"zone\":\"UTC\",\"sessions\":[{\"days\":[\"mon\"],\"open\":\"16:00\",\"close\":\"09:30\"}]}",
         "opens at HH:MM before"},
        {"calendars/XNYS.json",
         "{\"zone\":\"UTC\",\"sessions\":[{\"days\":[\"monday\"],\"open\":\"09:00\",\"close\":\"10:00\"}]}", "monday"},
        {"calendars/XNYS.json", "{\"zone\":\"UTC\",\"holidays\":[\"25.12.2024\"]}", "25.12.2024"},
        {"instruments.csv", "class\nequity\n", "no column \"symbol\""},
        {"instruments.csv", "symbol,class\nA B,equity\n", "symbol must be"},
        {"instruments.csv", "symbol,calendar\nA,XLON\n", "calendar is not told of"},
        {"instruments.csv", "symbol\nA\nA\n", "\"A\" twice"},
        {"actions.csv", "symbol,effective,what,number\nA,tomorrow,split,2\n", "no time"},
        {"actions.csv", "symbol,effective,what,number\nA,2024-01-01,spilt,2\n", "not known"},
        {"actions.csv", "symbol,effective,what,number\nA,2024-01-01,split,0\n", "out of range"},
        {"actions.csv", "symbol,effective,what,number\nA,2024-01-01,split,\n", "missing"},
        {"actions.csv", "symbol,effective,what,number,to\nA,2024-01-01,rename,,\n", "needs the symbol"},
        {"actions.csv", "symbol,effective,what,number\nA,2024-01-01,split,2\nA,2024-01-01,dividend,2\n", "at one time"},
    };
    fm_references *references = open_references();
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        const fm_reference_set *set;
        fm_error error = {0};
        put(WRONG[i].file, WRONG[i].text);
        assert_true(load(references, &set, &error) < 0);
        if (strstr(error.message, WRONG[i].why) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.message, WRONG[i].why);
        put_all();
    }
    fm_references_close(references);
}

static void no_folder_is_no_reference_data(void **unused)
{
    (void)unused;
    const fm_reference_set *set;
    fm_error error = {0};
    fm_references *references = open_references();
    assert_int_equal(fm_references_load(references, "", &set, &error), 0);
    assert_int_equal(set->instrument_count, 0);
    assert_int_equal(fm_references_load(references, "/tmp/fmads-there-is-no-such-folder", &set, &error), 0);
    fm_references_close(references);
}

static void what_is_shipped_can_be_read(void **unused)
{
    (void)unused;
    const fm_reference_set *set;
    fm_error error = {0};
    fm_references *references = open_references();
    if (fm_references_load(references, FMADS_SOURCE_DIR "/deploy/reference", &set, &error) < 0)
        fail_msg("%s", error.message);
    assert_true(set->calendar_count >= 4 && set->instrument_count > 0);
    fm_references_close(references);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_become_a_set_sorted_by_symbol_and_time),
        cmocka_unit_test(a_set_is_named_by_its_text_and_found_again_by_its_name),
        cmocka_unit_test(large_files_are_read_in_no_time),
        cmocka_unit_test(a_file_cannot_put_lines_into_the_text_by_its_name),
        cmocka_unit_test(seconds_are_the_same_in_every_zone),
        cmocka_unit_test(times_that_are_none_are_refused),
        cmocka_unit_test(what_is_wrong_is_said_with_the_file),
        cmocka_unit_test(no_folder_is_no_reference_data),
        cmocka_unit_test(what_is_shipped_can_be_read),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
