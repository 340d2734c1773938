"""Memory of arrays and of buffers that grow."""

from cython cimport view
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

cdef extern from "memory.h":
    struct Ahead:
        const char *next
        const char *stop
    void prefetch(const void *address) noexcept nogil
    void prefetch_lines(const void *data, Py_ssize_t size) noexcept nogil
    void *large_memory(size_t size) noexcept nogil
    bint reserved(void **data, Py_ssize_t *capacity, Py_ssize_t needed, size_t size) noexcept nogil
    bint grown(void **data, Py_ssize_t *capacity, Py_ssize_t needed, Py_ssize_t likely, size_t size) noexcept nogil


cdef inline object owned_bytes(void *data, Py_ssize_t size, Py_ssize_t capacity):
    """Return the first bytes of a buffer as an array that frees it; the rest is given back if it is more than those.

    A block of another size than before would be fresh memory the next time.
    """
    import numpy as np
    cdef view.array owner
    cdef uint8_t[::1] copy
    cdef void *cut = NULL
    if size < 1 << 16:
        array = np.empty(size, np.uint8)
        if size:
            copy = array
            memcpy(&copy[0], data, size)
        free(data)
        return array
    if size < capacity // 2:
        cut = realloc(data, size)
    owner = <uint8_t[:size]> <uint8_t *> (cut if cut != NULL else data)
    owner.callback_free_data = free
    return np.asarray(owner)


cdef inline object empty_bytes(Py_ssize_t size):
    """Return an array of bytes; a large one is in large pages, in which fresh memory is touched much faster."""
    import numpy as np
    cdef view.array owner
    cdef void *data
    if size < 1 << 20:
        return np.empty(size, np.uint8)
    data = large_memory(size)
    if data == NULL:
        raise MemoryError(f"no memory for an array of {size} bytes")
    owner = <uint8_t[:size]> <uint8_t *> data
    owner.callback_free_data = free
    return np.asarray(owner)
