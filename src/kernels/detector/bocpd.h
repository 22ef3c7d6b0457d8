/* kernels/detector/bocpd.h - Bayesian online change point detection: how surprising is x, did a new run begin, how long
 * is the current one?
 *
 * A run is a stretch of independent normal values of one unknown mean and variance; each event ends it with
 * probability h = 1 / gap. For each possible age r of the current run (values in it) there is a weight w_r and the
 * posterior of mean and variance given those r values: normal-inverse-gamma with kappa = 0.1 + r, alpha = 1 + r/2, m,
 * beta. The prior of a run that begins now: m = faded mean, beta = faded variance (kernels/common/faded.h, half-life
 * `half_life`, values cut to 8 sigma before they enter). Predictive density of x under age r: Student's t,
 *   pi_r = Gamma(alpha + 1/2) / (Gamma(alpha) sqrt(pi q)) (1 + (x - m)^2 / q)^-(alpha + 1/2),  q = 2 beta (kappa + 1)
 *          / kappa.
 * Then total = sum w_r pi_r; w_(r+1) = (1 - h) w_r pi_r / total, w_0 = h with the prior of now, x included in it;
 *   m += (x - m) / (kappa + 1),  beta += kappa (x - m)^2 / (2 (kappa + 1))   (m as it was), for each age.
 * A run that is `run` - 1 values old stays that old: its beta is multiplied by (alpha - 1/2) / alpha and alpha and
 * kappa are those of one value less before x enters; of two runs that old the younger's m and beta stay and the weights
 * are added. Ages of weight below 0.03 h, at most 3e-4, are dropped, but for the newest, and the weights divided by
 * their sum: with a rare change too, a run that begins lives long enough for what speaks for it.
 *
 * score = -log(sigma total), sigma the root of the faded variance: surprise in nats, about 1.4 on a calm normal series,
 * the same whatever the unit of x. p: online conformal tail probability of the score (kernels/common/tail.h with
 * buckets of 4/5 nat from -8 to 43 nats). change: probability, x included, that the run is at most `recent` values old;
 * about recent / gap when calm. x is cut to 1e6 sigma.
 *
 * Params  half_life (s), gap (events), run (events), recent (events).  Input x.
 * Outputs score (nats), p, expected (unit of x; mean of the predictive), ready (0 or 1), change (1), run (events;
 *         expected age of the run, x included). NaN and ready 0 until 30 values are in and two of them differ.
 * Error   weights neglected move the score by 0.02 nats on average, by up to 0.7 right after a change, and `change` by
 *         up to 0.2 there; a shift of half a sigma is learned 65 events after it instead of 64, one of a sigma after 15
 *         (gap = 1000). p rounds up to a bucket.
 * Source  R. Adams & D. MacKay, "Bayesian online changepoint detection", arXiv:0710.3742 (2007); conjugate prior: K.
 *         Murphy, "Conjugate Bayesian analysis of the Gaussian distribution" (2007). Prior by the faded past, the cap
 *         and the pruning are ours.
 * Cost    ~30 ns for each age that is kept, 38 of them on a calm series: 1 to 2 us, 6 us at worst with run = 200;
 *         392 bytes + 40 for each of `run` + 1. */
#ifndef FM_KERNELS_DETECTOR_BOCPD_H
#define FM_KERNELS_DETECTOR_BOCPD_H

#include "kernels/common/tail.h"
#include "kernels/common/faded.h"

typedef struct fm_bocpd_age {
    double values; /* in the run */
    double weight;
    double mean, beta;
} fm_bocpd_age;

typedef struct fm_bocpd {
    fm_faded past;
    double hazard, recent;
    double precision; /* 1 / sigma; NaN until ready */
    int64_t run;      /* parameter */
    int64_t count;    /* values seen */
    int64_t ages;     /* that are kept */
    fm_tail tail;
    fm_bocpd_age
        age[]; /* `run` + 1, oldest first; then as many doubles: Gamma(alpha + 1/2) / Gamma(alpha) / sqrt(pi) */
} fm_bocpd;

#endif
