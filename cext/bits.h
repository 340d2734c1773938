/* 64 pixels a word: bit i of a word is pixel i. Portable C; SSE2 belongs to every x86-64. */
#ifndef LSSTREGIONS_BITS_H
#define LSSTREGIONS_BITS_H

#include <stddef.h>
#include <stdint.h>

/* LSSTREGIONS_PORTABLE leaves out all that is not plain C, so that it can be tested anywhere. */
#ifndef LSSTREGIONS_PORTABLE
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define LSSTREGIONS_SSE2 1
#endif
#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define LSSTREGIONS_X86_DISPATCH 1
#endif
#endif
#ifdef _MSC_VER
#include <intrin.h>
#endif

#ifdef __GNUC__
#define LSSTREGIONS_UNUSED __attribute__((unused))
#else
#define LSSTREGIONS_UNUSED
#endif

/* Compile a function for several machines and choose when the library is loaded, where the loader can. */
#if defined(LSSTREGIONS_X86_DISPATCH) && defined(__GLIBC__) \
    && (defined(__clang__) ? __clang_major__ >= 16 : __GNUC__ >= 8)
#define LSSTREGIONS_CLONES LSSTREGIONS_UNUSED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LSSTREGIONS_CLONES LSSTREGIONS_UNUSED
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

/* Which of at most 64 words have a bit. */
LSSTREGIONS_CLONES
static uint64_t nonzero_words(const uint64_t *words, ptrdiff_t count)
{
    uint64_t busy = 0;
    for (ptrdiff_t i = 0; i < count; i++)
        busy |= (uint64_t)(words[i] != 0) << i;
    return busy;
}

/* Which of at most 64 words, of which there is one, have a bit or come after one that has its last bit on; `before` is the
   word before them. */
LSSTREGIONS_CLONES
static uint64_t busy_words(const uint64_t *words, ptrdiff_t count, uint64_t before)
{
    uint64_t busy = (words[0] | before >> 63) != 0;
    for (ptrdiff_t i = 1; i < count; i++)
        busy |= (uint64_t)((words[i] | words[i - 1] >> 63) != 0) << i;
    return busy;
}

/* Write the first four bits that are on in a word, 63 for those that it has not; return the word without them. */
static inline uint64_t four_bits(uint64_t word, int32_t x, int32_t *out)
{
    for (int k = 0; k < 4; k++) {
        /* Of a bit that is not there the sum may leave int32. */
        out[k] = (int32_t)((uint32_t)x + (uint32_t)count_trailing_zeros(word | (uint64_t)1 << 63));
        word &= word - 1;
    }
    return word;
}

/* Write the bits that are on in a word whose first pixel is x, and perhaps a few numbers more: `out` has room for 16 more
   than there are bits. Returns how many. */
static inline ptrdiff_t bits_of_word(uint64_t word, int32_t x, int32_t *out)
{
    const int count = count_ones(word);
    /* Asking how many are left costs more than writing too many. */
    word = four_bits(word, x, out);
    for (int k = 4; k < count; k += 8) {
        word = four_bits(word, x, out + k);
        word = four_bits(word, x, out + k + 4);
    }
    return count;
}

#ifdef LSSTREGIONS_X86_DISPATCH
#define LSSTREGIONS_COMPRESS __attribute__((target("avx512f,avx512bw,avx512vbmi2,bmi,popcnt")))

/* The same with hardly a branch: the indices 0 to 63 are compressed to those of the bits. */
LSSTREGIONS_COMPRESS
static inline ptrdiff_t bits_of_word_compressed(uint64_t word, int32_t x, int32_t *out)
{
    static const uint8_t index[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                      32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                      48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    const int count = (int)_mm_popcnt_u64(word);
    const __m512i base = _mm512_set1_epi32(x);
    __m512i bytes = _mm512_maskz_compress_epi8(word, _mm512_loadu_si512(index));
    _mm512_storeu_si512(out, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(bytes))));
    /* Hardly any word has more than 16. */
    for (int k = 16; k < count; k += 16) {
        bytes = _mm512_alignr_epi32(bytes, bytes, 4);
        _mm512_storeu_si512(out + k, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(bytes))));
    }
    return count;
}
#endif

/* Write the bits that are on in those of 64 words that `busy` names; word 0 begins at x. Returns how many; `out` has
   room for 16 more. */
#define LSSTREGIONS_BITS_OF_WORDS(NAME, TARGET, BITS_OF_WORD)                                                          \
    TARGET                                                                                                             \
    static ptrdiff_t NAME(const uint64_t *words, uint64_t busy, int32_t x, int32_t *out)                               \
    {                                                                                                                  \
        ptrdiff_t n = 0;                                                                                               \
        for (; busy; busy &= busy - 1) {                                                                               \
            const int i = count_trailing_zeros(busy);                                                                  \
            n += BITS_OF_WORD(words[i], x + 64 * i, out + n);                                                          \
        }                                                                                                              \
        return n;                                                                                                      \
    }

/* Write where those of 64 words that `busy` names change from off to on and back; word 0 begins at x, `before` is the word
   before it. Returns how many edges; `out` has room for 16 more. Runs are numbered from `first` on, after one that comes
   in from the word before: `number` says for each word which is the first that starts in it or after it. */
#define LSSTREGIONS_EDGES_OF_WORDS(NAME, TARGET, BITS_OF_WORD)                                                         \
    TARGET                                                                                                             \
    static ptrdiff_t NAME(const uint64_t *words, uint64_t busy, uint64_t before, int32_t x, int32_t first,             \
                          int32_t *number, int32_t *out)                                                               \
    {                                                                                                                  \
        const ptrdiff_t carry = (ptrdiff_t)(before >> 63);                                                             \
        ptrdiff_t n = 0;                                                                                               \
        for (; busy; busy &= busy - 1) {                                                                               \
            const int i = count_trailing_zeros(busy);                                                                  \
            const uint64_t word = words[i], last = i ? words[i - 1] : before;                                          \
            number[i] = first + (int32_t)((n + 1 + carry) >> 1);                                                       \
            n += BITS_OF_WORD(word ^ (word << 1 | last >> 63), x + 64 * i, out + n);                                   \
        }                                                                                                              \
        return n;                                                                                                      \
    }

LSSTREGIONS_BITS_OF_WORDS(bits_of_words_portable, LSSTREGIONS_CLONES, bits_of_word)
LSSTREGIONS_EDGES_OF_WORDS(edges_of_words_portable, LSSTREGIONS_CLONES, bits_of_word)
#ifdef LSSTREGIONS_X86_DISPATCH
LSSTREGIONS_BITS_OF_WORDS(bits_of_words_compressed, LSSTREGIONS_COMPRESS LSSTREGIONS_UNUSED, bits_of_word_compressed)
LSSTREGIONS_EDGES_OF_WORDS(edges_of_words_compressed, LSSTREGIONS_COMPRESS LSSTREGIONS_UNUSED, bits_of_word_compressed)
#endif

static inline ptrdiff_t bits_of_words(const uint64_t *words, uint64_t busy, int32_t x, int32_t *out)
{
#ifdef LSSTREGIONS_X86_DISPATCH
    if (__builtin_cpu_supports("avx512vbmi2"))
        return bits_of_words_compressed(words, busy, x, out);
#endif
    return bits_of_words_portable(words, busy, x, out);
}

static inline ptrdiff_t edges_of_words(const uint64_t *words, uint64_t busy, uint64_t before, int32_t x, int32_t first,
                                       int32_t *number, int32_t *out)
{
#ifdef LSSTREGIONS_X86_DISPATCH
    if (__builtin_cpu_supports("avx512vbmi2"))
        return edges_of_words_compressed(words, busy, before, x, first, number, out);
#endif
    return edges_of_words_portable(words, busy, before, x, first, number, out);
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
