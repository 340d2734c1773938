"""Dilation and what it is made of, on runs and on rows of bits (docs/explanation/morphology)."""

import numpy as np

from libc.stdint cimport INT32_MAX, INT32_MIN, int32_t, int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from span cimport RunBuffer, Span, append_words, empty_runs, first_runs, taken

cdef extern from "bitrows.h":
    void fill_between_edges(uint64_t *, Py_ssize_t) noexcept nogil
    struct Group:
        Py_ssize_t width, column, first, last
    void spread_row(
        uint64_t *row, uint64_t *spare, uint64_t *shifted, Py_ssize_t count, const Group *group, Py_ssize_t n_groups,
        const int32_t *rows, uint64_t *ring, Py_ssize_t stride, Py_ssize_t height, Py_ssize_t bottom,
    ) noexcept nogil


def widen(const int32_t[:, ::1] runs, int32_t dy, int32_t left, int32_t right):
    """Move runs by `dy` rows, their starts by `left` and their stops by `right`.

    Runs that then touch are joined; those that become empty or leave int32 are dropped.
    """
    cdef Py_ssize_t i, count = 0, n = runs.shape[0]
    cdef const Span *span
    cdef Span *widened
    cdef int64_t y, start, stop
    cdef int32_t[:, ::1] out = empty_runs(n)
    if n == 0:
        return np.asarray(out)
    span = <const Span *> &runs[0, 0]
    widened = <Span *> &out[0, 0]
    with nogil:
        for i in range(n):
            y = span[i].y + <int64_t> dy
            start = max(span[i].x_start + <int64_t> left, INT32_MIN)
            stop = min(span[i].x_stop + <int64_t> right, INT32_MAX)
            if start >= stop or not INT32_MIN <= y <= INT32_MAX:
                continue
            if count and widened[count - 1].y == y and widened[count - 1].x_stop >= start:
                widened[count - 1].x_stop = <int32_t> stop
            else:
                widened[count].y = <int32_t> y
                widened[count].x_start = <int32_t> start
                widened[count].x_stop = <int32_t> stop
                count += 1
    return first_runs(np.asarray(out), count)


def count_rows(const int32_t[:, ::1] runs) -> int:
    """Return the number of rows that hold a run."""
    cdef Py_ssize_t i, count = runs.shape[0] > 0
    for i in range(1, runs.shape[0]):
        count += runs[i, 0] != runs[i - 1, 0]
    return count


def dilate_bits(
    const int32_t[:, ::1] runs,
    int32_t x_start,
    int32_t x_stop,
    const int64_t[:, ::1] groups,
    const int32_t[::1] rows,
    int32_t element_x,
    int32_t element_y,
    Py_ssize_t element_width,
    Py_ssize_t element_height,
):
    """Dilate canonical runs by an element, with 64 pixels a word.

    The runs lie in columns `x_start` to `x_stop`. The element comes as ``groups``, ``int64[m, 4]``, of equally wide
    spans (width, column from the element's left end, and where their ``rows`` start and stop), in rising order of
    width; ``rows`` are counted from its lowest row. Its lowest left corner is (`element_x`, `element_y`).
    """
    cdef Py_ssize_t i = 0, n = runs.shape[0], first, count
    # Room for the widest row, spread and shifted, with a zero word before it.
    cdef Py_ssize_t words = (x_stop - <int64_t> x_start) // 64 + 1
    cdef Py_ssize_t stride = words + element_width // 64 + 4
    cdef uint64_t *ring
    cdef uint64_t *scratch
    cdef RunBuffer out
    cdef const Span *span
    cdef int64_t y, done, last
    cdef bint good = True
    out.data = NULL
    out.size = out.capacity = 0
    if n == 0:
        return np.asarray(runs)
    span = <const Span *> &runs[0, 0]
    ring = <uint64_t *> calloc(stride * element_height, sizeof(uint64_t))
    scratch = <uint64_t *> calloc(stride * 3, sizeof(uint64_t))
    good = ring != NULL and scratch != NULL
    with nogil:
        # A target row is finished once no later source row reaches it; the ring holds those from `done` on.
        done = last = span[0].y
        while good and i < n:
            y = span[i].y
            while good and done < min(y, last + element_height):
                good = _emit(&out, ring + (done - span[0].y) % element_height * stride, stride,
                             x_start + element_x, <int32_t> (done + element_y))
                done += 1
            done = last = y
            i = _paint_row(span, i, n, x_start, scratch + 1, &first, &count)
            spread_row(
                scratch + 1 + first, scratch + stride + 1 + first, scratch + 2 * stride + 1, count,
                <const Group *> &groups[0, 0], groups.shape[0], &rows[0],
                ring + first, stride, element_height, (y - span[0].y) % element_height,
            )
            memset(scratch, 0, 2 * stride * sizeof(uint64_t))
        while good and done < last + element_height:
            good = _emit(&out, ring + (done - span[0].y) % element_height * stride, stride,
                         x_start + element_x, <int32_t> (done + element_y))
            done += 1
        free(ring)
        free(scratch)
    return taken(&out, good)


cdef Py_ssize_t _paint_row(
    const Span *span, Py_ssize_t i, Py_ssize_t n, int32_t x_start, uint64_t *row, Py_ssize_t *first, Py_ssize_t *count
) noexcept nogil:
    """Set the bits of the row that begins at run `i`; tell which words they fill; return where the next begins."""
    cdef int32_t y = span[i].y
    cdef int64_t start, stop = 0
    first[0] = (span[i].x_start - <int64_t> x_start) >> 6
    while i < n and span[i].y == y:
        start = span[i].x_start - <int64_t> x_start
        stop = span[i].x_stop - <int64_t> x_start
        row[start >> 6] ^= <uint64_t> 1 << (start & 63)
        row[stop >> 6] ^= <uint64_t> 1 << (stop & 63)
        i += 1
    # The word of the last edge, which may lie behind the last pixel.
    count[0] = (stop >> 6) + 1 - first[0]
    fill_between_edges(row + first[0], count[0])
    return i


cdef bint _emit(RunBuffer *out, uint64_t *row, Py_ssize_t words, int32_t x, int32_t y) noexcept nogil:
    """Append the runs of a row of bits that begins at `x`, and clear it."""
    cdef bint good = append_words(out, row, words, x, y)
    memset(row, 0, words * sizeof(uint64_t))
    return good
