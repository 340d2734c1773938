/* Change bits of bytes in a row. Portable C. */
#ifndef LSSTREGIONS_PLANES_H
#define LSSTREGIONS_PLANES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Replace n bytes, which are whole words, by (byte & keep) ^ flip, where keep and flip repeat a word through 64 bits. The
   last block may overlap the one before it: it is read before anything is written, so that no byte changes twice. */
static inline void blend(uint8_t *target, ptrdiff_t n, uint64_t keep, uint64_t flip)
{
    uint64_t first[2], last[2];
    uint32_t first4, last4;
    uint16_t first2, last2;
    if (n >= 16) {
        uint8_t *end = target + n - 16;
        memcpy(last, end, 16);
        for (; target < end; target += 16) {
            memcpy(first, target, 16);
            first[0] = (first[0] & keep) ^ flip;
            first[1] = (first[1] & keep) ^ flip;
            memcpy(target, first, 16);
        }
        last[0] = (last[0] & keep) ^ flip;
        last[1] = (last[1] & keep) ^ flip;
        memcpy(end, last, 16);
    } else if (n >= 8) {
        memcpy(&first[0], target, 8);
        memcpy(&last[0], target + n - 8, 8);
        first[0] = (first[0] & keep) ^ flip;
        last[0] = (last[0] & keep) ^ flip;
        memcpy(target, &first[0], 8);
        memcpy(target + n - 8, &last[0], 8);
    } else if (n >= 4) {
        memcpy(&first4, target, 4);
        memcpy(&last4, target + n - 4, 4);
        first4 = (first4 & (uint32_t)keep) ^ (uint32_t)flip;
        last4 = (last4 & (uint32_t)keep) ^ (uint32_t)flip;
        memcpy(target, &first4, 4);
        memcpy(target + n - 4, &last4, 4);
    } else if (n >= 2) {
        memcpy(&first2, target, 2);
        memcpy(&last2, target + n - 2, 2);
        first2 = (uint16_t)((first2 & keep) ^ flip);
        last2 = (uint16_t)((last2 & keep) ^ flip);
        memcpy(target, &first2, 2);
        memcpy(target + n - 2, &last2, 2);
    } else if (n == 1) {
        target[0] = (uint8_t)((target[0] & keep) ^ flip);
    }
}

#endif
