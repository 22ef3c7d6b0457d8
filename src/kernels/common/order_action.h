/* kernels/common/order_action.h - the values of the input "action" (kernels/kernel.h). */
#ifndef FM_KERNELS_COMMON_ORDER_ACTION_H
#define FM_KERNELS_COMMON_ORDER_ACTION_H

#include <stdbool.h>

#define FM_ACTION_ADD     1.0
#define FM_ACTION_MODIFY  2.0
#define FM_ACTION_CANCEL  3.0
#define FM_ACTION_EXECUTE 4.0

static inline bool fm_usable_action(double action)
{
    return action == FM_ACTION_ADD || action == FM_ACTION_MODIFY || action == FM_ACTION_CANCEL ||
           action == FM_ACTION_EXECUTE;
}

#endif
