/* engine/plan.c - merges the needs of all rules into nodes and columns; lays out the state of instruments (plan_block.c fills it). */
#include "engine/plan.h"

#include "base/assert.h"

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
    {"open", FM_INPUT_OPEN, FM_STEP_BAR},
    {"high", FM_INPUT_HIGH, FM_STEP_BAR},
    {"low", FM_INPUT_LOW, FM_STEP_BAR},
    {"close", FM_INPUT_CLOSE, FM_STEP_BAR},
    {"volume", FM_INPUT_VOLUME, FM_STEP_BAR},
    {"bid_depth", FM_INPUT_BID_DEPTH, FM_STEP_DEPTH},
    {"ask_depth", FM_INPUT_ASK_DEPTH, FM_STEP_DEPTH},
    {"action", FM_INPUT_ACTION, FM_STEP_ORDER},
    {"order_age", FM_INPUT_ORDER_AGE, FM_STEP_ORDER},
    {"order_size", FM_INPUT_ORDER_SIZE, FM_STEP_ORDER},
    {"session_minute", FM_INPUT_SESSION_MINUTE, 0},
    {"day_type", FM_INPUT_DAY_TYPE, 0},
    {"market", FM_INPUT_MARKET, 0},
    {"sector_mean", FM_INPUT_SECTOR_MEAN, 0},
    {"sector_sd", FM_INPUT_SECTOR_SD, 0},
    {"sector_rank", FM_INPUT_SECTOR_RANK, 0},
};

/* Which of several series an input is: 0 for "x", 1 for "x2"; -1 for other names. */
static int series_of(const char *name)
{
    if (name[0] != 'x' || (name[1] != 0 && name[2] != 0))
        return -1;
    return name[1] == 0 ? 0 : name[1] >= '2' && name[1] < '1' + FM_NEED_SERIES_MAX ? name[1] - '1' : -1;
}

/* The input of that name, with what carries it in *trigger; -1 when there is none. */
static int input_of(const fm_node *node, const char *name, uint8_t *trigger)
{
    int series = series_of(name);
    *trigger = 0;
    if (series >= 0 && series < node->of_count)
        return FM_INPUT_OF + series;
    if (series > 0)
        return FM_INPUT_MISSING;
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        if (strcmp(inputs[i].name, name) == 0) {
            *trigger = inputs[i].trigger;
            return inputs[i].input;
        }
    return -1;
}

/* Wires a kernel's inputs by name. It steps on what comes first of: trades, orders, bars, a book's depth, quotes, x, any record. Bars, depth and
 * orders are known on their own records only; all else of the instrument is what it was last, or, of a trade that is not there, NaN. */
static int wire(fm_node *node, const fm_kernel *kernel, fm_error *error)
{
    static const uint8_t order[] = {FM_STEP_TRADE, FM_STEP_ORDER, FM_STEP_BAR, FM_STEP_DEPTH, FM_STEP_QUOTE};
    const uint8_t fleeting = FM_STEP_BAR | FM_STEP_DEPTH | FM_STEP_ORDER;
    uint8_t carries = 0, trigger[FM_KERNEL_INPUTS_MAX];
    for (const fm_field *field = kernel->inputs; field->name != NULL; field++) {
        int input = node->input_count < FM_KERNEL_INPUTS_MAX ? input_of(node, field->name, &trigger[node->input_count]) : -1;
        if (input < 0)
            return fm_fail(error, FM_EINVAL, "kernel \"%s\" has an input \"%s\" that the engine does not know", kernel->name, field->name);
        carries |= trigger[node->input_count];
        node->input[node->input_count++] = (uint8_t)input;
    }
    for (size_t i = 0; i < sizeof(order) && node->trigger == 0; i++)
        node->trigger = carries & order[i];
    if (node->trigger == 0 && node->of_count == 0)
        node->trigger = carries & FM_STEP_X ? FM_STEP_X : FM_STEP_ANY;
    for (uint8_t i = 0; i < node->input_count; i++)
        if ((trigger[i] & fleeting) != 0 && trigger[i] != node->trigger)
            node->input[i] = FM_INPUT_MISSING;
    return 0;
}

/* `of_output`: which output of each node that it is made of. */
static fm_hash128 key_of(const fm_plan *plan, const fm_node *node, const int *of_output)
{
    struct {
        char     name[64];
        double   params[FM_KERNEL_PARAMS_MAX], gate;
        uint32_t layout, of_output;
        fm_hash128 of;
    } text;
    memset(&text, 0, sizeof(text));
    fm_slice_copy(fm_slice_of(node->kernel->name), text.name, sizeof(text.name));
    memcpy(text.params, node->params, sizeof(text.params));
    text.gate = node->gate;
    text.layout = node->kernel->layout;
    for (uint32_t i = 0; i < node->of_count; i++) {
        fm_hash128 before = fm_hash128_of(&text, sizeof(text));
        text.of_output = (uint32_t)(of_output[i] + 1);
        text.of = plan->node[node->of_node[i]].key;
        if (i > 0) /* what came before goes on in it */
            memcpy(text.name, &before, sizeof(before));
    }
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
    int of_output[FM_NEED_SERIES_MAX];
    fm_node node = {.kernel = need->kernel, .of_count = (uint8_t)need->of_count};
    for (uint32_t i = 0; i < need->of_count; i++) {
        int of_node = node_of(plan, rule, need->of[i], depth + 1, error);
        FM_TRY(of_node);
        of_output[i] = rule->needs[need->of[i]].output;
        int of_column = column_of(plan, of_node, of_output[i], error);
        FM_TRY(of_column);
        node.of_node[i] = (int16_t)of_node;
        node.of_column[i] = (int16_t)of_column;
    }
    memset(node.column, -1, sizeof(node.column));
    memcpy(node.params, need->params, sizeof(node.params));
    FM_TRY(wire(&node, need->kernel, error));
    node.output_count = (uint8_t)fm_kernel_field_count(need->kernel->outputs);
    node.gate = need->gate;
    node.state_size = (uint32_t)((need->kernel->state_size(node.params) + 7) & ~(size_t)7) + (need->gate > 0.0 ? (uint32_t)sizeof(uint64_t) : 0);
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
    planned->kinds = rule->match.kinds != 0 ? (uint8_t)rule->match.kinds : UINT8_MAX;
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
    if (wanted[node])
        return;
    wanted[node] = true;
    for (uint32_t i = 0; i < plan->node[node].of_count; i++) /* a need is made of needs at most FM_RULE_NEEDS_MAX deep: node_of */
        mark_node(plan, wanted, plan->node[node].of_node[i]);
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
    fm_step step = {.kernel = node->kernel, .state = state, .input_count = node->input_count, .of_count = node->of_count};
    for (uint8_t i = 0; i < node->input_count; i++) {
        step.input[i] = node->input[i];
        in_place &= node->input[i] == node->input[0] + i && node->input[i] < FM_INPUT_MISSING;
    }
    for (uint8_t i = 0; i < node->of_count; i++)
        step.of_column[i] = (uint8_t)node->of_column[i];
    for (uint8_t o = 0; o < node->output_count; o++)
        if (node->column[o] >= 0) {
            step.used[step.used_count] = o;
            step.column[step.used_count++] = (uint8_t)node->column[o];
        }
    FM_ASSERT(step.used_count > 0); /* a node is in a layout because a rule, or a node, reads one of its outputs */
    step.one = node->kernel->step_one[step.used[0]];
    step.gate = node->gate;
    step.gate_run = state + node->state_size - (uint32_t)sizeof(uint64_t);
    step.plain = in_place && step.used_count == 1 && step.one != NULL && step.gate == 0.0;
    return step;
}

/* Adds those steps of the program that are plain, or those that are not: only the latter wait for another's output. */
static void program_steps(const fm_plan *plan, const fm_layout *layout, const bool *steps, bool plain, fm_program *program)
{
    for (uint32_t i = 0; i < layout->node_count; i++) {
        if (!steps[layout->node[i]])
            continue;
        fm_step step = step_of(&plan->node[layout->node[i]], layout->node_state[i]);
        for (uint8_t k = 0; k < step.input_count; k++)
            program->told |= step.input[k] >= FM_INPUT_SESSION_MINUTE && step.input[k] <= FM_INPUT_SECTOR_RANK;
        if (step.plain == plain)
            *program->end++ = step;
    }
}

/* Does the node step on what a record carries? Nodes before it are in `steps` already. */
static bool steps_on(const fm_node *node, uint32_t carries, const bool *steps)
{
    bool any = (node->trigger & carries) != 0;
    for (uint32_t i = 0; i < node->of_count && node->trigger == 0; i++)
        any |= steps[node->of_node[i]];
    return any;
}

#define AT_END(kind, more)                                                                                                                         \
    {kind, FM_STEP_ANY | (more)}, {kind, FM_STEP_ANY | FM_STEP_DEPTH | (more)}, {kind, FM_STEP_ANY | FM_STEP_DEPTH | FM_STEP_QUOTE | (more)},      \
        {kind, FM_STEP_ANY | FM_STEP_DEPTH | FM_STEP_QUOTE | FM_STEP_X | (more)}

/* By fm_on. */
static const struct {
    uint8_t kind, carries;
} programs[FM_PROGRAMS] = {
    {FM_KIND_NONE, 0},
    {FM_TRADE, FM_STEP_ANY | FM_STEP_TRADE},
    {FM_TRADE, FM_STEP_ANY | FM_STEP_TRADE | FM_STEP_X},
    {FM_QUOTE, FM_STEP_ANY | FM_STEP_QUOTE},
    {FM_QUOTE, FM_STEP_ANY | FM_STEP_QUOTE | FM_STEP_X},
    {FM_VALUE, FM_STEP_ANY},
    {FM_VALUE, FM_STEP_ANY | FM_STEP_X},
    {FM_STATUS, FM_STEP_ANY},
    {FM_BAR, FM_STEP_ANY | FM_STEP_BAR},
    {FM_BAR, FM_STEP_ANY | FM_STEP_BAR | FM_STEP_X},
    AT_END(FM_BOOK, 0),
    AT_END(FM_ORDER, 0),
    AT_END(FM_ORDER, FM_STEP_ORDER),
};

/* Only what can come to pass has a program: it is small, and so is an instrument's share of its layout. */
static void program_make(const fm_plan *plan, const fm_layout *layout, fm_on on, fm_program *program)
{
    const uint32_t carries = programs[on].carries;
    bool steps[FM_NODES_MAX] = {false};
    uint64_t readers[FM_RULES_MAX / 64] = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < layout->node_count; i++) {
        uint32_t n = layout->node[i];
        const fm_node *node = &plan->node[n];
        steps[n] = steps_on(node, carries, steps);
        count += steps[n];
        for (uint32_t w = 0; w < FM_RULES_MAX / 64 && steps[n]; w++)
            readers[w] |= node->readers[w];
    }
    program->step = calloc(count + 1, sizeof(*program->step));
    program->reader = calloc(layout->rule_count + 1, sizeof(*program->reader));
    FM_ASSERT(program->step != NULL && program->reader != NULL);
    program->end = program->step;
    program_steps(plan, layout, steps, true, program);
    program->plain_end = program->end;
    program_steps(plan, layout, steps, false, program);
    for (uint32_t i = 0; i < layout->rule_count; i++) {
        uint32_t r = layout->rule[i];
        bool reads = ((readers[r / 64] >> (r % 64)) & 1) != 0, kind = ((plan->rule[r].kinds >> programs[on].kind) & 1) != 0;
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
    for (uint32_t on = 0; on < FM_PROGRAMS; on++)
        program_make(plan, layout, (fm_on)on, &layout->program[on]);
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
