/* base/event.c - decimals and names of the event line. */
#include "base/event.h"

#include "base/assert.h"

#include <math.h>

/* Every power is exact in binary64, so integer / power is one correctly rounded operation. */
static const double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

double fm_decimal(int64_t integer, int scale)
{
    FM_ASSERT(scale >= 0 && scale < (int)(sizeof(powers_of_ten) / sizeof(powers_of_ten[0])));
    if (FM_UNLIKELY(integer == FM_ABSENT))
        return NAN;
    return (double)integer / powers_of_ten[scale];
}

const char *fm_kind_name(int kind)
{
    switch (kind) {
    case FM_TRADE:
        return "trade";
    case FM_QUOTE:
        return "quote";
    case FM_VALUE:
        return "value";
    case FM_STATUS:
        return "status";
    case FM_DOMAIN:
        return "domain";
    case FM_STREAM:
        return "stream";
    case FM_SOURCE:
        return "source";
    case FM_SERIES:
        return "series";
    case FM_SCALE:
        return "scale";
    case FM_GENERATION:
        return "generation";
    case FM_BUILD:
        return "build";
    case FM_CLOCK:
        return "clock";
    case FM_KILL:
        return "kill";
    default:
        return "unknown";
    }
}
