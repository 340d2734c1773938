/* The span, and its place in one linear order. */
#ifndef LSSTREGIONS_SPAN_H
#define LSSTREGIONS_SPAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    int32_t y;
    int32_t x_start;
    int32_t x_stop;
} Span;

/* Place of a pixel edge in raster order: rows never touch, so a set of spans is a set of intervals on one line. */
static inline int64_t key(int32_t y, int32_t x)
{
    return (int64_t)((uint64_t)(uint32_t)y << 32 | ((uint32_t)x ^ 0x80000000u));
}

static inline int64_t start_of(const Span *span)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    /* key(), with y and x_start in one load. */
    uint64_t both;
    memcpy(&both, span, sizeof(both));
    return (int64_t)((both << 32 | both >> 32) ^ 0x80000000u);
#else
    return key(span->y, span->x_start);
#endif
}

static inline int64_t stop_of(const Span *span)
{
    return start_of(span) + (uint32_t)((uint32_t)span->x_stop - (uint32_t)span->x_start);
}

static inline Span span_of(int64_t start, int64_t stop)
{
    Span span;
    span.y = (int32_t)(start >> 32);
    span.x_start = (int32_t)((uint32_t)start ^ 0x80000000u);
    span.x_stop = (int32_t)((uint32_t)stop ^ 0x80000000u);
    return span;
}

/* Index of the first run in row y or above. */
static inline ptrdiff_t first_in_row(const Span *span, ptrdiff_t n, int32_t y)
{
    ptrdiff_t low = 0;
    while (low < n) {
        const ptrdiff_t middle = low + (n - low) / 2;
        if (span[middle].y < y)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

#endif
