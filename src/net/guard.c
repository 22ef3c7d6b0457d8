/* net/guard.c - loopback names, told apart by their letters: nothing is resolved. */
#include "net/guard.h"

#include <strings.h>

/* Digits without a leading zero, at most `high`; the rest of the text, or NULL. */
static const char *number(const char *at, const char *end, int high)
{
    int value = 0;
    const char *begin = at;

    while (at < end && *at >= '0' && *at <= '9' && value <= high)
        value = value * 10 + (*at++ - '0');
    if (at == begin || value > high || (at - begin > 1 && *begin == '0'))
        return NULL;
    return at;
}

static bool is_loopback_address(const char *at, const char *end)
{
    if (end - at < 4 || strncmp(at, "127.", 4) != 0)
        return false;
    at += 4;
    for (int i = 0; i < 3; i++) {
        if ((at = number(at, end, 255)) == NULL)
            return false;
        if (i < 2 && (at == end || *at++ != '.'))
            return false;
    }
    return at == end;
}

bool fm_host_is_loopback(fm_slice host)
{
    const char *at = host.data, *end = host.data + host.size, *name_end;

    if (host.size == 0)
        return false;
    if (*at == '[') {
        if (host.size < 5 || memcmp(at, "[::1]", 5) != 0)
            return false;
        name_end = at + 5;
    } else {
        name_end = memchr(at, ':', host.size);
        if (name_end == NULL)
            name_end = end;
        size_t size = (size_t)(name_end - at);
        if (!(size == 9 && strncasecmp(at, "localhost", 9) == 0) && !is_loopback_address(at, name_end))
            return false;
    }
    if (name_end == end)
        return true;
    return *name_end == ':' && number(name_end + 1, end, 65535) == end;
}

bool fm_origin_is_loopback(fm_slice origin)
{
    if (origin.size > 7 && strncasecmp(origin.data, "http://", 7) == 0)
        return fm_host_is_loopback((fm_slice){origin.data + 7, origin.size - 7});
    if (origin.size > 8 && strncasecmp(origin.data, "https://", 8) == 0)
        return fm_host_is_loopback((fm_slice){origin.data + 8, origin.size - 8});
    return false;
}
