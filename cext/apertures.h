/* Images summed under the rows of ellipses without keeping their coverage; all machines give the same sums. */
#ifndef LSSTREGIONS_APERTURES_H
#define LSSTREGIONS_APERTURES_H

#include "borders.h"
#include "memory.h"

/* The rows of an image and of its variance in which an ellipse is, from its first column on; those of what comes after it
   are asked for ahead. */
typedef struct {
    const char *image, *variance; /* the first row of the ellipse; without a variance the image takes its place */
    ptrdiff_t image_stride, variance_stride;
    ptrdiff_t width;
    const char *next_image, *next_variance; /* rows of the next ellipse */
    ptrdiff_t next_rows, next_size;
} View;

/* Ask for row i of what comes next. */
LSSTREGIONS_INLINE void ask_ahead(const View *view, ptrdiff_t i, int with_variance)
{
    if (i < view->next_rows) {
        prefetch_lines(view->next_image + i * view->image_stride, view->next_size);
        if (with_variance)
            prefetch_lines(view->next_variance + i * view->variance_stride, view->next_size);
    }
}

/* Every eighth pixel has a sum of its own: an addition need not wait for the one before. */
typedef struct {
    double total[LANES], noise[LANES], area[LANES];
} LaneSums;

static inline double added_lanes(const double *v)
{
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/* Add a row: up to COLUMNS pixels from columns `left` and `right` on, each with its own weight, and those between with one
   weight. What has no weight is not read, for it may be NaN. */
#define LSSTREGIONS_ADD_ROW(NAME, TYPE)                                                                                \
    static inline void NAME(const TYPE *row, ptrdiff_t left, ptrdiff_t right, const double *weights, double inner,     \
                            double *sums)                                                                              \
    {                                                                                                                  \
        for (int k = 0; k < COLUMNS; k++) {                                                                            \
            if (left + k < right && weights[k] > 0)                                                                    \
                sums[k] += weights[k] * (double)row[left + k];                                                         \
            if (weights[COLUMNS + k] > 0)                                                                              \
                sums[COLUMNS + k] += weights[COLUMNS + k] * (double)row[right + k];                                    \
        }                                                                                                              \
        for (ptrdiff_t x = left + COLUMNS; x < right; x += LANES)                                                      \
            for (int k = 0; k < LANES && x + k < right; k++)                                                           \
                sums[k] += inner * (double)row[x + k];                                                                 \
    }

#ifdef LSSTREGIONS_X86_DISPATCH
#define LSSTREGIONS_ROWS_AVX512 __attribute__((target("avx512f,avx512vl")))
#define LSSTREGIONS_ADD_ROW_AVX512(NAME, TYPE, LOAD_FOUR, LOAD_EIGHT)                                                  \
    LSSTREGIONS_ROWS_AVX512                                                                                            \
    static inline void NAME(const TYPE *row, ptrdiff_t left, ptrdiff_t right, const double *weights, double inner,     \
                            double *sums)                                                                              \
    {                                                                                                                  \
        const __m512d weight = _mm512_loadu_pd(weights), all = _mm512_set1_pd(inner);                                  \
        const __mmask8 used = _mm512_cmp_pd_mask(weight, _mm512_setzero_pd(), _CMP_GT_OQ);                             \
        const __mmask8 first = right - left < COLUMNS ? (__mmask8)((1 << (right - left)) - 1) : 15;                    \
        const __m256d low = LOAD_FOUR(used & first, row + left), high = LOAD_FOUR(used >> COLUMNS, row + right);       \
        const __m512d ends = _mm512_insertf64x4(_mm512_castpd256_pd512(low), high, 1);                                 \
        __m512d sum = _mm512_add_pd(_mm512_loadu_pd(sums), _mm512_mul_pd(weight, ends));                               \
        ptrdiff_t x = left + COLUMNS;                                                                                  \
        for (; x + LANES <= right; x += LANES)                                                                         \
            sum = _mm512_add_pd(sum, _mm512_mul_pd(all, LOAD_EIGHT(255, row + x)));                                    \
        if (x < right)                                                                                                 \
            sum = _mm512_add_pd(sum, _mm512_mul_pd(all, LOAD_EIGHT((__mmask8)((1 << (right - x)) - 1), row + x)));     \
        _mm512_storeu_pd(sums, sum);                                                                                   \
    }
#define LSSTREGIONS_FOUR_FLOATS(MASK, P) _mm256_cvtps_pd(_mm_maskz_loadu_ps((__mmask8)(MASK), P))
#define LSSTREGIONS_EIGHT_FLOATS(MASK, P) _mm512_cvtps_pd(_mm256_maskz_loadu_ps((__mmask8)(MASK), P))
#define LSSTREGIONS_FOUR_DOUBLES(MASK, P) _mm256_maskz_loadu_pd((__mmask8)(MASK), P)
#define LSSTREGIONS_EIGHT_DOUBLES(MASK, P) _mm512_maskz_loadu_pd((__mmask8)(MASK), P)
#endif

/* Add the rows from y to `stop` of an ellipse whose border crosses them steeply, up to the first that it does not;
   returns how many. */
#define LSSTREGIONS_SUM_ROWS(NAME, TARGET, TYPE, COVER, ADD_ROW)                                                       \
    TARGET                                                                                                             \
    static ptrdiff_t NAME(Conic *conic, const View *view, int32_t first, int32_t y, int32_t stop, int with_variance,   \
                          LaneSums *sums)                                                                              \
    {                                                                                                                  \
        ptrdiff_t i = y - (ptrdiff_t)first;                                                                            \
        const ptrdiff_t begin = i, end = stop - (ptrdiff_t)first;                                                      \
        double weights[LANES];                                                                                         \
        Arc arcs[2];                                                                                                   \
        for (; i < end && cross_steeply(conic, first + (int32_t)i, view->width, arcs); i++) {                          \
            const ptrdiff_t left = (ptrdiff_t)arcs[0].column, right = (ptrdiff_t)arcs[1].column;                       \
            const double height = arcs[1].outside, inner = height > LSSTREGIONS_WHOLLY ? 1 : height;                   \
            const ptrdiff_t between = right - left - COLUMNS;                                                          \
            ask_ahead(view, i, with_variance);                                                                         \
            COVER(conic, arcs, weights);                                                                               \
            ADD_ROW((const TYPE *)(view->image + i * view->image_stride), left, right, weights, inner, sums->total);   \
            if (with_variance)                                                                                         \
                ADD_ROW((const TYPE *)(view->variance + i * view->variance_stride), left, right, weights, inner,       \
                        sums->noise);                                                                                  \
            for (int k = 0; k < COLUMNS; k++) {                                                                        \
                sums->area[k] += left + k < right ? weights[k] : 0;                                                    \
                sums->area[COLUMNS + k] += weights[COLUMNS + k];                                                       \
            }                                                                                                          \
            sums->area[0] += between > 0 ? inner * (double)between : 0;                                                \
        }                                                                                                              \
        return i - begin;                                                                                              \
    }

LSSTREGIONS_ADD_ROW(add_row_of_floats, float)
LSSTREGIONS_ADD_ROW(add_row_of_doubles, double)
LSSTREGIONS_SUM_ROWS(sum_rows_of_floats_portable, , float, cover_borders_portable, add_row_of_floats)
LSSTREGIONS_SUM_ROWS(sum_rows_of_doubles_portable, , double, cover_borders_portable, add_row_of_doubles)
#ifdef LSSTREGIONS_X86_DISPATCH
LSSTREGIONS_ADD_ROW_AVX512(add_row_of_floats_avx512, float, LSSTREGIONS_FOUR_FLOATS, LSSTREGIONS_EIGHT_FLOATS)
LSSTREGIONS_ADD_ROW_AVX512(add_row_of_doubles_avx512, double, LSSTREGIONS_FOUR_DOUBLES, LSSTREGIONS_EIGHT_DOUBLES)
LSSTREGIONS_SUM_ROWS(sum_rows_of_floats_avx512, LSSTREGIONS_ROWS_AVX512, float, cover_borders_inline_avx512,
                     add_row_of_floats_avx512)
LSSTREGIONS_SUM_ROWS(sum_rows_of_doubles_avx512, LSSTREGIONS_ROWS_AVX512, double, cover_borders_inline_avx512,
                     add_row_of_doubles_avx512)
#endif

/* The same for pixels of 4 or 8 bytes, by what this machine has. */
static inline ptrdiff_t sum_rows(Conic *conic, const View *view, int32_t first, int32_t y, int32_t stop, int size,
                                 int with_variance, LaneSums *sums)
{
#ifdef LSSTREGIONS_X86_DISPATCH
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        return size == 4 ? sum_rows_of_floats_avx512(conic, view, first, y, stop, with_variance, sums)
                         : sum_rows_of_doubles_avx512(conic, view, first, y, stop, with_variance, sums);
#endif
    return size == 4 ? sum_rows_of_floats_portable(conic, view, first, y, stop, with_variance, sums)
                     : sum_rows_of_doubles_portable(conic, view, first, y, stop, with_variance, sums);
}

#endif
