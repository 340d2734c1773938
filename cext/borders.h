/* The border pixels of a row of an ellipse, all at once; all machines give the same weights. */
#ifndef LSSTREGIONS_BORDERS_H
#define LSSTREGIONS_BORDERS_H

#include <math.h>

#include "bits.h"
#include "memory.h"

typedef struct {
    double x, y;                 /* centre; x from the left side of the row's first pixel */
    double area;                 /* a b */
    double height, width;        /* half extents */
    double shear, spread;        /* of chords along x, by rows */
    double lean, rise;           /* of chords along y, by columns */
    double u_x, u_y, v_x, v_y;   /* to the unit circle */
    double turn;                 /* y at the right end, from the centre */
    double low, left, right;     /* y of the last border between rows, from the centre, and x of the chord there */
    int terms;                   /* of a series for what is between an arc within a pixel and its chord; 0 is too few */
} Conic;

/* An arc in one row, from left to right, y from the centre: the left border or the right one. */
typedef struct {
    double x, y, x_end, y_end;
    double column; /* the first that it is in */
    double half;   /* of the conic: its rise on the upper half, less than 0 on the lower one */
    double outside, sign; /* the coverage left of the arc; whether it rises or falls to its right */
} Arc;

/* How many columns of each of the two arcs are done at once. */
enum { COLUMNS = 4, LANES = 8 };

/* Shares of a pixel that are 0 or 1 but for rounding. */
static const double LSSTREGIONS_NONE = 3e-15, LSSTREGIONS_WHOLLY = 1 - 1e-13;

/* Of asin(s) - s sqrt(1 - s^2) over s^3, in powers of s^2: (2k)! / (k! 2^k)^2 4k / (4k^2 - 1) for k = 1, 2, ... */
static const double LSSTREGIONS_SERIES[22] = {
    0.6666666666666666,   0.2,                  0.10714285714285714,  0.06944444444444445,  0.04971590909090909,
    0.03786057692307692,  0.030078125,          0.024643841911764705, 0.02067164370888158,  0.017663864862351192,
    0.015321482782778532, 0.013455047607421874, 0.011939278355351201, 0.010688346007774616, 0.009641676179824336,
    0.008755421096628363, 0.007997139090938228, 0.007342365381584779, 0.006772338439567158, 0.006272454665144678,
    0.005831194773003687, 0.005439363166563756,
};
enum { FEW_TERMS = 5, MORE_TERMS = 11, MOST_TERMS = 22 };

/* How many terms are enough for s^2 up to some value; 0 where none are. */
static inline int terms_up_to(double s2)
{
    return s2 < 1e-3 ? FEW_TERMS : s2 < 0.0625 ? MORE_TERMS : s2 < 0.25 ? MOST_TERMS : 0;
}

static inline double clamped(double value, double low, double high)
{
    return value > low ? (value < high ? value : high) : low;
}

/* Find the chord at the border `y` between rows, or where the conic ends before it. */
static inline void cut(Conic *conic, double y)
{
    const double low = clamped(y - conic->y, -conic->height, conic->height);
    const double product = (conic->height - fabs(low)) * (conic->height + fabs(low));
    const double half = conic->spread * sqrt(product > 0 ? product : 0), middle = conic->x + conic->shear * low;
    conic->low = low;
    conic->left = middle - half;
    conic->right = middle + half;
}

static inline Arc arc_of(double x, double y, double x_end, double y_end, double half, double outside, double sign)
{
    Arc arc = {x, y, x_end, y_end, 0, half, outside, sign};
    if (x > x_end) {
        arc.x = x_end, arc.y = y_end;
        arc.x_end = x, arc.y_end = y;
    }
    return arc;
}

/* Cross a row and give the arcs there, if each of the two is in few columns, with pixels between; else do nothing. Rows
   come in order, and the last border of the row before has been cut. Returns whether it was done. */
static inline int cross_steeply(Conic *conic, int32_t y, ptrdiff_t width, Arc *arcs)
{
    const double low = conic->low, left = conic->left, right = conic->right;
    if (conic->terms == 0)
        return 0;
    cut(conic, y + 0.5);
    const double height = conic->low - low;
    arcs[0] = arc_of(left, low, conic->left, conic->low, low >= -conic->turn ? conic->rise : -conic->rise, 0, 1);
    arcs[1] = arc_of(right, low, conic->right, conic->low, low >= conic->turn ? conic->rise : -conic->rise, height, -1);
    if (height > 0 && !(low < -conic->turn && -conic->turn < conic->low) &&
        !(low < conic->turn && conic->turn < conic->low) && arcs[0].x >= 0 && arcs[1].x_end < (double)width &&
        arcs[1].x >= 0) {
        arcs[0].column = (double)(int32_t)arcs[0].x;
        arcs[1].column = (double)(int32_t)arcs[1].x;
        if (arcs[0].x_end < arcs[0].column + COLUMNS && arcs[0].x_end + 1 < arcs[1].column &&
            arcs[1].x_end < arcs[1].column + COLUMNS)
            return 1;
    }
    conic->low = low, conic->left = left, conic->right = right;
    return 0;
}

/* Put the coverage of the columns of the left arc at weights[0], those of the right one at weights[COLUMNS]; of columns
   behind an arc, too. */
static void cover_borders_portable(const Conic *conic, const Arc *arcs, double *weights)
{
    for (const Arc *arc = arcs; arc < arcs + 2; arc++, weights += COLUMNS) {
        const double least = arc->y < arc->y_end ? arc->y : arc->y_end;
        const double most = arc->y < arc->y_end ? arc->y_end : arc->y;
        double x = arc->x, y = arc->y;
        for (int i = 0; i < COLUMNS; i++) {
            const double side = arc->column + (i + 1);
            double x_next = arc->x_end, y_next = arc->y_end;
            if (side < x_next) {
                const double dx = side - conic->x;
                const double product = (conic->width - fabs(dx)) * (conic->width + fabs(dx));
                x_next = side;
                y_next = conic->lean * dx + arc->half * sqrt(product > 0 ? product : 0);
                y_next = y_next > least ? y_next : least;
                y_next = y_next < most ? y_next : most;
            }
            const double dx = x_next - x, dy = y_next - y;
            const double u = conic->u_x * dx + conic->u_y * dy, v = conic->v_x * dx + conic->v_y * dy;
            /* Half a chord of the unit circle, squared. */
            const double s2 = (u * u + v * v) * 0.25;
            double series = LSSTREGIONS_SERIES[conic->terms - 1];
            for (int k = conic->terms - 2; k >= 0; k--)
                series = LSSTREGIONS_SERIES[k] + s2 * series;
            const double risen = fabs(y - arc->y) + fabs(dy) * (side - (x + x_next) * 0.5);
            double weight = arc->outside + arc->sign * risen + conic->area * (sqrt(s2) * s2 * series);
            weight = weight < LSSTREGIONS_NONE ? 0 : weight;
            weights[i] = weight > LSSTREGIONS_WHOLLY ? 1 : weight;
            x = x_next;
            y = y_next;
        }
    }
}

#ifdef LSSTREGIONS_X86_DISPATCH
#define LSSTREGIONS_BOTH(FIELD)                                                                                        \
    _mm512_insertf64x4(_mm512_set1_pd(arcs[0].FIELD), _mm256_set1_pd(arcs[1].FIELD), 1)

/* The same, a column a lane. */
__attribute__((target("avx512f")))
LSSTREGIONS_INLINE void cover_borders_inline_avx512(const Conic *conic, const Arc *arcs, double *weights)
{
    const __m512d x_first = LSSTREGIONS_BOTH(x), x_end = LSSTREGIONS_BOTH(x_end);
    const __m512d y_first = LSSTREGIONS_BOTH(y), y_end = LSSTREGIONS_BOTH(y_end);
    const __m512d side = _mm512_add_pd(LSSTREGIONS_BOTH(column), _mm512_setr_pd(1, 2, 3, 4, 1, 2, 3, 4));
    const __m512d zero = _mm512_setzero_pd();
    const __mmask8 leaves = _mm512_cmp_pd_mask(side, x_end, _CMP_LT_OQ);
    /* Where the arc leaves each column, and where it came in. */
    const __m512d dx = _mm512_sub_pd(side, _mm512_set1_pd(conic->x)), distance = _mm512_abs_pd(dx);
    const __m512d width = _mm512_set1_pd(conic->width);
    const __m512d product = _mm512_mul_pd(_mm512_sub_pd(width, distance), _mm512_add_pd(width, distance));
    const __m512d root = _mm512_sqrt_pd(_mm512_max_pd(product, zero));
    __m512d y_stop =
        _mm512_add_pd(_mm512_mul_pd(_mm512_set1_pd(conic->lean), dx), _mm512_mul_pd(LSSTREGIONS_BOTH(half), root));
    y_stop = _mm512_min_pd(_mm512_max_pd(y_stop, _mm512_min_pd(y_first, y_end)), _mm512_max_pd(y_first, y_end));
    y_stop = _mm512_mask_mov_pd(y_end, leaves, y_stop);
    const __m512d x_stop = _mm512_mask_mov_pd(x_end, leaves, side);
    const __m512d x_start = _mm512_mask_mov_pd(_mm512_permutex_pd(x_stop, 0x90), 0x11, x_first);
    const __m512d y_start = _mm512_mask_mov_pd(_mm512_permutex_pd(y_stop, 0x90), 0x11, y_first);
    const __m512d across = _mm512_sub_pd(x_stop, x_start), up = _mm512_sub_pd(y_stop, y_start);
    const __m512d u = _mm512_add_pd(_mm512_mul_pd(_mm512_set1_pd(conic->u_x), across),
                                    _mm512_mul_pd(_mm512_set1_pd(conic->u_y), up));
    const __m512d v = _mm512_add_pd(_mm512_mul_pd(_mm512_set1_pd(conic->v_x), across),
                                    _mm512_mul_pd(_mm512_set1_pd(conic->v_y), up));
    const __m512d s2 =
        _mm512_mul_pd(_mm512_add_pd(_mm512_mul_pd(u, u), _mm512_mul_pd(v, v)), _mm512_set1_pd(0.25));
    __m512d series = _mm512_set1_pd(LSSTREGIONS_SERIES[conic->terms - 1]);
    for (int k = conic->terms - 2; k >= 0; k--)
        series = _mm512_add_pd(_mm512_set1_pd(LSSTREGIONS_SERIES[k]), _mm512_mul_pd(s2, series));
    const __m512d middle = _mm512_mul_pd(_mm512_add_pd(x_start, x_stop), _mm512_set1_pd(0.5));
    const __m512d risen = _mm512_add_pd(_mm512_abs_pd(_mm512_sub_pd(y_start, y_first)),
                                        _mm512_mul_pd(_mm512_abs_pd(up), _mm512_sub_pd(side, middle)));
    const __m512d bulge = _mm512_mul_pd(_mm512_set1_pd(conic->area),
                                        _mm512_mul_pd(_mm512_mul_pd(_mm512_sqrt_pd(s2), s2), series));
    __m512d weight = _mm512_add_pd(LSSTREGIONS_BOTH(outside), _mm512_mul_pd(LSSTREGIONS_BOTH(sign), risen));
    weight = _mm512_add_pd(weight, bulge);
    const __mmask8 some = _mm512_cmp_pd_mask(weight, _mm512_set1_pd(LSSTREGIONS_NONE), _CMP_NLT_UQ);
    const __mmask8 wholly = _mm512_cmp_pd_mask(weight, _mm512_set1_pd(LSSTREGIONS_WHOLLY), _CMP_GT_OQ);
    weight = _mm512_mask_mov_pd(_mm512_maskz_mov_pd(some, weight), wholly, _mm512_set1_pd(1));
    _mm512_storeu_pd(weights, weight);
}

__attribute__((target("avx512f")))
static void cover_borders_avx512(const Conic *conic, const Arc *arcs, double *weights)
{
    cover_borders_inline_avx512(conic, arcs, weights);
}
#endif

static inline void cover_borders(const Conic *conic, const Arc *arcs, double *weights)
{
#ifdef LSSTREGIONS_X86_DISPATCH
    if (__builtin_cpu_supports("avx512f")) {
        cover_borders_avx512(conic, arcs, weights);
        return;
    }
#endif
    cover_borders_portable(conic, arcs, weights);
}

#endif
