/* tests/replay/memory_test.c - a tick allocates nothing, and an instrument takes less than 8 KiB: with the ten rules of the bench, over a
 * million ticks, from the request to the alert.
 * timeout: 300
 *
 * malloc and its like are counted in this program, on the shard's thread, while ticks are processed. Under a sanitizer, which has its own,
 * the ticks run all the same and nothing is counted. */
#include "replay/lab.h"

#include "engine/shard_internal.h"

#include <errno.h>
#include <malloc.h>

lab *lab_running;

static _Thread_local volatile bool counting; /* volatile: the compiler believes that malloc looks at nothing of ours */
static _Thread_local volatile uint64_t allocations;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTED 1
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    allocations += counting;
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size)
{
    allocations += counting;
    return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size)
{
    allocations += counting;
    return __libc_realloc(memory, size);
}
void *memalign(size_t alignment, size_t size)
{
    allocations += counting;
    return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size)
{
    allocations += counting;
    return __libc_memalign(alignment, size);
}
int posix_memalign(void **out, size_t alignment, size_t size)
{
    allocations += counting;
    *out = __libc_memalign(alignment, size);
    return *out == NULL ? ENOMEM : 0;
}
#else
#define COUNTED 0
#endif

enum { INSTRUMENTS = 200, REQUEST = 500, WARM_UP = 400000, TICKS = 1000000, VENUES = 3 };

static uint64_t alerts;

static void count_alert(void *self, uint32_t shard, const fm_alert *alert)
{
    (void)alert;
    alerts++;
    atomic_fetch_add(&((lab *)self)->taken[shard], 1);
}

static char symbol[INSTRUMENTS][16];
static int64_t price[INSTRUMENTS];

/* Trades and quotes of 200 instruments, some much busier; every 10,000th record is a jump that alerts. Every instrument is there at once. */
static void next_record(fm_record *record, fm_random *random, uint64_t i)
{
    static const char *const venue[VENUES] = {"XNAS", "ARCX", "BATS"};
    uint32_t s = i < INSTRUMENTS * 4 ? (uint32_t)(i % INSTRUMENTS) : (uint32_t)(fm_random_below(random, INSTRUMENTS) * fm_random_below(random, INSTRUMENTS) / INSTRUMENTS);
    int64_t ts = INT64_C(1399033800) * FM_NS_PER_S + (int64_t)i * 200 * FM_NS_PER_US;
    *record = lab_record(i % 3 ? FM_QUOTE : FM_TRADE, ts, symbol[s]);
    record->venue = fm_slice_of(venue[fm_random_below(random, VENUES)]);
    record->source = FM_SLICE("file");
    record->row = i;
    record->seq = i;
    price[s] += (int64_t)fm_random_below(random, 21) - 10;
    int64_t at = price[s];
    if (i % 10002 == 0) {
        record->kind = FM_TRADE;
        at += at * 3 / 100;
    }
    if (record->kind == FM_TRADE) {
        record->number[0] = (fm_decimal_number){at, 4};
        record->number[1] = (fm_decimal_number){100 + (int64_t)fm_random_below(random, 900), 0};
        record->side = FM_BUY;
        return;
    }
    record->number[0] = (fm_decimal_number){at - 50, 4};
    record->number[1] = (fm_decimal_number){200, 0};
    record->number[2] = (fm_decimal_number){at + 50, 4};
    record->number[3] = (fm_decimal_number){300, 0};
}

static void send(lab *l, fm_random *random, uint64_t from, uint64_t to)
{
    static fm_record record[REQUEST];
    for (uint64_t i = from; i < to; i += REQUEST) {
        for (uint64_t k = 0; k < REQUEST; k++)
            next_record(&record[k], random, i + k);
        lab_send(l, "run", record, REQUEST);
    }
}

/* Wall time stands still: the list of rules for GET /v1/rules, renewed once a second, is not the work of a tick. */
static int64_t no_time(void *context)
{
    (void)context;
    return INT64_C(1399040000) * FM_NS_PER_S;
}

static void begin(lab *l, char *directory, size_t size)
{
    for (int i = 0; i < INSTRUMENTS; i++) {
        snprintf(symbol[i], sizeof(symbol[i]), "SYM%03d", i);
        price[i] = 1000000 + i * 1000;
    }
    alerts = 0;
    lab_folder(directory, size);
    lab_options options = {.shards = 1, .batch = 1024, .rules = FMADS_SOURCE_DIR "/tests/bench/rules", .sync = FM_SYNC_INTERVAL,
                           .segment_bytes = 256u << 20 /* all of it: the next one is the syncer's work */, .emit = count_alert,
                           .clock = {no_time, fm_clock_system.mono_ns, NULL}};
    lab_open(l, directory, &options);
}

static void end(lab *l, const char *directory)
{
    lab_close(l, false);
    lab_free_bodies(l);
    lab_remove(directory);
}

static void a_tick_allocates_nothing(void **unused)
{
    (void)unused;
    lab l;
    char directory[256];
    fm_random random;
    begin(&l, directory, sizeof(directory));
    fm_random_seed(&random, 4);
    send(&l, &random, 0, WARM_UP);
    uint64_t before = alerts;
    counting = true;
    send(&l, &random, WARM_UP, WARM_UP + TICKS);
    counting = false;
    printf("%llu allocations in %d ticks with %llu alerts%s\n", (unsigned long long)allocations, TICKS, (unsigned long long)(alerts - before),
           COUNTED ? "" : " (not counted under a sanitizer)");
    assert_int_equal(l.accepted, WARM_UP + TICKS);
    assert_true(alerts - before >= 50);
    assert_int_equal(allocations, 0);
    if (COUNTED) { /* the counter counts */
        void *volatile memory;
        counting = true;
        memory = malloc(1);
        counting = false;
        free(memory);
        assert_int_equal(allocations, 1);
    }
    end(&l, directory);
}

static void an_instrument_takes_less_than_8_kib(void **unused)
{
    (void)unused;
    lab l;
    char directory[256];
    fm_random random;
    begin(&l, directory, sizeof(directory));
    fm_random_seed(&random, 5);
    send(&l, &random, 0, 20000);
    const fm_shard *shard = fm_engine_shard(l.engine, 0);
    size_t blocks = 0, prices = 0, series = 0, symbols = 0, tables = 0;
    const fm_plan *plan = NULL;
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        const fm_partition *partition = &shard->partition[p];
        plan = partition->plan;
        for (uint32_t s = 0; s < partition->series_count; s++) {
            blocks += (partition->series[s]->layout->block_size + 63) / 64 * 64;
            prices += partition->series[s]->top_capacity * sizeof(fm_top);
            series += malloc_usable_size(partition->series[s]) + 16;
        }
        symbols += partition->admission.symbol_count;
        tables += partition->admission.symbol_capacity * sizeof(fm_symbol_entry) + partition->admission.symbol_table_size * sizeof(uint32_t) +
                  partition->series_capacity * sizeof(fm_series *);
    }
    assert_int_equal(symbols, INSTRUMENTS);
    assert_int_equal(blocks, plan->blocks.taken); /* nothing else is in the pool */
    size_t each = (blocks + prices + series + tables) / INSTRUMENTS;
    printf("an instrument takes %zu bytes: %zu of kernels and rules, %zu of venues' prices, %zu itself, %zu of tables\n", each, blocks / INSTRUMENTS,
           prices / INSTRUMENTS, series / INSTRUMENTS, tables / INSTRUMENTS);
    assert_true(each <= 8192);
    end(&l, directory);
}

int main(void)
{
    fm_log_set_level(FM_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tick_allocates_nothing),
        cmocka_unit_test(an_instrument_takes_less_than_8_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
