/* tool/eval.c - `fmads eval`: files of numbers in, the same tree of files with scores out.
 *
 * Every file is scored by itself and written whole (beside, then renamed), so a file that is there is complete. The
 * first file that cannot be read ends the run; what was written before it stays. */
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "tool/eval_events.h"
#include "tool/eval_file.h"
#include "tool/report.h"
#include "tool/tool.h"

#include <errno.h>
#include <fts.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct eval_options {
    fm_eval_file *file;
    const char *data, *out, *events;
    bool json;
} eval_options;

typedef struct eval_total {
    uint64_t files;
    fm_eval_count count;
} eval_total;

static const struct {
    const char *name;
    fm_eval_file *file;
} KINDS[] = {{"nab", fm_eval_nab}, {"series", fm_eval_series}, {"events", fm_eval_events}};

static int parse_options(int argc, char **argv, eval_options *out)
{
    static const struct option long_options[] = {
        {"data", 1, NULL, 'd'}, {"events", 1, NULL, 'e'}, {"out", 1, NULL, 'o'}, {"json", 0, NULL, 'j'}, {0}};
    opterr = 0;
    optind = 0; /* glibc: begin anew, also when another subcommand has used it */
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == 'd')
            out->data = optarg;
        else if (option == 'e')
            out->events = optarg;
        else if (option == 'o')
            out->out = optarg;
        else if (option == 'j')
            out->json = true;
        else
            return fm_tool_usage_error("eval", "an option is not known or lacks its value");
    }
    if (argc - optind != 1)
        return fm_tool_usage_error("eval", "say what to evaluate: nab, series or events, or ask for the report");
    for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++)
        if (strcmp(argv[optind], KINDS[i].name) == 0)
            out->file = KINDS[i].file;
    if (!out->file)
        return fm_tool_usage_error("eval", "\"%s\" is not nab, series, events or report", argv[optind]);
    if (!out->data || !out->out)
        return fm_tool_usage_error("eval", "--data and --out must be given");
    if ((out->events != NULL) != (out->file == fm_eval_events))
        return fm_tool_usage_error("eval", "--events must be given for events, and for nothing else");
    return 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), tail = strlen(end);
    return size > tail && strcmp(text + size - tail, end) == 0;
}

/* The folder in which the scores go must not lie where data are read: they would be data the next time. */
static int check_folders(const eval_options *options, fm_error *error)
{
    char data[PATH_MAX], out[PATH_MAX];
    if (!realpath(options->data, data))
        return fm_fail_errno(error, FM_ENOTFOUND, "could not open the folder \"%s\"", options->data);
    if (fm_folder_make(options->out) < 0 || !realpath(options->out, out))
        return fm_fail_errno(error, FM_EIO, "could not make the folder \"%s\"", options->out);
    size_t size = strlen(data);
    if (strncmp(data, out, size) == 0 && (out[size] == '/' || out[size] == '\0'))
        return fm_fail(error, FM_EINVAL, "\"%s\" lies in the data folder \"%s\"; scores must go elsewhere",
                       options->out, options->data);
    return 0;
}

/* Where the scores of `relative` go; its folder is made. */
static int make_place(const eval_options *options, const char *relative, char *path, fm_error *error)
{
    int size = snprintf(path, PATH_MAX, "%s/%s", options->out, relative);
    if (size >= PATH_MAX)
        return fm_fail(error, FM_ELIMIT, "the path \"%s/%s\" is too long", options->out, relative);
    if (ends_with(path, ".gz"))
        path[size -= 3] = '\0';
    if (options->events) {
        size -= ends_with(path, ".csv") ? 4 : 0;
        if (snprintf(path + size, PATH_MAX - (size_t)size, ".scores.csv") >= PATH_MAX - size)
            return fm_fail(error, FM_ELIMIT, "the path \"%s\" is too long", path);
    }
    char *slash = strrchr(path, '/');
    *slash = '\0';
    int result = fm_folder_make(path);
    if (result < 0)
        fm_fail_errno(error, result, "could not make the folder \"%s\"", path);
    *slash = '/';
    return result;
}

static int score_one(const eval_options *options, const char *from, eval_total *total, fm_error *error)
{
    char path[PATH_MAX];
    fm_text scores = {0};
    const char *relative = from + strlen(options->data);
    relative += strspn(relative, "/");
    int result = options->file(from, &scores, &total->count, error);
    if (result >= 0)
        result = make_place(options, relative, path, error);
    if (result >= 0) {
        result = fm_file_replace(&fm_file_system, path, scores.data, scores.size);
        if (result < 0)
            fm_fail(error, result, "could not write \"%s\": %s", path, fm_error_text(result));
    }
    fm_text_fini(&scores);
    total->files += result >= 0;
    return result;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* "a.csv" and "a.csv.gz" would be scored into one file. */
static int check_twin(const char *path, fm_error *error)
{
    char twin[PATH_MAX];
    if (!ends_with(path, ".csv") || snprintf(twin, sizeof(twin), "%s.gz", path) >= PATH_MAX || access(twin, F_OK) != 0)
        return 0;
    return fm_fail(error, FM_EINVAL, "\"%s\" is there twice, plain and as gzip", path);
}

static int score_all(const eval_options *options, eval_total *total, fm_error *error)
{
    char *roots[] = {(char *)options->data, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!tree)
        return fm_fail_errno(error, FM_EIO, "could not read the folder \"%s\"", options->data);
    int result = 0;
    for (FTSENT *entry; result >= 0 && (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
            errno = entry->fts_errno;
            result = fm_fail_errno(error, FM_EIO, "could not read \"%s\"", entry->fts_path);
        } else if (entry->fts_info == FTS_F && entry->fts_level == 0) {
            result = fm_fail(error, FM_EINVAL, "\"%s\" is not a folder", options->data);
        } else if (entry->fts_info == FTS_F &&
                   (ends_with(entry->fts_name, ".csv") || ends_with(entry->fts_name, ".csv.gz"))) {
            result = check_twin(entry->fts_path, error);
            if (result >= 0)
                result = score_one(options, entry->fts_path, total, error);
        }
    }
    fts_close(tree);
    if (result >= 0 && total->files == 0)
        return fm_fail(error, FM_ENOTFOUND, "there is no .csv or .csv.gz file in \"%s\"", options->data);
    return result;
}

typedef struct listed {
    const eval_options *options;
    eval_total *total;
} listed;

static int score_listed(void *context, const char *file, fm_error *error)
{
    listed *run = context;
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", run->options->data, file) >= PATH_MAX)
        return fm_fail(error, FM_ELIMIT, "the path \"%s/%s\" is too long", run->options->data, file);
    return score_one(run->options, path, run->total, error);
}

static int score_files(const eval_options *options, eval_total *total, fm_error *error)
{
    listed run = {options, total};
    return options->events ? fm_eval_events_list(options->events, score_listed, &run, error)
                           : score_all(options, total, error);
}

int fm_tool_eval(int argc, char **argv)
{
    eval_options options = {0};
    eval_total total = {0};
    fm_error error = {0};
    if (argc > 1 && strcmp(argv[1], "report") == 0)
        return fm_eval_report(argc - 1, argv + 1);
    int result = parse_options(argc, argv, &options);
    if (result != 0)
        return result;
    int64_t begin_ns = fm_thread_cpu_ns();
    if (check_folders(&options, &error) < 0 || score_files(&options, &total, &error) < 0)
        return fm_tool_failed(&error);
    double seconds = (double)(fm_thread_cpu_ns() - begin_ns) / 1e9;
    if (options.json)
        printf("{\"files\":%" PRIu64 ",\"rows\":%" PRIu64 ",\"alarms\":%" PRIu64 ",\"refused\":%" PRIu64
               ",\"cpu_seconds\":%.3f}\n",
               total.files, total.count.rows, total.count.alarms, total.count.refused, seconds);
    else if (total.count.refused > 0)
        printf("%" PRIu64 " files, %" PRIu64 " rows, %" PRIu64 " refused, %.2f s of CPU; scores in %s\n", total.files,
               total.count.rows, total.count.refused, seconds, options.out);
    else
        printf("%" PRIu64 " files, %" PRIu64 " rows, %.2f s of CPU; scores in %s\n", total.files, total.count.rows,
               seconds, options.out);
    return FM_EXIT_OK;
}
