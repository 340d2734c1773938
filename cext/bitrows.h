/* Dilation on rows of bits (docs/explanation/morphology.rst). Plain loops over words, which the compiler makes SIMD;
   where the loader can choose, for the machine that the code runs on. */
#ifndef LSSTREGIONS_BITROWS_H
#define LSSTREGIONS_BITROWS_H

#include "bits.h"

#if defined(_MSC_VER)
#define LSSTREGIONS_RESTRICT __restrict
#else
#define LSSTREGIONS_RESTRICT restrict
#endif

/* target[i] = row[i] shifted up by 0 < bits < 64; row[-1] is read. */
static inline void shift_words(uint64_t *LSSTREGIONS_RESTRICT target, const uint64_t *LSSTREGIONS_RESTRICT row,
                               ptrdiff_t count, int bits)
{
    for (ptrdiff_t i = 0; i < count; i++)
        target[i] = row[i] << bits | row[i - 1] >> (64 - bits);
}

static inline void widen_words(uint64_t *LSSTREGIONS_RESTRICT target, const uint64_t *LSSTREGIONS_RESTRICT row,
                               ptrdiff_t count, int bits)
{
    for (ptrdiff_t i = 0; i < count; i++)
        target[i] = row[i] | row[i] << bits | row[i - 1] >> (64 - bits);
}

static inline void or_words(uint64_t *LSSTREGIONS_RESTRICT target, const uint64_t *LSSTREGIONS_RESTRICT row,
                            ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++)
        target[i] |= row[i];
}

/* Turn off all bits but those from `start` to `stop`. */
static inline void clip_words(uint64_t *words, ptrdiff_t count, int64_t start, int64_t stop)
{
    start = start < 0 ? 0 : start < 64 * count ? start : 64 * count;
    stop = stop < start ? start : stop < 64 * count ? stop : 64 * count;
    for (ptrdiff_t i = 0; i < start / 64; i++)
        words[i] = 0;
    if (start % 64)
        words[start / 64] &= ~(uint64_t)0 << start % 64;
    if (stop % 64)
        words[stop / 64] &= ~(~(uint64_t)0 << stop % 64);
    for (ptrdiff_t i = (stop + 63) / 64; i < count; i++)
        words[i] = 0;
}

/* Spans of a structuring element that start at the same column and are equally wide, hence share one shifted row. */
struct Group {
    ptrdiff_t width;  /* pixels; groups come in rising order */
    ptrdiff_t column; /* of the first pixel, from the element's left end */
    ptrdiff_t first;  /* of the group's rows in the list of them */
    ptrdiff_t last;
};

/* OR one source row, spread by each group, into a ring of target rows.

   row      words of the source; a zero word stands before its `count` words, and behind them as many zeros as the
            widest group and the farthest column take
   spare, shifted  two buffers of the same shape
   ring     `height` target rows, `stride` words apart
   bottom   index in the ring of the target row that the element's lowest row falls into
   rows     for each group the rows of its spans, from the element's lowest row
*/
LSSTREGIONS_CLONES
static void spread_row(uint64_t *row, uint64_t *spare, uint64_t *shifted, ptrdiff_t count, const struct Group *group,
                       ptrdiff_t n_groups, const int32_t *rows, uint64_t *ring, ptrdiff_t stride, ptrdiff_t height,
                       ptrdiff_t bottom)
{
    ptrdiff_t width = 1, words = count;
    for (ptrdiff_t g = 0; g < n_groups; g++) {
        while (width < group[g].width) {
            /* A run of `width` pixels stays whole when it is joined with itself at most `width` further. */
            ptrdiff_t step = group[g].width - width;
            step = step > width ? width : step;
            step = step > 63 ? 63 : step;
            width += step;
            words = count + (width + 62) / 64;
            widen_words(spare, row, words, (int)step);
            uint64_t *swap = row;
            row = spare;
            spare = swap;
        }
        const uint64_t *source = row;
        ptrdiff_t n = words;
        if (group[g].column % 64) {
            n = words + 1;
            shift_words(shifted, row, n, (int)(group[g].column % 64));
            source = shifted;
        }
        for (ptrdiff_t k = group[g].first; k < group[g].last; k++) {
            ptrdiff_t target = bottom + rows[k];
            target -= target >= height ? height : 0;
            or_words(ring + target * stride + group[g].column / 64, source, n);
        }
    }
}

#endif
