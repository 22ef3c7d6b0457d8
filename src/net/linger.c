/* net/linger.c - read and forget. */
#include "net/linger.h"

#include "net/server_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_SILENT_NS (2 * FM_NS_PER_S) /* without a byte from the client */
#define LINGER_NS        (5 * FM_NS_PER_S) /* in all, however busily it sends */
#define DISCARD_SIZE     (64 << 10)        /* a turn */

struct fm_lingering {
    fm_lingering *next;
    fm_loop *loop;
    h2o_socket_t *sock;
    int64_t since_ns;
    int64_t heard_ns; /* the last bytes */
};

void fm_linger_prepare(fm_connection *c)
{
    if (c != NULL && c->linger_fd < 0 && c->loop->lingering_count < FM_LINGERING_MAX)
        c->linger_fd = fcntl(h2o_socket_get_fd(c->sock), F_DUPFD_CLOEXEC, 0);
}

static void end(fm_lingering *l)
{
    fm_lingering **at = &l->loop->lingering;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    l->loop->lingering_count--;
    h2o_socket_close(l->sock);
    free(l);
}

static void on_read(h2o_socket_t *sock, const char *error)
{
    fm_lingering *l = sock->data;
    char discarded[DISCARD_SIZE];
    ssize_t size = error != NULL ? 0 : recv(h2o_socket_get_fd(sock), discarded, sizeof(discarded), MSG_DONTWAIT);

    if (size > 0)
        l->heard_ns = l->loop->now_ns;
    else if (size == 0 || (errno != EAGAIN && errno != EINTR))
        end(l);
}

void fm_linger_start_take(fm_loop *loop, int fd)
{
    if (fd < 0)
        return;
    fm_lingering *l = loop->stopping ? NULL : calloc(1, sizeof(*l));
    if (l == NULL || shutdown(fd, SHUT_WR) != 0) {
        free(l);
        close(fd);
        return;
    }
    l->loop = loop;
    l->sock = h2o_evloop_socket_create(loop->ctx.loop, fd, H2O_SOCKET_FLAG_DONT_READ);
    l->sock->data = l;
    l->since_ns = l->heard_ns = loop->now_ns;
    l->next = loop->lingering;
    loop->lingering = l;
    loop->lingering_count++;
    h2o_socket_read_start(l->sock, on_read);
}

void fm_linger_sweep(fm_loop *loop)
{
    for (fm_lingering *l = loop->lingering, *next; l != NULL; l = next) {
        next = l->next;
        if (loop->now_ns - l->heard_ns > LINGER_SILENT_NS || loop->now_ns - l->since_ns > LINGER_NS)
            end(l);
    }
}

void fm_linger_end_all(fm_loop *loop)
{
    while (loop->lingering != NULL)
        end(loop->lingering);
}
