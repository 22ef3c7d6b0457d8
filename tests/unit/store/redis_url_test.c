/* tests/unit/store/redis_url_test.c - which Redis URLs are taken, and what is read from them. */
#include "assert_near.h"
#include "store/redis.h"
#include "store/redis/url.h"

#include <string.h>

static void a_url_is_taken_apart(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *host, *user, *password;
        uint16_t port;
        uint32_t db;
    } cases[] = {
        {"redis://localhost", "localhost", "", "", 6379, 0},
        {"redis://127.0.0.1:6380", "127.0.0.1", "", "", 6380, 0},
        {"redis://host/3", "host", "", "", 6379, 3},
        {"redis://host:1/", "host", "", "", 1, 0},
        {"redis://:secret@host", "host", "", "secret", 6379, 0},
        {"redis://user:secret@host:7000/15", "host", "user", "secret", 7000, 15},
        {"redis://user:a%40b%3a%2F%25@host", "host", "user", "a@b:/%", 6379, 0},
        {"redis://user:a@b@host", "host", "user", "a@b", 6379, 0},
        {"redis://:a:b@host", "host", "", "a:b", 6379, 0},
        {"redis://[::1]:6380/2", "::1", "", "", 6380, 2},
        {"redis://[fe80::1]", "fe80::1", "", "", 6379, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fm_redis_url url;
        fm_error error = {0};
        if (fm_redis_url_parse(cases[i].text, &url, &error) < 0)
            fail_msg("%s: %s", cases[i].text, error.message);
        assert_string_equal(url.host, cases[i].host);
        assert_string_equal(url.user, cases[i].user);
        assert_string_equal(url.password, cases[i].password);
        assert_int_equal(url.port, cases[i].port);
        assert_int_equal(url.db, cases[i].db);
    }
}

static void what_cannot_be_used_is_refused_without_telling_the_password(void **unused)
{
    (void)unused;
    static const char *const cases[] = {
        "",
        "localhost:6379",
        "http://localhost",
        "rediss://:pass-word@host",
        "redis://",
        "redis://:6379",
        "redis://host:0",
        "redis://host:65536",
        "redis://host:12x",
        "redis://host:",
        "redis://host/x",
        "redis://host/1/2",
        "redis://host/99999",
        "redis://pass-word@host",
        "redis://user:@host",
        "redis://:pass-word%@host",
        "redis://:pass-word%4@host",
        "redis://:pass-word%zz@host",
        "redis://:pass-word%00@host",
        "redis://[::1",
        "redis://[::1]6379",
        "redis://:pass-word@",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fm_error error = {0};
        if (fm_redis_url_check(cases[i], &error) != FM_EINVAL)
            fail_msg("\"%s\" was taken", cases[i]);
        assert_true(error.message[0] != '\0');
        assert_null(strstr(error.message, "pass-word"));
        assert_null(strstr(error.hint, "pass-word"));
    }
    fm_error error = {0};
    assert_int_equal(fm_redis_url_check("rediss://host", &error), FM_EINVAL);
    assert_non_null(strstr(error.message, "TLS"));
}

static void parts_that_are_too_long_are_refused(void **unused)
{
    (void)unused;
    static char text[2000];
    static const struct {
        const char *before, *after;
    } frames[] = {{"redis://", ""}, {"redis://:", "@host"}, {"redis://", ":p@host"}};
    for (size_t i = 0; i < 3; i++) {
        strcpy(text, frames[i].before);
        size_t size = strlen(text);
        memset(text + size, 'x', 1000);
        strcpy(text + size + 1000, frames[i].after);
        assert_int_equal(fm_redis_url_check(text, NULL), FM_EINVAL);
    }
}

static void nobody_there_is_a_network_error(void **unused)
{
    (void)unused;
    fm_error error = {0};
    fm_redis *redis = NULL;
    fm_redis_config config = {.url = "redis://:pass-word@127.0.0.1:1", .connect_ms = 200};
    assert_int_equal(fm_redis_connect(&config, &redis, &error), FM_ENETWORK);
    assert_null(redis);
    assert_non_null(strstr(error.message, "127.0.0.1"));
    assert_null(strstr(error.message, "pass-word"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_taken_apart),
        cmocka_unit_test(what_cannot_be_used_is_refused_without_telling_the_password),
        cmocka_unit_test(parts_that_are_too_long_are_refused),
        cmocka_unit_test(nobody_there_is_a_network_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
