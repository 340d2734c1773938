"""What the kernels share: the span, its place in one linear order, a growable run buffer, union-find.

Runs come as ``int32[n, 3]`` arrays and are read as ``Span`` structs: ``<const Span *> &runs[0, 0]``.
"""

from libc.stdint cimport INT32_MIN, int32_t, int64_t
from libc.stdlib cimport free, realloc


cdef struct Span:
    int32_t y
    int32_t x_start
    int32_t x_stop


# Place of a pixel edge in raster order: rows never touch, so a set of spans is a set of intervals on one line.
cdef inline int64_t key(int32_t y, int32_t x) noexcept nogil:
    return y * (<int64_t> 1 << 32) + x


cdef inline Span span_of(int64_t start, int64_t stop) noexcept nogil:
    cdef Span span
    span.x_start = <int32_t> start
    span.x_stop = <int32_t> stop
    span.y = <int32_t> ((start - span.x_start) >> 32)
    return span


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
