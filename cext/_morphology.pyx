"""Dilation and what it is made of, on runs and on rows of bits (docs/explanation/morphology)."""

import numpy as np

from libc.stdint cimport INT32_MAX, INT32_MIN, INT64_MIN, int32_t, int64_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from memory cimport Ahead, owned_bytes, reserved
from span cimport (
    RunBuffer, Span, append_numbered_words, append_words, empty_runs, first_runs, number_trees, reserve, taken
)

cdef extern from "bitrows.h":
    void fill_between_edges(uint64_t *, Py_ssize_t) noexcept nogil
    void clip_words(uint64_t *, Py_ssize_t, int64_t start, int64_t stop) noexcept nogil
    struct Group:
        Py_ssize_t width, column, first, last
    void spread_row(
        uint64_t *row, uint64_t *spare, uint64_t *shifted, Py_ssize_t count, const Group *group, Py_ssize_t n_groups,
        const int32_t *rows, uint64_t *ring, Py_ssize_t stride, Py_ssize_t height, Py_ssize_t bottom,
    ) noexcept nogil

cdef extern from "link.h":
    struct BitRow:
        uint64_t *words
        int32_t *number
    void link_rows(
        const BitRow *, const BitRow *, Py_ssize_t count, bint corners, int32_t *parent, Ahead *
    ) noexcept nogil


def widen(const int32_t[:, ::1] runs, int32_t dy, int32_t left, int32_t right):
    """Move runs by `dy` rows, their starts by `left` and their stops by `right`.

    Runs that then touch are joined; those that become empty or leave int32 are dropped.
    """
    cdef Py_ssize_t i, count = 0, n = runs.shape[0]
    cdef const Span *span
    cdef Span *widened
    cdef int64_t y, start, stop
    cdef int32_t[:, ::1] out = empty_runs(n)
    if n == 0:
        return np.asarray(out)
    span = <const Span *> &runs[0, 0]
    widened = <Span *> &out[0, 0]
    with nogil:
        for i in range(n):
            y = span[i].y + <int64_t> dy
            start = max(span[i].x_start + <int64_t> left, INT32_MIN)
            stop = min(span[i].x_stop + <int64_t> right, INT32_MAX)
            if start >= stop or not INT32_MIN <= y <= INT32_MAX:
                continue
            if count and widened[count - 1].y == y and widened[count - 1].x_stop >= start:
                widened[count - 1].x_stop = <int32_t> stop
            else:
                widened[count].y = <int32_t> y
                widened[count].x_start = <int32_t> start
                widened[count].x_stop = <int32_t> stop
                count += 1
    return first_runs(np.asarray(out), count)


def count_rows(const int32_t[:, ::1] runs) -> int:
    """Return the number of rows that hold a run."""
    cdef Py_ssize_t i, count = runs.shape[0] > 0
    with nogil:
        for i in range(1, runs.shape[0]):
            count += runs[i, 0] != runs[i - 1, 0]
    return count


cdef enum:
    # Words of a cache line. Rows of words begin with one: vectors that lie across two take twice as long.
    LINE = 8


# Where a dilation goes: runs, and if there are rows of bits the components that they make.
cdef struct Target:
    RunBuffer runs
    int32_t x_start, x_stop, y_start, y_stop    # what lies outside is left out
    int32_t *parent
    Py_ssize_t parent_capacity
    BitRow row, last
    int64_t y_last


# An element, as `dilate_bits` describes it.
cdef struct Element:
    const Group *groups
    Py_ssize_t n_groups
    const int32_t *rows
    int32_t x, y
    Py_ssize_t width, height


def dilate_bits(
    const int32_t[:, ::1] runs,
    int32_t x_start,
    int32_t x_stop,
    const int64_t[:, ::1] groups,
    const int32_t[::1] rows,
    int32_t element_x,
    int32_t element_y,
    Py_ssize_t element_width,
    Py_ssize_t element_height,
    box,
    bint label,
):
    """Dilate canonical runs by an element, with 64 pixels a word.

    The runs lie in columns `x_start` to `x_stop`. The element comes as ``groups``, ``int64[m, 4]``, of equally wide
    spans (width, column from the element's left end, and where their ``rows`` start and stop), in rising order of
    width; ``rows`` are counted from its lowest row. Its lowest left corner is (`element_x`, `element_y`). Returns the
    runs in the box ``x_start, x_stop, y_start, y_stop`` and, if asked to, what ``_label.label`` tells of them for
    connectivity 8.
    """
    cdef Py_ssize_t n = runs.shape[0], words = _stride(x_start, x_stop, element_width)
    cdef Element element = Element(
        <const Group *> &groups[0, 0], groups.shape[0], &rows[0], element_x, element_y, element_width, element_height
    )
    cdef uint64_t *bits = NULL
    cdef int32_t *numbers = NULL
    cdef int32_t count = 0
    cdef Py_ssize_t kept
    cdef bint good = True
    cdef Target target
    memset(&target, 0, sizeof(target))
    target.x_start, target.x_stop, target.y_start, target.y_stop = box
    if label:
        bits = <uint64_t *> calloc(2 * (words + 1), sizeof(uint64_t))
        numbers = <int32_t *> calloc(2 * words, sizeof(int32_t))
        good = bits != NULL and numbers != NULL
        # After a word that is 0.
        target.row.words, target.last.words = bits + 1, bits + words + 2
        target.row.number, target.last.number = numbers, numbers + words
        target.y_last = INT64_MIN
    with nogil:
        if good and n:
            # As many runs as there were, or few more, are what mostly comes out.
            good = reserve(&target.runs, 3 * n // 4)
            good = good and _dilate(<const Span *> &runs[0, 0], n, x_start, x_stop, &element, &target)
        if good and label:
            count = number_trees(target.parent, target.runs.size)
        free(bits)
        free(numbers)
    # Where memory ran out there may be more runs than parents.
    kept = target.runs.size if label and good else 0
    labels = owned_bytes(target.parent, kept * sizeof(int32_t), target.parent_capacity * sizeof(int32_t)).view(np.int32)
    return taken(&target.runs, good), labels, count


cdef inline Py_ssize_t _stride(int32_t x_start, int32_t x_stop, Py_ssize_t element_width) noexcept nogil:
    """Return the words of the widest row, spread and shifted, in whole cache lines."""
    return ((x_stop - <int64_t> x_start) // 64 + 1 + element_width // 64 + 4 + LINE - 1) // LINE * LINE


cdef bint _dilate(
    const Span *span, Py_ssize_t n, int32_t x_start, int32_t x_stop, const Element *element, Target *target
) noexcept nogil:
    """Dilate some runs; return whether there was memory."""
    cdef Py_ssize_t i = 0, first, count, stride = _stride(x_start, x_stop, element.width), height = element.height
    cdef uint64_t *memory = <uint64_t *> calloc(stride * height + 3 * (LINE + stride) + LINE, sizeof(uint64_t))
    cdef uint64_t *ring = memory + (-<size_t> memory // sizeof(uint64_t)) % LINE
    # Rows of which the word before the first one is 0.
    cdef uint64_t *row = ring + stride * height + LINE
    cdef uint64_t *spare = row + stride + LINE
    cdef uint64_t *shifted = spare + stride + LINE
    cdef int64_t y, done = span[0].y, last = done
    cdef int32_t x = x_start + element.x
    cdef bint good = memory != NULL
    # A target row is finished once no later source row reaches it; the ring holds those from `done` on.
    while good and i < n:
        y = span[i].y
        while good and done < min(y, last + height):
            good = _emit(target, ring + (done - span[0].y) % height * stride, stride, x, done + element.y)
            done += 1
        done = last = y
        i = _paint_row(span, i, n, x_start, row, &first, &count)
        spread_row(
            row + first, spare + first, shifted, count,
            element.groups, element.n_groups, element.rows,
            ring + first, stride, height, (y - span[0].y) % height,
        )
        memset(row, 0, (stride + LINE + stride) * sizeof(uint64_t))
    while good and done < last + height:
        good = _emit(target, ring + (done - span[0].y) % height * stride, stride, x, done + element.y)
        done += 1
    free(memory)
    return good


cdef Py_ssize_t _paint_row(
    const Span *span, Py_ssize_t i, Py_ssize_t n, int32_t x_start, uint64_t *row, Py_ssize_t *first, Py_ssize_t *count
) noexcept nogil:
    """Set the bits of the row that begins at run `i`; tell which words hold them; return where the next begins."""
    cdef int32_t y = span[i].y
    cdef int64_t start, stop = 0
    first[0] = ((span[i].x_start - <int64_t> x_start) >> 6) // LINE * LINE
    while i < n and span[i].y == y:
        start = span[i].x_start - <int64_t> x_start
        stop = span[i].x_stop - <int64_t> x_start
        row[start >> 6] ^= <uint64_t> 1 << (start & 63)
        row[stop >> 6] ^= <uint64_t> 1 << (stop & 63)
        i += 1
    # The word of the last edge, which may lie behind the last pixel.
    count[0] = (stop >> 6) + 1 - first[0]
    fill_between_edges(row + first[0], count[0])
    return i


cdef bint _emit(Target *target, uint64_t *row, Py_ssize_t words, int32_t x, int64_t y) noexcept nogil:
    """Append the runs of a row of bits that begins at `x`, and clear it; return whether there was memory."""
    cdef bint good = True
    if target.y_start <= y < target.y_stop:
        clip_words(row, words, target.x_start - <int64_t> x, target.x_stop - <int64_t> x)
        if target.row.words == NULL:
            good = append_words(&target.runs, row, words, x, <int32_t> y)
        else:
            good = _append_linked(target, row, words, x, <int32_t> y)
    memset(row, 0, words * sizeof(uint64_t))
    return good


cdef bint _append_linked(Target *target, const uint64_t *row, Py_ssize_t words, int32_t x, int32_t y) noexcept nogil:
    """Append the runs of a row, and unite their components with those of the row below."""
    cdef RunBuffer *runs = &target.runs
    cdef BitRow last = target.last
    cdef Ahead nothing = Ahead(NULL, NULL)
    cdef Py_ssize_t i, first = runs.size
    memcpy(target.row.words, row, words * sizeof(uint64_t))
    if not append_numbered_words(runs, target.row.words, words, x, y, target.row.number):
        return False
    if not reserved(<void **> &target.parent, &target.parent_capacity, runs.size, sizeof(int32_t)):
        return False
    for i in range(first, runs.size):
        target.parent[i] = <int32_t> i
    if target.y_last + 1 == y:
        link_rows(&target.row, &last, words, True, target.parent, &nothing)
    target.last = target.row
    target.row = last
    target.y_last = y
    return True
