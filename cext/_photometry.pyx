"""Sums over the pixels of an image under each footprint (docs/explanation/measures)."""

import numpy as np

from libc.math cimport NAN
from libc.stdint cimport int32_t, int64_t, uint8_t

from span cimport Span, span_of

cdef extern from "photometry.h":
    struct Plane:
        const uint8_t *data
        Py_ssize_t stride
        Py_ssize_t nx
        int32_t x0
        int32_t y0
    ctypedef bint (*SumRuns)(
        const Plane *, const Span *, Py_ssize_t count, Py_ssize_t known, double *out, Py_ssize_t stride, int64_t *where
    ) noexcept nogil
    SumRuns sum_runs_of(char kind, int size) noexcept nogil


def measure(
    const uint8_t[:, :] image,
    dtype,
    const int32_t[:, ::1] runs,
    const int64_t[::1] offsets,
    int32_t x0,
    int32_t y0,
):
    """Sum over the pixels v of each footprint that are not NaN, of an image that holds them.

    The image comes as bytes, ``uint8[ny, nx * itemsize]`` with contiguous rows. Returns ``float64[9, n]``: how many
    there are, the sum of v, the mean x and y and the central second moments xx, yy, xy weighted by v, the least and the
    greatest v (NaN without any); and ``int32[2, n]``, x and y of the first greatest v.
    """
    cdef SumRuns sum_runs = sum_runs_of(ord(dtype.kind), dtype.itemsize)
    cdef Py_ssize_t i, n = offsets.shape[0] - 1, n_runs = runs.shape[0]
    cdef const Span *span = <const Span *> &runs[0, 0] if n_runs else NULL
    cdef Plane plane
    cdef Span place
    cdef int64_t where
    result, position = np.empty((9, n)), np.zeros((2, n), np.int32)
    cdef double[:, ::1] out = result
    cdef int32_t[:, ::1] highest = position
    if n == 0:
        return result, position
    plane = Plane(NULL, image.strides[0], image.shape[1] // dtype.itemsize, x0, y0)
    if n_runs:
        plane.data = &image[0, 0]
    with nogil:
        for i in range(n):
            if sum_runs(
                &plane, span + offsets[i], offsets[i + 1] - offsets[i], n_runs - offsets[i], &out[0, i], n, &where
            ):
                place = span_of(where, where)
                highest[0, i], highest[1, i] = place.x_start, place.y
                _centre(&out[0, i], n, span + offsets[i])
            else:
                out[2, i] = out[3, i] = out[4, i] = out[5, i] = out[6, i] = NAN
    return result, position


cdef inline void _centre(double *sums, Py_ssize_t n, const Span *first) noexcept nogil:
    """Make means and central moments of the sums of v x, v y, v x x, v y y, v x y, counted from the first pixel."""
    cdef double flux = sums[n], x = sums[2 * n] / flux, y = sums[3 * n] / flux
    sums[2 * n], sums[3 * n] = x + first.x_start, y + first.y
    sums[4 * n] = sums[4 * n] / flux - x * x
    sums[5 * n] = sums[5 * n] / flux - y * y
    sums[6 * n] = sums[6 * n] / flux - x * y
