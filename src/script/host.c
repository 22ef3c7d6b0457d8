/* script/host.c - the runner of one shard: its Lua state, its rules' loops, and what if one goes wrong.
 *
 * A rule's loop runs over a batch inside one protected call. What a row did counts only when the row has ended
 * (frame.c); a row that fails leaves nothing. After a deadline, or when the memory is used up, the whole state is
 * dropped and built anew without the guilty rule. Every rule's memory is its own garbage of one call (nothing outlives
 * a call, sandbox.lua), so a state is never more than half full when a rule begins, and the one that fills it is the
 * one that is charged. */
#include "script/host.h"

#include "base/assert.h"
#include "script/host_internal.h"
#include "script/library.h"
#include "script/rule_file.h"

#include <lauxlib.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP_BUDGET = 2000 };

typedef struct source { /* text of a rule's file, checked and rewritten once */
    fm_hash128 hash;
    fm_syntax syntax;
    uint64_t generation; /* of the fm_host_sources call that named it last */
    struct source *next;
} source;

typedef struct loaded_rule {
    fm_host_row row;
    double *features, *slots; /* the views of its handler, in the state's memory */
    fm_event_view *event;
    bool killed;
} loaded_rule;

struct fm_host {
    fm_host_config config;
    fm_rule_runner runner;
    pthread_mutex_t lock; /* of the sources, which any thread adds */
    source *sources;
    uint64_t generation;
    fm_vm *vm;
    fm_watch watch;
    const fm_rule_set *set;
    loaded_rule *rule;
};

fm_vm *fm_host_vm(fm_host *host)
{
    return host->vm;
}

/* ---- sources */

static source *find_source(fm_host *host, fm_hash128 hash)
{
    for (source *entry = host->sources; entry; entry = entry->next)
        if (entry->hash.low == hash.low && entry->hash.high == hash.high)
            return entry;
    return NULL;
}

static int add_source(fm_host *host, const fm_rule *rule, fm_slice text)
{
    source *entry = find_source(host, rule->hash);
    if (!entry) {
        entry = calloc(1, sizeof(*entry));
        if (!entry)
            return FM_ENOMEM;
        int result = fm_syntax_read(rule->file, text, fm_rule_names, &entry->syntax, NULL);
        if (result < 0) {
            free(entry);
            return result;
        }
        entry->hash = rule->hash;
        entry->next = host->sources;
        host->sources = entry;
    }
    entry->generation = host->generation;
    return 0;
}

int fm_host_sources(fm_host *host, const fm_rule_set *set, char *const *text, const size_t *size)
{
    int result = 0;
    pthread_mutex_lock(&host->lock);
    host->generation++;
    for (uint32_t i = 0; i < set->count && result == 0; i++)
        result = add_source(host, &set->rule[i], (fm_slice){text[i], size[i]});
    pthread_mutex_unlock(&host->lock);
    return result;
}

/* Keeps what the last call of fm_host_sources named, and what `set` uses. */
static void drop_old_sources(fm_host *host, const fm_rule_set *set)
{
    pthread_mutex_lock(&host->lock);
    for (uint32_t i = 0; i < set->count; i++)
        find_source(host, set->rule[i].hash)->generation = host->generation;
    for (source **link = &host->sources; *link;) {
        source *entry = *link;
        if (entry->generation == host->generation) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        fm_syntax_fini(&entry->syntax);
        free(entry);
    }
    pthread_mutex_unlock(&host->lock);
}

/* ---- one call of a loop */

static void open_frame(fm_vm *vm, fm_rule_call *call, loaded_rule *rule)
{
    fm_frame *frame = &vm->frame;
    frame->matrix = call->matrix;
    frame->row = (const int32_t *)call->row;
    frame->column = call->column;
    frame->hit = call->hit;
    frame->stride = call->stride;
    frame->done = (int32_t)call->done;
    frame->budget = frame->budget_preset;
    frame->full = 0;
    frame->features = rule->features;
    frame->slots = rule->slots;
    frame->event = rule->event;
    frame->call = call;
    frame->host = &rule->row;
    rule->row.watch = vm->watch;
    rule->row.emit_count = call->emit_count;
    rule->row.timer_count = call->timer_count;
}

static int call_loop(fm_host *host, fm_vm *vm, fm_rule_call *call, loaded_rule *rule)
{
    open_frame(vm, call, rule);
    lua_rawgeti(vm->lua, FM_VM_LOOPS, (int)call->rule + 1);
    lua_pushnumber(vm->lua, call->done);
    lua_pushnumber(vm->lua, (double)call->count - 1);
    return fm_vm_call(vm, 2, 0, host->config.deadline_ns, &call->error);
}

/* Rows of zeros whose results are thrown away, so that LuaJIT compiles the loop itself before batches of one row make
 * it take the whole function for the hot piece: it would then compile both, badly (three times slower, measured). What
 * the rule says of zeros, and whether it fails on them, is nobody's business; `when` keeps no state, and a handler's
 * slots are scratch. */
static int warm_up(fm_host *host, fm_vm *vm, uint32_t index, loaded_rule *rule)
{
    enum { ROWS = 128 };
    static const double zeros[FM_RULE_NEEDS_MAX];
    static const uint16_t column[FM_RULE_NEEDS_MAX];
    static const uint32_t row[ROWS];
    double slots[FM_RULE_SLOTS_MAX] = {0}, *slots_of[ROWS];
    uint8_t hit[ROWS];
    fm_rule_emit emit[FM_RULE_ROW_EMITS_MAX];
    fm_timer_ask ask[ROWS];
    const fm_event event = {.kind = FM_TRADE, .seq = FM_SEQ_ABSENT}, *events[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) {
        slots_of[i] = slots;
        events[i] = &event;
    }
    fm_rule_call call = {.rule = index,
                         .count = ROWS,
                         .matrix = zeros,
                         .stride = FM_RULE_NEEDS_MAX,
                         .row = row,
                         .column = column,
                         .event = events,
                         .slots = slots_of,
                         .hit = hit,
                         .emit = emit,
                         .emit_max = FM_RULE_ROW_EMITS_MAX,
                         .timer_ask = ask,
                         .timer_max = ROWS};
    int result = call_loop(host, vm, &call, rule);
    if (!vm->broken)
        lua_gc(vm->lua, LUA_GCCOLLECT, 0);
    return result == FM_EDEADLINE ? result : 0;
}

/* ---- loading */

typedef struct making {
    const fm_rule *rule;
    loaded_rule *loaded;
    int number;
} making;

static void *address(lua_State *lua, int index)
{
    return (void *)(uintptr_t)lua_tonumber(lua, index);
}

/* Makes the rule's loop and keeps it under a number in the registry's "fm.loops". */
static int make_loop(lua_State *lua, void *argument)
{
    making *context = argument;
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.host");
    lua_getfield(lua, -1, "make_runner");
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.heads");
    lua_getfield(lua, -1, context->rule->id);
    lua_remove(lua, -2);
    lua_call(lua, 1, 4);
    context->loaded->features = address(lua, -3);
    context->loaded->slots = address(lua, -2);
    context->loaded->event = address(lua, -1);
    lua_pop(lua, 3);
    lua_getfield(lua, LUA_REGISTRYINDEX, "fm.loops");
    lua_insert(lua, -2);
    lua_rawseti(lua, -2, context->number);
    return 0;
}

static int load_rule(fm_host *host, fm_vm *vm, const fm_rule *rule, loaded_rule *loaded, int index, fm_error *error)
{
    pthread_mutex_lock(&host->lock);
    source *entry = find_source(host, rule->hash);
    pthread_mutex_unlock(&host->lock);
    if (!entry)
        return fm_fail(error, FM_ENOTFOUND, "the text of rule \"%s\" is not known to this runner", rule->id);
    FM_TRY(fm_rule_file_read(vm, rule->file, &entry->syntax, NULL, error));
    making context = {rule, loaded, index};
    FM_TRY(fm_vm_protected(vm, make_loop, &context, FM_NS_PER_S, error));
    uint32_t visible = 0;
    for (uint32_t i = 0; i < rule->need_count; i++)
        visible += !rule->needs[i].hidden;
    loaded->row = (fm_host_row){.feature_count = visible, .slot_count = rule->slot_count};
    return 0;
}

static int load_rules(fm_host *host, fm_vm *vm, const fm_rule_set *set, loaded_rule *rule, fm_error *error)
{
    vm->watch = &host->watch;
    for (uint32_t i = 0; i < set->count; i++)
        if (!rule[i].killed)
            FM_TRY(load_rule(host, vm, &set->rule[i], &rule[i], (int)i + 1, error));
    return 0;
}

static int warm_up_rules(fm_host *host, fm_vm *vm, const fm_rule_set *set, loaded_rule *rule)
{
    fm_vm_compile(vm, true); /* only now: what reads the heads runs once, and would leave its traces in the way */
    vm->frame.budget_preset = WARM_UP_BUDGET;
    for (uint32_t i = 0; i < set->count; i++)
        if (!rule[i].killed)
            FM_TRY(warm_up(host, vm, i, &rule[i]));
    return 0;
}

/* A state with every rule of the set but those in `killed`. One that overruns even the warm-up costs the others theirs.
 */
static int build(fm_host *host, const fm_rule_set *set, const loaded_rule *killed, fm_vm **out_vm,
                 loaded_rule **out_rule, fm_error *error)
{
    fm_vm *vm = NULL;
    loaded_rule *rule = calloc(set->count + 1, sizeof(*rule));
    if (!rule)
        return fm_fail(error, FM_ENOMEM, "could not load %u rules", set->count);
    for (uint32_t i = 0; i < set->count; i++)
        rule[i].killed = killed && killed[i].killed;
    int result = 0;
    for (int warm = host->config.jit; warm >= 0; warm--) {
        result = fm_vm_create(host->config.memory_bytes, &vm, error);
        if (result == 0)
            result = load_rules(host, vm, set, rule, error);
        if (result < 0 || !warm || warm_up_rules(host, vm, set, rule) == 0)
            break;
        fm_vm_close(vm);
        vm = NULL;
    }
    if (result < 0) {
        fm_vm_close(vm);
        free(rule);
        return result;
    }
    vm->frame.budget_preset = (int32_t)host->config.budget;
    *out_vm = vm;
    *out_rule = rule;
    return 0;
}

static void adopt(fm_host *host, fm_vm *vm, loaded_rule *rule)
{
    fm_vm_close(host->vm);
    free(host->rule);
    host->vm = vm;
    host->rule = rule;
}

static int attach(fm_host *host, fm_error *error)
{
    if (host->watch.attached && pthread_equal(host->watch.thread, pthread_self()))
        return 0;
    fm_watch_detach(&host->watch);
    if (fm_watch_attach(&host->watch) < 0)
        return fm_fail(error, FM_ENOMEM, "could not watch this thread for rules that run too long");
    return 0;
}

static int load(void *self, const fm_rule_set *set, fm_error *error)
{
    fm_host *host = self;
    fm_vm *vm;
    loaded_rule *rule;
    FM_TRY(attach(host, error));
    FM_TRY(build(host, set, NULL, &vm, &rule, error));
    adopt(host, vm, rule);
    host->set = set;
    drop_old_sources(host, set);
    return 0;
}

/* ---- running */

/* The rule is to blame for the state that is gone; the others get a new one. */
static void kill_rule(fm_host *host, uint32_t index)
{
    fm_error error;
    fm_vm *vm;
    loaded_rule *rule;
    host->rule[index].killed = true;
    atomic_store(&host->watch.hold, 0);
    int result = build(host, host->set, host->rule, &vm, &rule, &error);
    FM_ASSERT(result == 0); /* they were all built once, from the same texts, into the same memory */
    adopt(host, vm, rule);
}

static int after_failure(fm_host *host, fm_rule_call *call, int result)
{
    const fm_rule *rule = &host->set->rule[call->rule];
    loaded_rule *loaded = &host->rule[call->rule];
    bool full = host->vm->frame.full != 0;
    call->done = (uint32_t)host->vm->frame.done;
    call->emit_count = loaded->row.emit_count;
    call->timer_count = loaded->row.timer_count;
    if (!call->error.file[0])
        snprintf(call->error.file, sizeof(call->error.file), "%s", rule->file);
    if (call->error.line == 0)
        call->error.line = rule->line;
    if (result == FM_EDEADLINE || result == FM_ERULE_MEMORY)
        kill_rule(host, call->rule);
    else if (full && call->emit_count + call->timer_count > 0)
        return FM_EBUSY; /* earlier rows took the room */
    return result;
}

static int run(void *self, fm_rule_call *call)
{
    fm_host *host = self;
    loaded_rule *rule = &host->rule[call->rule];
    fm_vm *vm = host->vm;
    if (rule->killed) {
        fm_fail(&call->error, FM_EDEADLINE, "the rule was killed before");
        return FM_EDEADLINE;
    }
    FM_TRY(attach(host, &call->error));
    int result = call_loop(host, vm, call, rule);
    if (result < 0)
        return after_failure(host, call, result);
    call->done = call->count;
    if (vm->memory.live > vm->memory.limit / 2) /* its own garbage: the next rule begins with an empty state */
        lua_gc(vm->lua, LUA_GCCOLLECT, 0);
    return 0;
}

/* ---- the host */

int fm_host_create(const fm_host_config *config, fm_host **out, fm_error *error)
{
    fm_host *host = calloc(1, sizeof(*host));
    if (!host)
        return fm_fail(error, FM_ENOMEM, "could not create a rule runner");
    host->config = *config;
    if (host->config.budget == 0)
        host->config.budget = 100000;
    if (host->config.budget > INT32_MAX)
        host->config.budget = INT32_MAX;
    if (host->config.deadline_ns == 0)
        host->config.deadline_ns = 20 * FM_NS_PER_MS;
    if (host->config.memory_bytes == 0)
        host->config.memory_bytes = 64u << 20;
    pthread_mutex_init(&host->lock, NULL);
    host->runner = (fm_rule_runner){.self = host, .load = load, .run = run};
    *out = host;
    return 0;
}

void fm_host_destroy(fm_host *host)
{
    if (!host)
        return;
    fm_watch_detach(&host->watch);
    fm_vm_close(host->vm);
    free(host->rule);
    while (host->sources) {
        source *entry = host->sources;
        host->sources = entry->next;
        fm_syntax_fini(&entry->syntax);
        free(entry);
    }
    pthread_mutex_destroy(&host->lock);
    free(host);
}

fm_rule_runner *fm_host_runner(fm_host *host)
{
    return &host->runner;
}
