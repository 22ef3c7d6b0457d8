/* tests/bench/load/meter.c - see meter.h. schedstat counts nanoseconds; /proc/PID/stat would count hundredths of a
 * second. */
#include "bench/load/meter.h"

#include "base/clock.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int64_t read_first_number(const char *path, int skip)
{
    long long value = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    for (int i = 0; i <= skip; i++)
        if (fscanf(file, "%lld", &value) != 1)
            value = 0;
    fclose(file);
    return value;
}

void meter_read(load_meter *meter)
{
    char path[300];
    meter->wall_ns = fm_mono_ns(&fm_clock_system);
    meter->cpu_ns = meter->rss_bytes = 0;
    if (meter->pid <= 0)
        return;
    snprintf(path, sizeof(path), "/proc/%d/task", meter->pid);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", meter->pid, entry->d_name);
        meter->cpu_ns += read_first_number(path, 0);
    }
    if (tasks)
        closedir(tasks);
    snprintf(path, sizeof(path), "/proc/%d/statm", meter->pid);
    meter->rss_bytes = read_first_number(path, 1) * sysconf(_SC_PAGESIZE);
}

int meter_pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set);
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void sort_times(int64_t *times, uint32_t count)
{
    qsort(times, count, sizeof(*times), by_time);
}

int64_t quantile(const int64_t *sorted, uint32_t count, double q)
{
    if (count == 0)
        return 0;
    uint32_t rank = (uint32_t)(q * count);
    return sorted[rank < count ? rank : count - 1];
}
