/* base/log.h - one JSON line an event on standard error.
 *
 *   fm_log(FM_LOG_WARN, "redis_unreachable", "url", "redis://…", "retry_ms", fm_log_int(500), NULL);
 *
 * The event name is stable; keys and values follow in pairs, NULL ends them. Values are text (escaped here). Secrets never. Equal
 * events are folded: after 10 a second of one name the rest are counted and told in one line. Callable from every thread
 * (a short lock, off the tick path). */
#ifndef FM_BASE_LOG_H
#define FM_BASE_LOG_H

#include <stdint.h>

typedef enum fm_log_level { FM_LOG_DEBUG, FM_LOG_INFO, FM_LOG_WARN, FM_LOG_ERROR } fm_log_level;

void fm_log_set_level(fm_log_level level); /* lines below it are dropped; preset FM_LOG_INFO */
void fm_log_event(fm_log_level level, const char *event, ...) __attribute__((sentinel));
/* A macro, for the symbol fm_log is the logarithm of base/fmath.h; a file that takes one for the other does not compile. */
#define fm_log(...) fm_log_event(__VA_ARGS__)

const char *fm_log_int(int64_t value);  /* text in a thread-local slot, good for the next 8 calls */
const char *fm_log_real(double value);

#endif
