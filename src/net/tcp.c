/* net/tcp.c - apart from the rest because <linux/tcp.h>, which knows tcpi_bytes_acked, and <netinet/tcp.h> exclude each
 * other. */
#include "net/tcp.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

void fm_tcp_prepare(int fd, int64_t user_timeout_ms)
{
    int on = 1, idle_s = 15, probe_s = 5, probes = 3;
    unsigned int timeout = (unsigned int)user_timeout_ms;

    /* Each may fail on a socket that is not TCP (the self-check's pair): then there is nothing to prepare. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &probe_s, sizeof(probe_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

uint64_t fm_tcp_taken(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);

    memset(&info, 0, sizeof(info));
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        size < offsetof(struct tcp_info, tcpi_bytes_received))
        return 0;
    return info.tcpi_bytes_acked;
}
