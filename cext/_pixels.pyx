"""Elements of an image under runs: written, copied out, copied in, changed.

An image of elements of any kind is passed as its bytes, ``uint8[ny, nx * size]``, with contiguous rows; the runs lie
inside.
"""

from libc.stdint cimport int32_t, uint8_t
from libc.string cimport memcpy, memset

from elements cimport Elements, ask_for, first_of
from span cimport Span

cdef enum:
    # How many runs before its turn the memory of a run is asked for.
    AHEAD = 64


def paint(uint8_t[:, :] image, const int32_t[:, ::1] runs, int32_t x0, int32_t y0, const uint8_t[::1] value):
    """Write `value`, the bytes of one element, under runs."""
    cdef Py_ssize_t i, x, width, size = value.shape[0], n = runs.shape[0]
    cdef const Span *span
    cdef uint8_t *target
    cdef const uint8_t *source = &value[0]
    cdef Elements rows
    if n == 0:
        return
    span = <const Span *> &runs[0, 0]
    rows = Elements(&image[0, 0], image.strides[0], size, x0, y0)
    with nogil:
        for i in range(n):
            if i + AHEAD < n:
                ask_for(&rows, span + i + AHEAD)
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
    cdef Elements rows
    if values.shape[0] == 0:
        return
    span = <const Span *> &runs[0, 0]
    rows = Elements(<uint8_t *> &image[0, 0], image.strides[0], size, x0, y0)
    value = &values[0]
    with nogil:
        for i in range(n):
            if i + AHEAD < n:
                ask_for(&rows, span + i + AHEAD)
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
    cdef Elements rows
    if values.shape[0] == 0:
        return
    span = <const Span *> &runs[0, 0]
    rows = Elements(&image[0, 0], image.strides[0], size, x0, y0)
    value = &values[0]
    with nogil:
        for i in range(n):
            if i + AHEAD < n:
                ask_for(&rows, span + i + AHEAD)
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
    cdef Elements rows
    if values.shape[0] == 0:
        return
    span = <const Span *> &runs[0, 0]
    rows = Elements(<uint8_t *> &image[0, 0], image.strides[0], stride, x0, y0)
    value = &values[0]
    with nogil:
        for i in range(n):
            if i + AHEAD < n:
                ask_for(&rows, span + i + AHEAD)
            target = first_of(&rows, span + i)
            width = span[i].x_stop - <Py_ssize_t> span[i].x_start
            for x in range(width):
                (<real *> (target + x * stride))[0] += sign * value[x]
            value += width
