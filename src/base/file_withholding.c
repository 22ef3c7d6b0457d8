/* base/file_withholding.c - a disk that loses what it was not told to keep: for tests of what survives a power cut.
 *
 * What would survive lies on the disk; what would not lies in this process. A kill -9 then leaves exactly the first.
 * The model is the strictest that POSIX allows:
 *   - bytes, sizes and truncations of a file reach the disk at its sync;
 *   - a new name and a removed name reach the disk at sync_folder of its folder (or at a rename into or out of it);
 *   - a file that is synced but whose name is not is lost; one whose name is synced but whose bytes are not is empty;
 *   - a rename is durable at once, without the renamed file's unsynced bytes.
 * All of it is visible to this process through the layer, but a listing of the folder shows only what would survive.
 *
 * A content (file_content.h) is one file's bytes; a name is a path that shows one, or none although the disk still does.
 * One mutex guards everything: this is for tests, and a sync that holds others up is what a slow disk does. */
#include "base/file.h"
#include "base/file_content.h"

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

typedef struct fm_file_content content;
typedef struct fm_file_name name;

struct fm_file_name {
    name *next;
    content *seen; /* NULL: unlinked */
    bool pending;  /* the disk does not know it yet */
    char path[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static name *names;

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
        return fm_file_code_of_errno();
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
        fm_file_content_release(gone->seen);
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
        return fm_file_code_of_errno();
    content *there = fm_file_content_create(fd, true);
    if (there == NULL)
        return FM_ENOMEM;
    *out = name_add(path, there, false);
    if (*out == NULL)
        fm_file_content_release(there);
    return *out != NULL ? 0 : FM_ENOMEM;
}

static int create(const char *path, name *unlinked, content **out)
{
    content *fresh = fm_file_content_create(memfd_create("fmads-withheld", MFD_CLOEXEC), false);
    if (fresh == NULL)
        return FM_ENOMEM;
    if (unlinked != NULL) {
        unlinked->seen = fresh;
        fresh->named = unlinked;
    } else if (name_add(path, fresh, true) == NULL) {
        fm_file_content_release(fresh);
        return FM_ENOMEM;
    }
    *out = fresh;
    return 0;
}

/* ---- reaching the disk ---- */

/* A new name and the synced bytes of its file appear together, by a rename. */
static int publish_file(name *of)
{
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof(beside), "%s.withheld", of->path);
    if (length < 0 || (size_t)length >= sizeof(beside))
        return FM_EINVAL;
    int fd = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fm_file_code_of_errno();
    int result = fm_file_content_move(of->seen, fd);
    if (result < 0)
        close(fd);
    else if (rename(beside, of->path) != 0)
        result = fm_file_code_of_errno();
    if (result < 0)
        unlink(beside);
    else
        of->pending = false;
    return result;
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
                return fm_file_code_of_errno();
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
            fm_file_content_release(of);
        else if (!of->dirty && !of->named->pending)
            name_remove(of->named); /* nothing is withheld: the disk knows all of it */
    }
    pthread_mutex_unlock(&lock);
}

static ssize_t withholding_read(fm_file *file, void *data, size_t size, uint64_t offset)
{
    pthread_mutex_lock(&lock);
    ssize_t result = fm_file_content_read((content *)file, data, size, offset);
    pthread_mutex_unlock(&lock);
    return result;
}

static int withholding_write(fm_file *file, const void *data, size_t size, uint64_t offset)
{
    pthread_mutex_lock(&lock);
    int result = fm_file_content_write((content *)file, data, size, offset);
    pthread_mutex_unlock(&lock);
    return result;
}

static int withholding_allocate(fm_file *file, uint64_t size)
{
    pthread_mutex_lock(&lock);
    int result = fm_file_content_allocate((content *)file, size);
    pthread_mutex_unlock(&lock);
    return result;
}

static int withholding_truncate(fm_file *file, uint64_t size)
{
    pthread_mutex_lock(&lock);
    int result = fm_file_content_truncate((content *)file, size);
    pthread_mutex_unlock(&lock);
    return result;
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
    int result = fm_file_content_sync((content *)file);
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
        fm_file_content_release(gone);
    }
    pthread_mutex_unlock(&lock);
    return result;
}

static int withholding_sync_folder(const char *path)
{
    char folder[PATH_MAX];
    if (realpath(path, folder) == NULL)
        return fm_file_code_of_errno();
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
