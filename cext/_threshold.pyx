"""Image rows to runs, components and peaks in one pass: no mask and no label image (docs/explanation/detection)."""

import numpy as np

from cython cimport view

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, realloc

from span cimport RunBuffer, Span, append_words, find_root

cdef extern from "bits.h":
    uint64_t nonzero_bytes(const uint8_t *) noexcept nogil
    uint64_t nonzero_bytes_tail(const uint8_t *, Py_ssize_t) noexcept nogil

cdef extern from "memory.h":
    bint grown(void **data, Py_ssize_t *capacity, Py_ssize_t needed, size_t size) noexcept nogil

cdef extern from "link.h":
    void link_words(
        const uint64_t *a, const uint64_t *b, Py_ssize_t count, int32_t a_first, int32_t b_first, bint corners,
        int32_t *parent,
    ) noexcept nogil

cdef extern from "threshold.h":
    struct Peak:
        int32_t x
        int32_t y
        double value
    struct Rows:
        const void *below
        const void *row
        const void *above
        Py_ssize_t nx
        int32_t x0
        int32_t y
    ctypedef void (*Passing)(const void *, Py_ssize_t, const void *, Py_ssize_t, uint64_t *) noexcept nogil
    ctypedef Py_ssize_t (*Peaks)(const Rows *, Py_ssize_t, Py_ssize_t, Peak *) noexcept nogil
    struct PixelType:
        Passing passing[2]
        Peaks peaks[2]
    const PixelType *pixel_type(char kind, int size, int level) noexcept nogil


# Pixels from which on it pays to begin with a large buffer.
cdef Py_ssize_t LARGE_IMAGE = 1 << 22


cdef struct Found:
    RunBuffer runs
    int32_t *parent
    Py_ssize_t parent_capacity
    Peak *peaks
    Py_ssize_t n_peaks
    Py_ssize_t peak_capacity


def scan(
    const uint8_t[:, :] image,
    dtype,
    const uint8_t[:, :] threshold,
    const uint8_t[:, :] mask,
    bint negative,
    bint peaks,
    int connectivity,
    Py_ssize_t start,
    Py_ssize_t stop,
    int32_t x0,
    int32_t y0,
    int level=2,
):
    """Find the pixels of rows `start` to `stop` at least at a threshold (at most, where `negative`), and peaks.

    The image comes as bytes, ``uint8[ny, nx * itemsize]`` with contiguous rows, as does the threshold: one value, or
    one a pixel. Pixels where ``mask``, ``uint8[ny, nx]`` or None, is not zero do not pass. The rows below `start` and
    above `stop` are looked at by peaks only. Returns as bytes the runs, the union-find parents of their components
    (``int32``) and the peaks (x, y, value: ``int32, int32, float64``), in raster order; no peaks unless asked for.
    """
    cdef const PixelType *pixels = pixel_type(ord(dtype.kind), dtype.itemsize, level)
    cdef Py_ssize_t size = dtype.itemsize, ny = image.shape[0], nx = image.shape[1] // size, y
    cdef Py_ssize_t count = (nx + 63) // 64, stride = threshold.shape[1] > size
    cdef Py_ssize_t row_start = 0, row_stop = 0
    cdef Rows rows
    cdef Found found
    cdef uint64_t *words = <uint64_t *> calloc(2 * (count + 1), sizeof(uint64_t))
    cdef uint64_t *before = words + count + 1
    cdef bint good = words != NULL
    found = Found(runs=RunBuffer(NULL, 0, 0), parent=NULL, parent_capacity=0, peaks=NULL, n_peaks=0, peak_capacity=0)
    rows.nx = nx
    rows.x0 = x0
    if (stop - start) * nx > LARGE_IMAGE:
        good = good and grown(<void **> &found.runs.data, &found.runs.capacity, 1 << 16, sizeof(Span))
    with nogil:
        # Peaks are one row behind: their row and the next are at hand then.
        for y in range(start, stop + 1 if good and nx and start < stop else start):
            if y < stop:
                pixels.passing[negative](
                    &image[y, 0], nx, &threshold[y if threshold.shape[0] > 1 else 0, 0], stride, words
                )
                if mask is not None:
                    _remove_masked(words, nx, &mask[y, 0])
                good = _append_row(&found, words, count, nx, x0, y0 + <int32_t> y)
                if good and row_start < row_stop and row_stop < found.runs.size:
                    link_words(
                        words, before, count, <int32_t> row_stop, <int32_t> row_start, connectivity == 8, found.parent
                    )
            if peaks and row_start < row_stop:
                rows.below = &image[max(y - 2, 0), 0]
                rows.row = &image[y - 1, 0]
                rows.above = &image[min(y, ny - 1), 0]
                rows.y = y0 + <int32_t> (y - 1)
                good = good and _append_peaks(&found, pixels.peaks[negative], &rows, row_start, row_stop)
            row_start, row_stop = row_stop, found.runs.size
            words, before = before, words
            if not good:
                break
        free(min(words, before))
    runs = _taken(found.runs.data, found.runs.size * sizeof(Span))
    parent = _taken(found.parent, found.runs.size * sizeof(int32_t))
    peak = _taken(found.peaks, found.n_peaks * sizeof(Peak))
    if not good:
        raise MemoryError("no memory for the footprints")
    return runs, parent, peak


cdef object _taken(void *data, Py_ssize_t size):
    """Return a buffer as an array of bytes that owns it; it is not copied, for fresh memory is slow to touch."""
    cdef view.array owner
    cdef void *cut
    if size == 0:
        free(data)
        return np.empty(0, np.uint8)
    cut = realloc(data, size)
    owner = <uint8_t[:size]> <uint8_t *> (cut if cut != NULL else data)
    owner.callback_free_data = free
    return np.asarray(owner)


cdef void _remove_masked(uint64_t *words, Py_ssize_t nx, const uint8_t *mask) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(nx // 64):
        if words[i]:
            words[i] &= ~nonzero_bytes(mask + 64 * i)
    if nx % 64:
        i = nx // 64
        words[i] &= ~nonzero_bytes_tail(mask + 64 * i, nx % 64)


cdef bint _append_row(
    Found *found, const uint64_t *words, Py_ssize_t count, Py_ssize_t nx, int32_t x0, int32_t y
) noexcept nogil:
    """Append the runs of a row, each its own parent; return whether there was memory."""
    cdef RunBuffer *runs = &found.runs
    cdef Py_ssize_t i, first = runs.size
    if not grown(<void **> &runs.data, &runs.capacity, first + nx // 2 + 1, sizeof(Span)):
        return False
    append_words(runs, words, count, x0, y)
    if not grown(<void **> &found.parent, &found.parent_capacity, runs.size, sizeof(int32_t)):
        return False
    for i in range(first, runs.size):
        found.parent[i] = <int32_t> i
    return True


cdef bint _append_peaks(Found *found, Peaks find, const Rows *rows, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
    """Append the peaks under the runs of a row; return whether there was memory."""
    cdef const Span *span = found.runs.data
    cdef Py_ssize_t i, start, stop
    for i in range(first, last):
        start = span[i].x_start - <Py_ssize_t> rows.x0
        stop = span[i].x_stop - <Py_ssize_t> rows.x0
        if not grown(<void **> &found.peaks, &found.peak_capacity, found.n_peaks + stop - start + 1, sizeof(Peak)):
            return False
        found.n_peaks += find(rows, start, stop, found.peaks + found.n_peaks)
    return True


def join(const int32_t[:, ::1] runs, int32_t[::1] parent, const int64_t[::1] seams, int connectivity):
    """Unite the components of blocks of rows; ``seams`` are the first runs of all blocks but the first."""
    cdef Py_ssize_t k, i, j, i_stop, j_stop, n = runs.shape[0]
    cdef const Span *span = <const Span *> &runs[0, 0] if n else NULL
    cdef int64_t reach = connectivity == 8
    cdef int32_t p, q
    with nogil:
        for k in range(seams.shape[0]):
            i = i_stop = j_stop = seams[k]
            if i == 0 or i == n or span[i - 1].y != span[i].y - 1:
                continue
            j = i - 1
            while j > 0 and span[j - 1].y == span[i - 1].y:
                j -= 1
            while i_stop < n and span[i_stop].y == span[i].y:
                i_stop += 1
            while i < i_stop and j < j_stop:
                if span[i].x_start < span[j].x_stop + reach and span[j].x_start < span[i].x_stop + reach:
                    p = find_root(&parent[0], <int32_t> i)
                    q = find_root(&parent[0], <int32_t> j)
                    parent[max(p, q)] = min(p, q)
                # The one that ends first touches nothing further.
                if span[i].x_stop < span[j].x_stop:
                    i += 1
                else:
                    j += 1


def number(int32_t[::1] parent) -> int:
    """Replace the parents by the numbers of their components, in the order of their first runs; return how many."""
    cdef Py_ssize_t i
    cdef int32_t count = 0
    cdef bint root
    with nogil:
        for i in range(parent.shape[0]):
            root = parent[i] == i
            parent[i] = count if root else parent[parent[i]]
            count += root
    return count
