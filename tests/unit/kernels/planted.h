/* tests/unit/kernels/planted.h - eight series that move together, with anomalies planted among them, and how well a
 * detector ranks them: the area under its ROC curve.
 *
 * x_j = 100 + scale_j * (0.8 f + 0.6 e_j), f and e_j normal: correlation 0.64, scales 0.001 … 10,000. After the first
 * 1,000 rows every 40th row is a spike (one input, whichever, 7 sigma off) or a break (one input goes against the
 * others: its sign is turned, in rows where |f| is 1.5 or more), and every 400 rows one input stands 4 sigma off for
 * 10 rows, a shift. */
#ifndef FM_TESTS_UNIT_KERNELS_PLANTED_H
#define FM_TESTS_UNIT_KERNELS_PLANTED_H

#include "series.h"

#define PLANTED_ROWS  6000
#define PLANTED_CLEAN 1000
#define PLANTED_DIMS  8

typedef enum planted_kind { PLANTED_NONE, PLANTED_SPIKE, PLANTED_BREAK, PLANTED_SHIFT, PLANTED_KINDS } planted_kind;

typedef struct planted_row {
    double in[FM_KERNEL_INPUTS_MAX];
    planted_kind kind;
    int input; /* that was tampered with */
} planted_row;

static planted_row planted[PLANTED_ROWS];

static inline void planted_make(uint64_t seed)
{
    fm_random random;
    fm_random_seed(&random, seed);
    for (int i = 0, shifted = 0; i < PLANTED_ROWS; i++) {
        planted_row *row = &planted[i];
        double scale = 0.001, common = fm_random_normal(&random);
        int at = (int)fm_random_below(&random, PLANTED_DIMS), plant = i >= PLANTED_CLEAN;
        *row = (planted_row){.input = at};
        if (plant && i % 400 < 10) {
            row->kind = PLANTED_SHIFT;
            row->input = shifted = i % 400 == 0 ? at : shifted;
        } else if (plant && i % 40 == 20)
            row->kind = i % 80 == 20 ? PLANTED_SPIKE : PLANTED_BREAK;
        if (row->kind == PLANTED_BREAK)
            common = copysign(1.5 + fabs(common), common);
        for (int j = 0; j < PLANTED_DIMS; j++, scale *= 10.0) {
            double noise = fm_random_normal(&random), z = 0.8 * common + 0.6 * noise;
            if (j == row->input && row->kind == PLANTED_SPIKE)
                z += copysign(7.0, z);
            if (j == row->input && row->kind == PLANTED_BREAK)
                z = -0.8 * common + 0.6 * noise;
            if (j == row->input && row->kind == PLANTED_SHIFT)
                z += 4.0;
            row->in[j] = 100.0 + scale * z;
        }
    }
}

/* Runs the kernel over the rows; writes its outputs. */
static inline void planted_run(const fm_kernel *kernel, const double *params,
                               double out[PLANTED_ROWS][FM_KERNEL_OUTPUTS_MAX])
{
    test_state state = {0};
    test_state_make(&state, kernel->state_size(params));
    assert_int_equal(kernel->init(state.bytes, params), 0);
    for (int i = 0; i < PLANTED_ROWS; i++) {
        test_row row = {.ts_ns = i * FM_NS_PER_S};
        memcpy(row.in, planted[i].in, sizeof(row.in));
        run(kernel, &state, &row, out[i]);
    }
    test_state_free(&state);
}

/* Share of (anomaly, ordinary row) pairs in which the anomaly scores higher; ties count half. Rows of other kinds are
 * left out. */
static inline double planted_auc(double out[PLANTED_ROWS][FM_KERNEL_OUTPUTS_MAX], planted_kind kind)
{
    double higher = 0.0, pairs = 0.0;
    for (int i = PLANTED_CLEAN; i < PLANTED_ROWS; i++)
        for (int j = PLANTED_CLEAN; planted[i].kind == kind && j < PLANTED_ROWS; j++) {
            if (planted[j].kind != PLANTED_NONE)
                continue;
            higher += out[i][0] > out[j][0] ? 1.0 : out[i][0] == out[j][0] ? 0.5 : 0.0;
            pairs += 1.0;
        }
    return higher / pairs;
}

/* Share of rows of that kind in which the largest of the attributions, outputs 4 and on, is the planted input's. */
static inline double planted_blamed(double out[PLANTED_ROWS][FM_KERNEL_OUTPUTS_MAX], planted_kind kind)
{
    int right = 0, rows = 0;
    for (int i = PLANTED_CLEAN; i < PLANTED_ROWS; i++) {
        if (planted[i].kind != kind)
            continue;
        int largest = 0;
        for (int j = 1; j < PLANTED_DIMS; j++)
            largest = out[i][4 + j] > out[i][4 + largest] ? j : largest;
        right += largest == planted[i].input;
        rows++;
    }
    return (double)right / rows;
}

#endif
