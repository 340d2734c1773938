"""Set algebra of two canonical run arrays, each in one sweep in raster order (docs/explanation/algebra)."""

import numpy as np

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t

from span cimport Span, key, span_of


def unite(const int32_t[:, ::1] a, const int32_t[:, ::1] b):
    """Return the runs of the pixels in `a` or `b`."""
    cdef Py_ssize_t count, na = a.shape[0], nb = b.shape[0]
    if na == 0 or nb == 0:
        return np.asarray(b if na == 0 else a)
    cdef int32_t[:, ::1] out = np.empty((na + nb + 1, 3), np.int32)
    with nogil:
        count = _unite(<const Span *> &a[0, 0], na, <const Span *> &b[0, 0], nb, <Span *> &out[0, 0])
    return _trimmed(out, count)


def intersect(const int32_t[:, ::1] a, const int32_t[:, ::1] b):
    """Return the runs of the pixels in `a` and `b`."""
    return _sweep(a, b, _intersect)


def subtract(const int32_t[:, ::1] a, const int32_t[:, ::1] b):
    """Return the runs of the pixels in `a` but not in `b`."""
    return _sweep(a, b, _subtract)


def exclude(const int32_t[:, ::1] a, const int32_t[:, ::1] b):
    """Return the runs of the pixels in `a` or `b` but not in both."""
    return _sweep(a, b, _exclude)


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
            if _stop(p) <= _start(q):
                p = _skip(p, p_end, _start(q))
            elif _stop(q) <= _start(p):
                q = _skip(q, q_end, _start(p))
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
            p = _skip(p, p_end, _start(&q[i]))
            good = p < p_end and _start(p) <= _start(&q[i]) and _stop(&q[i]) <= _stop(p)
            if not good:
                break
    return good


ctypedef Py_ssize_t (*Sweep)(const Span *, Py_ssize_t, const Span *, Py_ssize_t, Span *) noexcept nogil


cdef object _sweep(const int32_t[:, ::1] a, const int32_t[:, ::1] b, Sweep sweep):
    cdef Py_ssize_t count, na = a.shape[0], nb = b.shape[0]
    cdef int32_t[:, ::1] out = np.empty((na + nb + 1, 3), np.int32)
    with nogil:
        count = sweep(
            <const Span *> &a[0, 0] if na else NULL, na, <const Span *> &b[0, 0] if nb else NULL, nb,
            <Span *> &out[0, 0],
        )
    return _trimmed(out, count)


cdef object _trimmed(int32_t[:, ::1] out, Py_ssize_t count):
    # Pages that were never written cost nothing: a view is kept unless most of the array is waste.
    array = np.asarray(out)[:count]
    return array if 2 * count > out.shape[0] else array.copy()


cdef inline int64_t _start(const Span *span) noexcept nogil:
    return key(span.y, span.x_start)


cdef inline int64_t _stop(const Span *span) noexcept nogil:
    return key(span.y, span.x_stop)


cdef const Span *_skip(const Span *p, const Span *end, int64_t place) noexcept nogil:
    """Return the first run from `p` on that stops after `place`, galloping."""
    cdef Py_ssize_t step = 1, half
    while p + step <= end and _stop(p + step - 1) <= place:
        p += step
        step *= 2
    # The answer lies within the next `step` runs.
    while step > 0:
        half = step // 2
        if p + half < end and _stop(p + half) <= place:
            p += half + 1
            step -= half + 1
        else:
            step = half
    return p


# The sweeps have no branch that depends on the data but the end of the loop: which run comes first is a coin toss.
cdef Py_ssize_t _unite(const Span *a, Py_ssize_t na, const Span *b, Py_ssize_t nb, Span *out) noexcept nogil:
    cdef const Span *a_end = a + na
    cdef const Span *b_end = b + nb
    cdef int64_t start, stop, open_start, open_stop
    cdef bint take_a, gap
    cdef Py_ssize_t count = 0
    open_start = open_stop = min(_start(a), _start(b))
    while a < a_end and b < b_end:
        take_a = _start(a) <= _start(b)
        start = _start(a) if take_a else _start(b)
        stop = _stop(a) if take_a else _stop(b)
        a += take_a
        b += not take_a
        gap = start > open_stop
        out[count] = span_of(open_start, open_stop)
        count += gap
        open_start = start if gap else open_start
        open_stop = stop if stop > open_stop else open_stop
    if a == a_end:
        a, a_end = b, b_end
    while a < a_end and _start(a) <= open_stop:
        open_stop = max(open_stop, _stop(a))
        a += 1
    out[count] = span_of(open_start, open_stop)
    count += 1
    while a < a_end:
        out[count] = a[0]
        count += 1
        a += 1
    return count


cdef Py_ssize_t _intersect(const Span *a, Py_ssize_t na, const Span *b, Py_ssize_t nb, Span *out) noexcept nogil:
    cdef const Span *a_end = a + na
    cdef const Span *b_end = b + nb
    cdef int64_t a_start, a_stop, b_start, b_stop
    cdef Py_ssize_t count = 0
    if na == 0 or nb == 0:
        return 0
    a = _skip(a, a_end, _start(b))
    if a < a_end:
        b = _skip(b, b_end, _start(a))
    while a < a_end and b < b_end:
        a_start, a_stop = _start(a), _stop(a)
        b_start, b_stop = _start(b), _stop(b)
        out[count] = span_of(max(a_start, b_start), min(a_stop, b_stop))
        count += max(a_start, b_start) < min(a_stop, b_stop)
        a += a_stop <= b_stop
        b += b_stop <= a_stop
    return count


cdef Py_ssize_t _subtract(const Span *a, Py_ssize_t na, const Span *b, Py_ssize_t nb, Span *out) noexcept nogil:
    """Intersect `a` with the gaps of `b`: the one before each run, and the one after the last."""
    cdef const Span *a_end = a + na
    cdef const Span *b_end = b + nb
    cdef int64_t a_start, a_stop, gap_start = INT64_MIN, gap_stop
    cdef Py_ssize_t count = 0
    cdef bint next_gap
    if na and nb:
        b = _skip(b, b_end, _start(a))
    while a < a_end and b < b_end:
        a_start, a_stop = _start(a), _stop(a)
        gap_stop = _start(b)
        out[count] = span_of(max(a_start, gap_start), min(a_stop, gap_stop))
        count += max(a_start, gap_start) < min(a_stop, gap_stop)
        next_gap = gap_stop <= a_stop
        a += a_stop <= gap_stop
        gap_start = _stop(b) if next_gap else gap_start
        b += next_gap
    while a < a_end:
        out[count] = span_of(max(_start(a), gap_start), _stop(a))
        count += gap_start < _stop(a)
        a += 1
    return count


cdef Py_ssize_t _exclude(const Span *a, Py_ssize_t na, const Span *b, Py_ssize_t nb, Span *out) noexcept nogil:
    """Merge the edges of both; an edge that stands in both is none."""
    cdef Py_ssize_t i = 0, j = 0, count = 0
    cdef int64_t a_edge, b_edge, edge, open_start = 0
    cdef bint differ, opened = False
    a_edge = _edge(a, i, na)
    b_edge = _edge(b, j, nb)
    while i < 2 * na or j < 2 * nb:
        edge = min(a_edge, b_edge)
        differ = a_edge != b_edge
        out[count] = span_of(open_start, edge)
        count += differ & opened
        open_start = edge if differ else open_start
        opened ^= differ
        i += a_edge == edge
        j += b_edge == edge
        a_edge = _edge(a, i, na)
        b_edge = _edge(b, j, nb)
    return count


cdef inline int64_t _edge(const Span *span, Py_ssize_t i, Py_ssize_t n) noexcept nogil:
    """Return the place of the i-th edge of `n` runs: starts are even, stops are odd."""
    cdef const int32_t *values = <const int32_t *> &span[i >> 1]
    return key(values[0], values[1 + (i & 1)]) if i < 2 * n else INT64_MAX
