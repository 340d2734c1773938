"""Connected components of runs (docs/explanation/components)."""

import numpy as np

from libc.stdint cimport int32_t, int64_t

from span cimport Span, empty_runs, join_touching, number_trees


def label(const int32_t[:, ::1] runs, int connectivity):
    """Number the 4- or 8-connected components of canonical runs in the raster order of their first pixels.

    Returns ``labels``, ``int32[n]`` from 0 on, and how many components there are.
    """
    cdef Py_ssize_t n = runs.shape[0]
    cdef int32_t count = 0
    labels = np.arange(n, dtype=np.int32)
    cdef int32_t[::1] parent = labels
    if n:
        with nogil:
            join_touching(<const Span *> &runs[0, 0], 0, n, connectivity == 8, &parent[0])
            count = number_trees(&parent[0], n)
    return labels, count


def group(parts, const int32_t[::1] labels, Py_ssize_t count):
    """Return the runs sorted by label, in their order within one, and ``offsets``, ``int64[count + 1]``.

    The runs come in one or several arrays.
    """
    cdef Py_ssize_t i, n, first = 0
    cdef const int32_t[:, ::1] runs
    cdef const Span *span
    cdef Span *target = NULL
    # One more: where a group begins becomes where the next one does as its runs move there.
    counts = np.zeros(count + 2, np.int64)
    cdef int64_t[::1] begin = counts
    cdef int32_t[:, ::1] out = empty_runs(labels.shape[0])
    if labels.shape[0]:
        target = <Span *> &out[0, 0]
        with nogil:
            for i in range(labels.shape[0]):
                begin[labels[i] + 2] += 1
            for i in range(count):
                begin[i + 2] += begin[i + 1]
    for runs in parts:
        n = runs.shape[0]
        span = <const Span *> &runs[0, 0] if n else NULL
        with nogil:
            for i in range(n):
                target[begin[labels[first + i] + 1]] = span[i]
                begin[labels[first + i] + 1] += 1
        first += n
    return np.asarray(out), counts[: count + 1]
