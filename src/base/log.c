/* base/log.c - one line an event, written whole; a storm of one event is folded into counts. */
#include "base/log.h"

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAMES = 128, NAME_SIZE = 48, LINES_A_SECOND = 10, SLOTS = 8 };

/* What was said of one event name within the second that began at `since_ns`. */
typedef struct window {
    char event[NAME_SIZE];
    int64_t since_ns;
    uint32_t said, folded;
} window;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static window windows[NAMES];
static int window_count;
static _Atomic int least_level = FM_LOG_INFO;

void fm_log_set_level(fm_log_level level)
{
    atomic_store_explicit(&least_level, (int)level, memory_order_relaxed);
}

static const char *level_name(fm_log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    return names[level <= FM_LOG_ERROR ? level : FM_LOG_ERROR];
}

static void begin_line(fm_text *line, fm_log_level level, const char *event)
{
    char time[40];
    fm_time_format(fm_wall_ns(&fm_clock_system), time);
    fm_text_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", time, level_name(level));
    fm_text_json(line, fm_slice_of(event));
}

/* A full pipe or a closed stream loses lines; nothing sensible can be done about it here. */
static void write_line(fm_text *line)
{
    fm_text_put(line, "}\n");
    size_t done = 0;
    while (done < line->size) {
        ssize_t written = write(STDERR_FILENO, line->data + done, line->size - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
}

static void tell_folded(window *of)
{
    fm_text line = {0};
    begin_line(&line, FM_LOG_WARN, "log_folded");
    fm_text_put(&line, ",\"folded_event\":");
    fm_text_json(&line, fm_slice_of(of->event));
    fm_text_printf(&line, ",\"folded\":%u", of->folded);
    of->folded = 0;
    write_line(&line);
    fm_text_fini(&line);
}

static void tell_all_folded(void)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < window_count; i++) {
        if (windows[i].folded > 0)
            tell_folded(&windows[i]);
    }
    pthread_mutex_unlock(&lock);
}

/* The event's window; when the table is full (names are few and fixed in the source) the last one serves all that are
 * left. */
static window *window_of(const char *event, int64_t now_ns)
{
    for (int i = 0; i < window_count; i++) {
        if (strncmp(windows[i].event, event, NAME_SIZE - 1) == 0)
            return &windows[i];
    }
    if (window_count == 0)
        atexit(tell_all_folded);
    if (window_count == NAMES)
        return &windows[NAMES - 1];
    window *fresh = &windows[window_count++];
    snprintf(fresh->event, sizeof(fresh->event), "%s", window_count == NAMES ? "other" : event);
    fresh->since_ns = now_ns;
    return fresh;
}

/* With the lock held. Seconds of other events that are over are told here too, so that a count never waits for its own
 * kind. */
static bool may_speak(const char *event)
{
    int64_t now_ns = fm_mono_ns(&fm_clock_system);
    for (int i = 0; i < window_count; i++) {
        if (now_ns - windows[i].since_ns < FM_NS_PER_S)
            continue;
        if (windows[i].folded > 0)
            tell_folded(&windows[i]);
        windows[i].since_ns = now_ns;
        windows[i].said = 0;
    }
    window *own = window_of(event, now_ns);
    if (own->said < LINES_A_SECOND) {
        own->said++;
        return true;
    }
    own->folded++;
    return false;
}

void fm_log_event(fm_log_level level, const char *event, ...)
{
    if ((int)level < atomic_load_explicit(&least_level, memory_order_relaxed))
        return;

    int saved_errno = errno;
    pthread_mutex_lock(&lock);
    if (may_speak(event)) {
        fm_text line = {0};
        begin_line(&line, level, event);
        va_list pairs;
        va_start(pairs, event);
        for (const char *key; (key = va_arg(pairs, const char *)) != NULL;) {
            const char *value = va_arg(pairs, const char *);
            fm_text_put(&line, ",");
            fm_text_json(&line, fm_slice_of(key));
            fm_text_put(&line, ":");
            fm_text_json(&line, fm_slice_of(value != NULL ? value : ""));
            if (value == NULL)
                break; /* a key without a value: the NULL that ends the list */
        }
        va_end(pairs);
        write_line(&line);
        fm_text_fini(&line);
    }
    pthread_mutex_unlock(&lock);
    errno = saved_errno;
}

static char *next_slot(void)
{
    static _Thread_local char slots[SLOTS][32];
    static _Thread_local unsigned next;
    return slots[next++ % SLOTS];
}

const char *fm_log_int(int64_t value)
{
    char *slot = next_slot();
    snprintf(slot, 32, "%lld", (long long)value);
    return slot;
}

const char *fm_log_real(double value)
{
    char *slot = next_slot();
    snprintf(slot, 32, "%.9g", value);
    return slot;
}
