/* script/host_internal.h - what the files of the runner share, and what its tests look at. */
#ifndef FM_SCRIPT_HOST_INTERNAL_H
#define FM_SCRIPT_HOST_INTERNAL_H

#include "script/host.h"
#include "script/vm.h"

/* What C keeps of the row of a handler's call that runs. */
typedef struct fm_host_row {
    uint32_t feature_count, slot_count;
    uint32_t emit_count, timer_count; /* before the row: what a failed row leaves */
    fm_watch *watch;
} fm_host_row;

fm_vm *fm_host_vm(fm_host *host); /* NULL before the first load; another one after a kill or a load */

#endif
