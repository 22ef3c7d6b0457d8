/* base/file.c - files of the operating system, and the small operations that every layer shares. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fm_file {
    int fd;
};

static int code_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return FM_ENOTFOUND;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return FM_ENOSPC;
    case ENOMEM:
        return FM_ENOMEM;
    default:
        return FM_EIO;
    }
}

static int system_open(const char *path, int mode, fm_file **out)
{
    int flags = O_CLOEXEC | (mode == FM_FILE_CREATE ? O_RDWR | O_CREAT : O_RDONLY);
    int fd = open(path, flags, 0600);
    if (fd < 0)
        return code_of_errno();
    fm_file *file = malloc(sizeof(*file));
    if (file == NULL) {
        close(fd);
        return FM_ENOMEM;
    }
    file->fd = fd;
    *out = file;
    return 0;
}

static void system_close(fm_file *file)
{
    if (file == NULL)
        return;
    close(file->fd);
    free(file);
}

static ssize_t system_read(fm_file *file, void *data, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(file->fd, (char *)data + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return FM_EIO;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static int system_write(fm_file *file, const void *data, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t put = pwrite(file->fd, (const char *)data + done, size - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return code_of_errno();
        done += (size_t)put;
    }
    return 0;
}

static int system_allocate(fm_file *file, uint64_t size)
{
    if (size == 0)
        return 0;
    do
        errno = posix_fallocate(file->fd, 0, (off_t)size);
    while (errno == EINTR);
    return errno == 0 ? 0 : code_of_errno();
}

static int system_truncate(fm_file *file, uint64_t size)
{
    return ftruncate(file->fd, (off_t)size) == 0 ? 0 : code_of_errno();
}

static int64_t system_size(fm_file *file)
{
    struct stat status;
    return fstat(file->fd, &status) == 0 ? (int64_t)status.st_size : FM_EIO;
}

static int system_sync(fm_file *file)
{
    return fdatasync(file->fd) == 0 ? 0 : code_of_errno();
}

static int system_sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return code_of_errno();
    int result = fsync(fd) == 0 ? 0 : code_of_errno();
    close(fd);
    return result;
}

/* The folder a path lies in. */
static int parent_of(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (size >= PATH_MAX)
        return FM_EINVAL;
    memcpy(out, path, size);
    out[size] = '\0';
    if (size == 0)
        strcpy(out, ".");
    return 0;
}

static int system_rename(const char *from, const char *to)
{
    char from_folder[PATH_MAX], to_folder[PATH_MAX];
    FM_TRY(parent_of(from, from_folder));
    FM_TRY(parent_of(to, to_folder));
    if (rename(from, to) != 0)
        return code_of_errno();
    FM_TRY(system_sync_folder(to_folder));
    return strcmp(from_folder, to_folder) == 0 ? 0 : system_sync_folder(from_folder);
}

static int system_unlink(const char *path)
{
    return unlink(path) == 0 ? 0 : code_of_errno();
}

const fm_file_layer fm_file_system = {
    .open = system_open,
    .close = system_close,
    .read = system_read,
    .write = system_write,
    .allocate = system_allocate,
    .truncate = system_truncate,
    .size = system_size,
    .sync = system_sync,
    .rename = system_rename,
    .unlink = system_unlink,
    .sync_folder = system_sync_folder,
};

static int read_whole(const fm_file_layer *layer, fm_file *file, size_t limit, char **out, size_t *size)
{
    int64_t there = layer->size(file);
    if (there < 0)
        return (int)there;
    if ((uint64_t)there > limit)
        return FM_ELIMIT;
    char *data = malloc((size_t)there + 1);
    if (data == NULL)
        return FM_ENOMEM;
    ssize_t got = layer->read(file, data, (size_t)there, 0); /* short when somebody cut the file meanwhile */
    if (got < 0) {
        free(data);
        return (int)got;
    }
    data[got] = '\0';
    *out = data;
    *size = (size_t)got;
    return 0;
}

int fm_file_read_all(const fm_file_layer *layer, const char *path, size_t limit, char **out, size_t *size)
{
    fm_file *file;
    FM_TRY(layer->open(path, FM_FILE_READ, &file));
    int result = read_whole(layer, file, limit, out, size);
    layer->close(file);
    return result;
}

int fm_file_replace(const fm_file_layer *layer, const char *path, const void *data, size_t size)
{
    char beside[PATH_MAX];
    int length = snprintf(beside, sizeof(beside), "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof(beside))
        return FM_EINVAL;

    fm_file *file;
    FM_TRY(layer->open(beside, FM_FILE_CREATE, &file));
    int result = layer->truncate(file, 0); /* left over from a crash */
    if (result == 0)
        result = layer->write(file, data, size, 0);
    if (result == 0)
        result = layer->sync(file);
    layer->close(file);
    if (result == 0)
        result = layer->rename(beside, path);
    if (result < 0)
        layer->unlink(beside);
    return result;
}

int fm_folder_make(const char *path)
{
    char part[PATH_MAX];
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof(part))
        return FM_EINVAL;
    memcpy(part, path, size + 1);
    for (size_t i = 1; i <= size; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char kept = part[i];
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return code_of_errno();
        part[i] = kept;
    }
    struct stat status;
    if (stat(path, &status) != 0)
        return code_of_errno();
    return S_ISDIR(status.st_mode) ? 0 : FM_EINVAL;
}
