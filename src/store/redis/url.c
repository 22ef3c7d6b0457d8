/* store/redis/url.c - reading the URL of a Redis server. */
#include "store/redis/url.h"

#include "base/slice.h"

#include <stdlib.h>
#include <string.h>

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode(fm_slice from, char *out, size_t size, const char *what, fm_error *error)
{
    size_t used = 0;
    for (size_t i = 0; i < from.size; i++) {
        char c = from.data[i];
        if (c == '%') {
            bool whole = i + 2 < from.size;
            int high = whole ? hex_of(from.data[i + 1]) : -1, low = whole ? hex_of(from.data[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0)) /* a NUL would end the text early */
                return fm_fail(error, FM_EINVAL, "the %s in the Redis URL has a bad percent escape", what);
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (used + 1 >= size)
            return fm_fail(error, FM_EINVAL, "the %s in the Redis URL is too long", what);
        out[used++] = c;
    }
    out[used] = '\0';
    return 0;
}

static int number(fm_slice text, uint32_t max, uint32_t *out)
{
    uint32_t value = 0;
    if (text.size == 0 || text.size > 5)
        return FM_EINVAL;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return FM_EINVAL;
        value = value * 10 + (uint32_t)(text.data[i] - '0');
    }
    if (value > max)
        return FM_EINVAL;
    *out = value;
    return 0;
}

static int credentials(fm_slice text, fm_redis_url *url, fm_error *error)
{
    const char *colon = memchr(text.data, ':', text.size);
    if (colon == NULL)
        return fm_fail(error, FM_EINVAL,
                       "the Redis URL names a user without a password; a password alone is written as :password@");
    size_t user_size = (size_t)(colon - text.data);
    FM_TRY(decode((fm_slice){text.data, user_size}, url->user, sizeof url->user, "user", error));
    FM_TRY(decode((fm_slice){colon + 1, text.size - user_size - 1}, url->password, sizeof url->password, "password",
                  error));
    if (url->password[0] == '\0')
        return fm_fail(error, FM_EINVAL, "the password in the Redis URL is empty");
    return 0;
}

static int host_and_port(fm_slice text, fm_redis_url *url, fm_error *error)
{
    fm_slice host = text, port = {0};
    if (text.size > 0 && text.data[0] == '[') {
        const char *end = memchr(text.data, ']', text.size);
        if (end == NULL)
            return fm_fail(error, FM_EINVAL, "the host in the Redis URL has no closing bracket");
        host = (fm_slice){text.data + 1, (size_t)(end - text.data - 1)};
        port = (fm_slice){end + 1, text.size - host.size - 2};
    } else {
        const char *colon = memchr(text.data, ':', text.size);
        if (colon != NULL) {
            host.size = (size_t)(colon - text.data);
            port = (fm_slice){colon, text.size - host.size};
        }
    }
    if (host.size == 0)
        return fm_fail(error, FM_EINVAL, "the Redis URL has no host");
    FM_TRY(decode(host, url->host, sizeof url->host, "host", error));
    if (port.size == 0)
        return 0;
    uint32_t value = 0;
    if (port.data[0] != ':' || number((fm_slice){port.data + 1, port.size - 1}, 65535, &value) < 0 || value == 0)
        return fm_fail(error, FM_EINVAL, "the port in the Redis URL must be a number from 1 to 65535");
    url->port = (uint16_t)value;
    return 0;
}

int fm_redis_url_parse(const char *text, fm_redis_url *out, fm_error *error)
{
    fm_redis_url url = {.port = 6379};
    if (strncmp(text, "rediss://", 9) == 0)
        return fm_fail(error, FM_EINVAL,
                       "TLS to Redis (rediss://) is not supported; use redis:// through a local TLS proxy");
    if (strncmp(text, "redis://", 8) != 0)
        return fm_fail(error, FM_EINVAL, "a Redis URL starts with redis://");
    fm_slice rest = fm_slice_of(text + 8);
    const char *slash = memchr(rest.data, '/', rest.size);
    if (slash != NULL) {
        fm_slice db = {slash + 1, rest.size - (size_t)(slash - rest.data) - 1};
        if (db.size > 0 && number(db, 65535, &url.db) < 0)
            return fm_fail(error, FM_EINVAL, "the database in the Redis URL must be a number from 0 to 65535");
        rest.size = (size_t)(slash - rest.data);
    }
    const char *at = memrchr(rest.data, '@', rest.size);
    if (at != NULL) {
        size_t size = (size_t)(at - rest.data);
        FM_TRY(credentials((fm_slice){rest.data, size}, &url, error));
        rest = (fm_slice){at + 1, rest.size - size - 1};
    }
    FM_TRY(host_and_port(rest, &url, error));
    *out = url;
    return 0;
}
