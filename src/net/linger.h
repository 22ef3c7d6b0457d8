/* net/linger.h - closing without losing the answer.
 *
 * h2o closes a connection that it has refused at once. If the client is still sending (an oversize body), the kernel
 * turns that close into a reset, and the client loses the answer that says why. So a copy of the descriptor is kept;
 * when h2o has closed its own, our side is shut down, and what still comes is thrown away until the client is done, has
 * been silent for two seconds, or has gone on for five. */
#ifndef FM_NET_LINGER_H
#define FM_NET_LINGER_H

#include "net/connection.h"

#define FM_LINGERING_MAX 64 /* a loop; more are closed at once */

/* Before the last answer of a connection. Nothing when there is no descriptor left. */
void fm_linger_prepare(fm_connection *connection);

void fm_linger_start_take(fm_loop *loop, int fd); /* after h2o's close; -1 is nothing */
void fm_linger_sweep(fm_loop *loop);
void fm_linger_end_all(fm_loop *loop);

#endif
