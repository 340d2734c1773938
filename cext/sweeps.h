/* Set algebra of two canonical run arrays (docs/explanation/algebra.rst).

   Each sweep walks both arrays once and returns how many runs it wrote to `out`, which has room for all of a and b and two
   more. No step has a branch that depends on the data: which run comes first is a coin toss. Hence choices by masks and
   sums, for a compiler may make branches of conditional expressions. A step has to wait for the one before it: two bands
   of rows are swept in turns. */
#ifndef LSSTREGIONS_SWEEPS_H
#define LSSTREGIONS_SWEEPS_H

#include "span.h"

/* What is left of both arrays in a band, where to write, and what a sweep remembers. */
struct Sweep {
    const Span *a, *a_end, *b, *b_end;
    Span *out;
    int64_t start, stop;
};

static inline int64_t smaller(int64_t p, int64_t q)
{
    return p < q ? p : q;
}

static inline int64_t larger(int64_t p, int64_t q)
{
    return p > q ? p : q;
}

/* Union: the run from `start` to `stop` is open. */

static inline void begin_open(struct Sweep *s)
{
    const int64_t a_start = s->a < s->a_end ? start_of(s->a) : INT64_MAX;
    const int64_t b_start = s->b < s->b_end ? start_of(s->b) : INT64_MAX;
    s->start = s->stop = smaller(a_start, b_start);
}

/* Take the run of both that comes first. */
static inline void take_first(struct Sweep *s, int64_t *start, int64_t *stop)
{
    const int64_t a_start = start_of(s->a), b_start = start_of(s->b), a_stop = stop_of(s->a), b_stop = stop_of(s->b);
    const int64_t take_a = a_start <= b_start;
    *start = smaller(a_start, b_start);
    *stop = b_stop ^ ((a_stop ^ b_stop) & -take_a);
    s->a += take_a;
    s->b += 1 - take_a;
}

static inline void step_union(struct Sweep *s)
{
    int64_t start, stop;
    take_first(s, &start, &stop);
    const int64_t gap = start > s->stop;
    *s->out = span_of(s->start, s->stop);
    s->out += gap;
    s->start ^= (s->start ^ start) & -gap;
    s->stop = larger(s->stop, stop);
}

static inline void finish_union(struct Sweep *s)
{
    const Span *rest = s->a < s->a_end ? s->a : s->b, *end = s->a < s->a_end ? s->a_end : s->b_end;
    for (; rest < end && start_of(rest) <= s->stop; rest++)
        s->stop = larger(s->stop, stop_of(rest));
    *s->out = span_of(s->start, s->stop);
    s->out += s->start < s->stop;
    memcpy(s->out, rest, (size_t)(end - rest) * sizeof(Span));
    s->out += end - rest;
}

/* Exclusion: the next run takes away where it overlaps the open one, and the later end of both stays open. */

static inline void exclude_run(struct Sweep *s, int64_t start, int64_t stop)
{
    const int64_t emitted_stop = smaller(start, s->stop), apart = start != s->stop;
    const int64_t next = larger(start, smaller(s->stop, stop));
    *s->out = span_of(s->start, emitted_stop);
    s->out += apart & (s->start < emitted_stop);
    s->start ^= (s->start ^ next) & -apart;
    s->stop = larger(s->stop, stop);
}

static inline void step_exclusion(struct Sweep *s)
{
    int64_t start, stop;
    take_first(s, &start, &stop);
    exclude_run(s, start, stop);
}

static inline void finish_exclusion(struct Sweep *s)
{
    for (; s->a < s->a_end; s->a++)
        exclude_run(s, start_of(s->a), stop_of(s->a));
    for (; s->b < s->b_end; s->b++)
        exclude_run(s, start_of(s->b), stop_of(s->b));
    *s->out = span_of(s->start, s->stop);
    s->out += s->start < s->stop;
}

/* Intersection: nothing to remember. */

static inline void begin_intersection(struct Sweep *s)
{
    (void)s;
}

static inline void step_intersection(struct Sweep *s)
{
    const int64_t a_stop = stop_of(s->a), b_stop = stop_of(s->b);
    const int64_t start = larger(start_of(s->a), start_of(s->b)), stop = smaller(a_stop, b_stop);
    const int64_t leave_a = a_stop <= b_stop;
    *s->out = span_of(start, stop);
    s->out += start < stop;
    s->a += leave_a;
    s->b += 1 - leave_a;
}

static inline void finish_intersection(struct Sweep *s)
{
    (void)s;
}

/* Difference: the intersection of a with the gaps of b, the one before each run and the one after the last; `start` is
   where the gap begins. */

static inline void begin_difference(struct Sweep *s)
{
    s->start = INT64_MIN;
}

static inline void step_difference(struct Sweep *s)
{
    const int64_t a_stop = stop_of(s->a), gap_stop = start_of(s->b), next_start = stop_of(s->b);
    const int64_t start = larger(start_of(s->a), s->start), stop = smaller(a_stop, gap_stop);
    const int64_t next_gap = gap_stop <= a_stop;
    *s->out = span_of(start, stop);
    s->out += start < stop;
    s->a += a_stop <= gap_stop;
    s->b += next_gap;
    s->start ^= (s->start ^ next_start) & -next_gap;
}

static inline void finish_difference(struct Sweep *s)
{
    for (; s->a < s->a_end; s->a++) {
        const int64_t start = larger(start_of(s->a), s->start);
        *s->out = span_of(start, stop_of(s->a));
        s->out += start < stop_of(s->a);
    }
}

/* How many steps cannot reach an end. */
static inline ptrdiff_t steps_left(const struct Sweep *s)
{
    const ptrdiff_t a = s->a_end - s->a, b = s->b_end - s->b;
    return a < b ? a : b;
}

#define LSSTREGIONS_SWEEP(NAME, BEGIN, STEP, FINISH)                                                                   \
    static inline ptrdiff_t NAME(const Span *a, ptrdiff_t na, const Span *b, ptrdiff_t nb, Span *out)                  \
    {                                                                                                                  \
        /* Rows never touch: what is below the middle row of a run and what is not are apart. */                       \
        const int32_t middle = na ? a[na / 2].y : 0;                                                                   \
        const ptrdiff_t i = first_in_row(a, na, middle), j = first_in_row(b, nb, middle);                              \
        struct Sweep low = {a, a + i, b, b + j, out, 0, 0};                                                            \
        struct Sweep high = {a + i, a + na, b + j, b + nb, out + i + j + 1, 0, 0};                                     \
        ptrdiff_t steps, p, q;                                                                                         \
        BEGIN(&low);                                                                                                   \
        BEGIN(&high);                                                                                                  \
        while ((p = steps_left(&low)) > 0 && (q = steps_left(&high)) > 0)                                              \
            for (steps = p < q ? p : q; steps; steps--) {                                                              \
                STEP(&low);                                                                                            \
                STEP(&high);                                                                                           \
            }                                                                                                          \
        while (steps_left(&low) > 0)                                                                                   \
            STEP(&low);                                                                                                \
        while (steps_left(&high) > 0)                                                                                  \
            STEP(&high);                                                                                               \
        FINISH(&low);                                                                                                  \
        FINISH(&high);                                                                                                 \
        memmove(low.out, out + i + j + 1, (size_t)(high.out - (out + i + j + 1)) * sizeof(Span));                      \
        return (low.out - out) + (high.out - (out + i + j + 1));                                                       \
    }

LSSTREGIONS_SWEEP(unite_sweep, begin_open, step_union, finish_union)
LSSTREGIONS_SWEEP(intersect_sweep, begin_intersection, step_intersection, finish_intersection)
LSSTREGIONS_SWEEP(subtract_sweep, begin_difference, step_difference, finish_difference)
LSSTREGIONS_SWEEP(exclude_sweep, begin_open, step_exclusion, finish_exclusion)

#endif
