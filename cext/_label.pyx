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


def group(const int32_t[:, ::1] runs, const int32_t[::1] labels, Py_ssize_t count):
    """Return the runs sorted by label, in their order within one, and ``offsets``, ``int64[count + 1]``."""
    cdef Py_ssize_t i, n = runs.shape[0]
    cdef const Span *span
    cdef Span *target
    # One more: where a group begins becomes where the next one does as its runs move there.
    counts = np.zeros(count + 2, np.int64)
    cdef int64_t[::1] begin = counts
    cdef int32_t[:, ::1] out = empty_runs(n)
    if n:
        span = <const Span *> &runs[0, 0]
        target = <Span *> &out[0, 0]
        with nogil:
            for i in range(n):
                begin[labels[i] + 2] += 1
            for i in range(count):
                begin[i + 2] += begin[i + 1]
            for i in range(n):
                target[begin[labels[i] + 1]] = span[i]
                begin[labels[i] + 1] += 1
    return np.asarray(out), counts[: count + 1]
