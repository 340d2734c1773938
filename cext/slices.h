/* Ellipses, less their holes, cut into slices of which eight are followed from column to column at once: see
   docs/explanation/coverage.rst. All machines give the same shares. */
#ifndef LSSTREGIONS_SLICES_H
#define LSSTREGIONS_SLICES_H

#include "conics.h"
#include "lanes.h"

/* As it takes for loops around a loop of few turns to become SIMD. */
#if defined(__GNUC__) && !defined(__clang__)
#define LSSTREGIONS_UNROLL _Pragma("GCC unroll 32")
#else
#define LSSTREGIONS_UNROLL
#endif

/* Without and with a hole. */
enum { CUTS = 2, MOST_CUTS = 6 };

/* How an ellipse is cut into slices. A slice is a row, or a part of one: rows are cut where a border turns back and
   where a hole begins or ends, so that in a slice every border only falls or rises. */
typedef struct {
    const Conic *outer, *hole; /* of one centre; no hole is NULL */
    double first, count;       /* row and slices */
    int cuts;
    double y[MOST_CUTS], after[MOST_CUTS]; /* where, from the centre, and which slice begins there */
} Cuts;

/* LANES slices, one each from below and from above in turns: such two are as wide as each other. */
typedef struct {
    double low[LANES], high[LANES]; /* y from the centre */
    double row[LANES];              /* from the first */
} Slices;

/* A border of slices, from left to right. */
typedef struct {
    const Conic *conic;
    double x[LANES], y[LANES];         /* where it comes into the column that is next */
    double x_end[LANES], y_end[LANES]; /* where it leaves the slice */
    double half[LANES];                /* of the ellipse: its rise on the upper half, less than 0 on the lower one */
    double column[LANES], last[LANES]; /* the next, and the last */
    double covered[LANES];             /* how much of its row is inside, left of that column */
    double sign;                       /* whether that rises or falls along the border */
    double area;                       /* of the ellipse; of a hole, less than 0 */
} Border;

/* What lies between two borders. */
typedef struct {
    Border left, right;
    int32_t begin[LANES], stop[LANES]; /* of the columns between; where begin > stop, the borders share columns */
    int32_t columns;                   /* of a border: in the slice that has most */
} Band;

/* Slices, and their bands: one, or two where there is a hole. */
typedef struct {
    Slices slices;
    Band bands[2];
} Block;

/* The border below a row, from the centre, or where the ellipse ends. */
LSSTREGIONS_INLINE double border_below(const Conic *conic, double y)
{
    return clamped(y - 0.5 - conic->y, -conic->height, conic->height);
}

static inline Cuts cuts_of(const Conic *outer, const Conic *hole, int32_t first, int32_t stop)
{
    Cuts cuts = {outer, hole, first, (double)stop - first, 0, {0}, {0}};
    double places[MOST_CUTS] = {fabs(outer->turn), -fabs(outer->turn)};
    const int n = hole ? MOST_CUTS : CUTS;
    if (hole) {
        places[2] = fabs(hole->turn), places[3] = -fabs(hole->turn);
        places[4] = hole->height, places[5] = -hole->height;
    }
    double before = -HUGE_VAL;
    for (int k = 0; k < n; k++) {
        double place = HUGE_VAL;
        for (int i = 0; i < n; i++)
            place = places[i] > before && places[i] < place ? places[i] : place;
        if (place == HUGE_VAL)
            break;
        before = place;
        const double y = floor(outer->y + place + 0.5);
        if (first <= y && y < stop && border_below(outer, y) < place && place < border_below(outer, y + 1)) {
            cuts.y[cuts.cuts] = place;
            cuts.after[cuts.cuts] = y - first + 1 + cuts.cuts;
            cuts.cuts++;
            cuts.count++;
        }
    }
    return cuts;
}

/* Cut out slices from number `begin` on, which is even, where there are up to n cuts; those that are too many are
   empty. */
LSSTREGIONS_INLINE void cut_slices(const Cuts *cuts, int n, int32_t begin, Slices *slices)
{
    static const double from_below[LANES] = {1, 0, 1, 0, 1, 0, 1, 0}, pair[LANES] = {0, 0, 1, 1, 2, 2, 3, 3};
    const double count = cuts->count, half = begin / 2, beyond = count + 1;
    double after[MOST_CUTS];
    for (int k = 0; k < n; k++)
        after[k] = k < cuts->cuts ? cuts->after[k] : beyond;
    for (int i = 0; i < LANES; i++) {
        const double below = half + pair[i], above = count - 1 - below;
        const double j = from_below[i] > 0 ? below : above;
        double row = j, low, high;
        for (int k = 0; k < n; k++)
            row -= j >= after[k] ? 1 : 0;
        low = border_below(cuts->outer, cuts->first + row);
        high = border_below(cuts->outer, cuts->first + row + 1);
        for (int k = 0; k < n; k++) {
            low = j == after[k] ? cuts->y[k] : low;
            high = j + 1 == after[k] ? cuts->y[k] : high;
        }
        const int some = from_below[i] > 0 ? below <= above : below < above;
        slices->row[i] = some ? row : 0;
        slices->low[i] = low;
        slices->high[i] = some ? high : low;
    }
}

/* The column that holds x, which may be far outside. */
LSSTREGIONS_INLINE int32_t column_of(double x, double last)
{
    return (int32_t)clamped(x, 0, last);
}

/* Find where the left border of an ellipse, side -1, or the right one, side 1, crosses slices. What is inside begins
   there, or ends. A hole that is not in a slice leaves its border in the column where `left` ends. */
LSSTREGIONS_INLINE void cross_slices(const Conic *conic, const Slices *slices, double side, int begins,
                                     const Border *left, Border *border)
{
    const double height = conic->height, spread = conic->spread, shear = conic->shear, center = conic->x;
    const double turn = side * conic->turn, rise = conic->rise;
    for (int i = 0; i < LANES; i++) {
        const double low = slices->low[i], high = slices->high[i];
        const double x_low = center + shear * low + side * (spread * root_within(height, low));
        const double x_high = center + shear * high + side * (spread * root_within(height, high));
        const int leans = x_low < x_high, is_there = !left || fabs(low + high) < 2 * height;
        const double x = leans ? x_low : x_high, x_end = leans ? x_high : x_low;
        border->x[i] = is_there ? x : left->x_end[i];
        border->x_end[i] = is_there ? x_end : left->x_end[i];
        border->y[i] = !is_there || leans ? low : high;
        border->y_end[i] = is_there && leans ? high : low;
        border->half[i] = low >= turn ? rise : -rise;
        border->covered[i] = begins ? 0 : high - low;
    }
    border->conic = conic;
    border->sign = begins ? 1 : -1;
    border->area = left ? -conic->area : conic->area;
}

/* Find the columns of a band in slices. */
LSSTREGIONS_INLINE void find_columns(Band *band, double last)
{
    int32_t most = 0;
    for (int i = 0; i < LANES; i++) {
        const int32_t start = column_of(band->left.x[i], last), end = column_of(band->left.x_end[i], last);
        const int32_t right_start = column_of(band->right.x[i], last);
        const int32_t right_end = column_of(band->right.x_end[i], last);
        band->left.column[i] = (double)start;
        band->left.last[i] = (double)end;
        band->right.column[i] = (double)right_start;
        band->right.last[i] = (double)right_end;
        band->begin[i] = end + 1;
        band->stop[i] = right_start;
        most = end - start >= most ? end - start + 1 : most;
        most = right_end - right_start >= most ? right_end - right_start + 1 : most;
    }
    band->columns = most;
}

/* Find the bands of slices: one, or two where there is a hole. `last` is the last column. */
LSSTREGIONS_INLINE void find_bands(const Conic *outer, const Conic *hole, int32_t last, Block *block)
{
    const Slices *slices = &block->slices;
    Band *one = block->bands, *other = one + 1;
    cross_slices(outer, slices, -1, 1, NULL, &one->left);
    if (hole) {
        cross_slices(hole, slices, -1, 0, &one->left, &one->right);
        cross_slices(hole, slices, 1, 1, &one->left, &other->left);
        cross_slices(outer, slices, 1, 0, NULL, &other->right);
        find_columns(other, last);
    } else
        cross_slices(outer, slices, 1, 0, NULL, &one->right);
    find_columns(one, last);
}

/* Find the block of slices from number `begin` on. */
LSSTREGIONS_INLINE void find_block(const Cuts *cuts, int32_t begin, int32_t last, Block *block)
{
    if (cuts->hole)
        cut_slices(cuts, MOST_CUTS, begin, &block->slices);
    else
        cut_slices(cuts, CUTS, begin, &block->slices);
    find_bands(cuts->outer, cuts->hole, last, block);
}

/* Give the shares of the next `count` columns that are right of a border, or left of it, and go on to the one after. */
LSSTREGIONS_INLINE void next_shares(const Slices *slices, Border *border, int terms, int count,
                                    double (*weights)[LANES])
{
    /* A copy, for what is written might be part of it as far as compilers know. */
    const Conic conic = *border->conic;
    const double area = border->area, sign = border->sign;
    for (int n = 0; n < count; n++)
        for (int i = 0; i < LANES; i++) {
            const double column = border->column[i], side = column + 1, dx = side - conic.x;
            const double x = border->x[i], y = border->y[i], x_end = border->x_end[i];
            const double y_side = conic.lean * dx + border->half[i] * root_within(conic.width, dx);
            const double y_next = side < x_end ? clamped(y_side, slices->low[i], slices->high[i]) : border->y_end[i];
            const double x_next = side < x_end ? side : x_end;
            const double across = x_next - x, up = y_next - y, change = sign * fabs(up);
            const double u = conic.u_x * across + conic.u_y * up, v = conic.v_x * across + conic.v_y * up;
            /* Half a chord of the unit circle, squared. */
            const double s2 = (u * u + v * v) * 0.25;
            double series = LSSTREGIONS_SERIES[terms - 1];
            LSSTREGIONS_UNROLL
            for (int k = terms - 2; k >= 0; k--)
                series = LSSTREGIONS_SERIES[k] + s2 * series;
            const double bulge = area * (sqrt(s2) * s2 * series);
            const double weight = border->covered[i] + change * (side - (x + x_next) * 0.5) + bulge;
            weights[n][i] = column <= border->last[i] && weight > LSSTREGIONS_NONE ? weight : 0;
            border->covered[i] += change;
            border->x[i] = x_next;
            border->y[i] = y_next;
            border->column[i] = side;
        }
}

/* Do so for both borders of a band, by as many terms of the series as it takes. */
LSSTREGIONS_INLINE void next_columns(const Slices *slices, Band *band, int count, double (*left)[LANES],
                                     double (*right)[LANES])
{
    const int left_terms = band->left.conic->terms, right_terms = band->right.conic->terms;
    const int terms = left_terms > right_terms ? left_terms : right_terms;
    if (terms == FEW_TERMS) {
        next_shares(slices, &band->left, FEW_TERMS, count, left);
        next_shares(slices, &band->right, FEW_TERMS, count, right);
    } else if (terms == MORE_TERMS) {
        next_shares(slices, &band->left, MORE_TERMS, count, left);
        next_shares(slices, &band->right, MORE_TERMS, count, right);
    } else {
        next_shares(slices, &band->left, MOST_TERMS, count, left);
        next_shares(slices, &band->right, MOST_TERMS, count, right);
    }
}

/* Rows in which every border is in few columns, with no other border in any of them. */
enum { COLUMNS = 4 };
typedef struct {
    Block block;
    int bands;
    double weights[2][2][COLUMNS][LANES]; /* by bands and borders */
    uint8_t good[LANES];                  /* whether a row is such a one */
} Shares;

LSSTREGIONS_INLINE int is_within(double y, double low, double high)
{
    return low < y && y < high;
}

/* Whether a border turns back, or the ellipse ends, between two places. */
LSSTREGIONS_INLINE int turns(const Conic *conic, double low, double high)
{
    const double turn = conic->turn, height = conic->height;
    return is_within(turn, low, high) || is_within(-turn, low, high) || is_within(height, low, high) ||
           is_within(-height, low, high);
}

/* Find the shares of LANES rows from y on, in so many columns; rows from `stop` on are not good. */
LSSTREGIONS_CLONES
static void share_rows(const Conic *outer, const Conic *hole, int32_t y, int32_t stop, ptrdiff_t width, Shares *shares)
{
    Slices *slices = &shares->block.slices;
    for (int i = 0; i < LANES; i++) {
        slices->row[i] = i;
        slices->low[i] = border_below(outer, (double)y + i);
        slices->high[i] = border_below(outer, (double)y + i + 1);
    }
    if (hole && (slices->low[0] >= hole->height || slices->high[LANES - 1] <= -hole->height))
        hole = NULL;
    find_bands(outer, hole, (int32_t)width - 1, &shares->block);
    shares->bands = hole ? 2 : 1;
    for (int i = 0; i < LANES; i++) {
        const double low = slices->low[i], high = slices->high[i];
        const Border *left = &shares->block.bands[0].left, *right = &shares->block.bands[shares->bands - 1].right;
        shares->good[i] = (int64_t)y + i < stop && low < high && !turns(outer, low, high) && left->x[i] >= 0 &&
                          right->x_end[i] < (double)width &&
                          (!hole || (!turns(hole, low, high) && fabs(low + high) < 2 * hole->height));
    }
    for (int b = 0; b < shares->bands; b++) {
        Band *band = shares->block.bands + b;
        for (int i = 0; i < LANES; i++)
            shares->good[i] &= band->left.last[i] < band->left.column[i] + COLUMNS &&
                               band->right.last[i] < band->right.column[i] + COLUMNS && band->begin[i] <= band->stop[i];
        for (int i = 0; b && i < LANES; i++)
            shares->good[i] &= shares->block.bands[0].right.last[i] < band->left.column[i];
        /* The columns move on. */
        Band moving = *band;
        const int count = band->columns < COLUMNS ? band->columns : COLUMNS;
        next_columns(slices, &moving, count, shares->weights[b][0], shares->weights[b][1]);
    }
}

/* Write the stretches of equal weight in row i down, and after them where the last one ends; returns how many, 0 of a row
   that is not good. */
static inline int stretches_of(const Shares *shares, int i, int32_t *start, double *weight)
{
    const double height = shares->block.slices.high[i] - shares->block.slices.low[i];
    int count = 0;
    for (int b = 0; b < shares->bands && shares->good[i]; b++)
        for (int s = 0; s < 2; s++) {
            const Band *band = shares->block.bands + b;
            const Border *border = s ? &band->right : &band->left;
            const int32_t column = (int32_t)border->column[i], n = (int32_t)border->last[i] + 1 - column;
            for (int k = 0; k < n; k++) {
                const double share = shares->weights[b][s][k][i];
                start[count] = column + k;
                weight[count++] = share > LSSTREGIONS_WHOLLY ? 1 : share;
            }
            /* What lies between the borders, in the hole, or behind. */
            start[count] = column + n;
            weight[count++] = s ? 0 : height > LSSTREGIONS_WHOLLY ? 1 : height;
        }
    return count ? count - 1 : 0;
}

#endif
