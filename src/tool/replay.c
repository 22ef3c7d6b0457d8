/* tool/replay.c - `fmads replay`: recorded files to a server, as fast as recorded or as fast as it takes them.
 *
 * A file is named by the hash of its bytes and a record by its row, so whatever is sent twice - a lost answer, a second
 * run - is answered as duplicates. The time domain is named by the files too, so that a replay never mixes with live
 * data and the same files meet their own past. With --symbol, --date or --format the rows mean something else, so they
 * go into the source's name. */
#include "base/clock.h"
#include "base/text.h"
#include "ingest/file_format.h"
#include "tool/client.h"
#include "tool/digest.h"
#include "tool/tool.h"
#include "tool/wire.h"

#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH_PRESET  500
#define BATCH_MAX     10000
#define PACE_NS       (10 * FM_NS_PER_MS) /* records due within this go out together */
#define SOURCE_SIZE   32
#define DOMAIN_DIGITS 12

typedef struct replay_options {
    const char *url, *domain, *format, *symbol, *date;
    double speed; /* 0 = as fast as possible */
    uint32_t batch;
    int32_t patience_ms;
    fm_wire wire;
    bool merge, json, quiet;
    char **file;
    int file_count;
} replay_options;

typedef struct source {
    fm_file_reader *reader;
    char name[FM_DIGEST_HEX]; /* `src`: its first 32 digits */
    fm_record record;
    bool ready; /* record holds the next row */
} source;

typedef struct replay {
    const replay_options *options;
    fm_client *client;
    source *source;
    char path[64 + 3 * FM_NAME_MAX];
    char *batch;
    size_t batch_size;
    uint32_t batch_count;
    uint64_t read, unreadable; /* rows; of them refused here, before they were sent */
    fm_verdict verdict;
    char first[640]; /* the first refusal, for the person */
    int64_t begin_mono_ns, first_ts_ns, drawn_mono_ns;
} replay;

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

/* ---- options ---- */

static bool parse_number(const char *text, double low, double high, double *out)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= low && value <= high))
        return false;
    *out = value;
    return true;
}

static bool parse_speed(const char *text, double *out)
{
    char number[32];
    size_t size = strlen(text);
    if (strcmp(text, "max") == 0) {
        *out = 0;
        return true;
    }
    if (size < 2 || size >= sizeof(number) || text[size - 1] != 'x')
        return false;
    fm_slice_copy((fm_slice){text, size - 1}, number, sizeof(number));
    return parse_number(number, 1e-3, 1e9, out);
}

static bool valid_name(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > FM_NAME_MAX)
        return false;
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return true;
}

enum {
    OPTION_SPEED = 1,
    OPTION_TO,
    OPTION_DOMAIN,
    OPTION_MERGE,
    OPTION_BATCH,
    OPTION_FORMAT,
    OPTION_SYMBOL,
    OPTION_DATE,
    OPTION_WIRE,
    OPTION_WAIT,
    OPTION_JSON,
    OPTION_QUIET
};

static const struct option long_options[] = {
    {"speed", 1, NULL, OPTION_SPEED},
    {"to", 1, NULL, OPTION_TO},
    {"domain", 1, NULL, OPTION_DOMAIN},
    {"merge", 0, NULL, OPTION_MERGE},
    {"batch", 1, NULL, OPTION_BATCH},
    {"format", 1, NULL, OPTION_FORMAT},
    {"symbol", 1, NULL, OPTION_SYMBOL},
    {"date", 1, NULL, OPTION_DATE},
    {"wire", 1, NULL, OPTION_WIRE},
    {"wait", 1, NULL, OPTION_WAIT},
    {"json", 0, NULL, OPTION_JSON},
    {"quiet", 0, NULL, OPTION_QUIET},
    {0},
};

static int parse_option(int option, const char *value, replay_options *out)
{
    double number;
    switch (option) {
    case OPTION_SPEED:
        return parse_speed(value, &out->speed)
                   ? 0
                   : fm_tool_usage_error("replay", "--speed must be 1x, 10x, 0.5x... or max");
    case OPTION_TO:
        out->url = value;
        return 0;
    case OPTION_DOMAIN:
        out->domain = value;
        return valid_name(value)
                   ? 0
                   : fm_tool_usage_error("replay", "--domain must be 1 to 64 printable characters without spaces");
    case OPTION_MERGE:
        out->merge = true;
        return 0;
    case OPTION_BATCH:
        if (!parse_number(value, 1, BATCH_MAX, &number))
            return fm_tool_usage_error("replay", "--batch must be 1 to %d", BATCH_MAX);
        out->batch = (uint32_t)number;
        return 0;
    case OPTION_FORMAT:
        out->format = value;
        for (uint32_t i = 0; fm_file_format_name(i); i++)
            if (strcmp(fm_file_format_name(i), value) == 0)
                return 0;
        return fm_tool_usage_error("replay", "--format \"%s\" is not known", value);
    case OPTION_SYMBOL:
        out->symbol = value;
        return valid_name(value)
                   ? 0
                   : fm_tool_usage_error("replay", "--symbol must be 1 to 64 printable characters without spaces");
    case OPTION_DATE:
        out->date = value;
        return strlen(value) == 8 && strspn(value, "0123456789") == 8
                   ? 0
                   : fm_tool_usage_error("replay", "--date must be YYYYMMDD");
    case OPTION_WIRE:
        out->wire = strcmp(value, "msgpack") == 0 ? FM_WIRE_MSGPACK : FM_WIRE_NDJSON;
        return out->wire == FM_WIRE_MSGPACK || strcmp(value, "ndjson") == 0
                   ? 0
                   : fm_tool_usage_error("replay", "--wire must be ndjson or msgpack");
    case OPTION_WAIT:
        if (!parse_number(value, 0, 86400, &number))
            return fm_tool_usage_error("replay", "--wait must be 0 to 86400 seconds");
        out->patience_ms = (int32_t)(1000 * number);
        return 0;
    case OPTION_JSON:
        out->json = true;
        return 0;
    case OPTION_QUIET:
        out->quiet = true;
        return 0;
    default:
        return fm_tool_usage_error("replay", "an option is not known or lacks its value");
    }
}

static int parse_options(int argc, char **argv, replay_options *out)
{
    *out = (replay_options){.url = "http://127.0.0.1:8080", .batch = BATCH_PRESET, .patience_ms = 60000};
    opterr = 0;
    optind = 0; /* glibc: begin anew, also when another subcommand has used it */
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        int result = parse_option(option, optarg, out);
        if (result != 0)
            return result;
    }
    out->file = argv + optind;
    out->file_count = argc - optind;
    return out->file_count > 0 ? 0 : fm_tool_usage_error("replay", "no file was named");
}

/* ---- what is sent, and under which names ---- */

static int name_source(const replay_options *options, const char *path, char hex[FM_DIGEST_HEX], fm_error *error)
{
    FM_TRY(fm_digest_file(path, hex, error));
    if (!options->symbol && !options->date && !options->format)
        return 0;
    fm_text text = {0};
    fm_text_printf(&text, "%s symbol=%s date=%s format=%s", hex, options->symbol ? options->symbol : "",
                   options->date ? options->date : "", options->format ? options->format : "");
    int result = fm_digest_bytes(text.data, text.size, hex);
    fm_text_fini(&text);
    return result;
}

static void put_escaped(char *out, size_t size, const char *text)
{
    size_t used = 0;
    for (; *text && used + 4 < size; text++)
        used +=
            (size_t)snprintf(out + used, size - used, strchr("%&#+?=", *text) ? "%%%02X" : "%c", (unsigned char)*text);
}

static int open_sources(replay *run, fm_error *error)
{
    const replay_options *options = run->options;
    char hex[FM_DIGEST_HEX], domain[FM_NAME_MAX + 1];
    fm_text all = {0};
    int result = 0;

    for (int i = 0; i < options->file_count && result == 0; i++) {
        source *one = &run->source[i];
        result = name_source(options, options->file[i], one->name, error);
        if (result == 0) {
            fm_text_add(&all, one->name, FM_DIGEST_HEX - 1);
            one->name[SOURCE_SIZE] = '\0';
            result = fm_file_reader_open(options->file[i], options->format, options->symbol, options->date,
                                         &one->reader, error);
        }
    }
    if (result == 0)
        result = fm_digest_bytes(all.data, all.size, hex);
    fm_text_fini(&all);
    FM_TRY(result);
    if (options->domain)
        snprintf(domain, sizeof(domain), "%s", options->domain);
    else
        snprintf(domain, sizeof(domain), "replay-%.*s", DOMAIN_DIGITS, hex);
    int used = snprintf(run->path, sizeof(run->path), "/v1/ingest?domain=");
    put_escaped(run->path + used, sizeof(run->path) - (size_t)used, domain);
    return 0;
}

/* ---- sending ---- */

static void draw_progress(replay *run, bool last)
{
    int64_t now_ns = fm_mono_ns(&fm_clock_system);
    if (run->options->quiet || !isatty(STDERR_FILENO) || (!last && now_ns - run->drawn_mono_ns < 200 * FM_NS_PER_MS))
        return;
    run->drawn_mono_ns = now_ns;
    uint64_t done = 0, all = 0;
    for (int i = 0; i < run->options->file_count; i++) {
        done += fm_file_reader_bytes(run->source[i].reader);
        all += fm_file_reader_size(run->source[i].reader);
    }
    double part = all ? (double)done / (double)all : 1, seconds = (double)(now_ns - run->begin_mono_ns) / 1e9;
    fprintf(stderr,
            "\r\033[K[%-30.*s] %3.0f %%  %" PRIu64 " records  %.0f/s  accepted %" PRIu64 "  rejected %" PRIu64
            "  duplicate %" PRIu64 "%s",
            (int)(30 * part), "##############################", 100 * part, run->read,
            (double)run->read / (seconds > 0 ? seconds : 1), run->verdict.accepted,
            run->verdict.rejected + run->unreadable, run->verdict.duplicate, last ? "\n" : "");
}

static int flush(replay *run, fm_error *error)
{
    if (run->batch_count == 0)
        return 0;
    fm_slice body = {run->batch, run->batch_size};
    FM_TRY(
        fm_client_ingest(run->client, run->path, fm_wire_content_type(run->options->wire), body, &run->verdict, error));
    if (run->first[0] == '\0' && run->verdict.first[0] != '\0')
        snprintf(run->first, sizeof(run->first), "%s", run->verdict.first);
    run->batch_count = 0;
    run->batch_size = 0;
    draw_progress(run, false);
    return 0;
}

/* Until the record is due at the speed asked for. */
static int keep_pace(replay *run, int64_t ts_ns, fm_error *error)
{
    if (run->options->speed <= 0)
        return 0;
    if (run->first_ts_ns == FM_ABSENT)
        run->first_ts_ns = ts_ns;
    double ahead_ns = (double)(ts_ns - run->first_ts_ns) / run->options->speed;
    for (;;) {
        double wait_ns = ahead_ns - (double)(fm_mono_ns(&fm_clock_system) - run->begin_mono_ns);
        if (wait_ns <= (double)PACE_NS)
            return 0;
        FM_TRY(flush(run, error));
        if (stop)
            return FM_ESHUTDOWN;
        poll(NULL, 0, wait_ns < 1e8 ? (int)(wait_ns / 1e6) : 100);
        draw_progress(run, false);
    }
}

static int send_record(replay *run, source *from, fm_error *error)
{
    FM_TRY(keep_pace(run, from->record.ts_ns, error));
    from->record.source = (fm_slice){from->name, SOURCE_SIZE};
    run->batch_size += fm_wire_write(run->options->wire, &from->record, run->batch + run->batch_size);
    run->read++;
    from->ready = false;
    if (++run->batch_count == run->options->batch)
        FM_TRY(flush(run, error));
    return stop ? FM_ESHUTDOWN : 0;
}

/* 1: from->record is the next row. 0: the end. Rows that cannot be read are counted and passed over; bytes that cannot
 * be read end it. */
static int next_row(replay *run, source *from, fm_error *error)
{
    while (!from->ready) {
        fm_error row_error = {0};
        int result = fm_file_reader_next(from->reader, &from->record, &row_error);
        if (result == 0)
            return 0;
        if (result == FM_EIO || result == FM_ECORRUPT || result == FM_encoding || result == FM_ENOMEM) {
            *error = row_error;
            return result;
        }
        from->ready = result > 0;
        if (result > 0)
            break;
        run->read++;
        run->unreadable++;
        if (run->first[0] == '\0')
            snprintf(run->first, sizeof(run->first), "%s: %s", fm_error_name(result), row_error.message);
    }
    return 1;
}

static int send_in_turn(replay *run, fm_error *error)
{
    for (int i = 0; i < run->options->file_count; i++)
        for (int result; (result = next_row(run, &run->source[i], error)) != 0;) {
            FM_TRY(result);
            FM_TRY(send_record(run, &run->source[i], error));
        }
    return flush(run, error);
}

static int send_merged(replay *run, fm_error *error)
{
    for (;;) {
        source *earliest = NULL;
        for (int i = 0; i < run->options->file_count; i++) {
            int result = next_row(run, &run->source[i], error);
            FM_TRY(result);
            if (result > 0 && (!earliest || run->source[i].record.ts_ns < earliest->record.ts_ns))
                earliest = &run->source[i];
        }
        if (!earliest)
            return flush(run, error);
        FM_TRY(send_record(run, earliest, error));
    }
}

/* ---- the whole of it ---- */

/* What was refused before it was sent, by reason; and what files tell that no record takes. */
static void print_files(const replay *run)
{
    uint64_t actions = 0;
    for (int index = 0; index < fm_error_count(); index++) {
        uint64_t refused = 0;
        for (int i = 0; i < run->options->file_count; i++)
            refused += fm_file_reader_refused(run->source[i].reader, fm_error_at(index));
        if (refused > 0)
            printf("refused here: %" PRIu64 " %s\n", refused, fm_error_name(fm_error_at(index)));
    }
    for (int i = 0; i < run->options->file_count; i++)
        actions += fm_file_reader_counts(run->source[i].reader)->actions;
    if (actions > 0)
        printf("%" PRIu64 " rows name a dividend or a split, which are not taken yet\n", actions);
}

static void print_accounting(const replay *run)
{
    uint64_t rejected = run->verdict.rejected + run->unreadable;
    if (run->options->json) {
        printf("{\"read\":%" PRIu64 ",\"accepted\":%" PRIu64 ",\"rejected\":%" PRIu64 ",\"duplicate\":%" PRIu64 "}\n",
               run->read, run->verdict.accepted, rejected, run->verdict.duplicate);
        return;
    }
    if (run->first[0])
        printf("first refusal: %s\n", run->first);
    print_files(run);
    if (run->verdict.resent)
        printf("%" PRIu64 " requests were sent more than once; what had arrived counts as duplicate\n",
               run->verdict.resent);
    printf("read %" PRIu64 "  accepted %" PRIu64 "  rejected %" PRIu64 "  duplicate %" PRIu64 "  in domain %s\n",
           run->read, run->verdict.accepted, rejected, run->verdict.duplicate, strchr(run->path, '=') + 1);
}

/* Bytes that cannot be read end a replay, but not before the rows in front of them are sent. */
static int send_files(replay *run, fm_error *error)
{
    int result = run->options->merge ? send_merged(run, error) : send_in_turn(run, error);
    if (result == FM_EIO || result == FM_encoding || result == FM_ECORRUPT)
        FM_TRY(flush(run, error));
    return result;
}

static int send_all(replay *run, fm_error *error)
{
    fm_client_config config = {
        .url = run->options->url, .timeout_ms = 30000, .patience_ms = run->options->patience_ms, .stop = &stop};
    FM_TRY(fm_client_open(&config, &run->client, error));
    FM_TRY(open_sources(run, error));
    run->begin_mono_ns = fm_mono_ns(&fm_clock_system);
    int result = send_files(run, error);
    draw_progress(run, true);
    return result;
}

int fm_tool_replay(int argc, char **argv)
{
    replay_options options;
    int usage = parse_options(argc, argv, &options);
    if (usage != 0)
        return usage;
    replay run = {.options = &options, .first_ts_ns = FM_ABSENT};
    fm_error error = {0};
    run.source = calloc((size_t)options.file_count, sizeof(*run.source));
    run.batch = malloc((size_t)options.batch * FM_WIRE_RECORD_MAX);
    struct sigaction action = {.sa_handler = on_signal}, old_int, old_term;
    sigaction(SIGINT, &action, &old_int);
    sigaction(SIGTERM, &action, &old_term);

    int result = run.source && run.batch ? send_all(&run, &error) : FM_ENOMEM;
    if (result == FM_ESHUTDOWN)
        fm_fail(&error, result, "stopped; the same command goes on where this one ended");
    else if (result < 0 && error.code == 0)
        fm_fail(&error, result, "%s", fm_error_text(result));
    fflush(stderr);
    if (run.path[0])
        print_accounting(&run);
    for (int i = 0; run.source && i < options.file_count; i++)
        if (run.source[i].reader)
            fm_file_reader_close(run.source[i].reader);
    fm_client_close(run.client);
    free(run.source);
    free(run.batch);
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    if (result < 0)
        return fm_tool_failed(&error);
    return run.verdict.rejected + run.unreadable > 0 ? FM_EXIT_FOUND : FM_EXIT_OK;
}
