"""Elements of an image under runs: written, copied out, copied in, changed.

An image of elements of any kind is passed as its bytes, ``uint8[ny, nx * size]``, with contiguous rows; the runs lie
inside.
"""

from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memcpy, memset

from memory cimport prefetch_lines
from span cimport Span

cdef enum:
    # How many runs before its turn the memory of a run is asked for.
    AHEAD = 32


cdef struct Bytes:
    # An image with contiguous rows of elements of some bytes.
    uint8_t *data
    Py_ssize_t stride
    Py_ssize_t size
    int32_t x0
    int32_t y0


cdef inline uint8_t *first_of(const Bytes *image, const Span *span) noexcept nogil:
    """Return where a run begins."""
    return image.data + (
        (span.y - <Py_ssize_t> image.y0) * image.stride + (span.x_start - <Py_ssize_t> image.x0) * image.size
    )


cdef inline void ask_ahead(const Bytes *image, const Span *span, Py_ssize_t i, Py_ssize_t n) noexcept nogil:
    """Ask for the memory of a run some runs before its turn: short runs lie far apart."""
    if i + AHEAD < n:
        span += i + AHEAD
        prefetch_lines(first_of(image, span), (span.x_stop - <Py_ssize_t> span.x_start) * image.size)


def paint(uint8_t[:, :] image, const int32_t[:, ::1] runs, int32_t x0, int32_t y0, const uint8_t[::1] value):
    """Write `value`, the bytes of one element, under runs."""
    cdef Py_ssize_t i, x, width, size = value.shape[0], n = runs.shape[0]
    cdef const Span *span
    cdef uint8_t *target
    cdef const uint8_t *source = &value[0]
    cdef Bytes rows
    if n == 0:
        return
    span = <const Span *> &runs[0, 0]
    rows = Bytes(&image[0, 0], image.strides[0], size, x0, y0)
    with nogil:
        for i in range(n):
            ask_ahead(&rows, span, i, n)
            target = first_of(&rows, span + i)
            width = span[i].x_stop - <Py_ssize_t> span[i].x_start
            if size == 1:
                memset(target, source[0], width)
            elif size == 4:
                for x in range(width):
                    memcpy(target + 4 * x, source, 4)
            elif size == 8:
                for x in range(width):
                    memcpy(target + 8 * x, source, 8)
            else:
                for x in range(width):
                    memcpy(target + size * x, source, size)


def gather(
    const uint8_t[:, :] image, const int32_t[:, ::1] runs, int32_t x0, int32_t y0, Py_ssize_t size, uint8_t[::1] values
):
    """Copy the elements, of `size` bytes, under runs to ``values[area * size]``."""
    cdef Py_ssize_t i, count, n = runs.shape[0]
    cdef const Span *span
    cdef uint8_t *value
    cdef Bytes rows
    if values.shape[0] == 0:
        return
    span = <const Span *> &runs[0, 0]
    rows = Bytes(<uint8_t *> &image[0, 0], image.strides[0], size, x0, y0)
    value = &values[0]
    with nogil:
        for i in range(n):
            ask_ahead(&rows, span, i, n)
            count = (span[i].x_stop - <Py_ssize_t> span[i].x_start) * rows.size
            memcpy(value, first_of(&rows, span + i), count)
            value += count


def scatter(
    uint8_t[:, :] image, const int32_t[:, ::1] runs, int32_t x0, int32_t y0, Py_ssize_t size, const uint8_t[::1] values
):
    """Copy ``values[area * size]`` to the elements, of `size` bytes, under runs."""
    cdef Py_ssize_t i, count, n = runs.shape[0]
    cdef const Span *span
    cdef const uint8_t *value
    cdef Bytes rows
    if values.shape[0] == 0:
        return
    span = <const Span *> &runs[0, 0]
    rows = Bytes(&image[0, 0], image.strides[0], size, x0, y0)
    value = &values[0]
    with nogil:
        for i in range(n):
            ask_ahead(&rows, span, i, n)
            count = (span[i].x_stop - <Py_ssize_t> span[i].x_start) * rows.size
            memcpy(first_of(&rows, span + i), value, count)
            value += count


ctypedef fused real:
    float
    double


def add(real[:, :] image, const int32_t[:, ::1] runs, int32_t x0, int32_t y0, const real[::1] values, real sign):
    """Add ``sign * values[area]`` to the elements under runs, one run after another, for they may overlap."""
    cdef Py_ssize_t i, x, width, n = runs.shape[0], stride = image.strides[1]
    cdef const Span *span
    cdef const real *value
    cdef uint8_t *target
    cdef Bytes rows
    if values.shape[0] == 0:
        return
    span = <const Span *> &runs[0, 0]
    rows = Bytes(<uint8_t *> &image[0, 0], image.strides[0], stride, x0, y0)
    value = &values[0]
    with nogil:
        for i in range(n):
            ask_ahead(&rows, span, i, n)
            target = first_of(&rows, span + i)
            width = span[i].x_stop - <Py_ssize_t> span[i].x_start
            for x in range(width):
                (<real *> (target + x * stride))[0] += sign * value[x]
            value += width
