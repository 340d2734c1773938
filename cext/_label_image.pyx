"""Label images: many footprints to one, and one to runs."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from memory cimport owned_bytes, reserved
from span cimport RunBuffer, Span, reserve, taken

cdef extern from "bits.h":
    uint64_t nonzero_words(const uint64_t *, Py_ssize_t) noexcept nogil
    Py_ssize_t bits_of_words(const uint64_t *, uint64_t busy, int32_t x, int32_t *out) noexcept nogil

cdef extern from "changes.h":
    void changes_in_row(const uint8_t *row, Py_ssize_t nx, Py_ssize_t size, uint64_t *words) noexcept nogil


def paint(int32_t[:, ::1] image, const int32_t[:, ::1] runs, const int64_t[::1] offsets, int32_t x0, int32_t y0):
    """Write i + 1 under footprint i, which lies inside ``image[ny, nx]``; where several do, that of the first."""
    cdef Py_ssize_t i, k, x
    cdef const Span *span = <const Span *> &runs[0, 0] if runs.shape[0] else NULL
    cdef int32_t *row
    with nogil:
        for i in range(offsets.shape[0] - 2, -1, -1):
            for k in range(offsets[i], offsets[i + 1]):
                row = &image[span[k].y - y0, 0]
                for x in range(span[k].x_start - <Py_ssize_t> x0, span[k].x_stop - <Py_ssize_t> x0):
                    row[x] = <int32_t> (i + 1)


def runs_of(const uint8_t[:, :] image, Py_ssize_t size, int32_t x0, int32_t y0):
    """Return the runs of equal labels other than 0, and the label of each.

    The image comes as bytes, ``uint8[ny, nx * size]`` with contiguous rows, and so do the labels, ``uint8[n * size]``.
    """
    cdef Py_ssize_t y, k, n, first, ny = image.shape[0], nx = image.shape[1] // size, count = (nx + 63) // 64
    cdef uint64_t *words = <uint64_t *> calloc(count + 1, sizeof(uint64_t))
    # Where labels begin in a row, and its end.
    cdef int32_t *edge = <int32_t *> calloc(nx + 64, sizeof(int32_t))
    cdef uint8_t *labels = NULL
    cdef Py_ssize_t room = 0
    cdef RunBuffer runs
    cdef bint good = words != NULL and edge != NULL
    runs.data = NULL
    runs.size = runs.capacity = 0
    with nogil:
        for y in range(ny if nx else 0):
            if not good:
                break
            changes_in_row(&image[y, 0], nx, size, words)
            n = 0
            for first in range(0, count, 64):
                k = min(count - first, 64)
                n += bits_of_words(words + first, nonzero_words(words + first, k), <int32_t> (64 * first), edge + n)
            edge[n] = <int32_t> nx
            good = n == 0 or (
                reserve(&runs, n) and reserved(<void **> &labels, &room, (runs.size + n) * size, sizeof(uint8_t))
            )
            if good:
                for k in range(n):
                    _append(&runs, labels, &image[y, edge[k] * size], size, x0, y0 + <int32_t> y, edge[k], edge[k + 1])
        free(words)
        free(edge)
    label = owned_bytes(labels, runs.size * size, room)
    return taken(&runs, good), label


cdef inline void _append(
    RunBuffer *runs, uint8_t *labels, const uint8_t *pixel, Py_ssize_t size, int32_t x0, int32_t y, int32_t start,
    int32_t stop,
) noexcept nogil:
    """Append a run unless its label is 0."""
    cdef Span *span = runs.data + runs.size
    cdef uint64_t label = 0
    memcpy(&label, pixel, size)
    if label:
        span.y = y
        span.x_start = x0 + start
        span.x_stop = x0 + stop
        memcpy(labels + runs.size * size, pixel, size)
        runs.size += 1
