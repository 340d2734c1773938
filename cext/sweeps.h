/* Set algebra of two canonical run arrays (docs/explanation/algebra.rst).

   Each sweep walks both arrays once and returns how many runs it wrote to `out`, which has room for all of a and b and one
   more. It has no branch that depends on the data but the end of its loop: which run comes first is a coin toss. Hence
   choices by masks and sums, for a compiler may make branches of conditional expressions. */
#ifndef LSSTREGIONS_SWEEPS_H
#define LSSTREGIONS_SWEEPS_H

#include <string.h>

#include "span.h"

static inline int64_t smaller(int64_t p, int64_t q)
{
    return p < q ? p : q;
}

static inline int64_t larger(int64_t p, int64_t q)
{
    return p > q ? p : q;
}

/* Neither is empty. */
static inline ptrdiff_t unite_sweep(const Span *a, ptrdiff_t na, const Span *b, ptrdiff_t nb, Span *out)
{
    const Span *a_end = a + na, *b_end = b + nb;
    Span *const begin = out;
    int64_t open_start = smaller(start_of(a), start_of(b)), open_stop = open_start;
    while (a < a_end && b < b_end) {
        const int64_t a_start = start_of(a), b_start = start_of(b), a_stop = stop_of(a), b_stop = stop_of(b);
        const int64_t take_a = a_start <= b_start;
        const int64_t start = smaller(a_start, b_start);
        const int64_t stop = b_stop ^ ((a_stop ^ b_stop) & -take_a);
        const int64_t gap = start > open_stop;
        a += take_a;
        b += 1 - take_a;
        *out = span_of(open_start, open_stop);
        out += gap;
        open_start ^= (open_start ^ start) & -gap;
        open_stop ^= (open_stop ^ stop) & -(int64_t)(stop > open_stop);
    }
    if (a == a_end) {
        a = b;
        a_end = b_end;
    }
    for (; a < a_end && start_of(a) <= open_stop; a++)
        open_stop = larger(open_stop, stop_of(a));
    *out++ = span_of(open_start, open_stop);
    memcpy(out, a, (size_t)(a_end - a) * sizeof(Span));
    return out - begin + (a_end - a);
}

static inline ptrdiff_t intersect_sweep(const Span *a, ptrdiff_t na, const Span *b, ptrdiff_t nb, Span *out)
{
    const Span *a_end = a + na, *b_end = b + nb;
    Span *const begin = out;
    while (a < a_end && b < b_end) {
        const int64_t a_stop = stop_of(a), b_stop = stop_of(b);
        const int64_t start = larger(start_of(a), start_of(b)), stop = smaller(a_stop, b_stop);
        const int64_t leave_a = a_stop <= b_stop;
        *out = span_of(start, stop);
        out += start < stop;
        a += leave_a;
        b += 1 - leave_a;
    }
    return out - begin;
}

/* The intersection of a with the gaps of b: the one before each run, and the one after the last. */
static inline ptrdiff_t subtract_sweep(const Span *a, ptrdiff_t na, const Span *b, ptrdiff_t nb, Span *out)
{
    const Span *a_end = a + na, *b_end = b + nb;
    Span *const begin = out;
    int64_t gap_start = INT64_MIN;
    while (a < a_end && b < b_end) {
        const int64_t a_stop = stop_of(a), gap_stop = start_of(b), next_start = stop_of(b);
        const int64_t start = larger(start_of(a), gap_start), stop = smaller(a_stop, gap_stop);
        const int64_t next_gap = gap_stop <= a_stop;
        *out = span_of(start, stop);
        out += start < stop;
        a += a_stop <= gap_stop;
        b += next_gap;
        gap_start ^= (gap_start ^ next_start) & -next_gap;
    }
    for (; a < a_end; a++) {
        const int64_t start = larger(start_of(a), gap_start);
        *out = span_of(start, stop_of(a));
        out += start < stop_of(a);
    }
    return out - begin;
}

/* The place of the i-th edge of n runs; starts are even, stops are odd. */
static inline int64_t edge_of(const Span *span, ptrdiff_t i, ptrdiff_t n)
{
    if (i >= 2 * n)
        return INT64_MAX;
    const int32_t *values = (const int32_t *)(span + (i >> 1));
    return key(values[0], values[1 + (i & 1)]);
}

/* All edges of both in order; one that stands in both is none. */
static inline ptrdiff_t exclude_sweep(const Span *a, ptrdiff_t na, const Span *b, ptrdiff_t nb, Span *out)
{
    Span *const begin = out;
    ptrdiff_t i = 0, j = 0;
    int64_t open_start = 0, is_open = 0;
    while (i < 2 * na || j < 2 * nb) {
        const int64_t a_edge = edge_of(a, i, na), b_edge = edge_of(b, j, nb), edge = smaller(a_edge, b_edge);
        const int64_t differ = a_edge != b_edge;
        *out = span_of(open_start, edge);
        out += differ & is_open;
        open_start ^= (open_start ^ edge) & -differ;
        is_open ^= differ;
        i += a_edge == edge;
        j += b_edge == edge;
    }
    return out - begin;
}

#endif
