/* tests/unit/kernels/kinds.h - series of known kinds for detectors: how often their p is small, how fast they see a
 * planted change.
 *
 * One event a second. NORMAL: independent. HEAVY: Student's t with 3 degrees of freedom, a normal over the root of a
 * third of a chi-square. TIED: each value is 0.9 of the one before plus noise. BURSTY: normal, with a sigma that is 4
 * in bursts (one event in 200 begins one, one in 50 ends it), else 1. Two more, of which most values are one, are asked
 * for by themselves: STEPS, a normal of 0.6 ticks to whole ticks, and HALVES, normal or, as often, 0. */
#ifndef FM_TESTS_UNIT_KERNELS_KINDS_H
#define FM_TESTS_UNIT_KERNELS_KINDS_H

#include "series.h"

typedef enum test_kind { NORMAL, HEAVY, TIED, BURSTY, KINDS, STEPS = KINDS, HALVES } test_kind;
static const char *const KIND_NAME[] = {"normal", "heavy", "tied", "bursty", "stepping", "half zero"};

typedef struct test_source {
    fm_random random;
    test_kind kind;
    double last;
    bool burst;
} test_source;

static inline test_source source_of(test_kind kind, uint64_t seed)
{
    test_source made = {.kind = kind};
    fm_random_seed(&made.random, seed);
    return made;
}

static inline double source_next(test_source *source)
{
    fm_random *random = &source->random;
    double noise = fm_random_normal(random), squares = 0.0;
    switch (source->kind) {
    case HEAVY:
        for (int i = 0; i < 3; i++) {
            double z = fm_random_normal(random);
            squares += z * z;
        }
        return noise / sqrt(squares / 3.0);
    case TIED:
        return source->last = 0.9 * source->last + noise;
    case BURSTY:
        source->burst = source->burst ? fm_random_below(random, 50) != 0 : fm_random_below(random, 200) == 0;
        return source->burst ? 4.0 * noise : noise;
    case STEPS:
        return floor(0.6 * noise + 0.5);
    case HALVES:
        return fm_random_below(random, 2) == 0 ? 0.0 : noise;
    default:
        return noise;
    }
}

typedef struct test_subject { /* a detector at work */
    const fm_kernel *kernel;
    test_state state;
    int64_t ts_ns;
    double out[FM_KERNEL_OUTPUTS_MAX];
} test_subject;

/* Parameters by name after the presets: {"half_life", 100}, …, {NULL}. */
typedef struct setting {
    const char *name;
    double value;
} setting;

static inline void subject_start(test_subject *subject, const char *name, const setting *settings)
{
    double params[FM_KERNEL_PARAMS_MAX];
    subject->kernel = fm_kernel_find(FM_KERNEL_DETECTOR, name);
    assert_non_null(subject->kernel);
    params_of(subject->kernel, 0, params);
    for (; settings != NULL && settings->name != NULL; settings++) {
        int index = fm_kernel_field_index(subject->kernel->params, settings->name);
        assert_true(index >= 0);
        params[index] = settings->value;
    }
    test_state_make(&subject->state, subject->kernel->state_size(params));
    assert_int_equal(subject->kernel->init(subject->state.bytes, params), 0);
    subject->ts_ns = 1399032000 * FM_NS_PER_S;
}

static inline void subject_step(test_subject *subject, const double in[FM_KERNEL_INPUTS_MAX])
{
    test_row row = {.ts_ns = subject->ts_ns};
    memcpy(row.in, in, sizeof(row.in));
    run(subject->kernel, &subject->state, &row, subject->out);
    subject->ts_ns += FM_NS_PER_S;
}

static inline void subject_step_one(test_subject *subject, double x)
{
    subject_step(subject, (const double[FM_KERNEL_INPUTS_MAX]){x});
}

static inline double subject_output(const test_subject *subject, const char *name)
{
    int index = fm_kernel_field_index(subject->kernel->outputs, name);
    assert_true(index >= 0);
    return subject->out[index];
}

/* Share of `count` events of that kind, after a tenth of them, whose p is at most `level`. */
static inline double share_below(const char *name, const setting *settings, test_kind kind, int count, double level)
{
    test_subject subject = {0};
    subject_start(&subject, name, settings);
    test_source x = source_of(kind, 71 + kind);
    int judged = 0, below = 0;
    for (int i = 0; i < count; i++) {
        subject_step_one(&subject, source_next(&x));
        if (i < count / 10 || isnan(subject.out[1]))
            continue;
        judged++;
        below += subject.out[1] <= level;
    }
    test_state_free(&subject.state);
    assert_true(judged > count / 2);
    return (double)below / judged;
}

/* The share of p <= 0.01 over 40,000 events is at most `most` on every kind. */
static inline void check_calibrated(const char *name, const setting *settings, const double most[KINDS])
{
    for (test_kind kind = NORMAL; kind < KINDS; kind++) {
        double share = share_below(name, settings, kind, 40000, 0.01);
        if (share > most[kind])
            fail_msg("%s: p <= 0.01 in %.4f of a %s series, %.4f is the most", name, share, KIND_NAME[kind],
                     most[kind]);
    }
}

/* On series in ticks: p <= level at most as often as that and a quarter (what as few values scatter by), and an answer
 * at nearly each event. */
static inline void check_calibrated_in_steps(const char *name, const setting *settings)
{
    static const double LEVEL[] = {0.1, 0.01, 0.001}, MOST[] = {0.11, 0.0125, 0.0016};
    for (test_kind kind = STEPS; kind <= HALVES; kind++)
        for (int i = 0; i < 3; i++) {
            double share = share_below(name, settings, kind, 40000, LEVEL[i]);
            if (share > MOST[i])
                fail_msg("%s: p <= %g in %.4f of a %s series", name, LEVEL[i], share, KIND_NAME[kind]);
        }
}

/* Events after a shift by `shift` at which output `name_of_output` first reaches `level` (p: falls to it); -1 = never
 * in 500. */
static inline int delay_of(test_subject *subject, test_source *x, double shift, const char *output, double level)
{
    bool falling = strcmp(output, "p") == 0;
    for (int i = 0; i < 500; i++) {
        subject_step_one(subject, source_next(x) + shift);
        double value = subject_output(subject, output);
        if (falling ? value <= level : value >= level)
            return i;
    }
    return -1;
}

#endif
