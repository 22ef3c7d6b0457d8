/* net/listen.h - net.listen to a bound socket. */
#ifndef FM_NET_LISTEN_H
#define FM_NET_LISTEN_H

#include "base/error.h"

#include <stdint.h>

/* "127.0.0.1:8080" or "[::1]:8080", refused unless loopback. Binds with SO_REUSEPORT, so that each thread has its own
 * listener; does not listen yet. *port 0: the address's port, and *port is set; else that port. The first one also
 * makes sure that no other process has the port: with SO_REUSEPORT two servers of one user would silently share it. */
int fm_listen_bind(const char *address, uint16_t *port, int *fd, fm_error *error) FM_CHECKED;

#endif
