/* The span, and its place in one linear order. */
#ifndef LSSTREGIONS_SPAN_H
#define LSSTREGIONS_SPAN_H

#include <stddef.h>
#include <stdint.h>

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
    return key(span->y, span->x_start);
}

static inline int64_t stop_of(const Span *span)
{
    return key(span->y, span->x_stop);
}

static inline Span span_of(int64_t start, int64_t stop)
{
    Span span;
    span.y = (int32_t)(start >> 32);
    span.x_start = (int32_t)((uint32_t)start ^ 0x80000000u);
    span.x_stop = (int32_t)((uint32_t)stop ^ 0x80000000u);
    return span;
}

#endif
