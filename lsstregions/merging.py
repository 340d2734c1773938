"""Merging the footprints of several bands, with the peaks of the first ones before those of later ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from . import _columns
from ._peaks import Peaks, concatenated
from ._pixel_region import LossWarning
from ._validate import as_float, require
from ._warn import warn
from .footprints import FootprintSet

__all__ = ["merge_by_priority"]


def merge_by_priority(
    sets: Mapping[str, FootprintSet], *, new_peak_distance: float | None = None, same_peak_distance: float | None = None
) -> tuple[FootprintSet, NDArray[np.bool_]]:
    """Merge the footprints of several bands; those that overlap become one.

    Parameters
    ----------
    sets : mapping of str to FootprintSet
        The footprints of each band, by its name, the band whose peaks count most first.
    new_peak_distance : float, optional
        Add a band's peak to footprints that earlier bands have seen if it is farther than this, in pixels, from all
        their peaks; by default never.
    same_peak_distance : float, optional
        A band's peak that is nearer than this, in pixels, to one of an earlier band is the same peak, and never added;
        by default none is, and each peak is seen by its own band alone.

    Returns
    -------
    merged : FootprintSet
        In the raster order of the first pixels. Its peaks have a boolean column ``seen_<band>`` for each band.
    seen : ndarray of bool, shape (len(merged), len(sets))
        Whether each band has a footprint in each merged one.

    Warns
    -----
    LossWarning
        If footprints have pixel values, which are left behind.

    Raises
    ------
    TypeError
        If `sets` is no mapping of footprint sets, or a distance no number.
    ValueError
        If `sets` is empty, peaks have a column of these names already, or a distance is negative or NaN.

    Notes
    -----
    One band after the other, as LSST's FootprintMergeList: footprints that only touch stay apart; a band's footprint
    that overlaps several merged ones joins them, and then adds its own peaks. Footprints of one band that overlap each
    other are joined as well.
    """
    if not isinstance(sets, Mapping):
        raise TypeError(f"sets must be a mapping of names to FootprintSets, not {sets!r:.100}")
    if not sets:
        raise ValueError("sets must not be empty")
    for name, one in sets.items():
        require(one, FootprintSet, f"the set {name!r}")
        if taken := sorted({"_seen", *(f"seen_{band}" for band in sets)}.intersection(one._peaks.names)):
            raise ValueError(f"the peaks of the set {name!r} have a column {taken[0]} already")
    if any(one.is_heavy for one in sets.values()):
        warn("merging by priority leaves pixel values behind", LossWarning)
    new_peak_distance = _as_distance(new_peak_distance, "new_peak_distance", np.inf)
    same_peak_distance = _as_distance(same_peak_distance, "same_peak_distance", 0.0)
    regions = {one.region for one in sets.values()}
    merged, seen = FootprintSet(), np.zeros((0, len(sets)), bool)
    for band, one in enumerate(sets.values()):
        merged, seen = _with_band(merged, seen, one, band, new_peak_distance, same_peak_distance)
    x, y = merged._first().T
    order = np.lexsort((x, y))
    merged, seen = merged[order], seen[order]
    peaks = merged._peaks
    flags = {f"seen_{name}": peaks["_seen"][:, band] for band, name in enumerate(sets)}
    columns = {name: column for name, column in peaks.columns.items() if name not in ("_seen", "id")}
    peaks = Peaks(peaks.pixels, peaks.offsets, columns | flags)
    return merged._replaced(peaks=peaks, region=regions.pop() if len(regions) == 1 else None), seen


def _with_band(
    merged: FootprintSet,
    seen: NDArray[np.bool_],
    one: FootprintSet,
    band: int,
    new_peak_distance: float,
    same_peak_distance: float,
) -> tuple[FootprintSet, NDArray[np.bool_]]:
    one = one._replaced(values={}, peaks=one._peaks.with_columns(_seen=_only(band, len(one._peaks), seen.shape[1])))
    both = FootprintSet.concatenate([merged, one])
    labels, count = _columns.components(_meeting(*both._in_raster_order()), len(both))
    now_seen = np.zeros((count, seen.shape[1]), bool)
    np.logical_or.at(now_seen, labels, np.concatenate([seen, _only(band, len(one), seen.shape[1])]))
    known = np.bincount(labels[: len(merged)], minlength=count) > 0

    united = both._united(labels, count)
    old = _grouped(merged, labels[: len(merged)], united)
    new = _grouped(one, labels[len(merged) :], united)
    nearest, distance = _columns.nearest_peaks(_xy(old), old.offsets, _xy(new), new.offsets)
    owner = new.owners
    same = distance < same_peak_distance
    kept = np.flatnonzero(~known[owner] | (~same & (distance > new_peak_distance)))
    flags = old["_seen"].copy() if len(merged) else np.zeros((0, seen.shape[1]), bool)
    flags[nearest[same], band] = True
    added = new.with_offsets(kept, np.searchsorted(kept, new.offsets))
    peaks = concatenated([old.with_columns(_seen=flags), added])
    owners = np.concatenate([old.owners, added.owners])
    return united._replaced(peaks=peaks.grouped(owners, united.sign)), now_seen


def _meeting(runs: NDArray[np.int32], owner: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return pairs of owners, (m, 2), that join all whose runs overlap, given the runs by (y, x_start)."""
    row = runs[:, 0].astype(np.int64) << 32
    # A run that begins before those up to the last one end overlaps one of them, which are joined already.
    meets = np.flatnonzero(row[1:] + runs[1:, 1] < np.maximum.accumulate(row + runs[:, 2])[:-1])
    return np.column_stack((owner[meets], owner[meets + 1])).astype(np.int64)


def _only(band: int, count: int, bands: int) -> NDArray[np.bool_]:
    flags = np.zeros((count, bands), bool)
    flags[:, band] = True
    return flags


def _grouped(part: FootprintSet, labels: NDArray[np.int32], united: FootprintSet) -> Peaks:
    return part._peaks.grouped(np.repeat(labels, np.diff(part.peak_offsets)), united.sign)


def _xy(peaks: Peaks) -> NDArray[np.float64]:
    return np.column_stack((peaks["x"], peaks["y"]))


def _as_distance(distance: float | None, name: str, default: float) -> float:
    if distance is None:
        return default
    value = as_float(distance, name)
    if not value >= 0:
        raise ValueError(f"{name} must not be negative, not {value}")
    return value
