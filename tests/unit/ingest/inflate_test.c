/* tests/unit/ingest/inflate_test.c - gzip bodies: members, damage, and bombs. */
#include "records.h"

#include "base/random.h"
#include "ingest/inflate.h"

#include <stdlib.h>
#include <zlib.h>

/* One gzip member. */
static size_t deflate_gzip(const void *data, size_t size, char *out, size_t room)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)size;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t used = stream.total_out;
    deflateEnd(&stream);
    return used;
}

static void members_join_and_exact_room_is_enough(void **unused)
{
    (void)unused;
    char zipped[4096], out[64];
    size_t size = 0, used = deflate_gzip("hello, ", 7, zipped, sizeof zipped);
    used += deflate_gzip("", 0, zipped + used, sizeof zipped - used);
    used += deflate_gzip("world", 5, zipped + used, sizeof zipped - used);
    assert_int_equal(fm_inflate_gzip(zipped, used, out, sizeof out, &size), 0);
    assert_int_equal(size, 12);
    assert_memory_equal(out, "hello, world", 12);
    out[12] = 'x';
    assert_int_equal(fm_inflate_gzip(zipped, used, out, 12, &size), 0);
    assert_int_equal(out[12], 'x');
    for (size_t limit = 0; limit < 12; limit++)
        assert_int_equal(fm_inflate_gzip(zipped, used, out, limit, &size), FM_body_too_large);
    used = deflate_gzip("", 0, zipped, sizeof zipped);
    assert_int_equal(fm_inflate_gzip(zipped, used, out, 0, &size), 0);
    assert_int_equal(size, 0);
}

static void damage_is_told_and_touches_no_result(void **unused)
{
    (void)unused;
    char text[2000], zipped[4096], out[4096];
    fm_random random;
    fm_random_seed(&random, 3);
    for (size_t index = 0; index < sizeof text; index++)
        text[index] = (char)('a' + fm_random_below(&random, 20));
    size_t used = deflate_gzip(text, sizeof text, zipped, sizeof zipped), size = 77;
    for (size_t length = 0; length < used; length++)
        assert_int_equal(fm_inflate_gzip(zipped, length, out, sizeof out, &size), FM_encoding);
    zipped[used] = 'x';
    assert_int_equal(fm_inflate_gzip(zipped, used + 1, out, sizeof out, &size), FM_encoding); /* garbage behind it */
    for (int round = 0; round < 2000; round++) {
        size_t at = fm_random_below(&random, used);
        char kept = zipped[at];
        zipped[at] ^= (char)(1 << fm_random_below(&random, 8));
        int result = fm_inflate_gzip(zipped, used, out, sizeof out, &size);
        if (result == 0) { /* only the header has bits that mean nothing */
            assert_true(at < 10);
            assert_memory_equal(out, text, sizeof text);
            size = 77;
        } else {
            assert_true(result == FM_encoding || result == FM_body_too_large);
        }
        zipped[at] = kept;
    }
    assert_int_equal(size, 77);
    assert_int_equal(fm_inflate_gzip("plain text", 10, out, sizeof out, &size), FM_encoding);
}

static void a_bomb_costs_its_limit_only(void **unused)
{
    (void)unused;
    size_t size = 0, zeros = 64 << 20, limit = 1 << 20, room = 1 << 20;
    char *data = calloc(1, zeros), *zipped = malloc(room), *out = malloc(limit + 1);
    size_t used = deflate_gzip(data, zeros, zipped, room);
    assert_true(used < 100000);
    out[limit] = 'x';
    assert_int_equal(fm_inflate_gzip(zipped, used, out, limit, &size), FM_body_too_large);
    assert_int_equal(out[limit], 'x');
    free(data);
    free(zipped);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_join_and_exact_room_is_enough),
        cmocka_unit_test(damage_is_told_and_touches_no_result),
        cmocka_unit_test(a_bomb_costs_its_limit_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
