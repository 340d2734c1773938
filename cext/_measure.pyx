"""Measures of the shape of one or many run sets in closed form (docs/explanation/measures).

Many sets are one run array and ``offsets``, ``int64[n + 1]``: set i is ``runs[offsets[i]:offsets[i + 1]]``.
"""

import numpy as np

from libc.stdint cimport INT32_MAX, INT32_MIN, int32_t, int64_t

from span cimport Span


def extents(const int32_t[:, ::1] runs, const int64_t[::1] offsets):
    """Return x_start, x_stop, y_start, y_stop of the box of each set, ``int64[4, n]``, zeros for an empty one; and the
    number of its pixels, ``int64[n]``.
    """
    cdef Py_ssize_t i, k
    cdef const Span *span = <const Span *> &runs[0, 0] if runs.shape[0] else NULL
    cdef int32_t x_start, x_stop
    cdef int64_t area
    boxes, areas = np.zeros((4, offsets.shape[0] - 1), np.int64), np.empty(offsets.shape[0] - 1, np.int64)
    cdef int64_t[:, ::1] box = boxes
    cdef int64_t[::1] out = areas
    with nogil:
        for i in range(out.shape[0]):
            x_start, x_stop, area = INT32_MAX, INT32_MIN, 0
            for k in range(offsets[i], offsets[i + 1]):
                x_start = min(x_start, span[k].x_start)
                x_stop = max(x_stop, span[k].x_stop)
                area += span[k].x_stop - <int64_t> span[k].x_start
            out[i] = area
            if area:
                box[0, i], box[1, i] = x_start, x_stop
                box[2, i], box[3, i] = span[offsets[i]].y, span[offsets[i + 1] - 1].y + <int64_t> 1
    return boxes, areas


def moments(
    const int32_t[:, ::1] runs, const int64_t[::1] offsets, const double[::1] x_center, const double[::1] y_center,
    Py_ssize_t order,
):
    """Return the sums over each set's pixels of ``(y - y_center)**p * (x - x_center)**q``, ``float64[n, p, q]``.

    Powers p and q go up to `order`, which is at most 3.
    """
    cdef Py_ssize_t i, k, p, q
    cdef const Span *span = <const Span *> &runs[0, 0] if runs.shape[0] else NULL
    cdef double width, middle, spread, dy, power
    cdef double[4] sums
    result = np.zeros((offsets.shape[0] - 1, order + 1, order + 1))
    cdef double[:, :, ::1] out = result
    with nogil:
        for i in range(out.shape[0]):
            for k in range(offsets[i], offsets[i + 1]):
                width = span[k].x_stop - <double> span[k].x_start
                middle = 0.5 * (span[k].x_stop + <double> span[k].x_start - 1) - x_center[i]
                spread = (width * width - 1) / 12
                sums[0] = width
                sums[1] = width * middle
                sums[2] = width * (middle * middle + spread)
                sums[3] = width * middle * (middle * middle + 3 * spread)
                dy = span[k].y - y_center[i]
                power = 1
                for p in range(order + 1):
                    for q in range(order + 1):
                        out[i, p, q] += power * sums[q]
                    power *= dy
    return result


def adjacency(const int32_t[:, ::1] runs, const int64_t[::1] offsets):
    """Count in each set how its runs touch those of the row below, ``int64[n, 3]``.

    The columns: pixels that have another below, pairs of runs that share an edge, pairs that share an edge or a corner.
    """
    cdef Py_ssize_t i
    cdef const Span *span = <const Span *> &runs[0, 0] if runs.shape[0] else NULL
    result = np.zeros((offsets.shape[0] - 1, 3), np.int64)
    cdef int64_t[:, ::1] out = result
    with nogil:
        for i in range(out.shape[0]):
            _adjacency(span, offsets[i], offsets[i + 1], &out[i, 0])
    return result


cdef void _adjacency(const Span *span, Py_ssize_t begin, Py_ssize_t end, int64_t *counts) noexcept nogil:
    cdef Py_ssize_t i, k, j = begin
    cdef int64_t overlap
    for i in range(begin, end):
        while span[j].y < span[i].y - <int64_t> 1 or (span[j].y < span[i].y and span[j].x_stop < span[i].x_start):
            j += 1
        k = j
        while span[k].y < span[i].y and span[k].x_start <= span[i].x_stop:
            overlap = min(span[k].x_stop, span[i].x_stop) - <int64_t> max(span[k].x_start, span[i].x_start)
            counts[0] += overlap
            counts[1] += overlap > 0
            counts[2] += 1
            k += 1
        j = max(j, k - 1)
