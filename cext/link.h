/* Which runs of two neighbouring rows of bits touch. */
#ifndef LSSTREGIONS_LINK_H
#define LSSTREGIONS_LINK_H

#include "bits.h"
#include "trees.h"

/* A row of pixels, 64 a word, and what finding its runs has told. */
struct BitRow {
    uint64_t *words;
    uint64_t *busy;  /* which words have a bit or come after one that has its last bit on: a bit a word */
    int32_t *number; /* of the first run that starts in a busy word or after it */
};

/* Where word i has runs that start, and where it has the first pixel after a run. */
static inline void edges_of_row(const struct BitRow *row, ptrdiff_t i, uint64_t *starts, uint64_t *stops)
{
    const uint64_t word = row->words[i], before = word << 1 | (i ? row->words[i - 1] >> 63 : 0);
    *starts = word & ~before;
    *stops = before & ~word;
}

/* Number of the run that holds a pixel of word i, the lowest of some bits. */
static inline int32_t run_at(int32_t number, uint64_t starts, uint64_t bits)
{
    return number + count_ones(starts & (bits ^ (bits - 1))) - 1;
}

/* Numbers of the runs that hold pixels x. */
LSSTREGIONS_CLONES
static void runs_at(const struct BitRow *row, const int32_t *x, ptrdiff_t count, int32_t *runs)
{
    for (ptrdiff_t k = 0; k < count; k++) {
        const ptrdiff_t i = x[k] / 64;
        uint64_t starts, stops;
        edges_of_row(row, i, &starts, &stops);
        runs[k] = run_at(row->number[i], starts, (uint64_t)1 << x[k] % 64);
    }
}

/* Unite the runs of row `a` with those of row `b` that they touch, at corners too if `corners`; `parent` holds the
   union-find tree of their numbers, in which the smaller is the root.

   Two runs overlap in one stretch of pixels: where it begins they meet. Where one stops just as the other starts, they
   meet at a corner. */
LSSTREGIONS_CLONES
static void link_rows(const struct BitRow *a, const struct BitRow *b, ptrdiff_t count, int corners, int32_t *parent)
{
    const uint64_t at_corners = corners ? ~(uint64_t)0 : 0;
    for (ptrdiff_t base = 0; base < count; base += 64) {
        for (uint64_t busy = a->busy[base / 64] & b->busy[base / 64]; busy; busy &= busy - 1) {
            const ptrdiff_t i = base + count_trailing_zeros(busy);
            uint64_t a_starts, a_stops, b_starts, b_stops;
            edges_of_row(a, i, &a_starts, &a_stops);
            edges_of_row(b, i, &b_starts, &b_stops);
            uint64_t meet = (a->words[i] & b->words[i] & (a_starts | b_starts)) |
                            (((a_starts & b_stops) | (b_starts & a_stops)) & at_corners);
            for (; meet; meet &= meet - 1)
                join_trees(parent, run_at(a->number[i], a_starts, meet), run_at(b->number[i], b_starts, meet));
        }
    }
}

#endif
