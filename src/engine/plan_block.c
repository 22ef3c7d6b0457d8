/* engine/plan_block.c - what an instrument keeps under a plan: made fresh, and carried over from another plan. */
#include "engine/plan.h"

#include "base/assert.h"

#include <math.h>
#include <string.h>

static void rule_state_init(const fm_rule *rule, fm_rule_state *state)
{
    *state = (fm_rule_state){.fired_ns = INT64_MIN, .quiet_ns = INT64_MIN, .pending_ns = INT64_MIN, .due_ns = INT64_MAX, .heap_ns = INT64_MAX};
    for (uint32_t s = 0; s < rule->slot_count; s++)
        state->slot[s] = rule->slot_preset[s];
}

void fm_block_init(const fm_plan *plan, const fm_layout *layout, char *block)
{
    memset(block, 0, layout->block_size);
    for (uint32_t i = 0; i < layout->node_count; i++) {
        const fm_node *node = &plan->node[layout->node[i]];
        int made = node->kernel->init(block + layout->node_state[i], node->params);
        FM_ASSERT(made == 0); /* parameters were checked against the descriptor when the rule was loaded */
    }
    double *outputs = fm_block_outputs(layout, block);
    for (uint32_t c = 0; c < plan->column_count; c++)
        outputs[c] = NAN;
    for (uint32_t i = 0; i < layout->rule_count; i++)
        rule_state_init(&plan->set->rule[layout->rule[i]], fm_block_rule(layout, block, i));
}

static void carry_rule(const fm_rule *from, const fm_rule_state *old, const fm_rule *to, fm_rule_state *fresh)
{
    fresh->fired_ns = old->fired_ns;
    fresh->quiet_ns = old->quiet_ns;
    fresh->pending_ns = old->pending_ns;
    fresh->pending_position = old->pending_position;
    fresh->due_ns = to->has_on_timer ? old->due_ns : INT64_MAX;
    fresh->ordinal = old->ordinal;
    if (from->state_version != to->state_version)
        return;
    for (uint32_t t = 0; t < to->slot_count; t++)
        for (uint32_t f = 0; f < from->slot_count; f++)
            if (strcmp(to->slot_name[t], from->slot_name[f]) == 0)
                fresh->slot[t] = old->slot[f];
}

void fm_block_carry(const fm_plan *from_plan, const fm_layout *from, const char *from_block, const fm_plan *to_plan, const fm_layout *to,
                    char *to_block)
{
    double *fresh = fm_block_outputs(to, to_block);
    const double *old = (const double *)(from_block + from->outputs);
    for (uint32_t i = 0; i < to->node_count; i++) {
        const fm_node *node = &to_plan->node[to->node[i]];
        for (uint32_t j = 0; j < from->node_count; j++) {
            const fm_node *was = &from_plan->node[from->node[j]];
            if (memcmp(&was->key, &node->key, sizeof(node->key)) != 0 || was->state_size != node->state_size)
                continue;
            memcpy(to_block + to->node_state[i], from_block + from->node_state[j], node->state_size);
            for (uint32_t o = 0; o < node->output_count; o++)
                if (node->column[o] >= 0 && was->column[o] >= 0)
                    fresh[node->column[o]] = old[was->column[o]];
        }
    }
    for (uint32_t i = 0; i < to->rule_count; i++)
        for (uint32_t j = 0; j < from->rule_count; j++) {
            const fm_rule *rule = &to_plan->set->rule[to->rule[i]], *was = &from_plan->set->rule[from->rule[j]];
            if (strcmp(rule->id, was->id) == 0)
                carry_rule(was, (const fm_rule_state *)(from_block + from->rule_state[j]), rule, fm_block_rule(to, to_block, i));
        }
}
