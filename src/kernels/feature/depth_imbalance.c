/* kernels/feature/depth_imbalance.c - see the header. */
#include "kernels/feature/depth_imbalance.h"

#include "kernels/common/number.h"
#include "kernels/common/stateless.h"
#include "kernels/feature/microprice.h"

FM_STATELESS_SCORE
{
    out[0] = fm_size_imbalance(in[0], in[1]);
    out[1] = fm_usable_size(in[0]) && fm_usable_size(in[1]) ? in[0] + in[1] : NAN;
}

FM_STATELESS
FM_STEP_ONE(step_imbalance, 0)
FM_STEP_ONE(step_depth, 1)

const fm_kernel fm_kernel_depth_imbalance = {
    .name = "depth_imbalance",
    .summary = "Bid depth less ask depth over both, of the best levels of the book.",
    .source = "Cao, Hansch & Wang, J. Futures Markets 29, 2009",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = (const fm_field[]){{0}},
    .inputs = (const fm_field[]){{.name = "bid_depth", .unit = "size", .help = "size of the best bid levels"},
                                 {.name = "ask_depth", .unit = "size", .help = "size of the best ask levels"},
                                 {0}},
    .outputs = (const fm_field[]){{.name = "imbalance", .unit = "1", .usual = 0, .help = "1 = all size on the bid"},
                                  {.name = "depth", .unit = "size", .usual = NAN, .help = "of both sides"},
                                  {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_imbalance, step_depth},
    .warm_up = "at once",
    .cost = "~4 ns, 0 bytes",
};
