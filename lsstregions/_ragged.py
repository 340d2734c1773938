"""Groups laid one after another in one array: those of group i are the entries ``offsets[i]`` to ``offsets[i + 1]``."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def offsets_of(counts: Sequence[int] | NDArray[np.integer] | NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the offsets of groups of these sizes."""
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets


def owners_of(offsets: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the group of each entry."""
    return np.repeat(np.arange(len(offsets) - 1, dtype=np.int32), np.diff(offsets))


def ranks_of(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the place of each entry in its group, for groups of these sizes."""
    return ranges(np.zeros(len(counts), np.int64), counts)


def ranges(first: NDArray[np.integer], counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return ``first[0], first[0] + 1, ...`` and so on for each group, in one array."""
    offsets = offsets_of(counts)
    return np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], counts)


def distinct(values: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return the different values, sorted: what `numpy.unique` does, but by sorting, which is faster for millions."""
    ordered = np.sort(values, axis=None)
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]
