/* net/tcp.h - socket options, and what the kernel knows of a connection. */
#ifndef FM_NET_TCP_H
#define FM_NET_TCP_H

#include <stdint.h>

/* No delay; a peer that takes nothing for user_timeout_ms loses the connection; a vanished one is found by keep-alive
 * probes. */
void fm_tcp_prepare(int fd, int64_t user_timeout_ms);

uint64_t fm_tcp_taken(int fd); /* bytes that the peer has acknowledged; 0 when the kernel does not tell */

#endif
