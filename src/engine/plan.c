/* engine/plan.c - merges the needs of all rules into nodes and columns; lays out the state of instruments. */
#include "engine/plan.h"

#include "base/assert.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint8_t     input, trigger;
} inputs[] = {
    {"x", FM_INPUT_X, FM_STEP_X},
    {"price", FM_INPUT_PRICE, FM_STEP_TRADE},
    {"size", FM_INPUT_SIZE, FM_STEP_TRADE},
    {"side", FM_INPUT_SIDE, FM_STEP_TRADE},
    {"bid", FM_INPUT_BID, FM_STEP_QUOTE},
    {"bid_size", FM_INPUT_BID_SIZE, FM_STEP_QUOTE},
    {"ask", FM_INPUT_ASK, FM_STEP_QUOTE},
    {"ask_size", FM_INPUT_ASK_SIZE, FM_STEP_QUOTE},
    {"mid", FM_INPUT_MID, FM_STEP_QUOTE},
    {"event", FM_INPUT_EVENT, FM_STEP_ANY},
};

/* Wires a kernel's inputs by name. A kernel with trade inputs steps on trades, whatever else it reads; then quotes, then x, then any. */
static int wire(fm_node *node, const fm_kernel *kernel, int of_node, int of_column, fm_error *error)
{
    uint8_t carries = 0;
    node->of_node = (int16_t)of_node;
    node->of_column = (int16_t)of_column;
    for (const fm_field *field = kernel->inputs; field->name != NULL; field++) {
        size_t i = 0;
        while (i < sizeof(inputs) / sizeof(inputs[0]) && strcmp(inputs[i].name, field->name) != 0)
            i++;
        if (i == sizeof(inputs) / sizeof(inputs[0]) || node->input_count == FM_KERNEL_INPUTS_MAX)
            return fm_fail(error, FM_EINVAL, "kernel \"%s\" has an input \"%s\" that the engine does not know", kernel->name, field->name);
        bool of = inputs[i].input == FM_INPUT_X && of_node >= 0;
        node->input[node->input_count++] = of ? FM_INPUT_OF : inputs[i].input;
        if (!of)
            carries |= inputs[i].trigger;
    }
    if (carries & FM_STEP_TRADE)
        node->trigger = FM_STEP_TRADE;
    else if (carries & FM_STEP_QUOTE)
        node->trigger = FM_STEP_QUOTE;
    else if (of_node < 0)
        node->trigger = carries & FM_STEP_X ? FM_STEP_X : FM_STEP_ANY;
    return 0;
}

static fm_hash128 key_of(const fm_plan *plan, const fm_node *node, int of_output)
{
    struct {
        char     name[64];
        double   params[FM_KERNEL_PARAMS_MAX];
        uint32_t layout, of_output;
        fm_hash128 of;
    } text;
    memset(&text, 0, sizeof(text));
    fm_slice_copy(fm_slice_of(node->kernel->name), text.name, sizeof(text.name));
    memcpy(text.params, node->params, sizeof(text.params));
    text.layout = node->kernel->layout;
    text.of_output = (uint32_t)(of_output + 1);
    if (node->of_node >= 0)
        text.of = plan->node[node->of_node].key;
    return fm_hash128_of(&text, sizeof(text));
}

static int column_of(fm_plan *plan, int node, int output, fm_error *error)
{
    int16_t *column = &plan->node[node].column[output];
    if (*column < 0) {
        if (plan->column_count == FM_COLUMNS_MAX)
            return fm_fail(error, FM_ELIMIT, "the rules read more than %d different features", FM_COLUMNS_MAX);
        *column = (int16_t)plan->column_count++;
    }
    return *column;
}

/* The node of a need, made if it is not there yet; nodes of `of` come before the nodes that read them. */
static int node_of(fm_plan *plan, const fm_rule *rule, int need_index, int depth, fm_error *error)
{
    const fm_need *need = &rule->needs[need_index];
    if (depth > FM_RULE_NEEDS_MAX)
        return fm_fail(error, FM_EINVAL, "needs of rule \"%s\" refer to each other in a circle", rule->id);
    int of_node = -1, of_column = -1, of_output = -1;
    if (need->of >= 0) {
        of_node = node_of(plan, rule, need->of, depth + 1, error);
        FM_TRY(of_node);
        of_output = rule->needs[need->of].output;
        of_column = column_of(plan, of_node, of_output, error);
        FM_TRY(of_column);
    }
    fm_node node = {.kernel = need->kernel};
    memset(node.column, -1, sizeof(node.column));
    memcpy(node.params, need->params, sizeof(node.params));
    FM_TRY(wire(&node, need->kernel, of_node, of_column, error));
    node.output_count = (uint8_t)fm_kernel_field_count(need->kernel->outputs);
    node.state_size = (uint32_t)((need->kernel->state_size(node.params) + 7) & ~(size_t)7);
    node.key = key_of(plan, &node, of_output);
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (memcmp(&plan->node[i].key, &node.key, sizeof(node.key)) == 0)
            return (int)i;
    if (plan->node_count == FM_NODES_MAX)
        return fm_fail(error, FM_ELIMIT, "the rules need more than %d different kernels", FM_NODES_MAX);
    plan->node[plan->node_count] = node;
    return (int)plan->node_count++;
}

static int plan_rule(fm_plan *plan, uint32_t index, fm_error *error)
{
    const fm_rule *rule = &plan->set->rule[index];
    fm_plan_rule *planned = &plan->rule[index];
    for (uint32_t i = 0; i < rule->need_count; i++) {
        int node = node_of(plan, rule, (int)i, 0, error);
        FM_TRY(node);
        if (rule->needs[i].hidden)
            continue;
        int column = column_of(plan, node, rule->needs[i].output, error);
        FM_TRY(column);
        planned->need[planned->visible] = (uint16_t)i;
        planned->column[planned->visible++] = (uint16_t)column;
        planned->needs.word[column / 64] |= UINT64_C(1) << (column % 64);
    }
    const fm_match *match = &rule->match;
    bool any = !match->trades && !match->quotes && !match->values;
    planned->kinds = (uint8_t)((any || match->trades ? 1u << FM_TRADE : 0) | (any || match->quotes ? 1u << FM_QUOTE : 0) |
                               (any || match->values ? 1u << FM_VALUE : 0) | (any ? 1u << FM_STATUS : 0));
    planned->state_size = (uint32_t)(sizeof(fm_rule_state) + rule->slot_count * sizeof(double));
    if (rule->has_on_timer) {
        int64_t least = rule->timer_min_ns > 0 ? rule->timer_min_ns : FM_TIMER_MIN_NS;
        plan->timer_min_ns = least < plan->timer_min_ns ? least : plan->timer_min_ns;
    }
    return 0;
}

/* What the tick path would else work out anew for every record. */
static void index_readers(fm_plan *plan)
{
    plan->mask_words = (plan->column_count + 63) / 64;
    plan->rule_words = (plan->set->count + 63) / 64;
    for (uint32_t n = 0; n < plan->node_count; n++) {
        fm_node *node = &plan->node[n];
        for (uint32_t o = 0; o < node->output_count; o++) {
            int column = node->column[o];
            if (column < 0)
                continue;
            for (uint32_t r = 0; r < plan->set->count; r++)
                if ((plan->rule[r].needs.word[column / 64] >> (column % 64)) & 1)
                    node->readers[r / 64] |= UINT64_C(1) << (r % 64);
        }
    }
}

static void sign(fm_plan *plan)
{
    struct {
        fm_hash128 set;
        fm_hash128 node[FM_NODES_MAX];
        uint32_t   size[FM_NODES_MAX];
    } *text = calloc(1, sizeof(*text));
    FM_ASSERT(text != NULL);
    text->set = plan->set->hash;
    for (uint32_t i = 0; i < plan->node_count; i++) {
        text->node[i] = plan->node[i].key;
        text->size[i] = plan->node[i].state_size;
    }
    plan->signature = fm_hash128_of(text, sizeof(*text));
    free(text);
}

int fm_plan_create(const fm_rule_set *set, fm_plan **out, fm_error *error)
{
    fm_plan *plan = calloc(1, sizeof(*plan));
    FM_ASSERT(plan != NULL);
    plan->set = set;
    plan->timer_min_ns = INT64_MAX;
    for (uint32_t i = 0; i < set->count; i++) {
        int result = plan_rule(plan, i, error);
        if (result < 0) {
            fm_plan_destroy(plan);
            return result;
        }
    }
    index_readers(plan);
    sign(plan);
    *out = plan;
    return 0;
}

static void layout_destroy(fm_layout *layout)
{
    for (uint32_t c = 0; c < FM_PROGRAMS; c++) {
        free(layout->program[c].step);
        free(layout->program[c].reader);
    }
    free(layout->node);
    free(layout->node_state);
    free(layout->rule);
    free(layout->rule_state);
    free(layout->rule_at);
    free(layout);
}

void fm_plan_destroy(fm_plan *plan)
{
    if (plan == NULL)
        return;
    for (uint32_t i = 0; i < plan->layout_count; i++)
        layout_destroy(plan->layout[i]);
    free(plan->layout);
    fm_blocks_fini(&plan->blocks);
    free(plan);
}

/* ---- layouts ---- */

static bool matches(const fm_match *match, fm_slice symbol, fm_slice venue, fm_slice class_)
{
    if (match->class_[0] != 0 && !fm_glob(fm_slice_of(match->class_), class_))
        return false;
    if (match->symbol[0] != 0 && !fm_glob(fm_slice_of(match->symbol), symbol))
        return false;
    return match->venue[0] == 0 || fm_glob(fm_slice_of(match->venue), venue);
}

static void mark_node(const fm_plan *plan, bool *wanted, int node)
{
    for (; node >= 0 && !wanted[node]; node = plan->node[node].of_node)
        wanted[node] = true;
}

static void want_nodes(const fm_plan *plan, uint32_t rule, bool *wanted)
{
    const fm_plan_rule *planned = &plan->rule[rule];
    for (uint32_t k = 0; k < planned->visible; k++)
        for (uint32_t n = 0; n < plan->node_count; n++)
            for (uint32_t o = 0; o < plan->node[n].output_count; o++)
                if (plan->node[n].column[o] == (int)planned->column[k])
                    mark_node(plan, wanted, (int)n);
}

static fm_step step_of(const fm_node *node, uint32_t state)
{
    bool in_place = true;
    fm_step step = {.kernel = node->kernel, .state = state, .of_column = -1, .input_count = node->input_count};
    for (uint8_t i = 0; i < node->input_count; i++) {
        step.input[i] = node->input[i];
        in_place &= node->input[i] == node->input[0] + i && node->input[i] != FM_INPUT_OF;
        if (node->input[i] == FM_INPUT_OF)
            step.of_column = node->of_column;
    }
    for (uint8_t o = 0; o < node->output_count; o++)
        if (node->column[o] >= 0) {
            step.used[step.used_count] = o;
            step.column[step.used_count++] = (uint8_t)node->column[o];
        }
    FM_ASSERT(step.used_count > 0); /* a node is in a layout because a rule, or a node, reads one of its outputs */
    step.one = node->kernel->step_one[step.used[0]];
    step.plain = in_place && step.used_count == 1 && step.one != NULL;
    return step;
}

/* Adds those steps of the program that are plain, or those that are not: only the latter wait for another's output. */
static void program_steps(const fm_plan *plan, const fm_layout *layout, const bool *steps, bool plain, fm_program *program)
{
    for (uint32_t i = 0; i < layout->node_count; i++) {
        if (!steps[layout->node[i]])
            continue;
        fm_step step = step_of(&plan->node[layout->node[i]], layout->node_state[i]);
        if (step.plain == plain)
            *program->end++ = step;
    }
}

static uint8_t kind_of(uint32_t carries)
{
    if (carries & FM_STEP_TRADE)
        return FM_TRADE;
    if (carries & FM_STEP_QUOTE)
        return FM_QUOTE;
    return carries & FM_STEP_X ? FM_VALUE : FM_STATUS;
}

/* Most of the sixteen never come to pass: they are small, and so is an instrument's share of its layout. */
static void program_make(const fm_plan *plan, const fm_layout *layout, uint32_t carries, fm_program *program)
{
    bool steps[FM_NODES_MAX] = {false};
    uint64_t readers[FM_RULES_MAX / 64] = {0};
    program->step = calloc(layout->node_count + 1, sizeof(*program->step));
    program->reader = calloc(layout->rule_count + 1, sizeof(*program->reader));
    FM_ASSERT(program->step != NULL && program->reader != NULL);
    for (uint32_t i = 0; i < layout->node_count; i++) {
        uint32_t n = layout->node[i];
        const fm_node *node = &plan->node[n];
        steps[n] = node->trigger != 0 ? (node->trigger & carries) != 0 : steps[node->of_node];
        for (uint32_t w = 0; w < FM_RULES_MAX / 64 && steps[n]; w++)
            readers[w] |= node->readers[w];
    }
    program->end = program->step;
    program_steps(plan, layout, steps, true, program);
    program->plain_end = program->end;
    program_steps(plan, layout, steps, false, program);
    for (uint32_t i = 0; i < layout->rule_count; i++) {
        uint32_t r = layout->rule[i];
        bool reads = ((readers[r / 64] >> (r % 64)) & 1) != 0, kind = ((plan->rule[r].kinds >> kind_of(carries)) & 1) != 0;
        if (reads)
            program->reader[program->reader_count++] = (uint16_t)r;
        if (carries != 0 && kind && (reads || plan->set->rule[r].has_on_event))
            program->rules[r / 64] |= UINT64_C(1) << (r % 64);
    }
}

static fm_layout *layout_create(const fm_plan *plan, const uint64_t *match)
{
    bool wanted[FM_NODES_MAX] = {false};
    fm_layout *layout = calloc(1, sizeof(*layout));
    FM_ASSERT(layout != NULL);
    memcpy(layout->match, match, sizeof(layout->match));
    layout->rule = calloc(plan->set->count + 1, sizeof(uint16_t));
    layout->rule_state = calloc(plan->set->count + 1, sizeof(uint32_t));
    layout->rule_at = malloc((plan->set->count + 1) * sizeof(int16_t));
    layout->node = calloc(plan->node_count + 1, sizeof(uint16_t));
    layout->node_state = calloc(plan->node_count + 1, sizeof(uint32_t));
    FM_ASSERT(layout->rule != NULL && layout->rule_state != NULL && layout->rule_at != NULL && layout->node != NULL && layout->node_state != NULL);
    for (uint32_t r = 0; r < plan->set->count; r++) {
        layout->rule_at[r] = -1;
        if ((match[r / 64] >> (r % 64)) & 1) {
            layout->rule_at[r] = (int16_t)layout->rule_count;
            layout->rule[layout->rule_count++] = (uint16_t)r;
            layout->has_timer |= plan->set->rule[r].has_on_timer;
            want_nodes(plan, r, wanted);
        }
    }
    uint32_t size = 0;
    for (uint32_t n = 0; n < plan->node_count; n++)
        if (wanted[n]) {
            layout->node[layout->node_count] = (uint16_t)n;
            layout->node_state[layout->node_count++] = size;
            size += plan->node[n].state_size;
        }
    layout->outputs = size;
    size += plan->column_count * (uint32_t)sizeof(double);
    for (uint32_t i = 0; i < layout->rule_count; i++) {
        layout->rule_state[i] = size;
        size += plan->rule[layout->rule[i]].state_size;
    }
    layout->block_size = size;
    for (uint32_t carries = 0; carries < FM_PROGRAMS; carries++)
        program_make(plan, layout, carries, &layout->program[carries]);
    return layout;
}

const fm_layout *fm_plan_layout(fm_plan *plan, fm_slice symbol, fm_slice venue, fm_slice class_)
{
    uint64_t match[FM_RULES_MAX / 64] = {0};
    for (uint32_t r = 0; r < plan->set->count; r++)
        if (matches(&plan->set->rule[r].match, symbol, venue, class_))
            match[r / 64] |= UINT64_C(1) << (r % 64);
    for (uint32_t i = 0; i < plan->layout_count; i++)
        if (memcmp(plan->layout[i]->match, match, sizeof(match)) == 0)
            return plan->layout[i];
    plan->layout = fm_grow(plan->layout, &plan->layout_capacity, plan->layout_count + 1, sizeof(*plan->layout));
    return plan->layout[plan->layout_count++] = layout_create(plan, match);
}

/* ---- blocks ---- */

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
