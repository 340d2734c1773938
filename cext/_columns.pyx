"""Many footprints in columns: sorting, joining and looking up their runs and peaks (docs/explanation/columns)."""

import numpy as np

from libc.math cimport INFINITY, fabs, rint
from libc.stdint cimport INT32_MAX, INT32_MIN, int8_t, int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc, qsort

from lsstregions._runs import in_raster_order

from memory cimport empty_bytes
from span cimport (
    RowIndex, Span, empty_runs, first_runs, index_rows, join_run, join_touching, join_trees, key, last_started,
    number_trees, pixel_of, start_of, stop_of
)

cdef extern from "threshold.h":
    struct Peak:
        int32_t x
        int32_t y
        double value


def fuse(runs, labels, Py_ssize_t count):
    """Return the union of the runs of each label, canonical, and ``offsets``, ``int64[count + 1]``.

    The runs come in any order and may overlap; those with a negative label are left out.
    """
    return _fuse(*in_raster_order(runs, labels), count)


def _fuse(const int32_t[:, ::1] runs, const int32_t[::1] labels, Py_ssize_t count):
    cdef Py_ssize_t i, k, n = runs.shape[0], total = 0
    cdef const Span *span = <const Span *> &runs[0, 0] if n else NULL
    cdef int64_t[::1] next_ = np.zeros(count + 1, np.int64)
    cdef int32_t[:, ::1] grouped = empty_runs(n)
    cdef Span *fused = <Span *> &grouped[0, 0] if n else NULL
    offsets = np.zeros(count + 1, np.int64)
    cdef int64_t[::1] begin = offsets
    cdef int64_t first
    with nogil:
        for i in range(n):
            if labels[i] >= 0:
                next_[labels[i] + 1] += 1
        for k in range(count):
            next_[k + 1] += next_[k]
        for i in range(n):
            if labels[i] >= 0:
                fused[next_[labels[i]]] = span[i]
                next_[labels[i]] += 1
        # The counters have moved to the ends of their groups.
        for k in range(count):
            first = begin[k] = total
            for i in range(next_[k - 1] if k else 0, next_[k]):
                total = join_run(fused, first, total, fused[i])
        begin[count] = total
    return first_runs(np.asarray(grouped), total), offsets


def split(const int32_t[:, ::1] runs, const int64_t[::1] offsets, int connectivity):
    """Number the connected components of each footprint in turn: ``labels``, ``int32[n]``, and how many."""
    cdef Py_ssize_t f, n = runs.shape[0]
    cdef int32_t count = 0
    labels = np.arange(n, dtype=np.int32)
    cdef int32_t[::1] parent = labels
    if n:
        with nogil:
            for f in range(offsets.shape[0] - 1):
                join_touching(<const Span *> &runs[0, 0], offsets[f], offsets[f + 1], connectivity == 8, &parent[0])
            count = number_trees(&parent[0], n)
    return labels, count


def components(const int64_t[:, ::1] pairs, Py_ssize_t n):
    """Number the components of a graph of `n` nodes and edges ``int64[m, 2]``: ``labels``, ``int32[n]``, and count."""
    cdef Py_ssize_t i
    cdef int32_t count = 0
    labels = np.arange(n, dtype=np.int32)
    cdef int32_t[::1] parent = labels
    if n:
        with nogil:
            for i in range(pairs.shape[0]):
                join_trees(&parent[0], <int32_t> pairs[i, 0], <int32_t> pairs[i, 1])
            count = number_trees(&parent[0], n)
    return labels, count


# Peaks


def sort_peaks(parts, const int32_t[::1] labels, const int8_t[::1] sign, bint with_order):
    """Sort peaks by label, then the most significant first, then by x, then y.

    That is the highest value where a label's sign is positive, the lowest where it is negative, the one farthest from 0
    where it is 0. The peaks come as bytes in one or several arrays. Returns them without those whose label is negative,
    their offsets, ``int64``, and the permutation, ``int64``, or None.
    """
    cdef Py_ssize_t i, k, n, first = 0, count = sign.shape[0], kept = 0
    cdef const uint8_t[::1] part
    cdef const Peak *peak
    cdef uint8_t[::1] out
    cdef Peak *target
    cdef int64_t[::1] order = None
    cdef bint good = True
    # One more: where a group begins becomes where the next one does as its peaks move there.
    counts = np.zeros(count + 2, np.int64)
    cdef int64_t[::1] begin = counts
    with nogil:
        for i in range(labels.shape[0]):
            if labels[i] >= 0:
                begin[labels[i] + 2] += 1
                kept += 1
        for k in range(count):
            begin[k + 2] += begin[k + 1]
    result = empty_bytes(kept * sizeof(Peak))
    permutation = np.empty(kept, np.int64) if with_order else None
    if kept:
        out, order = result, permutation
        target = <Peak *> &out[0]
        for part in parts:
            n = part.shape[0] // sizeof(Peak)
            peak = <const Peak *> &part[0] if n else NULL
            with nogil:
                for i in range(n):
                    k = labels[first + i] + 1
                    if k > 0:
                        target[begin[k]] = peak[i]
                        if with_order:
                            order[begin[k]] = first + i
                        begin[k] += 1
            first += n
        with nogil:
            for k in range(count):
                if begin[k + 1] - begin[k] > 1:
                    good = good and _sort_group(
                        target + begin[k], &order[begin[k]] if with_order else NULL, begin[k + 1] - begin[k], sign[k]
                    )
    if not good:
        raise MemoryError("no memory to sort the peaks")
    return result, counts[: count + 1], permutation


cdef struct Ranked:
    double significance
    Peak peak
    int64_t index


cdef bint _sort_group(Peak *peak, int64_t *index, Py_ssize_t n, int sign) noexcept nogil:
    """Sort the peaks of one footprint, and their indices if there are any; return whether there was memory."""
    cdef Ranked[16] few
    cdef Ranked *ranked = few
    cdef Py_ssize_t i
    if n > 16:
        ranked = <Ranked *> malloc(n * sizeof(Ranked))
        if ranked == NULL:
            return False
    for i in range(n):
        ranked[i].significance = peak[i].value * sign if sign else fabs(peak[i].value)
        ranked[i].peak = peak[i]
        ranked[i].index = index[i] if index != NULL else 0
    if n > 16:
        qsort(ranked, n, sizeof(Ranked), _compare)
    else:
        _insertion_sort(ranked, n)
    for i in range(n):
        peak[i] = ranked[i].peak
        if index != NULL:
            index[i] = ranked[i].index
    if n > 16:
        free(ranked)
    return True


cdef void _insertion_sort(Ranked *ranked, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef Ranked moving
    for i in range(1, n):
        moving = ranked[i]
        j = i
        while j > 0 and _before(&moving, &ranked[j - 1]):
            ranked[j] = ranked[j - 1]
            j -= 1
        ranked[j] = moving


cdef inline bint _before(const Ranked *a, const Ranked *b) noexcept nogil:
    if a.significance != b.significance:
        return a.significance > b.significance
    if a.peak.x != b.peak.x:
        return a.peak.x < b.peak.x
    return a.peak.y < b.peak.y


cdef int _compare(const void *a, const void *b) noexcept nogil:
    return _before(<const Ranked *> b, <const Ranked *> a) - _before(<const Ranked *> a, <const Ranked *> b)


def empty_groups(const int64_t[::1] offsets):
    """Return the indices ``int64`` of groups that have nothing."""
    cdef Py_ssize_t i, n = offsets.shape[0] - 1, count = 0
    cdef int64_t[::1] out
    with nogil:
        for i in range(n):
            count += offsets[i] == offsets[i + 1]
    result = np.empty(count, np.int64)
    if count:
        out = result
        count = 0
        with nogil:
            for i in range(n):
                if offsets[i] == offsets[i + 1]:
                    out[count] = i
                    count += 1
    return result


def nearest_peaks(
    const double[:, ::1] old_xy,
    const int64_t[::1] old_offsets,
    const double[:, ::1] new_xy,
    const int64_t[::1] new_offsets,
):
    """Return for each new peak the nearest old one of its footprint, ``int64``, -1 without one, and the distance."""
    nearest = np.full(new_xy.shape[0], -1, np.int64)
    distance = np.full(new_xy.shape[0], np.inf)
    cdef int64_t[::1] index = nearest
    cdef double[::1] least = distance
    cdef Py_ssize_t f, i, n, most = 0
    cdef Placed *old
    for f in range(new_offsets.shape[0] - 1):
        most = max(most, old_offsets[f + 1] - old_offsets[f])
    if most == 0:
        return nearest, distance
    old = <Placed *> malloc(most * sizeof(Placed))
    if old == NULL:
        raise MemoryError("no memory to match the peaks")
    with nogil:
        for f in range(new_offsets.shape[0] - 1):
            n = old_offsets[f + 1] - old_offsets[f]
            if n == 0 or new_offsets[f] == new_offsets[f + 1]:
                continue
            for i in range(n):
                old[i].x, old[i].y = old_xy[old_offsets[f] + i, 0], old_xy[old_offsets[f] + i, 1]
                old[i].index = old_offsets[f] + i
            qsort(old, n, sizeof(Placed), _by_row)
            for i in range(new_offsets[f], new_offsets[f + 1]):
                _find_nearest(old, n, new_xy[i, 0], new_xy[i, 1], &index[i], &least[i])
        free(old)
    return nearest, np.sqrt(distance)


cdef struct Placed:
    double x
    double y
    int64_t index


cdef int _by_row(const void *a, const void *b) noexcept nogil:
    cdef double p = (<const Placed *> a).y, q = (<const Placed *> b).y
    return (p > q) - (p < q)


cdef void _find_nearest(
    const Placed *old, Py_ssize_t n, double x, double y, int64_t *index, double *least
) noexcept nogil:
    """Find the nearest of points sorted by y, the first one of several: from `y` on upwards and downwards."""
    cdef Py_ssize_t low = 0, high = n, middle, k
    cdef double dx, dy, square
    while low < high:
        middle = (low + high) // 2
        if old[middle].y < y:
            low = middle + 1
        else:
            high = middle
    high = low
    low -= 1
    while True:
        # False for NaN as well.
        if low >= 0 and (high == n or y - old[low].y < old[high].y - y):
            k = low
            low -= 1
        elif high < n:
            k = high
            high += 1
        else:
            return
        dx, dy = x - old[k].x, y - old[k].y
        if dy * dy > least[0]:
            return
        square = dx * dx + dy * dy
        if square < least[0] or (square == least[0] and old[k].index < index[0]):
            least[0] = square
            index[0] = old[k].index


# Looking up


def at(const int32_t[:, ::1] runs, const int32_t[::1] owner, const double[::1] x, const double[::1] y):
    """Return for each point the least owner of the runs that hold it, ``int64``, or -1.

    The runs are sorted by (y, x_start); they may overlap.
    """
    cdef Py_ssize_t i, n = runs.shape[0]
    cdef double column, row
    cdef const Span *span
    cdef RowIndex rows
    cdef int64_t *reach
    cdef bint good
    result = np.full(x.shape[0], -1, np.int64)
    cdef int64_t[::1] out = result
    if n == 0:
        return result
    span = <const Span *> &runs[0, 0]
    reach = <int64_t *> malloc(n * sizeof(int64_t))
    good = index_rows(&rows, span, n, x.shape[0]) and reach != NULL
    if good:
        with nogil:
            _reaches(span, n, reach)
            for i in range(x.shape[0]):
                column = pixel_of(x[i])
                row = pixel_of(y[i])
                # False for NaN as well.
                if INT32_MIN <= column <= INT32_MAX and INT32_MIN <= row <= INT32_MAX:
                    out[i] = _owner_at(span, owner, reach, &rows, <int32_t> column, <int32_t> row)
    free(rows.first)
    free(reach)
    if not good:
        raise MemoryError("no memory to look up the points")
    return result


cdef void _reaches(const Span *span, Py_ssize_t n, int64_t *reach) noexcept nogil:
    """Tell how far the runs up to each one reach: no run before it holds a point beyond that."""
    cdef Py_ssize_t i
    for i in range(n):
        reach[i] = stop_of(&span[i])
        if i and reach[i - 1] > reach[i]:
            reach[i] = reach[i - 1]


cdef int64_t _owner_at(
    const Span *span,
    const int32_t[::1] owner,
    const int64_t *reach,
    const RowIndex *rows,
    int32_t x,
    int32_t y,
) noexcept nogil:
    cdef int64_t place = key(y, x), least = -1
    cdef Py_ssize_t i = last_started(rows, span, y, place)
    while i >= 0 and reach[i] > place:
        if stop_of(&span[i]) > place and (least < 0 or owner[i] < least):
            least = owner[i]
        i -= 1
    return least


def overlaps(
    const int32_t[:, ::1] a, const int32_t[::1] a_owner, const int32_t[:, ::1] b, const int32_t[::1] b_owner
):
    """Return (owner in a, owner in b, pixels), ``int64[m, 3]``, for every two runs that overlap.

    Both are sorted by (y, x_start); runs of one side may overlap.
    """
    cdef Py_ssize_t na = a.shape[0], nb = b.shape[0], count
    cdef int64_t[:, ::1] out
    if na == 0 or nb == 0:
        return np.empty((0, 3), np.int64)
    cdef int64_t *reach = <int64_t *> malloc(nb * sizeof(int64_t))
    if reach == NULL:
        raise MemoryError("no memory to match the footprints")
    # Counted first, then written.
    count = _overlaps(<const Span *> &a[0, 0], na, a_owner, <const Span *> &b[0, 0], nb, b_owner, reach, None)
    result = np.empty((count, 3), np.int64)
    out = result
    _overlaps(<const Span *> &a[0, 0], na, a_owner, <const Span *> &b[0, 0], nb, b_owner, reach, out)
    free(reach)
    return result


cdef Py_ssize_t _overlaps(
    const Span *a,
    Py_ssize_t na,
    const int32_t[::1] a_owner,
    const Span *b,
    Py_ssize_t nb,
    const int32_t[::1] b_owner,
    int64_t *reach,
    int64_t[:, ::1] out,
) noexcept:
    cdef Py_ssize_t i, j = 0, k, count = 0
    cdef bint write = out is not None
    cdef int32_t stop, start
    with nogil:
        _reaches(b, nb, reach)
        for i in range(na):
            while j < nb and reach[j] <= key(a[i].y, a[i].x_start):
                j += 1
            k = j
            while k < nb and key(b[k].y, b[k].x_start) < key(a[i].y, a[i].x_stop):
                if b[k].y == a[i].y:
                    start, stop = max(a[i].x_start, b[k].x_start), min(a[i].x_stop, b[k].x_stop)
                    if start < stop:
                        if write:
                            out[count, 0], out[count, 1] = a_owner[i], b_owner[k]
                            out[count, 2] = stop - <int64_t> start
                        count += 1
                k += 1
    return count


def clip(
    const int32_t[:, ::1] runs,
    const int64_t[::1] offsets,
    int32_t x_start,
    int32_t x_stop,
    int32_t y_start,
    int32_t y_stop,
):
    """Return the runs of each footprint that lie in a box, and their offsets."""
    cdef Py_ssize_t i, k, count = 0
    cdef const Span *span = <const Span *> &runs[0, 0] if runs.shape[0] else NULL
    cdef int32_t[:, ::1] out = empty_runs(runs.shape[0] + 1)
    cdef Span *clipped = <Span *> &out[0, 0]
    result = np.zeros(offsets.shape[0], np.int64)
    cdef int64_t[::1] ends = result
    with nogil:
        for i in range(offsets.shape[0] - 1):
            for k in range(offsets[i], offsets[i + 1]):
                clipped[count].y = span[k].y
                clipped[count].x_start = max(span[k].x_start, x_start)
                clipped[count].x_stop = min(span[k].x_stop, x_stop)
                count += (y_start <= span[k].y < y_stop) & (clipped[count].x_start < clipped[count].x_stop)
            ends[i + 1] = count
    return first_runs(np.asarray(out), count), result


def locate(
    const double[::1] x,
    const double[::1] y,
    const int32_t[::1] owner,
    const int32_t[:, ::1] runs,
    const int64_t[::1] offsets,
):
    """Return for each point the index ``int64`` of the run of its own footprint that holds it, or -1 (also for NaN)."""
    cdef Py_ssize_t i, low, high, middle
    cdef const Span *span = <const Span *> &runs[0, 0] if runs.shape[0] else NULL
    cdef double column, row
    cdef int64_t place
    result = np.full(x.shape[0], -1, np.int64)
    cdef int64_t[::1] out = result
    with nogil:
        for i in range(x.shape[0]):
            column, row = pixel_of(x[i]), pixel_of(y[i])
            # False for NaN as well.
            if INT32_MIN <= column <= INT32_MAX and INT32_MIN <= row <= INT32_MAX:
                place = key(<int32_t> row, <int32_t> column)
                low, high = offsets[owner[i]], offsets[owner[i] + 1]
                while low < high:
                    middle = (low + high) // 2
                    if stop_of(&span[middle]) <= place:
                        low = middle + 1
                    else:
                        high = middle
                if low < offsets[owner[i] + 1] and start_of(&span[low]) <= place:
                    out[i] = low
    return result


def nearest_runs(
    const double[::1] x,
    const double[::1] y,
    const int32_t[::1] owner,
    const int32_t[:, ::1] runs,
    const int64_t[::1] offsets,
):
    """Return for each point the index ``int64`` of the run of its own footprint that is nearest, or -1 without one.

    Near is the pixel of the run whose centre is; of several the first run. The points are finite.
    """
    cdef Py_ssize_t i
    cdef const Span *span = <const Span *> &runs[0, 0] if runs.shape[0] else NULL
    result = np.empty(x.shape[0], np.int64)
    cdef int64_t[::1] out = result
    with nogil:
        for i in range(x.shape[0]):
            out[i] = _nearest_run(span, offsets[owner[i]], offsets[owner[i] + 1], x[i], y[i])
    return result


cdef Py_ssize_t _nearest_run(const Span *span, Py_ssize_t begin, Py_ssize_t end, double x, double y) noexcept nogil:
    """Look at the rows from `y` on, upwards and downwards, until they are farther than what was found."""
    cdef Py_ssize_t high = _first_at(span, begin, end, y, -INFINITY), low = high, first, k, best = -1
    cdef double dx, dy, square, least = INFINITY
    cdef int32_t row
    while low > begin or high < end:
        if high == end or (low > begin and y - span[low - 1].y <= span[high].y - y):
            k = low - 1
        else:
            k = high
        row = span[k].y
        dy = y - row
        if dy * dy > least:
            break
        # The first run in the row that does not end before x, and the one before it.
        first = _first_at(span, begin, end, row, x)
        for k in range(max(first - 1, begin), min(first + 1, end)):
            if span[k].y == row:
                dx = x - min(max(rint(x), <double> span[k].x_start), span[k].x_stop - 1.0)
                square = dx * dx + dy * dy
                if square < least or (square == least and k < best):
                    least, best = square, k
        if row < y:
            low = _first_at(span, begin, low, row, -INFINITY)
        else:
            high = _first_at(span, high, end, row + 1.0, -INFINITY)
    return best


cdef Py_ssize_t _first_at(const Span *span, Py_ssize_t low, Py_ssize_t high, double y, double x) noexcept nogil:
    """Return the index of the first run in row `y`, or above it, that does not end before `x`."""
    cdef Py_ssize_t middle
    while low < high:
        middle = (low + high) // 2
        if span[middle].y < y or (span[middle].y == y and span[middle].x_stop - 1.0 < x):
            low = middle + 1
        else:
            high = middle
    return low
