/* Which runs of neighbouring rows touch (docs/explanation/components.rst). */
#ifndef LSSTREGIONS_TOUCH_H
#define LSSTREGIONS_TOUCH_H

#include "span.h"
#include "trees.h"

/* Bands of rows that are walked in turns: their steps do not wait for each other. */
#define LSSTREGIONS_BANDS 4
#define LSSTREGIONS_PAIRS 128

/* Runs i, and runs j in the rows below them. */
struct Band {
    ptrdiff_t i, i_stop, j, j_stop;
};

struct Pair {
    int32_t i, j;
};

/* Leave that of two runs that ends first, for it touches nothing further; write both down, and return 1 if they touch.
   Which one ends first and whether they touch are coin tosses: no branch asks. */
static inline ptrdiff_t step_band(struct Band *band, const Span *span, int64_t reach, struct Pair *pair)
{
    const int64_t row = (int64_t)1 << 32;
    const Span *a = span + band->i, *b = span + band->j;
    const int64_t a_start = start_of(a), a_stop = stop_of(a), b_start = start_of(b) + row, b_stop = stop_of(b) + row;
    const ptrdiff_t leave_a = a_stop < b_stop;
    pair->i = (int32_t)band->i;
    pair->j = (int32_t)band->j;
    band->i += leave_a;
    band->j += 1 - leave_a;
    return (a_start < b_stop + reach) & (b_start < a_stop + reach);
}

static inline ptrdiff_t least_steps(const struct Band *band)
{
    const ptrdiff_t a = band->i_stop - band->i, b = band->j_stop - band->j, steps = a < b ? a : b;
    return steps < LSSTREGIONS_PAIRS ? steps : LSSTREGIONS_PAIRS;
}

static inline void join_pairs(const struct Pair *pairs, ptrdiff_t count, int32_t *parent)
{
    for (ptrdiff_t k = 0; k < count; k++)
        join_trees(parent, pairs[k].i, pairs[k].j);
}

static inline ptrdiff_t row_start(const Span *span, ptrdiff_t first, ptrdiff_t i)
{
    while (i > first && span[i - 1].y == span[i].y)
        i--;
    return i;
}

/* Take so many steps in each band, and join what was found to touch. */
static inline void walk_bands(struct Band *band, const Span *span, int64_t reach, ptrdiff_t steps, int32_t *parent)
{
    struct Pair pairs[LSSTREGIONS_BANDS][LSSTREGIONS_PAIRS];
    struct Band p = band[0], q = band[1], r = band[2], s = band[3];
    ptrdiff_t n_p = 0, n_q = 0, n_r = 0, n_s = 0;
    for (; steps; steps--) {
        n_p += step_band(&p, span, reach, &pairs[0][n_p]);
        n_q += step_band(&q, span, reach, &pairs[1][n_q]);
        n_r += step_band(&r, span, reach, &pairs[2][n_r]);
        n_s += step_band(&s, span, reach, &pairs[3][n_s]);
    }
    band[0] = p;
    band[1] = q;
    band[2] = r;
    band[3] = s;
    join_pairs(pairs[0], n_p, parent);
    join_pairs(pairs[1], n_q, parent);
    join_pairs(pairs[2], n_r, parent);
    join_pairs(pairs[3], n_s, parent);
}

/* Join the trees of runs `first` to `last` (exclusive), which are canonical, that touch in neighbouring rows; `reach` is
   1 where corners touch, else 0. `parent` says for each run which one it is joined to. */
static inline void join_touching(const Span *span, ptrdiff_t first, ptrdiff_t last, int64_t reach, int32_t *parent)
{
    struct Pair pairs[LSSTREGIONS_PAIRS];
    struct Band band[LSSTREGIONS_BANDS];
    const int count = last - first > 64 * LSSTREGIONS_BANDS ? LSSTREGIONS_BANDS : 1;
    ptrdiff_t cut = first;
    for (int k = 0; k < count; k++) {
        band[k].i = cut;
        band[k].j = cut > first ? row_start(span, first, cut - 1) : first;
        cut = k + 1 < count ? row_start(span, band[k].i, first + (last - first) / count * (k + 1)) : last;
        band[k].i_stop = cut;
        band[k].j_stop = cut > band[k].i ? row_start(span, band[k].j, cut - 1) : band[k].j;
    }
    while (count == LSSTREGIONS_BANDS) {
        ptrdiff_t steps = LSSTREGIONS_PAIRS;
        for (int k = 0; k < LSSTREGIONS_BANDS; k++) {
            const ptrdiff_t least = least_steps(&band[k]);
            steps = steps < least ? steps : least;
        }
        if (steps < 1)
            break;
        walk_bands(band, span, reach, steps, parent);
    }
    for (int k = 0; k < count; k++) {
        ptrdiff_t steps;
        while ((steps = least_steps(&band[k])) > 0) {
            ptrdiff_t n = 0;
            for (; steps; steps--)
                n += step_band(&band[k], span, reach, &pairs[n]);
            join_pairs(pairs, n, parent);
        }
    }
}

#endif
