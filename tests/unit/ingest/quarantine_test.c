/* tests/unit/ingest/quarantine_test.c - the ring of refused records. */
#include "records.h"

#include "ingest/quarantine.h"

static void add(fm_quarantine *ring, uint32_t index, const char *data, size_t size)
{
    fm_quarantine_add(ring, 1000 + index, FM_price_invalid, index, "\"price\": is not a decimal number",
                      (fm_slice){data, size});
}

static void an_entry_keeps_why_where_and_the_first_bytes(void **unused)
{
    (void)unused;
    fm_quarantine ring;
    const fm_quarantine_entry *listed[4];
    char longest[2000], message[1000];
    memset(longest, 'r', sizeof longest);
    memset(message, 'm', sizeof message);
    message[sizeof message - 1] = 0;
    assert_int_equal(fm_quarantine_init(&ring, 4), 0);
    add(&ring, 7, longest, sizeof longest);
    fm_quarantine_add(&ring, 5, FM_malformed, 0, message, (fm_slice){0});
    assert_int_equal(fm_quarantine_list(&ring, 0, 4, listed), 2);
    assert_int_equal(listed[0]->number, 2);
    assert_int_equal(listed[0]->size, 0);
    assert_int_equal(strlen(listed[0]->message), sizeof listed[0]->message - 1);
    assert_int_equal(listed[1]->number, 1);
    assert_int_equal(listed[1]->receive_ns, 1007);
    assert_int_equal(listed[1]->code, FM_price_invalid);
    assert_int_equal(listed[1]->index, 7);
    assert_int_equal(listed[1]->size, FM_QUARANTINE_BYTES);
    assert_int_equal(listed[1]->full_size, sizeof longest);
    assert_memory_equal(listed[1]->data, longest, FM_QUARANTINE_BYTES);
    assert_string_equal(listed[1]->message, "\"price\": is not a decimal number");
    fm_quarantine_fini(&ring);
}

static void the_oldest_leave_and_pages_join(void **unused)
{
    (void)unused;
    fm_quarantine ring;
    const fm_quarantine_entry *listed[10];
    assert_int_equal(fm_quarantine_init(&ring, 0), FM_EINVAL);
    assert_int_equal(fm_quarantine_init(&ring, 5), 0);
    assert_int_equal(fm_quarantine_list(&ring, 0, 10, listed), 0);
    for (uint32_t index = 0; index < 12; index++)
        add(&ring, index, "x", 1);
    assert_int_equal(ring.count, 12);
    assert_int_equal(fm_quarantine_list(&ring, 0, 10, listed), 5);
    for (int index = 0; index < 5; index++)
        assert_int_equal(listed[index]->number, 12 - index);
    assert_int_equal(fm_quarantine_list(&ring, 0, 2, listed), 2);
    assert_int_equal(fm_quarantine_list(&ring, listed[1]->number, 2, listed), 2);
    assert_int_equal(listed[0]->number, 10);
    assert_int_equal(fm_quarantine_list(&ring, listed[1]->number, 2, listed), 1);
    assert_int_equal(listed[0]->number, 8);
    assert_int_equal(fm_quarantine_list(&ring, 8, 2, listed), 0);
    assert_int_equal(fm_quarantine_list(&ring, 1, 2, listed), 0);
    assert_int_equal(fm_quarantine_list(&ring, UINT64_MAX, 1, listed), 1);
    assert_int_equal(listed[0]->number, 12);
    fm_quarantine_fini(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_keeps_why_where_and_the_first_bytes),
        cmocka_unit_test(the_oldest_leave_and_pages_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
