/* The rows of circles and ellipses, many at once. Plain C that compilers make SIMD; all machines give the same rows. */
#ifndef LSSTREGIONS_CHORDS_H
#define LSSTREGIONS_CHORDS_H

#include <math.h>

#include "bits.h"

typedef struct {
    double x, y;        /* centre */
    double a, b;        /* semi-axes, half sides */
    double cos, sin;    /* of the angle from +x to the first axis, counter-clockwise */
    double column;      /* whole part of x, and what is left of it */
    double part;
    double half_height;
    double shear;       /* of a chord's middle, columns a row */
    double spread;      /* of a chord's half length */
    int small;          /* whether rows and columns stay below 2^51: adding 1.5 x 2^52 rounds them to integers */
} Shape;

/* Rows are done in blocks of so many; a multiple of 8. */
enum { ROWS = 64 };

typedef struct {
    int32_t start[ROWS];
    int32_t stop[ROWS];
    double doubt[ROWS];     /* 0.5 less the distance of an end from a pixel centre, of the nearer one */
} Rows;

/* Square roots of n doubles; that sqrt() may set errno keeps compilers from making SIMD of it. */
#ifdef LSSTREGIONS_X86_DISPATCH
__attribute__((target("avx512f")))
static void roots_avx512(double *values, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i += 8)
        _mm512_storeu_pd(values + i, _mm512_sqrt_pd(_mm512_loadu_pd(values + i)));
}
#endif

static inline void roots(double *values, ptrdiff_t n)
{
#ifdef LSSTREGIONS_X86_DISPATCH
    if (__builtin_cpu_supports("avx512f")) {
        roots_avx512(values, n);
        return;
    }
#endif
#ifdef LSSTREGIONS_SSE2
    for (ptrdiff_t i = 0; i < n; i += 2)
        _mm_storeu_pd(values + i, _mm_sqrt_pd(_mm_loadu_pd(values + i)));
#else
    for (ptrdiff_t i = 0; i < n; i++)
        values[i] = sqrt(values[i]);
#endif
}

LSSTREGIONS_CLONES
static void squares_of_chords(double radius, double first, double center, ptrdiff_t n, double *squares)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        const double distance = first + (double)(int32_t)i - center;
        const double product = (radius - fabs(distance)) * (radius + fabs(distance));
        squares[i] = product > 0 ? product : 0;
    }
}

/* Half the lengths of the chords of a circle at first, first + 1...; n is a multiple of 8. */
static inline void half_chords(double radius, double first, double center, ptrdiff_t n, double *halves)
{
    squares_of_chords(radius, first, center, n, halves);
    roots(halves, n);
}

LSSTREGIONS_CLONES
static void ends_of_rows(const Shape *shape, double y, ptrdiff_t n, const double *halves, double x_start, double x_stop,
                         Rows *rows)
{
    const double center = shape->y, shear = shape->shear, spread = shape->spread;
    const double part = shape->part, column = shape->column;
    const double whole = 6755399441055744.0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const double dy = y + (double)(int32_t)i - center;
        const double middle = dy * shear, half = halves[i] * spread;
        /* From the pixel after the left end to that after the right end, where neither is at a pixel's centre. */
        const double low = part + (middle - half) + 0.5, high = part + (middle + half) + 0.5;
        double start = (low + whole) - whole, stop = (high + whole) - whole;
        const double low_doubt = fabs(low - start), high_doubt = fabs(high - stop);
        rows->doubt[i] = low_doubt > high_doubt ? low_doubt : high_doubt;
        start += column;
        stop += column;
        start = start > x_start ? start : x_start;
        start = start < x_stop ? start : x_stop;
        stop = stop > x_start ? stop : x_start;
        stop = stop < x_stop ? stop : x_stop;
        rows->start[i] = (int32_t)start;
        rows->stop[i] = (int32_t)stop;
    }
}

/* Give the pixels between the ends of the chords of a small shape in n rows from y on, n a multiple of 8 up to ROWS; none
   where there is no chord. Where there is little `doubt` less than 0.5 the ends need a closer look. */
static inline void chords(const Shape *shape, int32_t y, ptrdiff_t n, int32_t x_start, int32_t x_stop, Rows *rows)
{
    double halves[ROWS];
    half_chords(shape->half_height, y, shape->y, n, halves);
    ends_of_rows(shape, y, n, halves, x_start, x_stop, rows);
}

#endif
