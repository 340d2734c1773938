"""Sums over the pixels of an image under each footprint (docs/explanation/measures)."""

import numpy as np

from libc.math cimport INFINITY
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from span cimport Span

cdef extern from "memory.h":
    void prefetch(const void *) noexcept nogil

# Runs of one footprint lie in rows far apart in memory: each is asked for so many runs before it is read.
cdef enum:
    AHEAD = 16

ctypedef fused pixel:
    int8_t
    uint8_t
    int16_t
    uint16_t
    int32_t
    uint32_t
    int64_t
    uint64_t
    float
    double


def measure(
    const pixel[:, :] image,
    const int32_t[:, ::1] runs,
    const int64_t[::1] offsets,
    const int32_t[:, ::1] origin,
    int32_t x0,
    int32_t y0,
):
    """Sum over the pixels v of each footprint that are not NaN, of an image ``[ny, nx]`` that holds them.

    Returns ``float64[n, 9]``: how many there are, the sums of v, v x, v y, v x x, v y y, v x y with x and y
    counted from ``origin[i]``, the least and the greatest v (NaN without any); and ``int32[n, 2]``, (x, y) of the first
    greatest v.
    """
    cdef Py_ssize_t i, k, x
    cdef const Span *span = <const Span *> &runs[0, 0] if runs.shape[0] else NULL
    cdef const pixel *row
    cdef double value, dx, dy, count, total, total_x, total_xx
    result, position = np.zeros((offsets.shape[0] - 1, 9)), np.zeros((offsets.shape[0] - 1, 2), np.int32)
    cdef double[:, ::1] sums = result
    cdef int32_t[:, ::1] highest = position
    cdef Py_ssize_t step = image.strides[1] // sizeof(pixel)
    with nogil:
        for i in range(sums.shape[0]):
            sums[i, 7], sums[i, 8] = INFINITY, -INFINITY
            for k in range(offsets[i], offsets[i + 1]):
                row = &image[span[k].y - y0, span[k].x_start - x0]
                if k + AHEAD < runs.shape[0]:
                    prefetch(&image[span[k + AHEAD].y - y0, span[k + AHEAD].x_start - x0])
                count = total = total_x = total_xx = 0
                dx = span[k].x_start - <double> origin[i, 0]
                dy = span[k].y - <double> origin[i, 1]
                for x in range(span[k].x_stop - <Py_ssize_t> span[k].x_start):
                    value = <double> row[x * step]
                    if value != value:
                        dx += 1
                        continue
                    count += 1
                    total += value
                    total_x += value * dx
                    total_xx += value * dx * dx
                    dx += 1
                    if value < sums[i, 7]:
                        sums[i, 7] = value
                    if value > sums[i, 8] or sums[i, 0] + count == 1:
                        sums[i, 8] = value
                        highest[i, 0], highest[i, 1] = <int32_t> (span[k].x_start + x), span[k].y
                sums[i, 0] += count
                sums[i, 1] += total
                sums[i, 2] += total_x
                sums[i, 3] += total * dy
                sums[i, 4] += total_xx
                sums[i, 5] += total * dy * dy
                sums[i, 6] += total_x * dy
    empty = result[:, 0] == 0
    result[empty, 7:] = np.nan
    return result, position
