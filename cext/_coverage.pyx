"""The exact share of every pixel that lies in a shape, and weighted sums over it.

The border is walked from pixel to pixel. A piece of it inside one pixel adds its signed height, and the area between it
and the pixel's right side, to a row of differences; the running sum of the row is the coverage (signed-area
accumulation, as in the rasterizers of font-rs and stb_truetype). An arc is a chord and the area between the two, which
in the coordinates of the unit circle depends on the length of the chord alone. Interior pixels are never looked at.
In most rows of an ellipse every border is in few columns: their shares are then found for several rows at once.

A coverage comes as pieces: spans ``int32[n, 3]`` of equal weight ``float64[n]``, in raster order.
"""

import numpy as np

from cpython.pyport cimport PY_SSIZE_T_MAX
from libc.float cimport DBL_MAX
from libc.math cimport asin, ceil, fabs, floor, hypot, sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from memory cimport owned_bytes, prefetch_lines, reserved
from span cimport Span, runs_of, start_of, stop_of

cdef extern from "conics.h":
    ctypedef struct Conic:
        double x, y                 # centre; x from the left side of the row's first pixel
        double area                 # a b
        double height, width        # half extents
        double shear, spread        # of chords along x, by rows
        double lean, rise           # of chords along y, by columns
        double u_x, u_y, v_x, v_y   # to the unit circle
        double turn                 # y at the right end, from the centre
        int terms                   # of a series for what is between an arc within a pixel and its chord; or 0

    ctypedef struct Chord:
        double y, left, right

    double LSSTREGIONS_NONE
    double clamped(double value, double low, double high) noexcept nogil
    int terms_up_to(double s2) noexcept nogil
    double root_within(double extent, double at) noexcept nogil
    Chord cut(const Conic *, double y) noexcept nogil

cdef extern from "slices.h":
    enum:
        LANES
    ctypedef struct Shares:
        pass
    void share_rows(
        const Conic *, const Conic *hole, int32_t y, int32_t stop, Py_ssize_t width, Shares *
    ) noexcept nogil
    int stretches_of(const Shares *, int i, int32_t *start, double *weight) noexcept nogil

cdef extern from "apertures.h":
    ctypedef struct View:
        const char *image
        const char *variance
        const uint8_t *mask
        Py_ssize_t image_stride, variance_stride, mask_stride
        Py_ssize_t width
        const char *next_image
        const char *next_variance
        Py_ssize_t next_rows, next_size
    ctypedef struct LaneSums:
        double[8] total
        double[8] noise
        double[8] area
    double added_lanes(const double *) noexcept nogil
    void ask_ahead(const View *, Py_ssize_t i) noexcept nogil
    void sum_conic(
        const Conic *, const Conic *hole, const View *, int32_t first, int32_t stop, int size, LaneSums *
    ) noexcept nogil

cdef extern from "bits.h":
    int count_trailing_zeros(uint64_t) noexcept nogil

cdef extern from "sums.h":
    double sum_of_floats(const float *, Py_ssize_t) noexcept nogil
    double sum_of_doubles(const double *, Py_ssize_t) noexcept nogil
    void fill_doubles(double *, Py_ssize_t, double) noexcept nogil

# What rounding leaves of a coverage of none or all, relative to what was added up.
cdef double ROUNDING = 1e-15


cdef enum:
    # How many pieces before it is summed a pixel is called from memory.
    AHEAD = 32
    # Of the pieces of all shapes, and of the columns of one: what takes gigabytes, regions of more are mistakes.
    MOST = 1 << 28


cdef struct Pieces:
    Span *span
    double *weight
    Py_ssize_t size
    Py_ssize_t capacity


# One row of differences; column k is the pixel x0 + k, which extends from k to k + 1.
cdef struct Row:
    double *difference
    uint64_t *touched       # a bit for each column that may differ from the one before
    int32_t *start          # once settled: stretches of equal weight, the last ends at `width`
    double *weight
    Py_ssize_t count
    Py_ssize_t capacity
    int32_t x0
    Py_ssize_t width
    Py_ssize_t low, high    # the first and the last word of `touched` that has a bit
    double least            # what rounding may leave where nothing is


# A conic, perhaps with a hole, and the rows and columns in which it is; whether a series is enough for arcs in a pixel,
# and the hole is within the conic.
cdef struct Ring:
    Conic outer, hole
    bint hollow, by_series
    int32_t first, last, left, right


cdef bint widen(Row *row, Py_ssize_t width, double size) noexcept nogil:
    """Make room for a row of `width` pixels, and one beyond, of a shape of some size; False if there is no memory."""
    row.width = width
    # Relative to what may be there: shapes may be much smaller than a pixel.
    row.least = LSSTREGIONS_NONE * min(1., size * size)
    row.low, row.high = PY_SSIZE_T_MAX, -1
    if width + 2 <= row.capacity:
        return True
    if width > MOST:
        return False
    release(row)
    row.capacity = width + width // 2 + 64
    row.difference = <double *> calloc(row.capacity, sizeof(double))
    row.touched = <uint64_t *> calloc(row.capacity // 64 + 1, sizeof(uint64_t))
    row.start = <int32_t *> malloc(row.capacity * sizeof(int32_t))
    row.weight = <double *> malloc(row.capacity * sizeof(double))
    return row.difference != NULL and row.touched != NULL and row.start != NULL and row.weight != NULL


cdef void release(Row *row) noexcept nogil:
    free(row.difference)
    free(row.touched)
    free(row.start)
    free(row.weight)


cdef inline void touch(Row *row, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
    """Note that the columns from `first` to `last`, that one included, may differ from those before."""
    cdef uint64_t head = ~<uint64_t> 0 << (first & 63), tail = ~<uint64_t> 0 >> (63 - (last & 63))
    cdef Py_ssize_t word = first >> 6
    row.low, row.high = min(row.low, word), max(row.high, last >> 6)
    if word == last >> 6:
        row.touched[word] |= head & tail
        return
    row.touched[word] |= head
    for word in range(word + 1, last >> 6):
        row.touched[word] = ~<uint64_t> 0
    row.touched[last >> 6] |= tail


cdef inline void add(Row *row, Py_ssize_t column, double here, double beyond) noexcept nogil:
    """Add to the coverage of a column, and to that of all columns beyond it."""
    row.difference[column] += here
    row.difference[column + 1] += beyond - here
    touch(row, column, column + 1)


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
    cdef double half = conic.rise * root_within(conic.width, dx)
    return conic.lean * dx + (half if upper else -half)


cdef inline void walk_arc(
    Row *row, const Conic *conic, double x, double y, double x_end, double y_end, bint upper, double sign, double bulge
) noexcept nogil:
    """Add an arc within one row on which x and y are monotone; `sign` is that of what is to its right."""
    cdef double x_next, y_next, here, beyond, carried = 0
    cdef double low = min(y, y_end), high = max(y, y_end)
    cdef Py_ssize_t column, first
    if x > x_end:
        x, x_end = x_end, x
        y, y_end = y_end, y
    # False for NaN as well.
    if not x < row.width:
        return
    if x < 0:
        y_next = y_end if x_end <= 0 else clamped(height_at(conic, 0, upper), low, high)
        add(row, 0, sign * fabs(y_next - y), sign * fabs(y_next - y))
        if x_end <= 0:
            return
        x, y = 0, y_next
    first = column = <Py_ssize_t> x
    while True:
        x_next = column + 1
        if x_end <= x_next:
            x_next, y_next = x_end, y_end
        else:
            y_next = clamped(height_at(conic, x_next, upper), low, high)
        beyond = sign * fabs(y_next - y)
        here = beyond * (column + 1 - (x + x_next) / 2) + bulge * segment(conic, x_next - x, y_next - y)
        row.difference[column] += carried + here
        carried = beyond - here
        column += 1
        if x_end <= column or column == row.width:
            break
        x, y = x_next, y_next
    row.difference[column] += carried
    touch(row, first, column)


cdef void walk_line(Row *row, double x, double y, double x_end, double y_end, double sign) noexcept nogil:
    """Add a straight line within one row; `sign` is that of what is to its right."""
    cdef double x_next, slope, dy
    cdef Py_ssize_t column
    if x > x_end:
        x, x_end = x_end, x
        y, y_end = y_end, y
    if not x < row.width or y == y_end:
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
    cdef Py_ssize_t room = pieces.capacity
    return (
        pieces.size + more <= MOST
        and reserved(<void **> &pieces.span, &room, pieces.size + more, sizeof(Span))
        and reserved(<void **> &pieces.weight, &pieces.capacity, pieces.size + more, sizeof(double))
    )


cdef void settle(Row *row) noexcept nogil:
    """Turn a row's differences into stretches of equal weight, and clear them."""
    cdef Py_ssize_t word, column, count = 0
    cdef uint64_t bits
    cdef double running = 0, change, noise = 0, least
    for word in range(row.low, row.high + 1):
        bits = row.touched[word]
        row.touched[word] = 0
        while bits:
            column = (word << 6) + count_trailing_zeros(bits)
            bits &= bits - 1
            change = row.difference[column]
            row.difference[column] = 0
            running += change
            noise += ROUNDING * fabs(change)
            row.start[count] = <int32_t> column
            least = max(noise, row.least)
            row.weight[count] = 0 if running < least else 1 if running > 1 - max(noise, 100 * ROUNDING) else running
            count += 1
    row.start[count] = <int32_t> row.width
    row.count = count
    row.low, row.high = PY_SSIZE_T_MAX, -1


cdef bint finish(Row *row, int32_t y, Pieces *pieces) noexcept nogil:
    """Append the pieces of a settled row; False if there is no memory."""
    cdef Py_ssize_t i
    if not room_for(pieces, row.count):
        return False
    for i in range(row.count):
        append(pieces, y, row.x0, row.start[i], row.start[i + 1], row.weight[i])
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
    if sin == 0:
        # As it is for circles; what follows gives what it would otherwise.
        conic.width, conic.height = a, b
    else:
        conic.width, conic.height = hypot(a * cos, b * sin), hypot(a * sin, b * cos)
    conic.shear = (a - b) / conic.height * ((a + b) / conic.height) * sin * cos
    conic.lean = (a - b) / conic.width * ((a + b) / conic.width) * sin * cos
    conic.spread = a / conic.height * (b / conic.height)
    conic.rise = a / conic.width * (b / conic.width)
    conic.u_x, conic.u_y, conic.v_x, conic.v_y = cos / a, sin / a, -sin / b, cos / b
    conic.turn = conic.lean * conic.width
    # A chord in a pixel is no longer than the pixel's diagonal.
    conic.terms = terms_up_to(0.5 / (min(a, b) * min(a, b)))


cdef inline void walk_branch(
    Row *row, const Conic *conic, double x, double y, double x_end, double y_end, double side, double sign
) noexcept nogil:
    """Add the left (side -1) or right (1) border of a conic within one row, cut where it turns back."""
    cdef double turn = side * conic.turn
    if y < turn < y_end:
        walk_arc(row, conic, x, y, conic.x + side * conic.width, turn, False, -side * sign, sign)
        walk_arc(row, conic, conic.x + side * conic.width, turn, x_end, y_end, True, -side * sign, sign)
    else:
        walk_arc(row, conic, x, y, x_end, y_end, y >= turn, -side * sign, sign)


cdef void cross_row(Row *row, const Conic *conic, int32_t y, double sign) noexcept nogil:
    """Add a conic's part of a row."""
    cdef Chord low = cut(conic, y - 0.5), high = cut(conic, y + 0.5)
    if low.y < high.y:
        walk_branch(row, conic, low.left, low.y, high.left, high.y, -1, sign)
        walk_branch(row, conic, low.right, low.y, high.right, high.y, 1, sign)


cdef bint place(
    Ring *ring,
    const double[:, ::1] columns,
    Py_ssize_t i,
    int32_t x_start,
    int32_t x_stop,
    int32_t y_start,
    int32_t y_stop,
) noexcept nogil:
    """Make a ring of shape `i`; return whether any of it is in the box."""
    cdef double x = columns[0, i], y = columns[1, i], a = columns[2, i], b = columns[3, i]
    cdef Conic *outer = &ring.outer
    ring.first = ring.last = ring.left = ring.right = 0
    if not (a > 0 and b > 0):
        return False
    prepare(outer, x, y, a, b, columns[4, i], columns[5, i])
    ring.first = <int32_t> clamped(floor(y - outer.height + 0.5), y_start, y_stop)
    ring.last = <int32_t> clamped(ceil(y + outer.height + 0.5), y_start, y_stop)
    ring.left = <int32_t> clamped(floor(x - outer.width + 0.5), x_start, x_stop)
    ring.right = <int32_t> clamped(ceil(x + outer.width + 0.5), x_start, x_stop)
    if ring.left >= ring.right or ring.first >= ring.last:
        ring.last = ring.first
        return False
    # From the left side of the first pixel: nothing is lost far from the origin.
    outer.x = x - ring.left + 0.5
    ring.by_series = outer.terms > 0
    ring.hollow = columns[6, i] > 0 and columns[7, i] > 0
    if ring.hollow:
        prepare(&ring.hole, outer.x, y, columns[6, i], columns[7, i], columns[4, i], columns[5, i])
        ring.by_series = ring.by_series and ring.hole.terms and columns[6, i] <= a and columns[7, i] <= b
    return True


cdef inline void cover_row(Row *row, const Ring *ring, int32_t y, Shares *shares) noexcept nogil:
    """Settle a ring's part of a row; rows are taken in order, and `shares` kept from one to the next."""
    cdef int32_t i = (y - ring.first) % LANES
    # Of small ones hardly a row is crossed as it must be.
    if ring.by_series and ring.last - ring.first >= (3 * LANES if ring.hollow else LANES):
        if i == 0:
            share_rows(&ring.outer, &ring.hole if ring.hollow else NULL, y, ring.last, row.width, shares)
        row.count = stretches_of(shares, i, row.start, row.weight)
        if row.count:
            return
    cross_row(row, &ring.outer, y, 1)
    if ring.hollow:
        cross_row(row, &ring.hole, y, -1)
    settle(row)


def conics(const double[:, ::1] columns, int32_t x_start, int32_t x_stop, int32_t y_start, int32_t y_stop):
    """Return ``(spans, weights, offsets)`` of ellipses, less their holes; see `Shapes` for the columns."""
    cdef Py_ssize_t i, n = columns.shape[1]
    cdef int32_t y
    cdef bint good = True
    cdef Row row
    cdef Ring ring
    cdef Shares shares
    cdef Pieces pieces
    offsets = np.zeros(n + 1, np.int64)
    cdef int64_t[::1] stops = offsets
    memset(&row, 0, sizeof(row))
    memset(&pieces, 0, sizeof(pieces))
    with nogil:
        for i in range(n):
            if place(&ring, columns, i, x_start, x_stop, y_start, y_stop):
                good = widen(&row, ring.right - <Py_ssize_t> ring.left, 2 * max(ring.outer.width, ring.outer.height))
                row.x0 = ring.left
                for y in range(ring.first, ring.last if good else ring.first):
                    cover_row(&row, &ring, y, &shares)
                    good = good and finish(&row, y, &pieces)
            if not good:
                break
            stops[i + 1] = pieces.size
        release(&row)
    return *taken_pieces(&pieces, good), offsets


cdef object taken_pieces(Pieces *pieces, bint good):
    """Return pieces as two arrays, which own the buffers now; raise MemoryError where they are not `good`."""
    if not good:
        free(pieces.span)
        free(pieces.weight)
        raise MemoryError(f"no memory for the coverage, or more than {MOST} columns or stretches of equal weight in it")
    spans = owned_bytes(pieces.span, pieces.size * sizeof(Span), pieces.capacity * sizeof(Span))
    weights = owned_bytes(pieces.weight, pieces.size * sizeof(double), pieces.capacity * sizeof(double))
    return runs_of(spans), weights.view(np.float64)


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
    Py_ssize_t n_edges, edge_room, order_room, active_room
    int64_t *starts     # where each row's edges begin in `order`
    Py_ssize_t row_room


def polygons(
    const double[::1] x,
    const double[::1] y,
    const int64_t[::1] rings,
    const int64_t[::1] parts,
    const uint8_t[::1] holes,
    const double[:, ::1] origins,
    int32_t x_start,
    int32_t x_stop,
    int32_t y_start,
    int32_t y_stop,
):
    """Return ``(spans, weights, offsets)`` of polygons whose rings do not cross.

    Polygon i has the rings ``parts[i]`` to ``parts[i + 1]``, ring j the vertices ``rings[j]`` to ``rings[j + 1]``, in
    either direction; ``holes[j]`` says whether it takes away. Vertices are counted from ``origins[:, i]``, whole
    pixels, so that nothing is lost far from (0, 0).
    """
    cdef Py_ssize_t i, j, n = parts.shape[0] - 1
    cdef int32_t first, last, left, right
    cdef double x_min, x_max, y_min, y_max, x0, y0
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
            x0, y0 = origins[0, i], origins[1, i]
            first = <int32_t> clamped(y0 + floor(y_min + 0.5), y_start, y_stop)
            last = <int32_t> clamped(y0 + ceil(y_max + 0.5), y_start, y_stop)
            left = <int32_t> clamped(x0 + floor(x_min + 0.5), x_start, x_stop)
            right = <int32_t> clamped(x0 + ceil(x_max + 0.5), x_start, x_stop)
            if left >= right or first >= last:
                continue
            row.x0 = left
            good = (
                gather_edges(
                    &work, &x[0], &y[0], &rings[0], &holes[0], parts[i], parts[i + 1], left - x0 - 0.5, y0, first, last
                )
                and widen(&row, right - <Py_ssize_t> left, max(x_max - x_min, y_max - y_min))
                and cover_rows(&work, &row, &pieces, y0, first, last)
            )
            if not good:
                break
            stops[i + 1] = pieces.size
        release(&row)
        free(work.edges)
        free(work.order)
        free(work.active)
        free(work.starts)
    return *taken_pieces(&pieces, good), offsets


def winds_once(const double[::1] x, const double[::1] y, const int64_t[::1] rings):
    """Return as ``uint8[n]`` which rings of vertices go once around the mean of these, so that they cross nowhere.

    Those of which rounding leaves a doubt are not among them.
    """
    cdef Py_ssize_t i
    result = np.zeros(rings.shape[0] - 1, np.uint8)
    cdef uint8_t[::1] out = result
    with nogil:
        for i in range(out.shape[0]):
            if rings[i + 1] - rings[i] > 2:
                out[i] = _winds_once(&x[rings[i]], &y[rings[i]], rings[i + 1] - rings[i])
    return result


cdef bint _winds_once(const double *x, const double *y, Py_ssize_t n) noexcept nogil:
    """Whether from the middle every vertex is to the same side of the one before, and the ring goes around once."""
    cdef Py_ssize_t i, rounds = 0
    cdef double middle_x = 0, middle_y = 0, sign = 0, turn, dx, dy, dx_before, dy_before
    for i in range(n):
        middle_x += (x[i] - x[0]) / n
        middle_y += (y[i] - y[0]) / n
    middle_x += x[0]
    middle_y += y[0]
    dx_before, dy_before = x[n - 1] - middle_x, y[n - 1] - middle_y
    for i in range(n):
        dx, dy = x[i] - middle_x, y[i] - middle_y
        # A vertex may be given twice.
        if dx == dx_before and dy == dy_before:
            continue
        turn = dx_before * dy - dy_before * dx
        if sign == 0:
            sign = 1 if turn > 0 else -1
        # False for NaN as well.
        if not sign * turn > 1e-12 * (fabs(dx_before) + fabs(dy_before)) * (fabs(dx) + fabs(dy)):
            return False
        rounds += dy_before < 0 <= dy
        dx_before, dy_before = dx, dy
    return rounds == 1


cdef bint gather_edges(
    Work *work,
    const double *x,
    const double *y,
    const int64_t *rings,
    const uint8_t *holes,
    int64_t first_ring,
    int64_t last_ring,
    double x0,
    double y0,
    int32_t first,
    int32_t last,
) noexcept nogil:
    """Collect the edges that cross rows [first, last), with x from `x0`; False if there is no memory.

    Vertices are counted from row `y0`, and edges too.
    """
    cdef Py_ssize_t ring, i, before, room = rings[last_ring] - rings[first_ring]
    cdef double area, sign
    cdef Edge *edge
    work.n_edges = 0
    if not (
        reserved(<void **> &work.edges, &work.edge_room, room, sizeof(Edge))
        and reserved(<void **> &work.order, &work.order_room, room, sizeof(int64_t))
        and reserved(<void **> &work.active, &work.active_room, room, sizeof(int64_t))
    ):
        return False
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
            if edge.y == edge.y_end or edge.y >= last - y0 - 0.5 or edge.y_end <= first - y0 - 0.5:
                continue
            edge.slope = (edge.x_end - edge.x) / (edge.y_end - edge.y)
            # So nearly level that it bounds no area that a number could tell.
            if fabs(edge.slope) > DBL_MAX:
                continue
            edge.first = <int32_t> clamped(y0 + floor(edge.y + 0.5), first, last - 1)
            edge.last = <int32_t> clamped(y0 + ceil(edge.y_end - 0.5), first, last - 1)
            work.n_edges += 1
    return True


cdef bint cover_rows(Work *work, Row *row, Pieces *pieces, double y0, int32_t first, int32_t last) noexcept nogil:
    """Append the pieces of the polygon whose edges were gathered; False if there is no memory."""
    cdef Py_ssize_t i, n_active = 0, n_rows = last - <Py_ssize_t> first, next_edge = 0
    cdef int64_t count, total = 0
    cdef int32_t y
    cdef const Edge *edge
    if not reserved(<void **> &work.starts, &work.row_room, n_rows + 1, sizeof(int64_t)):
        return False
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
            cross_edge(row, edge, y - y0)
            if edge.last == y:
                n_active -= 1
                work.active[i] = work.active[n_active]
            else:
                i += 1
        settle(row)
        if not finish(row, y, pieces):
            return False
    return True


cdef inline void cross_edge(Row *row, const Edge *edge, double y) noexcept nogil:
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
    """Return ``(runs, values)``: disjoint spans in raster order as canonical runs, and the weight of every pixel."""
    cdef Py_ssize_t i, k, count, n = spans.shape[0], n_runs = 0, area = 0
    cdef const Span *span = <const Span *> &spans[0, 0] if n else NULL
    cdef double weight
    cdef double *value
    with nogil:
        for i in range(n):
            n_runs += i == 0 or stop_of(span + i - 1) != start_of(span + i)
            area += span[i].x_stop - <Py_ssize_t> span[i].x_start
    runs, values = np.empty((n_runs, 3), np.int32), np.empty(area)
    cdef int32_t[:, ::1] out = runs
    cdef double[::1] pixels = values
    if n == 0:
        return runs, values
    cdef Span *run = <Span *> &out[0, 0] - 1
    value = &pixels[0]
    with nogil:
        for i in range(n):
            if i and stop_of(span + i - 1) == start_of(span + i):
                run.x_stop = span[i].x_stop
            else:
                run += 1
                run[0] = span[i]
            count = span[i].x_stop - <Py_ssize_t> span[i].x_start
            weight = weights[i]
            if count < 8:
                for k in range(count):
                    value[k] = weight
            else:
                fill_doubles(value, count, weight)
            value += count
    return runs, values


# What is summed: an image, its variance and its mask, NULL where there is none; pixel [0, 0] is (x0, y0).
cdef struct Plane:
    const char *data
    Py_ssize_t stride


cdef struct Frame:
    Plane image, variance, mask
    int32_t x0, y0


cdef struct Sums:
    double total, area, noise


cdef Frame frame_of(
    const pixel[:, :] image, const pixel[:, :] variance, const uint8_t[:, :] mask, int32_t x0, int32_t y0
) noexcept nogil:
    cdef Frame frame
    memset(&frame, 0, sizeof(frame))
    frame.x0, frame.y0 = x0, y0
    if image.shape[0] and image.shape[1]:
        frame.image.data, frame.image.stride = <const char *> &image[0, 0], image.strides[0]
        if variance.shape[0]:
            frame.variance.data, frame.variance.stride = <const char *> &variance[0, 0], variance.strides[0]
        if mask.shape[0]:
            frame.mask.data, frame.mask.stride = <const char *> &mask[0, 0], mask.strides[0]
    return frame


cdef inline const char *at(
    const Frame *frame, const Plane *plane, Py_ssize_t y, Py_ssize_t x, Py_ssize_t itemsize
) noexcept nogil:
    return plane.data + (y - frame.y0) * plane.stride + (x - frame.x0) * itemsize


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
    cdef Py_ssize_t i, j, length, n = offsets.shape[0] - 1
    cdef const Span *span = <const Span *> &spans[0, 0] if spans.shape[0] else NULL
    cdef const Span *ahead
    result = np.zeros((3, n))
    cdef double[:, ::1] out = result
    cdef Frame frame
    cdef Sums into
    with nogil:
        frame = frame_of(image, variance, mask, x0, y0)
        for i in range(n):
            memset(&into, 0, sizeof(into))
            for j in range(offsets[i], offsets[i + 1]):
                if j + AHEAD < offsets[n]:
                    ahead = span + j + AHEAD
                    length = (ahead.x_stop - <Py_ssize_t> ahead.x_start) * <Py_ssize_t> sizeof(pixel)
                    prefetch_lines(at(&frame, &frame.image, ahead.y, ahead.x_start, sizeof(pixel)), length)
                    if frame.variance.data != NULL:
                        prefetch_lines(at(&frame, &frame.variance, ahead.y, ahead.x_start, sizeof(pixel)), length)
                add_run(&frame, span[j].y, span[j].x_start, span[j].x_stop, weights[j], <pixel> 0, &into)
            out[0, i], out[1, i], out[2, i] = into.total, into.area, into.noise
    return result


def conic_sums(
    const pixel[:, :] image,
    const pixel[:, :] variance,
    const uint8_t[:, :] mask,
    const double[:, ::1] columns,
    int32_t x0,
    int32_t y0,
):
    """Return what `sums` returns for ellipses, less their holes, without keeping their pieces."""
    cdef Py_ssize_t i, n = columns.shape[1]
    cdef int32_t y, x_stop = x0 + <int32_t> image.shape[1], y_stop = y0 + <int32_t> image.shape[0]
    cdef bint good = True, known
    cdef Row row
    cdef Ring ring, following
    cdef Frame frame
    cdef View view
    cdef LaneSums lanes
    cdef Shares shares
    cdef const Conic *hole
    cdef Sums into
    cdef double area
    result = np.zeros((3, n))
    cdef double[:, ::1] out = result
    memset(&row, 0, sizeof(row))
    with nogil:
        frame = frame_of(image, variance, mask, x0, y0)
        if n:
            place(&following, columns, 0, x0, x_stop, y0, y_stop)
        for i in range(n):
            ring = following
            following.first = following.last = following.left = following.right = 0
            if i + 1 < n:
                place(&following, columns, i + 1, x0, x_stop, y0, y_stop)
            if ring.first >= ring.last:
                continue
            good = widen(&row, ring.right - <Py_ssize_t> ring.left, 2 * max(ring.outer.width, ring.outer.height))
            row.x0 = ring.left
            if not good:
                break
            memset(&into, 0, sizeof(into))
            view = view_of(&frame, &ring, &following, sizeof(pixel))
            if ring.by_series and is_uncut(&ring, x0, x_stop):
                memset(&lanes, 0, sizeof(lanes))
                hole = &ring.hole if ring.hollow else NULL
                sum_conic(&ring.outer, hole, &view, ring.first, ring.last, sizeof(pixel), &lanes)
                area = added_lanes(lanes.area)
                # What is thinner than rounding covers nothing.
                if area > LSSTREGIONS_NONE:
                    into.total, into.area, into.noise = added_lanes(lanes.total), area, added_lanes(lanes.noise)
                # What two borders share is added twice and taken away once: that makes NaN of infinity.
                known = into.total == into.total and into.noise == into.noise
            else:
                known = False
            if not known:
                memset(&into, 0, sizeof(into))
                for y in range(ring.first, ring.last):
                    ask_ahead(&view, y - <Py_ssize_t> ring.first)
                    cover_row(&row, &ring, y, &shares)
                    add_row(&frame, &row, y, <pixel> 0, &into)
            out[0, i], out[1, i], out[2, i] = into.total, into.area, into.noise
        release(&row)
    if not good:
        raise MemoryError("no memory for the coverage")
    return result


cdef inline bint is_uncut(const Ring *ring, int32_t x_start, int32_t x_stop) noexcept nogil:
    """Return whether no row of a ring is cut by the box."""
    cdef double x = ring.outer.x + ring.left - 0.5, width = ring.outer.width
    return x - width > x_start - 0.5 + 1e-9 and x + width < x_stop - 0.5 - 1e-9


cdef View view_of(const Frame *frame, const Ring *ring, const Ring *following, Py_ssize_t itemsize) noexcept nogil:
    """Return where a ring is in an image; what comes next is called from memory row by row, while this is summed."""
    cdef View view
    view.image = at(frame, &frame.image, ring.first, ring.left, itemsize)
    view.image_stride = frame.image.stride
    view.width = ring.right - <Py_ssize_t> ring.left
    view.next_image = at(frame, &frame.image, following.first, following.left, itemsize)
    view.next_rows = following.last - <Py_ssize_t> following.first
    view.next_size = (following.right - <Py_ssize_t> following.left) * itemsize
    view.variance = view.next_variance = NULL
    view.mask = NULL
    view.variance_stride = view.mask_stride = 0
    if frame.variance.data != NULL:
        view.variance = at(frame, &frame.variance, ring.first, ring.left, itemsize)
        view.variance_stride = frame.variance.stride
        view.next_variance = at(frame, &frame.variance, following.first, following.left, itemsize)
    if frame.mask.data != NULL:
        view.mask = <const uint8_t *> at(frame, &frame.mask, ring.first, ring.left, 1)
        view.mask_stride = frame.mask.stride
    return view


cdef inline void add_row(const Frame *frame, const Row *row, int32_t y, pixel kind, Sums *into) noexcept nogil:
    """Add the pixels of a settled row."""
    cdef Py_ssize_t i, x, length
    cdef double weight, total = 0, area = 0, noise = 0
    cdef const pixel *value = <const pixel *> at(frame, &frame.image, y, row.x0, sizeof(pixel))
    # Where there is no variance its sum means nothing, and is not looked at.
    cdef const pixel *variance = value
    if frame.mask.data != NULL:
        for i in range(row.count):
            add_run(frame, y, row.x0 + row.start[i], row.x0 + row.start[i + 1], row.weight[i], <pixel> 0, into)
        return
    if frame.variance.data != NULL:
        variance = <const pixel *> at(frame, &frame.variance, y, row.x0, sizeof(pixel))
    for i in range(row.count):
        x = row.start[i]
        length = row.start[i + 1] - x
        weight = row.weight[i]
        if length == 1:
            # A pixel of the border, as most are; what is not touched is not read, for it may be NaN.
            if weight > 0:
                total += weight * value[x]
                area += weight
                noise += weight * variance[x]
        elif weight > 0 and length > 0:
            total += weight * added(value + x, length)
            area += weight * length
            noise += weight * added(variance + x, length)
    into.total += total
    into.area += area
    into.noise += noise


cdef inline void add_run(
    const Frame *frame, Py_ssize_t y, Py_ssize_t x_start, Py_ssize_t x_stop, double weight, pixel kind, Sums *into
) noexcept nogil:
    """Add the pixels of a run, all of one weight."""
    cdef Py_ssize_t k, length = x_stop - x_start
    cdef const pixel *value = <const pixel *> at(frame, &frame.image, y, x_start, sizeof(pixel))
    cdef const pixel *variance = NULL
    cdef const uint8_t *mask
    if weight <= 0 or length <= 0:
        return
    if frame.variance.data != NULL:
        variance = <const pixel *> at(frame, &frame.variance, y, x_start, sizeof(pixel))
    if frame.mask.data != NULL:
        mask = <const uint8_t *> at(frame, &frame.mask, y, x_start, 1)
        for k in range(length):
            if not mask[k]:
                into.total += weight * value[k]
                into.area += weight
                into.noise += weight * variance[k] if variance != NULL else 0
        return
    into.area += weight * length
    into.total += weight * added(value, length)
    if variance != NULL:
        into.noise += weight * added(variance, length)


cdef inline double added(const pixel *value, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    cdef double total
    if n < 8:
        total = value[0]
        for i in range(1, n):
            total += value[i]
        return total
    if pixel is float:
        return sum_of_floats(value, n)
    else:
        return sum_of_doubles(value, n)
