/* Which runs of two neighbouring rows of bits touch. */
#ifndef LSSTREGIONS_LINK_H
#define LSSTREGIONS_LINK_H

#include "bits.h"

static inline int32_t root_of(int32_t *parent, int32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* Unite the runs of row `a` with those of row `b` that they touch, at corners too if `corners`; the runs of a row are
   numbered from `a_first` and `b_first` on, and `parent` holds their union-find tree, in which the smaller is the root.

   Two runs overlap in one stretch of pixels: where it begins they meet. Where one stops just as the other starts, they
   meet at a corner. A run's number is how many runs of its row have started by then. */
LSSTREGIONS_CLONES
static void link_words(const uint64_t *a, const uint64_t *b, ptrdiff_t count, int32_t a_first, int32_t b_first,
                       int corners, int32_t *parent)
{
    for (ptrdiff_t first = 0; first < count; first += 64) {
        const ptrdiff_t block = count - first < 64 ? count - first : 64;
        /* Most words are empty, and which is a coin toss: no branch asks. */
        uint64_t busy = 0;
        for (ptrdiff_t i = 0; i < block; i++)
            busy |= (uint64_t)((a[first + i] | b[first + i]) != 0) << i;
        for (; busy; busy &= busy - 1) {
            const ptrdiff_t i = first + count_trailing_zeros(busy);
            const uint64_t a_before = a[i] << 1 | (i ? a[i - 1] >> 63 : 0);
            const uint64_t b_before = b[i] << 1 | (i ? b[i - 1] >> 63 : 0);
            const uint64_t a_starts = a[i] & ~a_before, b_starts = b[i] & ~b_before;
            uint64_t meet = a[i] & b[i] & ~(a_before & b_before);
            if (corners)
                meet |= (b_starts & a_before & ~a[i]) | (a_starts & b_before & ~b[i]);
            for (; meet; meet &= meet - 1) {
                const uint64_t by_then = meet ^ (meet - 1);
                const int32_t p = root_of(parent, a_first + count_ones(a_starts & by_then) - 1);
                const int32_t q = root_of(parent, b_first + count_ones(b_starts & by_then) - 1);
                parent[p > q ? p : q] = p > q ? q : p;
            }
            a_first += count_ones(a_starts);
            b_first += count_ones(b_starts);
        }
    }
}

#endif
