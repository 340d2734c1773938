"""Set algebra of two canonical run arrays, each in one sweep in raster order (docs/explanation/algebra)."""

import numpy as np

from libc.stdint cimport int32_t, int64_t

from span cimport Span, empty_runs, first_runs, start_of, stop_of

cdef extern from "sweeps.h":
    Py_ssize_t unite_sweep(const Span *, Py_ssize_t, const Span *, Py_ssize_t, Span *) noexcept nogil
    Py_ssize_t intersect_sweep(const Span *, Py_ssize_t, const Span *, Py_ssize_t, Span *) noexcept nogil
    Py_ssize_t subtract_sweep(const Span *, Py_ssize_t, const Span *, Py_ssize_t, Span *) noexcept nogil
    Py_ssize_t exclude_sweep(const Span *, Py_ssize_t, const Span *, Py_ssize_t, Span *) noexcept nogil


def unite(const int32_t[:, ::1] a, const int32_t[:, ::1] b):
    """Return the runs of the pixels in `a` or `b`."""
    if a.shape[0] == 0 or b.shape[0] == 0:
        return np.asarray(b if a.shape[0] == 0 else a)
    return _sweep(a, b, unite_sweep)


def intersect(const int32_t[:, ::1] a, const int32_t[:, ::1] b):
    """Return the runs of the pixels in `a` and `b`."""
    return _sweep(a, b, intersect_sweep)


def subtract(const int32_t[:, ::1] a, const int32_t[:, ::1] b):
    """Return the runs of the pixels in `a` but not in `b`."""
    return _sweep(a, b, subtract_sweep)


def exclude(const int32_t[:, ::1] a, const int32_t[:, ::1] b):
    """Return the runs of the pixels in `a` or `b` but not in both."""
    return _sweep(a, b, exclude_sweep)


def overlap(const int32_t[:, ::1] a, const int32_t[:, ::1] b) -> bool:
    """Whether any pixel is in both; stops at the first."""
    cdef const Span *p
    cdef const Span *q
    cdef const Span *p_end
    cdef const Span *q_end
    if a.shape[0] == 0 or b.shape[0] == 0:
        return False
    p, q = <const Span *> &a[0, 0], <const Span *> &b[0, 0]
    p_end, q_end = p + a.shape[0], q + b.shape[0]
    with nogil:
        while p < p_end and q < q_end:
            if stop_of(p) <= start_of(q):
                p = _skip(p, p_end, start_of(q))
            elif stop_of(q) <= start_of(p):
                q = _skip(q, q_end, start_of(p))
            else:
                break
    return p < p_end and q < q_end


def covers(const int32_t[:, ::1] a, const int32_t[:, ::1] b) -> bool:
    """Whether every pixel of `b` is in `a`; stops at the first that is not."""
    cdef const Span *p = <const Span *> &a[0, 0] if a.shape[0] else NULL
    cdef const Span *q
    cdef const Span *p_end = p + a.shape[0]
    cdef Py_ssize_t i
    cdef bint good = True
    if b.shape[0] == 0:
        return True
    q = <const Span *> &b[0, 0]
    with nogil:
        for i in range(b.shape[0]):
            p = _skip(p, p_end, start_of(&q[i]))
            good = p < p_end and start_of(p) <= start_of(&q[i]) and stop_of(&q[i]) <= stop_of(p)
            if not good:
                break
    return good


ctypedef Py_ssize_t (*Sweep)(const Span *, Py_ssize_t, const Span *, Py_ssize_t, Span *) noexcept nogil


cdef object _sweep(const int32_t[:, ::1] a, const int32_t[:, ::1] b, Sweep sweep):
    cdef Py_ssize_t count, na = a.shape[0], nb = b.shape[0]
    cdef int32_t[:, ::1] out = empty_runs(na + nb + 2)
    with nogil:
        count = sweep(
            <const Span *> &a[0, 0] if na else NULL, na, <const Span *> &b[0, 0] if nb else NULL, nb,
            <Span *> &out[0, 0],
        )
    return first_runs(np.asarray(out), count)


cdef const Span *_skip(const Span *p, const Span *end, int64_t place) noexcept nogil:
    """Return the first run from `p` on that stops after `place`, galloping."""
    cdef Py_ssize_t step = 1, half
    while p + step <= end and stop_of(p + step - 1) <= place:
        p += step
        step *= 2
    # The answer lies within the next `step` runs.
    while step > 0:
        half = step // 2
        if p + half < end and stop_of(p + half) <= place:
            p += half + 1
            step -= half + 1
        else:
            step = half
    return p
