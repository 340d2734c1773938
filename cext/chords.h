/* The rows of circles and ellipses, many at once; all machines give the same rows. */
#ifndef LSSTREGIONS_CHORDS_H
#define LSSTREGIONS_CHORDS_H

#include <math.h>

#include "bits.h"
#include "span.h"

typedef struct {
    double x, y;     /* centre */
    double a, b;     /* semi-axes, half sides */
    double cos, sin; /* of the angle from +x to the first axis, counter-clockwise */
    double column;   /* whole part of x, and what is left of it */
    double part;
    double half_height;
    double shear;  /* of a chord's middle, columns a row */
    double spread; /* of a chord's half length */
    int small;     /* whether rows and columns stay below 2^51: adding 1.5 x 2^52 rounds them to integers */
} Shape;

static const double LSSTREGIONS_WHOLE = 6755399441055744.0;

/* An end of a chord is between two pixel centres; how far it is from the middle of these is its doubt. Beyond this the
   end is so near to a centre that a square root cannot tell on which side it is. */
static const double LSSTREGIONS_DOUBT = 0.5 - 8e-6;

/* Rows are done in blocks of so many; a multiple of 8. */
enum { ROWS = 64 };

typedef struct {
    int32_t start[ROWS];
    int32_t stop[ROWS];
    double doubt[ROWS]; /* of the end that has more of it */
} Rows;

/* Give the pixels between the ends of the chords of a small shape in n rows from y on, n a multiple of 8 up to ROWS; none
   where there is no chord. A loop of which compilers make SIMD. */
LSSTREGIONS_CLONES
static void chords(const Shape *shape, int32_t y, ptrdiff_t n, int32_t x_start, int32_t x_stop, Rows *rows)
{
    const double half_height = shape->half_height, center = shape->y, shear = shape->shear, spread = shape->spread;
    const double part = shape->part, column = shape->column;
    for (ptrdiff_t i = 0; i < n; i++) {
        const double dy = (double)y + (double)(int32_t)i - center;
        const double product = (half_height - fabs(dy)) * (half_height + fabs(dy));
        const double middle = dy * shear, reach = sqrt(product > 0 ? product : 0) * spread;
        /* From the pixel after the left end to that after the right end. */
        const double low = part + (middle - reach) + 0.5, high = part + (middle + reach) + 0.5;
        double start = (low + LSSTREGIONS_WHOLE) - LSSTREGIONS_WHOLE;
        double stop = (high + LSSTREGIONS_WHOLE) - LSSTREGIONS_WHOLE;
        const double low_doubt = fabs(low - start), high_doubt = fabs(high - stop);
        rows->doubt[i] = low_doubt > high_doubt ? low_doubt : high_doubt;
        start += column;
        stop += column;
        start = start > x_start ? start : x_start;
        start = start < x_stop ? start : x_stop;
        stop = stop > x_start ? stop : x_start;
        stop = stop < x_stop ? stop : x_stop;
        rows->start[i] = (int32_t)start;
        rows->stop[i] = (int32_t)stop;
    }
}

#ifdef LSSTREGIONS_X86_DISPATCH
/* The same for any number of rows, of which the runs are written at once. */
__attribute__((target("avx512f,avx512vl,popcnt")))
static ptrdiff_t runs_avx512(const Shape *shape, int32_t y, ptrdiff_t n, int32_t x_start, int32_t x_stop, Span *runs)
{
    /* From y of 8 rows, starts behind, and stops to y, start, stop, y, start, stop... */
    const __m512i head = _mm512_setr_epi32(0, 8, 16, 1, 9, 17, 2, 10, 18, 3, 11, 19, 4, 12, 20, 5);
    const __m512i tail = _mm512_setr_epi32(13, 21, 6, 14, 22, 7, 15, 23, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m512d half_height = _mm512_set1_pd(shape->half_height), center = _mm512_set1_pd(shape->y);
    const __m512d shear = _mm512_set1_pd(shape->shear), spread = _mm512_set1_pd(shape->spread);
    const __m512d part = _mm512_set1_pd(shape->part), column = _mm512_set1_pd(shape->column);
    const __m512d left = _mm512_set1_pd(x_start), right = _mm512_set1_pd(x_stop);
    const __m512d zero = _mm512_setzero_pd(), half = _mm512_set1_pd(0.5);
    const __m512d whole = _mm512_set1_pd(LSSTREGIONS_WHOLE), limit = _mm512_set1_pd(LSSTREGIONS_DOUBT);
    const Span *const begin = runs;
    __m256i row = _mm256_add_epi32(_mm256_set1_epi32(y), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    for (ptrdiff_t i = 0; i < n; i += 8, row = _mm256_add_epi32(row, _mm256_set1_epi32(8))) {
        const __m512d dy = _mm512_sub_pd(_mm512_cvtepi32_pd(row), center), distance = _mm512_abs_pd(dy);
        const __m512d square =
            _mm512_mul_pd(_mm512_sub_pd(half_height, distance), _mm512_add_pd(half_height, distance));
        const __m512d middle = _mm512_mul_pd(dy, shear);
        const __m512d reach = _mm512_mul_pd(_mm512_sqrt_pd(_mm512_max_pd(square, zero)), spread);
        const __m512d low = _mm512_add_pd(_mm512_add_pd(part, _mm512_sub_pd(middle, reach)), half);
        const __m512d high = _mm512_add_pd(_mm512_add_pd(part, _mm512_add_pd(middle, reach)), half);
        __m512d start = _mm512_sub_pd(_mm512_add_pd(low, whole), whole);
        __m512d stop = _mm512_sub_pd(_mm512_add_pd(high, whole), whole);
        const __m512d doubt =
            _mm512_max_pd(_mm512_abs_pd(_mm512_sub_pd(low, start)), _mm512_abs_pd(_mm512_sub_pd(high, stop)));
        const __mmask8 used = (__mmask8)(n - i < 8 ? (1 << (n - i)) - 1 : 255);
        if (_mm512_mask_cmp_pd_mask(used, doubt, limit, _CMP_GT_OQ))
            return -1;
        start = _mm512_min_pd(_mm512_max_pd(_mm512_add_pd(start, column), left), right);
        stop = _mm512_min_pd(_mm512_max_pd(_mm512_add_pd(stop, column), left), right);
        const __mmask8 some = _mm512_mask_cmp_pd_mask(used, start, stop, _CMP_LT_OQ);
        const __m256i starts = _mm256_maskz_compress_epi32(some, _mm512_cvttpd_epi32(start));
        const __m512i stops = _mm512_castsi256_si512(_mm256_maskz_compress_epi32(some, _mm512_cvttpd_epi32(stop)));
        const __m512i ys = _mm512_castsi256_si512(_mm256_maskz_compress_epi32(some, row));
        const __m512i front = _mm512_inserti64x4(ys, starts, 1);
        const __m512i last = _mm512_permutex2var_epi32(front, tail, stops);
        _mm512_storeu_si512(runs, _mm512_permutex2var_epi32(front, head, stops));
        _mm256_storeu_si256((__m256i *)((char *)runs + 64), _mm512_castsi512_si256(last));
        runs += _mm_popcnt_u32(some);
    }
    return runs - begin;
}
#endif

/* Write the runs of n rows of a small shape from y on, and perhaps 8 more that do not count. Returns how many there are,
   or -1 where that is left to `chords`: where there is doubt, and on most machines. */
static inline ptrdiff_t runs_of_rows(const Shape *shape, int32_t y, ptrdiff_t n, int32_t x_start, int32_t x_stop,
                                     Span *runs)
{
#ifdef LSSTREGIONS_X86_DISPATCH
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        return runs_avx512(shape, y, n, x_start, x_stop, runs);
#endif
    (void)shape, (void)y, (void)n, (void)x_start, (void)x_stop, (void)runs;
    return -1;
}

#endif
