/* tests/bench/ceiling_bench.c - what this machine can do at best, to set beside the server's figures.
 *
 *   ceiling [FOLDER]
 * prints JSON lines: memcpy of blocks beyond the caches, checksum of a tick, pwrite of journal-sized frames into a file
 * in FOLDER. */
#include "base/clock.h"
#include "base/hash.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK  (64u << 20)
#define FRAME  (64u << 10)
#define ROUNDS 9

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), by_value);
    return values[ROUNDS / 2];
}

static int64_t now(void)
{
    return fm_mono_ns(&fm_clock_system);
}

static void copy(char *to, const char *from)
{
    double gib[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        int64_t begin = now();
        memcpy(to, from, BLOCK);
        gib[i] = BLOCK / 1.073741824 / (double)(now() - begin);
    }
    printf("{\"name\":\"ceiling.memcpy\",\"gib_per_s\":%.2f}\n", median(gib));
}

static void checksum(const char *from)
{
    double ns[ROUNDS];
    volatile uint32_t sink = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t begin = now();
        for (size_t at = 0; at + 64 <= FRAME; at += 64)
            sink += fm_crc32c(0, from + at, 64);
        ns[i] = (double)(now() - begin) / (FRAME / 64);
    }
    printf("{\"name\":\"ceiling.crc32c_64\",\"ns\":%.2f}\n", median(ns));
}

static int write_file(const char *folder, const char *from)
{
    char path[512];
    double gib[ROUNDS];
    snprintf(path, sizeof(path), "%s/ceiling.%d", folder, (int)getpid());
    int file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0 || posix_fallocate(file, 0, BLOCK) != 0) {
        fprintf(stderr, "ceiling: could not write in %s\n", folder);
        return 3;
    }
    for (int i = 0; i < ROUNDS; i++) {
        int64_t begin = now();
        for (off_t at = 0; at < BLOCK; at += FRAME)
            if (pwrite(file, from + at, FRAME, at) != FRAME)
                return 3;
        gib[i] = BLOCK / 1.073741824 / (double)(now() - begin);
    }
    close(file);
    unlink(path);
    printf("{\"name\":\"ceiling.pwrite_64k\",\"gib_per_s\":%.2f}\n", median(gib));
    return 0;
}

int main(int argc, char **argv)
{
    char *to = malloc(BLOCK), *from = malloc(BLOCK);
    if (!to || !from)
        return 3;
    memset(to, 1, BLOCK);
    memset(from, 2, BLOCK);
    copy(to, from);
    checksum(from);
    int result = write_file(argc > 1 ? argv[1] : "/tmp", from);
    free(to);
    free(from);
    return result;
}
