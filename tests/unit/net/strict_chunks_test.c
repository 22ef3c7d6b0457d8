/* Chunked bodies: the same in whatever pieces they come; what is not to the letter is refused. */
#include "assert_near.h"
#include "net/strict_chunks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As h2o drives it: what was decoded stays at the front, new bytes are put behind it. The result; the body and what is
 * left in `out`. */
static ssize_t drive(const char *wire, size_t size, size_t piece, char *out, size_t *body)
{
    struct phr_chunked_decoder decoder;
    size_t have = 0, at = 0;
    ssize_t result = -2;

    memset(&decoder, 0, sizeof(decoder));
    decoder.consume_trailer = 1;
    while (at < size && result == -2) {
        size_t now = size - at < piece ? size - at : piece;
        char *copy = malloc(now); /* alone in its memory: a byte too far is seen */
        memcpy(copy, wire + at, now);
        at += now;
        size_t count = now;
        result = phr_decode_chunked(&decoder, copy, &count);
        if (result >= -2 && result != -1)
            memcpy(out + have, copy, count + (result > 0 ? (size_t)result : 0));
        have += result == -1 ? 0 : count;
        free(copy);
    }
    *body = have;
    return result < 0 ? result : result + (ssize_t)(size - at);
}

static void takes(const char *wire, const char *body, size_t left)
{
    static const size_t pieces[] = {1, 2, 3, 5, 1000};
    char out[20000];
    size_t size;

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        ssize_t result = drive(wire, strlen(wire), pieces[i], out, &size);
        if (result != (ssize_t)left || size != strlen(body) || memcmp(out, body, size) != 0)
            fail_msg("%s in pieces of %zu: result %zd, %zu bytes", wire, pieces[i], result, size);
    }
}

static void refuses(const char *wire, size_t size)
{
    static const size_t pieces[] = {1, 2, 1000000};
    char *out = malloc(size + 1);
    size_t body;

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
        if (drive(wire, size, pieces[i], out, &body) != -1)
            fail_msg("taken: %.60s", wire);
    free(out);
}

static void bodies_are_decoded_and_what_follows_is_left(void **unused)
{
    (void)unused;
    takes("0\r\n\r\n", "", 0);
    takes("5\r\nhello\r\n0\r\n\r\n", "hello", 0);
    takes("5\r\nhello\r\n1\r\n!\r\n00\r\n\r\nGET /", "hello!", 5);
    takes("A\r\n0123456789\r\n0000000a\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij", 0);
    takes("2;name=\"value\";x\r\n\r\n\r\n0;y\r\n\r\n", "\r\n", 0);
    takes("1\r\nx\r\n0\r\nTrailer: one\r\nOther: two\r\n\r\nrest", "x", 4);
}

static void what_is_not_to_the_letter_is_refused(void **unused)
{
    static const char *const bad[] = {"0\n\r\n",
                                      "0\r\n\n",
                                      "1\nx\r\n0\r\n\r\n",
                                      "1\r\nx\n0\r\n\r\n",
                                      "1\r\nxx\r\n",
                                      "\r\n",
                                      ";\r\n",
                                      "g\r\n",
                                      "-1\r\n",
                                      " 1\r\nx",
                                      "1 \r\nx",
                                      "0x1\r\nx",
                                      "100000000\r\n",
                                      "000000001\r\n",
                                      "1\r\rx",
                                      "1;\x01\r\nx",
                                      "1;\nx\r\n",
                                      "0\r\n folded\r\n",
                                      "0\r\nA: b\n\r\n",
                                      "0\r\nA: \x7f\r\n",
                                      "0\r\n\r\r",
                                      "1\r\nx\r\r"};
    char large[6000];

    (void)unused;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        refuses(bad[i], strlen(bad[i]));
    refuses("\0\r\n", 3);
    memset(large, 'x', sizeof(large));
    memcpy(large, "1;", 2);
    refuses(large, 400);
    memcpy(large, "0\r\n", 3);
    refuses(large, sizeof(large));
}

static void an_end_that_has_not_come_is_waited_for(void **unused)
{
    static const char wire[] = "5;x\r\nhello\r\n0\r\nA: b\r\n\r\n";
    char out[64];
    size_t body;

    (void)unused;
    for (size_t size = 1; size < sizeof(wire) - 1; size++)
        assert_int_equal(drive(wire, size, 3, out, &body), -2);
    assert_int_equal(drive(wire, sizeof(wire) - 1, 3, out, &body), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_decoded_and_what_follows_is_left),
        cmocka_unit_test(what_is_not_to_the_letter_is_refused),
        cmocka_unit_test(an_end_that_has_not_come_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
