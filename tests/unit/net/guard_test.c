/* Loopback names and nothing that looks like one. */
#include "assert_near.h"
#include "net/guard.h"
#include "net/listen.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void loopback_names_are_taken(void **unused)
{
    static const char *const names[] = {"localhost",   "LocalHost:80", "127.0.0.1", "127.255.255.255:65535",
                                        "127.0.0.1:0", "[::1]",        "[::1]:8080"};

    (void)unused;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_true(fm_host_is_loopback(fm_slice_of(names[i])));
}

static void everything_else_is_not(void **unused)
{
    static const char *const names[] = {"",
                                        "localhost.",
                                        "localhost.com",
                                        "xlocalhost",
                                        "localhost:",
                                        "localhost:65536",
                                        "localhost:-1",
                                        "localhost:1:2",
                                        "localhost:80x",
                                        "127.0.0",
                                        "127.0.0.1.",
                                        "127.0.0.01",
                                        "127.0.0.256",
                                        "127.0.0.1.1",
                                        "128.0.0.1",
                                        "0x7f.0.0.1",
                                        "127.0.0.1x",
                                        "[::1",
                                        "[::1]x",
                                        "[::1]:",
                                        "[::2]",
                                        "::1",
                                        "[0::1]",
                                        "127",
                                        "127.",
                                        "127.0.0.:80",
                                        ":80",
                                        "[",
                                        "localhost\0x",
                                        "127.0.0.99999999999999999999"};

    (void)unused;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (fm_host_is_loopback(fm_slice_of(names[i])) && strcmp(names[i], "localhost") != 0)
            fail_msg("\"%s\" passed", names[i]);
    assert_false(fm_host_is_loopback((fm_slice){"localhost\0x", 11}));
    assert_false(fm_host_is_loopback((fm_slice){"127.0.0.1", 8})); /* no byte behind the slice is read: "127.0.0." */
}

static void an_origin_needs_a_scheme_and_a_loopback_host(void **unused)
{
    (void)unused;
    assert_true(fm_origin_is_loopback(FM_SLICE("http://localhost:3000")));
    assert_true(fm_origin_is_loopback(FM_SLICE("HTTPS://[::1]")));
    assert_false(fm_origin_is_loopback(FM_SLICE("null")));
    assert_false(fm_origin_is_loopback(FM_SLICE("")));
    assert_false(fm_origin_is_loopback(FM_SLICE("http://")));
    assert_false(fm_origin_is_loopback(FM_SLICE("https://")));
    assert_false(fm_origin_is_loopback(FM_SLICE("ws://localhost")));
    assert_false(fm_origin_is_loopback(FM_SLICE("http://localhost/")));
    assert_false(fm_origin_is_loopback(FM_SLICE("http://localhost@evil.example")));
    assert_false(fm_origin_is_loopback(FM_SLICE("http://evil.example?localhost")));
}

static void only_loopback_addresses_are_listened_on(void **unused)
{
    static const char *const bad[] = {"0.0.0.0:8080",
                                      "192.168.1.1:80",
                                      "[::]:80",
                                      "example.com:80",
                                      "127.0.0.1",
                                      "127.0.0.1:",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:x",
                                      ":80",
                                      "",
                                      "::1:80",
                                      "127.0.0.1:80 "};
    fm_error error;
    uint16_t port;
    int fd;

    (void)unused;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        port = 0;
        memset(&error, 0, sizeof(error));
        if (fm_listen_bind(bad[i], &port, &fd, &error) != FM_EINVAL)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_non_null(strstr(error.message, "net.listen"));
    }
}

static void a_free_port_is_found_and_shared_by_the_threads_of_one_server(void **unused)
{
    uint16_t port = 0, same, taken;
    int first = -1, second = -1, third = -1;
    fm_error error;
    char text[32];

    (void)unused;
    assert_int_equal(fm_listen_bind("127.0.0.1:0", &port, &first, &error), 0);
    assert_true(port != 0);
    same = port;
    assert_int_equal(fm_listen_bind("127.0.0.1:0", &same, &second, &error), 0);
    assert_int_equal(same, port);
    assert_int_equal(listen(first, 1), 0);
    taken = 0;
    snprintf(text, sizeof(text), "127.0.0.1:%u", port);
    assert_int_equal(fm_listen_bind(text, &taken, &third, &error), FM_EIO); /* another server */
    close(first);
    close(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_names_are_taken),
        cmocka_unit_test(everything_else_is_not),
        cmocka_unit_test(an_origin_needs_a_scheme_and_a_loopback_host),
        cmocka_unit_test(only_loopback_addresses_are_listened_on),
        cmocka_unit_test(a_free_port_is_found_and_shared_by_the_threads_of_one_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
