"""Exact coverage of what is made of several shapes, and of polygons that cross themselves.

Where a pixel is wholly in or wholly out of one of two regions, its share of their union, intersection or difference
follows from the two shares alone. Where it is partly in both, it does so if they are disjoint or one holds the other:
that is found out from polygons drawn inside and around the curved ones. Otherwise there is no exact answer here.
"""

import functools
import itertools
import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .. import _coverage
from .._ragged import offsets_of
from .._validate import INT32_MAX, INT32_MIN
from ._compounds import Operation, truth_of
from ._dispatch import Alone, are_excluded, batches, pixels_of
from ._shapes import (
    MOST_MEASURED as MOST,
)
from ._shapes import (
    NO_RUNS,
    RECTANGLE,
    Doubles,
    Lines,
    Pieces,
    Polygons,
    Runs,
    Shapes,
    Wholes,
    bounds_of,
    extents,
)
from ._union import APART, FIRST_WITHIN, places_of, relations, spans_at, union_of

_ASSOCIATIVE = (operator.or_, operator.and_, operator.xor)

Geometry = Any
Bounds = tuple[Geometry, Geometry]


class Covered:
    """The coverage of one region, and, should it be asked for, its outline.

    Parameters
    ----------
    spans, weights : arrays
        Disjoint spans in raster order, and the share of each of their pixels.
    made : callable
        From a number of sides, and the outlines of what the region is made of, to two geometries, one inside the region
        and one around it.
    parts : sequence of Covered, optional
        What the region is made of.
    """

    __slots__ = ("_known", "_made", "_parts", "spans", "weights")

    def __init__(
        self,
        spans: Runs,
        weights: Doubles,
        made: Callable[[int, list[Bounds]], Bounds],
        parts: Sequence["Covered"] = (),
    ):
        self.spans = spans
        self.weights = weights
        self._made = made
        self._parts = parts
        self._known: dict[int, Bounds] = {}

    def outline(self, n: int) -> Bounds:
        """Return a geometry inside the region and one around it, the nearer the greater `n` is."""
        # Regions may be made of others to any depth.
        ahead = [self]
        while ahead:
            region = ahead[-1]
            unknown = [part for part in region._parts if n not in part._known]
            if unknown:
                ahead += unknown
                continue
            ahead.pop()
            if n not in region._known:
                region._known[n] = region._made(n, [part._known[n] for part in region._parts])
        return self._known[n]


@functools.singledispatch
def outline(batch: Any, i: int, n: int) -> Bounds:
    """Return two geometries, one inside region i of a batch and one around it, the nearer the greater `n` is."""
    raise TypeError(f"{type(batch).__name__} has no outline")


@outline.register
def _(batch: Shapes, i: int, n: int) -> Bounds:
    x, y, a, b, cos, sin, inner_a, inner_b = (column[i] for column in batch.columns)
    if batch.kind == RECTANGLE:
        # Polygons already, and of exact sides, which others may touch.
        unit_x, unit_y, low, high = np.array([1.0, -1, -1, 1]), np.array([1.0, 1, -1, -1]), 1.0, 1.0
    else:
        t = np.arange(n) * 2 * np.pi / n
        unit_x, unit_y, low, high = np.cos(t), np.sin(t), 1.0, 1 / np.cos(np.pi / n)

    def ring(a: float, b: float) -> Geometry:
        across, along = a * unit_x, b * unit_y
        return shapely.Polygon(np.column_stack([x + across * cos - along * sin, y + across * sin + along * cos]))

    inside, around = ring(a * low, b * low), ring(a * high, b * high)
    if inner_a > 0 and inner_b > 0:
        inside = inside - ring(inner_a * high, inner_b * high)
        around = around - ring(inner_a * low, inner_b * low)
    return inside, around


@outline.register
def _(batch: Polygons, i: int, n: int) -> Bounds:
    origin = _origin(batch, i, None)
    shape = shapely.transform(_geometry(batch, i, origin), lambda points: points + origin)
    return shape, shape


@outline.register
def _(batch: Lines, i: int, n: int) -> Bounds:
    return shapely.Polygon(), shapely.Polygon()


@outline.register
def _(batch: Wholes, i: int, n: int) -> Bounds:
    outlines = [outline(batch.batch, j, n) for j in range(batch.offsets[i], batch.offsets[i + 1])]
    return _combined(operator.or_, n, outlines)


@outline.register
def _(batch: Alone, i: int, n: int) -> Bounds:
    y, x_start, x_stop = pixels_of(batch.regions[i], batch.wcs).T
    shape = shapely.union_all(shapely.box(x_start - 0.5, y - 0.5, x_stop - 0.5, y + 0.5))
    return shape, shape


def _outline_of_member(batch: Any, i: int, n: int, _: list[Bounds]) -> Bounds:
    return outline(batch, i, n)


def members(batch: Any, pieces: Pieces) -> list[Covered]:
    """Return the coverage of each region of a batch."""
    spans, weights, offsets = pieces
    return [
        Covered(spans[start:stop], weights[start:stop], functools.partial(_outline_of_member, batch, i))
        for i, (start, stop) in enumerate(pairwise(offsets))
    ]


def covers_of(batch: Any, within: Any) -> list[Covered]:
    """Return the coverage of each region of a batch."""
    return batch.covers(within) if hasattr(batch, "covers") else members(batch, batch.pieces(within))


def covers_of_each(regions: Sequence[Any], wcs: Any, within: Any) -> list[Covered]:
    """Return the coverage of each region of a list, whatever its ``meta`` says."""
    covers: dict[int, Covered] = {}
    for batch, places in batches(regions, wcs):
        covers.update(zip(places, covers_of(batch, within), strict=True))
    return [covers[i] for i in range(len(regions))]


def cover_list(regions: Sequence[Any], wcs: Any, within: Any) -> Covered:
    """Return the coverage of a list: the union, in which excluded regions take away what came before them."""
    total = cover(operator.or_, [])
    covers = covers_of_each(regions, wcs, within)
    for excluded, group in itertools.groupby(
        zip(are_excluded(regions), covers, strict=True), key=operator.itemgetter(0)
    ):
        union = cover(operator.or_, [part for _, part in group])
        total = cover(_minus if excluded else operator.or_, [total, union])
    return total


def _minus(a: Any, b: Any) -> Any:
    return a & ~b


def joined_pieces(parts: Sequence[Covered]) -> Pieces:
    """Put the pieces of several regions one after another."""
    return (
        np.concatenate([NO_RUNS, *(part.spans for part in parts)]),
        np.concatenate([np.empty(0), *(part.weights for part in parts)]),
        offsets_of([len(part.spans) for part in parts]),
    )


def wholes_of(batch: Wholes, within: Any) -> list[Covered]:
    """Return the coverage of the union of each group of parts."""
    parts = covers_of(batch.batch, within)
    return [cover(operator.or_, parts[first:last]) for first, last in pairwise(batch.offsets)]


def cover_chain(operands: Sequence[Covered], operations: Sequence[Operation]) -> Covered:
    """Return the coverage of a chain of operations."""
    total, used = operands[0], 1
    for (function, turned), group in itertools.groupby(operations):
        parts = operands[used : (used := used + len(list(group)))]
        if function in _ASSOCIATIVE:
            total = cover(function, [total, *parts])
            continue
        for part in parts:
            total = cover(function, [part, total] if turned else [total, part])
    return total


def cover(operation: Callable, parts: Sequence[Covered]) -> Covered:
    """Return the coverage of several regions under an associative operation, or of two under any."""
    parts = list(parts)
    if operation is operator.or_ and len(parts) != 1:
        return Covered(*union_of(parts), functools.partial(_combined, operation), parts)
    while len(parts) > 1:
        pairs = [_cover_pair(operation, *pair) for pair in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + parts[2 * len(pairs) :]
    return parts[0]


def _cover_pair(operation: Callable, a: Covered, b: Covered) -> Covered:
    neither, only_a, only_b, both = truth_of(operation).astype(float)
    if neither:
        raise ValueError("a compound that holds outside of both its members has no bounds, so no exact coverage")
    spans, a_weight, b_weight = _refined(a, b)
    common = a_weight * b_weight
    partial = (common > 0) & (a_weight < 1) & (b_weight < 1)
    # Where it makes no difference how the two lie in a pixel there is nothing to find out.
    if partial.any() and both - only_a - only_b:
        (relation,) = relations([a, b], np.array([[0, 1]]))
        if relation != APART:
            common[partial] = (a_weight if relation == FIRST_WITHIN else b_weight)[partial]
        else:
            common[partial] = 0
    weights = only_a * (a_weight - common) + only_b * (b_weight - common) + both * common
    some = weights > 0
    return Covered(spans[some], weights[some], functools.partial(_combined, operation), (a, b))


def _refined(a: Covered, b: Covered) -> tuple[Runs, Doubles, Doubles]:
    """Cut two coverages at each other's ends; return the spans and both weights of each."""

    def weights_at(places: NDArray[np.int64], part: Covered) -> Doubles:
        start, stop = places_of(part.spans)
        if not start.size:
            return np.zeros(places.size)
        i = np.maximum(np.searchsorted(start, places, side="right") - 1, 0)
        return np.where((start[i] <= places) & (places < stop[i]), part.weights[i], 0.0)

    cuts = np.unique(np.concatenate([*places_of(a.spans), *places_of(b.spans)]))
    starts, stops = cuts[:-1], cuts[1:]
    a_weight, b_weight = weights_at(starts, a), weights_at(starts, b)
    used = (a_weight > 0) | (b_weight > 0)
    return spans_at(starts[used], stops[used]), a_weight[used], b_weight[used]


def _combined(operation: Callable, _: int, outlines: Sequence[Bounds]) -> Bounds:
    """Return what is surely inside, and what is all that may be, of regions under an operation."""
    insides, arounds = [inside for inside, _ in outlines], [around for _, around in outlines]
    if operation is operator.or_:
        return shapely.union_all(insides), shapely.union_all(arounds)
    (a_inside, b_inside), (a_around, b_around) = insides, arounds
    _, only_a, only_b, both = truth_of(operation)
    nothing = shapely.Polygon()
    inside = shapely.union_all(
        [
            a_inside - b_around if only_a else nothing,
            b_inside - a_around if only_b else nothing,
            a_inside & b_inside if both else nothing,
        ]
    )
    around = shapely.union_all(
        [
            a_around - b_inside if only_a else nothing,
            b_around - a_inside if only_b else nothing,
            a_around & b_around if both else nothing,
        ]
    )
    return inside, around


def untangled(batch: Polygons, pieces: Pieces, within: Any) -> Pieces:
    """Return the coverage of polygons, with that of those whose rings cross done anew, by the even-odd rule."""
    tangled = _tangled(batch)
    if not tangled.size:
        return pieces
    parts = members(batch, pieces)
    for i in tangled:
        origin = _origin(batch, i, within)
        parts[i].spans, parts[i].weights = _covered(_geometry(batch, i, origin), within, origin)
    return joined_pieces(parts)


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


def _origin(batch: Polygons, i: int, within: Any) -> tuple[int, int]:
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


def _geometry(batch: Polygons, i: int, origin: tuple[int, int]) -> Geometry:
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
