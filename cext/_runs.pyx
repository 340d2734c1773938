"""Runs to and from other forms of the same pixels: unsorted runs, masks, images, points, boxes."""

import numpy as np

from libc.stdint cimport INT32_MAX, INT32_MIN, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from memory cimport large_memory
from span cimport (
    RowIndex, RunBuffer, Span, append_words, empty_runs, first_in_row, first_runs, index_rows, join_run, key,
    last_started, pixel_of, start_of, stop_of, taken
)

cdef extern from "bits.h":
    uint64_t nonzero_bytes(const uint8_t *) noexcept nogil
    uint64_t nonzero_bytes_tail(const uint8_t *, Py_ssize_t) noexcept nogil

cdef enum:
    # Bits that one pass of the radix sort looks at, at most.
    MOST_BITS = 12


def canonical(const int32_t[:, ::1] runs):
    """Sort runs ``int32[n, 3]``, join those that touch or overlap, drop empty ones; return canonical ones as is."""
    cdef Py_ssize_t i, count = 0, n = runs.shape[0]
    cdef const Span *span = <const Span *> &runs[0, 0] if n else NULL
    cdef int32_t[:, ::1] out
    cdef Span *joined
    cdef OwnedSpan *work = NULL
    cdef OwnedSpan *done
    cdef bint is_sorted
    if is_canonical(runs):
        return np.asarray(runs)
    out = empty_runs(n)
    joined = <Span *> &out[0, 0]
    with nogil:
        is_sorted = _is_sorted(span, n)
    if not is_sorted:
        work = _work_space(n)
    with nogil:
        if work == NULL:
            for i in range(n):
                count = join_run(joined, 0, count, span[i])
        else:
            done = _sorted(span, NULL, n, work)
            for i in range(n):
                count = join_run(joined, 0, count, done[i].span)
        free(work)
    return first_runs(np.asarray(out), count)


def in_raster_order(const int32_t[:, ::1] runs, const int32_t[::1] owner):
    """Sort runs by (y, x_start), equal ones in their order, and the owner ``int32[n]`` of each.

    Returns the runs and the owners; sorted ones as they are.
    """
    cdef Py_ssize_t i, n = runs.shape[0]
    cdef const Span *span = <const Span *> &runs[0, 0] if n else NULL
    cdef int32_t[:, ::1] sorted_runs
    cdef int32_t[::1] sorted_owner
    cdef Span *target
    cdef OwnedSpan *work
    cdef OwnedSpan *done
    cdef bint is_sorted
    with nogil:
        is_sorted = _is_sorted(span, n)
    if is_sorted:
        return np.asarray(runs), np.asarray(owner)
    work = _work_space(n)
    sorted_runs, sorted_owner = empty_runs(n), np.empty(n, np.int32)
    target = <Span *> &sorted_runs[0, 0]
    with nogil:
        done = _sorted(span, &owner[0], n, work)
        for i in range(n):
            target[i] = done[i].span
            sorted_owner[i] = done[i].owner
        free(work)
    return np.asarray(sorted_runs), np.asarray(sorted_owner)


cdef struct OwnedSpan:
    Span span
    int32_t owner


cdef bint _is_sorted(const Span *span, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(1, n):
        if start_of(&span[i - 1]) > start_of(&span[i]):
            return False
    return True


cdef OwnedSpan *_work_space(Py_ssize_t n) except NULL:
    """Return room to sort runs in."""
    cdef void *work = large_memory(2 * n * sizeof(OwnedSpan))
    if work == NULL:
        raise MemoryError("no memory to sort the runs")
    return <OwnedSpan *> work


cdef OwnedSpan *_sorted(const Span *span, const int32_t *owner, Py_ssize_t n, OwnedSpan *work) noexcept nogil:
    """Radix sort, the lowest digits first, on the place of each run in the box of all, into room for 2 n runs."""
    cdef int32_t x_low = INT32_MAX, x_high = INT32_MIN, y_low = INT32_MAX, y_high = INT32_MIN
    cdef uint64_t width, last, digit, mask
    cdef OwnedSpan *source = work
    cdef OwnedSpan *target = work + n
    cdef Py_ssize_t i, k, total, count
    cdef Py_ssize_t[1 << MOST_BITS] begin
    cdef int shift = 0, length = 0, bits
    for i in range(n):
        source[i].span = span[i]
        source[i].owner = owner[i] if owner != NULL else 0
        x_low, x_high = min(x_low, span[i].x_start), max(x_high, span[i].x_start)
        y_low, y_high = min(y_low, span[i].y), max(y_high, span[i].y)
    width = <uint64_t> (x_high - <int64_t> x_low) + 1
    last = <uint64_t> (y_high - <int64_t> y_low) * width + (width - 1)
    while length < 64 and last >> length:
        length += 1
    # Digits of one length, as few of them as there can be.
    bits = (length + MOST_BITS - 1) // MOST_BITS
    bits = (length + bits - 1) // bits
    mask = (<uint64_t> 1 << bits) - 1
    while shift < length:
        memset(begin, 0, sizeof(begin))
        for i in range(n):
            begin[_place(&source[i].span, x_low, y_low, width) >> shift & mask] += 1
        total = 0
        for k in range(1 << bits):
            count = begin[k]
            begin[k] = total
            total += count
        for i in range(n):
            digit = _place(&source[i].span, x_low, y_low, width) >> shift & mask
            target[begin[digit]] = source[i]
            begin[digit] += 1
        source, target = target, source
        shift += bits
    return source


cdef inline uint64_t _place(const Span *span, int64_t x_low, int64_t y_low, uint64_t width) noexcept nogil:
    return <uint64_t> (span.y - y_low) * width + <uint64_t> (span.x_start - x_low)


def is_canonical(const int32_t[:, ::1] runs) -> bool:
    """Whether runs ``int32[n, 3]`` are sorted, disjoint, apart from each other in a row, and not empty."""
    cdef Py_ssize_t i, n = runs.shape[0]
    cdef const Span *span
    cdef bint good = True
    if n == 0:
        return True
    span = <const Span *> &runs[0, 0]
    with nogil:
        good = span[0].x_start < span[0].x_stop
        for i in range(1, n):
            good &= span[i].x_start < span[i].x_stop
            good &= key(span[i - 1].y, span[i - 1].x_stop) < key(span[i].y, span[i].x_start)
            if not good:
                break
    return good


def from_mask(const uint8_t[:, :] mask, int32_t x0, int32_t y0):
    """Return the runs of the bytes that are not zero in ``mask[ny, nx]``, whose rows are contiguous."""
    cdef Py_ssize_t y, i, nx = mask.shape[1], words = (nx + 63) // 64
    cdef const uint8_t *row
    cdef uint64_t *bits = <uint64_t *> malloc((words + 1) * sizeof(uint64_t))
    cdef RunBuffer runs
    cdef bint good = bits != NULL
    runs.data = NULL
    runs.size = runs.capacity = 0
    with nogil:
        for y in range(mask.shape[0] if nx and good else 0):
            row = &mask[y, 0]
            for i in range(nx // 64):
                bits[i] = nonzero_bytes(row + 64 * i)
            if nx % 64:
                bits[nx // 64] = nonzero_bytes_tail(row + 64 * (nx // 64), nx % 64)
            good = append_words(&runs, bits, words, x0, y0 + <int32_t> y)
            if not good:
                break
        free(bits)
    return taken(&runs, good)


def area(const int32_t[:, ::1] runs) -> int:
    """Return the number of pixels."""
    cdef int64_t total = 0
    cdef Py_ssize_t i, n = runs.shape[0]
    cdef const Span *span = <const Span *> &runs[0, 0] if n else NULL
    with nogil:
        for i in range(n):
            total += span[i].x_stop - <int64_t> span[i].x_start
    return total


def indices(const int32_t[:, ::1] runs):
    """Return the coordinates ``y, x`` of every pixel, each ``int64[area]``, in raster order."""
    cdef Py_ssize_t i, n = 0
    cdef int32_t x
    cdef const Span *span
    ys = np.empty(area(runs), np.int64)
    xs = np.empty_like(ys)
    cdef int64_t[::1] y_out = ys
    cdef int64_t[::1] x_out = xs
    if runs.shape[0]:
        span = <const Span *> &runs[0, 0]
        with nogil:
            for i in range(runs.shape[0]):
                for x in range(span[i].x_start, span[i].x_stop):
                    y_out[n] = span[i].y
                    x_out[n] = x
                    n += 1
    return ys, xs


def find(const int32_t[:, ::1] runs, const double[::1] x, const double[::1] y):
    """Return for each point the index ``int64`` of the run that holds it, or -1 (also for NaN)."""
    cdef Py_ssize_t i, n = runs.shape[0]
    cdef double column, row
    found = np.full(x.shape[0], -1, np.int64)
    cdef int64_t[::1] out = found
    cdef const Span *span
    cdef RowIndex rows
    if n == 0:
        return found
    span = <const Span *> &runs[0, 0]
    # An index of rows costs as much as some steps of each search without it.
    if not index_rows(&rows, span, n, x.shape[0]):
        raise MemoryError("no memory to look up the points")
    with nogil:
        for i in range(x.shape[0]):
            column = pixel_of(x[i])
            row = pixel_of(y[i])
            # False for NaN as well.
            if INT32_MIN <= column <= INT32_MAX and INT32_MIN <= row <= INT32_MAX:
                out[i] = _run_at(span, &rows, <int32_t> column, <int32_t> row)
        free(rows.first)
    return found


cdef Py_ssize_t _run_at(const Span *span, const RowIndex *rows, int32_t x, int32_t y) noexcept nogil:
    """Return the index of the run that holds a pixel, or -1."""
    cdef int64_t place = key(y, x)
    cdef Py_ssize_t i = last_started(rows, span, y, place)
    return i if i >= 0 and place < stop_of(&span[i]) else -1


def clip(const int32_t[:, ::1] runs, int32_t x_start, int32_t x_stop, int32_t y_start, int32_t y_stop):
    """Return the parts of runs that lie in a box."""
    cdef Py_ssize_t i, low, high, count = 0
    cdef const Span *span
    cdef Span *clipped
    if runs.shape[0] == 0:
        return np.asarray(runs)
    span = <const Span *> &runs[0, 0]
    low = first_in_row(span, runs.shape[0], y_start)
    high = max(low, first_in_row(span, runs.shape[0], y_stop))
    cdef int32_t[:, ::1] out = empty_runs(high - low + 1)
    clipped = <Span *> &out[0, 0]
    with nogil:
        for i in range(low, high):
            clipped[count].y = span[i].y
            clipped[count].x_start = max(span[i].x_start, x_start)
            clipped[count].x_stop = min(span[i].x_stop, x_stop)
            count += clipped[count].x_start < clipped[count].x_stop
    return first_runs(np.asarray(out), count)


def complement(const int32_t[:, ::1] runs, int32_t x_start, int32_t x_stop, int32_t y_start, int32_t y_stop):
    """Return the pixels of a box that are not in the runs, which lie in the box."""
    cdef Py_ssize_t i = 0, n = runs.shape[0], count = 0
    cdef const Span *span = <const Span *> &runs[0, 0] if n else NULL
    cdef Span *gap
    cdef int32_t y, x
    if x_start >= x_stop or y_start >= y_stop:
        return np.empty((0, 3), np.int32)
    cdef int32_t[:, ::1] out = empty_runs(n + y_stop - <Py_ssize_t> y_start)
    gap = <Span *> &out[0, 0]
    with nogil:
        for y in range(y_start, y_stop):
            x = x_start
            while i < n and span[i].y == y:
                if x < span[i].x_start:
                    gap[count].y = y
                    gap[count].x_start = x
                    gap[count].x_stop = span[i].x_start
                    count += 1
                x = span[i].x_stop
                i += 1
            if x < x_stop:
                gap[count].y = y
                gap[count].x_start = x
                gap[count].x_stop = x_stop
                count += 1
    return first_runs(np.asarray(out), count)


def surroundings(const int32_t[:, ::1] runs):
    """Return the background near runs: gaps in their rows, to the ends of int32, and a full row around blocks of rows.

    A background component holds a run that begins at the least int32 exactly if it is outside. The cost grows with the
    number of runs: rows far from any are left out.
    """
    cdef Py_ssize_t i, n = runs.shape[0], count = 0
    cdef const Span *span
    cdef Span *gap
    if n == 0:
        return np.empty((0, 3), np.int32)
    span = <const Span *> &runs[0, 0]
    # At most a gap after each run, and with each row one before its first run and a full row below and above.
    cdef int32_t[:, ::1] out = empty_runs(4 * n)
    gap = <Span *> &out[0, 0]
    with nogil:
        for i in range(n):
            if i == 0 or span[i].y != span[i - 1].y:
                if span[i].y > INT32_MIN and (i == 0 or span[i].y - <int64_t> span[i - 1].y > 2):
                    count = _append_gap(gap, count, span[i].y - 1, INT32_MIN, INT32_MAX)
                count = _append_gap(gap, count, span[i].y, INT32_MIN, span[i].x_start)
            if i + 1 < n and span[i + 1].y == span[i].y:
                count = _append_gap(gap, count, span[i].y, span[i].x_stop, span[i + 1].x_start)
                continue
            count = _append_gap(gap, count, span[i].y, span[i].x_stop, INT32_MAX)
            if span[i].y < INT32_MAX and (i + 1 == n or span[i + 1].y - <int64_t> span[i].y > 1):
                count = _append_gap(gap, count, span[i].y + 1, INT32_MIN, INT32_MAX)
    return first_runs(np.asarray(out), count)


cdef inline Py_ssize_t _append_gap(
    Span *gap, Py_ssize_t count, int32_t y, int32_t x_start, int32_t x_stop
) noexcept nogil:
    gap[count].y = y
    gap[count].x_start = x_start
    gap[count].x_stop = x_stop
    return count + (x_start < x_stop)
