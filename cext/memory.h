/* Buffers that grow, and memory that is asked for ahead of its use. */
#ifndef LSSTREGIONS_MEMORY_H
#define LSSTREGIONS_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __linux__
#include <string.h>
#include <sys/mman.h>
#endif

/* Ask for what will be read soon; the address need not be valid. */
static inline void prefetch(const void *address)
{
#if defined(__GNUC__)
    __builtin_prefetch(address);
#else
    (void)address;
#endif
}

#define LSSTREGIONS_LARGE_PAGE ((size_t)1 << 21)

/* Make room for `needed` items of `size` bytes; returns whether there is. The buffer is freed by free(). */
static inline int grown(void **data, ptrdiff_t *capacity, ptrdiff_t needed, size_t size)
{
    if (needed <= *capacity)
        return 1;
    size_t bytes = ((size_t)needed + (size_t)needed / 2 + 64) * size;
    void *moved;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    /* The first touch of a page costs more than filling it: large buffers are given large pages. */
    if (bytes > LSSTREGIONS_LARGE_PAGE / 2) {
        bytes = (bytes + LSSTREGIONS_LARGE_PAGE - 1) / LSSTREGIONS_LARGE_PAGE * LSSTREGIONS_LARGE_PAGE;
        if (posix_memalign(&moved, LSSTREGIONS_LARGE_PAGE, bytes))
            return 0;
        madvise(moved, bytes, MADV_HUGEPAGE);
        if (*capacity)
            memcpy(moved, *data, (size_t)*capacity * size);
        free(*data);
    } else
#endif
        moved = realloc(*data, bytes);
    if (!moved)
        return 0;
    *data = moved;
    *capacity = (ptrdiff_t)(bytes / size);
    return 1;
}

#endif
