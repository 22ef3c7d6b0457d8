/* Frames in any cut give the same messages; what breaks the protocol has its code; no byte beyond the limit is kept. */
#include "assert_near.h"
#include "base/random.h"
#include "net/ws_frame.h"

#include <stdio.h>
#include <stdlib.h>

/* A client's frame. */
static void add_frame(fm_text *out, int opcode, bool final, fm_slice payload, uint32_t key)
{
    uint8_t head[14] = {(uint8_t)((final ? 0x80 : 0) | opcode)};
    size_t at = 2;

    if (payload.size < 126) {
        head[1] = (uint8_t)(0x80 | payload.size);
    } else if (payload.size < 65536) {
        head[1] = 0x80 | 126;
        head[2] = (uint8_t)(payload.size >> 8);
        head[3] = (uint8_t)payload.size;
        at = 4;
    } else {
        head[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            head[2 + i] = (uint8_t)((uint64_t)payload.size >> (56 - 8 * i));
        at = 10;
    }
    memcpy(head + at, &key, 4);
    fm_text_add(out, head, at + 4);
    for (size_t i = 0; i < payload.size; i++) {
        char c = (char)(payload.data[i] ^ head[at + (i & 3)]);
        fm_text_add(out, &c, 1);
    }
}

static void feed(fm_ws_reader *reader, const char *data, size_t size)
{
    while (size > 0) {
        size_t room;
        uint8_t *into = fm_ws_reader_room(reader, &room);
        assert_true(room > 0);
        size_t now = size < room ? size : room;
        memcpy(into, data, now);
        fm_ws_reader_filled(reader, now);
        data += now;
        size -= now;
        if (size >
            0) { /* only a test that knows that no message is complete yet may feed more than there is room for */
            fm_ws_message none;
            assert_int_equal(fm_ws_reader_next(reader, &none), FM_WS_NONE);
        }
    }
}

/* Everything that the bytes say, as text: "T:hello;" "B:…;" "P:…;" "C:1000;" "F:1002;". Fed in pieces of `piece` bytes.
 */
static void transcript(const fm_text *bytes, size_t piece, size_t message_max, fm_text *out)
{
    fm_ws_reader reader;
    fm_ws_message m;
    bool over = false;

    fm_ws_reader_init(&reader, message_max);
    for (size_t at = 0; at < bytes->size && !over; at += piece) {
        size_t room, size = bytes->size - at < piece ? bytes->size - at : piece;
        for (size_t done = 0; done < size && !over;) {
            uint8_t *into = fm_ws_reader_room(&reader, &room);
            size_t now = size - done < room ? size - done : room;
            memcpy(into, bytes->data + at + done, now);
            fm_ws_reader_filled(&reader, now);
            done += now;
            while (!over && fm_ws_reader_next(&reader, &m) != FM_WS_NONE) {
                fm_text_printf(out, "%c:", "?TBPpCF"[m.kind]);
                if (m.kind == FM_WS_CLOSE || m.kind == FM_WS_FAILED)
                    fm_text_printf(out, "%u", m.code);
                else
                    fm_text_add(out, m.data.data, m.data.size);
                fm_text_put(out, ";");
                over = m.kind == FM_WS_CLOSE || m.kind == FM_WS_FAILED;
            }
        }
    }
    assert_true(reader.capacity <= (message_max + 14 > 65536 ? message_max + 14 : 65536));
    fm_ws_reader_fini(&reader);
}

static void says(const fm_text *bytes, const char *expected)
{
    static const size_t pieces[] = {1, 2, 3, 7, 64, 1000, 1 << 20};

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        fm_text out = {NULL, 0, 0};
        transcript(bytes, pieces[i], 70000, &out);
        assert_string_equal(out.data != NULL ? out.data : "", expected);
        fm_text_fini(&out);
    }
}

static void messages_fragments_and_pings_come_as_sent(void **unused)
{
    fm_text bytes = {NULL, 0, 0};

    (void)unused;
    add_frame(&bytes, 1, true, FM_SLICE("one"), 1);
    add_frame(&bytes, 2, true, FM_SLICE("two"), 0);
    add_frame(&bytes, 1, false, FM_SLICE("th"), 0xdeadbeef);
    add_frame(&bytes, 9, true, FM_SLICE("ping"), 7);
    add_frame(&bytes, 0, false, FM_SLICE(""), 9);
    add_frame(&bytes, 10, true, FM_SLICE(""), 7);
    add_frame(&bytes, 0, true, FM_SLICE("ree"), 0x01020304);
    add_frame(&bytes, 1, true, FM_SLICE(""), 3);
    add_frame(&bytes, 8, true,
              (fm_slice){"\x03\xe8"
                         "bye",
                         5},
              5);
    add_frame(&bytes, 1, true, FM_SLICE("never"), 1);
    says(&bytes, "T:one;B:two;P:ping;p:;T:three;T:;C:1000;");
    fm_text_fini(&bytes);
}

static void what_breaks_the_protocol_has_its_code(void **unused)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *expected;
    } cases[] = {
        {"\x81\x01x", 3, "F:1002;"},              /* not masked */
        {"\xc1\x80\0\0\0\0", 6, "F:1002;"},       /* reserved bit */
        {"\x83\x80\0\0\0\0", 6, "F:1002;"},       /* opcode 3 */
        {"\x8b\x80\0\0\0\0", 6, "F:1002;"},       /* opcode 11 */
        {"\x09\x80\0\0\0\0", 6, "F:1002;"},       /* a ping in fragments */
        {"\x89\xfe\0\x7e\0\0\0\0", 8, "F:1002;"}, /* a long ping */
        {"\x80\x80\0\0\0\0", 6, "F:1002;"},       /* continues nothing */
        {"\x01\x80\0\0\0\0\x81\x80\0\0\0\0", 12, "F:1002;"},
        {"\x88\x81\0\0\0\0x", 7, "F:1002;"},        /* half a close code */
        {"\x88\x82\0\0\0\0\x03\xed", 8, "F:1002;"}, /* 1005 */
        {"\x88\x83\0\0\0\0\x03\xe8\xff", 9, "F:1007;"},
        {"\x88\x80\0\0\0\0", 6, "C:1005;"},
        {"\x81\x81\0\0\0\0\xff", 7, "F:1007;"},
        {"\x82\x81\0\0\0\0\xff", 7, "B:\xff;"},
        {"\x82\xff\0\0\0\0\0\1\x11\x71\0\0\0\0", 14, "F:1009;"}, /* 70001 */
        {"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 10, "F:1009;"},
        {"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10, "F:1009;"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fm_text bytes = {NULL, 0, 0};
        fm_text_add(&bytes, cases[i].bytes, cases[i].size);
        says(&bytes, cases[i].expected);
        fm_text_fini(&bytes);
    }
}

static void random_messages_survive_random_cuts(void **unused)
{
    fm_random random;

    (void)unused;
    fm_random_seed(&random, 20140502);
    for (int round = 0; round < 200; round++) {
        fm_text bytes = {NULL, 0, 0}, expected = {NULL, 0, 0}, out = {NULL, 0, 0};
        for (uint64_t left = 1 + fm_random_below(&random, 20); left > 0; left--) {
            static const uint64_t sizes[] = {1, 125, 126, 127, 300, 65535, 65536, 69999};
            char *payload = malloc(70000);
            size_t size = (size_t)sizes[fm_random_below(&random, round % 10 == 0 ? 8 : 5)];
            for (size_t i = 0; i < size; i++)
                payload[i] = (char)(' ' + fm_random_below(&random, 90));
            size_t cut = (size_t)fm_random_below(&random, size + 1);
            bool whole = fm_random_below(&random, 2) == 0;
            add_frame(&bytes, 1, whole, (fm_slice){payload, whole ? size : cut}, (uint32_t)fm_random_next(&random));
            if (!whole)
                add_frame(&bytes, 0, true, (fm_slice){payload + cut, size - cut}, (uint32_t)fm_random_next(&random));
            fm_text_put(&expected, "T:");
            fm_text_add(&expected, payload, size);
            fm_text_put(&expected, ";");
            free(payload);
        }
        transcript(&bytes, 1 + (size_t)fm_random_below(&random, 5000), 70000, &out);
        assert_int_equal(out.size, expected.size);
        assert_memory_equal(out.data, expected.data, expected.size);
        fm_text_fini(&bytes);
        fm_text_fini(&expected);
        fm_text_fini(&out);
    }
}

static void frames_of_the_server_are_whole_and_not_masked(void **unused)
{
    fm_text out = {NULL, 0, 0};
    char *large = malloc(70000);

    (void)unused;
    memset(large, 'x', 70000);
    fm_ws_write(&out, FM_WS_OP_TEXT, FM_SLICE("hi"));
    assert_memory_equal(out.data, "\x81\x02hi", 4);
    fm_text_clear(&out);
    fm_ws_write(&out, FM_WS_OP_BINARY, (fm_slice){large, 126});
    assert_memory_equal(out.data, "\x82\x7e\x00\x7e", 4);
    assert_int_equal(out.size, 130);
    fm_text_clear(&out);
    fm_ws_write(&out, FM_WS_OP_TEXT, (fm_slice){large, 70000});
    assert_memory_equal(out.data, "\x81\x7f\0\0\0\0\0\1\x11\x70", 10);
    fm_text_clear(&out);
    large[200] = '\0';
    fm_ws_write_close(&out, 1013, large);
    assert_memory_equal(out.data, "\x88\x7d\x03\xf5", 4); /* a control frame has at most 125 bytes */
    assert_int_equal(out.size, 127);
    fm_text_fini(&out);
    free(large);
}

static void utf_8_is_told_from_what_is_not(void **unused)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "12345678\xe2\x82\xac"
                                       "12345678",
                                       "1234567\xe2\x82\xac"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x41",
                                      "\xe0\x9f\xbf",
                                      "\xe2\x82",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x90\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "12345678\xff",
                                      "1234567\xe2\x82",
                                      "\xe2\x82\xac\x80"};

    (void)unused;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(fm_utf8_is_valid(fm_slice_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(fm_utf8_is_valid(fm_slice_of(bad[i])));
}

static void the_accept_key_is_that_of_the_rfc(void **unused)
{
    char out[29];

    (void)unused;
    assert_true(fm_ws_key_is_valid(FM_SLICE("dGhlIHNhbXBsZSBub25jZQ==")));
    assert_false(fm_ws_key_is_valid(FM_SLICE("dGhlIHNhbXBsZSBub25jZQ=")));
    assert_false(fm_ws_key_is_valid(FM_SLICE("dGhlIHNhbXBsZSBub25j*Q==")));
    fm_ws_accept_key(FM_SLICE("dGhlIHNhbXBsZSBub25jZQ=="), out);
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void a_message_stays_where_it_is_until_the_reader_is_used_again(void **unused)
{
    fm_ws_reader reader;
    fm_ws_message m;
    fm_text bytes = {NULL, 0, 0};

    (void)unused;
    fm_ws_reader_init(&reader, 1024);
    add_frame(&bytes, 1, true, FM_SLICE("stalled"), 42);
    add_frame(&bytes, 1, true, FM_SLICE("next"), 43);
    feed(&reader, bytes.data, bytes.size);
    assert_int_equal(fm_ws_reader_next(&reader, &m), FM_WS_TEXT);
    assert_true(fm_slice_equal(m.data, FM_SLICE("stalled")));
    assert_int_equal(fm_ws_reader_next(&reader, &m), FM_WS_TEXT);
    assert_true(fm_slice_equal(m.data, FM_SLICE("next")));
    assert_int_equal(fm_ws_reader_next(&reader, &m), FM_WS_NONE);
    fm_ws_reader_fini(&reader);
    fm_text_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_fragments_and_pings_come_as_sent),
        cmocka_unit_test(what_breaks_the_protocol_has_its_code),
        cmocka_unit_test(random_messages_survive_random_cuts),
        cmocka_unit_test(frames_of_the_server_are_whole_and_not_masked),
        cmocka_unit_test(utf_8_is_told_from_what_is_not),
        cmocka_unit_test(the_accept_key_is_that_of_the_rfc),
        cmocka_unit_test(a_message_stays_where_it_is_until_the_reader_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
