"""The elements of an image, of any size, under runs."""

from libc.stdint cimport int64_t, uint8_t

from span cimport Span

cdef extern from "elements.h":
    ctypedef struct Elements:
        uint8_t *data
        Py_ssize_t stride
        Py_ssize_t size
        int64_t x0
        int64_t y0
    uint8_t *first_of(const Elements *, const Span *) noexcept nogil
    void ask_for(const Elements *, const Span *) noexcept nogil
