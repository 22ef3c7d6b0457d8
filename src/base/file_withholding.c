/* base/file_withholding.c - a disk that loses everything it was not told to keep: for tests of what survives a power
 * cut.
 *
 * What would survive lies on the disk; what would not lies in this process. A kill -9 then leaves exactly the first.
 * The model is the strictest that POSIX allows:
 *   - bytes, sizes and truncations of a file reach the disk at its sync;
 *   - a new name and a removed name reach the disk at sync_folder of its folder (or at a rename into or out of it);
 *   - a file that is synced but whose name is not is lost; a name that is synced but whose file is not is an empty
 * file;
 *   - a rename is durable at once, without the renamed file's unsynced bytes.
 * All of it is visible to this process through the layer, but a listing of the folder shows only what would survive.
 *
 * A content keeps its unsynced pages in memory over a descriptor: of the file on disk, or of a memfd until a name is
 * durable. One mutex guards everything: this is for tests, and a sync that holds others up is what a slow disk does. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };
#define SIZE_LIMIT (UINT64_C(1) << 40) /* of a file; the table of pages stays affordable */

typedef struct name name;

typedef struct content {
    int fd;               /* what would survive */
    bool on_disk;         /* else fd is a memfd */
    bool dirty;           /* differs from fd */
    int handles;          /* open files */
    name *named;          /* NULL once unlinked or replaced */
    uint64_t size;        /* as this process sees it */
    uint64_t kept;        /* bytes of fd that still count: what was cut away reads as zeros if the file grows again */
    unsigned char **page; /* NULL: as in fd */
    size_t page_count;
} content;

struct name {
    name *next;
    content *seen; /* NULL: unlinked */
    bool pending;  /* the disk does not know it yet */
    char path[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static name *names;

static int code_of_errno(void)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return FM_ENOTFOUND;
    return errno == ENOSPC || errno == EDQUOT ? FM_ENOSPC : errno == ENOMEM ? FM_ENOMEM : FM_EIO;
}

/* ---- pages ---- */

static size_t least(uint64_t a, uint64_t b)
{
    return (size_t)(a < b ? a : b);
}

/* Bytes as they would survive, less what was truncated since; zeros beyond. */
static int read_kept(content *of, unsigned char *out, size_t size, uint64_t offset)
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

static int own_page(content *of, size_t index, unsigned char **out)
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

static void forget_pages(content *of, size_t from)
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
            return code_of_errno();
        data += put;
        size -= (size_t)put;
        offset += (size_t)put;
    }
    return 0;
}

/* Makes fd equal to what this process sees. A failure leaves the pages here: the next sync tries again. */
static int apply(content *of)
{
    struct stat status;
    if (of->dirty) {
        if (fstat(of->fd, &status) != 0 ||
            ((uint64_t)status.st_size > of->kept && ftruncate(of->fd, (off_t)of->kept) != 0))
            return code_of_errno();
        for (size_t i = 0; i < of->page_count && (uint64_t)i * PAGE < of->size; i++) {
            if (of->page[i] != NULL)
                FM_TRY(write_all(of->fd, of->page[i], least(PAGE, of->size - (uint64_t)i * PAGE), (uint64_t)i * PAGE));
        }
        if (ftruncate(of->fd, (off_t)of->size) != 0)
            return code_of_errno();
        forget_pages(of, 0);
        of->kept = of->size;
        of->dirty = false;
    }
    return fdatasync(of->fd) == 0 ? 0 : code_of_errno();
}

/* ---- contents and names ---- */

static content *content_create(int fd, bool on_disk)
{
    struct stat status;
    content *fresh = NULL;
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
static void content_release(content *of)
{
    if (of->handles > 0 || of->named != NULL)
        return;
    forget_pages(of, 0);
    free(of->page);
    close(of->fd);
    free(of);
}

/* The absolute path, of a name that need not exist in a folder that must. */
static int resolve(const char *path, char out[PATH_MAX])
{
    char folder[PATH_MAX], absolute[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *last = slash == NULL ? path : slash + 1;
    size_t size = slash == NULL ? 0 : (size_t)(slash - path);
    if (size >= sizeof(folder) || *last == '\0')
        return FM_EINVAL;
    memcpy(folder, path, size);
    folder[size] = '\0';
    if (realpath(slash == NULL ? "." : size == 0 ? "/" : folder, absolute) == NULL)
        return code_of_errno();
    int length = snprintf(out, PATH_MAX, "%s/%s", absolute[1] == '\0' ? "" : absolute, last);
    return length < 0 || length >= PATH_MAX ? FM_EINVAL : 0;
}

static name *name_find(const char *path)
{
    for (name *at = names; at != NULL; at = at->next) {
        if (strcmp(at->path, path) == 0)
            return at;
    }
    return NULL;
}

static name *name_add(const char *path, content *seen, bool pending)
{
    size_t size = strlen(path) + 1;
    name *fresh = malloc(sizeof(*fresh) + size);
    if (fresh == NULL)
        return NULL;
    memcpy(fresh->path, path, size);
    fresh->seen = seen;
    fresh->pending = pending;
    fresh->next = names;
    names = fresh;
    if (seen != NULL)
        seen->named = fresh;
    return fresh;
}

static void name_remove(name *gone)
{
    for (name **at = &names; *at != NULL; at = &(*at)->next) {
        if (*at == gone) {
            *at = gone->next;
            break;
        }
    }
    if (gone->seen != NULL) {
        gone->seen->named = NULL;
        content_release(gone->seen);
    }
    free(gone);
}

/* What the path shows now; a file on disk that was not used before gets its name here. */
static int look_up(const char *path, name **out)
{
    name *at = name_find(path);
    if (at != NULL) {
        *out = at;
        return at->seen != NULL ? 0 : FM_ENOTFOUND;
    }
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EROFS))
        fd = open(path, O_RDONLY | O_CLOEXEC);
    *out = NULL;
    if (fd < 0)
        return code_of_errno();
    content *there = content_create(fd, true);
    if (there == NULL)
        return FM_ENOMEM;
    *out = name_add(path, there, false);
    if (*out == NULL)
        content_release(there);
    return *out != NULL ? 0 : FM_ENOMEM;
}

static int create(const char *path, name *unlinked, content **out)
{
    content *fresh = content_create(memfd_create("fmads-withheld", MFD_CLOEXEC), false);
    if (fresh == NULL)
        return FM_ENOMEM;
    if (unlinked != NULL) {
        unlinked->seen = fresh;
        fresh->named = unlinked;
    } else if (name_add(path, fresh, true) == NULL) {
        content_release(fresh);
        return FM_ENOMEM;
    }
    *out = fresh;
    return 0;
}

/* ---- reaching the disk ---- */

static int copy_bytes(int from, int to)
{
    static unsigned char buffer[64 * 1024]; /* under the lock */
    struct stat status;
    if (fstat(from, &status) != 0)
        return code_of_errno();
    /* Holes stay holes: a segment is preallocated far beyond its bytes. */
    for (off_t at = lseek(from, 0, SEEK_DATA); at >= 0; at = lseek(from, at, SEEK_DATA)) {
        ssize_t got = pread(from, buffer, sizeof(buffer), at);
        if (got <= 0)
            break;
        FM_TRY(write_all(to, buffer, (size_t)got, (uint64_t)at));
        at += got;
    }
    return ftruncate(to, status.st_size) == 0 && fdatasync(to) == 0 ? 0 : code_of_errno();
}

/* A new name and the synced bytes of its file appear together, by a rename. */
static int publish_file(name *of)
{
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof(beside), "%s.withheld", of->path);
    if (length < 0 || (size_t)length >= sizeof(beside))
        return FM_EINVAL;
    int fd = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return code_of_errno();
    int result = copy_bytes(of->seen->fd, fd);
    if (result == 0 && rename(beside, of->path) != 0)
        result = code_of_errno();
    if (result < 0) {
        unlink(beside);
        close(fd);
        return result;
    }
    close(of->seen->fd);
    of->seen->fd = fd;
    of->seen->on_disk = true;
    of->pending = false;
    return 0;
}

static bool lies_in(const char *path, const char *folder)
{
    size_t size = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    return strncmp(path, folder, size) == 0 && path[size] == '/' && strchr(path + size + 1, '/') == NULL;
}

static int publish_folder(const char *folder)
{
    for (name *at = names, *next; at != NULL; at = next) {
        next = at->next;
        if (!at->pending || !lies_in(at->path, folder))
            continue;
        if (at->seen != NULL) {
            FM_TRY(publish_file(at));
        } else {
            if (unlink(at->path) != 0 && errno != ENOENT)
                return code_of_errno();
            name_remove(at);
        }
    }
    return fm_file_system.sync_folder(folder);
}

static int publish_folder_of(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';
    return publish_folder(folder);
}

/* ---- the operations ---- */

static int locked_open(const char *path, int mode, fm_file **out)
{
    char absolute[PATH_MAX];
    name *at;
    content *opened = NULL;
    FM_TRY(resolve(path, absolute));
    int result = look_up(absolute, &at);
    if (result == 0)
        opened = at->seen;
    else if (result == FM_ENOTFOUND && mode == FM_FILE_CREATE)
        result = create(absolute, at, &opened);
    if (result == 0) {
        opened->handles++;
        *out = (fm_file *)opened;
    }
    return result;
}

static int withholding_open(const char *path, int mode, fm_file **out)
{
    pthread_mutex_lock(&lock);
    int result = locked_open(path, mode, out);
    pthread_mutex_unlock(&lock);
    return result;
}

static void withholding_close(fm_file *file)
{
    content *of = (content *)file;
    if (of == NULL)
        return;
    pthread_mutex_lock(&lock);
    of->handles--;
    if (of->handles == 0) {
        if (of->named == NULL)
            content_release(of);
        else if (!of->dirty && !of->named->pending)
            name_remove(of->named); /* nothing is withheld: the disk knows all of it */
    }
    pthread_mutex_unlock(&lock);
}

static ssize_t withholding_read(fm_file *file, void *data, size_t size, uint64_t offset)
{
    content *of = (content *)file;
    pthread_mutex_lock(&lock);
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
    pthread_mutex_unlock(&lock);
    return result;
}

static int withholding_write(fm_file *file, const void *data, size_t size, uint64_t offset)
{
    content *of = (content *)file;
    if (size > SIZE_LIMIT || offset > SIZE_LIMIT - size)
        return FM_ENOSPC;
    int result = 0;
    pthread_mutex_lock(&lock);
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
    pthread_mutex_unlock(&lock);
    return result;
}

static int withholding_allocate(fm_file *file, uint64_t size)
{
    content *of = (content *)file;
    if (size > SIZE_LIMIT)
        return FM_ENOSPC;
    int result = 0;
    pthread_mutex_lock(&lock);
    /* The blocks are taken now, so that a full disk shows itself here; a length that nobody synced is not. */
    if (of->on_disk && size > 0 && fallocate(of->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) != 0 && errno != EOPNOTSUPP)
        result = code_of_errno();
    if (result == 0 && of->size < size) {
        of->size = size;
        of->dirty = true;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int withholding_truncate(fm_file *file, uint64_t size)
{
    content *of = (content *)file;
    if (size > SIZE_LIMIT)
        return FM_ENOSPC;
    pthread_mutex_lock(&lock);
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
    pthread_mutex_unlock(&lock);
    return 0;
}

static int64_t withholding_size(fm_file *file)
{
    pthread_mutex_lock(&lock);
    int64_t size = (int64_t)((content *)file)->size;
    pthread_mutex_unlock(&lock);
    return size;
}

static int withholding_sync(fm_file *file)
{
    pthread_mutex_lock(&lock);
    int result = apply((content *)file);
    pthread_mutex_unlock(&lock);
    return result;
}

static int locked_rename(const char *from, const char *to)
{
    char from_path[PATH_MAX], to_path[PATH_MAX];
    name *at;
    FM_TRY(resolve(from, from_path));
    FM_TRY(resolve(to, to_path));
    FM_TRY(look_up(from_path, &at));
    FM_TRY(publish_folder_of(from_path));
    FM_TRY(publish_folder_of(to_path));
    if (strcmp(from_path, to_path) == 0)
        return 0;

    name *replaced = name_find(to_path);
    content *moved = at->seen;
    name *fresh = name_add(to_path, NULL, false);
    if (fresh == NULL)
        return FM_ENOMEM;
    int result = fm_file_system.rename(from_path, to_path);
    if (result < 0) {
        name_remove(fresh);
        return result;
    }
    at->seen = NULL;
    name_remove(at);
    if (replaced != NULL)
        name_remove(replaced);
    fresh->seen = moved;
    moved->named = fresh;
    if (moved->handles == 0 && !moved->dirty)
        name_remove(fresh);
    return 0;
}

static int withholding_rename(const char *from, const char *to)
{
    pthread_mutex_lock(&lock);
    int result = locked_rename(from, to);
    pthread_mutex_unlock(&lock);
    return result;
}

static int withholding_unlink(const char *path)
{
    char absolute[PATH_MAX];
    name *at;
    pthread_mutex_lock(&lock);
    int result = resolve(path, absolute);
    if (result == 0)
        result = look_up(absolute, &at);
    if (result == 0) {
        content *gone = at->seen;
        at->seen = NULL;
        at->pending = true;
        gone->named = NULL;
        content_release(gone);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int withholding_sync_folder(const char *path)
{
    char folder[PATH_MAX];
    if (realpath(path, folder) == NULL)
        return code_of_errno();
    pthread_mutex_lock(&lock);
    int result = publish_folder(folder);
    pthread_mutex_unlock(&lock);
    return result;
}

const fm_file_layer fm_file_withholding = {
    .open = withholding_open,
    .close = withholding_close,
    .read = withholding_read,
    .write = withholding_write,
    .allocate = withholding_allocate,
    .truncate = withholding_truncate,
    .size = withholding_size,
    .sync = withholding_sync,
    .rename = withholding_rename,
    .unlink = withholding_unlink,
    .sync_folder = withholding_sync_folder,
};
