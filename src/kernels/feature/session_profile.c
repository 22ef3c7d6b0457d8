/* kernels/feature/session_profile.c - see the header. */
#include "kernels/feature/session_profile.h"

#include "base/error.h"
#include "kernels/common/fade.h"
#include "kernels/common/number.h"
#include "kernels/kernel.h"

#define DAY_MINUTES 1440.0
#define MINUTE_NS   6e10
#define SESSION_GAP 30.0 /* minutes */

static const fm_field params[] = {
    {.name = "bucket", .unit = "min", .low = 1, .high = 240, .preset = 5, .help = "minutes that share a baseline"},
    {.name = "days",
     .unit = "sessions",
     .low = 1,
     .high = 1000,
     .preset = 20,
     .help = "age at which a session weighs one half"},
    {.name = "sessions",
     .unit = "sessions",
     .low = 1,
     .high = 1000,
     .preset = 5,
     .help = "that a bucket has learnt before it answers"},
    {0},
};

static size_t state_size(const double *values)
{
    return sizeof(fm_session_profile) + (size_t)(DAY_MINUTES / values[0] + 1.0) * sizeof(fm_session_bucket);
}

static int init(void *state, const double *values)
{
    fm_session_profile *profile = state;
    FM_TRY(fm_kernel_check(params, values));
    profile->per_bucket = 1.0 / values[0];
    profile->fade = 1.0 / values[1];
    profile->needed = (int64_t)values[2];
    profile->minute = NAN;
    return 0;
}

typedef struct place { /* of a record */
    int64_t session, bucket;
    double minute;
    int64_t newest_ns;
    bool moved; /* it opens another bucket */
} place;

static bool usable(const double *in)
{
    return fm_usable(in[0]) && in[1] >= 0.0 && in[1] < DAY_MINUTES && fm_usable(in[2]);
}

/* A late record counts as seen now: it moves neither time nor minute. */
static place place_of(const fm_session_profile *profile, int64_t ts_ns, double minute)
{
    place at = {.session = profile->session, .minute = minute, .newest_ns = ts_ns, .moved = true};
    if (!isnan(profile->minute)) {
        bool late = ts_ns < profile->newest_ns;
        double passed = (double)fm_elapsed_ns(ts_ns, profile->newest_ns) * (1.0 / MINUTE_NS);
        bool begins = !late && passed > minute - profile->minute + SESSION_GAP;
        at.minute = begins || (!late && minute > profile->minute) ? minute : profile->minute;
        at.newest_ns = late ? profile->newest_ns : ts_ns;
        at.session += begins;
        at.moved = begins;
    }
    at.bucket = (int64_t)(at.minute * profile->per_bucket);
    at.moved |= at.bucket != profile->open;
    return at;
}

/* The open bucket as it will be when this session has entered it. */
static fm_session_bucket closed(const fm_session_profile *profile)
{
    fm_session_bucket bucket = profile->bucket[profile->open];
    if (!profile->learns || profile->count == 0.0)
        return bucket;
    double keep = fm_fade((double)(profile->session - bucket.session) * profile->fade);
    double distance = profile->mean - bucket.mean;
    bucket.weight = keep * bucket.weight + 1.0;
    bucket.mean += distance / bucket.weight;
    bucket.squares = keep * bucket.squares + fm_positive(distance * (profile->mean - bucket.mean)) +
                     profile->squares / profile->count;
    bucket.count++;
    bucket.session = profile->session;
    return bucket;
}

static void read(const fm_session_profile *profile, place at, double x, double out[4])
{
    fm_session_bucket past = at.moved && at.bucket == profile->open ? closed(profile) : profile->bucket[at.bucket];
    out[0] = out[1] = out[2] = NAN;
    out[3] = at.moved ? x : profile->mean + (x - profile->mean) / (profile->count + 1.0);
    if (past.count < profile->needed)
        return;
    out[0] = past.mean > 0.0 ? fm_finite(x / past.mean) : NAN;
    out[1] = past.squares > 1e-200 ? fm_finite((x - past.mean) * sqrt(past.weight / past.squares)) : NAN;
    out[2] = past.mean;
}

static void push(fm_session_profile *profile, place at, double x, double day_type)
{
    if (at.moved) {
        profile->bucket[profile->open] = closed(profile);
        profile->open = at.bucket;
        profile->count = profile->mean = profile->squares = 0.0;
        profile->learns = 1;
    }
    double distance = x - profile->mean;
    profile->count += 1.0;
    profile->mean += distance / profile->count;
    profile->squares += fm_positive(distance * (x - profile->mean));
    profile->learns &= day_type == 0.0;
    profile->minute = at.minute;
    profile->newest_ns = at.newest_ns;
    profile->session = at.session;
}

static void score(const void *state, int64_t ts_ns, const double *in, double *out)
{
    out[0] = out[1] = out[2] = out[3] = NAN;
    if (usable(in))
        read(state, place_of(state, ts_ns, in[1]), in[0], out);
}

static void update(void *state, int64_t ts_ns, const double *in)
{
    if (usable(in))
        push(state, place_of(state, ts_ns, in[1]), in[0], in[2]);
}

FM_STEP_INLINE step(void *state, int64_t ts_ns, const double *in, double *out)
{
    out[0] = out[1] = out[2] = out[3] = NAN;
    if (!usable(in))
        return;
    place at = place_of(state, ts_ns, in[1]);
    read(state, at, in[0], out);
    push(state, at, in[0], in[2]);
}

const fm_kernel fm_kernel_session_profile = {
    .name = "session_profile",
    .summary = "x against what is usual at this time of the session.",
    .source = "Andersen & Bollerslev, J. Empirical Finance 4, 1997",
    .kind = FM_KERNEL_FEATURE,
    .layout = 2,
    .params = params,
    .inputs = (const fm_field[]){{.name = "x", .unit = "any", .help = "the series"},
                                 {.name = "session_minute", .unit = "min", .help = "since the session opened"},
                                 {.name = "day_type", .unit = "1", .help = "0 regular; other days are not learnt"},
                                 {0}},
    .outputs =
        (const fm_field[]){{.name = "ratio", .unit = "1", .usual = 1, .help = "over what is expected"},
                           {.name = "z", .unit = "sd", .usual = 0, .help = "distance from what is expected"},
                           {.name = "expected", .unit = "x", .usual = NAN, .help = "at this time of the session"},
                           {.name = "level", .unit = "x", .usual = NAN, .help = "mean of the bucket so far today"},
                           {0}},
    .state_size = state_size,
    .init = init,
    .score = score,
    .update = update,
    .step = step,
    .warm_up = "for each bucket, after that many sessions",
    .cost = "~15 ns, 11.6 KB by preset",
};
