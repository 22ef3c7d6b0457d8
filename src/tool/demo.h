/* tool/demo.h - the simulated market in front of a running server, and its alerts in the terminal.
 *
 * First half an hour of history is sent as fast as the server takes it, so that averages and ranges are warm; then
 * records go out at their own moment (live domain: event time = now). Each alert is shown with the injected anomaly it
 * belongs to, if any: what is found, what is missed and what is false is seen at a glance. The server should have an
 * empty data directory: to a market that begins anew, the prices of the last demo are one large jump. */
#ifndef FM_TOOL_DEMO_H
#define FM_TOOL_DEMO_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct fm_demo_config {
    const char *url;                   /* of the server, "http://127.0.0.1:8080" */
    uint64_t seed;                     /* preset 1 */
    uint32_t instruments;              /* preset 60 */
    double rate;                       /* records a second over all names; preset 1000 */
    int64_t warm_up_s;                 /* history before now; preset 1800, 0 = none */
    int64_t first_s;                   /* first anomaly, after the market has gone live; preset 10 */
    int64_t every_s;                   /* mean distance of the next ones; preset 25 */
    double seconds;                    /* of live market; 0 = until stopped */
    bool color;                        /* escape sequences for a terminal */
    const volatile sig_atomic_t *stop; /* not 0 ends it; NULL: SIGINT and SIGTERM are caught here */
} fm_demo_config;

extern const fm_demo_config fm_demo_config_preset;

/* Runs until stopped, or for `seconds`. 0, or FM_EXIT_FAILED when the server cannot be reached. Prints to standard
 * output. */
int fm_demo_run(const fm_demo_config *config);

#endif
