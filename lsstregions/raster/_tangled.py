"""The exact coverage of polygons that cross themselves: their edges are cut where they meet."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .. import _coverage
from .._validate import INT32_MAX, INT32_MIN
from ._dispatch import joined_pieces
from ._shapes import MOST_MEASURED as MOST
from ._shapes import NO_RUNS, Doubles, Pieces, Polygons, Runs, bounds_of, extents

Geometry = Any


def untangled(batch: Polygons, pieces: Pieces, within: Any) -> Pieces:
    """Return the coverage of polygons, with that of those whose rings cross done anew, by the even-odd rule."""
    tangled = _tangled(batch)
    if not tangled.size:
        return pieces
    spans, weights, offsets = pieces
    each = [(spans[start:stop], weights[start:stop]) for start, stop in pairwise(offsets.tolist())]
    for i in tangled.tolist():
        origin = origin_of(batch, i, within)
        each[i] = _covered(geometry_of(batch, i, origin), within, origin)
    return joined_pieces(each)


def _tangled(batch: Polygons) -> NDArray[np.intp]:
    """Return the indexes of polygons whose rings cross themselves or each other, or whose holes are none."""
    sizes = np.diff(batch.rings)
    large = sizes > 2
    if not large.any():
        return np.empty(0, np.intp)
    points = np.column_stack([batch.x, batch.y])[np.repeat(large, sizes)]
    rings = shapely.linearrings(points, indices=np.repeat(np.arange(large.sum()), sizes[large]))
    owner = np.repeat(np.arange(batch.parts.size - 1), np.diff(batch.parts))[large]
    used, index = np.unique(owner, return_inverse=True)
    return used[~shapely.is_valid(shapely.polygons(rings, indices=index))]


def origin_of(batch: Polygons, i: int, within: Any) -> tuple[int, int]:
    """Return a whole pixel in the middle of what is seen of polygon i: from there nothing is lost far from (0, 0)."""
    first, last = batch.rings[batch.parts[i]], batch.rings[batch.parts[i + 1]]
    middle = []
    for v, side in ((batch.x[first:last], "x"), (batch.y[first:last], "y")):
        low, high = (
            (INT32_MIN, INT32_MAX) if within is None else (getattr(within, side).start, getattr(within, side).stop)
        )
        low, high = np.clip([v.min(), v.max()], low, high)
        middle.append(int(low + (high - low) / 2))
    return middle[0], middle[1]


def geometry_of(batch: Polygons, i: int, origin: tuple[int, int]) -> Geometry:
    """Return polygon i from an origin, as valid geometry: what is inside an odd number of times.

    The edges are cut where they meet, which makes faces of one parity each.
    """
    rings = [
        np.column_stack([batch.x[start:stop] - origin[0], batch.y[start:stop] - origin[1]])
        for start, stop in pairwise(batch.rings[batch.parts[i] : batch.parts[i + 1] + 1])
        if stop - start > 2
    ]
    if not rings:
        return shapely.Polygon()
    if max(np.abs(ring).max() for ring in rings) > MOST:
        raise ValueError(f"a polygon that crosses itself must have vertices within {MOST:g} pixels")
    closed = [np.concatenate([ring, ring[:1]]) for ring in rings]
    try:
        edges = shapely.node(shapely.MultiLineString(closed))
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts([edges])))
        inner = shapely.get_coordinates(shapely.point_on_surface(faces))
        return shapely.coverage_union_all(faces[_winds_oddly(closed, inner)])
    except shapely.errors.GEOSException as error:
        raise ValueError(f"the edges of a polygon that crosses itself could not be cut: {error}") from None


def _winds_oddly(rings: Sequence[Doubles], points: Doubles) -> NDArray[np.bool_]:
    """Whether a ray from each point crosses the rings an odd number of times."""
    x0, y0 = np.concatenate([ring[:-1] for ring in rings]).T
    x1, y1 = np.concatenate([ring[1:] for ring in rings]).T
    steep = y0 != y1
    x0, y0, x1, y1 = x0[steep], y0[steep], x1[steep], y1[steep]
    odd = np.zeros(len(points), bool)
    step = max(1, (1 << 20) // max(len(x0), 1))
    for first in range(0, len(points), step):
        x, y = points[first : first + step, :, None].transpose(1, 0, 2)
        crosses = ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
        odd[first : first + step] = crosses.sum(axis=1) % 2
    return odd


def _covered(geometry: Geometry, within: Any, origin: tuple[int, int]) -> tuple[Runs, Doubles]:
    """Return the spans and weights of a valid geometry given from an origin of whole pixels."""
    polygons = [part for part in shapely.get_parts(shapely.get_parts([geometry])) if part.area > 0]
    if not polygons:
        return NO_RUNS, np.empty(0)
    _, points, (rings, parts) = shapely.to_ragged_array(np.array(polygons), include_z=False)
    rings, parts = rings.astype(np.int64), parts.astype(np.int64)
    holes = np.ones(rings.size - 1, np.uint8)
    holes[parts[:-1]] = 0
    x0, y0 = origin
    x, y = np.ascontiguousarray(points.T)
    x_start, x_stop, y_start, y_stop = bounds_of(within, *extents(x + x0, y + y0, np.array([0, x.size])))
    bounds = np.clip([x_start - x0, x_stop - x0, y_start - y0, y_stop - y0], INT32_MIN, INT32_MAX)
    # All parts as one polygon: they are apart.
    parts, origins = np.array([0, rings.size - 1]), np.zeros((2, 1))
    spans, weights, _ = _coverage.polygons(x, y, rings, parts, holes, origins, *map(int, bounds))
    return spans + np.array([y0, x0, x0], np.int32), weights
