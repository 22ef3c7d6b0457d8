/* base/file_content.h - private to the withholding file layer: one file's bytes, of which some would not survive a
 * power cut.
 *
 * The pages that were not synced lie in memory over a descriptor of what would survive: the file on disk, or a memfd
 * until a name is durable. Nothing here locks. */
#ifndef FM_BASE_FILE_CONTENT_H
#define FM_BASE_FILE_CONTENT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fm_file_name;

typedef struct fm_file_content {
    int fd;                     /* what would survive */
    bool on_disk;               /* else fd is a memfd */
    bool dirty;                 /* differs from fd */
    int handles;                /* open files */
    struct fm_file_name *named; /* NULL once unlinked or replaced */
    uint64_t size;              /* as this process sees it */
    uint64_t kept;        /* bytes of fd that still count: what was cut away reads as zeros if the file grows again */
    unsigned char **page; /* NULL: as in fd */
    size_t page_count;
} fm_file_content;

fm_file_content *fm_file_content_create(int fd, bool on_disk); /* takes fd, also when it fails: NULL */
void fm_file_content_release(fm_file_content *of);             /* frees it when it has neither a name nor a handle */

ssize_t fm_file_content_read(fm_file_content *of, void *data, size_t size, uint64_t offset);
int fm_file_content_write(fm_file_content *of, const void *data, size_t size, uint64_t offset);
int fm_file_content_allocate(fm_file_content *of, uint64_t size);
int fm_file_content_truncate(fm_file_content *of, uint64_t size);
int fm_file_content_sync(fm_file_content *of); /* makes fd equal to what this process sees */

/* Moves what would survive to another descriptor, which is then a file on disk. */
int fm_file_content_move(fm_file_content *of, int fd);

int fm_file_code_of_errno(void);

#endif
