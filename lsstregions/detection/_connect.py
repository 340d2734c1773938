"""Runs, components and peaks to footprints."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from .. import _columns, _label, _runs, _threshold
from .._frames import Frame
from .._peaks import PEAK, Peaks
from .._threads import run_all
from .._validate import INT32_MAX
from ..footprints import FootprintSet
from ..geom import Box2I
from ..spans import SpanSet
from ._scan import Options, Part

# From so many runs on a second thread is worth its start.
_WORTH_A_THREAD = 1 << 17


def connected(
    parts: list[Part], sign: int, region: Box2I | None, options: Options
) -> tuple[FootprintSet, NDArray[np.int32]]:
    """Join the components of blocks of rows; return them as footprints, and the footprint of each run."""
    starts = list(accumulate((len(part.runs) for part in parts), initial=0))
    if starts[-1] > INT32_MAX:
        raise OverflowError(f"there are more than {INT32_MAX} runs of pixels beyond the threshold")
    parent = concatenated(
        [part.parent + np.int32(start) if start else part.parent for part, start in zip(parts, starts, strict=False)]
    )
    for (below, above), start in zip(pairwise(parts), starts[1:], strict=False):
        _threshold.join(below.runs, above.runs, start, parent, options.connectivity)
    count = _threshold.number(parent)
    signs = np.full(count, sign, np.int8)

    def group_runs() -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        return _label.group([part.runs for part in parts], parent, count)

    def sort_peaks() -> Peaks:
        if not options.peaks:
            return Peaks.none(count)
        owners = [parent[start:][part.run_of_peak] for part, start in zip(parts, starts, strict=False)]
        return Peaks.sorted([part.peaks for part in parts], concatenated(owners), signs)

    n_threads = options.n_threads if starts[-1] > _WORTH_A_THREAD else 1
    (spans, offsets), peaks = run_all([group_runs, sort_peaks], n_threads)
    return FootprintSet._from_columns(spans, offsets, region, peaks=peaks, sign=signs), parent


def concatenated(parts: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Return arrays as one; the only one as it is."""
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int32), *parts])


def chosen(found: FootprintSet, which: NDArray) -> FootprintSet:
    """Return some footprints, in a given order; peaks are numbered as they come out."""
    some = found[which]
    columns = {name: column for name, column in some._peaks.columns.items() if name != "id"}
    return some._replaced(peaks=Peaks(some._peaks.pixels, some._peaks.offsets, columns))


def large(found: FootprintSet, n_pixels: int) -> FootprintSet:
    """Return the footprints of at least so many pixels."""
    return chosen(found, found.area >= n_pixels) if n_pixels > 1 else found


def holding(found: FootprintSet, parts: list[Part]) -> FootprintSet:
    """Return the footprints that hold a pixel of these parts."""
    runs = np.concatenate([np.empty((0, 3), np.int32), *(part.runs for part in parts)])
    return chosen(found, found.overlaps(SpanSet._from_canonical(runs)))


def in_raster_order(found: FootprintSet) -> FootprintSet:
    """Return footprints sorted by their first pixels."""
    x, y = found._first().T.astype(np.int64)
    # The footprints of either sign are in order: a stable sort has but to merge them.
    return chosen(found, np.argsort((y << 32) + x, kind="stable"))


# Peaks


def highest_pixels(found: FootprintSet, frame: Frame) -> NDArray:
    """Return the highest pixel (lowest, where negative) of each footprint, the first of several in raster order."""
    y, x = _runs.indices(found.spans)
    area = found.area
    signs = np.repeat(found.sign, area)
    values = signs * frame.flatten(frame.data, found.spans).astype(float)
    owner = np.repeat(np.arange(len(found)), area)
    highest = np.full(len(found), -np.inf)
    np.maximum.at(highest, owner, values)
    equal = np.flatnonzero(values == highest[owner])
    best = equal[np.unique(owner[equal], return_index=True)[1]]
    pixels = np.empty(len(best), PEAK)
    pixels["x_peak"], pixels["y_peak"] = x[best], y[best]
    pixels["peak_value"] = (values * signs)[best]
    return pixels


def with_missing_peaks(found: FootprintSet, frame: Frame) -> FootprintSet:
    """Give footprints without a peak their highest pixel, as LSST does."""
    lacking = _columns.empty_groups(found.peak_offsets)
    return with_peaks(found, highest_pixels(found[lacking], frame), lacking) if len(lacking) else found


def with_peaks(found: FootprintSet, pixels: NDArray, owner: NDArray[np.int64]) -> FootprintSet:
    """Return footprints with more peaks, numbered as they come out."""
    labels = np.concatenate([found._peaks.owners, owner.astype(np.int32)])
    return found._replaced(peaks=Peaks.sorted([found._peaks.pixels, pixels], labels, found.sign))


def with_subpixel(found: FootprintSet, frame: Frame) -> FootprintSet:
    """Add the vertices of parabolas through each peak and its neighbours in x and in y."""
    return moved(found, *vertices(found._peaks.pixels, frame))


def moved(found: FootprintSet, dx: NDArray[np.float64], dy: NDArray[np.float64]) -> FootprintSet:
    """Return footprints with positions of peaks beside the centres of their pixels."""
    peaks = found._peaks
    return found._replaced(peaks=peaks.with_columns(x=peaks["x_peak"] + dx, y=peaks["y_peak"] + dy))


def vertices(pixels: NDArray, frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far the vertices of parabolas through peaks and their neighbours are; 0 where there is none near."""
    data = frame.data
    x, y = pixels["x_peak"] - frame.xy0[0], pixels["y_peak"] - frame.xy0[1]

    def value_at(x: NDArray, y: NDArray) -> NDArray[np.float64]:
        values: NDArray[np.float64] = data[y, x].astype(float)
        if frame.mask is not None:
            values[np.asarray(frame.mask[y, x], bool)] = np.nan
        return values

    middle = value_at(x, y)

    def vertex(dx: int, dy: int) -> NDArray[np.float64]:
        inside = (x >= dx) & (y >= dy) & (x < data.shape[1] - dx) & (y < data.shape[0] - dy)
        below, above = value_at(x - dx * inside, y - dy * inside), value_at(x + dx * inside, y + dy * inside)
        with np.errstate(invalid="ignore", divide="ignore"):
            shift = 0.5 * (below - above) / (below - 2 * middle + above)
        return np.where(inside & (np.abs(shift) <= 0.5), shift, 0.0)

    return vertex(1, 0), vertex(0, 1)
