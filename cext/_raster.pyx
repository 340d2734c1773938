"""Shapes, polygons and lines to the runs of the pixels whose centres lie strictly inside; many shapes at once.

Every kernel returns ``(runs, offsets)``: runs ``int32[n, 3]``, canonical within each shape, and ``int64[shapes + 1]``.
All clip to the box ``[x_start, x_stop) x [y_start, y_stop)`` before they do any work.
"""

import numpy as np

from libc.float cimport DBL_MAX
from libc.math cimport INFINITY, ceil, fabs, floor, hypot, sqrt
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, qsort
from libc.string cimport memcpy, memset

from memory cimport reserved
from span cimport RunBuffer, Span, pixel_of, reserve, taken

cdef extern from "memory.h":
    double clamped(double value, double low, double high) noexcept nogil

cdef extern from "chords.h":
    ctypedef struct Shape:
        double x, y         # centre
        double a, b         # semi-axes, half sides
        double cos, sin     # of the angle from +x to the first axis, counter-clockwise
        double column       # whole part of the centre, and what is left of it
        double part
        double half_height
        double shear        # of a chord's middle, columns a row
        double spread       # of a chord's half length
        bint small

    double LSSTREGIONS_DOUBT
    enum:
        ROWS

    ctypedef struct Rows:
        int32_t *start
        int32_t *stop
        double *doubt

    void chords(const Shape *, int32_t, Py_ssize_t, int32_t, int32_t, Rows *) noexcept nogil
    Py_ssize_t runs_of_rows(const Shape *, int32_t, Py_ssize_t, int32_t, int32_t, Span *) noexcept nogil

cdef enum:
    CIRCLE = 0
    ELLIPSE = 1
    RECTANGLE = 2

# Ends of a chord nearer than this to a pixel centre are decided by the shape's own inequality, not by the square root.
# Of many rows at once, those that may be so near are looked at again, with a margin: see LSSTREGIONS_DOUBT.
cdef double NEAR = 4e-6
# Beyond every int32: where doubles are cut off before they become integers. The sum of two still is an int64.
cdef double FAR = 1e18
# Where shapes are small: their columns, and whatever adds up to them, stay below 2^51.
cdef double SMALL = 2. ** 49


cdef inline int64_t floored(double value) noexcept nogil:
    """Return the floor of a value within +-FAR; libm's is a call on plain x86-64."""
    cdef int64_t whole = <int64_t> value
    return whole - (value < <double> whole)


cdef void prepare(Shape *shape, int kind) noexcept nogil:
    """Derive what a row of the shape needs."""
    cdef double height
    shape.column = clamped(floor(shape.x), -FAR, FAR)
    shape.part = shape.x - floor(shape.x)
    shape.shear, shape.spread = 0, 1
    if kind == CIRCLE:
        shape.half_height = shape.a
    elif kind == ELLIPSE:
        # The conic's silhouette: H^2 = a^2 sin^2 + b^2 cos^2.
        height = hypot(shape.a * shape.sin, shape.b * shape.cos)
        shape.half_height = height
        shape.shear = (shape.a / height) * (shape.a / height) - (shape.b / height) * (shape.b / height)
        shape.shear *= shape.sin * shape.cos
        shape.spread = (shape.a / height) * (shape.b / height)
    else:
        shape.half_height = shape.a * fabs(shape.sin) + shape.b * fabs(shape.cos)
    height = shape.half_height + ROWS
    # False for NaN, which sizes beyond 1e150 and below 1e-150 can bring about.
    shape.small = (
        kind != RECTANGLE
        and fabs(shape.x) < SMALL
        and fabs(shape.y) < SMALL
        and height < SMALL
        and height * shape.spread < SMALL
        and height * fabs(shape.shear) < SMALL
    )


cdef inline bint chord(const Shape *shape, int kind, double dy, double *low, double *high) noexcept nogil:
    """Give the ends of the chord at `dy` from the centre, as columns from the centre; False if there is none."""
    cdef double product, middle, half, first, second
    if kind == RECTANGLE:
        low[0] = -FAR
        high[0] = FAR
        if (shape.cos == 0 and fabs(dy) >= shape.a) or (shape.sin == 0 and fabs(dy) >= shape.b):
            return False
        if shape.cos != 0:
            first = (-shape.a - dy * shape.sin) / shape.cos
            second = (shape.a - dy * shape.sin) / shape.cos
            low[0] = max(low[0], min(first, second))
            high[0] = min(high[0], max(first, second))
        if shape.sin != 0:
            first = (dy * shape.cos - shape.b) / shape.sin
            second = (dy * shape.cos + shape.b) / shape.sin
            low[0] = max(low[0], min(first, second))
            high[0] = min(high[0], max(first, second))
        return low[0] <= high[0]
    product = (shape.half_height - fabs(dy)) * (shape.half_height + fabs(dy))
    if product <= 0:
        return False
    half = sqrt(product)
    middle = 0
    if kind == ELLIPSE:
        half *= shape.spread
        middle = dy * shape.shear
    low[0] = middle - half
    high[0] = middle + half
    return True


cdef inline bint holds(const Shape *shape, int kind, double dx, double dy) noexcept nogil:
    """Whether the point at (dx, dy) from the centre lies strictly inside."""
    cdef double u, v
    if kind == CIRCLE:
        return dx * dx < (shape.a - fabs(dy)) * (shape.a + fabs(dy))
    u = dx * shape.cos + dy * shape.sin
    v = dy * shape.cos - dx * shape.sin
    if kind == RECTANGLE:
        return fabs(u) < shape.a and fabs(v) < shape.b
    u /= shape.a
    v /= shape.b
    return u * u + v * v < 1


cdef void row_of(
    const Shape *shape, int kind, int32_t y, int32_t x_start, int32_t x_stop, int32_t *first, int32_t *last
) noexcept nogil:
    """Give the pixels of row `y` strictly inside."""
    cdef double low = 0, high = 0, dy = y - shape.y, beyond
    cdef int64_t start, stop
    first[0] = last[0] = x_start
    if not chord(shape, kind, dy, &low, &high):
        return
    # Columns are counted from the whole part of the centre: nothing is lost far from the origin.
    low = clamped(shape.part + low, -FAR, FAR)
    high = clamped(shape.part + high, -FAR, FAR)
    start = floored(low + 0.5)
    beyond = low - start
    start += beyond > 0 if fabs(beyond) >= NEAR else not holds(shape, kind, start - shape.part, dy)
    stop = floored(high + 0.5)
    beyond = high - stop
    stop += beyond > 0 if fabs(beyond) >= NEAR else holds(shape, kind, stop - shape.part, dy)
    first[0] = <int32_t> min(max(start + <int64_t> shape.column, x_start), x_stop)
    last[0] = <int32_t> min(max(stop + <int64_t> shape.column, x_start), x_stop)


cdef inline void rows_of(
    const Shape *shape, int kind, int32_t y, Py_ssize_t n, int32_t x_start, int32_t x_stop, Rows *rows
) noexcept nogil:
    """Give the pixels of `n` rows from `y` on that are strictly inside; `n` is at most ROWS."""
    cdef Py_ssize_t i
    if shape.small:
        chords(shape, y, (n + 7) & ~<Py_ssize_t> 7, x_start, x_stop, rows)
    for i in range(n):
        if not shape.small or rows.doubt[i] > LSSTREGIONS_DOUBT:
            row_of(shape, kind, y + <int32_t> i, x_start, x_stop, &rows.start[i], &rows.stop[i])


def limits(const double[:, ::1] columns):
    """Return the least and the greatest value of each row, ``double[2, rows]``: NaN where there is one, 0 of none."""
    cdef Py_ssize_t i, k, n = columns.shape[1]
    cdef double least, greatest, value
    result = np.zeros((2, columns.shape[0]))
    cdef double[:, ::1] out = result
    if n == 0:
        return result
    with nogil:
        for k in range(columns.shape[0]):
            least = greatest = columns[k, 0]
            for i in range(n):
                value = columns[k, i]
                # Written so that NaN, once there, stays.
                least = least if value >= least else value if least == least else least
                greatest = greatest if value <= greatest else value if greatest == greatest else greatest
            out[0, k], out[1, k] = least, greatest
    return result


def reach(const double[:, ::1] columns, double y_start, double y_stop):
    """Return ``(x_min, x_max, y_min, y_max, rows)``: how far shapes reach, and their heights in [y_start, y_stop)."""
    cdef Py_ssize_t i, n = columns.shape[1]
    cdef double x, y, a, b, cos, sin, width, height, rows = 0
    cdef double x_min = INFINITY, x_max = -INFINITY, y_min = INFINITY, y_max = -INFINITY
    with nogil:
        for i in range(n):
            x, y, a, b = columns[0, i], columns[1, i], columns[2, i], columns[3, i]
            cos, sin = columns[4, i], columns[5, i]
            width = fabs(a * cos) + fabs(b * sin)
            height = fabs(a * sin) + fabs(b * cos)
            x_min, x_max = min(x_min, x - width), max(x_max, x + width)
            y_min, y_max = min(y_min, y - height), max(y_max, y + height)
            rows += max(min(y + height, y_stop) - max(y - height, y_start), 0.)
    return x_min, x_max, y_min, y_max, rows


def reach_of_points(
    const double[::1] x, const double[::1] y, const int64_t[::1] offsets, double y_start, double y_stop
):
    """Return the same for groups of points; group i is ``offsets[i]`` to ``offsets[i + 1]``."""
    cdef Py_ssize_t i, k
    cdef double low, high, rows = 0
    cdef double x_min = INFINITY, x_max = -INFINITY, y_min = INFINITY, y_max = -INFINITY
    with nogil:
        for i in range(offsets.shape[0] - 1):
            low, high = INFINITY, -INFINITY
            for k in range(offsets[i], offsets[i + 1]):
                x_min, x_max = min(x_min, x[k]), max(x_max, x[k])
                low, high = min(low, y[k]), max(high, y[k])
            y_min, y_max = min(y_min, low), max(y_max, high)
            rows += max(min(high, y_stop) - max(low, y_start), 0.)
    return x_min, x_max, y_min, y_max, rows


def shapes(
    int kind, const double[:, ::1] columns, int32_t x_start, int32_t x_stop, int32_t y_start, int32_t y_stop
):
    """Return ``(runs, offsets)`` of circles (kind 0), ellipses (1) or rectangles (2), less their holes.

    The columns, ``double[8, n]``, are x, y, a, b, cos, sin, and a and b of the holes. Sizes are semi-axes; a hole of
    size 0 is none. A pixel on the edge of a hole belongs to the shape.
    """
    cdef Py_ssize_t i, n = columns.shape[1]
    cdef double rows = 0
    cdef bint good = True
    cdef RunBuffer runs
    cdef Shape outer, hole
    offsets = np.zeros(n + 1, np.int64)
    cdef int64_t[::1] stops = offsets
    memset(&runs, 0, sizeof(runs))
    with nogil:
        # Most shapes have about a run a row: most buffers need not grow.
        for i in range(n):
            rows += min(2 * max(columns[2, i], columns[3, i]) + 3, <double> y_stop - y_start)
        good = reserve(&runs, <Py_ssize_t> min(rows, 4e6))
        for i in range(n if good else 0):
            outer.x, outer.y, outer.a, outer.b = columns[0, i], columns[1, i], columns[2, i], columns[3, i]
            outer.cos, outer.sin = columns[4, i], columns[5, i]
            hole = outer
            hole.a, hole.b = columns[6, i], columns[7, i]
            prepare(&outer, kind)
            if hole.a > 0 and hole.b > 0:
                prepare(&hole, kind)
                good = append_shape(&runs, &outer, &hole, kind, x_start, x_stop, y_start, y_stop)
            else:
                good = append_shape(&runs, &outer, NULL, kind, x_start, x_stop, y_start, y_stop)
            if not good:
                break
            stops[i + 1] = runs.size
    return taken(&runs, good), offsets


cdef bint append_shape(
    RunBuffer *runs,
    const Shape *outer,
    const Shape *hole,
    int kind,
    int32_t x_start,
    int32_t x_stop,
    int32_t y_start,
    int32_t y_stop,
) noexcept nogil:
    """Append the runs of one shape; False if there is no memory for them."""
    cdef int32_t y
    cdef int32_t first = <int32_t> clamped(floor(outer.y - outer.half_height), y_start, y_stop)
    cdef int32_t last = <int32_t> clamped(ceil(outer.y + outer.half_height) + 1, y_start, y_stop)
    cdef Py_ssize_t i, n
    cdef Rows rows, gaps
    cdef Span *span
    n = last - <Py_ssize_t> first
    if not reserve(runs, (n if hole == NULL else 2 * n) + 8):
        return False
    span = runs.data + runs.size
    if hole == NULL and outer.small:
        n = runs_of_rows(outer, first, n, x_start, x_stop, span)
        if n >= 0:
            runs.size += n
            return True
    y = first
    while y < last:
        n = min(last - <Py_ssize_t> y, ROWS)
        rows_of(outer, kind, y, n, x_start, x_stop, &rows)
        if hole != NULL:
            rows_of(hole, kind, y, n, x_start, x_stop, &gaps)
        for i in range(n):
            span.y = y + <int32_t> i
            span.x_start = rows.start[i]
            span.x_stop = rows.stop[i]
            if hole != NULL and gaps.start[i] < gaps.stop[i] and span.x_start < span.x_stop:
                # Of a run cut in two, what is left of the hole comes first.
                span.x_stop = min(max(gaps.start[i], span.x_start), span.x_stop)
                span += span.x_start < span.x_stop
                span.y = y + <int32_t> i
                span.x_start = min(max(gaps.stop[i], rows.start[i]), rows.stop[i])
                span.x_stop = rows.stop[i]
            span += span.x_start < span.x_stop
        y += <int32_t> n
    runs.size = span - runs.data
    return True


# A polygon's edge that crosses rows [first, stop), directed upwards: it crosses row y where y0 <= y < y1.
cdef struct Edge:
    double x, y         # lower end
    double dx, dy       # to the upper end
    double slope
    int32_t first, stop


# What polygons need while they are filled, kept from one to the next.
cdef struct Filler:
    Edge *edges
    Py_ssize_t n_edges, edge_room
    int64_t *counts         # crossings of each row, then where its next one goes
    Py_ssize_t row_room
    int64_t *crossings      # of a band of rows, row by row
    int64_t *scratch
    Py_ssize_t crossing_room
    RunBuffer cuts          # pixels on corners and on level edges
    int32_t x_start, x_stop, y_start, y_stop


def polygons(
    const double[::1] x,
    const double[::1] y,
    const int64_t[::1] rings,
    const int64_t[::1] parts,
    int32_t x_start,
    int32_t x_stop,
    int32_t y_start,
    int32_t y_stop,
):
    """Return ``(runs, offsets)`` of polygons: a centre is inside if it is on no edge and has an odd number left of it.

    Polygon i has the rings ``parts[i]`` to ``parts[i + 1]``, ring j the vertices ``rings[j]`` to ``rings[j + 1]``; a
    ring is closed whether or not its first vertex is repeated. The cost is that of the crossings of edges and rows.
    """
    cdef Py_ssize_t i, n = parts.shape[0] - 1
    cdef bint good = True
    cdef RunBuffer runs
    cdef Filler filler
    offsets = np.zeros(n + 1, np.int64)
    cdef int64_t[::1] stops = offsets
    memset(&runs, 0, sizeof(runs))
    memset(&filler, 0, sizeof(filler))
    filler.x_start, filler.x_stop, filler.y_start, filler.y_stop = x_start, x_stop, y_start, y_stop
    with nogil:
        for i in range(n if x.shape[0] and x_start < x_stop and y_start < y_stop else 0):
            good = gather_edges(&filler, &x[0], &y[0], &rings[0], parts[i], parts[i + 1]) and fill(&filler, &runs)
            if not good:
                break
            stops[i + 1] = runs.size
        free(filler.edges)
        free(filler.counts)
        free(filler.crossings)
        free(filler.scratch)
        free(filler.cuts.data)
    return taken(&runs, good), offsets


cdef bint gather_edges(
    Filler *filler, const double *x, const double *y, const int64_t *rings, int64_t first_ring, int64_t last_ring
) noexcept nogil:
    """Collect the edges that cross rows, and the cuts; False if there is no memory."""
    cdef Py_ssize_t ring, i, last, lower, upper
    cdef bint level
    cdef double low, high
    cdef Edge *edge
    filler.n_edges = 0
    filler.cuts.size = 0
    if not reserved(<void **> &filler.edges, &filler.edge_room, rings[last_ring] - rings[first_ring], sizeof(Edge)):
        return False
    for ring in range(first_ring, last_ring):
        last = rings[ring + 1] - 1
        for i in range(rings[ring], rings[ring + 1]):
            lower, upper = (i, last) if y[i] < y[last] else (last, i)
            last = i
            # A level edge is cut out whole, any other at its upper end: at its lower end it has a crossing.
            level = y[lower] == y[upper]
            low = min(x[lower], x[upper]) if level else x[upper]
            high = max(x[lower], x[upper]) if level else x[upper]
            if not cut(filler, low, high, y[upper]):
                return False
            edge = filler.edges + filler.n_edges
            edge.x, edge.y = x[lower], y[lower]
            edge.dx, edge.dy = x[upper] - x[lower], y[upper] - y[lower]
            edge.slope = 0 if level else edge.dx / edge.dy
            edge.first = <int32_t> clamped(ceil(y[lower]), filler.y_start, filler.y_stop)
            edge.stop = <int32_t> clamped(ceil(y[upper]), filler.y_start, filler.y_stop)
            filler.n_edges += edge.first < edge.stop
    return True


cdef inline bint cut(Filler *filler, double low, double high, double y) noexcept nogil:
    """Note that the centres from `low` to `high` in row `y` are on the edge; False if there is no memory."""
    cdef Span *span
    if not filler.y_start <= y < filler.y_stop or y != floor(y):
        return True
    low = ceil(low)
    high = floor(high)
    if low > high or low >= filler.x_stop or high < filler.x_start:
        return True
    if not reserve(&filler.cuts, 1):
        return False
    span = filler.cuts.data + filler.cuts.size
    span.y = <int32_t> y
    span.x_start = <int32_t> clamped(low, filler.x_start, filler.x_stop)
    span.x_stop = <int32_t> clamped(high + 1, filler.x_start, filler.x_stop)
    filler.cuts.size += 1
    return True


cdef int before(const void *left, const void *right) noexcept nogil:
    """Order cuts as qsort wants it."""
    cdef const Span *a = <const Span *> left
    cdef const Span *b = <const Span *> right
    if a.y != b.y:
        return 1 if a.y > b.y else -1
    return (a.x_start > b.x_start) - (a.x_start < b.x_start)


cdef bint fill(Filler *filler, RunBuffer *runs) noexcept nogil:
    """Append the runs of the polygon whose edges were gathered; False if there is no memory."""
    cdef int32_t first = filler.y_stop, stop = filler.y_start, row, band
    cdef Py_ssize_t i, n_rows, next_cut = 0, start = runs.size
    cdef int64_t count, limit, total = 0, k
    cdef int64_t *at
    cdef Edge *edge
    for i in range(filler.n_edges):
        first = min(first, filler.edges[i].first)
        stop = max(stop, filler.edges[i].stop)
    if first >= stop:
        return True
    n_rows = stop - <Py_ssize_t> first
    if not reserved(<void **> &filler.counts, &filler.row_room, n_rows + 1, sizeof(int64_t)):
        return False
    memset(filler.counts, 0, (n_rows + 1) * sizeof(int64_t))
    for i in range(filler.n_edges):
        filler.counts[filler.edges[i].first - first] += 1
        filler.counts[filler.edges[i].stop - first] -= 1
    for i in range(n_rows):
        filler.counts[i] += filler.counts[i - 1] if i else 0
        total += filler.counts[i]
    if filler.cuts.size > 1:
        qsort(filler.cuts.data, filler.cuts.size, sizeof(Span), before)
    # Bands of rows bound the memory; as each has as many crossings as there are edges, looking at every edge for each
    # band costs no more than its crossings do.
    limit = max(filler.n_edges, <Py_ssize_t> 1 << 16)
    if not grow_crossings(filler, min(limit, total)):
        return False
    row = first
    while row < stop:
        band = row
        count = 0
        while band < stop and (band == row or count + filler.counts[band - first] <= limit):
            k = filler.counts[band - first]
            filler.counts[band - first] = count
            count += k
            band += 1
        for i in range(filler.n_edges):
            edge = filler.edges + i
            if edge.first < band and edge.stop > row:
                cross_rows(edge, max(edge.first, row), min(edge.stop, band), filler, first)
        at = filler.crossings
        while row < band:
            count = filler.counts[row - first] - (at - filler.crossings)
            sort(at, filler.scratch, count)
            if not append_row(runs, start, row, at, count, filler, &next_cut):
                return False
            at += count
            row += 1
    return True


cdef bint grow_crossings(Filler *filler, Py_ssize_t limit) noexcept nogil:
    cdef Py_ssize_t room = filler.crossing_room
    return (
        reserved(<void **> &filler.crossings, &room, limit, sizeof(int64_t))
        and reserved(<void **> &filler.scratch, &filler.crossing_room, limit, sizeof(int64_t))
    )


cdef inline void cross_rows(const Edge *edge, int32_t row, int32_t stop, Filler *filler, int32_t first) noexcept nogil:
    """Put down where the edge crosses each row: 2k if at the centre of pixel k, 2k + 1 if before the next one's.

    Pixels are counted from x_start; what lies outside is put beside the first or the last.
    """
    cdef double x, side
    cdef double low = filler.x_start - 1., high = <double> filler.x_stop
    cdef int64_t near, crossing
    # An edge may be so nearly level that its slope is too large for a number.
    cdef bint finite = fabs(edge.slope) <= DBL_MAX
    while row < stop:
        x = (row - edge.y) * edge.slope if finite else (row - edge.y) / edge.dy * edge.dx
        x = clamped(edge.x + x, low, high)
        near = floored(x + 0.5)
        if fabs(x - near) < NEAR:
            # The side of the edge on which the pixel's centre lies, in the pixel's own coordinates.
            side = (near - edge.x) * edge.dy - (row - edge.y) * edge.dx
            crossing = 2 * near + (side < 0) - (side > 0)
        else:
            crossing = 2 * floored(x) + 1
        filler.crossings[filler.counts[row - first]] = crossing - 2 * <int64_t> filler.x_start
        filler.counts[row - first] += 1
        row += 1


cdef void sort(int64_t *values, int64_t *scratch, Py_ssize_t n) noexcept nogil:
    """Sort in place: by insertion if few, by counting if they are close, else by digits of 11 bits."""
    cdef Py_ssize_t i, j
    cdef int64_t value, low, high
    cdef int64_t *source = values
    cdef int64_t *target = scratch
    cdef int64_t *other
    cdef Py_ssize_t[2048] places
    cdef int shift = 0
    if n <= 48:
        for i in range(1, n):
            value = values[i]
            j = i
            while j > 0 and values[j - 1] > value:
                values[j] = values[j - 1]
                j -= 1
            values[j] = value
        return
    low = high = values[0]
    for i in range(1, n):
        low = min(low, values[i])
        high = max(high, values[i])
    if high - low < n:
        memset(scratch, 0, (high - low + 1) * sizeof(int64_t))
        for i in range(n):
            scratch[values[i] - low] += 1
        j = 0
        for value in range(low, high + 1):
            for i in range(scratch[value - low]):
                values[j + i] = value
            j += scratch[value - low]
        return
    while (high - low) >> shift:
        memset(places, 0, sizeof(places))
        for i in range(n):
            places[((source[i] - low) >> shift) & 2047] += 1
        j = 0
        for i in range(2048):
            j += places[i]
            places[i] = j - places[i]
        for i in range(n):
            value = (source[i] - low) >> shift & 2047
            target[places[value]] = source[i]
            places[value] += 1
        other = source
        source = target
        target = other
        shift += 11
    if source != values:
        memcpy(values, source, n * sizeof(int64_t))


cdef inline bint append_row(
    RunBuffer *runs,
    Py_ssize_t start,
    int32_t row,
    const int64_t *crossings,
    Py_ssize_t n,
    Filler *filler,
    Py_ssize_t *next_cut,
) noexcept nogil:
    """Append the pixels between the first crossing and the second, the third and the fourth..., less the cuts."""
    cdef Py_ssize_t i, c = next_cut[0]
    cdef const Span *cuts = filler.cuts.data
    cdef int64_t x, stop, piece, width = filler.x_stop - <int64_t> filler.x_start
    while c < filler.cuts.size and cuts[c].y < row:
        c += 1
    # Each run and each cut of the row ends at most one run.
    next_cut[0] = c
    while next_cut[0] < filler.cuts.size and cuts[next_cut[0]].y == row:
        next_cut[0] += 1
    if not reserve(runs, n // 2 + next_cut[0] - c):
        return False
    for i in range(0, n - 1, 2):
        x = max((crossings[i] >> 1) + 1, 0) + filler.x_start
        stop = min((crossings[i + 1] + 1) >> 1, width) + filler.x_start
        while x < stop:
            while c < next_cut[0] and cuts[c].x_stop <= x:
                c += 1
            piece = min(stop, cuts[c].x_start) if c < next_cut[0] else stop
            if x < piece:
                append(runs, start, row, <int32_t> x, <int32_t> piece)
            x = cuts[c].x_stop if c < next_cut[0] and cuts[c].x_start < stop else stop
    return True


cdef inline void append(RunBuffer *runs, Py_ssize_t start, int32_t y, int32_t x_start, int32_t x_stop) noexcept nogil:
    """Append a run that follows those of its shape, which begin at `start`; join it to the last if they touch."""
    cdef Span *last = runs.data + runs.size - 1
    if runs.size > start and last.y == y and last.x_stop == x_start:
        last.x_stop = x_stop
        return
    last[1].y = y
    last[1].x_start = x_start
    last[1].x_stop = x_stop
    runs.size += 1


def lines(
    const double[::1] x,
    const double[::1] y,
    const double[::1] x_end,
    const double[::1] y_end,
    int32_t x_start,
    int32_t x_stop,
    int32_t y_start,
    int32_t y_stop,
):
    """Return ``(runs, offsets)`` of the pixels that hold a point between the ends of each line, or a point."""
    cdef Py_ssize_t i, n = x.shape[0]
    cdef bint good = True
    cdef RunBuffer runs
    offsets = np.zeros(n + 1, np.int64)
    cdef int64_t[::1] stops = offsets
    memset(&runs, 0, sizeof(runs))
    with nogil:
        for i in range(n if x_start < x_stop and y_start < y_stop else 0):
            if y[i] <= y_end[i]:
                good = append_line(&runs, x[i], y[i], x_end[i], y_end[i], x_start, x_stop, y_start, y_stop)
            else:
                good = append_line(&runs, x_end[i], y_end[i], x[i], y[i], x_start, x_stop, y_start, y_stop)
            if not good:
                break
            stops[i + 1] = runs.size
    return taken(&runs, good), offsets


cdef bint append_line(
    RunBuffer *runs,
    double x0,
    double y0,
    double x1,
    double y1,
    int32_t x_start,
    int32_t x_stop,
    int32_t y_start,
    int32_t y_stop,
) noexcept nogil:
    """Append the pixels of the open line from (x0, y0) up to (x1, y1); False if there is no memory."""
    cdef double bottom = pixel_of(y0), top = ceil(y1 - 0.5), low, high
    cdef double left, right
    cdef int32_t row, first, last
    cdef bint level = y0 == y1, closed
    if level:
        top = bottom
    first = <int32_t> clamped(bottom, y_start, y_stop)
    last = <int32_t> clamped(top + 1, y_start, y_stop)
    if not reserve(runs, max(0, last - <Py_ssize_t> first)):
        return False
    for row in range(first, last):
        # Where the line enters and leaves the row; a row holds its lower border, the line neither of its ends.
        closed = row > bottom
        low = x0
        high = x1
        if closed:
            low = x0 + (row - 0.5 - y0) * (x1 - x0) / (y1 - y0)
        if row < top:
            high = x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)
        if low < high:
            left = pixel_of(low)
            right = ceil(high - 0.5)
        elif low > high:
            left = pixel_of(high)
            right = pixel_of(low) if closed else ceil(low - 0.5)
        else:
            left = right = pixel_of(low)
        left = clamped(left, x_start, x_stop)
        right = clamped(right + 1, x_start, x_stop)
        if left < right:
            append(runs, runs.size, row, <int32_t> left, <int32_t> right)
    return True


def subtract_each(const int32_t[:, ::1] runs, const int64_t[::1] offsets, const int32_t[:, ::1] cut):
    """Return ``(runs, offsets)`` of canonical groups without the pixels of the canonical runs `cut`."""
    cdef Py_ssize_t i, group, place, n = offsets.shape[0] - 1
    cdef bint good = True
    cdef int32_t x
    cdef RunBuffer out
    cdef const Span *span = <const Span *> &runs[0, 0] if runs.shape[0] else NULL
    cdef const Span *hole = <const Span *> &cut[0, 0] if cut.shape[0] else NULL
    new_offsets = np.zeros(n + 1, np.int64)
    cdef int64_t[::1] stops = new_offsets
    memset(&out, 0, sizeof(out))
    with nogil:
        for group in range(n):
            for i in range(offsets[group], offsets[group + 1]):
                x = span[i].x_start
                place = first_after(hole, cut.shape[0], span[i].y, x)
                while good and place < cut.shape[0]:
                    if hole[place].y != span[i].y or hole[place].x_start >= span[i].x_stop:
                        break
                    good = reserve(&out, 1)
                    if good and x < hole[place].x_start:
                        append(&out, out.size, span[i].y, x, hole[place].x_start)
                    x = hole[place].x_stop
                    place += 1
                good = good and reserve(&out, 1)
                if not good:
                    break
                if x < span[i].x_stop:
                    append(&out, out.size, span[i].y, x, span[i].x_stop)
            if not good:
                break
            stops[group + 1] = out.size
    return taken(&out, good), new_offsets


cdef Py_ssize_t first_after(const Span *span, Py_ssize_t n, int32_t y, int32_t x) noexcept nogil:
    """Return the index of the first run that ends after the pixel edge (y, x)."""
    cdef Py_ssize_t low = 0, middle
    while low < n:
        middle = (low + n) // 2
        if span[middle].y < y or (span[middle].y == y and span[middle].x_stop <= x):
            low = middle + 1
        else:
            n = middle
    return low
