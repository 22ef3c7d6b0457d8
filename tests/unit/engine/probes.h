/* tests/unit/engine/probes.h - a rule that notes what the kernels of an instrument were given: kernels whose outputs are their inputs. */
#ifndef FM_TESTS_ENGINE_PROBES_H
#define FM_TESTS_ENGINE_PROBES_H

#include "fold_bed.h"

#define UNKNOWN (-77.0) /* in place of NaN: a row that lacks a value would not be seen */

/* Output 0 counts steps; those behind it are the inputs. */
#define PROBE(id, size, ...)                                                                                                                       \
    static void id##_step(void *state, int64_t ts_ns, const double *in, double *out)                                                               \
    {                                                                                                                                              \
        (void)ts_ns;                                                                                                                               \
        out[0] = *(double *)state += 1;                                                                                                            \
        for (int i = 0; i < (size); i++)                                                                                                           \
            out[1 + i] = isnan(in[i]) ? UNKNOWN : in[i];                                                                                           \
    }                                                                                                                                              \
    static const fm_field id##_inputs[] = {__VA_ARGS__, {0}};                                                                                      \
    static const fm_kernel id = {.name = #id, .params = probe_params, .inputs = id##_inputs, .outputs = probe_outputs,                             \
                                 .state_size = probe_size, .init = probe_init, .step = id##_step}

static const fm_field probe_params[] = {{0}};
static const fm_field probe_outputs[] = {{.name = "n"}, {.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}, {.name = "e"}, {0}};

static size_t probe_size(const double *params)
{
    (void)params;
    return sizeof(double);
}

static int probe_init(void *state, const double *params)
{
    (void)state;
    (void)params;
    return 0;
}

enum { PROBES_MAX = 12 };

typedef struct probes {
    bed         *b;
    bed_log      log;
    fm_rule_set *set;
    double       seen[256][PROBES_MAX]; /* of each row that the rule saw: its needs */
    uint8_t      kind[256];
    uint32_t     count;
} probes;

static int note(bed *b, fm_rule_call *call, uint32_t k)
{
    probes *p = b->body_context;
    assert_true(p->count < 256);
    p->kind[p->count] = call->event[k]->kind;
    for (uint32_t i = 0; i < p->set->rule[0].need_count; i++)
        p->seen[p->count][i] = call->matrix[(size_t)call->row[k] * call->stride + call->column[i]];
    p->count++;
    return 0;
}

static void probes_begin(probes *p)
{
    fm_fold_config config = bed_config();
    *p = (probes){.b = bed_open(&config), .set = bed_set(1)};
    p->b->body_context = p;
    p->b->body[0] = note;
    bed_rule(p->set, 0, "t/probe")->has_on_event = true;
}

/* The rule reads `output` of the kernel, made of the needs `of` (of_count of them). */
static void probes_need(probes *p, const fm_kernel *kernel, int output, uint32_t of_count, int first, int second)
{
    fm_rule *rule = &p->set->rule[0];
    fm_need *need = &rule->needs[rule->need_count];
    *need = (fm_need){.kernel = kernel, .output = output, .of_count = of_count, .of = {first, second}};
    snprintf(need->name, sizeof(need->name), "n%u", rule->need_count++);
}

static void probes_use(probes *p)
{
    bed_know(p->b, p->set);
    bed_use(p->b, &p->log, p->set);
    bed_fold(p->b, &p->log);
}

static void probes_send(probes *p, const fm_record *record)
{
    assert_int_equal(bed_admit(p->b, &p->log, "run", record), 1);
    bed_fold(p->b, &p->log);
}

static void probes_end(probes *p)
{
    bed_close(p->b);
    bed_log_fini(&p->log);
    free(p->set);
}

/* What the newest row showed. */
static inline const double *last(const probes *p)
{
    assert_true(p->count > 0);
    return p->seen[p->count - 1];
}

#endif
