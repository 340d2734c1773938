"""Image rows to runs, components and peaks in one pass: no mask and no label image (docs/explanation/detection)."""

from libc.stdint cimport int32_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from memory cimport Ahead, grown, owned_bytes
from span cimport RunBuffer, Span, append_numbered_words, join_touching, join_trees, number_trees

cdef extern from "bits.h":
    uint64_t nonzero_bytes(const uint8_t *) noexcept nogil
    uint64_t nonzero_bytes_tail(const uint8_t *, Py_ssize_t) noexcept nogil
    uint64_t nonzero_words(const uint64_t *, Py_ssize_t) noexcept nogil
    Py_ssize_t bits_of_words(const uint64_t *, uint64_t busy, int32_t x, int32_t *out) noexcept nogil

cdef extern from "link.h":
    struct BitRow:
        uint64_t *words
        int32_t *number
    void runs_at(const BitRow *, const int32_t *x, Py_ssize_t count, int32_t *runs) noexcept nogil
    void link_rows(
        const BitRow *, const BitRow *, Py_ssize_t count, bint corners, int32_t *parent, Ahead *
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
    ctypedef Py_ssize_t (*MarkPeaks)(const Rows *, const uint64_t *, uint64_t *) noexcept nogil
    ctypedef void (*ListPeaks)(const Rows *, const int32_t *, Py_ssize_t, Peak *) noexcept nogil
    struct PixelType:
        Passing passing[2][2]
        MarkPeaks mark_peaks[2]
        ListPeaks list_peaks
    const PixelType *pixel_type(char kind, int size, int level) noexcept nogil


cdef enum:
    # Rows that are looked at together, and how many bytes of them: each step finds them in the cache, and finding runs
    # and peaks does not break the stream in which the image is read.
    MOST_ROWS = 16
    BLOCK = 1 << 18
    # Pixels from which on it pays to begin with a large buffer.
    LARGE_IMAGE = 1 << 22


cdef struct Found:
    RunBuffer runs
    int32_t *parent
    Py_ssize_t parent_capacity
    Peak *peaks
    Py_ssize_t n_peaks
    Py_ssize_t peak_capacity
    int32_t *run_of_peak
    Py_ssize_t run_of_peak_capacity
    # How many times as much there will be in the end, by the look of it.
    double growth


def scan(
    const uint8_t[:, :] image,
    dtype,
    const uint8_t[:, :] threshold,
    const uint8_t[:, :] mask,
    bint beyond,
    bint negative,
    bint peaks,
    int connectivity,
    Py_ssize_t start,
    Py_ssize_t stop,
    int32_t x0,
    int32_t y0,
    int level=2,
):
    """Find the pixels of rows `start` to `stop` at least at a threshold (at most, where `negative`), and their peaks.

    Of floats they may be those `beyond` the threshold alone.

    The image comes as bytes, ``uint8[ny, nx * itemsize]`` with contiguous rows, as does the threshold: one value, or
    one a pixel. Pixels where ``mask``, ``uint8[ny, nx]`` or None, is not zero do not pass. The rows below `start` and
    above `stop` are looked at by peaks only. Returns as bytes the runs, the union-find parents of their components
    (``int32``), the peaks (x, y, value: ``int32, int32, float64``) and the run of each (``int32``), in raster order; no
    peaks unless asked for.
    """
    cdef const PixelType *pixels = pixel_type(ord(dtype.kind), dtype.itemsize, level)
    cdef Py_ssize_t size = dtype.itemsize, ny = image.shape[0], nx = image.shape[1] // size, y, k, rows, first
    cdef Py_ssize_t count = (nx + 63) // 64, stride = threshold.shape[1] > size
    cdef Py_ssize_t block = max(1, min(MOST_ROWS, BLOCK // max(nx * size, 1)))
    cdef Py_ssize_t[MOST_ROWS + 1] n_runs
    cdef BitRow[MOST_ROWS + 1] bits
    cdef BitRow last
    cdef uint64_t *peak_words
    cdef Rows around
    cdef Ahead ahead
    cdef Found found
    # The words of each row, after one that is 0, and those of peaks; the numbers of runs.
    cdef uint64_t *words = <uint64_t *> calloc((block + 1) * (1 + count) + count, sizeof(uint64_t))
    cdef int32_t *numbers = <int32_t *> calloc((block + 1) * count + 1, sizeof(int32_t))
    cdef bint good = words != NULL and numbers != NULL
    found = Found(RunBuffer(NULL, 0, 0), NULL, 0, NULL, 0, 0, NULL, 0, 0)
    for k in range(block + 1 if good else 0):
        bits[k].words = words + k * (1 + count) + 1
        bits[k].number = numbers + k * count
        n_runs[k] = 0
    peak_words = words + (block + 1) * (1 + count)
    around.nx = nx
    around.x0 = x0
    if (stop - start) * nx > LARGE_IMAGE:
        good = good and grown(<void **> &found.runs.data, &found.runs.capacity, 1 << 16, 0, sizeof(Span))
    with nogil:
        y = start if nx else stop
        while good and y < stop:
            # The row before the block is row 0 of the bits.
            rows = min(block, stop - y)
            if y > start:
                found.growth = 1.0625 * (stop - start) / (y - start)
            for k in range(rows):
                pixels.passing[beyond][negative](
                    &image[y + k, 0], nx, &threshold[y + k if threshold.shape[0] > 1 else 0, 0], stride,
                    bits[k + 1].words,
                )
                if mask is not None:
                    _remove_masked(bits[k + 1].words, nx, &mask[y + k, 0])
            # The pixels of the next block, while those of this one are in the cache.
            ahead = Ahead(NULL, NULL)
            if y + rows < stop:
                ahead.next = <const char *> &image[y + rows, 0]
                ahead.stop = <const char *> &image[min(y + rows + block, stop) - 1, 0] + nx * size
            for k in range(1, rows + 1):
                first = found.runs.size
                good = good and _append_row(&found, &bits[k], count, nx, x0, y0 + <int32_t> (y + k - 1))
                n_runs[k] = found.runs.size - first
                if good and n_runs[k] and n_runs[k - 1]:
                    link_rows(&bits[k], &bits[k - 1], count, connectivity == 8, found.parent, &ahead)
            for k in range(1, rows + 1 if peaks else 1):
                if n_runs[k]:
                    around.below = &image[max(y + k - 2, 0), 0]
                    around.row = &image[y + k - 1, 0]
                    around.above = &image[min(y + k, ny - 1), 0]
                    around.y = y0 + <int32_t> (y + k - 1)
                    good = good and _append_peaks(&found, pixels, negative, &around, &bits[k], peak_words)
            last = bits[0]
            bits[0] = bits[rows]
            bits[rows] = last
            n_runs[0] = n_runs[rows]
            y += rows
        free(words)
        free(numbers)
    runs = owned_bytes(found.runs.data, found.runs.size * sizeof(Span), found.runs.capacity * sizeof(Span))
    parent = owned_bytes(found.parent, found.runs.size * sizeof(int32_t), found.parent_capacity * sizeof(int32_t))
    peak = owned_bytes(found.peaks, found.n_peaks * sizeof(Peak), found.peak_capacity * sizeof(Peak))
    run_of_peak = owned_bytes(
        found.run_of_peak, found.n_peaks * sizeof(int32_t), found.run_of_peak_capacity * sizeof(int32_t)
    )
    if not good:
        raise MemoryError("no memory for the footprints")
    return runs, parent, peak, run_of_peak


cdef void _remove_masked(uint64_t *words, Py_ssize_t nx, const uint8_t *mask) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(nx // 64):
        if words[i]:
            words[i] &= ~nonzero_bytes(mask + 64 * i)
    if nx % 64:
        i = nx // 64
        words[i] &= ~nonzero_bytes_tail(mask + 64 * i, nx % 64)


cdef bint _append_row(
    Found *found, BitRow *bits, Py_ssize_t count, Py_ssize_t nx, int32_t x0, int32_t y
) noexcept nogil:
    """Append the runs of a row, each its own parent; return whether there was memory."""
    cdef RunBuffer *runs = &found.runs
    cdef Py_ssize_t i, first = runs.size, likely = <Py_ssize_t> (found.growth * first)
    if not (
        grown(<void **> &runs.data, &runs.capacity, first + nx // 2 + 1, likely, sizeof(Span))
        and grown(<void **> &found.parent, &found.parent_capacity, first + nx // 2 + 1, likely, sizeof(int32_t))
    ):
        return False
    append_numbered_words(runs, bits.words, count, x0, y, bits.number)
    for i in range(first, runs.size):
        found.parent[i] = <int32_t> i
    return True


cdef bint _append_peaks(
    Found *found, const PixelType *pixels, bint negative, const Rows *rows, const BitRow *bits, uint64_t *peaks
) noexcept nogil:
    """Append the peaks of a row, which are marked in `peaks`; return whether there was memory."""
    cdef Py_ssize_t count = (rows.nx + 63) // 64, n, first, needed, likely
    cdef int32_t[64 * 64 + 16] x
    n = pixels.mark_peaks[negative](rows, bits.words, peaks)
    needed, likely = found.n_peaks + n, <Py_ssize_t> (found.growth * found.n_peaks)
    if not (
        grown(<void **> &found.peaks, &found.peak_capacity, needed, likely, sizeof(Peak))
        and grown(<void **> &found.run_of_peak, &found.run_of_peak_capacity, needed, likely, sizeof(int32_t))
    ):
        return False
    for first in range(0, count if n else 0, 64):
        n = bits_of_words(
            peaks + first, nonzero_words(peaks + first, min(count - first, 64)), <int32_t> (64 * first), x
        )
        pixels.list_peaks(rows, x, n, found.peaks + found.n_peaks)
        runs_at(bits, x, n, found.run_of_peak + found.n_peaks)
        found.n_peaks += n
    return True


def join(
    const int32_t[:, ::1] below, const int32_t[:, ::1] above, int32_t first, int32_t[::1] parent, int connectivity
):
    """Unite the components of two neighbouring blocks of rows; `first` is the number of the first run above."""
    cdef Py_ssize_t i, low = below.shape[0], high = 0, count
    cdef Span *seam
    cdef int32_t *local
    cdef bint good
    if below.shape[0] == 0 or above.shape[0] == 0:
        return
    # The last row below and the first one above.
    while low > 0 and below[low - 1, 0] == below[below.shape[0] - 1, 0]:
        low -= 1
    while high < above.shape[0] and above[high, 0] == above[0, 0]:
        high += 1
    count = below.shape[0] - low + high
    seam = <Span *> malloc(count * sizeof(Span))
    local = <int32_t *> malloc(count * sizeof(int32_t))
    good = seam != NULL and local != NULL
    if good:
        memcpy(seam, &below[low, 0], (below.shape[0] - low) * sizeof(Span))
        memcpy(seam + below.shape[0] - low, &above[0, 0], high * sizeof(Span))
        with nogil:
            for i in range(count):
                local[i] = <int32_t> i
            join_touching(seam, 0, count, connectivity == 8, local)
            first -= <int32_t> (below.shape[0] - low)
            for i in range(count):
                join_trees(&parent[0], first + <int32_t> i, first + local[i])
    free(seam)
    free(local)
    if not good:
        raise MemoryError("no memory for the seam of two blocks")


def number(int32_t[::1] parent) -> int:
    """Replace the parents by the numbers of their components, in the order of their first runs; return how many."""
    cdef int32_t count
    if parent.shape[0] == 0:
        return 0
    with nogil:
        count = number_trees(&parent[0], parent.shape[0])
    return count
