/* engine/alert.h - what leaves the engine: an alert with its canonical body, and whom it is told to. */
#ifndef FM_ENGINE_ALERT_H
#define FM_ENGINE_ALERT_H

#include "base/event.h"
#include "base/hash.h"

#include <stdint.h>

/* The body is promised byte for byte (DESIGN: determinism contract 10): JSON with id, rule, version, symbol, key, event time, state,
 * features, evidence. Everything in the envelope is outside the promise. */
typedef struct fm_alert {
    fm_hash128  id;
    uint32_t    partition;
    uint32_t    ordinal;       /* among the alerts of one record */
    uint64_t    sequence;      /* of the record, in the partition's log: the router's cursor */
    int64_t     event_ns;
    int64_t     receive_ns;    /* of the frame */
    int64_t     detect_ns;     /* wall clock when the rule had run */
    uint32_t    severity;      /* fm_severity */
    uint32_t    body_size;
    char        symbol[FM_SYMBOL_MAX + 1];
    char        rule[65];
    char        domain[FM_NAME_MAX + 1];
    const char *body;          /* canonical JSON object without a line end; valid during the call */
} fm_alert;

/* Filled by main.c with the alert router. Called on the shard's thread, in order per partition; must not block. */
typedef struct fm_alert_output {
    void *self;
    void (*emit)(void *self, uint32_t shard, const fm_alert *alert);
    /* Alerts of this shard taken durably (as the journal's sync promises) by the router, counted from the start of the process. */
    uint64_t (*taken)(void *self, uint32_t shard);
    /* True while the router is so far behind that requests must be refused (429). Any thread. */
    int (*behind)(void *self);
} fm_alert_output;

#endif
