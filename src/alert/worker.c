/* alert/worker.c - threads that sleep on an eventfd. */
#include "alert/worker.h"

#include "base/assert.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct launch {
    void (*run)(void *context);
    void *context;
} launch;

int fm_worker_init(fm_worker *worker)
{
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0)
        return FM_ENOMEM;
    worker->event = event;
    worker->started = false;
    atomic_init(&worker->sleeping, 0);
    atomic_init(&worker->stopping, false);
    return 0;
}

void fm_worker_fini(fm_worker *worker)
{
    FM_ASSERT(!worker->started);
    close(worker->event);
    worker->event = -1;
}

static void *body(void *argument)
{
    launch start = *(launch *)argument;
    free(argument);
    start.run(start.context);
    return NULL;
}

int fm_worker_start(fm_worker *worker, const char *name, void (*run)(void *context), void *context)
{
    FM_ASSERT(!worker->started);
    launch *start = malloc(sizeof *start);
    if (start == NULL)
        return FM_ENOMEM;
    *start = (launch){run, context};

    sigset_t all, before;
    sigfillset(&all);
    const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&worker->thread, NULL, body, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        free(start);
        return FM_ENOMEM;
    }
    pthread_setname_np(worker->thread, name);
    worker->started = true;
    return 0;
}

void fm_worker_stop(fm_worker *worker)
{
    atomic_store(&worker->stopping, true);
    if (!worker->started)
        return;
    fm_worker_wake(worker);
    pthread_join(worker->thread, NULL);
    worker->started = false;
}

bool fm_worker_stopping(const fm_worker *worker)
{
    return atomic_load_explicit(&worker->stopping, memory_order_acquire);
}

void fm_worker_wake(fm_worker *worker)
{
    /* Not a load: the exchange orders what the caller published before it against the announcement of the sleeper. */
    if (atomic_exchange_explicit(&worker->sleeping, 0, memory_order_seq_cst) == 0)
        return;
    uint64_t one = 1;
    ssize_t done = write(worker->event, &one, sizeof one);
    FM_ASSERT(done == (ssize_t)sizeof one || errno == EAGAIN);
}

void fm_worker_announce(fm_worker *worker)
{
    atomic_exchange_explicit(&worker->sleeping, 1, memory_order_seq_cst);
}

void fm_worker_cancel(fm_worker *worker)
{
    atomic_exchange_explicit(&worker->sleeping, 0, memory_order_seq_cst);
}

void fm_worker_sleep(fm_worker *worker, int64_t timeout_ns)
{
    int timeout_ms = -1;
    if (timeout_ns >= 0) {
        int64_t rounded = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
        timeout_ms = rounded > INT_MAX ? INT_MAX : (int)rounded;
    }
    struct pollfd wait = {.fd = worker->event, .events = POLLIN};
    if (atomic_load_explicit(&worker->stopping, memory_order_acquire) && timeout_ms < 0)
        timeout_ms = 0;
    int ready = poll(&wait, 1, timeout_ms);
    fm_worker_cancel(worker);
    if (ready > 0) {
        uint64_t count;
        ssize_t done = read(worker->event, &count, sizeof count);
        FM_ASSERT(done == (ssize_t)sizeof count || errno == EAGAIN);
    }
}
