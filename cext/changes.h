/* Where the values of a row change: 64 pixels a word, bit i of a word is pixel i. */
#ifndef LSSTREGIONS_CHANGES_H
#define LSSTREGIONS_CHANGES_H

#include "bits.h"

/* Set the bits of pixels that differ from the one before, the first from 0; compilers make the comparisons SIMD. */
#define LSSTREGIONS_CHANGES(NAME, TYPE)                                                                                \
    LSSTREGIONS_CLONES                                                                                                 \
    static void NAME(const uint8_t *bytes, ptrdiff_t nx, uint64_t *words)                                              \
    {                                                                                                                  \
        const TYPE *row = (const TYPE *)bytes;                                                                         \
        for (ptrdiff_t x = 0; x < nx; x += 64) {                                                                       \
            const ptrdiff_t count = nx - x < 64 ? nx - x : 64;                                                         \
            uint8_t differs[64] = {0};                                                                                 \
            if (x > 0 && count == 64)                                                                                  \
                for (int i = 0; i < 64; i++)                                                                           \
                    differs[i] = row[x + i] != row[x + i - 1];                                                         \
            else                                                                                                       \
                for (ptrdiff_t i = 0; i < count; i++)                                                                  \
                    differs[i] = row[x + i] != (x + i ? row[x + i - 1] : 0);                                           \
            *words++ = nonzero_bytes(differs);                                                                         \
        }                                                                                                              \
    }

LSSTREGIONS_CHANGES(changes_8, uint8_t)
LSSTREGIONS_CHANGES(changes_16, uint16_t)
LSSTREGIONS_CHANGES(changes_32, uint32_t)
LSSTREGIONS_CHANGES(changes_64, uint64_t)

/* The same for pixels of 1, 2, 4 or 8 bytes. */
static inline void changes_in_row(const uint8_t *row, ptrdiff_t nx, ptrdiff_t size, uint64_t *words)
{
    switch (size) {
    case 1:
        changes_8(row, nx, words);
        break;
    case 2:
        changes_16(row, nx, words);
        break;
    case 4:
        changes_32(row, nx, words);
        break;
    default:
        changes_64(row, nx, words);
    }
}

#endif
