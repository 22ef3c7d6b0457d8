/* main/data_dir.h - the data directory: who made it when, for which layout, and that only one process uses it. */
#ifndef FM_MAIN_DATA_DIR_H
#define FM_MAIN_DATA_DIR_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct fm_data_dir {
    char     path[512], journal[560], snapshots[560], router[560], generations[560], reference[560], store[560];
    uint64_t incarnation_ms; /* when it was made: part of the ids in Redis */
    int      lock;           /* file descriptor */
} fm_data_dir;

/* Makes the directory when `make`, reads or writes its `meta` file, takes its lock. FM_EBUSY when another process has it. */
int  fm_data_dir_open(const char *path, bool make, fm_data_dir *out, fm_error *error) FM_CHECKED;
void fm_data_dir_close(fm_data_dir *dir);

#endif
