"""The exact coverage of polygons that cross themselves: their edges are cut where they meet."""

from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .. import _coverage
from .._ragged import owners_of
from .._validate import INT32_MAX, INT32_MIN
from ..geom import Box2I
from ._dispatch import joined_pieces
from ._shapes import NO_RUNS, Doubles, Pieces, Polygons, Runs, reach_of

Geometry = Any

# Points that rays are sent from in one go.
_MOST_RAYS = 10_000


def untangled(batch: Polygons, pieces: Pieces, within: Any) -> Pieces:
    """Return the coverage of polygons, with that of those whose rings cross done anew, by the even-odd rule."""
    tangled = _tangled(batch)
    if not tangled.size:
        return pieces
    spans, weights, offsets = pieces
    each = [(spans[start:stop], weights[start:stop]) for start, stop in pairwise(offsets.tolist())]
    for i in tangled.tolist():
        origin = origin_of(batch, i, within)
        each[i] = _covered(geometry_of(batch, i, origin, within), within, origin)
    return joined_pieces(each)


def _tangled(batch: Polygons) -> NDArray[np.intp]:
    """Return the indexes of polygons whose rings cross themselves or each other, or whose holes are none."""
    sizes, n_rings = np.diff(batch.rings), np.diff(batch.parts)
    owner = owners_of(batch.parts)
    # One ring that goes once around its middle need not be looked at.
    simple = (n_rings == 1)[owner] & (_coverage.winds_once(batch.x, batch.y, batch.rings) > 0)
    doubtful = (sizes > 2) & ~simple
    if not doubtful.any():
        return np.empty(0, np.intp)
    points = np.column_stack([batch.x, batch.y])[np.repeat(doubtful, sizes)]
    rings = shapely.linearrings(points, indices=np.repeat(np.arange(doubtful.sum()), sizes[doubtful]))
    # Each outer ring begins a part, and so does the first one of a polygon that is looked at.
    owner = owner[doubtful]
    begins = batch.outer[doubtful] | (np.diff(owner, prepend=-1) != 0)
    made = shapely.polygons(rings, indices=np.cumsum(begins) - 1)
    used, index = np.unique(owner[begins], return_inverse=True)
    if len(used) < len(made):
        made = shapely.multipolygons(made, indices=index)
    return used[~shapely.is_valid(made)]


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


def geometry_of(batch: Polygons, i: int, origin: tuple[int, int], within: Any = None) -> Geometry:
    """Return polygon i from an origin, as valid geometry: what is inside an odd number of times.

    What is outside a box may be left out. The edges are cut where they meet, which makes faces of one parity each.
    """
    rings = []
    for start, stop in pairwise(batch.rings[batch.parts[i] : batch.parts[i + 1] + 1]):
        ring = np.column_stack([batch.x[start:stop] - origin[0], batch.y[start:stop] - origin[1]])
        rings.append(ring if within is None else _clipped(ring, within, origin))
    edges = _odd_edges(np.concatenate([np.column_stack([ring, np.roll(ring, -1, axis=0)]) for ring in rings]))
    if not len(edges):
        return shapely.Polygon()
    try:
        cut = shapely.node(shapely.multilinestrings(shapely.linestrings(edges.reshape(-1, 2, 2))))
        faces = shapely.get_parts(shapely.polygonize(shapely.get_parts([cut])))
        inner = shapely.get_coordinates(shapely.point_on_surface(faces))
        return shapely.coverage_union_all(faces[_winds_oddly(edges, inner)])
    except shapely.errors.GEOSException as error:
        if "bad_alloc" in str(error):
            raise MemoryError("no memory to cut the edges of a polygon that crosses itself") from None
        raise ValueError(f"the edges of a polygon that crosses itself could not be cut: {error}") from None


def _clipped(ring: Doubles, box: Box2I, origin: tuple[int, int]) -> Doubles:
    """Return the part near a box of a ring given from an origin, with edges around it (Sutherland and Hodgman 1974)."""
    for axis, side in enumerate((box.x, box.y)):
        for bound, sign in ((side.start - 2.0 - origin[axis], 1), (side.stop + 1.0 - origin[axis], -1)):
            inside = sign * (ring[:, axis] - bound) >= 0
            before = np.roll(ring, 1, axis=0)
            crosses = inside != np.roll(inside, 1)
            # From the same end whichever way it goes: an edge that is passed twice is cut twice at one point.
            rises = (before[:, axis] < ring[:, axis])[:, None]
            low, high = np.where(rises, before, ring), np.where(rises, ring, before)
            with np.errstate(divide="ignore", invalid="ignore"):
                part = (bound - low[:, axis]) / (high[:, axis] - low[:, axis])
                cut = low + part[:, None] * (high - low)
            cut[:, axis] = bound
            ring = np.stack([cut, ring], axis=1)[np.column_stack([crosses, inside])]
    return ring


def _odd_edges(edges: Doubles) -> Doubles:
    """Return edges, (n, 4), without what of them is passed an even number of times, as cuts to holes are.

    Those along an axis are taken apart and put together again; of others the same ones are known.
    """
    # Zeros without a sign, which are the same in every comparison.
    edges = edges + 0.0
    level, upright = edges[:, 1] == edges[:, 3], edges[:, 0] == edges[:, 2]
    made = [
        _odd_stretches(edges[level & ~upright][:, [1, 0, 3, 2]])[:, [1, 0, 3, 2]],
        _odd_stretches(edges[upright & ~level]),
    ]
    others = edges[~level & ~upright]
    turned = others[:, 0] > others[:, 2]
    others[turned] = others[turned][:, [2, 3, 0, 1]]
    different, counts = np.unique(others, axis=0, return_counts=True)
    return np.concatenate([*made, different[counts % 2 == 1]])


def _odd_stretches(edges: Doubles) -> Doubles:
    """Return the same for edges (u, v, u, v) along v: from the first end to the second, the third to the fourth."""
    ends, counts = np.unique(edges.reshape(-1, 2), axis=0, return_counts=True)
    return ends[counts % 2 == 1].reshape(-1, 4)


def _winds_oddly(edges: Doubles, points: Doubles) -> NDArray[np.bool_]:
    """Whether a ray from each point crosses the edges an odd number of times."""
    edges = edges[edges[:, 1] != edges[:, 3]]
    tree = shapely.STRtree(shapely.linestrings(edges.reshape(-1, 2, 2)))
    farthest = edges[:, [0, 2]].max(initial=0)
    odd = np.zeros(len(points), bool)
    for first in range(0, len(points), _MOST_RAYS):
        x, y = points[first : first + _MOST_RAYS].T
        i, j = tree.query(shapely.box(x, y, np.maximum(x, farthest), y))
        x0, y0, x1, y1 = edges[j].T
        x, y = x[i], y[i]
        crosses = ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
        odd[first : first + _MOST_RAYS] = np.bincount(i[crosses], minlength=len(points[first : first + _MOST_RAYS])) % 2
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
    x_start, x_stop, y_start, y_stop = reach_of(within, x + x0, y + y0, np.array([0, x.size]))[0]
    bounds = np.clip([x_start - x0, x_stop - x0, y_start - y0, y_stop - y0], INT32_MIN, INT32_MAX)
    # All parts as one polygon: they are apart.
    parts, origins = np.array([0, rings.size - 1]), np.zeros((2, 1))
    spans, weights, _ = _coverage.polygons(x, y, rings, parts, holes, origins, *map(int, bounds))
    return spans + np.array([y0, x0, x0], np.int32), weights
