/* Sums over the pixels of an image under runs, eight pixels at a time: pixel k of a run is added up in lane k % LANES. */
#ifndef LSSTREGIONS_PHOTOMETRY_H
#define LSSTREGIONS_PHOTOMETRY_H

#include <math.h>

#include "bits.h"
#include "lanes.h"
#include "memory.h"
#include "span.h"

#if defined(__GNUC__) && !defined(LSSTREGIONS_PORTABLE)
#define LSSTREGIONS_VECTORS 1
typedef double Doubles __attribute__((vector_size(8 * LANES)));
typedef int64_t Integers __attribute__((vector_size(8 * LANES)));
#else
typedef double Doubles[LANES];
typedef int64_t Integers[LANES];
#endif
/* Runs of one set lie in rows far apart in memory: each is asked for so many runs before it is read. */
#define RUNS_AHEAD 64

/* An image whose rows are contiguous. */
struct Plane {
    const uint8_t *data;
    ptrdiff_t stride; /* bytes from row to row */
    ptrdiff_t nx;
    int32_t x0; /* of the first pixel */
    int32_t y0;
};

/* Of the pixels that are not NaN: x and y are counted from an origin. */
struct Sums {
    Integers count;
    Doubles v, vx, vy, vxx, vyy, vxy, least, greatest;
    Integers where; /* key of the first greatest */
};

#define EIGHT(VALUE) {VALUE, VALUE, VALUE, VALUE, VALUE, VALUE, VALUE, VALUE}
static const struct Sums no_pixels = {.least = EIGHT(INFINITY), .greatest = EIGHT(NAN)};

/* Where in memory a run begins. */
static inline const uint8_t *pixels_of(const struct Plane *plane, const Span *run, size_t size)
{
    return plane->data + (run->y - (ptrdiff_t)plane->y0) * plane->stride +
           (run->x_start - (ptrdiff_t)plane->x0) * (ptrdiff_t)size;
}

/* Add those of eight pixels in a row that are the first `left` of them; the first is at (x, y) and has the key `place`.
   Macros, for compilers split the vectors of a function before they inline it. */
#ifdef LSSTREGIONS_VECTORS
/* Declares `lane`, `place_in_lane`, `pixel` and `dx` of the eight. */
#define LSSTREGIONS_EIGHT_PIXELS(TYPE, pixels, x, place)                                                               \
    typedef TYPE Pixels __attribute__((vector_size(sizeof(TYPE) * LANES)));                                            \
    const Doubles lane = {0, 1, 2, 3, 4, 5, 6, 7};                                                                     \
    const Integers place_in_lane = (Integers){0, 1, 2, 3, 4, 5, 6, 7} + (place);                                       \
    Pixels given;                                                                                                      \
    memcpy(&given, pixels, sizeof(given));                                                                             \
    const Doubles pixel = __builtin_convertvector(given, Doubles), dx = lane + (x);

#define LSSTREGIONS_ADD_MOMENTS(s, value, dx, y)                                                                       \
    const Doubles value_x = value * dx, value_y = value * y;                                                           \
    s.v += value;                                                                                                      \
    s.vx += value_x;                                                                                                   \
    s.vy += value_y;                                                                                                   \
    s.vxx += value_x * dx;                                                                                             \
    s.vyy += value_y * y;                                                                                              \
    s.vxy += value_x * y;

#define LSSTREGIONS_ADD_PIXELS(TYPE, s, pixels, left, x, y, place)                                                     \
    do {                                                                                                               \
        LSSTREGIONS_EIGHT_PIXELS(TYPE, pixels, x, place)                                                               \
        const Integers good = (lane < (double)(left)) & (pixel == pixel);                                              \
        const Integers lower = good & (pixel < s.least), higher = good & ~(pixel <= s.greatest);                       \
        const Doubles value = (Doubles)((Integers)pixel & good);                                                       \
        s.count -= good;                                                                                               \
        LSSTREGIONS_ADD_MOMENTS(s, value, dx, y)                                                                       \
        s.least = (Doubles)(((Integers)pixel & lower) | ((Integers)s.least & ~lower));                                 \
        s.greatest = (Doubles)(((Integers)pixel & higher) | ((Integers)s.greatest & ~higher));                         \
        s.where = (place_in_lane & higher) | (s.where & ~higher);                                                      \
    } while (0)
#else
#define LSSTREGIONS_ADD_PIXELS(TYPE, s, pixels, left, x, y, place)                                                     \
    for (int l = 0; l < LANES && l < (left); l++) {                                                                    \
        const double value = (double)(pixels)[l], dx = l + (x), value_x = value * dx, value_y = value * y;             \
        if (value != value)                                                                                            \
            continue;                                                                                                  \
        s.count[l] += 1;                                                                                               \
        s.v[l] += value;                                                                                               \
        s.vx[l] += value_x;                                                                                            \
        s.vy[l] += value_y;                                                                                            \
        s.vxx[l] += value_x * dx;                                                                                      \
        s.vyy[l] += value_y * y;                                                                                       \
        s.vxy[l] += value_x * y;                                                                                       \
        if (value < s.least[l])                                                                                        \
            s.least[l] = value;                                                                                        \
        if (!(value <= s.greatest[l])) {                                                                               \
            s.greatest[l] = value;                                                                                     \
            s.where[l] = (place) + l;                                                                                  \
        }                                                                                                              \
    }
#endif

#ifdef LSSTREGIONS_X86_DISPATCH
/* The same with masks, which spare compilers a third of the work. */
#define LSSTREGIONS_ADD_PIXELS_AVX512(TYPE, s, pixels, left, x, y, place)                                              \
    do {                                                                                                               \
        LSSTREGIONS_EIGHT_PIXELS(TYPE, pixels, x, place)                                                               \
        const __mmask8 here = (__mmask8)((left) < LANES ? (1 << (left)) - 1 : 255);                                    \
        const __mmask8 good = _mm512_mask_cmp_pd_mask(here, pixel, pixel, _CMP_ORD_Q);                                 \
        const __mmask8 lower = _mm512_mask_cmp_pd_mask(good, pixel, s.least, _CMP_LT_OQ);                              \
        const __mmask8 higher = _mm512_mask_cmp_pd_mask(good, pixel, s.greatest, _CMP_NLE_UQ);                         \
        const Doubles value = _mm512_maskz_mov_pd(good, pixel);                                                        \
        s.count = (Integers)_mm512_mask_add_epi64((__m512i)s.count, good, (__m512i)s.count, _mm512_set1_epi64(1));     \
        LSSTREGIONS_ADD_MOMENTS(s, value, dx, y)                                                                       \
        s.least = _mm512_mask_mov_pd(s.least, lower, pixel);                                                           \
        s.greatest = _mm512_mask_mov_pd(s.greatest, higher, pixel);                                                    \
        s.where = (Integers)_mm512_mask_mov_epi64((__m512i)s.where, higher, (__m512i)place_in_lane);                   \
    } while (0)
#endif

/* Write count, v, vx, vy, vxx, vyy, vxy, least, greatest, each `stride` after the one before, the last two NaN where there
   is no pixel; return whether there is one, and the key of the first greatest. Adding 0 leaves no zero its sign. */
static inline int write_sums(const struct Sums *s, double *out, ptrdiff_t stride, int64_t *where)
{
    const Doubles *const sums[6] = {&s->v, &s->vx, &s->vy, &s->vxx, &s->vyy, &s->vxy};
    double least = INFINITY, greatest = -INFINITY;
    int64_t count = 0, first = INT64_MAX;
    for (int i = 0; i < 6; i++)
        out[(i + 1) * stride] = added_lanes((const double *)sums[i]);
    for (int l = 0; l < LANES; l++) {
        count += s->count[l];
        least = s->least[l] < least ? s->least[l] : least;
        /* Lanes without pixels have NaN, which is greater than nothing. */
        greatest = s->greatest[l] > greatest ? s->greatest[l] : greatest;
    }
    for (int l = 0; l < LANES; l++) {
        const int64_t where = s->greatest[l] == greatest ? s->where[l] : INT64_MAX;
        first = where < first ? where : first;
    }
    out[0] = (double)count;
    out[7 * stride] = count ? least + 0.0 : NAN;
    out[8 * stride] = count ? greatest + 0.0 : NAN;
    *where = first;
    return count > 0;
}

#ifdef LSSTREGIONS_X86_DISPATCH
#define LSSTREGIONS_AVX512 __attribute__((target("avx512f,avx512dq")))

/* Add the lanes of two sums, in the same order as above. */
LSSTREGIONS_AVX512
static inline __m128d totals_avx512(Doubles a, Doubles b)
{
    const __m256d a4 = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
    const __m256d b4 = _mm256_add_pd(_mm512_castpd512_pd256(b), _mm512_extractf64x4_pd(b, 1));
    const __m128d a2 = _mm_add_pd(_mm256_castpd256_pd128(a4), _mm256_extractf128_pd(a4, 1));
    const __m128d b2 = _mm_add_pd(_mm256_castpd256_pd128(b4), _mm256_extractf128_pd(b4, 1));
    return _mm_add_pd(_mm_unpacklo_pd(a2, b2), _mm_unpackhi_pd(a2, b2));
}

LSSTREGIONS_AVX512
static inline int write_sums_avx512(const struct Sums *s, double *out, ptrdiff_t stride, int64_t *where)
{
    const __m128d v = totals_avx512(s->v, s->vx), vy = totals_avx512(s->vy, s->vxx), vyy = totals_avx512(s->vyy, s->vxy);
    const double least = _mm512_reduce_min_pd(s->least);
    /* Of NaN and another number max() takes the other, which is the second. */
    const double greatest = _mm512_reduce_max_pd(_mm512_max_pd(s->greatest, _mm512_set1_pd(-INFINITY)));
    const __mmask8 first = _mm512_cmp_pd_mask(s->greatest, _mm512_set1_pd(greatest), _CMP_EQ_OQ);
    const int64_t count = _mm512_reduce_add_epi64((__m512i)s->count);
    *where = _mm512_mask_reduce_min_epi64(first, (__m512i)s->where);
    out[0] = (double)count;
    _mm_storel_pd(out + stride, v);
    _mm_storeh_pd(out + 2 * stride, v);
    _mm_storel_pd(out + 3 * stride, vy);
    _mm_storeh_pd(out + 4 * stride, vy);
    _mm_storel_pd(out + 5 * stride, vyy);
    _mm_storeh_pd(out + 6 * stride, vyy);
    out[7 * stride] = count ? least + 0.0 : NAN;
    out[8 * stride] = count ? greatest + 0.0 : NAN;
    return count > 0;
}
#endif

/* Sum over `count` runs, of which `known` may be asked for ahead, and write the sums; x and y are counted from the first
   pixel. */
typedef int (*SumRuns)(const struct Plane *plane, const Span *runs, ptrdiff_t count, ptrdiff_t known, double *out,
                       ptrdiff_t stride, int64_t *where);

#define LSSTREGIONS_SUM_RUNS(NAME, TARGET, ADD, WRITE, TYPE)                                                           \
    TARGET                                                                                                             \
    static int NAME(const struct Plane *plane, const Span *runs, ptrdiff_t count, ptrdiff_t known, double *out,        \
                    ptrdiff_t stride, int64_t *where)                                                                  \
    {                                                                                                                  \
        struct Sums s = no_pixels;                                                                                     \
        for (ptrdiff_t k = 0; k < count; k++) {                                                                        \
            const TYPE *row = (const TYPE *)pixels_of(plane, runs + k, sizeof(TYPE));                                  \
            const ptrdiff_t width = runs[k].x_stop - (ptrdiff_t)runs[k].x_start;                                       \
            const ptrdiff_t to_end = plane->nx - (runs[k].x_start - (ptrdiff_t)plane->x0);                             \
            const double x_start = runs[k].x_start - (double)runs[0].x_start, y = runs[k].y - (double)runs[0].y;       \
            if (k + RUNS_AHEAD < known) {                                                                              \
                const uint8_t *ahead = pixels_of(plane, runs + k + RUNS_AHEAD, sizeof(TYPE));                          \
                prefetch(ahead);                                                                                       \
                prefetch(ahead + LANES * sizeof(TYPE) - 1);                                                            \
            }                                                                                                          \
            for (ptrdiff_t x = 0; x < width; x += LANES) {                                                             \
                TYPE few[LANES];                                                                                       \
                const TYPE *pixels = row + x;                                                                          \
                if (x + LANES > to_end) {                                                                              \
                    memset(few, 0, sizeof(few));                                                                       \
                    memcpy(few, pixels, (size_t)(width - x) * sizeof(TYPE));                                           \
                    pixels = few;                                                                                      \
                }                                                                                                      \
                ADD(TYPE, s, pixels, width - x, x_start + (double)x, y, start_of(runs + k) + x);                       \
            }                                                                                                          \
        }                                                                                                              \
        return WRITE(&s, out, stride, where);                                                                          \
    }

/* Every type for one instruction set, and which is for a NumPy dtype's kind and size; NULL for any other dtype. */
#define LSSTREGIONS_SUM_TYPES(SET, TARGET, ADD, WRITE)                                                                 \
    LSSTREGIONS_SUM_RUNS(sum_int8_##SET, TARGET, ADD, WRITE, int8_t)                                                   \
    LSSTREGIONS_SUM_RUNS(sum_uint8_##SET, TARGET, ADD, WRITE, uint8_t)                                                 \
    LSSTREGIONS_SUM_RUNS(sum_int16_##SET, TARGET, ADD, WRITE, int16_t)                                                 \
    LSSTREGIONS_SUM_RUNS(sum_uint16_##SET, TARGET, ADD, WRITE, uint16_t)                                               \
    LSSTREGIONS_SUM_RUNS(sum_int32_##SET, TARGET, ADD, WRITE, int32_t)                                                 \
    LSSTREGIONS_SUM_RUNS(sum_uint32_##SET, TARGET, ADD, WRITE, uint32_t)                                               \
    LSSTREGIONS_SUM_RUNS(sum_int64_##SET, TARGET, ADD, WRITE, int64_t)                                                 \
    LSSTREGIONS_SUM_RUNS(sum_uint64_##SET, TARGET, ADD, WRITE, uint64_t)                                               \
    LSSTREGIONS_SUM_RUNS(sum_float32_##SET, TARGET, ADD, WRITE, float)                                                 \
    LSSTREGIONS_SUM_RUNS(sum_float64_##SET, TARGET, ADD, WRITE, double)                                                \
    static inline SumRuns sum_runs_##SET(char kind, int size)                                                          \
    {                                                                                                                  \
        switch (kind) {                                                                                                \
        case 'i':                                                                                                      \
            return size == 1 ? sum_int8_##SET                                                                          \
                 : size == 2 ? sum_int16_##SET : size == 4 ? sum_int32_##SET : sum_int64_##SET;                        \
        case 'b':                                                                                                      \
        case 'u':                                                                                                      \
            return size == 1 ? sum_uint8_##SET                                                                         \
                 : size == 2 ? sum_uint16_##SET : size == 4 ? sum_uint32_##SET : sum_uint64_##SET;                     \
        case 'f':                                                                                                      \
            return size == 4 ? sum_float32_##SET : size == 8 ? sum_float64_##SET : NULL;                               \
        }                                                                                                              \
        return NULL;                                                                                                   \
    }

LSSTREGIONS_SUM_TYPES(portable, , LSSTREGIONS_ADD_PIXELS, write_sums)
#ifdef LSSTREGIONS_X86_DISPATCH
LSSTREGIONS_SUM_TYPES(avx2, __attribute__((target("avx2"))), LSSTREGIONS_ADD_PIXELS, write_sums)
LSSTREGIONS_SUM_TYPES(avx512, LSSTREGIONS_AVX512, LSSTREGIONS_ADD_PIXELS_AVX512, write_sums_avx512)
#endif

static inline SumRuns sum_runs_of(char kind, int size)
{
#ifdef LSSTREGIONS_X86_DISPATCH
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
        return sum_runs_avx512(kind, size);
    if (__builtin_cpu_supports("avx2"))
        return sum_runs_avx2(kind, size);
#endif
    return sum_runs_portable(kind, size);
}

#endif
