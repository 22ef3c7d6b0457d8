/* kernels/kernel.h - the descriptor that every feature and detector ends with; kernels.def lists them.
 *
 * The contract: state is plain bytes of a size fixed by the parameters, without pointers, so a snapshot is a memcpy;
 * `score` reads a const state and may use the new inputs and the past; `update` moves the inputs into the past. NaN in
 * means "missing" and changes nothing but time; NaN out means "not warm yet"; never an infinity. A kernel allocates
 * nothing, reads no clock, does no I/O, and gives the same bits on every x86-64 (exp, log, pow from base/fmath).
 *
 * Inputs are wired by name: "x" is the series that a rule chose with `of =` (default: the last trade price, else the
 *        mid); "price", "size", "side" come from a trade (side +1 buy, -1 sell, NaN unknown), "bid", "bid_size",
 *        "ask", "ask_size" from the consolidated quote, "event" is 1 on every record. "open", "high", "low", "close",
 *        "volume" come from a bar. "bid_depth", "ask_depth" are the sizes of the best FM_KERNEL_DEPTH_LEVELS levels of
 *        the book; "action" (1 add, 2 modify, 3 cancel, 4 execute), "order_size" and "order_age" (s since the order was
 *        added) come from an order. "session_minute" (minutes since the session opened; outside of it NaN) and
 *        "day_type" (0 regular, 1 half day) come from the instrument's calendar, "market" is the series that the
 *        instrument is compared with. "sector_mean", "sector_sd" and "sector_rank" (0 lowest … 1 highest) compare the
 *        log returns of a minute of all instruments of its sector. A kernel is stepped on the records that carry all of
 *        its inputs' sources: trades, quotes, values, bars, orders, or any record.
 *
 * A kernel of several series has the inputs "x", "x2" … "x8" and, first of its parameters, "dims", which is how many of
 * them a rule wired by `of = {…}`; the rest are NaN and mean nothing. */
#ifndef FM_KERNELS_KERNEL_H
#define FM_KERNELS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FM_KERNEL_PARAMS_MAX  8
#define FM_KERNEL_INPUTS_MAX  8
#define FM_KERNEL_OUTPUTS_MAX 12
#define FM_KERNEL_DEPTH_LEVELS 10

typedef enum fm_kernel_kind { FM_KERNEL_FEATURE, FM_KERNEL_DETECTOR } fm_kernel_kind;

/* One parameter, input or output. A table of them ends with a row whose name is NULL. */
typedef struct fm_field {
    const char *name;
    const char *unit; /* "s" (rules may write "30m"), "sigma", "1", "x" (that of the input x), "price", "size", "1/s" */
    double low;       /* parameters: smallest and largest value taken */
    double high;
    double preset;    /* parameters: value when not given; NaN = must be given */
    bool optional;    /* inputs: NaN is an answer too ("not known"), not a record to be passed over */
    double usual;     /* outputs: what a calm market shows, for evidence; NaN = nothing is usual */
    const char *help; /* one sentence */
} fm_field;

typedef struct fm_kernel {
    const char *name;
    const char *summary;
    const char *source; /* paper, standard or exchange document */
    fm_kernel_kind kind;
    uint32_t layout; /* version of the state's bytes; raised when they change meaning */
    const fm_field *params, *inputs;
    const fm_field *outputs; /* outputs[0] is what `feature.name{}` gives; others by output = "name" */
    /* Bytes of state, a multiple of 8; 0 for a kernel without a past. */
    size_t (*state_size)(const double *params);
    /* 0, or FM_EINVAL; state is zeroed before. */
    int (*init)(void *state, const double *params);
    /* Writes every output. */
    void (*score)(const void *state, int64_t ts_ns, const double *in, double *out);
    void (*update)(void *state, int64_t ts_ns, const double *in);
    /* Score, then update, bit for bit; may be NULL. */
    void (*step)(void *state, int64_t ts_ns, const double *in, double *out);
    /* The same for who reads one output alone, by its index: returns it. NULL = `step` serves. */
    double (*step_one[FM_KERNEL_OUTPUTS_MAX])(void *state, int64_t ts_ns, const double *in);
    const char *warm_up; /* when outputs stop being NaN, one sentence */
    const char *cost;    /* "~4 ns, 40 bytes" */
} fm_kernel;

/* Defines a function for step_one from the kernel's `step`: inlined, the compiler leaves out what makes the other
 * outputs. */
#define FM_STEP_ONE(function, output)                                                                                  \
    static double function(void *state, int64_t ts_ns, const double *in)                                               \
    {                                                                                                                  \
        double out[FM_KERNEL_OUTPUTS_MAX];                                                                             \
        step(state, ts_ns, in, out);                                                                                   \
        return out[output];                                                                                            \
    }
#define FM_STEP_INLINE static inline __attribute__((always_inline)) void

extern const fm_kernel *const fm_kernels[]; /* every kernel in kernels.def, in its order; NULL ends it */

const fm_kernel *fm_kernel_find(fm_kernel_kind kind, const char *name); /* NULL when there is none */
int fm_kernel_field_index(const fm_field *fields, const char *name);    /* -1 when there is none */
int fm_kernel_field_count(const fm_field *fields);
int fm_kernel_check(const fm_field *params, const double *values); /* 0, or FM_EINVAL when one is outside its range */

#endif
