/* 64 pixels a word: bit i of a word is pixel i. Portable C; SSE2 belongs to every x86-64. */
#ifndef LSSTREGIONS_BITS_H
#define LSSTREGIONS_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define LSSTREGIONS_SSE2 1
#endif
#ifdef _MSC_VER
#include <intrin.h>
#endif

/* Compile a function for several machines and choose when it is first called, where the loader can. */
#if defined(__x86_64__) && defined(__GLIBC__) && (defined(__clang__) ? __clang_major__ >= 16 : __GNUC__ >= 8)
#define LSSTREGIONS_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LSSTREGIONS_CLONES
#endif

static inline int count_trailing_zeros(uint64_t word)
{
#ifdef _MSC_VER
    unsigned long index;
    _BitScanForward64(&index, word);
    return (int)index;
#else
    return __builtin_ctzll(word);
#endif
}

static inline int count_ones(uint64_t word)
{
#ifdef _MSC_VER
    return (int)__popcnt64(word);
#else
    return __builtin_popcountll(word);
#endif
}

/* Where up to 64 words, the first of which begins at pixel x, change from off to on and back; `carry` is the pixel before
   them. Returns how many edges were written to `out`, which has room for two more than there are pixels. */
LSSTREGIONS_CLONES
static ptrdiff_t edges_of_words(const uint64_t *words, ptrdiff_t count, uint64_t carry, int32_t x, int32_t *out)
{
    ptrdiff_t n = 0;
    for (ptrdiff_t i = 0; i < count; i++, x += 64) {
        uint64_t edges = words[i] ^ (words[i] << 1 | carry);
        carry = words[i] >> 63;
        if (edges == 0)
            continue;
        /* Most words have at most two edges: these are written without asking. */
        int more = count_ones(edges);
        out[n] = x + count_trailing_zeros(edges);
        edges &= edges - 1;
        out[n + 1] = x + count_trailing_zeros(edges | (uint64_t)1 << 63);
        for (int k = 2; k < more; k++) {
            edges &= edges - 1;
            out[n + k] = x + count_trailing_zeros(edges);
        }
        n += more;
    }
    return n;
}

/* Turn words with a bit at each edge into words with a bit at each pixel that is on. */
LSSTREGIONS_CLONES
static void fill_between_edges(uint64_t *words, ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++) {
        uint64_t word = words[i];
        word ^= word << 1;
        word ^= word << 2;
        word ^= word << 4;
        word ^= word << 8;
        word ^= word << 16;
        word ^= word << 32;
        words[i] = word;
    }
    uint64_t carry = 0;
    for (ptrdiff_t i = 0; i < count; i++) {
        words[i] ^= carry;
        carry = 0 - (words[i] >> 63);
    }
}

/* Which of 64 bytes are not zero. */
static inline uint64_t nonzero_bytes(const uint8_t *bytes)
{
    uint64_t word = 0;
#ifdef LSSTREGIONS_SSE2
    const __m128i zero = _mm_setzero_si128();
    for (int i = 0; i < 4; i++) {
        __m128i chunk = _mm_loadu_si128((const __m128i *)(bytes + 16 * i));
        word |= (uint64_t)(uint16_t)~_mm_movemask_epi8(_mm_cmpeq_epi8(chunk, zero)) << (16 * i);
    }
#else
    for (int i = 0; i < 64; i++)
        word |= (uint64_t)(bytes[i] != 0) << i;
#endif
    return word;
}

/* The same for fewer than 64 bytes. */
static inline uint64_t nonzero_bytes_tail(const uint8_t *bytes, ptrdiff_t count)
{
    uint64_t word = 0;
    for (ptrdiff_t i = 0; i < count; i++)
        word |= (uint64_t)(bytes[i] != 0) << i;
    return word;
}

#endif
