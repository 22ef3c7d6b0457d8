/* kernels/feature/move_z.c - see the header. */
#include "kernels/feature/move_z.h"

#include "base/error.h"
#include "kernels/common/log_ratio.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define CUT 16.0 /* (4 sigma) squared */

static const fm_field params[] = {
    {.name = "window", .unit = "s", .low = 1e-3, .high = 86400, .preset = 60, .help = "length of the move"},
    {.name = "half_life",
     .unit = "s",
     .low = 1e-2,
     .high = 31 * 86400.0,
     .preset = 3600,
     .help = "age at which a move weighs one half in sigma"},
    {.name = "floor", .unit = "bp", .low = 0, .high = 1e4, .preset = 1, .help = "smallest sigma of a move"},
    {.name = "warm_up",
     .unit = "s",
     .low = 0,
     .high = 31 * 86400.0,
     .preset = 0,
     .help = "event time before the first answer; 0 is a quarter of half_life"},
    {0},
};

int fm_move_z_init(fm_move_z *move_z, double window_s, double half_life_s, double floor_bp, double warm_up_s)
{
    FM_TRY(fm_kernel_check(params, (const double[]){window_s, half_life_s, floor_bp, warm_up_s}));
    fm_held_init(&move_z->held, window_s);
    fm_baseline_init(&move_z->square, half_life_s, warm_up_s);
    move_z->floor = (floor_bp * 1e-4) * (floor_bp * 1e-4);
    return 0;
}

static void advance(fm_move_z *move_z, int64_t ts_ns)
{
    int64_t passed = fm_slices_passed(&move_z->held.clock, ts_ns);
    if (passed == 0)
        return;
    if (!isnan(move_z->held.newest)) {
        int64_t counted = passed < FM_SLICES ? passed : FM_SLICES;
        double move = fm_log_ratio(move_z->held.newest, fm_held_past(&move_z->held));
        fm_baseline_add(&move_z->square, counted * move_z->held.clock.width_ns, move * move, CUT, move_z->floor);
    }
    fm_held_close(&move_z->held, ts_ns, passed);
}

static void read(const fm_move_z *move_z, double x, double out[3])
{
    double variance = fm_baseline_ready(&move_z->square) ? move_z->square.mean : NAN;
    double sigma = sqrt(variance < move_z->floor ? move_z->floor : variance);
    out[1] = fm_log_ratio(x, fm_held_past(&move_z->held));
    out[2] = sigma;
    out[0] = sigma > 0.0 ? fm_finite(out[1] / sigma) : NAN;
}

void fm_move_z_score(const fm_move_z *move_z, int64_t ts_ns, double x, double out[3])
{
    fm_move_z moved = *move_z;
    advance(&moved, ts_ns);
    read(&moved, fm_usable_price(x) ? x : NAN, out);
}

void fm_move_z_update(fm_move_z *move_z, int64_t ts_ns, double x)
{
    if (!fm_usable_price(x))
        return;
    advance(move_z, ts_ns);
    move_z->held.newest = x;
}

static size_t state_size(const double *values)
{
    (void)values;
    return sizeof(fm_move_z);
}

static int init(void *state, const double *values)
{
    return fm_move_z_init(state, values[0], values[1], values[2], values[3]);
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    fm_move_z_score(state, ts_ns, in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    fm_move_z_update(state, ts_ns, in[0]);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    if (!fm_usable_price(in[0])) {
        score(state, ts_ns, in, out);
        return;
    }
    fm_move_z *move_z = state;
    advance(move_z, ts_ns);
    read(move_z, in[0], out);
    move_z->held.newest = in[0];
}

FM_STEP_ONE(step_z, 0)
FM_STEP_ONE(step_move, 1)
FM_STEP_ONE(step_sigma, 2)

const fm_kernel fm_kernel_move_z = {
    .name = "move_z",
    .summary = "The move over the last window, in sigmas of such moves in the last hours.",
    .source = "RiskMetrics Technical Document, 4th ed., 1996; Croux, Gelper & Mahieu, 2010",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series, > 0"}, {0}},
    .outputs = (const fm_field[]){{.name = "z", .unit = "sigma", .usual = 0, .help = "the move in sigmas"},
                                  {.name = "move", .unit = "1", .usual = 0, .help = "log return over the window"},
                                  {.name = "sigma", .unit = "1", .usual = NAN, .help = "sigma of such a move"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_z, step_move, step_sigma},
    .warm_up = "after warm_up of event time, one window and 16 slices with ticks",
    .cost = "~8 ns, 344 bytes",
};
