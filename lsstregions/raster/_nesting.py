"""How two shapes lie to each other, found out from polygons inside and around them."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from .._ragged import ranges
from ._dispatch import Alone, pixels_of
from ._shapes import RECTANGLE, Polygons, Runs, Shapes
from ._tangled import geometry_of, origin_of

Geometry = Any
Bounds = tuple[Geometry, Geometry]
Outline = Callable[[int, int], Bounds]
Ints = NDArray[np.integer]

# Sides of the polygons inside and around curves: few are enough for most pairs, the last are a last resort.
SIDES = (64, 1024, 16384)

APART, FIRST_WITHIN, SECOND_WITHIN, CROSSING = range(4)

# Pairs of shapes in a place that are looked at in one go.
_MOST_PAIRS = 1 << 20

# How wide, relative to its coordinates, what rounding leaves where two sides are one may be; and its area at least.
SLIVER, LEAST_SLIVER = 4e-16, 1e-13


@functools.singledispatch
def outline(batch: Any, i: int, n: int) -> Bounds:
    """Return two geometries, one inside shape i of a batch and one around it, the nearer the greater `n` is."""
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
    origin = origin_of(batch, i, None)
    shape = shapely.transform(geometry_of(batch, i, origin), lambda points: points + origin)
    return shape, shape


@outline.register
def _(batch: Alone, i: int, n: int) -> Bounds:
    y, x_start, x_stop = pixels_of(batch.regions[i], batch.wcs).T
    shape = shapely.union_all(shapely.box(x_start - 0.5, y - 0.5, x_stop - 0.5, y + 0.5))
    return shape, shape


class Nesting(NamedTuple):
    """How the shapes that share places lie there; all other pairs are apart.

    Attributes
    ----------
    inner, outer : ndarray of int
        All pairs of shares of which one is within the other.
    crossing : ndarray of int, shape (n, 2)
        All pairs of shares whose borders cross, or touch.
    """

    inner: Ints
    outer: Ints
    crossing: Ints


def nesting_of(shape: Ints, place: Ints, outline: Outline) -> Nesting:
    """Return how shapes lie that share places: those with shares of each, sorted by place."""
    shared = np.zeros(len(place), bool)
    shared[1:] = place[1:] == place[:-1]
    shared[:-1] |= shared[1:]
    which = np.flatnonzero(shared)
    shape, place = shape[which].astype(np.int64), place[which]
    outline = functools.cache(outline)
    # Most that share a pixel are plainly apart.
    used = np.unique(shape)
    around = np.array([outline(i, SIDES[0])[1] for i in used.tolist()], dtype=object)
    i, j = shapely.STRtree(around).query(around, predicate="intersects")
    most = shape.max(initial=0) + 1
    near = np.sort(used[i[i < j]] * most + used[j[i < j]])

    def near_pairs() -> Iterator[tuple[Ints, Ints, Ints]]:
        for a, b in _pairs(place) if len(near) else ():
            keys = shape[a] * most + shape[b]
            pair = np.minimum(np.searchsorted(near, keys), len(near) - 1)
            hit = near[pair] == keys
            yield a[hit], b[hit], pair[hit]

    meet = np.zeros(len(near), bool)
    for _, _, pair in near_pairs():
        meet[pair] = True
    relation = np.full(len(near), APART, np.int8)
    relation[meet] = relations(outline, np.column_stack(np.divmod(near[meet], most)))
    nested, crossing = [np.empty((0, 2), np.intp)], [np.empty((0, 2), np.intp)]
    for a, b, pair in near_pairs():
        pairs, how = np.column_stack([which[a], which[b]]), relation[pair]
        nested += [pairs[how == FIRST_WITHIN], pairs[how == SECOND_WITHIN][:, ::-1]]
        crossing.append(pairs[how == CROSSING])
    inner, outer = np.concatenate(nested).T
    return Nesting(inner, outer, np.concatenate(crossing))


def _pairs(place: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield the pairs of shares of the same places, some at a time."""
    following = np.searchsorted(place, place, side="right") - np.arange(1, len(place) + 1)
    total = np.cumsum(following)
    begin = 0
    while begin < len(place):
        before = total[begin - 1] if begin else 0
        stop = max(begin + 1, int(np.searchsorted(total, before + _MOST_PAIRS, side="right")))
        counts = following[begin:stop]
        a = np.repeat(np.arange(begin, stop), counts)
        b = ranges(np.arange(begin + 1, stop + 1), counts)
        if a.size:
            yield a, b
        begin = stop


def crossing_error(spans: Runs) -> ValueError:
    """Return the error for borders that cross in some spans of pixels."""
    y, x, _ = spans[0].tolist()
    return ValueError(
        f"the borders of two members cross or touch in the pixel ({x}, {y}); coverage is exact only for disjoint and "
        "nested ones"
    )


def relations(outline: Outline, pairs: NDArray[np.integer]) -> NDArray[np.int8]:
    """Return how the two shapes of each pair lie: apart, one within the other, or crossing.

    Pairs are numbers of shapes, of shape (n, 2). Of two that are the same each is within the other; the first is said
    to be. Borders that touch are taken for crossing ones unless they are polygons that share sides.
    """
    result = np.full(len(pairs), -1, np.int8)
    for n in SIDES:
        left = np.flatnonzero(result < 0)
        if left.size:
            used, index = np.unique(pairs[left], return_inverse=True)
            inside, around = np.array([outline(i, n) for i in used.tolist()], dtype=object).T
            i, j = index.reshape(-1, 2).T
            result[left] = _relations(inside[i], around[i], inside[j], around[j])
    result[result < 0] = CROSSING
    return result


def _relations(inside: NDArray, around: NDArray, other_inside: NDArray, other_around: NDArray) -> NDArray[np.int8]:
    """Return the same for geometries inside and around the shapes of each pair; -1 where that does not tell."""
    result = np.full(len(inside), -1, np.int8)
    result[shapely.covers(other_inside, around)] = FIRST_WITHIN
    result[shapely.covers(inside, other_around)] = SECOND_WITHIN
    result[~shapely.intersects(around, other_around)] = APART
    result[shapely.equals_exact(inside, other_inside) & shapely.equals_exact(around, other_around)] = FIRST_WITHIN
    farthest = np.abs(shapely.bounds(around)).max(axis=1, initial=0)
    sliver = LEAST_SLIVER + SLIVER * farthest * np.minimum(shapely.length(around), shapely.length(other_around))

    for how, overlay, a, b in (
        (APART, shapely.intersection, around, other_around),
        (FIRST_WITHIN, shapely.difference, around, other_inside),
        (SECOND_WITHIN, shapely.difference, other_around, inside),
    ):
        left = np.flatnonzero(result < 0)
        result[left[shapely.area(overlay(a[left], b[left])) < sliver[left]]] = how
    # Some of each for certain in the other, and some not: finer polygons would not change it.
    left = np.flatnonzero(result < 0)
    for overlay, a, b in (
        (shapely.intersection, inside, other_inside),
        (shapely.difference, inside, other_around),
        (shapely.difference, other_inside, around),
    ):
        left = left[shapely.area(overlay(a[left], b[left])) >= sliver[left]]
    result[left] = CROSSING
    return result
