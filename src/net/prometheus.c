/* net/prometheus.c - the tables of base/metrics.def and base/errors.def as text. */
#include "net/prometheus.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define FIRST_REASON 100 /* errors.def: 100..199 are reasons for one record */
#define LAST_REASON  199

typedef enum kind { COUNTER, GAUGE } kind;

static const struct {
    const char *name;
    kind type;
    const char *help;
} rows[FM_METRIC_COUNT] = {
#define METRIC(id, name, type, unit, help) {name, type, help},
#include "base/metrics.def"
#undef METRIC
};

static void head(fm_text *out, const char *name, kind type, const char *help)
{
    fm_text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type == COUNTER ? "counter" : "gauge");
}

void fm_prometheus_counters(fm_text *out, const fm_counters *const *blocks, uint32_t count)
{
    for (int metric = 0; metric < FM_METRIC_COUNT; metric++) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i < count; i++)
            sum += blocks[i] != NULL ? fm_counter(blocks[i], (fm_metric)metric) : 0;
        head(out, rows[metric].name, rows[metric].type, rows[metric].help);
        fm_text_printf(out, "%s %llu\n", rows[metric].name, (unsigned long long)sum);
    }
    head(out, "fmads_ingest_rejected_total", COUNTER, "Records refused, by reason.");
    for (int row = 0; row < fm_error_count() && row < FM_REASON_MAX; row++) {
        uint64_t sum = 0;
        int code = -fm_error_at(row);
        for (uint32_t i = 0; i < count; i++)
            sum += blocks[i] != NULL ? atomic_load_explicit(&blocks[i]->rejected[row], memory_order_relaxed) : 0;
        if (sum > 0 || (code >= FIRST_REASON && code <= LAST_REASON))
            fm_text_printf(out, "fmads_ingest_rejected_total{reason=\"%s\"} %llu\n", fm_error_name(-code),
                           (unsigned long long)sum);
    }
}

static void real(fm_text *out, const char *name, kind type, const char *help, double value)
{
    head(out, name, type, help);
    fm_text_printf(out, "%s %.17g\n", name, value);
}

/* Fields of /proc/self/stat behind the command: start time (22) and resident pages (24). */
static void from_stat(fm_text *out)
{
    char line[1024];
    unsigned long long start = 0;
    long pages = 0;
    double uptime = 0;
    FILE *file = fopen("/proc/self/stat", "re");

    if (file == NULL)
        return;
    size_t size = fread(line, 1, sizeof(line) - 1, file);
    fclose(file);
    line[size] = '\0';
    const char *behind = strrchr(line, ')');
    if (behind == NULL ||
        sscanf(behind + 2, "%*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %*s %ld",
               &start, &pages) != 2)
        return;
    real(out, "process_resident_memory_bytes", GAUGE, "Memory of the process that is resident.",
         (double)pages * (double)sysconf(_SC_PAGESIZE));
    if ((file = fopen("/proc/stat", "re")) == NULL)
        return;
    while (fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "btime %lf", &uptime) == 1)
            real(out, "process_start_time_seconds", GAUGE, "When the process started, seconds since 1970.",
                 uptime + (double)start / (double)sysconf(_SC_CLK_TCK));
    fclose(file);
}

void fm_prometheus_process(fm_text *out)
{
    struct rusage usage;
    struct rlimit limit;
    DIR *folder = opendir("/proc/self/fd");

    if (getrusage(RUSAGE_SELF, &usage) == 0)
        real(out, "process_cpu_seconds_total", COUNTER, "CPU time of the process, user and system.",
             (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    if (folder != NULL) {
        int count = -3; /* ".", ".." and the folder itself */
        while (readdir(folder) != NULL)
            count++;
        closedir(folder);
        real(out, "process_open_fds", GAUGE, "Open file descriptors.", count);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        real(out, "process_max_fds", GAUGE, "File descriptors that may be open.", (double)limit.rlim_cur);
    from_stat(out);
}

void fm_prometheus_build(fm_text *out, const char *version)
{
    head(out, "fmads_build_info", GAUGE, "1, with the version of the program.");
    fm_text_printf(out, "fmads_build_info{version=\"%s\"} 1\n", version != NULL ? version : "");
}
