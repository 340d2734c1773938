"""The rings around footprints, along the edges of pixels, in pixel coordinates."""

import numpy as np
from numpy.typing import NDArray

from . import _columns, _outline
from ._ragged import owners_of, ranges

Points = NDArray[np.float64]


def rings(spans: NDArray[np.int32], offsets: NDArray[np.int64]) -> list[Points]:
    """Return the corners of each ring around parts of footprints and of their holes."""
    corners, ring_offsets, ring_runs = _outline.outline(spans, offsets)
    return np.split(corners - 0.5, ring_offsets[1:-1]) if len(ring_runs) else []


def polygons(spans: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the outline of each footprint, holes included, as a shapely Polygon or MultiPolygon: an array (n,)."""
    import shapely

    corners, ring_offsets, ring_runs = _outline.outline(spans, offsets)
    made = np.full(len(offsets) - 1, shapely.Polygon(), dtype=object)
    if not len(ring_runs):
        return made
    rings = shapely.linearrings(corners - 0.5, indices=owners_of(ring_offsets))
    labels, count = _columns.split(spans, offsets, 4)
    part = labels[ring_runs]
    # The outer ring of each part, the only one that runs anticlockwise, must come first.
    order = np.lexsort((~shapely.is_ccw(rings), part))
    parts = shapely.polygons(rings[order], indices=part[order])
    owner = np.empty(count, np.int64)
    owner[labels] = owners_of(offsets)
    several = np.bincount(owner, minlength=len(made)) > 1
    alone = ~several[owner]
    made[owner[alone]] = parts[alone]
    if several.any():
        # As many geometries as there are such footprints, not as their numbers say.
        rank = np.cumsum(several) - 1
        made[several] = shapely.multipolygons(parts[~alone], indices=rank[owner[~alone]])
    return made


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
