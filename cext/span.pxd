"""What the kernels share: the span, its place in one linear order, a growable run buffer, union-find.

Runs come as ``int32[n, 3]`` arrays and are read as ``Span`` structs: ``<const Span *> &runs[0, 0]``.
"""

from libc.math cimport floor
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from memory cimport empty_bytes, owned_bytes, reserved


cdef extern from "bits.h":
    uint64_t busy_words(const uint64_t *, Py_ssize_t, uint64_t before) noexcept nogil
    Py_ssize_t edges_of_words(
        const uint64_t *words, uint64_t busy, uint64_t before, int32_t x, int32_t first, int32_t *number, int32_t *out
    ) noexcept nogil

cdef extern from "span.h":
    ctypedef struct Span:
        int32_t y
        int32_t x_start
        int32_t x_stop

    int64_t key(int32_t y, int32_t x) noexcept nogil
    int64_t start_of(const Span *) noexcept nogil
    int64_t stop_of(const Span *) noexcept nogil
    Span span_of(int64_t start, int64_t stop) noexcept nogil
    Py_ssize_t first_in_row(const Span *, Py_ssize_t n, int32_t y) noexcept nogil

cdef extern from "trees.h":
    void join_trees(int32_t *parent, int32_t i, int32_t j) noexcept nogil
    int32_t number_trees(int32_t *parent, Py_ssize_t n) noexcept nogil

cdef extern from "touch.h":
    void join_touching(
        const Span *, Py_ssize_t first, Py_ssize_t last, int64_t reach, int32_t *parent
    ) noexcept nogil


cdef struct RunBuffer:
    Span *data
    Py_ssize_t size
    Py_ssize_t capacity


cdef inline bint reserve(RunBuffer *runs, Py_ssize_t more) noexcept nogil:
    """Make room for `more` runs; return whether there is."""
    return reserved(<void **> &runs.data, &runs.capacity, runs.size + more, sizeof(Span))


cdef inline object taken(RunBuffer *runs, bint good):
    """Return the runs as an array, which owns the buffer now; raise MemoryError where it was not `good`."""
    if not good:
        free(runs.data)
        raise MemoryError("no memory for the runs")
    return runs_of(owned_bytes(runs.data, runs.size * sizeof(Span), runs.capacity * sizeof(Span)))


cdef inline object empty_runs(Py_ssize_t count):
    """Return an array for runs."""
    return runs_of(empty_bytes(count * sizeof(Span)))


cdef inline object runs_of(array):
    """Return bytes as runs."""
    import numpy as np
    return array.view(np.int32).reshape(-1, 3)


cdef inline object first_runs(array, Py_ssize_t count):
    """Return the first runs of an array: a view, unless most of the array would be waste."""
    return array[:count] if 2 * count >= len(array) else array[:count].copy()


cdef inline Py_ssize_t join_run(Span *out, Py_ssize_t first, Py_ssize_t count, Span span) noexcept nogil:
    """Add a run to the sorted ones from `first` to `count`: to the last one if both touch; return the new count."""
    cdef Span *last = out + count - 1
    if span.x_start >= span.x_stop:
        return count
    if count > first and last.y == span.y and last.x_stop >= span.x_start:
        last.x_stop = max(last.x_stop, span.x_stop)
        return count
    out[count] = span
    return count + 1


cdef inline bint append_words(
    RunBuffer *runs, const uint64_t *words, Py_ssize_t count, int32_t x, int32_t y
) noexcept nogil:
    """Append the runs of a row of words, 64 pixels each, that begins at `x`; return whether there was memory."""
    return append_numbered_words(runs, words, count, x, y, NULL)


cdef inline bint append_numbered_words(
    RunBuffer *runs, const uint64_t *words, Py_ssize_t count, int32_t x, int32_t y, int32_t *number
) noexcept nogil:
    """Do so, and say what ``BitRow`` wants to know of the runs in each word, unless that is NULL."""
    cdef int32_t[64 * 64 + 17] edge
    cdef int32_t[64] unused
    cdef Py_ssize_t i, n = 0, first, block
    cdef uint64_t before = 0
    cdef Span *span
    for first in range(0, count, 64):
        block = min(count - first, 64)
        # An odd number of edges: a run is open, and its start stays in edge[0].
        n += edges_of_words(
            words + first, busy_words(words + first, block, before), before,
            # Of words beyond int32, in which there is nothing, this is a number without meaning.
            <int32_t> (<uint32_t> x + <uint32_t> (64 * first)),
            <int32_t> runs.size, &unused[0] if number == NULL else number + first, edge + n,
        )
        before = words[first + block - 1]
        if n > 1:
            if not reserve(runs, n // 2):
                return False
            span = runs.data + runs.size
            for i in range(n // 2):
                span[i].y = y
                span[i].x_start = edge[2 * i]
                span[i].x_stop = edge[2 * i + 1]
            runs.size += n // 2
            edge[0] = edge[n - 1]
            n &= 1
    if n:
        if not reserve(runs, 1):
            return False
        span = runs.data + runs.size
        span.y = y
        span.x_start = edge[0]
        span.x_stop = x + <int32_t> (64 * count)
        runs.size += 1
    return True


# Looking up points


cdef struct RowIndex:
    # Where the runs of each row begin; NULL where that is not worth it.
    Py_ssize_t *first
    Py_ssize_t n
    int64_t y_low
    int64_t height


cdef inline bint index_rows(RowIndex *rows, const Span *span, Py_ssize_t n, Py_ssize_t n_points) noexcept nogil:
    """Index the rows of runs, of which there are some, if looking up so many points is worth it; free `first` then.

    Returns whether there was memory.
    """
    cdef Py_ssize_t i
    cdef int64_t row = 0
    rows.first = NULL
    rows.n = n
    rows.y_low = span[0].y
    rows.height = span[n - 1].y - rows.y_low + 1
    if n + rows.height <= 16 * n_points + 1024:
        rows.first = <Py_ssize_t *> malloc((rows.height + 1) * sizeof(Py_ssize_t))
        if rows.first == NULL:
            return False
        for i in range(n):
            while row <= span[i].y - rows.y_low:
                rows.first[row] = i
                row += 1
        rows.first[rows.height] = n
    return True


cdef inline Py_ssize_t last_started(const RowIndex *rows, const Span *span, int32_t y, int64_t place) noexcept nogil:
    """Return the index of the last run of row `y` that starts at a place in it or before, or -1."""
    cdef Py_ssize_t half, low = 0, n = rows.n
    cdef int64_t row = y - rows.y_low
    if not 0 <= row < rows.height:
        return -1
    if rows.first != NULL:
        low = rows.first[row]
        n = rows.first[row + 1] - low
    if n == 0:
        return -1
    while n > 1:
        half = n // 2
        low += half if start_of(&span[low + half]) <= place else 0
        n -= half
    return low if span[low].y == y and start_of(&span[low]) <= place else -1


cdef inline double pixel_of(double coordinate) noexcept nogil:
    """Return the pixel that covers a coordinate."""
    # Not floor(coordinate + 0.5): that sum may round up.
    cdef double below = floor(coordinate)
    return below + (coordinate - below >= 0.5)
