/* Which pixels of a row pass a threshold, and which of these are peaks: 64 pixels a word, bit i of a word is pixel i.

   For every pixel type there are three functions, for either polarity:

   passing   words of the pixels that are at least (at most, where negative) the threshold: one value, or one a pixel
   peaks     the pixels of a run that none of their 8 neighbours exceeds (undercuts, where negative)

   Comparisons with NaN are false: NaN never passes and never exceeds. */
#ifndef LSSTREGIONS_THRESHOLD_H
#define LSSTREGIONS_THRESHOLD_H

#include "bits.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(LSSTREGIONS_PORTABLE)
#include <immintrin.h>
#define LSSTREGIONS_THRESHOLD_SIMD 1
#endif

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
/* Writes the peaks among the pixels `start` to `stop` of a row, and perhaps one more that does not count; returns how
   many. */
typedef ptrdiff_t (*Peaks)(const struct Rows *rows, ptrdiff_t start, ptrdiff_t stop, struct Peak *out);

struct PixelType {
    Passing passing[2]; /* [negative] */
    Peaks peaks[2];
};

/* Compare into bytes, which compilers make SIMD, and gather these into bits. */
#define LSSTREGIONS_PASSING(NAME, TYPE, PASSES)                                                                        \
    LSSTREGIONS_CLONES                                                                                                 \
    static void NAME(const void *pixels, ptrdiff_t nx, const void *thresholds, ptrdiff_t stride, uint64_t *words)      \
    {                                                                                                                  \
        const TYPE *row = (const TYPE *)pixels, *threshold = (const TYPE *)thresholds;                                 \
        uint8_t passes[64];                                                                                            \
        ptrdiff_t x = 0;                                                                                               \
        for (; x + 64 <= nx; x += 64) {                                                                                \
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

#define LSSTREGIONS_PEAKS(NAME, TYPE, EXCEEDS)                                                                         \
    static ptrdiff_t NAME(const struct Rows *rows, ptrdiff_t start, ptrdiff_t stop, struct Peak *out)                  \
    {                                                                                                                  \
        const TYPE *row[3] = {(const TYPE *)rows->below, (const TYPE *)rows->row, (const TYPE *)rows->above};          \
        ptrdiff_t count = 0;                                                                                           \
        for (ptrdiff_t x = start; x < stop; x++) {                                                                     \
            const ptrdiff_t left = x > 0 ? x - 1 : x, right = x + 1 < rows->nx ? x + 1 : x;                            \
            const TYPE pixel = row[1][x];                                                                              \
            int exceeded = 0;                                                                                          \
            for (int i = 0; i < 3; i++)                                                                                \
                exceeded |= (row[i][left] EXCEEDS pixel) | (row[i][x] EXCEEDS pixel) | (row[i][right] EXCEEDS pixel);  \
            out[count].x = rows->x0 + (int32_t)x;                                                                      \
            out[count].y = rows->y;                                                                                    \
            out[count].value = (double)pixel;                                                                          \
            count += !exceeded;                                                                                        \
        }                                                                                                              \
        return count;                                                                                                  \
    }

#define LSSTREGIONS_PIXEL_TYPE(NAME, TYPE)                                                                             \
    LSSTREGIONS_PASSING(passing_high_##NAME, TYPE, >=)                                                                 \
    LSSTREGIONS_PASSING(passing_low_##NAME, TYPE, <=)                                                                  \
    LSSTREGIONS_PEAKS(maxima_##NAME, TYPE, >)                                                                          \
    LSSTREGIONS_PEAKS(minima_##NAME, TYPE, <)                                                                          \
    static const struct PixelType pixels_##NAME = {                                                                    \
        {passing_high_##NAME, passing_low_##NAME}, {maxima_##NAME, minima_##NAME}};

LSSTREGIONS_PIXEL_TYPE(int8, int8_t)
LSSTREGIONS_PIXEL_TYPE(uint8, uint8_t)
LSSTREGIONS_PIXEL_TYPE(int16, int16_t)
LSSTREGIONS_PIXEL_TYPE(uint16, uint16_t)
LSSTREGIONS_PIXEL_TYPE(int32, int32_t)
LSSTREGIONS_PIXEL_TYPE(uint32, uint32_t)
LSSTREGIONS_PIXEL_TYPE(int64, int64_t)
LSSTREGIONS_PIXEL_TYPE(uint64, uint64_t)
LSSTREGIONS_PIXEL_TYPE(float32, float)
LSSTREGIONS_PIXEL_TYPE(float64, double)

#ifdef LSSTREGIONS_THRESHOLD_SIMD
/* float32, the type of nearly all images, by hand: compares give bits at once. */
#define LSSTREGIONS_PASSING_AVX512(NAME, PORTABLE, PASSES)                                                             \
    __attribute__((target("avx512f")))                                                                                 \
    static void NAME(const void *pixels, ptrdiff_t nx, const void *threshold, ptrdiff_t stride,                        \
                                        uint64_t *words)                                                               \
    {                                                                                                                  \
        const float *row = (const float *)pixels;                                                                      \
        const __m512 limit = _mm512_set1_ps(*(const float *)threshold);                                                \
        ptrdiff_t x = 0;                                                                                               \
        if (stride) {                                                                                                  \
            PORTABLE(pixels, nx, threshold, stride, words);                                                            \
            return;                                                                                                    \
        }                                                                                                              \
        for (; x + 64 <= nx; x += 64) {                                                                                \
            /* The hardware looks ahead within a page of memory only. */                                               \
            for (int line = 0; line < 64; line += 16)                                                                  \
                _mm_prefetch((const char *)(row + x + 2048 + line), _MM_HINT_T0);                                      \
            *words++ = (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(row + x), limit, PASSES) |                         \
                       (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(row + x + 16), limit, PASSES) << 16 |              \
                       (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(row + x + 32), limit, PASSES) << 32 |              \
                       (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(row + x + 48), limit, PASSES) << 48;               \
        }                                                                                                              \
        if (x < nx)                                                                                                    \
            PORTABLE(row + x, nx - x, threshold, 0, words);                                                            \
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
            uint64_t word = 0;                                                                                         \
            for (int part = 0; part < 64; part += 8)                                                                   \
                word |= (uint64_t)(unsigned)_mm256_movemask_ps(                                                        \
                            _mm256_cmp_ps(_mm256_loadu_ps(row + x + part), limit, PASSES)) << part;                    \
            *words++ = word;                                                                                           \
        }                                                                                                              \
        if (x < nx)                                                                                                    \
            PORTABLE(row + x, nx - x, threshold, 0, words);                                                            \
    }

#define LSSTREGIONS_PEAKS_AVX2(NAME, PORTABLE, KEEPS)                                                                  \
    __attribute__((target("avx2")))                                                                                    \
    static ptrdiff_t NAME(const struct Rows *rows, ptrdiff_t start, ptrdiff_t stop, struct Peak *out)                  \
    {                                                                                                                  \
        ptrdiff_t count = 0;                                                                                           \
        /* Eight pixels are read at a time: the last ones of a row are left to the portable function. */               \
        if (start == 0 || stop + 8 > rows->nx)                                                                         \
            return PORTABLE(rows, start, stop, out);                                                                   \
        for (ptrdiff_t x = start; x < stop; x += 8) {                                                                  \
            const float *row = (const float *)rows->row + x;                                                           \
            const float *below = (const float *)rows->below + x, *above = (const float *)rows->above + x;              \
            const unsigned here = stop - x < 8 ? (1u << (stop - x)) - 1 : 0xff;                                        \
            const __m256 pixels = _mm256_loadu_ps(row);                                                                \
            __m256 kept = _mm256_and_ps(_mm256_cmp_ps(_mm256_loadu_ps(row - 1), pixels, KEEPS),                        \
                                        _mm256_cmp_ps(_mm256_loadu_ps(row + 1), pixels, KEEPS));                       \
            for (int dx = -1; dx <= 1; dx++) {                                                                         \
                kept = _mm256_and_ps(kept, _mm256_cmp_ps(_mm256_loadu_ps(below + dx), pixels, KEEPS));                 \
                kept = _mm256_and_ps(kept, _mm256_cmp_ps(_mm256_loadu_ps(above + dx), pixels, KEEPS));                 \
            }                                                                                                          \
            unsigned left = (unsigned)_mm256_movemask_ps(kept) & here;                                                 \
            /* The first one is written without asking whether there is one. */                                        \
            out[count] = peak_at(rows, x + count_trailing_zeros(left | 0x80));                                         \
            count += left != 0;                                                                                        \
            for (left &= left - 1; left; left &= left - 1)                                                             \
                out[count++] = peak_at(rows, x + count_trailing_zeros(left));                                          \
        }                                                                                                              \
        return count;                                                                                                  \
    }

static inline struct Peak peak_at(const struct Rows *rows, ptrdiff_t x)
{
    const struct Peak peak = {rows->x0 + (int32_t)x, rows->y, ((const float *)rows->row)[x]};
    return peak;
}

LSSTREGIONS_PASSING_AVX512(passing_high_avx512, passing_high_float32, _CMP_GE_OQ)
LSSTREGIONS_PASSING_AVX512(passing_low_avx512, passing_low_float32, _CMP_LE_OQ)
LSSTREGIONS_PASSING_AVX2(passing_high_avx2, passing_high_float32, _CMP_GE_OQ)
LSSTREGIONS_PASSING_AVX2(passing_low_avx2, passing_low_float32, _CMP_LE_OQ)
LSSTREGIONS_PEAKS_AVX2(maxima_avx2, maxima_float32, _CMP_NGT_UQ)
LSSTREGIONS_PEAKS_AVX2(minima_avx2, minima_float32, _CMP_NLT_UQ)

static const struct PixelType pixels_float32_avx512 = {{passing_high_avx512, passing_low_avx512},
                                                       {maxima_avx2, minima_avx2}};
static const struct PixelType pixels_float32_avx2 = {{passing_high_avx2, passing_low_avx2},
                                                     {maxima_avx2, minima_avx2}};
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
#ifdef LSSTREGIONS_THRESHOLD_SIMD
        if (size == 4 && level >= 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx2"))
            return &pixels_float32_avx512;
        if (size == 4 && level >= 1 && __builtin_cpu_supports("avx2"))
            return &pixels_float32_avx2;
#endif
        return size == 4 ? &pixels_float32 : size == 8 ? &pixels_float64 : NULL;
    }
    (void)level;
    return NULL;
}

#endif
