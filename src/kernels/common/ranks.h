/* kernels/common/ranks.h - where a value stands among the values before it: a fading quantile sketch in 1,296 bytes.
 *
 * At most 96 centroids (mean, weight), ascending and distinct, finest at both ends, where tail probabilities are read;
 * up to 32 newest values wait beside them, each of weight 1 and exact. When `due` of them wait they are merged:
 *   1. if the weights come to more than `memory`, the centroids are multiplied by the factor that makes it `memory`: a
 *      value `memory` later weighs 1/e;
 *   2. centroids and waiting values in ascending order (a centroid before an equal value) are joined from below: the
 *      next one joins the centroid at hand if it equals its mean, or if their joint weight is at most
 *      max(0.7, join * smaller of the weights below and above the two). The mean moves by (value - mean) * weight /
 * sum;
 *   3. that with join = 0, and only if more than 96 are left anew with 0.2, with 0.2 * 1.25, and so on.
 * So a series of few different values is counted exactly, ties and all. Sums are floats, in this order: same input,
 * same bits. The first `due` is the caller's, 1 to 32, so that sketches beside one another need not merge on one row.
 *
 * Values   any finite float; NaN and infinities must be kept out. Values that agree to 24 bits are one.
 * Error    none up to 96 different values, but for those that have faded below 0.35. Beyond, a two-sided tail
 *          probability is within a factor of 1.25 of that of the exact ranks (1.17 was seen on uniform, normal and
 *          log-normal samples; tests/unit/kernels/ranks).
 * Source   T. Dunning & O. Ertl, "Computing extremely accurate quantiles using t-digests" (2019), whose scale function
 *          this replaces by a bound on the weight relative to the tail; exponential fading.
 * Cost     asking: 7 steps of a binary search and 32 comparisons, ~25 ns. Adding: a store; a merge of ~1 us each 32. */
#ifndef FM_KERNELS_COMMON_RANKS_H
#define FM_KERNELS_COMMON_RANKS_H

#include <stdbool.h>
#include <stdint.h>

#define FM_RANKS_CENTROIDS 96
#define FM_RANKS_WAITING   32
#define FM_RANKS_JOIN      0.2f /* joint weight over the weight outside */
#define FM_RANKS_JOIN_ANY  0.7f /* joint weight that is always small enough: two that have faded */

/* ffi:begin */
typedef struct fm_ranks {
    float mean[96];
    float weight[96];
    float below[96]; /* weight of the centroids before this one */
    float waiting[32];
    float total; /* weight of all centroids */
    int32_t centroid_count;
    int32_t waiting_count;
    int32_t due; /* waiting values at which the next merge comes */
} fm_ranks;
/* ffi:end */

typedef struct fm_rank {
    float below, equal, all; /* weights of the past: smaller values, equal ones, all */
} fm_rank;

static inline void fm_ranks_init(fm_ranks *ranks, int32_t first_due)
{
    *ranks = (fm_ranks){.due = first_due};
}

static inline void fm_ranks_sort(float *value, int32_t count)
{
    for (int32_t i = 1; i < count; i++) {
        float moved = value[i];
        int32_t at = i;
        for (; at > 0 && value[at - 1] > moved; at--)
            value[at] = value[at - 1];
        value[at] = moved;
    }
}

/* Faded centroids and waiting values in ascending order; returns their weight. */
static inline float fm_ranks_line_up(fm_ranks *ranks, float memory, float *mean, float *weight)
{
    float fresh = (float)ranks->waiting_count, total = 0.0f;
    float keep = ranks->total + fresh > memory ? (memory - fresh) / ranks->total : 1.0f;
    int32_t i = 0, j = 0, count = ranks->centroid_count + ranks->waiting_count;
    fm_ranks_sort(ranks->waiting, ranks->waiting_count);
    for (int32_t n = 0; n < count; n++) {
        bool old = j == ranks->waiting_count || (i < ranks->centroid_count && ranks->mean[i] <= ranks->waiting[j]);
        mean[n] = old ? ranks->mean[i] : ranks->waiting[j];
        weight[n] = old ? ranks->weight[i] * keep : 1.0f;
        total += weight[n];
        i += old;
        j += !old;
    }
    return total;
}

/* Joins neighbours; false when more than fit are left. */
static inline bool fm_ranks_join(fm_ranks *ranks, const float *mean, const float *weight, int32_t count, float join)
{
    float below = 0.0f, at = mean[0], sum = weight[0];
    int32_t made = 0;
    for (int32_t i = 1; i <= count; i++) {
        if (i < count) {
            float both = sum + weight[i], above = ranks->total - below - both;
            float limit = join * (below < above ? below : above);
            if (mean[i] == at || both <= (limit > FM_RANKS_JOIN_ANY ? limit : FM_RANKS_JOIN_ANY)) {
                at += (mean[i] - at) * (weight[i] / both);
                sum = both;
                continue;
            }
        }
        if (made == FM_RANKS_CENTROIDS)
            return false;
        ranks->mean[made] = at;
        ranks->weight[made] = sum;
        ranks->below[made++] = below;
        below += sum;
        if (i < count) {
            at = mean[i];
            sum = weight[i];
        }
    }
    ranks->centroid_count = made;
    return true;
}

static inline void fm_ranks_merge(fm_ranks *ranks, float memory)
{
    float mean[FM_RANKS_CENTROIDS + FM_RANKS_WAITING], weight[FM_RANKS_CENTROIDS + FM_RANKS_WAITING];
    int32_t count = ranks->centroid_count + ranks->waiting_count;
    ranks->total = fm_ranks_line_up(ranks, memory, mean, weight);
    for (float join = 0.0f; !fm_ranks_join(ranks, mean, weight, count, join);)
        join = join > 0.0f ? join * 1.25f : FM_RANKS_JOIN;
    ranks->waiting_count = 0;
    ranks->due = FM_RANKS_WAITING;
}

/* memory: at least 64 */
static inline void fm_ranks_add(fm_ranks *ranks, float value, float memory)
{
    ranks->waiting[ranks->waiting_count++] = value;
    if (ranks->waiting_count >= ranks->due)
        fm_ranks_merge(ranks, memory);
}

static inline fm_rank fm_ranks_of(const fm_ranks *ranks, float value)
{
    int32_t low = 0, high = ranks->centroid_count, below = 0, equal = 0;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (ranks->mean[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    for (int32_t i = 0; i < ranks->waiting_count; i++) {
        below += ranks->waiting[i] < value;
        equal += ranks->waiting[i] == value;
    }
    bool inside = low < ranks->centroid_count;
    fm_rank rank = {.below = inside ? ranks->below[low] : ranks->total,
                    .equal = inside && ranks->mean[low] == value ? ranks->weight[low] : 0.0f,
                    .all = ranks->total + (float)ranks->waiting_count};
    rank.below += (float)below;
    rank.equal += (float)equal;
    return rank;
}

/* Two-sided conformal p: twice the smaller of the shares at or beyond it, itself included; at most 1. */
static inline double fm_rank_p(fm_rank rank)
{
    double up = (double)(rank.all - rank.below), down = (double)(rank.below + rank.equal);
    double p = 2.0 * ((up < down ? up : down) + 1.0) / ((double)rank.all + 1.0);
    return p < 1.0 ? p : 1.0;
}

#endif
