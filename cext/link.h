/* Which runs of two neighbouring rows of bits touch. */
#ifndef LSSTREGIONS_LINK_H
#define LSSTREGIONS_LINK_H

#include "bits.h"
#include "memory.h"
#include "trees.h"

/* A row of pixels, 64 a word, after a word that is 0, and what finding its runs has told. */
struct BitRow {
    uint64_t *words;
    /* Of the first run that starts in a word or after it, for words that have a bit or come after one with its last. */
    int32_t *number;
};

/* The pixels of word i at which a run starts. */
static inline uint64_t starts_in(const struct BitRow *row, ptrdiff_t i)
{
    return row->words[i] & ~(row->words[i] << 1 | row->words[i - 1] >> 63);
}

/* Numbers of the runs that hold pixels x, or stop there. */
LSSTREGIONS_CLONES
static void runs_at(const struct BitRow *row, const int32_t *x, ptrdiff_t count, int32_t *runs)
{
    for (ptrdiff_t k = 0; k < count; k++) {
        const ptrdiff_t i = x[k] / 64;
        const uint64_t bit = (uint64_t)1 << x[k] % 64;
        runs[k] = row->number[i] + count_ones(starts_in(row, i) & (bit ^ (bit - 1))) - 1;
    }
}

/* Where runs of two rows meet, in 64 words: the first pixel that both have, and where one starts just as the other stops
   if corners count. */
LSSTREGIONS_CLONES
static void meeting_points(const uint64_t *a, const uint64_t *b, ptrdiff_t count, uint64_t at_corners, uint64_t *meet)
{
    for (ptrdiff_t i = 0; i < count; i++) {
        const uint64_t a_before = a[i] << 1 | a[i - 1] >> 63, b_before = b[i] << 1 | b[i - 1] >> 63;
        const uint64_t corner = (a[i] & ~a_before & b_before & ~b[i]) | (b[i] & ~b_before & a_before & ~a[i]);
        meet[i] = (a[i] & b[i] & ~(a_before & b_before)) | (corner & at_corners);
    }
}

/* Unite the runs of row `a`, which are their own parents yet, with those of row `b` that they touch, at corners too if
   `corners`; `parent` holds the union-find tree of their numbers. Meanwhile `ahead` is asked for. */
LSSTREGIONS_CLONES
static void link_rows(const struct BitRow *a, const struct BitRow *b, ptrdiff_t count, int corners, int32_t *parent,
                      struct Ahead *ahead)
{
    uint64_t meet[64];
    /* The run of `a` that was united last, and its root. */
    int32_t last = -1, root = -1;
    for (ptrdiff_t first = 0; first < count; first += 64) {
        const ptrdiff_t words = count - first < 64 ? count - first : 64;
        meeting_points(a->words + first, b->words + first, words, corners ? ~(uint64_t)0 : 0, meet);
        for (uint64_t busy = nonzero_words(meet, words); busy; busy &= busy - 1) {
            const ptrdiff_t at = count_trailing_zeros(busy), i = first + at;
            const uint64_t a_starts = starts_in(a, i), b_starts = starts_in(b, i);
            const int32_t a_before = a->number[i] - 1, b_before = b->number[i] - 1;
            uint64_t points = meet[at];
            ask_for_more(ahead);
            do {
                const uint64_t up_to = points ^ (points - 1);
                const int32_t run = a_before + count_ones(a_starts & up_to);
                root = join_roots(parent, run == last ? root : run,
                                  root_of(parent, b_before + count_ones(b_starts & up_to)));
                last = run;
                points &= points - 1;
            } while (points);
        }
    }
}

#endif
