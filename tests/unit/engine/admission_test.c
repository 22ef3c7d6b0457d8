/* tests/unit/engine/admission_test.c - the short way of admission is the long way: the same verdicts, the same entries, the same knowledge.
 *
 * One admission is asked the long way, each record under a heading of its own. The other one is asked as the shard asks: two senders take turns
 * with requests under headings that they keep, and the long way is asked only when the short one does not say yes. Everything is scarce: domains,
 * sources (whose places are taken again), symbols. From a seed (FMADS_SEED, printed). */
#include "fold_bed.h"

#include "engine/admission_internal.h"

typedef struct side {
    fm_admission admission;
    uint32_t     series_used;
    fm_entries   entries;
} side;

typedef struct scene {
    fm_random           random;
    fm_admission_limits limits;
    side                one, two;
    fm_heading          heading[2]; /* of the two senders to side two */
    uint32_t            quick, verdicts[4];
} scene;

static int64_t any_number(fm_random *random)
{
    uint64_t what = fm_random_below(random, 40);
    return what == 0 ? FM_ABSENT : what == 1 ? FM_MAGNITUDE_MAX - (int64_t)fm_random_below(random, 9) : (int64_t)fm_random_below(random, 100000);
}

static int any_scale(fm_random *random)
{
    static const int scale[] = {2, 2, 2, 2, 2, 2, 1, 0, 3, 5, 9, 11};
    return scale[fm_random_below(random, 12)];
}

/* One of a few symbols, from one byte to the longest. */
static fm_slice any_symbol(fm_random *random, char text[FM_SYMBOL_MAX])
{
    static const uint8_t size[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 48, 63, 64};
    uint64_t which = fm_random_below(random, sizeof(size));
    memset(text, 'A', FM_SYMBOL_MAX);
    text[fm_random_below(random, size[which])] = 'B';
    return (fm_slice){text, size[which]};
}

static fm_slice any_name(fm_random *random, uint32_t kinds)
{
    static const char *const name[] = {"", "XNAS", "a-much-longer-name-than-the-others", "X", "XNYS"};
    return fm_slice_of(name[fm_random_below(random, kinds)]);
}

static fm_record any_record(fm_random *random, char text[FM_SYMBOL_MAX])
{
    static const uint8_t kind[] = {FM_TRADE, FM_TRADE, FM_QUOTE, FM_QUOTE, FM_VALUE, FM_STATUS, FM_BAR, FM_BOOK, FM_ORDER};
    fm_record record = bed_record(kind[fm_random_below(random, 9)], BED_T0 + (int64_t)fm_random_below(random, 1000), "");
    record.symbol = any_symbol(random, text);
    for (int i = 0; i < 4; i++)
        record.number[i] = (fm_decimal_number){any_number(random), any_scale(random)};
    if (record.kind == FM_TRADE && record.number[0].mantissa == FM_ABSENT)
        record.number[0].mantissa = 7;
    if (fm_random_below(random, 30) == 0)
        record.ts_ns += 2 * 86400 * FM_NS_PER_S; /* in the future */
    if (fm_random_below(random, 3) == 0)
        record.seq = fm_random_below(random, 50);
    if (fm_random_below(random, 4) == 0)
        record.row = fm_random_below(random, 3000);
    record.seq_index = fm_random_below(random, 8) == 0;
    if (fm_random_below(random, 8) == 0)
        record.session = FM_SLICE("evening");
    record.value = 3;
    record.phase = FM_PHASE_HALT;
    record.volume = (fm_decimal_number){any_number(random), any_scale(random)};
    record.buy_volume = (fm_decimal_number){any_number(random), any_scale(random)};
    record.interval_ns = 60 * FM_NS_PER_S;
    record.action = FM_ORDER_ADD;
    record.order_id = fm_random_next(random);
    record.book_flags = fm_random_below(random, 2) ? FM_FLAG_MORE : FM_FLAG_SNAPSHOT;
    return record;
}

typedef union message {
    uint64_t align;
    char     bytes[BED_MESSAGE_MAX];
} message;

/* The six numbers of a bar are brought to the two scales of its series, whichever of them needs most. */
static void a_bar_raises_the_scales_and_keeps_its_numbers(void **unused)
{
    (void)unused;
    fm_fold_config config = bed_config();
    bed *b = bed_open(&config);
    bed_log log = {0};
    fm_record bar = bed_record(FM_BAR, BED_T0, "E"), trade = bed_trade(BED_T0 + 2, "E", 15, 1);
    fm_decimal_number prices[] = {{15, 1}, {2, 0}, {1255, 3}, {175, 2}};
    memcpy(bar.number, prices, sizeof(prices));
    bar.volume = (fm_decimal_number){10, 0};
    bar.buy_volume = (fm_decimal_number){25, 1};
    bar.interval_ns = 60 * FM_NS_PER_S;
    bar.trade_count = 7;
    bar.source = FM_SLICE("file");
    bar.row = 3;
    assert_int_equal(bed_admit(b, &log, "live", &bar), 1);
    assert_int_equal(bed_admit(b, &log, "live", &bar), 0); /* the same row */
    assert_int_equal(bed_admit(b, &log, "live", &trade), 1);
    const fm_event *event = bed_event(&log, log.count - 2);
    assert_int_equal(event->kind, FM_BAR);
    assert_int_equal(fm_event_size(event), 2 * sizeof(fm_event) + sizeof(fm_origin));
    assert_true(event->as.bar.open == 1500 && event->as.bar.high == 2000 && event->as.bar.low == 1255 && event->as.bar.close == 1750);
    const fm_bar_rest *rest = fm_event_bar_rest(event);
    assert_true(rest->volume == 100 && rest->buy_volume == 25 && rest->interval_ns == 60 * FM_NS_PER_S && rest->trade_count == 7);
    assert_true(fm_event_origin(event)->row == 3 && fm_event_origin(event)->source == 1);
    assert_int_equal(bed_event(&log, log.count - 1)->as.trade.price, 1500);
    bar.row = 4;
    bar.number[1] = (fm_decimal_number){FM_MAGNITUDE_MAX, 0};
    assert_int_equal(bed_admit(b, &log, "live", &bar), FM_price_too_large);
    bar.number[1] = prices[1];
    bar.volume.mantissa = FM_MAGNITUDE_MAX;
    assert_int_equal(bed_admit(b, &log, "live", &bar), FM_size_too_large);
    bed_log_fini(&log);
    bed_close(b);
}

static void bytes_and_verdicts_agree(scene *s, const fm_record *record, const char *domain, uint32_t sender, bool has_room)
{
    fm_heading fresh = {0};
    message first, second;
    bed_message(record, &first);
    fm_message_record *m = (fm_message_record *)&first, *n = (fm_message_record *)&second;
    m->head.partition = 3; /* all of them */
    m->head.has_room = has_room;
    second = first;
    bed_heading(&s->limits, domain, record, &fresh);
    uint32_t from = s->one.entries.size;
    int verdict = fm_admit(&s->one.admission, &s->limits, &s->one.series_used, &fresh, m, &s->one.entries);
    bool quick = fm_admit_known(&s->two.admission, &s->heading[sender], n, &s->two.entries);
    int other = quick ? 1 : fm_admit(&s->two.admission, &s->limits, &s->two.series_used, &s->heading[sender], n, &s->two.entries);
    assert_int_equal(verdict, other);
    assert_int_equal(s->one.entries.size, s->two.entries.size);
    assert_memory_equal(s->one.entries.bytes + from, s->two.entries.bytes + from, s->one.entries.size - from);
    assert_int_equal(s->one.admission.next_sequence, s->two.admission.next_sequence);
    assert_int_equal(s->one.series_used, s->two.series_used);
    s->quick += quick;
    s->verdicts[verdict > 0 ? 0 : verdict == 0 ? 1 : verdict == FM_ENOSPC ? 2 : 3]++;
}

static void a_request(scene *s)
{
    char text[FM_SYMBOL_MAX];
    uint32_t sender = (uint32_t)fm_random_below(&s->random, 2), count = 1 + (uint32_t)fm_random_below(&s->random, 20);
    static const char *const domains[] = {"live", "live", "a", "b", "c", "d", "one-too-many"};
    const char *domain = domains[fm_random_below(&s->random, fm_random_below(&s->random, 20) == 0 ? 7 : 3)];
    fm_slice venue = any_name(&s->random, 5), channel = any_name(&s->random, 2), source = {"", 0};
    char source_name[8];
    for (uint32_t i = 0; i < count; i++) {
        fm_record record = any_record(&s->random, text);
        if (i == 0 || fm_random_below(&s->random, 10) == 0) { /* the names change within the request */
            venue = any_name(&s->random, 5);
            channel = any_name(&s->random, 2);
            snprintf(source_name, sizeof(source_name), "f%d", (int)fm_random_below(&s->random, 4));
            source = fm_slice_of(fm_random_below(&s->random, 3) == 0 ? source_name : "");
        }
        record.venue = venue;
        record.channel = channel;
        record.source = source;
        bed_heading(&s->limits, domain, &record, &s->heading[sender]); /* what is told again changes nothing */
        bytes_and_verdicts_agree(s, &record, domain, sender, fm_random_below(&s->random, 4) > 0);
    }
}

static void the_short_way_is_the_long_way(void **unused)
{
    (void)unused;
    enum { ROUNDS = 30, REQUESTS = 300 };
    static scene s;
    const char *seed = getenv("FMADS_SEED");
    uint64_t from = seed != NULL ? strtoull(seed, NULL, 10) : 20140502;
    uint32_t capacity = REQUESTS * 20 * FM_ADMIT_BYTES_MAX;
    printf("FMADS_SEED=%llu\n", (unsigned long long)from);
    char *bytes[2] = {malloc(capacity), malloc(capacity)};
    assert_true(bytes[0] != NULL && bytes[1] != NULL);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t quick = s.quick, verdicts[4];
        memcpy(verdicts, s.verdicts, sizeof(verdicts));
        memset(&s, 0, sizeof(s));
        fm_random_seed(&s.random, from + (uint64_t)round);
        s.limits = (fm_admission_limits){.series_max = 60, .domains_max = 5, .sources_max = 2, .source_window = FM_ROW_PAGE_BITS,
                                         .sequence_window = 16, .scale_max = FM_SCALE_MAX, .register_unknown = round % 5 != 4};
        s.one.entries.bytes = bytes[0];
        s.two.entries.bytes = bytes[1];
        fm_admission_init(&s.one.admission);
        fm_admission_init(&s.two.admission);
        for (int request = 0; request < REQUESTS; request++) {
            if (request == 20)
                s.limits.register_unknown = true;
            a_request(&s);
        }
        fm_admission_fini(&s.one.admission);
        fm_admission_fini(&s.two.admission);
        s.quick += quick;
        for (int i = 0; i < 4; i++)
            s.verdicts[i] += verdicts[i];
    }
    printf("%u quickly; %u accepted, %u duplicates, %u without room, %u refused\n", s.quick, s.verdicts[0], s.verdicts[1], s.verdicts[2], s.verdicts[3]);
    assert_true(s.quick > 1000 && s.verdicts[0] > s.quick && s.verdicts[1] > 1000 && s.verdicts[2] > 1000 && s.verdicts[3] > 1000);
    free(bytes[0]);
    free(bytes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_raises_the_scales_and_keeps_its_numbers),
        cmocka_unit_test(the_short_way_is_the_long_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
