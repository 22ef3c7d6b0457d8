/* tests/unit/store/full_disk.h - an SQLite file system on which writing fails when the test says so. Register once,
 * before any store is opened. */
#ifndef FM_TESTS_STORE_FULL_DISK_H
#define FM_TESTS_STORE_FULL_DISK_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

static _Atomic int full_disk_code; /* what writes answer: 0 = they work, SQLITE_FULL, SQLITE_IOERR_WRITE */
static sqlite3_vfs full_disk_vfs;
static int (*full_disk_open_below)(sqlite3_vfs *, const char *, sqlite3_file *, int, int *);

/* A file's methods with our write in them; files that lock and files that do not have different ones. */
typedef struct full_disk_methods {
    sqlite3_io_methods methods; /* first: a file's pointer to them is a pointer to this */
    const sqlite3_io_methods *below;
} full_disk_methods;

static full_disk_methods full_disk_kinds[8];

static inline int full_disk_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
    int code = atomic_load(&full_disk_code);
    return code != 0
               ? code
               : ((const full_disk_methods *)(const void *)file->pMethods)->below->xWrite(file, data, size, offset);
}

static inline int full_disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    int code = full_disk_open_below(vfs, name, file, flags, out_flags);
    if (code != SQLITE_OK || file->pMethods == NULL)
        return code;
    full_disk_methods *kind = full_disk_kinds;
    while (kind->below != NULL && kind->below != file->pMethods)
        kind++;
    kind->below = file->pMethods;
    kind->methods = *file->pMethods;
    kind->methods.xWrite = full_disk_write;
    file->pMethods = &kind->methods;
    return code;
}

static inline void full_disk_register(void)
{
    sqlite3_vfs *below = sqlite3_vfs_find("unix");
    full_disk_vfs = *below;
    full_disk_vfs.zName = "full_disk";
    full_disk_open_below = below->xOpen;
    full_disk_vfs.xOpen = full_disk_open;
    sqlite3_vfs_register(&full_disk_vfs, 1);
}

#endif
