/* alert/worker.h - a thread that sleeps until it is woken: the router, the archive and each sink are one.
 *
 * Waking costs a locked exchange, and an eventfd write only when the thread really sleeps. The exchange on both sides
 * is what makes a wake impossible to miss: whoever comes second sees what the first has done (design notes in
 * docs/decisions/0007). */
#ifndef FM_ALERT_WORKER_H
#define FM_ALERT_WORKER_H

#include "base/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct fm_worker {
    pthread_t thread;
    int event; /* eventfd */
    bool started;
    _Atomic uint32_t sleeping;
    _Atomic bool stopping;
} fm_worker;

int fm_worker_init(fm_worker *worker) FM_CHECKED; /* FM_ENOMEM: no file descriptor left */
void fm_worker_fini(fm_worker *worker);

/* Starts the thread with signals blocked, but for those that tell a fault of its own: the others belong to main.c, and
 * a peer that closes must not raise SIGPIPE. */
int fm_worker_start(fm_worker *worker, const char *name, void (*run)(void *context), void *context) FM_CHECKED;
void fm_worker_stop(fm_worker *worker); /* asks, wakes, joins; nothing when it was not started */
bool fm_worker_stopping(const fm_worker *worker);

void fm_worker_wake(fm_worker *worker); /* any thread */

/* The thread itself: announce, look once more for work, then sleep or cancel. */
void fm_worker_announce(fm_worker *worker);
void fm_worker_cancel(fm_worker *worker);
void fm_worker_sleep(fm_worker *worker, int64_t timeout_ns); /* negative = until woken */

#endif
