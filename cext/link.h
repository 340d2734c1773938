/* Which runs of two neighbouring rows of bits touch. */
#ifndef LSSTREGIONS_LINK_H
#define LSSTREGIONS_LINK_H

#include "bits.h"

/* A row of pixels, 64 a word; a word without pixels comes before the first one. */
struct BitRow {
    uint64_t *words;
    uint64_t *starts; /* the first pixel of each run */
    int32_t *first;   /* number of the first run that starts in a word or after it */
};

/* Mark where the runs of a row start and number them from `first` on. */
LSSTREGIONS_CLONES
static void number_runs(const struct BitRow *row, ptrdiff_t count, int32_t first)
{
    for (ptrdiff_t i = 0; i < count; i++)
        row->starts[i] = row->words[i] & ~(row->words[i] << 1 | row->words[i - 1] >> 63);
    for (ptrdiff_t i = 0; i < count; i++) {
        row->first[i] = first;
        first += count_ones(row->starts[i]);
    }
}

/* Number of the run that holds a pixel, the lowest bit of `bits` in word i. */
static inline int32_t run_at(const struct BitRow *row, ptrdiff_t i, uint64_t bits)
{
    return row->first[i] + count_ones(row->starts[i] & (bits ^ (bits - 1))) - 1;
}

/* Numbers of the runs that hold pixels x. */
LSSTREGIONS_CLONES
static void runs_at(const struct BitRow *row, const int32_t *x, ptrdiff_t count, int32_t *runs)
{
    for (ptrdiff_t k = 0; k < count; k++)
        runs[k] = run_at(row, x[k] / 64, (uint64_t)1 << x[k] % 64);
}

static inline int32_t root_of(int32_t *parent, int32_t i)
{
    /* Nearly all are at most two steps away: these are taken without asking. */
    i = parent[parent[i]];
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* Mark where runs of two rows meet, in at most 64 words from the word `base` on; returns which words have a mark.

   Two runs overlap in one stretch of pixels: where it begins they meet. Where one stops just as the other starts, they
   meet at a corner. */
LSSTREGIONS_CLONES
static uint64_t mark_meets(const struct BitRow *a, const struct BitRow *b, ptrdiff_t base, ptrdiff_t count, int corners,
                           uint64_t *meets)
{
    const uint64_t *aw = a->words + base, *a_starts = a->starts + base;
    const uint64_t *bw = b->words + base, *b_starts = b->starts + base;
    const uint64_t at_corners = corners ? ~(uint64_t)0 : 0;
    for (ptrdiff_t i = 0; i < count; i++) {
        const uint64_t a_stops = (aw[i] << 1 | aw[i - 1] >> 63) & ~aw[i], b_stops = (bw[i] << 1 | bw[i - 1] >> 63) & ~bw[i];
        const uint64_t corner = (b_starts[i] & a_stops) | (a_starts[i] & b_stops);
        meets[i] = (aw[i] & bw[i] & (a_starts[i] | b_starts[i])) | (corner & at_corners);
    }
    return nonzero_words(meets, count);
}

/* Unite the runs that meet. */
LSSTREGIONS_CLONES
static void unite_runs(const struct BitRow *a, const struct BitRow *b, ptrdiff_t base, const uint64_t *meets,
                       uint64_t busy, int32_t *parent)
{
    for (; busy; busy &= busy - 1) {
        const ptrdiff_t i = count_trailing_zeros(busy);
        uint64_t bits = meets[i];
        do {
            const int32_t p = root_of(parent, run_at(a, base + i, bits));
            const int32_t q = root_of(parent, run_at(b, base + i, bits));
            parent[p > q ? p : q] = p > q ? q : p;
            bits &= bits - 1;
        } while (bits);
    }
}

/* Unite the runs of row `a` with those of row `b` that they touch, at corners too if `corners`; `parent` holds the
   union-find tree of their numbers, in which the smaller is the root. */
static inline void link_rows(const struct BitRow *a, const struct BitRow *b, ptrdiff_t count, int corners,
                             int32_t *parent)
{
    uint64_t meets[64];
    for (ptrdiff_t base = 0; base < count; base += 64) {
        const ptrdiff_t block = count - base < 64 ? count - base : 64;
        unite_runs(a, b, base, meets, mark_meets(a, b, base, block, corners, meets), parent);
    }
}

#endif
