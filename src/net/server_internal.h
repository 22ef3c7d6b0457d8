/* net/server_internal.h - what the files of net/ share of the server. */
#ifndef FM_NET_SERVER_INTERNAL_H
#define FM_NET_SERVER_INTERNAL_H

#include "net/clerk.h"
#include "net/loop.h"
#include "net/stream.h"

struct fm_server {
    fm_server_config config; /* its texts are owned */
    h2o_globalconf_t global;
    uint16_t port;
    uint32_t loop_count;
    fm_loop *loop;
    fm_stream *stream;            /* follows the router's log for subscribers */
    fm_clerk *clerk;              /* rules: off the shards' threads */
    _Atomic uint32_t connections; /* open, all threads */
    _Atomic bool stopping;
    _Atomic uint32_t running; /* loops that take requests */
    _Atomic uint32_t drained; /* loops that have nothing left to answer */
};

#endif
