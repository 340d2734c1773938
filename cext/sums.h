/* Runs of pixels added up, or filled. Plain C that compilers make SIMD; all machines give the same. */
#ifndef LSSTREGIONS_SUMS_H
#define LSSTREGIONS_SUMS_H

#include "bits.h"
#include "lanes.h"

#define LSSTREGIONS_SUM(NAME, TYPE)                                                                                    \
    LSSTREGIONS_CLONES                                                                                                 \
    static double NAME(const TYPE *values, ptrdiff_t n)                                                                \
    {                                                                                                                  \
        double sum[LANES] = {0};                                                                                       \
        ptrdiff_t i = 0;                                                                                               \
        for (; i + LANES <= n; i += LANES)                                                                             \
            for (int k = 0; k < LANES; k++)                                                                            \
                sum[k] += (double)values[i + k];                                                                       \
        for (int k = 0; k < n - i; k++)                                                                                \
            sum[k] += (double)values[i + k];                                                                           \
        return added_lanes(sum);                                                                                       \
    }

LSSTREGIONS_SUM(sum_of_floats_portable, float)
LSSTREGIONS_SUM(sum_of_doubles, double)

#ifdef LSSTREGIONS_X86_DISPATCH
/* The same, with masks for what is left over. */
__attribute__((target("avx512f,avx512vl")))
static double sum_of_floats_avx512(const float *values, ptrdiff_t n)
{
    __m512d sum = _mm512_setzero_pd();
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8)
        sum = _mm512_add_pd(sum, _mm512_cvtps_pd(_mm256_loadu_ps(values + i)));
    const __mmask8 rest = (__mmask8)((1 << (n - i)) - 1);
    sum = _mm512_mask_add_pd(sum, rest, sum, _mm512_cvtps_pd(_mm256_maskz_loadu_ps(rest, values + i)));
    const __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(sum), _mm512_extractf64x4_pd(sum, 1));
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(two) + _mm_cvtsd_f64(_mm_unpackhi_pd(two, two));
}
#endif

/* Give n numbers one value. */
LSSTREGIONS_CLONES
static void fill_doubles(double *values, ptrdiff_t n, double value)
{
    for (ptrdiff_t i = 0; i < n; i++)
        values[i] = value;
}

static inline double sum_of_floats(const float *values, ptrdiff_t n)
{
#ifdef LSSTREGIONS_X86_DISPATCH
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        return sum_of_floats_avx512(values, n);
#endif
    return sum_of_floats_portable(values, n);
}

#endif
