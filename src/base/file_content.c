/* base/file_content.c - pages in memory over the bytes that would survive. */
#include "base/file_content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };
#define SIZE_LIMIT (UINT64_C(1) << 40) /* of a file; the table of pages stays affordable */

int fm_file_code_of_errno(void)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return FM_ENOTFOUND;
    return errno == ENOSPC || errno == EDQUOT ? FM_ENOSPC : errno == ENOMEM ? FM_ENOMEM : FM_EIO;
}

static size_t least(uint64_t a, uint64_t b)
{
    return (size_t)(a < b ? a : b);
}

/* Bytes as they would survive, less what was truncated since; zeros beyond. */
static int read_kept(fm_file_content *of, unsigned char *out, size_t size, uint64_t offset)
{
    size_t wanted = offset < of->kept ? least(size, of->kept - offset) : 0, done = 0;
    while (done < wanted) {
        ssize_t got = pread(of->fd, out + done, wanted - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return FM_EIO;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    memset(out + done, 0, size - done);
    return 0;
}

static int own_page(fm_file_content *of, size_t index, unsigned char **out)
{
    if (index >= of->page_count) {
        size_t count = of->page_count < 16 ? 16 : of->page_count;
        while (count <= index)
            count *= 2;
        unsigned char **page = realloc(of->page, count * sizeof(*page));
        if (page == NULL)
            return FM_ENOMEM;
        memset(page + of->page_count, 0, (count - of->page_count) * sizeof(*page));
        of->page = page;
        of->page_count = count;
    }
    if (of->page[index] == NULL) {
        unsigned char *fresh = malloc(PAGE);
        if (fresh == NULL)
            return FM_ENOMEM;
        int result = read_kept(of, fresh, PAGE, (uint64_t)index * PAGE);
        if (result < 0) {
            free(fresh);
            return result;
        }
        of->page[index] = fresh;
    }
    *out = of->page[index];
    return 0;
}

static void forget_pages(fm_file_content *of, size_t from)
{
    for (size_t i = from; i < of->page_count; i++) {
        free(of->page[i]);
        of->page[i] = NULL;
    }
}

static int write_all(int fd, const unsigned char *data, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t put = pwrite(fd, data, size, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fm_file_code_of_errno();
        data += put;
        size -= (size_t)put;
        offset += (size_t)put;
    }
    return 0;
}

/* A failure leaves the pages here: the next sync tries again. */
int fm_file_content_sync(fm_file_content *of)
{
    struct stat status;
    if (of->dirty) {
        if (fstat(of->fd, &status) != 0 ||
            ((uint64_t)status.st_size > of->kept && ftruncate(of->fd, (off_t)of->kept) != 0))
            return fm_file_code_of_errno();
        for (size_t i = 0; i < of->page_count && (uint64_t)i * PAGE < of->size; i++) {
            if (of->page[i] != NULL)
                FM_TRY(write_all(of->fd, of->page[i], least(PAGE, of->size - (uint64_t)i * PAGE), (uint64_t)i * PAGE));
        }
        if (ftruncate(of->fd, (off_t)of->size) != 0)
            return fm_file_code_of_errno();
        forget_pages(of, 0);
        of->kept = of->size;
        of->dirty = false;
    }
    return fdatasync(of->fd) == 0 ? 0 : fm_file_code_of_errno();
}

fm_file_content *fm_file_content_create(int fd, bool on_disk)
{
    struct stat status;
    fm_file_content *fresh = NULL;
    if (fd >= 0 && fstat(fd, &status) == 0)
        fresh = calloc(1, sizeof(*fresh));
    if (fresh == NULL) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    fresh->fd = fd;
    fresh->on_disk = on_disk;
    fresh->size = fresh->kept = (uint64_t)status.st_size;
    return fresh;
}

/* Frees what nobody can reach any more: no handle, and no name. */
void fm_file_content_release(fm_file_content *of)
{
    if (of->handles > 0 || of->named != NULL)
        return;
    forget_pages(of, 0);
    free(of->page);
    close(of->fd);
    free(of);
}

ssize_t fm_file_content_read(fm_file_content *of, void *data, size_t size, uint64_t offset)
{
    size_t wanted = offset < of->size ? least(size, of->size - offset) : 0;
    ssize_t result = (ssize_t)wanted;
    for (size_t done = 0; done < wanted;) {
        uint64_t at = offset + done;
        size_t index = (size_t)(at / PAGE), within = (size_t)(at % PAGE), some = least(wanted - done, PAGE - within);
        unsigned char *out = (unsigned char *)data + done;
        if (index < of->page_count && of->page[index] != NULL)
            memcpy(out, of->page[index] + within, some);
        else if (read_kept(of, out, some, at) < 0) {
            result = FM_EIO;
            break;
        }
        done += some;
    }
    return result;
}

int fm_file_content_write(fm_file_content *of, const void *data, size_t size, uint64_t offset)
{
    if (size > SIZE_LIMIT || offset > SIZE_LIMIT - size)
        return FM_ENOSPC;
    int result = 0;
    for (size_t done = 0; done < size && result == 0;) {
        uint64_t at = offset + done;
        size_t within = (size_t)(at % PAGE), some = least(size - done, PAGE - within);
        unsigned char *page;
        result = own_page(of, (size_t)(at / PAGE), &page);
        if (result < 0)
            break;
        memcpy(page + within, (const unsigned char *)data + done, some);
        done += some;
        of->dirty = true;
        if (of->size < offset + done)
            of->size = offset + done;
    }
    return result;
}

int fm_file_content_allocate(fm_file_content *of, uint64_t size)
{
    if (size > SIZE_LIMIT)
        return FM_ENOSPC;
    int result = 0;
    /* The blocks are taken now, so that a full disk shows itself here; a length that nobody synced is not. */
    if (of->on_disk && size > 0 && fallocate(of->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) != 0 && errno != EOPNOTSUPP)
        result = fm_file_code_of_errno();
    if (result == 0 && of->size < size) {
        of->size = size;
        of->dirty = true;
    }
    return result;
}

int fm_file_content_truncate(fm_file_content *of, uint64_t size)
{
    if (size > SIZE_LIMIT)
        return FM_ENOSPC;
    if (size < of->size) {
        size_t index = (size_t)(size / PAGE), within = (size_t)(size % PAGE);
        if (index < of->page_count && of->page[index] != NULL)
            memset(of->page[index] + within, 0, PAGE - within);
        forget_pages(of, index + (within > 0));
        if (of->kept > size)
            of->kept = size;
    }
    of->dirty = of->dirty || size != of->size;
    of->size = size;
    return 0;
}

static int copy_bytes(int from, int to)
{
    unsigned char buffer[16 * 1024];
    struct stat status;
    if (fstat(from, &status) != 0)
        return fm_file_code_of_errno();
    /* Holes stay holes: a segment is preallocated far beyond its bytes. */
    for (off_t at = lseek(from, 0, SEEK_DATA); at >= 0; at = lseek(from, at, SEEK_DATA)) {
        ssize_t got = pread(from, buffer, sizeof(buffer), at);
        if (got <= 0)
            break;
        FM_TRY(write_all(to, buffer, (size_t)got, (uint64_t)at));
        at += got;
    }
    return ftruncate(to, status.st_size) == 0 && fdatasync(to) == 0 ? 0 : fm_file_code_of_errno();
}

int fm_file_content_move(fm_file_content *of, int fd)
{
    FM_TRY(copy_bytes(of->fd, fd));
    close(of->fd);
    of->fd = fd;
    of->on_disk = true;
    return 0;
}
