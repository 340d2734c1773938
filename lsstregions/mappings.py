"""Mappings of the plane, and what they make of pixels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _columns, _measure, _runs
from ._ragged import owners_of, ranks_of
from ._validate import INT32_MAX, INT32_MIN, as_numbers, as_rows
from ._values import Value
from ._wcs import as_wcs, low_level

__all__ = ["WcsMapping"]

Mapping: TypeAlias = Callable[[NDArray[np.float64], NDArray[np.float64]], tuple[ArrayLike, ArrayLike]]
Columns: TypeAlias = tuple[NDArray[np.int32], NDArray[np.int64]]

# Pixels that are looked at in one go.
_CHUNK = 1 << 20
# Pixels over which a mapping is taken to be straight.
_STRAIGHT = 16


class WcsMapping(Value):
    """From the pixels of one WCS to those of another; a mapping for the methods called ``transform``.

    Parameters
    ----------
    wcs_in, wcs_out : astropy.wcs.WCS or any other of APE 14
        Of the same sky, each of its own pixel plane.

    Raises
    ------
    TypeError
        If one of them is no WCS.
    ValueError
        If one of them has not two pixel axes.

    Notes
    -----
    Called with arrays ``x, y`` it returns two more of their shape, by `astropy.wcs.utils.pixel_to_pixel`.

    Examples
    --------
    >>> import lsstregions as lr
    >>> from astropy.wcs import WCS
    >>> wcs = WCS(naxis=2)
    >>> finer = WCS(naxis=2)
    >>> for w, scale in ((wcs, 0.2), (finer, 0.1)):
    ...     w.wcs.ctype = "RA---TAN", "DEC--TAN"
    ...     w.wcs.crpix = 1, 1
    ...     w.wcs.cdelt = -scale / 3600, scale / 3600
    >>> spans = lr.SpanSet([(0, 0, 10), (1, 0, 10)])
    >>> spans.transform(lr.WcsMapping(wcs, finer)).bbox
    Box2I(x=(0, 19), y=(0, 3))
    """

    __slots__ = ("wcs_in", "wcs_out")

    wcs_in: Any
    wcs_out: Any

    def __init__(self, wcs_in: Any, wcs_out: Any):
        self._set(wcs_in=as_wcs(wcs_in, "wcs_in"), wcs_out=as_wcs(wcs_out, "wcs_out"))

    def __repr__(self) -> str:
        kinds = (low_level(wcs).world_axis_physical_types for wcs in (self.wcs_in, self.wcs_out))
        return f"<WcsMapping from {' to '.join(', '.join(map(str, kind)) for kind in kinds)}>"

    def __call__(self, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the points of the other pixel plane; NaN where the sky ends."""
        from astropy.wcs.utils import pixel_to_pixel

        columns, rows = np.broadcast_arrays(as_numbers(x, "x"), as_numbers(y, "y"))
        if not columns.size:
            # pixel_to_pixel takes no empty arrays.
            return columns.copy(), rows.copy()
        x_out, y_out = pixel_to_pixel(self.wcs_in, self.wcs_out, columns, rows)
        return x_out, y_out

    def inverse(self) -> WcsMapping:
        """Return the mapping back."""
        return WcsMapping(self.wcs_out, self.wcs_in)


def as_mappings(mapping: Any, inverse: Any) -> tuple[Mapping, Mapping]:
    """Return a mapping and its inverse, which may come with it."""
    if not callable(mapping):
        hint = "; WcsMapping(wcs, other_wcs) is one" if hasattr(mapping, "pixel_to_world") else ""
        raise TypeError(f"mapping must be callable, not {type(mapping).__name__}{hint}")
    if inverse is None:
        # A method of ours, a property of astropy's models.
        inverse = getattr(mapping, "inverse", None)
        inverse = inverse() if inspect.ismethod(inverse) else inverse
    if not callable(inverse):
        raise TypeError("inverse must be given, as a callable, with a mapping that does not have its own")
    return mapping, inverse


def mapped(mapping: Mapping, x: NDArray, y: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a mapping makes of points; all must go to pixels."""
    x_out, y_out = _called(mapping, x, y, "mapping")
    if not (np.isfinite(x_out).all() and np.isfinite(y_out).all()):
        raise ValueError("mapping takes some pixels of the set nowhere: it gave NaN or infinity")
    least, most = min(x_out.min(initial=0), y_out.min(initial=0)), max(x_out.max(initial=0), y_out.max(initial=0))
    if not (least >= INT32_MIN - 0.5 and most < INT32_MAX):
        raise OverflowError("mapping takes some pixels of the set beyond int32")
    return x_out, y_out


def _called(mapping: Mapping, x: NDArray, y: NDArray, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x_out, y_out = (np.ascontiguousarray(values, float) for values in mapping(x, y))
    if x_out.shape != x.shape or y_out.shape != x.shape:
        raise ValueError(
            f"{name} must give arrays of the shape that it is given, {x.shape}, not {x_out.shape} and {y_out.shape}"
        )
    return x_out, y_out


def transformed(runs: NDArray[np.int32], offsets: NDArray[np.int64], mapping: Mapping, inverse: Mapping) -> Columns:
    """Return what a mapping makes of each of several sets of canonical runs; see `SpanSet.transform`."""
    if not len(runs):
        return runs, offsets
    count = len(offsets) - 1
    candidates, begins = _columns.fuse(*_images(runs, offsets, mapping), count)
    parts, owners = [np.empty((0, 3), np.int32)], [np.empty(0, np.int32)]
    for y, x, owner in _each_pixel(candidates, begins):
        back_x, back_y = _called(inverse, x.astype(float), y.astype(float), "inverse")
        kept = np.flatnonzero(_columns.locate(back_x, back_y, owner, runs, offsets) >= 0)
        part, part_owner = _runs_of_pixels(y[kept], x[kept], owner[kept])
        parts.append(part)
        owners.append(part_owner)
    return _columns.fuse(np.concatenate(parts), np.concatenate(owners), count)


def _images(
    runs: NDArray[np.int32], offsets: NDArray[np.int64], mapping: Mapping
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return runs that hold the images of sets and not much more, and their owners: boxes around images of pieces."""
    count = len(offsets) - 1
    owner = owners_of(offsets)
    # The box of what becomes of the corners of each set, and of the ends of its spans.
    full = np.flatnonzero(np.diff(offsets))
    left, right, low, high = _measure.extents(runs, offsets)[0][:, full]
    ends = mapped(
        mapping,
        np.concatenate((runs[:, 1], runs[:, 2] - 1.0, left, right - 1, left, right - 1)),
        np.concatenate((runs[:, 0], runs[:, 0], low, low, high - 1.0, high - 1.0)),
    )
    of_end = np.concatenate((owner, owner, full, full, full, full)).astype(np.int64)
    least, most = np.full((2, count), np.inf), np.full((2, count), -np.inf)
    for axis in (0, 1):
        np.minimum.at(least[axis], of_end, ends[axis])
        np.maximum.at(most[axis], of_end, ends[axis])
    pieces = np.column_stack(_cut(runs, _STRAIGHT))
    images, owners, n_rows = [], [], 0
    for first in range(0, len(pieces), _CHUNK // _STRAIGHT):
        which, start, stop = pieces[first : first + _CHUNK // _STRAIGHT].T
        below, piece_owner = runs[which, 0] - 0.5, owner[which]
        corners = mapped(
            mapping,
            np.stack((start, stop, stop, start)) - 0.5,
            np.stack((below, below, below + 1, below + 1)),
        )
        (x_start, x_stop), (y_start, y_stop) = (
            _bounds(some, first_pixel[piece_owner], last_pixel[piece_owner])
            for some, first_pixel, last_pixel in zip(corners, np.ceil(least - 0.5), np.floor(most + 0.5), strict=True)
        )
        height = (y_stop - y_start).astype(np.int64)
        n_rows = as_rows(n_rows + int(height.sum()), "transform")
        piece = np.repeat(np.arange(len(height)), height)
        rows = np.column_stack((y_start[piece] + ranks_of(height), x_start[piece], x_stop[piece])).astype(np.int32)
        image, begins = _columns.fuse(rows, piece_owner[piece], count)
        images.append(image)
        owners.append(owners_of(begins))
    return np.concatenate(images), np.concatenate(owners)


def _bounds(corners: NDArray, low: NDArray, high: NDArray) -> tuple[NDArray, NDArray]:
    """Return the first pixel of images of pieces, and the one after the last, along an axis and between limits."""
    first = np.maximum(np.floor(corners.min(axis=0)), low)
    last = np.minimum(np.ceil(corners.max(axis=0)), high)
    return first, np.maximum(last + 1, first)


def _cut(runs: NDArray[np.int32], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Cut runs into pieces; return the run of each, where it starts and where it stops."""
    start, stop = runs[:, 1].astype(np.int64), runs[:, 2].astype(np.int64)
    count = -(-(stop - start) // length)
    which = np.repeat(np.arange(len(runs)), count)
    first = start[which] + length * ranks_of(count)
    return which, first, np.minimum(first + length, stop[which])


def _each_pixel(runs: NDArray[np.int32], offsets: NDArray[np.int64]) -> Iterator[tuple[NDArray, NDArray, NDArray]]:
    """Yield the pixels ``y, x`` of sets of runs and their owners, at most so many at a time."""
    owner = owners_of(offsets)
    which, start, stop = _cut(runs, _CHUNK)
    pieces = np.column_stack((runs[which, 0], start, stop)).astype(np.int32)
    area = np.cumsum(stop - start)
    for part in np.split(np.arange(len(pieces)), np.searchsorted(area, np.arange(_CHUNK, area[-1:].sum(), _CHUNK))):
        y, x = _runs.indices(pieces[part])
        yield y, x, np.repeat(owner[which[part]], (stop - start)[part])


def _runs_of_pixels(
    y: NDArray[np.int64], x: NDArray[np.int64], owner: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return sorted pixels as runs, and their owners."""
    new = np.ones(len(x), bool)
    new[1:] = (x[1:] != x[:-1] + 1) | (y[1:] != y[:-1]) | (owner[1:] != owner[:-1])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(x)) - 1 if len(first) else first
    return np.column_stack((y[first], x[first], x[last] + 1)).astype(np.int32), owner[first]
