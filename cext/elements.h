/* The elements of an image, of any size, under runs. */
#ifndef LSSTREGIONS_ELEMENTS_H
#define LSSTREGIONS_ELEMENTS_H

#include "memory.h"
#include "span.h"

/* An image whose rows are contiguous, in bytes. */
typedef struct {
    uint8_t *data;
    ptrdiff_t stride; /* from row to row */
    ptrdiff_t size;   /* of an element */
    int64_t x0, y0;   /* of the first pixel */
} Elements;

/* Where a run begins. */
LSSTREGIONS_INLINE uint8_t *first_of(const Elements *image, const Span *run)
{
    return image->data + ((run->y - image->y0) * image->stride + (run->x_start - image->x0) * image->size);
}

/* Ask for the memory of a run, perhaps outside, where asking does no harm: short runs lie far apart. Always inline, for
   compilers leave out calls of functions that compute nothing. */
LSSTREGIONS_INLINE void ask_for(const Elements *image, const Span *run)
{
    prefetch_lines(first_of(image, run), (run->x_stop - (ptrdiff_t)run->x_start) * image->size);
}

#endif
