/* tool/demo.c - feeds, polls, prints: one thread, twenty rounds a second. */
#include "tool/demo.h"

#include "base/clock.h"
#include "base/text.h"
#include "sim/market.h"
#include "tool/client.h"
#include "tool/peek.h"
#include "tool/tool.h"
#include "tool/wire.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH      500
#define ROUND_MS   50
#define POLL_NS    (500 * FM_NS_PER_MS)
#define STATUS_NS  FM_NS_PER_S
#define PAGE       100
#define PAGES_MAX  5
#define LINES_MAX  12                 /* alerts printed of one poll; a flood shall not scroll the rest away */
#define BELONGS_NS (30 * FM_NS_PER_S) /* an alert this long after an anomaly's end is still its echo */

const fm_demo_config fm_demo_config_preset = {.url = "http://127.0.0.1:8080",
                                              .seed = 1,
                                              .instruments = 60,
                                              .rate = 1000,
                                              .warm_up_s = 1800,
                                              .first_s = 10,
                                              .every_s = 25};

typedef struct demo_state {
    const fm_demo_config *config;
    const volatile sig_atomic_t *stop;
    fm_client *client;
    fm_sim *sim;
    char source[48];
    char *batch;
    size_t batch_size;
    uint32_t batch_count;
    fm_verdict verdict;
    int64_t live_ns;  /* when the market went live */
    int64_t last_seq; /* newest alert shown, by the router's sequence */
    uint64_t alerts, alerts_matched;
    bool *found; /* by label */
    size_t label_count, found_capacity;
    uint64_t sent, sent_before;
    int64_t polled_ns, status_ns;
    bool terminal; /* a status line is redrawn in place */
} demo_state;

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    (void)number;
    caught = 1;
}

/* ---- the terminal ---- */

static const char *paint(const demo_state *demo, const char *sequence)
{
    return demo->config->color ? sequence : "";
}
#define PLAIN "\033[0m"
#define DIM   "\033[2m"
#define BOLD  "\033[1m"

static void clear_status(const demo_state *demo)
{
    if (demo->terminal)
        fputs("\r\033[K", stdout);
}

static void put_time(int64_t ts_ns)
{
    char text[40];
    fm_time_format(ts_ns, text);
    printf("%.12s", text + 11); /* hh:mm:ss.mmm */
}

static void print_injected(const demo_state *demo, const fm_sim_label *label)
{
    clear_status(demo);
    fputs(paint(demo, DIM), stdout);
    put_time(label->start_ns);
    printf("  injected %s into %s for %lld s%s\n", fm_sim_anomaly_name(label->kind), label->symbol,
           (label->end_ns - label->start_ns) / FM_NS_PER_S, paint(demo, PLAIN));
}

static size_t count_found(const demo_state *demo)
{
    size_t found = 0;
    for (size_t i = 0; i < demo->label_count; i++)
        found += demo->found[i];
    return found;
}

static void print_status(demo_state *demo, int64_t now_ns)
{
    double seconds = (double)(now_ns - demo->status_ns) / 1e9;
    double rate = (double)(demo->sent - demo->sent_before) / (seconds > 0 ? seconds : 1);
    demo->sent_before = demo->sent;
    demo->status_ns = now_ns;
    if (!demo->terminal)
        return;
    printf("\r\033[K%s%.0f ticks/s  %" PRIu64 " sent  %" PRIu64 " rejected  alerts %" PRIu64
           "  anomalies injected %zu, found %zu  (Ctrl-C ends)%s",
           paint(demo, BOLD), rate, demo->sent, demo->verdict.rejected, demo->alerts, demo->label_count,
           count_found(demo), paint(demo, PLAIN));
    fflush(stdout);
}

static void print_welcome(const demo_state *demo)
{
    const char *url = demo->config->url;
    printf("A simulated market of %" PRIu32 " names is live (seed %" PRIu64 "). Look at it:\n"
           "  alerts       %s/v1/alerts\n"
           "  instruments  %s/v1/instruments\n"
           "  rules        %s/v1/rules\n"
           "  metrics      %s/metrics\n"
           "  API          %s/openapi.json\n\n",
           demo->config->instruments, demo->config->seed, url, url, url, url, url);
}

/* ---- the feed ---- */

static int flush(demo_state *demo, fm_error *error)
{
    if (demo->batch_count == 0)
        return 0;
    fm_slice body = {demo->batch, demo->batch_size};
    int result =
        fm_client_ingest(demo->client, "/v1/ingest", fm_wire_content_type(FM_WIRE_NDJSON), body, &demo->verdict, error);
    demo->sent += demo->batch_count;
    demo->batch_count = 0;
    demo->batch_size = 0;
    return result;
}

/* Everything with an event time up to until_ns. */
static int feed(demo_state *demo, int64_t until_ns, fm_error *error)
{
    fm_record record;
    while (!*demo->stop && fm_sim_peek_ns(demo->sim) <= until_ns) {
        int result = fm_sim_next(demo->sim, &record);
        if (result <= 0)
            return result;
        record.source = fm_slice_of(demo->source);
        demo->batch_size += fm_wire_json(&record, demo->batch + demo->batch_size);
        if (++demo->batch_count == BATCH)
            FM_TRY(flush(demo, error));
    }
    return flush(demo, error);
}

static int warm_up(demo_state *demo, fm_error *error)
{
    int64_t begin_ns = fm_mono_ns(&fm_clock_system);
    if (demo->config->warm_up_s > 0) {
        printf("sending %" PRId64 " minutes of history so that averages are warm...\n", demo->config->warm_up_s / 60);
        fflush(stdout);
    }
    FM_TRY(feed(demo, demo->live_ns, error));
    if (demo->sent > 0)
        printf("%" PRIu64 " records in %.1f s\n\n", demo->sent,
               (double)(fm_mono_ns(&fm_clock_system) - begin_ns) / 1e9);
    return 0;
}

/* ---- what was injected, and what was found ---- */

static int follow_labels(demo_state *demo)
{
    size_t count = 0;
    const fm_sim_label *label = fm_sim_labels(demo->sim, &count);
    if (count > demo->found_capacity) {
        size_t capacity = 2 * count + 64;
        bool *grown = realloc(demo->found, capacity * sizeof(*grown));
        if (!grown)
            return FM_ENOMEM;
        memset(grown + demo->found_capacity, 0, (capacity - demo->found_capacity) * sizeof(*grown));
        demo->found = grown;
        demo->found_capacity = capacity;
    }
    for (; demo->label_count < count; demo->label_count++)
        print_injected(demo, &label[demo->label_count]);
    return 0;
}

/* The anomaly that an alert belongs to; NULL when none. Marks it found. */
static const fm_sim_label *match_label(demo_state *demo, const char *symbol, int64_t event_ns)
{
    size_t count = 0;
    const fm_sim_label *label = fm_sim_labels(demo->sim, &count);
    for (size_t i = demo->label_count; i-- > 0;)
        if (event_ns >= label[i].start_ns && event_ns <= label[i].end_ns + BELONGS_NS &&
            strcmp(label[i].symbol, symbol) == 0) {
            demo->found[i] = true;
            return &label[i];
        }
    return NULL;
}

static const char *severity_color(const char *severity)
{
    if (strcmp(severity, "critical") == 0)
        return "\033[1;31m";
    if (strcmp(severity, "error") == 0)
        return "\033[31m";
    return strcmp(severity, "warning") == 0 ? "\033[33m" : "\033[36m";
}

/* Texts come from rules and symbols; what is not printable must not reach the terminal. */
static void make_printable(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

static void show_alert(demo_state *demo, fm_slice alert, bool print)
{
    char symbol[80], severity[16], rule[96], message[200];
    fm_peek_member_text(alert, "symbol", symbol, sizeof(symbol));
    fm_peek_member_text(alert, "severity", severity, sizeof(severity));
    fm_peek_member_text(alert, "rule.id", rule, sizeof(rule));
    fm_peek_member_text(alert, "message", message, sizeof(message));
    int64_t event_ns = fm_peek_member_int(alert, "event_time", 0);
    const fm_sim_label *label = match_label(demo, symbol, event_ns);
    demo->alerts++;
    demo->alerts_matched += label != NULL;
    if (!print)
        return;
    make_printable(symbol);
    make_printable(rule);
    make_printable(message);
    clear_status(demo);
    put_time(event_ns);
    printf("  %s%-8.8s%s  %-8s  %-22s  %s", paint(demo, severity_color(severity)), severity, paint(demo, PLAIN), symbol,
           rule, message);
    if (label)
        printf("  %s<- %s%s", paint(demo, BOLD), fm_sim_anomaly_name(label->kind), paint(demo, PLAIN));
    putchar('\n');
}

/* Pages newest first until an alert that was shown before; then all of them in the order they were raised. */
static int poll_alerts(demo_state *demo, fm_error *error)
{
    fm_text page[PAGES_MAX] = {0};
    fm_slice item[PAGES_MAX * PAGE];
    size_t items = 0;
    char path[128] = "/v1/alerts?domain=live&limit=100";
    int64_t cursor = 0;
    bool more = true;
    int result = 0;

    for (int i = 0; i < PAGES_MAX && more; i++) {
        fm_response response;
        fm_slice list, one;
        result = fm_client_get(demo->client, path, &response, error);
        if (result < 0 || response.status != 200)
            break;
        fm_text_add(&page[i], response.body.data, response.body.size);
        fm_slice body = {page[i].data, page[i].size};
        if (!fm_peek_member(body, "items", &list))
            break;
        for (size_t at = 0; more && items < PAGES_MAX * PAGE && fm_peek_next(list, &at, &one);) {
            more = fm_peek_member_int(one, "seq", 0) > demo->last_seq;
            if (more)
                item[items++] = one;
        }
        more = more && (cursor = fm_peek_member_int(body, "next", 0)) > 0;
        snprintf(path, sizeof(path), "/v1/alerts?domain=live&limit=100&cursor=%lld", (long long)cursor);
    }
    for (size_t i = items; i-- > 0;)
        show_alert(demo, item[i], items - i <= LINES_MAX);
    if (items > LINES_MAX)
        printf("  ... and %zu more alerts at once\n", items - LINES_MAX);
    if (items > 0)
        demo->last_seq = fm_peek_member_int(item[0], "seq", demo->last_seq);
    for (int i = 0; i < PAGES_MAX; i++)
        fm_text_fini(&page[i]);
    return result;
}

/* ---- the whole of it ---- */

static int live(demo_state *demo, fm_error *error)
{
    int64_t end_ns =
        demo->config->seconds > 0 ? fm_wall_ns(&fm_clock_system) + (int64_t)(demo->config->seconds * 1e9) : INT64_MAX;
    demo->polled_ns = demo->status_ns = fm_wall_ns(&fm_clock_system);
    demo->sent_before = demo->sent;
    while (!*demo->stop) {
        int64_t now_ns = fm_wall_ns(&fm_clock_system);
        if (now_ns >= end_ns)
            break;
        FM_TRY(feed(demo, now_ns, error));
        FM_TRY(follow_labels(demo));
        if (now_ns - demo->polled_ns >= POLL_NS) {
            demo->polled_ns = now_ns;
            FM_TRY(poll_alerts(demo, error));
        }
        if (now_ns - demo->status_ns >= STATUS_NS)
            print_status(demo, now_ns);
        poll(NULL, 0, ROUND_MS);
    }
    FM_TRY(flush(demo, error));
    return poll_alerts(demo, error);
}

static int start(demo_state *demo, fm_error *error)
{
    const fm_demo_config *config = demo->config;
    int64_t now_ns = fm_wall_ns(&fm_clock_system);
    demo->live_ns = now_ns;
    fm_sim_config market = fm_sim_config_preset;
    market.seed = config->seed;
    market.instrument_count = config->instruments;
    market.rate = config->rate;
    market.start_ns = now_ns - config->warm_up_s * FM_NS_PER_S;
    market.session_open_ns =
        market.start_ns - market.session_ns / 3; /* it is late morning: the calm part of the curve */
    market.anomaly_first_ns = now_ns + config->first_s * FM_NS_PER_S;
    market.anomaly_every_ns = config->every_s * FM_NS_PER_S;
    snprintf(demo->source, sizeof(demo->source), "demo-%" PRIu64 "-%lld", config->seed, market.start_ns / FM_NS_PER_MS);

    fm_client_config client = {.url = config->url, .timeout_ms = 10000, .patience_ms = 10000, .stop = demo->stop};
    FM_TRY(fm_client_open(&client, &demo->client, error));
    demo->batch = malloc((size_t)BATCH * FM_WIRE_RECORD_MAX);
    if (!demo->batch)
        return fm_fail(error, FM_ENOMEM, "could not start the demo: memory is full");
    if (fm_sim_create(&market, &demo->sim) < 0)
        return fm_fail(error, FM_EINVAL, "could not make a market of %u names at %g records/s", config->instruments,
                       config->rate);
    return 0;
}

static void print_summary(const demo_state *demo)
{
    clear_status(demo);
    printf("\n%" PRIu64 " records sent: %" PRIu64 " accepted, %" PRIu64 " rejected, %" PRIu64 " duplicate\n",
           demo->sent, demo->verdict.accepted, demo->verdict.rejected, demo->verdict.duplicate);
    printf("%zu anomalies injected, %zu found; %" PRIu64 " alerts, %" PRIu64 " of them belong to an anomaly\n",
           demo->label_count, count_found(demo), demo->alerts, demo->alerts_matched);
    if (demo->verdict.rejected > 0 && demo->verdict.first[0])
        printf("last refusal: %s\n", demo->verdict.first);
}

int fm_demo_run(const fm_demo_config *config)
{
    demo_state demo = {.config = config,
                       .stop = config->stop ? config->stop : &caught,
                       .terminal = config->color && isatty(STDOUT_FILENO)};
    struct sigaction action = {.sa_handler = on_signal}, old_int, old_term;
    fm_error error = {0};
    caught = 0;
    if (!config->stop) {
        sigaction(SIGINT, &action, &old_int);
        sigaction(SIGTERM, &action, &old_term);
    }
    int result = start(&demo, &error);
    if (result == 0) {
        print_welcome(&demo);
        result = warm_up(&demo, &error);
    }
    if (result == 0)
        result = live(&demo, &error);
    if (result == FM_ESHUTDOWN)
        result = 0;
    print_summary(&demo);
    if (!config->stop) {
        sigaction(SIGINT, &old_int, NULL);
        sigaction(SIGTERM, &old_term, NULL);
    }
    fm_client_close(demo.client);
    fm_sim_destroy(demo.sim);
    free(demo.batch);
    free(demo.found);
    return result < 0 ? fm_tool_failed(&error) : FM_EXIT_OK;
}
