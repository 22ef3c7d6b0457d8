/* net/connection.h - accepting, counting and timing out connections.
 *
 * At net.connections_max, or when file descriptors run out, the listener pauses; each sweep then answers those who wait
 * with 503 and goes on listening as soon as there is room. A connection is never closed under h2o: a timeout shuts the
 * socket down, and h2o, or the WebSocket, finds out and frees what it has. */
#ifndef FM_NET_CONNECTION_H
#define FM_NET_CONNECTION_H

#include "net/loop.h"

typedef enum fm_connection_state { FM_IDLE, FM_READING, FM_WORKING, FM_WRITING } fm_connection_state;

struct fm_connection {
    fm_connection *previous, *next;
    fm_loop *loop;
    h2o_socket_t *sock;
    int linger_fd;             /* a copy of the descriptor (linger.h), or -1 */
    fm_websocket *websocket;   /* NULL: HTTP */
    fm_connection_state state; /* as the last sweep saw it */
    bool cut;                  /* shut down; h2o has yet to notice */
    int64_t since_ns;          /* of the state */
    uint64_t requests, requests_seen;
    uint64_t read_seen, taken_seen; /* bytes */
};

fm_connection *fm_connection_of(h2o_req_t *request);

int fm_connection_listen(fm_loop *loop) FM_CHECKED; /* starts taking connections */
void fm_connection_stop_listening(fm_loop *loop);
void fm_connection_sweep(fm_loop *loop);
void fm_connection_cut(fm_connection *connection); /* shuts the socket down */
void fm_connection_cut_all(fm_loop *loop);

#endif
