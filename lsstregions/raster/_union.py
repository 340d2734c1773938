"""The exact coverage of the union of many regions, and how two regions lie to each other.

Pixels that are wholly in one region are done with. In the others the shares are added up, less those of regions that
lie within another one there; it is found out from polygons inside and around them that all others are apart.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .. import _raster, _runs
from .._ragged import offsets_of, owners_of, ranges
from ._shapes import NO_RUNS, Doubles, Runs

Places = NDArray[np.int64]

# Sides of the polygons inside and around curves: few are enough for most pairs, the last are a last resort.
SIDES = (64, 1024, 16384)

APART, FIRST_WITHIN, SECOND_WITHIN = range(3)

# How wide, relative to its coordinates, what rounding leaves where two sides are one may be; and its area at least.
SLIVER, LEAST_SLIVER = 4e-16, 1e-13

# Pairs of regions in a pixel that are looked at in one go.
_MOST_PAIRS = 1 << 20


def places_of(spans: Runs) -> tuple[Places, Places]:
    """Return where spans start and stop, on one line through all rows."""
    rows = spans[:, 0].astype(np.int64) << 32
    return rows + spans[:, 1], rows + spans[:, 2]


def spans_at(starts: Places, stops: Places) -> Runs:
    """Return the spans between places."""
    x = starts.astype(np.int32).astype(np.int64)
    return np.column_stack([(starts - x) >> 32, x, x + (stops - starts)]).astype(np.int32)


def relations(parts: Sequence[Any], pairs: NDArray[np.integer]) -> NDArray[np.int8]:
    """Return how the two parts of each pair lie, pairs being indexes of shape (n, 2): apart, or one within the other.

    A part has a method ``outline(n)`` that returns a geometry inside it and one around it, the nearer the greater n is.
    Of two that are the same each is within the other; the first is said to be.
    """
    result = np.full(len(pairs), -1, np.int8)
    for n in SIDES:
        left = np.flatnonzero(result < 0)
        if not left.size:
            return result
        used, index = np.unique(pairs[left], return_inverse=True)
        inside, around = np.array([parts[i].outline(n) for i in used], dtype=object).T
        i, j = index.reshape(-1, 2).T
        result[left] = _relations(inside[i], around[i], inside[j], around[j])
    if (result < 0).any():
        raise ValueError(
            "the borders of two members cross or touch in a pixel; coverage is exact only for disjoint and nested ones"
        )
    return result


def _relations(inside: NDArray, around: NDArray, other_inside: NDArray, other_around: NDArray) -> NDArray[np.int8]:
    """Return the same for geometries inside and around the regions of each pair; -1 where that does not tell."""
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
    return result


def union_of(parts: Sequence[Any]) -> tuple[Runs, Doubles]:
    """Return the spans and weights of the union of parts, each with its own ``spans`` and ``weights``."""
    spans = np.concatenate([NO_RUNS, *(part.spans for part in parts)])
    weights = np.concatenate([np.empty(0), *(part.weights for part in parts)])
    owner = owners_of(offsets_of([len(part.spans) for part in parts])).astype(np.intp)
    partly = weights < 1
    whole = _runs.canonical(spans[~partly])
    # What is left of the spans of partial weight, and cut at each other's ends.
    left, offsets = _raster.subtract_each(spans[partly], np.arange(np.count_nonzero(partly) + 1), whole)
    counts = np.diff(offsets)
    owner, weights = np.repeat(owner[partly], counts), np.repeat(weights[partly], counts)
    starts, stops = places_of(left)
    cuts = np.unique(np.concatenate([starts, stops]))
    first = np.searchsorted(cuts, starts)
    counts = np.searchsorted(cuts, stops) - first
    piece = owners_of(offsets_of(counts))
    place = ranges(first, counts)
    order = np.argsort(place, kind="stable")
    piece, place = piece[order], place[order]
    owner, weights = owner[piece], weights[piece]
    weights[_within_others(parts, owner, place)] = 0
    share = np.minimum(np.bincount(place, weights, minlength=len(cuts)), 1)
    some = np.flatnonzero(share > 0)
    spans = np.concatenate([whole, spans_at(cuts[some], cuts[some + 1])])
    order = np.lexsort((spans[:, 1], spans[:, 0]))
    return spans[order], np.concatenate([np.ones(len(whole)), share[some]])[order]


def _within_others(parts: Sequence[Any], owner: NDArray[np.intp], place: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return which of the pieces lie within that of another part at their place; pieces come sorted by place."""
    shares = np.zeros(len(place), bool)
    shares[1:] = place[1:] == place[:-1]
    shares[:-1] |= shares[1:]
    owner, place, pieces = owner[shares], place[shares], np.flatnonzero(shares)
    # Most that share a pixel are plainly apart.
    used = np.unique(owner)
    around = np.array([parts[i].outline(SIDES[0])[1] for i in used], dtype=object)
    i, j = shapely.STRtree(around).query(around, predicate="intersects")
    near = np.sort(used[i[i < j]] * len(parts) + used[j[i < j]])

    def near_pairs() -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]:
        for a, b in _pairs(place) if len(near) else ():
            keys = owner[a] * len(parts) + owner[b]
            which = np.minimum(np.searchsorted(near, keys), len(near) - 1)
            hit = near[which] == keys
            yield a[hit], b[hit], which[hit]

    meet = np.zeros(len(near), bool)
    for _, _, which in near_pairs():
        meet[which] = True
    relation = np.full(len(near), APART, np.int8)
    relation[meet] = relations(parts, np.column_stack(np.divmod(near[meet], len(parts))))
    inner = [np.empty(0, np.intp)]
    for a, b, which in near_pairs():
        inner += [a[relation[which] == FIRST_WITHIN], b[relation[which] == SECOND_WITHIN]]
    return pieces[np.unique(np.concatenate(inner))]


def _pairs(place: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield the pairs of pieces at the same places, some at a time."""
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
