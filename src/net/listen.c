/* net/listen.c - parse, refuse what is not loopback, bind. */
#include "net/listen.h"

#include "net/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static int parse(const char *text, address *out, socklen_t *size, fm_error *error)
{
    const char *colon = strrchr(text, ':');
    char host[64], *end;

    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof(host))
        return fm_fail(error, FM_EINVAL, "net.listen \"%s\" must be ADDRESS:PORT", text);
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (*end != '\0' || end == colon + 1 || port > 65535)
        return fm_fail(error, FM_EINVAL, "net.listen \"%s\" has no port from 0 to 65535", text);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    if (!fm_host_is_loopback(fm_slice_of(host)))
        return fm_fail(error, FM_EINVAL,
                       "net.listen \"%s\" is not a loopback address: without authentication nobody else may connect",
                       text);
    memset(out, 0, sizeof(*out));
    if (host[0] == '[') {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_addr = in6addr_loopback;
        out->v6.sin6_port = htons((uint16_t)port);
        *size = sizeof(out->v6);
    } else {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons((uint16_t)port);
        *size = sizeof(out->v4);
        if (strcmp(host, "localhost") == 0)
            out->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        else if (inet_pton(AF_INET, host, &out->v4.sin_addr) != 1)
            return fm_fail(error, FM_EINVAL, "net.listen \"%s\" is not an address", text);
    }
    return 0;
}

static int bind_socket(const address *a, socklen_t size, int option)
{
    int on = 1;
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)) != 0 || bind(fd, &a->any, size) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int fm_listen_bind(const char *text, uint16_t *port, int *fd, fm_error *error)
{
    address a;
    socklen_t size;

    FM_TRY(parse(text, &a, &size, error));
    in_port_t *wire = a.any.sa_family == AF_INET6 ? &a.v6.sin6_port : &a.v4.sin_port;
    if (*port != 0) {
        *wire = htons(*port);
    } else if (*wire != 0) {
        int probe = bind_socket(&a, size, SO_REUSEADDR);
        if (probe < 0)
            return fm_fail_errno(error, FM_EIO, "could not listen on %s", text);
        close(probe);
    }
    int bound = bind_socket(&a, size, SO_REUSEPORT);
    if (bound < 0)
        return fm_fail_errno(error, FM_EIO, "could not listen on %s", text);
    if (getsockname(bound, &a.any, &size) != 0) {
        close(bound);
        return fm_fail_errno(error, FM_EIO, "could not learn the port of %s", text);
    }
    *port = ntohs(*wire);
    *fd = bound;
    return 0;
}
