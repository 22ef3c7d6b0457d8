/* script/watch.h - stops a thread that stays too long inside Lua, when nothing inside Lua would.
 *
 * The budget check (syntax.h) is the rule's own brake, and its result is the same in every replay. This is the brake
 * behind it, for what no check can see: a thread of the process looks every few milliseconds at each watched thread,
 * and when one has spent more than its deadline of CPU time (or a second of wall time) inside one call, signals make it
 * jump out, over whatever lies between. What it jumped over is never used again (memory.h).
 *
 * On a virtual machine a thread's CPU time also counts what the hypervisor took (130 ms at once were seen on a busy
 * one), so the clock alone would blame rules that never ran long. Hence the call must still be the same at TICKS
 * signals, 2 ms apart, each of them handled by the thread itself: a thread that was merely stopped finishes its call
 * between two of them.
 *
 *   if (sigsetjmp(watch.jump, 0) == 0) {
 *       fm_watch_enter(&watch, deadline_ns);
 *       ... no lock, no malloc, no I/O ...
 *       fm_watch_leave(&watch);
 *   } else { ... killed; left already ... } */
#ifndef FM_SCRIPT_WATCH_H
#define FM_SCRIPT_WATCH_H

#include "base/error.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

typedef struct fm_watch {
    sigjmp_buf jump;
    _Atomic uint64_t run;     /* odd while inside; counts up at each enter and leave */
    _Atomic uint64_t overdue; /* the run that is past its deadline */
    _Atomic int asked;        /* a signal is under way */
    _Atomic int hold;         /* not 0: a result is being written, which takes nanoseconds; the next look will do */
    _Atomic int64_t deadline_ns;
    uint64_t ticked; /* the thread's own: the overdue run it was last told of, and how often */
    int ticks;
    bool attached;
    pthread_t thread;
    clockid_t clock;       /* CPU time of the thread */
    struct fm_watch *next; /* below: the watching thread's own, under its lock */
    uint64_t seen;
    int64_t seen_cpu_ns, seen_mono_ns;
} fm_watch;

/* For the calling thread, until it detaches. The first one starts the watching thread. */
int fm_watch_attach(fm_watch *watch) FM_CHECKED;
void fm_watch_detach(fm_watch *watch); /* any thread, while not inside */

void fm_watch_enter(fm_watch *watch, int64_t deadline_ns);
void fm_watch_leave(fm_watch *watch);

#endif
