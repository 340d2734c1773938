"""The exact coverage of what is made of several shapes (docs/explanation/coverage).

Where the borders of shapes are apart or nested they cut a pixel into cells, each of which is in a shape or out of it.
Laid side by side in place of the pixel, cells are pixels themselves: what makes regions of pixels makes them of cells.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _columns
from .._ragged import distinct, offsets_of, owners_of, ranges, ranks_of
from .._validate import INT32_MIN
from ._nesting import Nesting, Outline, crossing_error, nesting_of
from ._shapes import Doubles, Many, Pieces, Runs

Ints = NDArray[np.integer]

# What rounding leaves of a share of nothing, relative to what it is left of; and a share of all but rounding.
ROUNDING, WHOLLY = 1e-15, 1 - 1e-13

# Shapes that there may be in a place where borders cross: all sets of them are cells.
MOST_CROSSING = 6


class Places:
    """The places between all ends of spans, in order, row after row; each group of shapes has rows of its own."""

    __slots__ = ("_cuts", "_y", "count", "first", "stop")

    def __init__(self, spans: Runs, group: Ints):
        keys, row = np.unique((group.astype(np.int64) << 32) + spans[:, 0] - INT32_MIN, return_inverse=True)
        ends = (row.astype(np.int64) << 32)[:, None] + spans[:, 1:]
        self._y = (keys & 0xFFFFFFFF) + INT32_MIN
        self._cuts = distinct(ends)
        self.count = self._cuts.size
        # Of each span: its first place, and the one after its last.
        self.first, self.stop = np.searchsorted(self._cuts, ends).T

    def rows(self, places: Ints) -> Ints:
        """Return the numbers of the rows of places."""
        # The upper half of a cut is its row, the lower one a column, which may be negative.
        return (self._cuts[places] + (1 << 31)) >> 32

    def spans(self, places: Ints) -> Runs:
        """Return places as spans of pixels."""
        starts, stops = self._cuts[places], self._cuts[places + 1]
        x = starts.astype(np.int32).astype(np.int64)
        return np.column_stack([self._y[self.rows(places)], x, x + (stops - starts)]).astype(np.int32)


class Shares(NamedTuple):
    """What covers a place in part: the shape, the place and the share of it; sorted by place, and ranked in each."""

    shape: Ints
    place: Ints
    weight: Doubles
    rank: Ints


def cover(pieces: Pieces, group: Ints | None, outline: Outline, made: Callable[[Many], Many]) -> Pieces:
    """Return the exact coverage of regions made of shapes; see `_exact.Parts` for the arguments.

    Raises
    ------
    ValueError
        If borders of shapes cross in a pixel, and it matters how.
    """
    spans, weights, offsets = pieces
    shape, whole = owners_of(offsets), weights >= 1
    places = Places(spans, np.zeros(len(shape), np.intp) if group is None else group[shape])
    shares = _shares_of(shape, weights, places)
    nesting = nesting_of(shares.shape, shares.place, outline)

    # A place has a cell for each share of it, less those within, and one for what is left. Where borders cross it has
    # one for each set of shares, of an area that nobody knows; bit k of its number is set if that of rank k is in it.
    sharing = np.bincount(shares.place, minlength=places.count)
    crossed = np.zeros(places.count, bool)
    crossed[shares.place[nesting.crossing]] = True
    if (sharing[crossed] > MOST_CROSSING).any():
        raise crossing_error(places.spans(np.flatnonzero(crossed & (sharing > MOST_CROSSING))))
    cells = offsets_of(np.where(crossed, 1 << np.minimum(sharing, MOST_CROSSING), sharing + 1))
    place_of = owners_of(cells)
    areas = _areas(shares, sharing, nesting, cells)

    # Shapes as runs of cells, and what regions are made of them.
    own = cells[shares.place] + shares.rank
    plain = ~crossed[shares.place]
    inner, outer = nesting.inner[plain[nesting.inner]], nesting.outer[plain[nesting.inner]]
    among, subset = _subsets(np.flatnonzero(~plain), shares, sharing)
    share = np.concatenate([np.flatnonzero(plain), outer, among])
    cell = np.concatenate([own[plain], own[inner], cells[shares.place[among]] + subset])
    start = np.concatenate([cells[places.first[whole]], cell])
    stop = np.concatenate([cells[places.stop[whole]], cell + 1])
    runs = np.column_stack([places.rows(place_of[start]), start, stop]).astype(np.int32)
    owner = np.concatenate([shape[whole], shares.shape[share]]).astype(np.int32)
    runs, offsets = made(_columns.fuse(runs, owner, len(offsets) - 1))

    # The cells of each region, and the first one in each place.
    counts = runs[:, 2] - runs[:, 1]
    cell, region = ranges(runs[:, 1], counts), np.repeat(owners_of(offsets), counts)
    place = place_of[cell]
    first = np.flatnonzero((np.diff(region, prepend=-1) != 0) | (np.diff(place, prepend=-1) != 0))
    region, place = region[first], place[first]
    weights = np.add.reduceat(areas[cell], first) if len(first) else np.empty(0)
    unsure = np.flatnonzero(crossed[place])
    if unsure.size:
        counts = np.diff(first, append=len(cell))[unsure]
        cell = cell[ranges(first[unsure], counts)]
        table = np.zeros((len(unsure), 1 << MOST_CROSSING), bool)
        table[np.repeat(np.arange(len(unsure)), counts), cell - cells[place_of[cell]]] = True
        weights[unsure] = _of_sets(table, place[unsure], shares, sharing, nesting)
        if np.isnan(weights).any():
            raise crossing_error(places.spans(place[np.isnan(weights)]))
    weights[weights > WHOLLY] = 1
    some = weights > 0
    return _joined(places.spans(place[some]), weights[some], region[some], len(offsets) - 1)


def _shares_of(shape: Ints, weights: Doubles, places: Places) -> Shares:
    """Return what the pieces of partial weight cover."""
    partly = np.flatnonzero(weights < 1)
    counts = (places.stop - places.first)[partly]
    piece, place = np.repeat(partly, counts), ranges(places.first[partly], counts)
    order = np.argsort(place, kind="stable")
    piece, place = piece[order], place[order]
    return Shares(shape[piece], place, weights[piece], ranks_of(np.bincount(place)))


def _areas(shares: Shares, sharing: Ints, nesting: Nesting, cells: Ints) -> Doubles:
    """Return the areas of cells, in that of their place: what is directly within a share is taken away from it."""
    inner, outer, _ = nesting
    depth = np.bincount(inner, minlength=len(shares.weight))
    direct = depth[outer] + 1 == depth[inner]
    inside = np.bincount(outer[direct], shares.weight[inner[direct]], minlength=len(depth))
    outermost = depth == 0
    taken = np.bincount(shares.place[outermost], shares.weight[outermost], minlength=len(sharing))
    areas, whole = np.zeros(cells[-1]), np.ones(cells[-1])
    own = cells[shares.place] + shares.rank
    whole[own] = shares.weight
    areas[cells[:-1] + sharing] = 1 - taken
    areas[own] = shares.weight - inside
    areas[areas < ROUNDING * whole] = 0
    return areas


def _subsets(which: Ints, shares: Shares, sharing: Ints) -> tuple[Ints, Ints]:
    """Return the sets of shares of a place that some shares are in: the share and the number of the set."""
    counts = 1 << sharing[shares.place[which]]
    which, sets = np.repeat(which, counts), ranges(np.zeros_like(counts), counts)
    holds = sets >> shares.rank[which] & 1 == 1
    return which[holds], sets[holds]


def _of_sets(table: NDArray[np.bool_], place: Ints, shares: Shares, sharing: Ints, nesting: Nesting) -> Doubles:
    """Return the weights that regions have by the sets of shares in them; NaN where it matters how large these are.

    It does not where a region is, for all sets that there may be, the sum of what each share changes by itself.
    """
    rank, sets = np.arange(MOST_CROSSING), np.arange(1 << MOST_CROSSING)
    holds = sets >> rank[:, None] & 1
    bit = 1 << np.minimum(shares.rank, MOST_CROSSING)

    def others(share: Ints, other: Ints) -> Ints:
        """Return for each share the set of others, of which each comes once."""
        return np.bincount(share, bit[other], minlength=len(bit)).astype(np.int64)

    inner, outer, (a, b) = nesting.inner, nesting.outer, nesting.crossing.T
    within = others(inner, outer)
    meeting = within | others(outer, inner) | others(a, b) | others(b, a) | bit
    sharing = sharing[place][:, None]
    share = np.searchsorted(shares.place, place)[:, None] + np.minimum(rank, sharing - 1)
    within, meeting = within[share], meeting[share]
    refused = (sets & ~meeting[..., None] != 0) | (within[..., None] & ~sets != 0)
    possible = ~(refused & holds.astype(bool)).any(axis=1) & (sets < 1 << sharing)
    with_it, without = np.take_along_axis(table, within | bit[share], axis=1), np.take_along_axis(table, within, axis=1)
    change = np.where(rank < sharing, with_it.astype(int) - without, 0)
    settled = ((table[:, :1] + change @ holds == table) | ~possible).all(axis=1)
    return np.where(settled, table[:, 0] + (change * shares.weight[share]).sum(axis=1), np.nan)


def _joined(spans: Runs, weights: Doubles, region: Ints, count: int) -> Pieces:
    """Return the pieces of regions, of which neighbours of one weight are one."""
    y, x_start, x_stop = spans.T
    follows = (y[1:] == y[:-1]) & (x_start[1:] == x_stop[:-1])
    follows &= (weights[1:] == weights[:-1]) & (region[1:] == region[:-1])
    first = np.flatnonzero(np.append(True, ~follows)[: len(spans)])
    last = np.append(first[1:], len(spans))[: len(first)] - 1
    joined = np.column_stack([spans[first, :2], spans[last, 2]])
    return joined, weights[first], np.searchsorted(region[first], np.arange(count + 1))
