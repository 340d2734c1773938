/* Which pixels of a row pass a threshold, and which of these are peaks: 64 pixels a word, bit i of a word is pixel i.

   For every pixel type there are these functions, the first two of them for either polarity:

   passing     words of the pixels that are at least (at most, where negative) the threshold: one value, or one a pixel;
               of floats also of those that are beyond it
   mark_peaks  those of the pixels of a row that none of their 8 neighbours exceeds (undercuts, where negative)
   list_peaks  write these

   Comparisons with NaN are false: NaN never passes and never exceeds. */
#ifndef LSSTREGIONS_THRESHOLD_H
#define LSSTREGIONS_THRESHOLD_H

#include <math.h>
#include <string.h>

#include "link.h"
#include "memory.h"

/* A row of pixels with those below and above it; at the image's edge a row stands for its missing neighbour. */
struct Rows {
    const void *below;
    const void *row;
    const void *above;
    ptrdiff_t nx;
    int32_t x0; /* of the first pixel */
    int32_t y;
};

struct Peak {
    int32_t x;
    int32_t y;
    double value;
};

typedef void (*Passing)(const void *row, ptrdiff_t nx, const void *threshold, ptrdiff_t stride, uint64_t *words);
/* Reads and writes (nx + 63) / 64 words; returns how many bits are on in `peaks`. */
typedef ptrdiff_t (*MarkPeaks)(const struct Rows *rows, const uint64_t *words, uint64_t *peaks);
typedef void (*ListPeaks)(const struct Rows *rows, const int32_t *x, ptrdiff_t count, struct Peak *out);

struct PixelType {
    Passing passing[2][2]; /* [beyond][negative] */
    MarkPeaks mark_peaks[2];
    ListPeaks list_peaks;
};

/* Ask for the pixels of the rows to come, so far ahead that they arrive while runs are found and linked. */
#define LSSTREGIONS_AHEAD (1 << 15)
LSSTREGIONS_INLINE void prefetch_ahead(const void *pixels, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        prefetch((const char *)pixels + LSSTREGIONS_AHEAD + i);
}

/* Compare into bytes, which compilers make SIMD, and gather these into bits. */
#define LSSTREGIONS_PASSING(NAME, TYPE, PASSES)                                                                        \
    LSSTREGIONS_CLONES                                                                                                 \
    static void NAME(const void *pixels, ptrdiff_t nx, const void *thresholds, ptrdiff_t stride, uint64_t *words)      \
    {                                                                                                                  \
        const TYPE *row = (const TYPE *)pixels, *threshold = (const TYPE *)thresholds;                                 \
        uint8_t passes[64];                                                                                            \
        ptrdiff_t x = 0;                                                                                               \
        for (; x + 64 <= nx; x += 64) {                                                                                \
            prefetch_ahead(row + x, 64 * sizeof(TYPE));                                                                \
            if (stride)                                                                                                \
                for (int i = 0; i < 64; i++)                                                                           \
                    passes[i] = row[x + i] PASSES threshold[x + i];                                                    \
            else                                                                                                       \
                for (int i = 0; i < 64; i++)                                                                           \
                    passes[i] = row[x + i] PASSES threshold[0];                                                        \
            *words++ = nonzero_bytes(passes);                                                                          \
        }                                                                                                              \
        if (x < nx) {                                                                                                  \
            for (ptrdiff_t i = 0; i < nx - x; i++)                                                                     \
                passes[i] = row[x + i] PASSES threshold[stride * (x + i)];                                             \
            *words = nonzero_bytes_tail(passes, nx - x);                                                               \
        }                                                                                                              \
    }

/* The peaks among the pixels of word i that are on, one by one. */
#define LSSTREGIONS_PEAKS_OF_WORD(NAME, TYPE, EXCEEDS)                                                                 \
    static uint64_t NAME(const struct Rows *rows, ptrdiff_t i, uint64_t word)                                          \
    {                                                                                                                  \
        const TYPE *row[3] = {(const TYPE *)rows->below, (const TYPE *)rows->row, (const TYPE *)rows->above};          \
        uint64_t peaks = 0;                                                                                            \
        for (; word; word &= word - 1) {                                                                               \
            const ptrdiff_t x = 64 * i + count_trailing_zeros(word);                                                   \
            const ptrdiff_t left = x > 0 ? x - 1 : x, right = x + 1 < rows->nx ? x + 1 : x;                            \
            const TYPE pixel = row[1][x];                                                                              \
            int exceeded = 0;                                                                                          \
            for (int k = 0; k < 3; k++)                                                                                \
                exceeded |= (row[k][left] EXCEEDS pixel) | (row[k][x] EXCEEDS pixel) | (row[k][right] EXCEEDS pixel);  \
            peaks |= exceeded ? 0 : word & (0 - word);                                                                 \
        }                                                                                                              \
        return peaks;                                                                                                  \
    }

#define LSSTREGIONS_MARK_PEAKS(NAME, OF_WORD)                                                                          \
    static ptrdiff_t NAME(const struct Rows *rows, const uint64_t *words, uint64_t *peaks)                             \
    {                                                                                                                  \
        ptrdiff_t count = 0;                                                                                           \
        for (ptrdiff_t i = 0; i < (rows->nx + 63) / 64; i++) {                                                         \
            peaks[i] = words[i] ? OF_WORD(rows, i, words[i]) : 0;                                                      \
            count += count_ones(peaks[i]);                                                                             \
        }                                                                                                              \
        return count;                                                                                                  \
    }

#define LSSTREGIONS_LIST_PEAKS(NAME, TYPE)                                                                             \
    static void NAME(const struct Rows *rows, const int32_t *x, ptrdiff_t count, struct Peak *out)                     \
    {                                                                                                                  \
        for (ptrdiff_t i = 0; i < count; i++) {                                                                        \
            out[i].x = rows->x0 + x[i];                                                                                \
            out[i].y = rows->y;                                                                                        \
            out[i].value = (double)((const TYPE *)rows->row)[x[i]];                                                    \
        }                                                                                                              \
    }

#define LSSTREGIONS_PIXEL_TYPE(NAME, TYPE, ABOVE, BELOW)                                                               \
    LSSTREGIONS_PASSING(passing_high_##NAME, TYPE, >=)                                                                 \
    LSSTREGIONS_PASSING(passing_low_##NAME, TYPE, <=)                                                                  \
    LSSTREGIONS_PEAKS_OF_WORD(maxima_of_word_##NAME, TYPE, >)                                                          \
    LSSTREGIONS_PEAKS_OF_WORD(minima_of_word_##NAME, TYPE, <)                                                          \
    LSSTREGIONS_MARK_PEAKS(maxima_##NAME, maxima_of_word_##NAME)                                                       \
    LSSTREGIONS_MARK_PEAKS(minima_##NAME, minima_of_word_##NAME)                                                       \
    LSSTREGIONS_LIST_PEAKS(list_##NAME, TYPE)                                                                          \
    static const struct PixelType pixels_##NAME = {                                                                    \
        {{passing_high_##NAME, passing_low_##NAME}, {ABOVE, BELOW}}, {maxima_##NAME, minima_##NAME}, list_##NAME};

LSSTREGIONS_PIXEL_TYPE(int8, int8_t, NULL, NULL)
LSSTREGIONS_PIXEL_TYPE(uint8, uint8_t, NULL, NULL)
LSSTREGIONS_PIXEL_TYPE(int16, int16_t, NULL, NULL)
LSSTREGIONS_PIXEL_TYPE(uint16, uint16_t, NULL, NULL)
LSSTREGIONS_PIXEL_TYPE(int32, int32_t, NULL, NULL)
LSSTREGIONS_PIXEL_TYPE(uint32, uint32_t, NULL, NULL)
LSSTREGIONS_PIXEL_TYPE(int64, int64_t, NULL, NULL)
LSSTREGIONS_PIXEL_TYPE(uint64, uint64_t, NULL, NULL)
LSSTREGIONS_PASSING(above_float32, float, >)
LSSTREGIONS_PASSING(below_float32, float, <)
LSSTREGIONS_PASSING(above_float64, double, >)
LSSTREGIONS_PASSING(below_float64, double, <)
LSSTREGIONS_PIXEL_TYPE(float32, float, above_float32, below_float32)
LSSTREGIONS_PIXEL_TYPE(float64, double, above_float64, below_float64)

#ifdef LSSTREGIONS_X86_DISPATCH
/* float32, the type of nearly all images, by hand: compares give bits at once. */
#define LSSTREGIONS_WORD_AVX512(ROW, LIMIT, PASSES)                                                                    \
    ((uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(ROW), LIMIT(0), PASSES) |                                            \
     (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps((ROW) + 16), LIMIT(16), PASSES) << 16 |                              \
     (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps((ROW) + 32), LIMIT(32), PASSES) << 32 |                              \
     (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps((ROW) + 48), LIMIT(48), PASSES) << 48)
#define LSSTREGIONS_SAME_LIMIT(I) limit
#define LSSTREGIONS_OWN_LIMIT(I) _mm512_loadu_ps(limits + x + (I))
#define LSSTREGIONS_PASSING_AVX512(NAME, PORTABLE, PASSES)                                                             \
    __attribute__((target("avx512f")))                                                                                 \
    static void NAME(const void *pixels, ptrdiff_t nx, const void *thresholds, ptrdiff_t stride, uint64_t *words)      \
    {                                                                                                                  \
        const float *row = (const float *)pixels, *limits = (const float *)thresholds;                                 \
        const __m512 limit = _mm512_set1_ps(*limits);                                                                  \
        ptrdiff_t x = 0;                                                                                               \
        if (stride)                                                                                                    \
            for (; x + 64 <= nx; x += 64) {                                                                            \
                prefetch_ahead(row + x, 64 * sizeof(float));                                                           \
                prefetch_ahead(limits + x, 64 * sizeof(float));                                                        \
                *words++ = LSSTREGIONS_WORD_AVX512(row + x, LSSTREGIONS_OWN_LIMIT, PASSES);                            \
            }                                                                                                          \
        else                                                                                                           \
            for (; x + 64 <= nx; x += 64) {                                                                            \
                prefetch_ahead(row + x, 64 * sizeof(float));                                                           \
                *words++ = LSSTREGIONS_WORD_AVX512(row + x, LSSTREGIONS_SAME_LIMIT, PASSES);                           \
            }                                                                                                          \
        if (x < nx)                                                                                                    \
            PORTABLE(row + x, nx - x, limits + stride * x, stride, words);                                             \
    }

#define LSSTREGIONS_PASSING_AVX2(NAME, PORTABLE, PASSES)                                                               \
    __attribute__((target("avx2")))                                                                                    \
    static void NAME(const void *pixels, ptrdiff_t nx, const void *threshold, ptrdiff_t stride,                        \
                                      uint64_t *words)                                                                 \
    {                                                                                                                  \
        const float *row = (const float *)pixels;                                                                      \
        const __m256 limit = _mm256_set1_ps(*(const float *)threshold);                                                \
        ptrdiff_t x = 0;                                                                                               \
        if (stride) {                                                                                                  \
            PORTABLE(pixels, nx, threshold, stride, words);                                                            \
            return;                                                                                                    \
        }                                                                                                              \
        for (; x + 64 <= nx; x += 64) {                                                                                \
            prefetch_ahead(row + x, 64 * sizeof(float));                                                               \
            uint64_t word = 0;                                                                                         \
            for (int part = 0; part < 64; part += 8)                                                                   \
                word |= (uint64_t)(unsigned)_mm256_movemask_ps(                                                        \
                            _mm256_cmp_ps(_mm256_loadu_ps(row + x + part), limit, PASSES)) << part;                    \
            *words++ = word;                                                                                           \
        }                                                                                                              \
        if (x < nx)                                                                                                    \
            PORTABLE(row + x, nx - x, threshold, 0, words);                                                            \
    }

/* Which of the pixels after the first of a vector of a row none of their neighbours exceeds, as bits. MORE(a, b) is b where
   a is NaN, and WORST is what everything exceeds: NaN never gets into `column`. */
#define LSSTREGIONS_PEAKS_AT(NAME, TARGET, VECTOR, LOAD, EVERY, MORE, WORST, NEXT, LAST, KEEPS)                        \
    __attribute__((target(TARGET)))                                                                                    \
    static inline unsigned NAME(const float *below, const float *row, const float *above)                              \
    {                                                                                                                  \
        const VECTOR pixels = LOAD(row);                                                                               \
        const VECTOR column = MORE(LOAD(below), MORE(LOAD(above), EVERY(WORST)));                                      \
        const VECTOR all = MORE(pixels, column);                                                                       \
        return (unsigned)KEEPS(MORE(MORE(NEXT(all), LAST(all)), column), pixels) >> 1;                                 \
    }

/* WIDTH pixels at once, beginning with the first that is on. Their neighbours must be in the image: the words at the ends
   of a row are left to the portable function. */
#define LSSTREGIONS_MARK_PEAKS_SIMD(NAME, TARGET, WIDTH, PEAKS_AT, OF_WORD)                                            \
    __attribute__((target(TARGET)))                                                                                    \
    static ptrdiff_t NAME(const struct Rows *rows, const uint64_t *words, uint64_t *peaks)                             \
    {                                                                                                                  \
        const ptrdiff_t words_of_row = (rows->nx + 63) / 64;                                                           \
        ptrdiff_t count = 0;                                                                                           \
        memset(peaks, 0, (size_t)words_of_row * sizeof(uint64_t));                                                     \
        for (ptrdiff_t base = 0; base < words_of_row; base += 64) {                                                    \
            const ptrdiff_t block = words_of_row - base < 64 ? words_of_row - base : 64;                               \
            for (uint64_t busy = nonzero_words(words + base, block); busy; busy &= busy - 1) {                         \
                const ptrdiff_t i = base + count_trailing_zeros(busy);                                                 \
                uint64_t word = words[i], found = 0;                                                                   \
                if (i == 0 || 64 * (i + 1) >= rows->nx) {                                                              \
                    found = OF_WORD(rows, i, word);                                                                    \
                    word = 0;                                                                                          \
                }                                                                                                      \
                while (word) {                                                                                         \
                    const int bit = count_trailing_zeros(word), start = bit < 64 - WIDTH ? bit : 64 - WIDTH;           \
                    const ptrdiff_t x = 64 * i + start - 1;                                                            \
                    const uint64_t here = (((uint64_t)1 << WIDTH) - 1) << start;                                       \
                    const uint64_t kept = PEAKS_AT((const float *)rows->below + x, (const float *)rows->row + x,       \
                                                   (const float *)rows->above + x);                                    \
                    found |= kept << start & here & word;                                                              \
                    word &= ~here;                                                                                     \
                }                                                                                                      \
                peaks[i] = found;                                                                                      \
                count += count_ones(found);                                                                            \
            }                                                                                                          \
        }                                                                                                              \
        return count;                                                                                                  \
    }

#define LSSTREGIONS_AVX512 "avx512f,bmi,popcnt"
#define LSSTREGIONS_NEXT_AVX512(V)                                                                                     \
    _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(V), _mm512_castps_si512(V), 1))
#define LSSTREGIONS_LAST_AVX512(V)                                                                                     \
    _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(V), _mm512_castps_si512(V), 15))
#define LSSTREGIONS_NOT_ABOVE_AVX512(A, B) _mm512_cmp_ps_mask(A, B, _CMP_LE_OQ)
#define LSSTREGIONS_NOT_BELOW_AVX512(A, B) _mm512_cmp_ps_mask(A, B, _CMP_GE_OQ)
#define LSSTREGIONS_AVX2 "avx2,bmi,popcnt"
#define LSSTREGIONS_NEXT_AVX2(V) _mm256_permutevar8x32_ps(V, _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0))
#define LSSTREGIONS_LAST_AVX2(V) _mm256_permutevar8x32_ps(V, _mm256_setr_epi32(7, 0, 1, 2, 3, 4, 5, 6))
#define LSSTREGIONS_NOT_ABOVE_AVX2(A, B) _mm256_movemask_ps(_mm256_cmp_ps(A, B, _CMP_LE_OQ))
#define LSSTREGIONS_NOT_BELOW_AVX2(A, B) _mm256_movemask_ps(_mm256_cmp_ps(A, B, _CMP_GE_OQ))

LSSTREGIONS_PEAKS_AT(maxima_at_avx512, LSSTREGIONS_AVX512, __m512, _mm512_loadu_ps, _mm512_set1_ps, _mm512_max_ps,
                     -INFINITY, LSSTREGIONS_NEXT_AVX512, LSSTREGIONS_LAST_AVX512, LSSTREGIONS_NOT_ABOVE_AVX512)
LSSTREGIONS_PEAKS_AT(minima_at_avx512, LSSTREGIONS_AVX512, __m512, _mm512_loadu_ps, _mm512_set1_ps, _mm512_min_ps,
                     INFINITY, LSSTREGIONS_NEXT_AVX512, LSSTREGIONS_LAST_AVX512, LSSTREGIONS_NOT_BELOW_AVX512)
LSSTREGIONS_PEAKS_AT(maxima_at_avx2, LSSTREGIONS_AVX2, __m256, _mm256_loadu_ps, _mm256_set1_ps, _mm256_max_ps,
                     -INFINITY, LSSTREGIONS_NEXT_AVX2, LSSTREGIONS_LAST_AVX2, LSSTREGIONS_NOT_ABOVE_AVX2)
LSSTREGIONS_PEAKS_AT(minima_at_avx2, LSSTREGIONS_AVX2, __m256, _mm256_loadu_ps, _mm256_set1_ps, _mm256_min_ps,
                     INFINITY, LSSTREGIONS_NEXT_AVX2, LSSTREGIONS_LAST_AVX2, LSSTREGIONS_NOT_BELOW_AVX2)
LSSTREGIONS_MARK_PEAKS_SIMD(maxima_avx512, LSSTREGIONS_AVX512, 14, maxima_at_avx512, maxima_of_word_float32)
LSSTREGIONS_MARK_PEAKS_SIMD(minima_avx512, LSSTREGIONS_AVX512, 14, minima_at_avx512, minima_of_word_float32)
LSSTREGIONS_MARK_PEAKS_SIMD(maxima_avx2, LSSTREGIONS_AVX2, 6, maxima_at_avx2, maxima_of_word_float32)
LSSTREGIONS_MARK_PEAKS_SIMD(minima_avx2, LSSTREGIONS_AVX2, 6, minima_at_avx2, minima_of_word_float32)
LSSTREGIONS_PASSING_AVX512(passing_high_avx512, passing_high_float32, _CMP_GE_OQ)
LSSTREGIONS_PASSING_AVX512(passing_low_avx512, passing_low_float32, _CMP_LE_OQ)
LSSTREGIONS_PASSING_AVX512(above_avx512, above_float32, _CMP_GT_OQ)
LSSTREGIONS_PASSING_AVX512(below_avx512, below_float32, _CMP_LT_OQ)
LSSTREGIONS_PASSING_AVX2(passing_high_avx2, passing_high_float32, _CMP_GE_OQ)
LSSTREGIONS_PASSING_AVX2(passing_low_avx2, passing_low_float32, _CMP_LE_OQ)

static const struct PixelType pixels_float32_avx512 = {
    {{passing_high_avx512, passing_low_avx512}, {above_avx512, below_avx512}},
    {maxima_avx512, minima_avx512},
    list_float32};
static const struct PixelType pixels_float32_avx2 = {
    {{passing_high_avx2, passing_low_avx2}, {above_float32, below_float32}},
    {maxima_avx2, minima_avx2},
    list_float32};
#endif

/* Return the functions for a NumPy dtype's kind and size; for float32 at `level` 0 the portable ones, 1 and 2 those for
   AVX2 and AVX-512, or less where this machine has less. NULL for any other dtype. */
static inline const struct PixelType *pixel_type(char kind, int size, int level)
{
    switch (kind) {
    case 'b':
        return &pixels_uint8;
    case 'i':
        return size == 1 ? &pixels_int8 : size == 2 ? &pixels_int16 : size == 4 ? &pixels_int32 : &pixels_int64;
    case 'u':
        return size == 1 ? &pixels_uint8 : size == 2 ? &pixels_uint16 : size == 4 ? &pixels_uint32 : &pixels_uint64;
    case 'f':
#ifdef LSSTREGIONS_X86_DISPATCH
        if (size == 4 && level >= 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("bmi"))
            return &pixels_float32_avx512;
        if (size == 4 && level >= 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi"))
            return &pixels_float32_avx2;
#endif
        return size == 4 ? &pixels_float32 : size == 8 ? &pixels_float64 : NULL;
    }
    (void)level;
    return NULL;
}

#endif
