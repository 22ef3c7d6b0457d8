/* engine/kills.c - which rules a partition has stopped for good, and from which entry on. */
#include "engine/partition.h"
#include "engine/plan.h"

#include "base/assert.h"
#include "engine/admission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fm_partition_refresh_kills(fm_partition *partition)
{
    const fm_rule_set *set = partition->plan->set;
    free(partition->killed_from);
    partition->killed_from = malloc((set->count + 1) * sizeof(*partition->killed_from));
    FM_ASSERT(partition->killed_from != NULL);
    partition->any_killed = false;
    for (uint32_t r = 0; r < set->count; r++) {
        char hash[33];
        fm_hash128_hex(set->rule[r].hash, hash);
        partition->killed_from[r] = (fm_kill_point){UINT64_MAX, 0, 0};
        for (uint32_t k = 0; k < partition->kill_count; k++) {
            const fm_kill_mark *mark = &partition->kill[k];
            if (strcmp(mark->rule, set->rule[r].id) == 0 && strcmp(mark->hash, hash) == 0)
                partition->killed_from[r] = (fm_kill_point){mark->at_sequence, mark->at_timer, 0};
        }
        partition->any_killed |= partition->killed_from[r].sequence != UINT64_MAX;
    }
}

static int by_rule(const fm_kill_mark *a, const fm_kill_mark *b)
{
    int rules = strcmp(a->rule, b->rule);
    return rules != 0 ? rules : strcmp(a->hash, b->hash);
}

/* One mark for each text of a rule, the earliest, sorted: however they were learned, equal knowledge is equal bytes. */
void fm_partition_add_kill(fm_partition *partition, const fm_kill_mark *mark)
{
    uint32_t place = 0;
    while (place < partition->kill_count && by_rule(&partition->kill[place], mark) < 0)
        place++;
    if (place < partition->kill_count && by_rule(&partition->kill[place], mark) == 0) {
        const fm_kill_mark *known = &partition->kill[place];
        if (known->at_sequence < mark->at_sequence || (known->at_sequence == mark->at_sequence && known->at_timer <= mark->at_timer))
            return;
        partition->kill[place] = *mark;
    } else {
        partition->kill = fm_grow(partition->kill, &partition->kill_capacity, partition->kill_count + 1, sizeof(fm_kill_mark));
        memmove(&partition->kill[place + 1], &partition->kill[place], (partition->kill_count - place) * sizeof(fm_kill_mark));
        partition->kill[place] = *mark;
        partition->kill_count++;
    }
    fm_partition_refresh_kills(partition);
}

void fm_partition_note_kill(fm_partition *partition, const fm_event *event)
{
    if (event->kind != FM_KILL)
        return;
    fm_slice rest = fm_control_text(event);
    fm_kill_mark mark;
    memset(&mark, 0, sizeof(mark));
    mark.at_sequence = event->as.control.at_sequence;
    mark.at_timer = event->as.control.at_timer;
    char *const part[] = {mark.rule, mark.hash, mark.reason};
    const size_t room[] = {sizeof(mark.rule), sizeof(mark.hash), sizeof(mark.reason)};
    for (int i = 0; i < 3; i++) {
        const char *end = memchr(rest.data, 0, rest.size);
        size_t size = end != NULL ? (size_t)(end - rest.data) : rest.size;
        fm_slice_copy((fm_slice){rest.data, size}, part[i], room[i]);
        if (end == NULL)
            break;
        rest = (fm_slice){end + 1, rest.size - size - 1};
    }
    if (mark.hash[0] != 0)
        fm_partition_add_kill(partition, &mark);
}

void fm_kill_reason(const fm_error *error, char out[160])
{
    memset(out, 0, 160);
    snprintf(out, 160, "%.40s:%d: %.100s", error->file, error->line, error->message);
}
