/* kernels/feature/cross_rank.c - see the header. */
#include "kernels/feature/cross_rank.h"

#include "kernels/common/number.h"
#include "kernels/common/stateless.h"

FM_STATELESS_SCORE
{
    out[0] = out[1] = NAN;
    if (!fm_usable(in[0]) || !fm_usable(in[1]) || !fm_usable_size(in[2]) || !fm_usable(in[3]))
        return;
    out[0] = in[2] > 0.0 ? fm_finite((in[0] - in[1]) / in[2]) : NAN;
    out[1] = in[3] >= 0.0 && in[3] <= 1.0 ? in[3] : NAN;
}

FM_STATELESS
FM_STEP_ONE(step_z, 0)
FM_STEP_ONE(step_rank, 1)

const fm_kernel fm_kernel_cross_rank = {
    .name = "cross_rank",
    .summary = "Distance from the sector's mean in its standard deviations, and the rank in it.",
    .source = "definition",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = (const fm_field[]){{0}},
    .inputs =
        (const fm_field[]){
            {.name = "x", .unit = "any", .help = "what the sector is compared by: the log return of a minute"},
            {.name = "sector_mean", .unit = "x", .help = "mean of the sector"},
            {.name = "sector_sd", .unit = "x", .help = "standard deviation in the sector"},
            {.name = "sector_rank", .unit = "1", .help = "of x in the sector, 0 … 1"},
            {0}},
    .outputs = (const fm_field[]){{.name = "z", .unit = "sd", .usual = 0, .help = "distance from the sector"},
                                  {.name = "rank", .unit = "1", .usual = 0.5, .help = "0 = lowest, 1 = highest"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_z, step_rank},
    .warm_up = "at once, when the sector has a cross-section",
    .cost = "~4 ns, 0 bytes",
};
