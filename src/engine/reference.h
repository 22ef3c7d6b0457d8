/* engine/reference.h - what is known of instruments from elsewhere: class, sector, the market they are compared with,
 * calendar, and what changes their prices without being news of them: splits, dividends, rolls, symbols that change
 * hands.
 *
 * A set is immutable and named by the hash of its text; the log names the set that holds (FM_REFERENCE), the text is
 * kept beside the journal as rule generations are, so a journal folds the same whatever the files say later.
 *
 * Prices that kernels see are continuous: from an action's time on they are multiplied by its ratio, sizes divided by
 * it where shares are what changed. What people see (events, latest values, alerts' prices of records) stays as quoted.
 *
 *   split      number new shares for one old: ratio = number
 *   dividend   number in the currency of the price, at the last price P before: ratio = P / (P - number)
 *   roll       number = the new contract's price less the old one's: ratio = P / (P + number)
 *   ratio      number itself (a back-adjustment from elsewhere)
 *   relist     another asset under the same ticker: kernels and prices begin anew
 *   rename     the instrument goes on under the ticker `to`: this one is closed, its silence means nothing */
#ifndef FM_ENGINE_REFERENCE_H
#define FM_ENGINE_REFERENCE_H

#include "base/error.h"
#include "base/event.h"
#include "base/hash.h"
#include "engine/calendar.h"

#define FM_REFERENCE_NAME_MAX 31
#define FM_RATIO_MAX          1e30 /* of all actions of an instrument together, and its inverse: one that leads beyond is left out */

typedef enum fm_action_kind {
    FM_ACTION_SPLIT,
    FM_ACTION_DIVIDEND,
    FM_ACTION_ROLL,
    FM_ACTION_RATIO,
    FM_ACTION_RELIST,
    FM_ACTION_RENAME
} fm_action_kind;

extern const char *const fm_action_names[]; /* by kind; ends with NULL */

typedef struct fm_action {
    int64_t effective_ns;
    double number; /* NaN for relist and rename */
    uint8_t kind;
    char to[FM_SYMBOL_MAX + 1];
} fm_action;

typedef struct fm_sector {
    char name[FM_REFERENCE_NAME_MAX + 1];
    uint32_t home;       /* the partition where its members are compared (engine/cross.h) */
    uint64_t partitions; /* that have members, a bit each */
} fm_sector;

typedef struct fm_instrument {
    char symbol[FM_SYMBOL_MAX + 1];
    char class_[FM_REFERENCE_NAME_MAX + 1], sector[FM_REFERENCE_NAME_MAX + 1]; /* "" = not told */
    char market[FM_SYMBOL_MAX + 1];                                            /* symbol; "" = none */
    const fm_calendar *calendar;                                               /* NULL = none */
    uint32_t first_action, action_count;                                       /* in the set's, ascending by time */
    const fm_sector *in_sector; /* NULL = not told */
    uint64_t watched_by;        /* partitions of instruments whose market it is, a bit each */
} fm_instrument;

typedef struct fm_reference_set {
    fm_hash128 hash;
    fm_calendar *calendar;
    uint32_t calendar_count;
    fm_instrument *instrument; /* ascending by symbol */
    uint32_t instrument_count;
    fm_action *action;
    uint32_t action_count;
    fm_sector *sector; /* ascending by name */
    uint32_t sector_count;
} fm_reference_set;

#define FM_REFERENCE_HEAD "fmads-reference 1\n"

/* The text is lines of words, in the order that fm_reference_set keeps:
 *   calendar NAME | offset FROM_S OFFSET_S | session WEEKDAY OPEN CLOSE | holiday DAY | half DAY CLOSE
 *   instrument SYMBOL CLASS SECTOR MARKET CALENDAR       ("-" = not told)
 *   action EFFECTIVE_NS KIND NUMBER TO                   of the instrument before
 * FM_ESYNTAX tells the line. */
int fm_reference_parse(fm_slice text, fm_reference_set **out, fm_error *error) FM_CHECKED;
void fm_reference_free(fm_reference_set *set);

const fm_instrument *fm_reference_find(const fm_reference_set *set,
                                       const char *symbol); /* NULL when it is not told of */

#endif
