"""Set algebra of two canonical run arrays, or of many, each in one sweep in raster order (docs/explanation/algebra)."""

import numpy as np

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove, memset

from memory cimport reserved
from span cimport RunBuffer, Span, empty_runs, first_runs, reserve, start_of, stop_of, taken

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


# A row of pixels under a chain of operations: where it changes from off to on and back.
cdef struct Line:
    int32_t *edge
    Py_ssize_t n
    Py_ssize_t room
    int32_t *spare
    Py_ssize_t spare_room


def fold(const int32_t[:, ::1] runs, const int32_t[::1] owner, const uint8_t[::1] operations):
    """Return the runs of ``((none o0 m0) o1 m1) o2 m2...``, with a set of canonical runs for each m.

    The runs come sorted by (y, owner, x_start), the owner being the number of the set. Bit 1 of an operation says
    whether it holds in what there was alone, bit 2 in the set alone, bit 3 in both; nothing else. A set costs as much
    as its runs and what they meet.
    """
    cdef Py_ssize_t i = 0, stop, k, n = runs.shape[0], n_sets = operations.shape[0]
    cdef const Span *span = <const Span *> &runs[0, 0] if n else NULL
    cdef bint good
    cdef Line line
    cdef RunBuffer out
    # The last set before each one whose operation leaves nothing but what is in it.
    cdef int32_t *cleared = <int32_t *> malloc((n_sets + 1) * sizeof(int32_t))
    cdef int32_t done
    good = cleared != NULL
    memset(&line, 0, sizeof(line))
    memset(&out, 0, sizeof(out))
    with nogil:
        if good:
            cleared[0] = -1
            for k in range(n_sets):
                cleared[k + 1] = cleared[k] if operations[k] >> 1 & 1 else <int32_t> k
        while good and i < n:
            stop = i
            while stop < n and span[stop].y == span[i].y:
                stop += 1
            # Each run of the row adds at most two edges.
            good = (
                reserved(<void **> &line.edge, &line.room, 2 * (stop - i), sizeof(int32_t))
                and reserved(<void **> &line.spare, &line.spare_room, 2 * (stop - i), sizeof(int32_t))
                and reserve(&out, stop - i)
            )
            if not good:
                break
            line.n = 0
            done = -1
            while i < stop:
                k = i
                while k < stop and owner[k] == owner[i]:
                    k += 1
                if cleared[owner[i]] > done:
                    line.n = 0
                done = owner[i]
                _apply(&line, span + i, k - i, operations[done])
                i = k
            if cleared[n_sets] > done:
                line.n = 0
            for k in range(0, line.n, 2):
                out.data[out.size].y = span[stop - 1].y
                out.data[out.size].x_start = line.edge[k]
                out.data[out.size].x_stop = line.edge[k + 1]
                out.size += 1
        free(line.edge)
        free(line.spare)
        free(cleared)
    return taken(&out, good)


cdef void _apply(Line *line, const Span *span, Py_ssize_t count, uint8_t operation) noexcept nogil:
    """Apply an operation to a line and some runs of its row."""
    cdef bint keeps = operation >> 1 & 1, on, inside, within = False
    cdef Py_ssize_t first = _edges_before(line, span[0].x_start)
    cdef Py_ssize_t last = _edges_before(line, span[count - 1].x_stop + <int64_t> 1)
    cdef Py_ssize_t p = first, q = 0, n = 0
    cdef int64_t mine, other, x
    # Outside of the runs all stays as it is, or nothing does.
    inside = first & 1
    on = inside and keeps
    while p < last or q < 2 * count:
        mine = line.edge[p] if p < last else INT64_MAX
        other = (span[q // 2].x_stop if q & 1 else span[q // 2].x_start) if q < 2 * count else INT64_MAX
        x = min(mine, other)
        if mine == x:
            inside = not inside
            p += 1
        if other == x:
            within = not within
            q += 1
        if on != (operation >> (inside + 2 * within) & 1):
            on = not on
            line.spare[n] = <int32_t> x
            n += 1
    if not keeps:
        first, last = 0, line.n
    memmove(line.edge + first + n, line.edge + last, (line.n - last) * sizeof(int32_t))
    memcpy(line.edge + first, line.spare, n * sizeof(int32_t))
    line.n += n - (last - first)


cdef Py_ssize_t _edges_before(const Line *line, int64_t x) noexcept nogil:
    """Return how many edges are before a column."""
    cdef Py_ssize_t low = 0, high = line.n, middle
    while low < high:
        middle = (low + high) // 2
        if line.edge[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low
