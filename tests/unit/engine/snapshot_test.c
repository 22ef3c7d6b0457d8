/* tests/unit/engine/snapshot_test.c - state to bytes and back: what comes back is the same, goes on the same, and damaged bytes are refused.
 *
 * A snapshot is checked against its CRC before it is read; these bytes are damaged behind the CRC, as a program with a bug would write them. */
#include "fold_bed.h"

static int counts(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    double n = ++call->slots[k][0];
    if (n == 20 && call->event[k]->series == 1)
        return FM_ERULE;
    if (bed_is_timer(call, k) || (int)n % 10 == 0)
        return bed_emit(call, k, n, "k");
    return bed_timer(call, k, 3 * FM_NS_PER_S);
}

static int holds(bed *b, fm_rule_call *call, uint32_t k)
{
    (void)b;
    call->hit[k] = call->matrix[(size_t)call->row[k] * call->stride + call->column[0]] > 0;
    return 0;
}

static fm_rule_set *make_rules(void)
{
    fm_rule_set *set = bed_set(2);
    fm_rule *count = bed_rule(set, 0, "t/counts"), *hold = bed_rule(set, 1, "t/holds");
    count->has_on_event = count->has_on_timer = true;
    bed_slot(count, "n", 0);
    hold->has_when = true;
    hold->for_ns = FM_NS_PER_S;
    bed_need(hold, FM_KERNEL_FEATURE, "log_return", "move", "window", 1);
    bed_need(hold, FM_KERNEL_DETECTOR, "robust_z", "far", NULL, 0);
    return set;
}

static bed *make_bed(fm_rule_set *set)
{
    fm_fold_config config = bed_config();
    bed *b = bed_open(&config);
    if (set->hash.low == 0)
        bed_know(b, set);
    else
        b->set[b->set_count++] = set;
    b->body[0] = counts;
    b->body[1] = holds;
    return b;
}

static const char *const symbols[] = {"A", "B", "C", "D", "E", "F"};

static void records(bed *b, bed_log *log, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        int64_t ts = BED_T0 + (int64_t)i * 300 * FM_NS_PER_MS;
        fm_record record = bed_trade(ts, symbols[i % 6], 1000 + i * 7 % 13, 2);
        if (i % 3 == 0) {
            record = bed_record(FM_QUOTE, ts, symbols[i % 6]);
            for (int n = 0; n < 4; n++)
                record.number[n] = (fm_decimal_number){1000 + n, 2};
        }
        if (i % 7 == 0 || i % 11 == 0) { /* a book of levels at one venue, of orders at the other */
            record = bed_record(i % 2 ? FM_BOOK : FM_ORDER, ts, symbols[i % 6]);
            record.side = (uint8_t)(FM_BUY + i % 3 % 2);
            record.number[0] = (fm_decimal_number){1000 + (record.side == FM_BUY ? -1 : 1) * (int64_t)(i % 5), 2};
            record.number[1] = (fm_decimal_number){1 + i % 9, 0};
            record.action = 1;
            record.order_id = i;
            record.book_flags = i % 4 == 0 ? FM_FLAG_MORE : 0;
        } else if (i % 13 == 0) {
            record = bed_record(FM_BAR, ts, symbols[i % 6]);
            for (int n = 0; n < 4; n++)
                record.number[n] = (fm_decimal_number){1000, 2};
            record.interval_ns = FM_NS_PER_S;
            record.volume = record.buy_volume = (fm_decimal_number){5, 0};
        }
        record.venue = i % 2 ? FM_SLICE("XAAA") : FM_SLICE("XBBB");
        if (i % 4 == 0) {
            record.source = i % 8 ? FM_SLICE("one") : FM_SLICE("two");
            record.row = 5000 * (uint64_t)i;
            record.seq = i;
        }
        assert_int_equal(bed_admit(b, log, i % 5 ? "run" : "live", &record), 1);
    }
}

static void copy_through_bytes(const bed *from, bed *to)
{
    for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++) {
        fm_text bytes = {0};
        fm_error error = {0};
        fm_snapshot_put(&from->partition[p], &bytes);
        if (fm_snapshot_get(to->fold, &to->partition[p], bytes.data, bytes.size, &error) < 0)
            fail_msg("partition %u: %s", p, error.message);
        fm_text_fini(&bytes);
    }
}

static void what_comes_back_goes_on_as_if_nothing_had_been(void **unused)
{
    (void)unused;
    fm_rule_set *set = make_rules();
    for (uint32_t cut = 1; cut < 600; cut += 97) {
        bed_log log = {0};
        bed *b = make_bed(set), *copy = make_bed(set);
        bed_use(b, &log, set);
        records(b, &log, 0, cut);
        bed_fold(b, &log);
        uint32_t entries = log.count, before = b->alert_count;
        copy_through_bytes(b, copy);
        bed_same_state(b, copy);
        records(b, &log, cut, 1200);
        bed_fold(b, &log);
        bed_replay(copy, &log, entries, log.count, NULL);
        bed_same_state(b, copy);
        assert_true(b->alert_count > before + 5);
        assert_int_equal(copy->alert_count, b->alert_count - before);
        for (uint32_t p = 0; p < FM_PARTITION_COUNT; p++)
            assert_int_equal(b->partition[p].admission.next_sequence, copy->partition[p].admission.next_sequence);
        fm_record again = bed_trade(BED_T0, "E", 1, 0);
        again.source = FM_SLICE("one");
        again.row = 5000 * 4; /* sent before the cut or after it, or forgotten with its page: alike */
        int verdict = bed_admit(b, &log, "run", &again);
        bed_log other = {0};
        assert_int_equal(bed_admit(copy, &other, "run", &again), verdict);
        bed_log_fini(&other);
        bed_log_fini(&log);
        bed_close(b);
        bed_close(copy);
    }
    free(set);
}

/* No bytes make it crash, read beyond them, or work for long; what it refuses leaves a partition that can be released. */
static int try_bytes(bed *b, uint32_t p, const char *bytes, size_t size)
{
    char *exact = malloc(size > 0 ? size : 1); /* so that the sanitizer sees one byte too many */
    fm_error error = {0};
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    fm_fold_release(b->fold, &b->partition[p]);
    fm_fold_adopt(b->fold, &b->partition[p], p);
    int result = fm_snapshot_get(b->fold, &b->partition[p], exact, size, &error);
    free(exact);
    if (result < 0)
        assert_true(error.code == result && error.message[0] != 0);
    return result;
}

static uint32_t busiest(const bed *b)
{
    uint32_t best = 0;
    for (uint32_t p = 1; p < FM_PARTITION_COUNT; p++)
        if (b->partition[p].applied > b->partition[best].applied)
            best = p;
    return best;
}

static void full_state(fm_rule_set *set, bed_log *log, fm_text *bytes, uint32_t *partition)
{
    bed *b = make_bed(set);
    bed_use(b, log, set);
    records(b, log, 0, 400);
    bed_fold(b, log);
    fm_kill_mark mark = {.at_sequence = 3, .rule = "t/other", .hash = "0123", .reason = "x.lua:1: too long"};
    *partition = busiest(b);
    fm_partition_add_kill(&b->partition[*partition], &mark);
    fm_snapshot_put(&b->partition[*partition], bytes);
    bed_close(b);
}

static void every_prefix_is_refused(void **unused)
{
    (void)unused;
    fm_rule_set *set = make_rules();
    bed_log log = {0};
    fm_text bytes = {0};
    uint32_t p;
    full_state(set, &log, &bytes, &p);
    bed *b = make_bed(set);
    assert_int_equal(try_bytes(b, p, bytes.data, bytes.size), 0);
    for (size_t size = 0; size < bytes.size; size += size < 6000 ? 1 : 7)
        assert_true(try_bytes(b, p, bytes.data, size) == FM_ECORRUPT);
    bed_close(b);
    fm_text_fini(&bytes);
    bed_log_fini(&log);
    free(set);
}

static uint64_t seed_of_run(void)
{
    const char *text = getenv("FMADS_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 1;
}

static void flipped_bits_are_survived(void **unused)
{
    (void)unused;
    fm_rule_set *set = make_rules();
    bed_log log = {0};
    fm_text bytes = {0};
    uint32_t p, refused = 0;
    full_state(set, &log, &bytes, &p);
    bed *b = make_bed(set);
    printf("seed %llu (FMADS_SEED), %zu bytes\n", (unsigned long long)seed_of_run(), bytes.size);
    fm_random random;
    fm_random_seed(&random, seed_of_run());
    char *damaged = malloc(bytes.size);
    for (int round = 0; round < 6000; round++) {
        memcpy(damaged, bytes.data, bytes.size);
        uint64_t flips = 1 + fm_random_below(&random, 3);
        for (uint64_t i = 0; i < flips; i++) {
            size_t at = fm_random_below(&random, 2) ? fm_random_below(&random, bytes.size) : fm_random_below(&random, 2000);
            uint64_t how = fm_random_below(&random, 3);
            damaged[at] = (char)(how == 0 ? damaged[at] ^ (1 << fm_random_below(&random, 8)) : how == 1 ? -1 : 127);
        }
        int result = try_bytes(b, p, damaged, bytes.size);
        refused += result < 0;
        if (result < 0)
            continue;
        fm_text again = {0}; /* what it takes can be used */
        fm_snapshot_put(&b->partition[p], &again);
        fm_text_fini(&again);
    }
    assert_true(refused > 100);
    free(damaged);
    bed_close(b);
    fm_text_fini(&bytes);
    bed_log_fini(&log);
    free(set);
}

/* Every 32-bit word as the largest count there is. */
static void absurd_counts_are_refused_at_once(void **unused)
{
    (void)unused;
    fm_rule_set *set = make_rules();
    bed_log log = {0};
    fm_text bytes = {0};
    uint32_t p;
    full_state(set, &log, &bytes, &p);
    bed *b = make_bed(set);
    char *damaged = malloc(bytes.size);
    static const uint32_t absurd[] = {UINT32_MAX, UINT32_MAX / 2, 1u << 20};
    for (size_t at = 0; at + 4 <= bytes.size && at < 9000; at++) {
        memcpy(damaged, bytes.data, bytes.size);
        memcpy(damaged + at, &absurd[at % 3], 4);
        (void)try_bytes(b, p, damaged, bytes.size);
    }
    free(damaged);
    bed_close(b);
    fm_text_fini(&bytes);
    bed_log_fini(&log);
    free(set);
}

static void a_lost_generation_and_another_layout_are_told_apart_from_damage(void **unused)
{
    (void)unused;
    fm_rule_set *set = make_rules();
    bed_log log = {0};
    fm_text bytes = {0};
    uint32_t p;
    full_state(set, &log, &bytes, &p);
    bed *b = make_bed(set);
    b->set_count = 0;
    assert_int_equal(try_bytes(b, p, bytes.data, bytes.size), FM_ENOTFOUND);
    b->set[b->set_count++] = set;
    fm_snapshot_head head;
    memcpy(&head, bytes.data, sizeof(head));
    head.signature.low++;
    memcpy(bytes.data, &head, sizeof(head));
    assert_int_equal(try_bytes(b, p, bytes.data, bytes.size), FM_EVERSION);
    head.layout++;
    memcpy(bytes.data, &head, sizeof(head));
    assert_int_equal(try_bytes(b, p, bytes.data, bytes.size), FM_EVERSION);
    head.layout--;
    head.signature.low--;
    head.partition = (p + 1) % FM_PARTITION_COUNT;
    memcpy(bytes.data, &head, sizeof(head));
    assert_int_equal(try_bytes(b, p, bytes.data, bytes.size), FM_ECORRUPT);
    bed_close(b);
    fm_text_fini(&bytes);
    bed_log_fini(&log);
    free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_back_goes_on_as_if_nothing_had_been),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(flipped_bits_are_survived),
        cmocka_unit_test(absurd_counts_are_refused_at_once),
        cmocka_unit_test(a_lost_generation_and_another_layout_are_told_apart_from_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
