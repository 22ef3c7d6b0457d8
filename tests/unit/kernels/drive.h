/* tests/unit/kernels/drive.h - one kernel by its name, stepped with the values that a test chooses. */
#ifndef FM_TESTS_UNIT_KERNELS_DRIVE_H
#define FM_TESTS_UNIT_KERNELS_DRIVE_H

#include "series.h"

typedef struct test_drive { /* all zero before the first start; drive_end at the end */
    const fm_kernel *kernel;
    test_state state;
    int64_t ts_ns; /* moved on by drive_step */
    double out[FM_KERNEL_OUTPUTS_MAX];
} test_drive;

/* params: as many as the kernel has */
static inline void drive_start(test_drive *drive, const char *name, const double *params)
{
    drive->kernel = fm_kernel_find(FM_KERNEL_FEATURE, name);
    assert_non_null(drive->kernel);
    test_state_make(&drive->state, drive->kernel->state_size(params));
    assert_int_equal(drive->kernel->init(drive->state.bytes, params), 0);
    drive->ts_ns = 1399032000 * FM_NS_PER_S;
}

/* A step `after_ns` later; returns the first output. */
static inline double drive_step(test_drive *drive, int64_t after_ns, const double *in)
{
    drive->ts_ns += after_ns;
    drive->kernel->step(drive->state.bytes, drive->ts_ns, in, drive->out);
    return drive->out[0];
}

static inline double drive_x(test_drive *drive, int64_t after_ns, double x)
{
    return drive_step(drive, after_ns, (double[FM_KERNEL_INPUTS_MAX]){x});
}

static inline void drive_end(test_drive *drive)
{
    test_state_free(&drive->state);
}

#endif
