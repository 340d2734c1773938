"""What the kernels share: the span, its place in one linear order, a growable run buffer, union-find.

Runs come as ``int32[n, 3]`` arrays and are read as ``Span`` structs: ``<const Span *> &runs[0, 0]``.
"""

from cython cimport view
from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy


cdef extern from "bits.h":
    Py_ssize_t edges_of_words(const uint64_t *, Py_ssize_t, uint64_t, int32_t, int32_t *) noexcept nogil

cdef extern from "span.h":
    ctypedef struct Span:
        int32_t y
        int32_t x_start
        int32_t x_stop

    int64_t key(int32_t y, int32_t x) noexcept nogil
    int64_t start_of(const Span *) noexcept nogil
    int64_t stop_of(const Span *) noexcept nogil
    Span span_of(int64_t start, int64_t stop) noexcept nogil


cdef struct RunBuffer:
    Span *data
    Py_ssize_t size
    Py_ssize_t capacity


cdef inline bint reserve(RunBuffer *runs, Py_ssize_t more) noexcept nogil:
    """Make room for `more` runs; return whether there is."""
    cdef Py_ssize_t capacity
    cdef void *data
    if runs.size + more <= runs.capacity:
        return True
    capacity = runs.size + more + runs.capacity // 2 + 64
    data = realloc(runs.data, capacity * sizeof(Span))
    if data == NULL:
        return False
    runs.data = <Span *> data
    runs.capacity = capacity
    return True


cdef inline object taken(RunBuffer *runs, bint good):
    """Return the runs as an array and free the buffer; raise MemoryError where it was not `good`."""
    import numpy as np
    cdef int32_t[:, ::1] out
    cdef view.array owner
    if not good:
        free(runs.data)
        raise MemoryError("no memory for the runs")
    if runs.size < 10_000:
        array = np.empty((runs.size, 3), np.int32)
        if runs.size:
            out = array
            memcpy(&out[0, 0], runs.data, runs.size * sizeof(Span))
        free(runs.data)
        return array
    # Large ones are not copied: touching fresh memory would take as long as finding the runs. Nor are they cut to size,
    # unless it is worth it: a block of another size than before would be fresh memory again.
    if runs.size < runs.capacity // 2:
        runs.data = <Span *> realloc(runs.data, runs.size * sizeof(Span))
    owner = <int32_t[:runs.size, :3:1]> <int32_t *> runs.data
    owner.callback_free_data = free
    return np.asarray(owner)


cdef inline bint append_words(
    RunBuffer *runs, const uint64_t *words, Py_ssize_t count, int32_t x, int32_t y
) noexcept nogil:
    """Append the runs of a row of words, 64 pixels each, that begins at `x`; return whether there was memory."""
    cdef int32_t[64 * 64 + 17] edge
    cdef Py_ssize_t i, n = 0, first, block
    cdef Span *span
    for first in range(0, count, 64):
        block = min(count - first, 64)
        # An odd number of edges: a run is open, and its start stays in edge[0].
        n += edges_of_words(words + first, block, n, x + <int32_t> (64 * first), edge + n)
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


# Union-find over parent indices: the smaller index is the root, so roots stay in raster order.
cdef inline int32_t find_root(int32_t *parent, int32_t i) noexcept nogil:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


cdef inline int32_t unite(int32_t *parent, int32_t i, int32_t j) noexcept nogil:
    """Join the sets of `i` and `j`; return their root."""
    i = find_root(parent, i)
    j = find_root(parent, j)
    if i < j:
        parent[j] = i
        return i
    parent[i] = j
    return j
