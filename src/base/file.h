/* base/file.h - the file layer under everything that promises durability (journal, router log, snapshots).
 *
 * One table of operations, so that a test can put a layer in between. `fm_file_system` is the operating system. `fm_file_withholding`
 * keeps every byte (and every rename and unlink) that was not synced in memory, so that a kill -9 loses exactly what a power cut
 * could lose; it is chosen by the setting `data.file_layer = "withholding"`, for tests only. Through it a new name appears on the disk
 * (and in a listing of the folder) at sync_folder or a rename, not before. */
#ifndef FM_BASE_FILE_H
#define FM_BASE_FILE_H

#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

#define FM_FILE_READ   0
#define FM_FILE_CREATE 1 /* read and write, made when missing */

typedef struct fm_file fm_file; /* an open file of one layer */

typedef struct fm_file_layer {
    int (*open)(const char *path, int mode, fm_file **out);  /* FM_ENOTFOUND, FM_EIO */
    void (*close)(fm_file *file);
    ssize_t (*read)(fm_file *file, void *data, size_t size, uint64_t offset);        /* bytes read, short at the end; FM_EIO */
    int (*write)(fm_file *file, const void *data, size_t size, uint64_t offset);     /* all of it, or FM_ENOSPC, FM_EIO */
    int (*allocate)(fm_file *file, uint64_t size); /* blocks for [0, size) exist and the file is at least that long; FM_ENOSPC */
    int (*truncate)(fm_file *file, uint64_t size);
    int64_t (*size)(fm_file *file);
    int (*sync)(fm_file *file);                   /* fdatasync */
    int (*rename)(const char *from, const char *to); /* and syncs the folder */
    int (*unlink)(const char *path);
    int (*sync_folder)(const char *path);         /* new names in it survive a power cut */
} fm_file_layer;

extern const fm_file_layer fm_file_system;
extern const fm_file_layer fm_file_withholding;

/* Whole small files. `read_all` gives malloc'd bytes with a NUL behind them; larger than `limit` is FM_ELIMIT. `replace` writes
 * beside, syncs, renames: after a crash the old or the new content is there, never a mixture. */
int fm_file_read_all(const fm_file_layer *layer, const char *path, size_t limit, char **out, size_t *size) FM_CHECKED;
int fm_file_replace(const fm_file_layer *layer, const char *path, const void *data, size_t size) FM_CHECKED;
int fm_folder_make(const char *path) FM_CHECKED; /* with its parents, 0700 */

#endif
