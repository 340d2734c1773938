/* Images summed under ellipses, less their holes, without keeping their coverage; all machines give the same sums. */
#ifndef LSSTREGIONS_APERTURES_H
#define LSSTREGIONS_APERTURES_H

#include "memory.h"
#include "slices.h"

/* The rows of an image and of its variance in which an ellipse is, from its first column on; those of what comes after
   it are asked for ahead. */
typedef struct {
    const char *image, *variance; /* the first row of the ellipse; the variance may be NULL, and the mask */
    const uint8_t *mask;
    ptrdiff_t image_stride, variance_stride, mask_stride;
    ptrdiff_t width;
    const char *next_image, *next_variance; /* rows of the next ellipse */
    ptrdiff_t next_rows, next_size;
} View;

/* Ask for row i of what comes next. */
LSSTREGIONS_INLINE void ask_ahead(const View *view, ptrdiff_t i)
{
    if (i < view->next_rows) {
        prefetch_lines(view->next_image + i * view->image_stride, view->next_size);
        if (view->variance)
            prefetch_lines(view->next_variance + i * view->variance_stride, view->next_size);
    }
}

/* Slice k, and within one pixel k, is added up in lane k % LANES. */
typedef struct {
    double total[LANES], noise[LANES], area[LANES];
} LaneSums;

/* Ask for two rows of what comes next, unless all have been asked for; returns how many have been. */
LSSTREGIONS_INLINE int ask_for_two(const View *view, const Block *block, int asked)
{
    if (asked == LANES)
        return asked;
    ask_ahead(view, (ptrdiff_t)block->slices.row[asked]);
    ask_ahead(view, (ptrdiff_t)block->slices.row[asked + 1]);
    return asked + 2;
}

/* Leave out what is masked. */
LSSTREGIONS_INLINE void drop_masked(const uint8_t *mask, const int64_t *at, double *weights)
{
    for (int i = 0; i < LANES; i++)
        if (weights[i] > 0 && mask[at[i]])
            weights[i] = 0;
}

/* Of n pixels, return how many are not masked. */
LSSTREGIONS_INLINE int32_t count_used(const View *view, int64_t at, int32_t n)
{
    int32_t used = n;
    if (view->mask)
        for (int32_t x = 0; x < n; x++)
            used -= view->mask[at + x] != 0;
    return used;
}

/* Add a pixel of each slice, with its own weight. What has none is not read, for it may be NaN. */
#define LSSTREGIONS_ADD_PIXELS(NAME, TYPE)                                                                             \
    static inline void NAME(const char *data, const int64_t *at, const double *weights, double *sums)                  \
    {                                                                                                                  \
        for (int i = 0; i < LANES; i++)                                                                                \
            if (weights[i] > 0)                                                                                        \
                sums[i] += weights[i] * (double)*(const TYPE *)(data + at[i]);                                         \
    }

/* Add n pixels of two slices, each with one weight, less those that are masked, where there is a mask. */
#define LSSTREGIONS_ADD_BETWEEN(NAME, TYPE)                                                                            \
    static inline void NAME(const char *data, const int64_t *at, const int32_t *n, const double *weights,              \
                            const uint8_t *mask, const int64_t *mask_at, double *sums)                                 \
    {                                                                                                                  \
        for (int i = 0; i < 2; i++) {                                                                                  \
            const TYPE *pixels = (const TYPE *)(data + at[i]);                                                         \
            double added[LANES] = {0};                                                                                 \
            int32_t x = 0;                                                                                             \
            if (mask)                                                                                                  \
                for (; x < n[i]; x++)                                                                                  \
                    added[x % LANES] += mask[mask_at[i] + x] ? 0 : (double)pixels[x];                                  \
            for (; x + LANES <= n[i]; x += LANES)                                                                      \
                for (int k = 0; k < LANES; k++)                                                                        \
                    added[k] += (double)pixels[x + k];                                                                 \
            for (int k = 0; x + k < n[i]; k++)                                                                         \
                added[k] += (double)pixels[x + k];                                                                     \
            for (int k = 0; k < LANES; k++)                                                                            \
                sums[k] += weights[i] * added[k];                                                                      \
        }                                                                                                              \
    }

LSSTREGIONS_ADD_PIXELS(add_floats, float)
LSSTREGIONS_ADD_PIXELS(add_doubles, double)
LSSTREGIONS_ADD_BETWEEN(add_floats_between, float)
LSSTREGIONS_ADD_BETWEEN(add_doubles_between, double)

#ifdef LSSTREGIONS_X86_DISPATCH
#ifdef __clang__
#define LSSTREGIONS_ROWS_AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw")))
#else
#define LSSTREGIONS_ROWS_AVX512 __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,prefer-vector-width=512")))
#endif

/* Loads one by one are faster than gathering. */
#define LSSTREGIONS_ADD_PIXELS_AVX512(NAME, TYPE)                                                                      \
    LSSTREGIONS_ROWS_AVX512                                                                                            \
    static inline void NAME(const char *data, const int64_t *at, const double *weights, double *sums)                  \
    {                                                                                                                  \
        const __m512d weight = _mm512_loadu_pd(weights), sum = _mm512_loadu_pd(sums);                                  \
        const __mmask8 used = _mm512_cmp_pd_mask(weight, _mm512_setzero_pd(), _CMP_GT_OQ);                             \
        int64_t where[LANES];                                                                                          \
        _mm512_storeu_si512(where, _mm512_maskz_loadu_epi64(used, at));                                                \
        __m512d pixels = _mm512_setr_pd(                                                                               \
            *(const TYPE *)(data + where[0]), *(const TYPE *)(data + where[1]), *(const TYPE *)(data + where[2]),      \
            *(const TYPE *)(data + where[3]), *(const TYPE *)(data + where[4]), *(const TYPE *)(data + where[5]),      \
            *(const TYPE *)(data + where[6]), *(const TYPE *)(data + where[7]));                                       \
        pixels = _mm512_maskz_mov_pd(used, pixels);                                                                    \
        _mm512_storeu_pd(sums, _mm512_add_pd(sum, _mm512_mul_pd(weight, pixels)));                                     \
    }

/* Which of the LANES pixels from x on are among n, and not masked. */
LSSTREGIONS_ROWS_AVX512
static inline __mmask8 used_avx512(const uint8_t *mask, int32_t x, int32_t n)
{
    const __mmask8 used = n - x >= LANES ? 255 : n > x ? (__mmask8)((1 << (n - x)) - 1) : 0;
    if (!mask)
        return used;
    const __m128i bytes = _mm_maskz_loadu_epi8(used, mask + x);
    return (__mmask8)_mm_mask_testn_epi8_mask(used, bytes, bytes);
}

#define LSSTREGIONS_ADD_BETWEEN_AVX512(NAME, TYPE, LOAD)                                                               \
    LSSTREGIONS_ROWS_AVX512                                                                                            \
    static inline void NAME(const char *data, const int64_t *at, const int32_t *n, const double *weights,              \
                            const uint8_t *mask, const int64_t *mask_at, double *sums)                                 \
    {                                                                                                                  \
        const TYPE *one = (const TYPE *)(data + at[0]), *other = (const TYPE *)(data + at[1]);                         \
        const uint8_t *one_mask = mask ? mask + mask_at[0] : NULL, *other_mask = mask ? mask + mask_at[1] : NULL;      \
        const int32_t least = n[0] < n[1] ? n[0] : n[1], most = n[0] < n[1] ? n[1] : n[0];                             \
        __m512d first = _mm512_setzero_pd(), second = first, sum = _mm512_loadu_pd(sums);                              \
        int32_t x = 0;                                                                                                 \
        if (!mask)                                                                                                     \
            for (; x + LANES <= least; x += LANES) {                                                                   \
                first = _mm512_add_pd(first, LOAD(255, one + x));                                                      \
                second = _mm512_add_pd(second, LOAD(255, other + x));                                                  \
            }                                                                                                          \
        for (; x < most; x += LANES) {                                                                                 \
            first = _mm512_add_pd(first, LOAD(used_avx512(one_mask, x, n[0]), one + x));                               \
            second = _mm512_add_pd(second, LOAD(used_avx512(other_mask, x, n[1]), other + x));                         \
        }                                                                                                              \
        sum = _mm512_add_pd(sum, _mm512_mul_pd(_mm512_set1_pd(weights[0]), first));                                    \
        sum = _mm512_add_pd(sum, _mm512_mul_pd(_mm512_set1_pd(weights[1]), second));                                   \
        _mm512_storeu_pd(sums, sum);                                                                                   \
    }

#define LSSTREGIONS_EIGHT_FLOATS(MASK, P) _mm512_cvtps_pd(_mm256_maskz_loadu_ps((__mmask8)(MASK), P))
#define LSSTREGIONS_EIGHT_DOUBLES(MASK, P) _mm512_maskz_loadu_pd((__mmask8)(MASK), P)

LSSTREGIONS_ADD_PIXELS_AVX512(add_floats_avx512, float)
LSSTREGIONS_ADD_PIXELS_AVX512(add_doubles_avx512, double)
LSSTREGIONS_ADD_BETWEEN_AVX512(add_floats_between_avx512, float, LSSTREGIONS_EIGHT_FLOATS)
LSSTREGIONS_ADD_BETWEEN_AVX512(add_doubles_between_avx512, double, LSSTREGIONS_EIGHT_DOUBLES)
#endif

/* How pixels of some type are added. */
typedef void AddPixels(const char *data, const int64_t *at, const double *weights, double *sums);
typedef void AddBetween(const char *data, const int64_t *at, const int32_t *n, const double *weights,
                        const uint8_t *mask, const int64_t *mask_at, double *sums);

/* Where the pixels of slices in some columns are in a plane of pixels of so many bytes. */
LSSTREGIONS_INLINE void find_pixels(const Slices *slices, const double *columns, ptrdiff_t stride, int64_t size,
                                    int64_t *at)
{
    for (int i = 0; i < LANES; i++)
        at[i] = (int64_t)(int32_t)slices->row[i] * stride + (int64_t)(int32_t)columns[i] * size;
}

/* Of so many columns all shares are found before the first pixel is added: more of it is under way at once. */
enum { CHUNK = 8 };

/* Add the pixels of the borders of a band, each with its share; returns how many rows of what comes next have been
   asked for. */
LSSTREGIONS_INLINE int sum_borders(const View *view, const Block *block, Band *band, int64_t size, int asked,
                                   LaneSums *sums, AddPixels *add_pixels)
{
    double weights[2][CHUNK][LANES];
    int64_t image[2][LANES], variance[2][LANES], mask[2][LANES];
    for (int s = 0; s < 2; s++) {
        const double *columns = s ? band->right.column : band->left.column;
        find_pixels(&block->slices, columns, view->image_stride, size, image[s]);
        find_pixels(&block->slices, columns, view->variance_stride, size, variance[s]);
        find_pixels(&block->slices, columns, view->mask_stride, 1, mask[s]);
    }
    for (int begin = 0; begin < band->columns; begin += CHUNK) {
        const int count = band->columns - begin < CHUNK ? band->columns - begin : CHUNK;
        next_columns(&block->slices, band, count, weights[0], weights[1]);
        for (int k = 0; k < count; k++) {
            asked = ask_for_two(view, block, asked);
            for (int s = 0; s < 2; s++) {
                if (view->mask)
                    drop_masked(view->mask + begin + k, mask[s], weights[s][k]);
                add_pixels(view->image + (begin + k) * size, image[s], weights[s][k], sums->total);
                if (view->variance)
                    add_pixels(view->variance + (begin + k) * size, variance[s], weights[s][k], sums->noise);
                for (int i = 0; i < LANES; i++)
                    sums->area[i] += weights[s][k][i];
            }
        }
    }
    return asked;
}

/* Add the pixels between the borders of a band; those that both borders have added have been added once more than they
   should. */
LSSTREGIONS_INLINE int sum_between(const View *view, const Block *block, const Band *band, int64_t size, int asked,
                                   LaneSums *sums, AddBetween *add_between)
{
    double whole[LANES], from[LANES];
    int64_t image[LANES], variance[LANES], mask[LANES];
    int32_t n[LANES];
    for (int i = 0; i < LANES; i++) {
        const double height = block->slices.high[i] - block->slices.low[i];
        const double weight = height > LSSTREGIONS_WHOLLY ? 1 : height;
        const int32_t between = height > LSSTREGIONS_NONE ? band->stop[i] - band->begin[i] : 0;
        from[i] = between < 0 ? band->stop[i] : band->begin[i];
        whole[i] = between < 0 ? -weight : weight;
        n[i] = between < 0 ? -between : between;
    }
    find_pixels(&block->slices, from, view->image_stride, size, image);
    find_pixels(&block->slices, from, view->variance_stride, size, variance);
    find_pixels(&block->slices, from, view->mask_stride, 1, mask);
    for (int i = 0; i < LANES; i += 2) {
        if (i + 2 > asked)
            asked = ask_for_two(view, block, asked);
        add_between(view->image, image + i, n + i, whole + i, view->mask, mask + i, sums->total);
        if (view->variance)
            add_between(view->variance, variance + i, n + i, whole + i, view->mask, mask + i, sums->noise);
    }
    for (int i = 0; i < LANES; i++)
        sums->area[i] += whole[i] * count_used(view, mask[i], n[i]);
    return asked;
}

/* Add all of an ellipse, less its hole, no row of which is cut. Blocks are found one ahead: how many columns there are
   is known before it decides where a loop ends. */
LSSTREGIONS_INLINE void sum_slices(const Conic *conic, const Conic *hole, const View *view, int32_t first, int32_t stop,
                                   int64_t size, LaneSums *sums, AddPixels *add_pixels, AddBetween *add_between)
{
    const Cuts cuts = cuts_of(conic, hole, first, stop);
    const int32_t count = (int32_t)cuts.count, last = (int32_t)view->width - 1;
    Block blocks[2], *block = blocks, *next = blocks + 1;
    find_block(&cuts, 0, last, block);
    for (int32_t begin = 0; begin < count; begin += LANES) {
        if (begin + LANES < count)
            find_block(&cuts, begin + LANES, last, next);
        int asked = 0;
        for (Band *band = block->bands; band < block->bands + (hole ? 2 : 1); band++) {
            asked = sum_borders(view, block, band, size, asked, sums, add_pixels);
            asked = sum_between(view, block, band, size, asked, sums, add_between);
        }
        Block *const done = block;
        block = next;
        next = done;
    }
}

#define LSSTREGIONS_SUM_CONIC(NAME, TARGET, TYPE, ADD_PIXELS, ADD_BETWEEN)                                             \
    TARGET                                                                                                             \
    static void NAME(const Conic *conic, const Conic *hole, const View *view, int32_t first, int32_t stop,             \
                     LaneSums *sums)                                                                                   \
    {                                                                                                                  \
        sum_slices(conic, hole, view, first, stop, sizeof(TYPE), sums, ADD_PIXELS, ADD_BETWEEN);                       \
    }

LSSTREGIONS_SUM_CONIC(sum_floats_portable, LSSTREGIONS_CLONES, float, add_floats, add_floats_between)
LSSTREGIONS_SUM_CONIC(sum_doubles_portable, LSSTREGIONS_CLONES, double, add_doubles, add_doubles_between)
#ifdef LSSTREGIONS_X86_DISPATCH
LSSTREGIONS_SUM_CONIC(sum_floats_avx512, LSSTREGIONS_ROWS_AVX512, float, add_floats_avx512, add_floats_between_avx512)
LSSTREGIONS_SUM_CONIC(sum_doubles_avx512, LSSTREGIONS_ROWS_AVX512, double, add_doubles_avx512,
                      add_doubles_between_avx512)
#endif

/* The same for pixels of 4 or 8 bytes, by what this machine has. */
static inline void sum_conic(const Conic *conic, const Conic *hole, const View *view, int32_t first, int32_t stop,
                             int size, LaneSums *sums)
{
#ifdef LSSTREGIONS_X86_DISPATCH
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw")) {
        if (size == 4)
            sum_floats_avx512(conic, hole, view, first, stop, sums);
        else
            sum_doubles_avx512(conic, hole, view, first, stop, sums);
        return;
    }
#endif
    if (size == 4)
        sum_floats_portable(conic, hole, view, first, stop, sums);
    else
        sum_doubles_portable(conic, hole, view, first, stop, sums);
}

#endif
