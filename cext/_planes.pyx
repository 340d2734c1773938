"""Bits of mask planes: set, clear and toggle them under runs, test them, count them.

An image of words is passed as its bytes, ``uint8[ny, nx * itemsize]``, with contiguous rows.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from elements cimport Elements, ask_for
from span cimport Span

cdef extern from "planes.h":
    void blend(uint8_t *, Py_ssize_t, uint64_t, uint64_t) noexcept nogil

# Memory is asked for this many runs before its turn.
cdef enum:
    AHEAD = 128

ctypedef fused word:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


def paint(
    uint8_t[:, :] image,
    const int32_t[:, ::1] runs,
    int32_t x0,
    int32_t y0,
    Py_ssize_t itemsize,
    uint64_t keep,
    uint64_t flip,
):
    """Replace each word under runs ``int32[n, 3]`` by ``(word & keep) ^ flip``; what is outside is left out.

    The image's first pixel is ``(x0, y0)``; `keep` and `flip` repeat the word through all 64 bits. Runs come
    in any order; where they overlap a word is replaced once for each of them.
    """
    cdef Py_ssize_t i, n = runs.shape[0]
    cdef int64_t y, x_start, x_stop, ny = image.shape[0], nx = image.shape[1] // itemsize
    cdef const Span *span
    cdef Elements words
    if n == 0 or ny == 0 or nx == 0:
        return
    span = <const Span *> &runs[0, 0]
    words = Elements(&image[0, 0], image.strides[0], itemsize, x0, y0)
    with nogil:
        for i in range(n):
            if i + AHEAD < n:
                ask_for(&words, span + i + AHEAD)
            y = span[i].y - words.y0
            x_start = max(span[i].x_start - words.x0, 0)
            x_stop = min(span[i].x_stop - words.x0, nx)
            if 0 <= y < ny and x_start < x_stop:
                blend(words.data + (y * words.stride + x_start * itemsize), (x_stop - x_start) * itemsize, keep, flip)


def any_of(const uint8_t[:, :] image, Py_ssize_t itemsize, uint64_t bits, uint8_t[:, ::1] out, bint more):
    """Set ``out[ny, nx]`` where any of `bits` is set in a word; with `more`, leave what is set already."""
    cdef Py_ssize_t y, ny = out.shape[0], nx = out.shape[1]
    cdef const uint8_t *row
    if nx == 0:
        return
    with nogil:
        for y in range(ny):
            row = &image[y, 0]
            if itemsize == 1:
                _any_of_row[uint8_t](<const uint8_t *> row, nx, <uint8_t> bits, &out[y, 0], more)
            elif itemsize == 2:
                _any_of_row[uint16_t](<const uint16_t *> row, nx, <uint16_t> bits, &out[y, 0], more)
            elif itemsize == 4:
                _any_of_row[uint32_t](<const uint32_t *> row, nx, <uint32_t> bits, &out[y, 0], more)
            else:
                _any_of_row[uint64_t](<const uint64_t *> row, nx, bits, &out[y, 0], more)


cdef void _any_of_row(const word *row, Py_ssize_t nx, word bits, uint8_t *out, bint more) noexcept nogil:
    cdef Py_ssize_t x
    if more:
        for x in range(nx):
            out[x] |= (row[x] & bits) != 0
    else:
        for x in range(nx):
            out[x] = (row[x] & bits) != 0


def count_bits(const uint8_t[:, :] image, Py_ssize_t itemsize):
    """Return how many words each bit is set in, the lowest first: ``int64[8 * itemsize]``."""
    cdef Py_ssize_t y, i, k, value, ny = image.shape[0], nx = image.shape[1] // itemsize
    cdef int64_t[:, ::1] histogram = np.zeros((itemsize, 256), np.int64)
    cdef int64_t[::1] counts = np.zeros(8 * itemsize, np.int64)
    cdef const uint8_t *row
    if nx == 0:
        return np.asarray(counts)
    with nogil:
        for y in range(ny):
            row = &image[y, 0]
            if itemsize == 1:
                _add_row[uint8_t](<const uint8_t *> row, nx, &histogram[0, 0])
            elif itemsize == 2:
                _add_row[uint16_t](<const uint16_t *> row, nx, &histogram[0, 0])
            elif itemsize == 4:
                _add_row[uint32_t](<const uint32_t *> row, nx, &histogram[0, 0])
            else:
                _add_row[uint64_t](<const uint64_t *> row, nx, &histogram[0, 0])
        for k in range(itemsize):
            for value in range(256):
                for i in range(8):
                    counts[8 * k + i] += histogram[k, value] * (value >> i & 1)
    return np.asarray(counts)


cdef void _add_row(const word *row, Py_ssize_t nx, int64_t *histogram) noexcept nogil:
    """Count the values of each byte of the words that are not zero."""
    cdef Py_ssize_t x, k
    cdef word value
    for x in range(nx):
        value = row[x]
        if value:
            for k in range(<Py_ssize_t> sizeof(word)):
                histogram[256 * k + <uint8_t> (value >> (8 * k))] += 1
