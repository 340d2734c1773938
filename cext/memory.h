/* Buffers that grow, and memory that is asked for ahead of its use. */
#ifndef LSSTREGIONS_MEMORY_H
#define LSSTREGIONS_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

/* Ask for what will be read, or written, soon; the address need not be valid. Into the second cache: the first can wait
   for few lines at a time. Macros, for compilers leave out calls of functions that compute nothing. */
#if defined(__GNUC__)
#define prefetch(address) __builtin_prefetch((address), 0, 2)
#else
#define prefetch(address) ((void)(address))
#endif

#ifdef __GNUC__
#define LSSTREGIONS_INLINE static inline __attribute__((always_inline))
#else
#define LSSTREGIONS_INLINE static inline
#endif

/* A value between two limits; NaN becomes `low`. */
LSSTREGIONS_INLINE double clamped(double value, double low, double high)
{
    const double above = value > low ? value : low;
    return above < high ? above : high;
}

/* Ask for the first lines of some bytes, and the last one: the rest the processor sees coming. */
LSSTREGIONS_INLINE void prefetch_lines(const void *data, ptrdiff_t size)
{
    prefetch((const char *)data);
    prefetch((const char *)data + size - 1);
    for (ptrdiff_t i = 64; i < size - 1 && i < 512; i += 64)
        prefetch((const char *)data + i);
}

/* Memory that will be read soon, and is asked for little by little while something else is done. */
struct Ahead {
    const char *next;
    const char *stop;
};

/* As many lines as arrive while two runs are linked: with fewer the memory waits for us, with more we for it. */
LSSTREGIONS_INLINE void ask_for_more(struct Ahead *ahead)
{
    if (ahead->next >= ahead->stop)
        return;
    for (int i = 0; i < 6; i++)
        prefetch(ahead->next + 64 * i);
    ahead->next += 6 * 64;
}

#define LSSTREGIONS_LARGE_PAGE ((size_t)1 << 21)

/* Memory that is freed by free(), or NULL. The first touch of a page costs more than filling it: large buffers are given
   large pages. */
static inline void *large_memory(size_t bytes)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    void *data;
    if (bytes > LSSTREGIONS_LARGE_PAGE / 2 && bytes < SIZE_MAX - LSSTREGIONS_LARGE_PAGE) {
        bytes = (bytes + LSSTREGIONS_LARGE_PAGE - 1) / LSSTREGIONS_LARGE_PAGE * LSSTREGIONS_LARGE_PAGE;
        if (posix_memalign(&data, LSSTREGIONS_LARGE_PAGE, bytes))
            return NULL;
        madvise(data, bytes, MADV_HUGEPAGE);
        return data;
    }
#endif
    return malloc(bytes);
}

/* Make room for `needed` items of `size` bytes, and half as many again; returns whether there is. The buffer is freed by
   free(). Not in large pages: most such buffers are as large as the last one, and get its memory again. */
static inline int reserved(void **data, ptrdiff_t *capacity, ptrdiff_t needed, size_t size)
{
    if (needed <= *capacity)
        return 1;
    const ptrdiff_t items = needed + needed / 2 + 64;
    void *moved = realloc(*data, (size_t)items * size);
    if (!moved)
        return 0;
    *data = moved;
    *capacity = items;
    return 1;
}

/* The same, but in large pages, and with room for `likely` that will be needed in the end, if that is no
   more than four times as many. */
static inline int grown(void **data, ptrdiff_t *capacity, ptrdiff_t needed, ptrdiff_t likely, size_t size)
{
    if (needed <= *capacity)
        return 1;
    const ptrdiff_t least = needed + needed / 2 + 64, most = 4 * needed;
    const ptrdiff_t items = likely < least ? least : likely < most ? likely : most;
    const size_t bytes = (size_t)items * size;
    void *moved;
    if (bytes > LSSTREGIONS_LARGE_PAGE / 2) {
        moved = large_memory(bytes);
        if (moved && *capacity)
            memcpy(moved, *data, (size_t)*capacity * size);
        if (moved)
            free(*data);
    } else
        moved = realloc(*data, bytes);
    if (!moved)
        return 0;
    *data = moved;
    *capacity = items;
    return 1;
}

#endif
