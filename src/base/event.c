/* base/event.c - decimals and names of the event line. */
#include "base/event.h"

const double fm_powers_of_ten[FM_POWERS_OF_TEN] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

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
    case FM_BAR:
        return "bar";
    case FM_BOOK:
        return "book";
    case FM_ORDER:
        return "order";
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
    case FM_CROSS:
        return "cross";
    case FM_REFERENCE:
        return "reference";
    default:
        return "unknown";
    }
}
