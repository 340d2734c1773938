"""The exact coverage of regions of any kind, by way of the shapes that they are made of."""

import functools
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._ragged import offsets_of
from ._cells import cover
from ._dispatch import interleaved, joined_pieces
from ._nesting import Bounds, Outline, outline
from ._shapes import Many, Pieces


class Parts(NamedTuple):
    """The shapes that the regions of a batch are made of.

    Attributes
    ----------
    pieces : Pieces
        The exact coverage of each shape.
    group : ndarray of int, or None
        Of which region each shape is; None where some are of several.
    outline : callable
        From the number of a shape, and a number of sides, to two geometries; see `_nesting.outline`.
    made : callable
        From the pixels in each shape, whatever pixels are, to those in each region.
    """

    pieces: Pieces
    group: NDArray[np.integer] | None
    outline: Outline
    made: Callable[[Many], Many]


def parts_of(batch: Any, within: Any) -> Parts:
    """Return the shapes that the regions of a batch are made of, or are themselves."""
    if not hasattr(batch, "pieces"):
        parts: Parts = batch.parts(within)
        return parts
    pieces = batch.pieces(within)
    return Parts(pieces, np.arange(len(pieces[2]) - 1), functools.partial(outline, batch), lambda shapes: shapes)


def made_from(batch: Any, within: Any, owner: NDArray[np.integer] | None, make: Callable[[Many], Many]) -> Parts:
    """Return the shapes of regions that are made from those of a batch, each for the region `owner`."""
    parts = parts_of(batch, within)
    group = None if parts.group is None or owner is None else owner[parts.group]
    return parts._replace(group=group, made=lambda shapes: make(parts.made(shapes)))


def parts_of_all(done: Sequence[tuple[Any, Sequence[int]]], within: Any) -> Parts:
    """Return the shapes that the regions of several batches are made of, given with their places in a list."""
    parts = [parts_of(batch, within) for batch, _ in done]
    indexes = [np.asarray(places, np.intp) for _, places in done]
    start = offsets_of([len(part.pieces[2]) - 1 for part in parts])
    group = None
    if all(part.group is not None for part in parts):
        group = np.concatenate([np.empty(0, np.intp), *(i[part.group] for i, part in zip(indexes, parts, strict=True))])

    def outline(shape: int, n: int) -> Bounds:
        k = int(np.searchsorted(start, shape, side="right")) - 1
        return parts[k].outline(shape - int(start[k]), n)

    def made(shapes: Many) -> Many:
        runs, offsets = shapes
        each = []
        for part, (first, stop) in zip(parts, pairwise(start), strict=True):
            some = offsets[first : stop + 1]
            each.append(part.made((runs[some[0] : some[-1]], some - some[0])))
        return interleaved(each, indexes)

    spans, weights, _ = joined_pieces([part.pieces[:2] for part in parts])
    counts = [np.diff(part.pieces[2]) for part in parts]
    pieces = spans, weights, offsets_of(np.concatenate([np.empty(0, np.int64), *counts]))
    return Parts(pieces, group, outline, made)


def pieces_of(batch: Any, within: Any) -> Pieces:
    """Return the exact coverage of each region of a batch."""
    if not hasattr(batch, "pieces"):
        return cover(*batch.parts(within))
    pieces: Pieces = batch.pieces(within)
    return pieces
