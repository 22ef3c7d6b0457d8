/* engine/timers.c - a rule's timer for an instrument: a binary heap per (partition, domain), in (due, rule, symbol) order.
 *
 * A timer that is asked for later than its entry in the heap only notes the new time; the entry is moved when it comes up. So a rule that
 * puts its timer off with every record costs two stores a record. */
#include "engine/fold_internal.h"

static bool before(const fm_partition *partition, const fm_timer *a, const fm_timer *b)
{
    if (a->due_ns != b->due_ns)
        return a->due_ns < b->due_ns;
    if (a->rule != b->rule)
        return a->rule < b->rule;
    return strcmp(partition->series[a->series]->symbol, partition->series[b->series]->symbol) < 0;
}

static fm_rule_state *state_of(const fm_partition *partition, const fm_timer *timer)
{
    const fm_series *series = partition->series[timer->series];
    int at = fm_layout_rule(series->layout, timer->rule);
    return at < 0 ? NULL : fm_block_rule(series->layout, series->block, (uint32_t)at);
}

static void sift_up(const fm_partition *partition, fm_fold_domain *domain, uint32_t at, fm_timer timer)
{
    for (; at > 0 && before(partition, &timer, &domain->heap[(at - 1) / 2]); at = (at - 1) / 2)
        domain->heap[at] = domain->heap[(at - 1) / 2];
    domain->heap[at] = timer;
}

/* Entries that a sooner one has overtaken would stay until their time, however far off. */
static void drop_stale(const fm_partition *partition, fm_fold_domain *domain)
{
    uint32_t count = domain->heap_count;
    domain->heap_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        fm_timer timer = domain->heap[i];
        const fm_rule_state *state = state_of(partition, &timer);
        if (state != NULL && state->heap_ns == timer.due_ns)
            sift_up(partition, domain, domain->heap_count++, timer);
    }
}

/* A full heap grows only when more than half of it is of use, so that each clearing pays for itself. */
static void push(fm_partition *partition, uint32_t domain_index, fm_timer timer)
{
    fm_fold_domain *domain = &partition->domain[domain_index];
    if (domain->heap_count == domain->heap_capacity) {
        drop_stale(partition, domain);
        if (2 * domain->heap_count >= domain->heap_capacity)
            domain->heap = fm_grow(domain->heap, &domain->heap_capacity, domain->heap_capacity + 1, sizeof(fm_timer));
    }
    sift_up(partition, domain, domain->heap_count++, timer);
}

static void pop(fm_partition *partition, uint32_t domain_index)
{
    fm_fold_domain *domain = &partition->domain[domain_index];
    fm_timer last = domain->heap[--domain->heap_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= domain->heap_count)
            break;
        if (child + 1 < domain->heap_count && before(partition, &domain->heap[child + 1], &domain->heap[child]))
            child++;
        if (!before(partition, &domain->heap[child], &last))
            break;
        domain->heap[at] = domain->heap[child];
        at = child;
    }
    if (domain->heap_count > 0)
        domain->heap[at] = last;
}

void fm_timer_ask_for(fm_partition *partition, fm_series *series, uint32_t rule, int64_t due_ns)
{
    fm_timer timer = {.due_ns = due_ns, .rule = rule, .series = series->index};
    fm_rule_state *state = state_of(partition, &timer);
    state->due_ns = due_ns;
    if (due_ns >= state->heap_ns)
        return;
    state->heap_ns = due_ns; /* an entry for a later time, if there is one, is stale from now on */
    push(partition, series->domain, timer);
}

bool fm_timer_top(fm_partition *partition, uint32_t domain_index, fm_timer *out)
{
    fm_fold_domain *domain = &partition->domain[domain_index];
    while (domain->heap_count > 0) {
        fm_timer top = domain->heap[0];
        fm_rule_state *state = state_of(partition, &top);
        if (state != NULL && state->heap_ns == top.due_ns && state->due_ns == top.due_ns) {
            *out = top;
            return true;
        }
        pop(partition, domain_index);
        if (state == NULL || state->heap_ns != top.due_ns)
            continue;
        state->heap_ns = INT64_MAX;
        if (state->due_ns != INT64_MAX) {
            state->heap_ns = state->due_ns;
            push(partition, domain_index, (fm_timer){state->due_ns, top.rule, top.series});
        }
    }
    return false;
}

void fm_timer_pop(fm_partition *partition, uint32_t domain_index)
{
    fm_timer top = partition->domain[domain_index].heap[0];
    fm_rule_state *state = state_of(partition, &top);
    state->due_ns = INT64_MAX;
    state->heap_ns = INT64_MAX;
    pop(partition, domain_index);
}

void fm_fold_timers(fm_fold *fold, fm_partition *partition)
{
    (void)fold;
    for (uint32_t d = 0; d < partition->domain_count; d++)
        partition->domain[d].heap_count = 0;
    for (uint32_t s = 0; s < partition->series_count; s++) {
        fm_series *series = partition->series[s];
        for (uint32_t i = 0; i < series->layout->rule_count; i++) {
            fm_rule_state *state = fm_block_rule(series->layout, series->block, i);
            state->heap_ns = state->due_ns;
            if (state->due_ns != INT64_MAX)
                push(partition, series->domain, (fm_timer){state->due_ns, series->layout->rule[i], s});
        }
    }
}

int64_t fm_fold_due(const fm_partition *partition, uint32_t domain)
{
    fm_timer top;
    return fm_timer_top((fm_partition *)partition, domain, &top) ? top.due_ns : INT64_MAX;
}
