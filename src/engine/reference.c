/* engine/reference.c - see the header. */
#include "engine/reference.h"

#include "base/assert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 6

const char *const fm_action_names[] = {"split", "dividend", "roll", "ratio", "relist", "rename", NULL};

typedef struct parsing {
    fm_reference_set *set;
    uint32_t calendar_capacity, instrument_capacity, action_capacity, offset_capacity, holiday_capacity, half_capacity;
    fm_slice word[WORDS_MAX];
    int words, line;
    fm_error *error;
} parsing;

static int refuse(const parsing *in, const char *why)
{
    return fm_fail(in->error, FM_ESYNTAX, "reference data, line %d: %s", in->line, why);
}

static void *grow(void *array, uint32_t *capacity, uint32_t need, size_t size)
{
    if (need > *capacity) {
        *capacity = *capacity != 0 ? 2 * *capacity : 16;
        array = realloc(array, *capacity * size);
        FM_ASSERT(array != NULL);
    }
    return array;
}

static bool is(fm_slice word, const char *text)
{
    return fm_slice_equal(word, fm_slice_of(text));
}

/* A whole word as an integer. */
static bool integer(fm_slice word, int64_t low, int64_t high, int64_t *out)
{
    char text[32], *end;
    if (!fm_slice_copy(word, text, sizeof(text)) || word.size == 0)
        return false;
    *out = strtoll(text, &end, 10);
    return *end == '\0' && *out >= low && *out <= high;
}

static bool name(fm_slice word, char *out, size_t size)
{
    if (is(word, "-"))
        word.size = 0;
    return fm_slice_copy(word, out, size);
}

/* ---- calendars ---- */

static fm_calendar *last_calendar(const parsing *in)
{
    return in->set->calendar_count > 0 && in->set->instrument_count == 0
               ? &in->set->calendar[in->set->calendar_count - 1]
               : NULL;
}

static int read_calendar(parsing *in)
{
    fm_reference_set *set = in->set;
    set->calendar = grow(set->calendar, &in->calendar_capacity, set->calendar_count + 1, sizeof(*set->calendar));
    fm_calendar *calendar = &set->calendar[set->calendar_count++];
    *calendar = (fm_calendar){0};
    in->offset_capacity = in->holiday_capacity = in->half_capacity = 0;
    if (in->words != 2 || set->instrument_count > 0 || !name(in->word[1], calendar->name, sizeof(calendar->name)))
        return refuse(in, "a calendar's name is missing or too long, or stands behind an instrument");
    return 0;
}

static int read_offset(parsing *in)
{
    fm_calendar *calendar = last_calendar(in);
    int64_t from, offset;
    if (calendar == NULL || in->words != 3 || !integer(in->word[1], INT64_MIN, INT64_MAX, &from) ||
        !integer(in->word[2], -100000, 100000, &offset) ||
        (calendar->offset_count == 0 ? from != INT64_MIN : from <= calendar->offset[calendar->offset_count - 1].from_s))
        return refuse(in, "an offset is out of order or no number");
    calendar->offset =
        grow(calendar->offset, &in->offset_capacity, calendar->offset_count + 1, sizeof(*calendar->offset));
    calendar->offset[calendar->offset_count++] = (fm_calendar_offset){from, (int32_t)offset};
    return 0;
}

static int read_session(parsing *in)
{
    fm_calendar *calendar = last_calendar(in);
    int64_t weekday, open, close;
    if (calendar == NULL || in->words != 4 || !integer(in->word[1], 0, 6, &weekday) ||
        !integer(in->word[2], -1440, 1440, &open) || !integer(in->word[3], 0, 1440, &close) || close <= open)
        return refuse(in, "a session needs a weekday from 0, and two minutes of which the second is later");
    calendar->session[weekday] = (fm_calendar_session){(int16_t)open, (int16_t)close};
    return 0;
}

static int read_holiday(parsing *in)
{
    fm_calendar *calendar = last_calendar(in);
    int64_t day;
    if (calendar == NULL || in->words != 2 || !integer(in->word[1], INT32_MIN, INT32_MAX, &day) ||
        (calendar->holiday_count > 0 && day <= calendar->holiday[calendar->holiday_count - 1]))
        return refuse(in, "a holiday is out of order or no day");
    calendar->holiday =
        grow(calendar->holiday, &in->holiday_capacity, calendar->holiday_count + 1, sizeof(*calendar->holiday));
    calendar->holiday[calendar->holiday_count++] = (int32_t)day;
    return 0;
}

static int read_half(parsing *in)
{
    fm_calendar *calendar = last_calendar(in);
    int64_t day, close;
    if (calendar == NULL || in->words != 3 || !integer(in->word[1], INT32_MIN, INT32_MAX, &day) ||
        !integer(in->word[2], 0, 1440, &close) ||
        (calendar->half_count > 0 && day <= calendar->half[calendar->half_count - 1].day))
        return refuse(in, "a half day is out of order, or has no minute at which it closes");
    calendar->half = grow(calendar->half, &in->half_capacity, calendar->half_count + 1, sizeof(*calendar->half));
    calendar->half[calendar->half_count++] = (fm_calendar_half){(int32_t)day, (int16_t)close};
    return 0;
}

/* ---- instruments ---- */

static int read_instrument(parsing *in)
{
    fm_reference_set *set = in->set;
    set->instrument =
        grow(set->instrument, &in->instrument_capacity, set->instrument_count + 1, sizeof(*set->instrument));
    fm_instrument *instrument = &set->instrument[set->instrument_count];
    *instrument = (fm_instrument){.first_action = set->action_count};
    if (in->words != 6 || !name(in->word[1], instrument->symbol, sizeof(instrument->symbol)) ||
        instrument->symbol[0] == '\0' || !name(in->word[2], instrument->class_, sizeof(instrument->class_)) ||
        !name(in->word[3], instrument->sector, sizeof(instrument->sector)) ||
        !name(in->word[4], instrument->market, sizeof(instrument->market)))
        return refuse(in, "an instrument needs symbol, class, sector, market and calendar, \"-\" where not told");
    if (set->instrument_count > 0 && strcmp(set->instrument[set->instrument_count - 1].symbol, instrument->symbol) >= 0)
        return refuse(in, "instruments are not in the order of their symbols");
    for (uint32_t i = 0; i < set->calendar_count && instrument->calendar == NULL; i++)
        if (is(in->word[5], set->calendar[i].name))
            instrument->calendar = &set->calendar[i];
    if (instrument->calendar == NULL && !is(in->word[5], "-"))
        return refuse(in, "the calendar is not told of above");
    set->instrument_count++;
    return 0;
}

static bool number_is_good(int kind, double number)
{
    if (kind == FM_ACTION_SPLIT || kind == FM_ACTION_RATIO)
        return number >= 1e-6 && number <= 1e6;
    if (kind == FM_ACTION_DIVIDEND)
        return number > 0.0 && number <= 1e12;
    return kind == FM_ACTION_ROLL ? fabs(number) <= 1e12 : isnan(number);
}

static int read_action(parsing *in)
{
    fm_reference_set *set = in->set;
    fm_action action = {.number = NAN};
    char text[40], *end = NULL;
    int kind = 0;
    if (set->instrument_count == 0 || in->words != 5 ||
        !integer(in->word[1], INT64_MIN + 1, INT64_MAX, &action.effective_ns))
        return refuse(in, "an action needs an instrument before it, a time, a kind, a number and a symbol, \"-\" where "
                          "there is none");
    while (fm_action_names[kind] != NULL && !is(in->word[2], fm_action_names[kind]))
        kind++;
    if (fm_action_names[kind] == NULL)
        return refuse(in, "the kind of an action is not known");
    action.kind = (uint8_t)kind;
    if (!is(in->word[3], "-")) {
        if (!fm_slice_copy(in->word[3], text, sizeof(text)))
            return refuse(in, "the number of an action is too long");
        action.number = strtod(text, &end);
    }
    if ((end != NULL && *end != '\0') || !number_is_good(kind, action.number))
        return refuse(in, "the number of an action is missing or out of range");
    if (!name(in->word[4], action.to, sizeof(action.to)) || (kind == FM_ACTION_RENAME) != (action.to[0] != '\0'))
        return refuse(in, "rename, and nothing else, needs the symbol after it");
    fm_instrument *instrument = &set->instrument[set->instrument_count - 1];
    if (instrument->action_count > 0 && action.effective_ns <= set->action[set->action_count - 1].effective_ns)
        return refuse(in, "actions of an instrument are not in the order of time, or two are at one time");
    set->action = grow(set->action, &in->action_capacity, set->action_count + 1, sizeof(*set->action));
    set->action[set->action_count++] = action;
    instrument->action_count++;
    return 0;
}

/* ---- all ---- */

static int read_line(parsing *in)
{
    static const struct {
        const char *word;
        int (*read)(parsing *in);
    } LINES[] = {{"instrument", read_instrument},
                 {"action", read_action},
                 {"calendar", read_calendar},
                 {"offset", read_offset},
                 {"session", read_session},
                 {"holiday", read_holiday},
                 {"half", read_half}};
    for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++)
        if (is(in->word[0], LINES[i].word))
            return LINES[i].read(in);
    return refuse(in, "the first word is not known");
}

static void split(parsing *in, const char *at, const char *end)
{
    in->words = 0;
    while (at < end && in->words < WORDS_MAX) {
        const char *stop = memchr(at, ' ', (size_t)(end - at));
        stop = stop != NULL && in->words < WORDS_MAX - 1 ? stop : end;
        in->word[in->words++] = (fm_slice){at, (size_t)(stop - at)};
        at = stop + 1;
    }
}

/* ---- who is compared with whom ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const fm_sector *)a)->name, ((const fm_sector *)b)->name);
}

static fm_sector *sector_of(const fm_reference_set *set, const char *name)
{
    fm_sector key = {.home = 0};
    memcpy(key.name, name, sizeof(key.name));
    return set->sector_count > 0 ? bsearch(&key, set->sector, set->sector_count, sizeof(key), by_name) : NULL;
}

/* Their names, sorted, each once. */
static void list_sectors(fm_reference_set *set)
{
    uint32_t named = 0;
    set->sector = calloc(set->instrument_count + 1, sizeof(*set->sector));
    FM_ASSERT(set->sector != NULL);
    for (uint32_t i = 0; i < set->instrument_count; i++)
        if (set->instrument[i].sector[0] != '\0')
            memcpy(set->sector[named++].name, set->instrument[i].sector, sizeof(set->sector->name));
    qsort(set->sector, named, sizeof(*set->sector), by_name);
    for (uint32_t i = 0; i < named; i++)
        if (i == 0 || by_name(&set->sector[set->sector_count - 1], &set->sector[i]) != 0)
            set->sector[set->sector_count++] = set->sector[i];
    for (uint32_t i = 0; i < set->sector_count; i++)
        set->sector[i].home = fm_partition_of(fm_slice_of(set->sector[i].name));
}

static void link_sectors(fm_reference_set *set)
{
    list_sectors(set);
    for (uint32_t i = 0; i < set->instrument_count; i++) {
        fm_instrument *instrument = &set->instrument[i];
        fm_sector *sector = instrument->sector[0] != '\0' ? sector_of(set, instrument->sector) : NULL;
        instrument->in_sector = sector;
        if (sector != NULL)
            sector->partitions |= UINT64_C(1) << fm_partition_of(fm_slice_of(instrument->symbol));
    }
}

static void link_markets(fm_reference_set *set)
{
    for (uint32_t i = 0; i < set->instrument_count; i++) {
        const fm_instrument *instrument = &set->instrument[i];
        fm_instrument *market = (fm_instrument *)fm_reference_find(set, instrument->market);
        if (market != NULL)
            market->watched_by |= UINT64_C(1) << fm_partition_of(fm_slice_of(instrument->symbol));
    }
}

static int check_calendars(const parsing *in)
{
    for (uint32_t i = 0; i < in->set->calendar_count; i++)
        if (in->set->calendar[i].offset_count == 0)
            return fm_fail(in->error, FM_ESYNTAX, "reference data: calendar \"%s\" has no offsets",
                           in->set->calendar[i].name);
    return 0;
}

int fm_reference_parse(fm_slice text, fm_reference_set **out, fm_error *error)
{
    parsing in = {.line = 1, .error = error, .set = calloc(1, sizeof(*in.set))};
    FM_ASSERT(in.set != NULL);
    const size_t head = sizeof(FM_REFERENCE_HEAD) - 1;
    int result = 0;
    if (text.size < head || memcmp(text.data, FM_REFERENCE_HEAD, head) != 0)
        result = refuse(&in, "it does not begin with " FM_REFERENCE_HEAD);
    const char *end = text.data + text.size;
    for (const char *at = result >= 0 ? text.data + head : end; at < end; at++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        in.line++;
        if (stop == NULL || stop == at) {
            result = refuse(&in, "a line is empty or torn");
            break;
        }
        split(&in, at, stop);
        result = read_line(&in);
        at = result >= 0 ? stop : end;
    }
    if (result >= 0)
        result = check_calendars(&in);
    if (result < 0) {
        fm_reference_free(in.set);
        return result;
    }
    link_sectors(in.set);
    link_markets(in.set);
    in.set->hash = fm_hash128_of(text.data, text.size);
    *out = in.set;
    return 0;
}

void fm_reference_free(fm_reference_set *set)
{
    if (set == NULL)
        return;
    for (uint32_t i = 0; i < set->calendar_count; i++)
        fm_calendar_fini(&set->calendar[i]);
    free(set->calendar);
    free(set->instrument);
    free(set->action);
    free(set->sector);
    free(set);
}

const fm_instrument *fm_reference_find(const fm_reference_set *set, const char *symbol)
{
    uint32_t low = 0, high = set != NULL ? set->instrument_count : 0;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = strcmp(set->instrument[middle].symbol, symbol);
        if (order == 0)
            return &set->instrument[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
