"""Hypothesis strategies for frames, span sets and structuring elements."""

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import reference

from lsstregions import SpanSet


def _random_frame(seed, ny, nx, density):
    return np.random.default_rng(seed).random((ny, nx)) < density


def frames(ny=6, nx=9, wide=200):
    """Frames of any size, down to nothing: small ones that shrink well, and wide ones of several 64-pixel words."""
    small = hnp.arrays(bool, st.tuples(st.integers(0, ny), st.integers(0, nx)))
    large = st.builds(
        _random_frame,
        st.integers(0, 2**32 - 1),
        st.integers(1, 2 * ny),
        st.integers(1, wide),
        st.sampled_from([0.02, 0.2, 0.5, 0.8, 0.98]),
    )
    return st.one_of(small, large) if wide else small


def pairs():
    """Two frames of one shape."""
    return st.builds(
        lambda a, seed, density: (a, np.random.default_rng(seed).random(a.shape) < density),
        frames(),
        st.integers(0, 2**32 - 1),
        st.floats(0, 1),
    )


def origins():
    return st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000))


def elements():
    """Structuring elements as lists of offsets (dx, dy): with gaps, off centre, wider than a word."""
    offsets = st.lists(st.tuples(st.integers(-6, 6), st.integers(-4, 4)), min_size=1, max_size=12, unique=True)
    line = st.builds(
        lambda dx, n, dy: [(dx + i, dy) for i in range(n)], st.integers(-90, 5), st.integers(1, 150), st.integers(-3, 3)
    )
    made = st.builds(
        lambda shape, r: getattr(reference, shape)(r), st.sampled_from(["disk", "square", "diamond"]), st.integers(0, 4)
    )
    return st.one_of(offsets, line, made)


def element_set(offsets):
    dx, dy = np.array(offsets).T
    return SpanSet.from_indices(dy, dx)
