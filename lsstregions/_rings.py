"""The rings around footprints, along the edges of pixels, in pixel coordinates."""

import numpy as np
from numpy.typing import NDArray

from . import _outline
from ._ragged import ranges

Points = NDArray[np.float64]


def rings(spans: NDArray[np.int32], offsets: NDArray[np.int64]) -> list[Points]:
    """Return the corners of each ring around parts of footprints and of their holes."""
    corners, ring_offsets, ring_runs = _outline.outline(spans, offsets)
    return np.split(corners - 0.5, ring_offsets[1:-1]) if len(ring_runs) else []


def cut_rings(spans: NDArray[np.int32], offsets: NDArray[np.int64]) -> tuple[Points, NDArray[np.int64]]:
    """Return each footprint as one ring, with cuts of no width to its parts and holes: vertices (m, 2) and offsets.

    A ring is not closed: its last vertex is not its first. That of an empty footprint is empty. By the even-odd rule
    a cut, which is passed twice, changes nothing.
    """
    corners, ring_offsets, ring_runs = _outline.outline(spans, offsets)
    owner = np.searchsorted(offsets, ring_runs, side="right") - 1
    order = np.argsort(owner, kind="stable")
    owner, begin, size = owner[order], ring_offsets[:-1][order], np.diff(ring_offsets)[order]
    first = np.ones(len(owner), bool)
    first[1:] = owner[1:] != owner[:-1]
    # The first ring is closed if others follow. Each of these is: turn, ring, its first vertex, turn, the first of all.
    followed = np.zeros(len(owner), bool)
    followed[:-1] = ~first[1:]
    length = np.where(first, size + (first & followed), size + 4)
    ends = np.cumsum(length)
    start = ends - length
    vertices = np.empty((ends[-1] if len(ends) else 0, 2))
    vertices[ranges(start + ~first, size)] = corners[ranges(begin, size)]
    closed = first & followed
    vertices[start[closed] + size[closed]] = corners[begin[closed]]
    other = ~first
    home = begin[np.flatnonzero(first)[np.cumsum(first) - 1]] if len(owner) else begin
    here, base = corners[begin[other]], corners[home[other]]
    # Along a row and then along a column: no cut meets the centre of a pixel.
    turn = np.column_stack((here[:, 0], base[:, 1]))
    at = start[other]
    vertices[at] = turn
    vertices[at + size[other] + 1] = here
    vertices[at + size[other] + 2] = turn
    vertices[at + size[other] + 3] = base
    lengths = np.zeros(len(offsets), np.int64)
    np.add.at(lengths, owner + 1, length)
    return vertices - 0.5, np.cumsum(lengths)
