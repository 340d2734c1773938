"""Outlines along the pixel edges, and convex hulls (docs/explanation/outlines)."""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from span cimport Span, first_runs


def outline(const int32_t[:, ::1] runs, const int64_t[::1] offsets):
    """Trace the outlines of many run sets, holes included.

    Returns ``vertices``, ``int32[m, 2]``, as pixel corners (corner x, y lies at x - 0.5, y - 0.5); the ``offsets`` of
    the rings in them, ``int64[rings + 1]``; and for each ring the index of a run that it bounds, ``int64[rings]``.
    Rings have their set on the left, do not repeat their first vertex, pass no vertex twice, and bound one
    4-connected component each.
    """
    cdef Py_ssize_t n = runs.shape[0], i
    cdef Tracer tracer
    cdef bint good
    # Two vertical edges a run, a corner at either end of each; no ring has fewer than four corners.
    corners = np.empty((4 * n, 2), np.int32)
    ring_offsets = np.zeros(n + 1, np.int64)
    ring_runs = np.empty(n, np.int64)
    if n == 0:
        return corners, ring_offsets, ring_runs
    cdef int32_t[:, ::1] vertices = corners
    cdef int64_t[::1] rings = ring_offsets
    cdef int64_t[::1] run_of_ring = ring_runs
    tracer.span = <const Span *> &runs[0, 0]
    tracer.next = <int64_t *> malloc(2 * n * sizeof(int64_t))
    tracer.pinch = <int64_t *> malloc(4 * n * sizeof(int64_t))
    tracer.seen = <int64_t *> malloc(2 * n * sizeof(int64_t))
    tracer.path = <Corner *> malloc(4 * n * sizeof(Corner))
    tracer.vertices = &vertices[0, 0]
    tracer.rings = &rings[0]
    tracer.run_of_ring = &run_of_ring[0]
    tracer.n_pinches = tracer.n_rings = 0
    good = tracer.next != NULL and tracer.pinch != NULL and tracer.seen != NULL and tracer.path != NULL
    if good:
        with nogil:
            memset(tracer.pinch, 0xff, 4 * n * sizeof(int64_t))
            memset(tracer.seen, 0xff, 2 * n * sizeof(int64_t))
            for i in range(offsets.shape[0] - 1):
                _link(&tracer, offsets[i], offsets[i + 1])
            for i in range(2 * n):
                if tracer.next[i] >= 0:
                    _trace(&tracer, i)
    free(tracer.next)
    free(tracer.pinch)
    free(tracer.seen)
    free(tracer.path)
    if not good:
        raise MemoryError("no memory for the outlines")
    return (
        corners[: tracer.rings[tracer.n_rings]].copy(),
        ring_offsets[: tracer.n_rings + 1].copy(),
        ring_runs[: tracer.n_rings].copy(),
    )


cdef struct Corner:
    int32_t x
    int32_t y
    int64_t pinch


# The left edge of run i is edge 2 * i, directed downwards; its right edge is 2 * i + 1, directed upwards.
cdef struct Tracer:
    const Span *span
    int64_t *next  # the vertical edge that follows each one; -1 once traced
    int64_t *pinch  # for the start and the end of each edge: the number of the pinch point there, or -1
    int64_t *seen  # where on the path each pinch point lies, or -1
    Corner *path
    int32_t *vertices
    int64_t *rings
    int64_t *run_of_ring
    int64_t n_pinches
    Py_ssize_t n_rings


cdef inline int32_t _x(const Tracer *tracer, int64_t edge) noexcept nogil:
    return tracer.span[edge >> 1].x_stop if edge & 1 else tracer.span[edge >> 1].x_start


cdef void _link(Tracer *tracer, Py_ssize_t begin, Py_ssize_t end) noexcept nogil:
    """Find for each edge of one set the edge that follows it, line by line between the rows."""
    cdef const Span *span = tracer.span
    cdef Py_ssize_t low = begin, low_end = begin, high = begin, high_end
    while high < end:
        high_end = high
        while high_end < end and span[high_end].y == span[high].y:
            high_end += 1
        if low < low_end and span[low].y < span[high].y - <int64_t> 1:
            _link_line(tracer, low, low_end, high, high)
            low = low_end
        _link_line(tracer, low, low_end, high, high_end)
        low, low_end, high = high, high_end, high_end
    _link_line(tracer, low, low_end, high, high)


cdef void _link_line(
    Tracer *tracer, Py_ssize_t low, Py_ssize_t low_end, Py_ssize_t high, Py_ssize_t high_end
) noexcept nogil:
    """Link the vertical edges that meet the line between two adjacent rows, either of which may be empty.

    A piece of outline lies on the line wherever just one of the rows is on. It is walked leftwards over the low
    row and rightwards under the high row, from the edge that arrives at one end to the edge that departs at the other.
    """
    cdef int64_t p = 2 * low, q = 2 * high, p_end = 2 * low_end, q_end = 2 * high_end
    cdef int64_t waiting = -1  # the edge at the left end of the piece
    cdef bint low_on, high_on, p_here, q_here
    while p < p_end or q < q_end:
        # Even edges switch a row on, odd ones off.
        low_on, high_on = p & 1, q & 1
        p_here = p < p_end and (q == q_end or _x(tracer, p) <= _x(tracer, q))
        q_here = q < q_end and (p == p_end or _x(tracer, q) <= _x(tracer, p))
        if p_here and q_here and low_on == high_on:
            # A straight vertical line.
            if low_on:
                tracer.next[p] = q
            else:
                tracer.next[q] = p
        else:
            if low_on and not high_on:
                tracer.next[p if p_here else q] = waiting
            elif high_on and not low_on:
                tracer.next[waiting] = q if q_here else p
            if p_here and q_here:
                # Two pixels share only this corner: each piece keeps to its own.
                _mark_pinch(tracer, p, q)
                waiting = q if low_on else p
            else:
                waiting = p if p_here else q
        p += p_here
        q += q_here


cdef inline void _mark_pinch(Tracer *tracer, int64_t p, int64_t q) noexcept nogil:
    # Here the low row's right edge and the high row's left one end, or the other two start.
    cdef bint ends = p & 1
    tracer.pinch[2 * p + ends] = tracer.n_pinches
    tracer.pinch[2 * q + ends] = tracer.n_pinches
    tracer.n_pinches += 1


cdef void _trace(Tracer *tracer, int64_t first) noexcept nogil:
    """Follow the edges from `first` on and cut the path into rings that pass no corner twice."""
    cdef Py_ssize_t length = 0
    cdef int64_t edge = first, after
    cdef int32_t y
    while tracer.next[edge] >= 0:
        after = tracer.next[edge]
        tracer.next[edge] = -1
        if _x(tracer, edge) != _x(tracer, after):
            # Upward edges end at the top of their pixel.
            y = tracer.span[edge >> 1].y + (edge & 1)
            length = _pass(tracer, length, first >> 1, _x(tracer, edge), y, tracer.pinch[2 * edge + 1])
            length = _pass(tracer, length, first >> 1, _x(tracer, after), y, tracer.pinch[2 * after])
        edge = after
    _close_ring(tracer, 0, length, first >> 1)


cdef Py_ssize_t _pass(
    Tracer *tracer, Py_ssize_t length, int64_t run, int32_t x, int32_t y, int64_t pinch
) noexcept nogil:
    """Add a corner to the path, or cut off the ring that it closes; return the path's length."""
    cdef Py_ssize_t begin
    if pinch >= 0 and tracer.seen[pinch] >= 0:
        begin = tracer.seen[pinch]
        _close_ring(tracer, begin, length, run)
        tracer.seen[pinch] = begin
        return begin + 1
    if pinch >= 0:
        tracer.seen[pinch] = length
    tracer.path[length].x = x
    tracer.path[length].y = y
    tracer.path[length].pinch = pinch
    return length + 1


cdef void _close_ring(Tracer *tracer, Py_ssize_t begin, Py_ssize_t end, int64_t run) noexcept nogil:
    """Write the path from `begin` to `end` out as a ring and forget it."""
    cdef Py_ssize_t i, done = tracer.rings[tracer.n_rings]
    for i in range(begin, end):
        tracer.vertices[2 * (done + i - begin)] = tracer.path[i].x
        tracer.vertices[2 * (done + i - begin) + 1] = tracer.path[i].y
        if tracer.path[i].pinch >= 0:
            tracer.seen[tracer.path[i].pinch] = -1
    tracer.run_of_ring[tracer.n_rings] = run
    tracer.n_rings += 1
    tracer.rings[tracer.n_rings] = done + end - begin


def hull(const int32_t[:, ::1] runs):
    """Return the runs of the pixels whose centres lie in the convex hull of the centres of the pixels in `runs`."""
    cdef Py_ssize_t n = runs.shape[0], i, k, n_left = 0, n_right = 0, count = 0
    cdef const Span *span
    cdef Span *row
    cdef int64_t y
    if n == 0:
        return np.asarray(runs)
    # The vertices of the left and of the right chain, (y, x).
    cdef int64_t[:, ::1] left = np.empty((n, 2), np.int64)
    cdef int64_t[:, ::1] right = np.empty((n, 2), np.int64)
    cdef int32_t[:, ::1] out = np.empty((runs[n - 1, 0] - <int64_t> runs[0, 0] + 1, 3), np.int32)
    span = <const Span *> &runs[0, 0]
    row = <Span *> &out[0, 0]
    with nogil:
        for i in range(n):
            if i == 0 or span[i].y != span[i - 1].y:
                n_left = _push(&left[0, 0], n_left, span[i].y, span[i].x_start, 1)
            if i + 1 == n or span[i].y != span[i + 1].y:
                # The right chain is the left one of the mirrored set.
                n_right = _push(&right[0, 0], n_right, span[i].y, span[i].x_stop - <int64_t> 1, -1)
        i = k = 0
        for y in range(span[0].y, span[n - 1].y + <int64_t> 1):
            i += i + 2 < n_left and left[i + 1, 0] <= y
            k += k + 2 < n_right and right[k + 1, 0] <= y
            row[count].y = <int32_t> y
            row[count].x_start = <int32_t> _bound(&left[i, 0], n_left, y, 1)
            row[count].x_stop = <int32_t> (_bound(&right[k, 0], n_right, y, -1) + 1)
            # A thin hull may pass between the pixels of a row.
            count += row[count].x_start < row[count].x_stop
    return first_runs(np.asarray(out), count)


cdef Py_ssize_t _push(int64_t *chain, Py_ssize_t size, int64_t y, int64_t x, int sign) noexcept nogil:
    """Add a point to a convex chain (A. M. Andrew 1979); drop the points that it makes concave."""
    cdef int64_t *before
    while size >= 2:
        before = chain + 2 * (size - 2)
        if sign * _compare(x - before[3], before[2] - before[0], before[3] - before[1], y - before[2]) > 0:
            break
        size -= 1
    chain[2 * size] = y
    chain[2 * size + 1] = x
    return size + 1


cdef int _compare(int64_t a, int64_t b, int64_t c, int64_t d) noexcept nogil:
    """Return the sign of a * b - c * d, where b, d >= 0, and all are less than 2**32: products fit into 64 bits."""
    cdef uint64_t ab = <uint64_t> (-a if a < 0 else a) * <uint64_t> b
    cdef uint64_t cd = <uint64_t> (-c if c < 0 else c) * <uint64_t> d
    if (a < 0) != (c < 0):
        return (ab > 0 or cd > 0) * (-1 if a < 0 else 1)
    return ((ab > cd) - (ab < cd)) * (-1 if a < 0 else 1)


cdef int64_t _bound(const int64_t *edge, Py_ssize_t size, int64_t y, int sign) noexcept nogil:
    """Return the first (sign 1) or last (-1) column of row `y` inside the chain's edge (y, x), (y, x)."""
    cdef int64_t dx, dy
    cdef uint64_t product
    if size == 1:
        return edge[1]
    dx, dy = edge[3] - edge[1], edge[2] - edge[0]
    product = <uint64_t> (-dx if dx < 0 else dx) * <uint64_t> (y - edge[0])
    # Away from the start by |dx| (y - y0) / dy, rounded inwards.
    if (dx > 0) == (sign > 0):
        return edge[1] + sign * <int64_t> ((product + dy - 1) // dy if product else 0)
    return edge[1] - sign * <int64_t> (product // dy)
