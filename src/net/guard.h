/* net/guard.h - whom a request may be for, and whose page may have sent it.
 *
 * Until there is authentication the server listens on loopback only, and a browser on the same machine is the one way
 * in for strangers: a page of a foreign site, or a name that its owner points at 127.0.0.1 (DNS rebinding). So Host
 * must be a loopback name, and an Origin that is not one may not write and may not open a WebSocket. */
#ifndef FM_NET_GUARD_H
#define FM_NET_GUARD_H

#include "base/slice.h"

#include <stdbool.h>

/* "localhost", 127.0.0.0/8 in plain dotted form, "[::1]"; each with or without ":port". */
bool fm_host_is_loopback(fm_slice host);

/* "http://" or "https://" and such a host. "null" is not. */
bool fm_origin_is_loopback(fm_slice origin);

#endif
