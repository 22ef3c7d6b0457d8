/* tests/unit/alert/fixture.h - a folder that goes away, alerts with known contents, a router over them. */
#ifndef FM_TESTS_ALERT_FIXTURE_H
#define FM_TESTS_ALERT_FIXTURE_H

#include "alert/router.h"
#include "assert_near.h"
#include "base/event.h"
#include "base/log.h"

#include <dirent.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static inline char *folder_make_temporary(void)
{
    char *path = strdup("/tmp/fmads-alert-XXXXXX");
    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    return path;
}

static inline int folder_remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void folder_remove(char *path)
{
    nftw(path, folder_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

static inline int64_t now_ns(void)
{
    return fm_mono_ns(&fm_clock_system);
}

static inline void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * FM_NS_PER_MS}, NULL);
}

/* Waits until the condition holds, at most 100 s: only a hang may fail, not sanitizers on a busy machine. */
#define wait_until(condition)                                                                                          \
    do {                                                                                                               \
        int64_t deadline_ = now_ns() + 100 * FM_NS_PER_S;                                                              \
        while (!(condition)) {                                                                                         \
            if (now_ns() > deadline_)                                                                                  \
                fail_msg("waited in vain for: %s", #condition);                                                        \
            pause_ms(1);                                                                                               \
        }                                                                                                              \
    } while (0)

/* An alert whose every field follows from (partition, sequence, ordinal). */
typedef struct made_alert {
    fm_routed_alert alert;
    char symbol[32];
    char body[256];
} made_alert;

static inline fm_hash128 id_of(uint32_t partition, uint64_t sequence, uint32_t ordinal)
{
    uint64_t parts[3] = {partition, sequence, ordinal};
    return fm_hash128_of(parts, sizeof parts);
}

static inline const fm_routed_alert *alert_make(made_alert *made, uint32_t partition, uint64_t sequence,
                                                uint32_t ordinal)
{
    char hex[33];
    fm_hash128_hex(id_of(partition, sequence, ordinal), hex);
    snprintf(made->symbol, sizeof made->symbol, "SYM%u", partition);
    snprintf(made->body, sizeof made->body,
             "{\"schema\":\"fmads.alert/1\",\"id\":\"%s\",\"p\":%u,\"s\":%" PRIu64 ",\"o\":%u}", hex, partition,
             sequence, ordinal);
    made->alert = (fm_routed_alert){
        .id = id_of(partition, sequence, ordinal),
        .partition = partition,
        .ordinal = ordinal,
        .sequence = sequence,
        .event_ns = 1399033800000000000 + (int64_t)sequence * 1000,
        .receive_ns = 1399033800000000100,
        .detect_ns = 1399033800000000200,
        .severity = (uint32_t)(sequence % 4),
        .symbol = fm_slice_of(made->symbol),
        .rule = FM_SLICE("fx/price_spike"),
        .domain = FM_SLICE("live"),
        .body = fm_slice_of(made->body),
    };
    return &made->alert;
}

static inline void emit(fm_router *router, uint32_t shard, uint32_t partition, uint64_t sequence, uint32_t ordinal)
{
    made_alert made;
    fm_router_emit(router, shard, alert_make(&made, partition, sequence, ordinal));
}

static inline fm_router_config router_config(const char *folder)
{
    return (fm_router_config){.directory = folder,
                              .layer = &fm_file_system,
                              .clock = fm_clock_system,
                              .shard_count = 2,
                              .incarnation_ms = 1700000000000,
                              .ids_max = 100000};
}

static inline fm_router *router_open(const fm_router_config *config)
{
    fm_router *router = NULL;
    fm_error error = {0};
    if (fm_router_open(config, &router, &error) < 0)
        fail_msg("%s", error.message);
    return router;
}

static inline fm_router *router_start(const fm_router_config *config)
{
    fm_router *router = router_open(config);
    assert_int_equal(fm_router_start(router), 0);
    return router;
}

static inline void router_end(fm_router *router)
{
    fm_router_stop(router);
    fm_router_close(router);
}

/* What a reader sees: the (partition, sequence, ordinal) of each alert, and the sequences the router gave. */
typedef struct seen_alert {
    uint64_t router_sequence, sequence;
    uint32_t partition, ordinal;
    fm_hash128 id;
} seen_alert;

typedef struct seen_list {
    seen_alert *items;
    size_t count, room;
} seen_list;

static inline int see(void *context, const fm_routed_alert *alert)
{
    seen_list *list = context;
    if (list->count == list->room) {
        list->room = list->room == 0 ? 1024 : list->room * 2;
        list->items = realloc(list->items, list->room * sizeof *list->items);
        assert_non_null(list->items);
    }
    made_alert made;
    const fm_routed_alert *expected = alert_make(&made, alert->partition, alert->sequence, alert->ordinal);
    assert_true(fm_slice_equal(alert->body, expected->body));
    assert_true(fm_slice_equal(alert->symbol, expected->symbol));
    assert_int_equal(alert->severity, expected->severity);
    list->items[list->count++] =
        (seen_alert){alert->router_sequence, alert->sequence, alert->partition, alert->ordinal, alert->id};
    return 0;
}

static inline seen_list read_all(fm_router *router, uint64_t after)
{
    seen_list list = {0};
    int result;
    while ((result = fm_router_read(router, after, 1000, see, &list)) > 0)
        after = list.items[list.count - 1].router_sequence;
    assert_int_equal(result, 0);
    return list;
}

/* Path of the n-th log file (0 = oldest), or NULL. The caller frees it. */
static inline int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline size_t log_files(const char *folder, char ***out)
{
    DIR *open = opendir(folder);
    char **list = calloc(4096, sizeof *list);
    size_t count = 0;
    assert_non_null(open);
    for (struct dirent *entry; (entry = readdir(open)) != NULL && count < 4096;) {
        size_t size = strlen(entry->d_name);
        if (size > 4 && strcmp(entry->d_name + size - 4, ".log") == 0)
            assert_true(asprintf(&list[count++], "%s/%s", folder, entry->d_name) > 0);
    }
    closedir(open);
    qsort(list, count, sizeof *list, by_text);
    *out = list;
    return count;
}

static inline void free_files(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

#endif
