/* script/watch.c - one thread looks, one signal stops. */
#include "script/watch.h"

#include "base/assert.h"
#include "base/event.h"

#include <signal.h>
#include <string.h>

/* ThreadSanitizer keeps asynchronous signals back until the next call that it knows, and compiled Lua makes none; it
 * lets those through that can only be synchronous. */
#ifdef __SANITIZE_THREAD__
#define STOP_SIGNAL SIGTRAP
#else
#define STOP_SIGNAL (SIGRTMIN + 3)
#endif

enum { TICKS = 4, LOOK_MS = 2, IDLE_LOOK_MS = 20, IDLE_AFTER = 500 };
#define WALL_DEADLINE_NS FM_NS_PER_S

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static fm_watch *watches;
static bool watcher_runs;

static _Thread_local fm_watch *inside __attribute__((tls_model("initial-exec")));

static void stop(int signal_number)
{
    (void)signal_number;
    fm_watch *watch = inside;
    if (!watch)
        return;
    uint64_t run = atomic_load_explicit(&watch->run, memory_order_relaxed);
    atomic_store_explicit(&watch->asked, 0, memory_order_relaxed);
    if (atomic_load_explicit(&watch->overdue, memory_order_relaxed) != run)
        return; /* it has left in the meantime */
    watch->ticks = watch->ticked == run ? watch->ticks + 1 : 1;
    watch->ticked = run;
    if (watch->ticks < TICKS || atomic_load_explicit(&watch->hold, memory_order_relaxed))
        return;
    inside = NULL;
    atomic_store_explicit(&watch->run, run + 1, memory_order_release);
    siglongjmp(watch->jump, 1);
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0)
        return -1;
    return now.tv_sec * FM_NS_PER_S + now.tv_nsec;
}

/* True when the thread is inside. */
static bool look(fm_watch *watch)
{
    uint64_t run = atomic_load_explicit(&watch->run, memory_order_acquire);
    if (run % 2 == 0)
        return false;
    int64_t cpu_ns = clock_ns(watch->clock), mono_ns = clock_ns(CLOCK_MONOTONIC);
    if (run != watch->seen) {
        watch->seen = run;
        watch->seen_cpu_ns = cpu_ns;
        watch->seen_mono_ns = mono_ns;
        return true;
    }
    int64_t deadline_ns = atomic_load_explicit(&watch->deadline_ns, memory_order_relaxed);
    int64_t wall_ns = deadline_ns > WALL_DEADLINE_NS / 2 ? 2 * deadline_ns : WALL_DEADLINE_NS;
    if (cpu_ns - watch->seen_cpu_ns >= deadline_ns || mono_ns - watch->seen_mono_ns >= wall_ns) {
        atomic_store_explicit(&watch->overdue, run, memory_order_release);
        if (!atomic_exchange_explicit(&watch->asked, 1, memory_order_relaxed))
            pthread_kill(watch->thread, STOP_SIGNAL);
    }
    return true;
}

static void *watcher_main(void *unused)
{
    (void)unused;
    int idle = 0;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!watches)
            pthread_cond_wait(&wake, &lock);
        bool busy = false;
        for (fm_watch *watch = watches; watch; watch = watch->next)
            busy |= look(watch) || atomic_load_explicit(&watch->run, memory_order_relaxed) != watch->seen;
        for (fm_watch *watch = watches; watch; watch = watch->next)
            if (atomic_load_explicit(&watch->run, memory_order_relaxed) % 2 == 0)
                watch->seen = atomic_load_explicit(&watch->run, memory_order_relaxed);
        idle = busy ? 0 : idle + 1;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (idle > IDLE_AFTER ? IDLE_LOOK_MS : LOOK_MS) * 1000000L;
        if (until.tv_nsec >= FM_NS_PER_S) {
            until.tv_sec++;
            until.tv_nsec -= FM_NS_PER_S;
        }
        pthread_cond_timedwait(&wake, &lock, &until);
    }
    return NULL;
}

static int start_watcher(void)
{
    struct sigaction action = {.sa_handler = stop,
                               .sa_flags = SA_NODEFER | SA_RESTART}; /* the jump leaves no mask behind */
    sigemptyset(&action.sa_mask);
    if (sigaction(STOP_SIGNAL, &action, NULL) != 0)
        return FM_EINVAL;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* the process's signals go to the threads that expect them */
    pthread_t watcher;
    watcher_runs = pthread_create(&watcher, NULL, watcher_main, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (watcher_runs)
        pthread_detach(watcher); /* it ends with the process, and sleeps while there is nothing to watch */
    return watcher_runs ? 0 : FM_ENOMEM;
}

int fm_watch_attach(fm_watch *watch)
{
    FM_ASSERT(!watch->attached);
    memset(watch, 0, sizeof(*watch));
    watch->thread = pthread_self();
    if (pthread_getcpuclockid(watch->thread, &watch->clock) != 0)
        return FM_EINVAL;
    pthread_mutex_lock(&lock);
    int result = watcher_runs ? 0 : start_watcher();
    if (result == 0) {
        watch->attached = true;
        watch->next = watches;
        watches = watch;
        pthread_cond_signal(&wake);
    }
    pthread_mutex_unlock(&lock);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, STOP_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return result;
}

void fm_watch_detach(fm_watch *watch)
{
    if (!watch->attached)
        return;
    pthread_mutex_lock(&lock);
    for (fm_watch **link = &watches; *link; link = &(*link)->next) {
        if (*link == watch) {
            *link = watch->next;
            break;
        }
    }
    watch->attached = false;
    pthread_mutex_unlock(&lock);
}

void fm_watch_enter(fm_watch *watch, int64_t deadline_ns)
{
    atomic_store_explicit(&watch->deadline_ns, deadline_ns, memory_order_relaxed);
    inside = watch;
    atomic_signal_fence(memory_order_seq_cst);
    uint64_t run = atomic_load_explicit(&watch->run, memory_order_relaxed);
    atomic_store_explicit(&watch->run, run + 1, memory_order_release);
}

void fm_watch_leave(fm_watch *watch)
{
    uint64_t run = atomic_load_explicit(&watch->run, memory_order_relaxed);
    atomic_store_explicit(&watch->run, run + 1, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
    inside = NULL;
}
