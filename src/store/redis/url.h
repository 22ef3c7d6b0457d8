/* store/redis/url.h - redis://[user[:password]@]host[:port][/db], taken apart. */
#ifndef FM_STORE_REDIS_URL_H
#define FM_STORE_REDIS_URL_H

#include "base/error.h"

#include <stdint.h>

typedef struct fm_redis_url {
    char host[256]; /* without the brackets of an IPv6 address */
    uint16_t port;  /* 6379 when not given */
    uint32_t db;
    char user[256], password[512]; /* percent-decoded; empty = none */
} fm_redis_url;

/* FM_EINVAL with what is wrong; messages never carry the user or the password. */
int fm_redis_url_parse(const char *text, fm_redis_url *out, fm_error *error) FM_CHECKED;

#endif
