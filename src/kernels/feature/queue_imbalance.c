/* kernels/feature/queue_imbalance.c - see the header. */
#include "kernels/feature/queue_imbalance.h"

#include "kernels/common/stateless.h"
#include "kernels/feature/microprice.h"

FM_STATELESS_SCORE
{
    out[0] = fm_size_imbalance(in[0], in[1]);
}

FM_STATELESS
FM_STEP_ONE(step_imbalance, 0)

const fm_kernel fm_kernel_queue_imbalance = {
    .name = "queue_imbalance",
    .summary = "Bid size less ask size over both, of the best quote.",
    .source = "Gould & Bonart, Market Microstructure and Liquidity 2, 2016",
    .kind = FM_KERNEL_FEATURE,
    .layout = 1,
    .params = (const fm_field[]){{0}},
    .inputs = (const fm_field[]){{.name = "bid_size", .unit = "size", .help = "size at the best bid"},
                                 {.name = "ask_size", .unit = "size", .help = "size at the best ask"},
                                 {0}},
    .outputs =
        (const fm_field[]){{.name = "imbalance", .unit = "1", .usual = 0, .help = "1 = all size on the bid"}, {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .step_one = {step_imbalance},
    .warm_up = "at once",
    .cost = "~4 ns, 0 bytes",
};
