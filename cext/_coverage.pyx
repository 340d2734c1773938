"""The exact share of every pixel that lies in a shape, and weighted sums over it.

The border is walked from pixel to pixel. A piece of it inside one pixel adds its signed height, and the area between it
and the pixel's right side, to a row of differences; the running sum of the row is the coverage (signed-area
accumulation, as in the rasterizers of font-rs and stb_truetype). An arc is a chord and the area between the two, which
in the coordinates of the unit circle depends on the length of the chord alone. Interior pixels are never looked at.

A coverage comes as pieces: spans ``int32[n, 3]`` of equal weight ``float64[n]``, in raster order.
"""

import numpy as np

from libc.float cimport DBL_MAX
from libc.math cimport asin, ceil, fabs, floor, hypot, sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

from span cimport Span

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define prefetch(address) __builtin_prefetch(address)
    #else
    #define prefetch(address) ((void)(address))
    #endif
    """
    void prefetch(const void *) noexcept nogil

cdef extern from "bits.h":
    int count_trailing_zeros(uint64_t) noexcept nogil

# What rounding leaves of a coverage of none or all, relative to what was added up.
cdef double ROUNDING = 1e-15


# How many pieces before it is summed a pixel is called from memory.
cdef enum:
    AHEAD = 32
    # Shapes that are covered before they are summed.
    GROUP = 32


cdef struct Pieces:
    Span *span
    double *weight
    Py_ssize_t size
    Py_ssize_t capacity


# One row of differences; column k is the pixel x0 + k, which extends from k to k + 1.
cdef struct Row:
    double *difference
    uint64_t *touched
    Py_ssize_t capacity
    int32_t x0
    Py_ssize_t width


cdef struct Conic:
    double x, y             # centre; x from the left side of the row's first pixel
    double area             # a b
    double height, width    # half extents
    double shear, spread    # of chords along x, by rows
    double lean, rise       # of chords along y, by columns
    double u_x, u_y, v_x, v_y   # to the unit circle


cdef inline double clamp(double value, double low, double high) noexcept nogil:
    return (value if value < high else high) if value > low else low


cdef bint widen(Row *row, Py_ssize_t width) noexcept nogil:
    """Make room for a row of `width` pixels and one beyond; False if there is no memory."""
    row.width = width
    if width + 2 <= row.capacity:
        return True
    free(row.difference)
    free(row.touched)
    row.capacity = width + width // 2 + 64
    row.difference = <double *> calloc(row.capacity, sizeof(double))
    row.touched = <uint64_t *> calloc(row.capacity // 64 + 1, sizeof(uint64_t))
    return row.difference != NULL and row.touched != NULL


cdef inline void add(Row *row, Py_ssize_t column, double here, double beyond) noexcept nogil:
    """Add to the coverage of a column, and to that of all columns beyond it."""
    row.difference[column] += here
    row.difference[column + 1] += beyond - here
    row.touched[column >> 6] |= <uint64_t> 1 << (column & 63)
    row.touched[(column + 1) >> 6] |= <uint64_t> 1 << ((column + 1) & 63)


cdef inline double segment(const Conic *conic, double dx, double dy) noexcept nogil:
    """Return the area between an arc and its chord (dx, dy)."""
    cdef double u = conic.u_x * dx + conic.u_y * dy
    cdef double v = conic.v_x * dx + conic.v_y * dy
    # Half a chord of the unit circle: the sine of half the angle.
    cdef double s2 = (u * u + v * v) / 4, s
    if s2 < 0.01:
        # asin(s) - s sqrt(1 - s^2), without its cancellation.
        s = s2 * (35 / 704. + s2 * (63 / 1664.))
        s = s2 * (1 / 5. + s2 * (3 / 28. + s2 * (5 / 72. + s)))
        return conic.area * sqrt(s2) * s2 * (2 / 3. + s)
    s = sqrt(min(s2, 1.))
    return conic.area * (asin(s) - s * sqrt(1 - min(s2, 1.)))


cdef inline double height_at(const Conic *conic, double x, bint upper) noexcept nogil:
    """Return y on the lower or the upper arc at column border `x`, from the centre."""
    cdef double dx = x - conic.x
    cdef double half = conic.rise * sqrt(max(0., (conic.width - fabs(dx)) * (conic.width + fabs(dx))))
    return conic.lean * dx + (half if upper else -half)


cdef inline void walk_arc(
    Row *row, const Conic *conic, double x, double y, double x_end, double y_end, bint upper, double sign, double bulge
) noexcept nogil:
    """Add an arc within one row on which x and y are monotone; `sign` is that of what is to its right."""
    cdef double x_next, y_next, high, dy
    cdef double low
    cdef Py_ssize_t column
    if x > x_end:
        x, x_end = x_end, x
        y, y_end = y_end, y
    low, high = min(y, y_end), max(y, y_end)
    if x >= row.width:
        return
    if x < 0:
        y_next = y_end if x_end <= 0 else clamp(height_at(conic, 0, upper), low, high)
        add(row, 0, sign * fabs(y_next - y), sign * fabs(y_next - y))
        if x_end <= 0:
            return
        x, y = 0, y_next
    column = <Py_ssize_t> x
    while column < row.width:
        x_next = column + 1
        if x_end <= x_next:
            x_next, y_next = x_end, y_end
        else:
            y_next = clamp(height_at(conic, x_next, upper), low, high)
        dy = fabs(y_next - y)
        add(
            row,
            column,
            sign * dy * (column + 1 - (x + x_next) / 2) + bulge * segment(conic, x_next - x, y_next - y),
            sign * dy,
        )
        x, y = x_next, y_next
        if x >= x_end:
            return
        column += 1


cdef void walk_line(Row *row, double x, double y, double x_end, double y_end, double sign) noexcept nogil:
    """Add a straight line within one row; `sign` is that of what is to its right."""
    cdef double x_next, slope, dy
    cdef Py_ssize_t column
    if x > x_end:
        x, x_end = x_end, x
        y, y_end = y_end, y
    if x >= row.width or y == y_end:
        return
    if x_end <= 0:
        add(row, 0, sign * fabs(y_end - y), sign * fabs(y_end - y))
        return
    slope = fabs(y_end - y) / (x_end - x) if x_end > x else 0
    if x < 0:
        add(row, 0, -sign * x * slope, -sign * x * slope)
        x = 0
    elif x_end == x:
        column = <Py_ssize_t> x
        add(row, column, sign * fabs(y_end - y) * (column + 1 - x), sign * fabs(y_end - y))
        return
    column = <Py_ssize_t> x
    while column < row.width and x < x_end:
        x_next = min(x_end, <double> (column + 1))
        dy = sign * slope * (x_next - x)
        add(row, column, dy * (column + 1 - (x + x_next) / 2), dy)
        x = x_next
        column += 1


cdef inline bint room_for(Pieces *pieces, Py_ssize_t more) noexcept nogil:
    cdef Py_ssize_t capacity
    cdef void *data
    if pieces.size + more <= pieces.capacity:
        return True
    capacity = pieces.size + more + pieces.capacity // 2 + 64
    data = realloc(pieces.span, capacity * sizeof(Span))
    if data == NULL:
        return False
    pieces.span = <Span *> data
    data = realloc(pieces.weight, capacity * sizeof(double))
    if data == NULL:
        return False
    pieces.weight = <double *> data
    pieces.capacity = capacity
    return True


cdef bint finish(Row *row, int32_t y, Pieces *pieces) noexcept nogil:
    """Append a row's pieces and clear it; False if there is no memory."""
    cdef Py_ssize_t word, column, x = 0
    cdef uint64_t bits
    cdef double weight = 0, running = 0, change, noise = 0
    for word in range((row.width >> 6) + 1):
        bits = row.touched[word]
        row.touched[word] = 0
        if bits == 0:
            continue
        # Every column may end a stretch and be a piece.
        if not room_for(pieces, 128):
            return False
        while bits:
            column = (word << 6) + count_trailing_zeros(bits)
            bits &= bits - 1
            if column > x:
                append(pieces, y, row.x0, x, min(column, row.width), weight)
            change = row.difference[column]
            row.difference[column] = 0
            running += change
            noise += ROUNDING * fabs(change)
            weight = 0 if running < noise else 1 if running > 1 - max(noise, 100 * ROUNDING) else running
            x = column
    # What is left goes on to the right end of the row.
    if not room_for(pieces, 1):
        return False
    append(pieces, y, row.x0, x, row.width, weight)
    return True


cdef inline void append(
    Pieces *pieces, int32_t y, int32_t x0, Py_ssize_t start, Py_ssize_t stop, double weight
) noexcept nogil:
    """Append a piece, or lengthen the last one."""
    cdef Span *last = pieces.span + pieces.size - 1
    cdef int32_t x_start = x0 + <int32_t> start
    if start >= stop or weight <= 0:
        return
    if pieces.size and last.y == y and last.x_stop == x_start and pieces.weight[pieces.size - 1] == weight:
        last.x_stop = x0 + <int32_t> stop
        return
    last[1].y = y
    last[1].x_start = x_start
    last[1].x_stop = x0 + <int32_t> stop
    pieces.weight[pieces.size] = weight
    pieces.size += 1


cdef void prepare(Conic *conic, double x, double y, double a, double b, double cos, double sin) noexcept nogil:
    """Derive what the walk along a conic's border needs."""
    conic.x, conic.y, conic.area = x, y, a * b
    conic.width, conic.height = hypot(a * cos, b * sin), hypot(a * sin, b * cos)
    conic.shear = (a - b) / conic.height * ((a + b) / conic.height) * sin * cos
    conic.lean = (a - b) / conic.width * ((a + b) / conic.width) * sin * cos
    conic.spread = a / conic.height * (b / conic.height)
    conic.rise = a / conic.width * (b / conic.width)
    conic.u_x, conic.u_y, conic.v_x, conic.v_y = cos / a, sin / a, -sin / b, cos / b


cdef inline double half_chord(const Conic *conic, double dy) noexcept nogil:
    return conic.spread * sqrt(max(0., (conic.height - fabs(dy)) * (conic.height + fabs(dy))))


cdef inline void walk_branch(
    Row *row, const Conic *conic, double x, double y, double x_end, double y_end, double side, double sign
) noexcept nogil:
    """Add the left (side -1) or right (1) border of a conic within one row, cut where it turns back."""
    cdef double turn = side * conic.lean * conic.width
    if y < turn < y_end:
        walk_arc(row, conic, x, y, conic.x + side * conic.width, turn, False, -side * sign, sign)
        walk_arc(row, conic, conic.x + side * conic.width, turn, x_end, y_end, True, -side * sign, sign)
    else:
        walk_arc(row, conic, x, y, x_end, y_end, y >= turn, -side * sign, sign)


cdef void cross_row(Row *row, const Conic *conic, int32_t y, double sign) noexcept nogil:
    """Add a conic's part of a row."""
    cdef double low = clamp(y - 0.5 - conic.y, -conic.height, conic.height)
    cdef double high = clamp(y + 0.5 - conic.y, -conic.height, conic.height)
    cdef double middle, half, middle_end, half_end
    if low >= high:
        return
    middle, half = conic.x + conic.shear * low, half_chord(conic, low)
    middle_end, half_end = conic.x + conic.shear * high, half_chord(conic, high)
    walk_branch(row, conic, middle - half, low, middle_end - half_end, high, -1, sign)
    walk_branch(row, conic, middle + half, low, middle_end + half_end, high, 1, sign)


cdef bint cover_conic(
    Row *row,
    Pieces *pieces,
    double x,
    double y,
    double a,
    double b,
    double cos,
    double sin,
    double a_hole,
    double b_hole,
    int32_t x_start,
    int32_t x_stop,
    int32_t y_start,
    int32_t y_stop,
) noexcept nogil:
    """Append the pieces of one conic; False if there is no memory."""
    cdef Conic outer, hole
    cdef int32_t first, last, left, right, row_y
    cdef bint hollow = a_hole > 0 and b_hole > 0
    if not (a > 0 and b > 0):
        return True
    prepare(&outer, x, y, a, b, cos, sin)
    first = <int32_t> clamp(floor(y - outer.height + 0.5), y_start, y_stop)
    last = <int32_t> clamp(ceil(y + outer.height + 0.5), y_start, y_stop)
    left = <int32_t> clamp(floor(x - outer.width + 0.5), x_start, x_stop)
    right = <int32_t> clamp(ceil(x + outer.width + 0.5), x_start, x_stop)
    if left >= right or first >= last:
        return True
    if not widen(row, right - <Py_ssize_t> left):
        return False
    row.x0 = left
    # From the left side of the first pixel: nothing is lost far from the origin.
    outer.x = x - left + 0.5
    if hollow:
        prepare(&hole, outer.x, y, a_hole, b_hole, cos, sin)
    for row_y in range(first, last):
        cross_row(row, &outer, row_y, 1)
        if hollow:
            cross_row(row, &hole, row_y, -1)
        if not finish(row, row_y, pieces):
            return False
    return True


def conics(
    const double[:] x,
    const double[:] y,
    const double[:] a,
    const double[:] b,
    const double[:] cos,
    const double[:] sin,
    const double[:] a_hole,
    const double[:] b_hole,
    int32_t x_start,
    int32_t x_stop,
    int32_t y_start,
    int32_t y_stop,
):
    """Return ``(spans, weights, offsets)`` of ellipses of semi-axes a, b, less holes; arrays are ``double[n]``."""
    cdef Py_ssize_t i, n = x.shape[0]
    cdef bint good = True
    cdef Row row
    cdef Pieces pieces
    offsets = np.zeros(n + 1, np.int64)
    cdef int64_t[::1] stops = offsets
    memset(&row, 0, sizeof(row))
    memset(&pieces, 0, sizeof(pieces))
    with nogil:
        for i in range(n):
            good = cover_conic(
                &row, &pieces, x[i], y[i], a[i], b[i], cos[i], sin[i], a_hole[i], b_hole[i],
                x_start, x_stop, y_start, y_stop,
            )
            if not good:
                break
            stops[i + 1] = pieces.size
        free(row.difference)
        free(row.touched)
    return *taken_pieces(&pieces, good), offsets


cdef object taken_pieces(Pieces *pieces, bint good):
    """Copy pieces into two arrays and free them; raise where there was no memory."""
    cdef int32_t[:, ::1] spans
    cdef double[::1] weights
    try:
        if not good:
            raise MemoryError("no memory for the coverage")
        result = np.empty((pieces.size, 3), np.int32), np.empty(pieces.size)
        if pieces.size:
            spans, weights = result
            memcpy(&spans[0, 0], pieces.span, pieces.size * sizeof(Span))
            memcpy(&weights[0], pieces.weight, pieces.size * sizeof(double))
        return result
    finally:
        free(pieces.span)
        free(pieces.weight)


# An edge of a polygon, directed upwards; `sign` is that of what is to its right.
cdef struct Edge:
    double x, y, x_end, y_end
    double slope
    double sign
    int32_t first, last     # its rows, both included


# What polygons need while they are covered, kept from one to the next.
cdef struct Work:
    Edge *edges
    int64_t *order      # of the edges by their first row
    int64_t *active
    Py_ssize_t n_edges, edge_room
    int64_t *starts     # where each row's edges begin in `order`
    Py_ssize_t row_room


cdef bint grow(void **data, Py_ssize_t needed, Py_ssize_t itemsize) noexcept nogil:
    cdef void *larger = realloc(data[0], max(needed, 1) * itemsize)
    if larger == NULL:
        return False
    data[0] = larger
    return True


def polygons(
    const double[::1] x,
    const double[::1] y,
    const int64_t[::1] rings,
    const int64_t[::1] parts,
    const uint8_t[::1] holes,
    int32_t x_start,
    int32_t x_stop,
    int32_t y_start,
    int32_t y_stop,
):
    """Return ``(spans, weights, offsets)`` of polygons whose rings do not cross.

    Polygon i has the rings ``parts[i]`` to ``parts[i + 1]``, ring j the vertices ``rings[j]`` to ``rings[j + 1]``, in
    either direction; ``holes[j]`` says whether it takes away.
    """
    cdef Py_ssize_t i, j, n = parts.shape[0] - 1
    cdef int32_t first, last, left, right
    cdef double x_min, x_max, y_min, y_max
    cdef bint good = True
    cdef Row row
    cdef Pieces pieces
    cdef Work work
    offsets = np.zeros(n + 1, np.int64)
    cdef int64_t[::1] stops = offsets
    memset(&row, 0, sizeof(row))
    memset(&pieces, 0, sizeof(pieces))
    memset(&work, 0, sizeof(work))
    with nogil:
        for i in range(n):
            stops[i + 1] = pieces.size
            if rings[parts[i]] == rings[parts[i + 1]]:
                continue
            x_min = x_max = x[rings[parts[i]]]
            y_min = y_max = y[rings[parts[i]]]
            for j in range(rings[parts[i]], rings[parts[i + 1]]):
                x_min, x_max = min(x_min, x[j]), max(x_max, x[j])
                y_min, y_max = min(y_min, y[j]), max(y_max, y[j])
            first = <int32_t> clamp(floor(y_min + 0.5), y_start, y_stop)
            last = <int32_t> clamp(ceil(y_max + 0.5), y_start, y_stop)
            left = <int32_t> clamp(floor(x_min + 0.5), x_start, x_stop)
            right = <int32_t> clamp(ceil(x_max + 0.5), x_start, x_stop)
            if left >= right or first >= last:
                continue
            row.x0 = left
            good = (
                widen(&row, right - <Py_ssize_t> left)
                and gather_edges(
                    &work, &x[0], &y[0], &rings[0], &holes[0], parts[i], parts[i + 1], left - 0.5, first, last
                )
                and cover_rows(&work, &row, &pieces, first, last)
            )
            if not good:
                break
            stops[i + 1] = pieces.size
        free(row.difference)
        free(row.touched)
        free(work.edges)
        free(work.order)
        free(work.active)
        free(work.starts)
    return *taken_pieces(&pieces, good), offsets


cdef bint gather_edges(
    Work *work,
    const double *x,
    const double *y,
    const int64_t *rings,
    const uint8_t *holes,
    int64_t first_ring,
    int64_t last_ring,
    double x0,
    int32_t first,
    int32_t last,
) noexcept nogil:
    """Collect the edges that cross rows [first, last), with x from `x0`; False if there is no memory."""
    cdef Py_ssize_t ring, i, before, room = rings[last_ring] - rings[first_ring]
    cdef double area, sign
    cdef Edge *edge
    work.n_edges = 0
    if room > work.edge_room:
        if not (
            grow(<void **> &work.edges, room, sizeof(Edge))
            and grow(<void **> &work.order, room, sizeof(int64_t))
            and grow(<void **> &work.active, room, sizeof(int64_t))
        ):
            return False
        work.edge_room = room
    for ring in range(first_ring, last_ring):
        before = rings[ring + 1] - 1
        area = 0
        for i in range(rings[ring], rings[ring + 1]):
            area += (x[before] - x[rings[ring]]) * (y[i] - y[rings[ring]])
            area -= (x[i] - x[rings[ring]]) * (y[before] - y[rings[ring]])
            before = i
        # Counter-clockwise, what an upward edge has on its right is outside.
        sign = (-1 if area > 0 else 1) * (-1 if holes[ring] else 1)
        for i in range(rings[ring], rings[ring + 1]):
            edge = work.edges + work.n_edges
            if y[before] < y[i]:
                edge.x, edge.y, edge.x_end, edge.y_end = x[before] - x0, y[before], x[i] - x0, y[i]
                edge.sign = sign
            else:
                edge.x, edge.y, edge.x_end, edge.y_end = x[i] - x0, y[i], x[before] - x0, y[before]
                edge.sign = -sign
            before = i
            if edge.y == edge.y_end or edge.y >= last - 0.5 or edge.y_end <= first - 0.5:
                continue
            edge.slope = (edge.x_end - edge.x) / (edge.y_end - edge.y)
            # So nearly level that it bounds no area that a number could tell.
            if fabs(edge.slope) > DBL_MAX:
                continue
            edge.first = <int32_t> clamp(floor(edge.y + 0.5), first, last - 1)
            edge.last = <int32_t> clamp(ceil(edge.y_end - 0.5), first, last - 1)
            work.n_edges += 1
    return True


cdef bint cover_rows(Work *work, Row *row, Pieces *pieces, int32_t first, int32_t last) noexcept nogil:
    """Append the pieces of the polygon whose edges were gathered; False if there is no memory."""
    cdef Py_ssize_t i, n_active = 0, n_rows = last - <Py_ssize_t> first, next_edge = 0
    cdef int64_t count, total = 0
    cdef int32_t y
    cdef const Edge *edge
    if n_rows + 1 > work.row_room:
        if not grow(<void **> &work.starts, n_rows + 1, sizeof(int64_t)):
            return False
        work.row_room = n_rows + 1
    memset(work.starts, 0, (n_rows + 1) * sizeof(int64_t))
    for i in range(work.n_edges):
        work.starts[work.edges[i].first - first] += 1
    for i in range(n_rows):
        count = work.starts[i]
        work.starts[i] = total
        total += count
    for i in range(work.n_edges):
        count = work.edges[i].first - first
        work.order[work.starts[count]] = i
        work.starts[count] += 1
    for y in range(first, last):
        while next_edge < work.n_edges and work.edges[work.order[next_edge]].first == y:
            work.active[n_active] = work.order[next_edge]
            n_active += 1
            next_edge += 1
        if n_active == 0:
            continue
        i = 0
        while i < n_active:
            edge = work.edges + work.active[i]
            cross_edge(row, edge, y)
            if edge.last == y:
                n_active -= 1
                work.active[i] = work.active[n_active]
            else:
                i += 1
        if not finish(row, y, pieces):
            return False
    return True


cdef inline void cross_edge(Row *row, const Edge *edge, int32_t y) noexcept nogil:
    """Add an edge's part of a row."""
    cdef double low = max(edge.y, y - 0.5), high = min(edge.y_end, y + 0.5)
    cdef double x = edge.x, x_end = edge.x_end
    if low > edge.y:
        x += (low - edge.y) * edge.slope
    if high < edge.y_end:
        x_end = edge.x + (high - edge.y) * edge.slope
    # In the row's own coordinates: differences of y stay exact far from the origin.
    walk_line(row, x, low - y, x_end, high - y, edge.sign)


ctypedef fused pixel:
    float
    double


def spread(const int32_t[:, ::1] spans, const double[::1] weights):
    """Return the weight of every pixel, ``double[area]``."""
    cdef Py_ssize_t i, k, n = spans.shape[0], count, done = 0
    cdef const Span *span
    if n == 0:
        return np.empty(0)
    span = <const Span *> &spans[0, 0]
    for i in range(n):
        done += span[i].x_stop - <Py_ssize_t> span[i].x_start
    result = np.empty(done)
    cdef double[::1] out = result
    done = 0
    with nogil:
        for i in range(n):
            count = span[i].x_stop - <Py_ssize_t> span[i].x_start
            for k in range(count):
                out[done + k] = weights[i]
            done += count
    return result


# What is summed: rows of an image from (x0, y0) on, its variance and mask, of no pixels where there are none.
cdef struct Frame:
    const char *image
    const char *variance
    const uint8_t *mask
    Py_ssize_t image_stride, variance_stride, mask_stride
    int32_t x0, y0


cdef Frame frame_of(
    const pixel[:, :] image, const pixel[:, :] variance, const uint8_t[:, :] mask, int32_t x0, int32_t y0
) noexcept nogil:
    cdef Frame frame
    memset(&frame, 0, sizeof(frame))
    frame.x0, frame.y0 = x0, y0
    frame.image_stride = image.strides[0]
    frame.variance_stride = variance.strides[0]
    frame.mask_stride = mask.strides[0]
    if image.shape[0] and image.shape[1]:
        frame.image = <const char *> &image[0, 0]
        if variance.shape[0]:
            frame.variance = <const char *> &variance[0, 0]
        if mask.shape[0]:
            frame.mask = &mask[0, 0]
    return frame


def sums(
    const pixel[:, :] image,
    const pixel[:, :] variance,
    const uint8_t[:, :] mask,
    const int32_t[:, ::1] spans,
    const double[::1] weights,
    const int64_t[::1] offsets,
    int32_t x0,
    int32_t y0,
):
    """Return ``double[3, n]``: the weighted sums of an image, of the weights themselves and of the variance.

    The spans lie in the image, whose rows are contiguous; `variance` and `mask` are as large, or of no pixels at all.
    Masked pixels are left out.
    """
    cdef Py_ssize_t i, j, n = offsets.shape[0] - 1
    cdef const Span *span = <const Span *> &spans[0, 0] if spans.shape[0] else NULL
    cdef const double *weight = &weights[0] if weights.shape[0] else NULL
    result = np.zeros((3, n))
    cdef double[:, ::1] out = result
    cdef Frame frame
    with nogil:
        frame = frame_of(image, variance, mask, x0, y0)
        for i in range(n):
            j = offsets[i]
            add_up(&frame, span + j, weight + j, offsets[i + 1] - j, offsets[n] - j, <pixel> 0, &out[0, i], n)
    return result


def conic_sums(
    const pixel[:, :] image,
    const pixel[:, :] variance,
    const uint8_t[:, :] mask,
    const double[:] x,
    const double[:] y,
    const double[:] a,
    const double[:] b,
    const double[:] cos,
    const double[:] sin,
    const double[:] a_hole,
    const double[:] b_hole,
    int32_t x0,
    int32_t y0,
):
    """Return what `sums` returns for ellipses of semi-axes a, b, less their holes, without keeping their pieces."""
    cdef Py_ssize_t i, j, first = 0, n = x.shape[0]
    cdef Py_ssize_t[GROUP + 1] starts
    cdef int32_t x_stop = x0 + <int32_t> image.shape[1], y_stop = y0 + <int32_t> image.shape[0]
    cdef bint good = True
    cdef Row row
    cdef Pieces pieces
    cdef Frame frame
    result = np.zeros((3, n))
    cdef double[:, ::1] out = result
    memset(&row, 0, sizeof(row))
    memset(&pieces, 0, sizeof(pieces))
    with nogil:
        frame = frame_of(image, variance, mask, x0, y0)
        while first < n and good:
            # Some shapes at a time: what is summed is still in the cache, and what is next is known to call it there.
            pieces.size = starts[0] = 0
            for i in range(min(n - first, GROUP)):
                j = first + i
                good = good and cover_conic(
                    &row, &pieces, x[j], y[j], a[j], b[j], cos[j], sin[j], a_hole[j], b_hole[j], x0, x_stop, y0, y_stop
                )
                starts[i + 1] = pieces.size
            for i in range(min(n - first, GROUP) if good else 0):
                j = starts[i]
                add_up(
                    &frame, pieces.span + j, pieces.weight + j, starts[i + 1] - j, pieces.size - j, <pixel> 0,
                    &out[0, first + i], n,
                )
            first += GROUP
        free(row.difference)
        free(row.touched)
        free(pieces.span)
        free(pieces.weight)
    if not good:
        raise MemoryError("no memory for the coverage")
    return result


cdef inline void fetch(const char *start, Py_ssize_t length) noexcept nogil:
    """Call some bytes from memory, the first lines of many: the rest the processor sees coming."""
    cdef Py_ssize_t k = 0
    while k < min(length, 512):
        prefetch(start + k)
        k += 64


cdef void add_up(
    const Frame *frame, const Span *span, const double *weight, Py_ssize_t n, Py_ssize_t known, pixel kind,
    double *out, Py_ssize_t stride
) noexcept nogil:
    """Put the sums over `n` of the `known` pieces at out[0], out[stride] and out[2 stride]."""
    cdef Py_ssize_t j, k, length
    cdef double total = 0, area = 0, noise = 0
    cdef const pixel *value
    cdef const pixel *variance = NULL
    cdef const uint8_t *mask
    cdef const Span *ahead
    for j in range(n):
        if j + AHEAD < known:
            ahead = span + j + AHEAD
            length = (ahead.x_stop - <Py_ssize_t> ahead.x_start) * sizeof(pixel)
            k = (ahead.x_start - <Py_ssize_t> frame.x0) * sizeof(pixel)
            fetch(frame.image + (ahead.y - frame.y0) * frame.image_stride + k, length)
            if frame.variance != NULL:
                fetch(frame.variance + (ahead.y - frame.y0) * frame.variance_stride + k, length)
        length = span[j].x_stop - <Py_ssize_t> span[j].x_start
        value = <const pixel *> (frame.image + (span[j].y - frame.y0) * frame.image_stride)
        value += span[j].x_start - frame.x0
        if frame.variance != NULL:
            variance = <const pixel *> (frame.variance + (span[j].y - frame.y0) * frame.variance_stride)
            variance += span[j].x_start - frame.x0
        if frame.mask != NULL:
            mask = frame.mask + (span[j].y - frame.y0) * frame.mask_stride + (span[j].x_start - frame.x0)
            for k in range(length):
                if not mask[k]:
                    total += weight[j] * value[k]
                    area += weight[j]
                    noise += weight[j] * variance[k] if variance != NULL else 0
            continue
        total += weight[j] * added(value, length)
        area += weight[j] * length
        if variance != NULL:
            noise += weight[j] * added(variance, length)
    out[0] = total
    out[stride] = area
    out[2 * stride] = noise


cdef inline double added(const pixel *value, Py_ssize_t n) noexcept nogil:
    """Return a sum; several are kept at once, as each addition waits for the one before."""
    cdef Py_ssize_t i, k
    cdef double[8] total
    cdef double rest = 0
    if n >= 16:
        for k in range(8):
            total[k] = value[k]
        for i in range(8, n - 7, 8):
            for k in range(8):
                total[k] += value[i + k]
        rest = ((total[0] + total[4]) + (total[2] + total[6])) + ((total[1] + total[5]) + (total[3] + total[7]))
        i = n & ~<Py_ssize_t> 7
    else:
        i = 0
    while i < n:
        rest += value[i]
        i += 1
    return rest
