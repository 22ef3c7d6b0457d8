/* tests/bench/book_bench.c - the time of one event in the order book (engine/book.h).
 * links: ingest engine
 *
 *   book [REPETITIONS] [FILE]
 * prints a JSON line for each: {"name":"book.orders.touch","ns":median,"ns_min":…,"ns_max":…}. FILE is of a format that
 * has orders or levels; preset: the CME's ES in $FMADS_TESTDATA, left out when it is not there. Events in memory, one
 * thread. */
#include "base/assert.h"
#include "base/clock.h"
#include "base/random.h"
#include "engine/book.h"
#include "ingest/file_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct events {
    fm_event *event;
    uint32_t count, capacity;
} events;

static void keep(events *out, const fm_event *event)
{
    if (out->count == out->capacity) {
        out->capacity = out->capacity == 0 ? 4096 : 2 * out->capacity;
        out->event = realloc(out->event, out->capacity * sizeof(*out->event));
        FM_ASSERT(out->event != NULL);
    }
    out->event[out->count++] = *event;
}

static fm_event order(fm_order_action action, uint64_t id, fm_side side, int64_t price, int64_t size)
{
    fm_event event = {.kind = FM_ORDER, .side = (uint8_t)side, .seq = FM_SEQ_ABSENT};
    event.as.order = (fm_order){.price = price, .size = size, .order_id = id, .action = (uint8_t)action};
    return event;
}

/* A tick up or down in one event of a hundred. */
static int64_t walk(fm_random *random)
{
    uint64_t dice = fm_random_below(random, 200);
    return dice == 0 ? -1 : dice == 1 ? 1 : 0;
}

/* As many adds as cancels, three quarters of them within three ticks of the touch, a modify in five. */
static events touch_events(uint32_t count)
{
    enum { RESTING = 4096 };
    static struct {
        uint64_t id;
        int64_t price;
        fm_side side;
    } resting[RESTING];
    events out = {0};
    fm_random random;
    fm_random_seed(&random, 7);
    int64_t mid = 480000;
    for (uint32_t i = 0; i < count; i++) {
        mid += walk(&random);
        uint32_t at = (uint32_t)fm_random_below(&random, RESTING);
        int64_t away = 1 + (int64_t)fm_random_below(&random, fm_random_below(&random, 4) > 0 ? 3 : 300);
        fm_side side = fm_random_below(&random, 2) == 0 ? FM_BUY : FM_SELL;
        if (resting[at].id != 0 && fm_random_below(&random, 5) == 0) {
            fm_event event =
                order(FM_ORDER_MODIFY, resting[at].id, resting[at].side, resting[at].price, 1 + (int64_t)(i % 9));
            keep(&out, &event);
            continue;
        }
        if (resting[at].id != 0) {
            fm_event event = order(FM_ORDER_CANCEL, resting[at].id, resting[at].side, FM_ABSENT, FM_ABSENT);
            keep(&out, &event);
        }
        resting[at].id = i + 1;
        resting[at].side = side;
        resting[at].price = side == FM_BUY ? mid - away : mid + away;
        fm_event event = order(FM_ORDER_ADD, i + 1, side, resting[at].price, 1 + (int64_t)(i % 9));
        keep(&out, &event);
    }
    return out;
}

/* Levels set and taken away near the touch, as of a feed of 100 ms. */
static events level_events(uint32_t count)
{
    events out = {0};
    fm_random random;
    fm_random_seed(&random, 7);
    int64_t mid = 480000;
    for (uint32_t i = 0; i < count; i++) {
        mid += walk(&random);
        int64_t away = 1 + (int64_t)fm_random_below(&random, fm_random_below(&random, 4) > 0 ? 5 : 200);
        fm_side side = i % 2 == 0 ? FM_BUY : FM_SELL;
        fm_event event = {.kind = FM_BOOK, .side = (uint8_t)side, .seq = FM_SEQ_ABSENT};
        event.as.book = (fm_book){.price = side == FM_BUY ? mid - away : mid + away,
                                  .size = (int64_t)fm_random_below(&random, 20),
                                  .action = FM_BOOK_SET};
        keep(&out, &event);
    }
    return out;
}

static int64_t scaled(fm_decimal_number number, int scale)
{
    if (number.mantissa == FM_ABSENT)
        return FM_ABSENT;
    for (; number.scale < scale; number.scale++)
        number.mantissa *= 10;
    return number.mantissa;
}

/* What the file tells of a book, by whether it is of a snapshot. */
static bool file_events(const char *path, events *snapshot, events *live)
{
    fm_file_reader *reader = NULL;
    fm_error error;
    fm_record record;
    int result = fm_file_reader_open(path, NULL, NULL, NULL, &reader, &error);
    if (result < 0)
        return false;
    while ((result = fm_file_reader_next(reader, &record, &error)) != 0) {
        if (result < 0 || (record.kind != FM_BOOK && record.kind != FM_ORDER))
            continue;
        fm_event event = order(record.action, record.order_id, record.side, scaled(record.number[0], 4),
                               scaled(record.number[1], 4));
        if (record.kind == FM_BOOK)
            event.as.book = (fm_book){
                .price = scaled(record.number[0], 4), .size = scaled(record.number[1], 4), .action = record.action};
        event.kind = record.kind;
        event.ts_ns = record.ts_ns;
        event.flags = record.book_flags;
        keep(record.book_flags & FM_FLAG_SNAPSHOT ? snapshot : live, &event);
    }
    fm_file_reader_close(reader);
    return true;
}

static void apply(fm_order_book *book, const events *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        fm_book_apply(book, &list->event[i]);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

typedef enum measure { SNAPSHOT, LIVE, SAVE, LOAD, MEASURES } measure;

static double timed(measure what, const events *snapshot, const events *live)
{
    fm_order_book book, other;
    const fm_book_limits limits = {.levels_max = 4096, .orders_max = 65536};
    fm_book_init(&book, &limits);
    fm_book_init(&other, &limits);
    int64_t times[MEASURES + 1];
    times[0] = fm_thread_cpu_ns();
    apply(&book, snapshot);
    times[1] = fm_thread_cpu_ns();
    apply(&book, live);
    times[2] = fm_thread_cpu_ns();
    size_t size = fm_book_save_size(&book);
    char *bytes = malloc(size);
    FM_ASSERT(bytes != NULL);
    fm_book_save(&book, bytes);
    times[3] = fm_thread_cpu_ns();
    FM_ASSERT(fm_book_load(&other, bytes, size) == 0);
    times[4] = fm_thread_cpu_ns();
    free(bytes);
    uint32_t count = what == SNAPSHOT ? snapshot->count : what == LIVE ? live->count : book.order_count;
    double ns = count > 0 ? (double)(times[what + 1] - times[what]) / count : 0;
    fm_book_fini(&book);
    fm_book_fini(&other);
    return ns;
}

static void report(const char *name, measure what, const events *snapshot, const events *live, int repetitions)
{
    double *ns = malloc((size_t)repetitions * sizeof(*ns));
    FM_ASSERT(ns != NULL);
    for (int i = 0; i < repetitions; i++)
        ns[i] = timed(what, snapshot, live);
    qsort(ns, (size_t)repetitions, sizeof(*ns), by_size);
    printf("{\"name\":\"book.%s\",\"ns\":%.1f,\"ns_min\":%.1f,\"ns_max\":%.1f}\n", name, ns[repetitions / 2], ns[0],
           ns[repetitions - 1]);
    free(ns);
}

int main(int argc, char **argv)
{
    int repetitions = argc > 1 ? atoi(argv[1]) : 15;
    const char *data = getenv("FMADS_TESTDATA");
    char path[700];
    if (repetitions < 1)
        repetitions = 1;
    snprintf(path, sizeof path, "%s/market/book/ESH4_cme_mbo_2023-12-25_first.csv.gz", data ? data : "../shared/data");
    events none = {0}, touch = touch_events(300000), levels = level_events(300000), snapshot = {0}, live = {0};
    report("orders.touch", LIVE, &none, &touch, repetitions);
    report("levels.touch", LIVE, &none, &levels, repetitions);
    if (file_events(argc > 2 ? argv[2] : path, &snapshot, &live)) {
        report("file.snapshot", SNAPSHOT, &snapshot, &live, repetitions);
        report("file.live", LIVE, &snapshot, &live, repetitions);
        report("file.save_order", SAVE, &snapshot, &live, repetitions);
        report("file.load_order", LOAD, &snapshot, &live, repetitions);
    }
    free(touch.event);
    free(levels.event);
    free(snapshot.event);
    free(live.event);
    return 0;
}
