"""Detection in blocks of rows that come one after the other."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _columns, _runs
from .._frames import Frame, stacked
from .._peaks import PEAK
from .._ragged import offsets_of
from ..footprints import FootprintSet
from ..geom import Box2I
from ._connect import connected, highest_pixels, holding, large, moved, vertices, with_peaks
from ._rule import Threshold, higher, resolved
from ._scan import Options, Part, scan_rows

# Blocks of rows are gathered until there are so many pixels.
_WORTH_A_LOOK = 1 << 17


class _Block(NamedTuple):
    """What was found in a block of rows; its pixels are gone."""

    part: Part
    # Runs beyond the second threshold.
    strong: Part | None
    # The highest pixels of components that have no peak in these rows, and the runs that they are in.
    spare: NDArray
    run_of_spare: NDArray[np.int64]
    # How far sub-pixel positions are from the pixels of peaks and spare peaks.
    shifts: NDArray[np.float64]


def detect_in_rows(
    blocks: Iterator[Any], rule: Threshold, signs: list[int], xy0: Any, options: Options
) -> list[FootprintSet]:
    """Return what is found of each sign; two rows of the block before are kept, for peaks look one row further."""
    if rule.kind == "stdev" or np.ndim(rule.value):
        raise TypeError("threshold must be one number, or of kind 'variance' or 'pixel_stdev', for an iterator of rows")
    found: dict[int, list[_Block]] = {sign: [] for sign in signs}

    def scan(frame: Frame, start: int, stop: int) -> None:
        for sign in signs:
            found[sign].append(_scan_block(frame, rule, sign, (start, stop), options))

    # The last row so far waits for the next one, and the row before it is needed then.
    waiting: Frame | None = None
    region = Box2I.from_shape((0, 0))
    for frame in _gathered(blocks, xy0):
        if waiting is None:
            region = frame.box
        else:
            frame = stacked([waiting, frame])
            region = region.expanded_to(frame.box)
        scan(frame, 0 if waiting is None else len(waiting.data) - 1, len(frame.data) - 1)
        waiting = frame.rows(max(len(frame.data) - 2, 0), len(frame.data))
    if waiting is not None:
        scan(waiting, len(waiting.data) - 1, len(waiting.data))
    return [_joined(found[sign], rule, sign, region, options) for sign in signs]


def _gathered(blocks: Iterator[Any], xy0: Any) -> Iterator[Frame]:
    """Yield blocks of rows, several at once where they are not worth a look each."""
    few: list[Frame] = []
    place: tuple[int, int] | None = None
    count = 0
    for block in blocks:
        frame = Frame.of(block, None, None, xy0)
        if not frame.data.size:
            continue
        stated = getattr(block, "xy0", None)
        if place is None:
            place = frame.xy0
        elif xy0 is None and stated is not None and tuple(stated) != place:
            raise ValueError(f"blocks of rows must follow one another: one begins at {stated}, not at {place}")
        place = place[0], place[1] + len(frame.data)
        count += frame.data.size
        # Whoever yields a block may put the next one into its memory.
        few.append(frame if count >= _WORTH_A_LOOK else frame.rows(0, len(frame.data)))
        if count >= _WORTH_A_LOOK:
            yield stacked(few)
            few, count = [], 0
    if few:
        yield stacked(few)


def _scan_block(frame: Frame, rule: Threshold, sign: int, rows: tuple[int, int], options: Options) -> _Block:
    rule = resolved(rule, frame)
    part = scan_rows(frame, rule, sign, rows, options)
    strong = None
    if rule.peak_multiplier > 1:
        strong = scan_rows(frame, higher(rule), sign, rows, options._replace(peaks=False))
    spare = np.empty(0, PEAK)
    if options.peaks:
        components, _ = connected([part._replace(parent=part.parent.copy())], sign, None, options)
        lacking = components[_columns.empty_groups(components.peak_offsets)]
        spare = highest_pixels(lacking, frame)
    run_of_spare = _runs.find(part.runs, spare["x_peak"].astype(float), spare["y_peak"].astype(float))
    shifts = np.array(vertices(np.concatenate((part.peaks, spare)), frame)) if options.subpixel else np.empty((2, 0))
    return _Block(part, strong, spare, run_of_spare, shifts)


def _joined(blocks: list[_Block], rule: Threshold, sign: int, region: Box2I, options: Options) -> FootprintSet:
    found, labels = connected([block.part for block in blocks], sign, region, options)
    if options.peaks:
        found = _with_spare_peaks(found, labels, blocks)
        if options.subpixel:
            found = _with_shifts(found, blocks)
    found = large(found, options.n_pixels)
    strong = [block.strong for block in blocks if block.strong is not None]
    return holding(found, strong) if rule.peak_multiplier > 1 else found


def _with_spare_peaks(found: FootprintSet, labels: NDArray[np.int32], blocks: list[_Block]) -> FootprintSet:
    """Give footprints without a peak the highest of their spare ones, the first of several in raster order."""
    lacking = _columns.empty_groups(found.peak_offsets)
    if not len(lacking):
        return found
    starts = offsets_of([len(block.part.runs) for block in blocks])
    spare = np.concatenate([block.spare for block in blocks])
    owner = labels[np.concatenate([block.run_of_spare + start for block, start in zip(blocks, starts, strict=False)])]
    significance = spare["peak_value"] * found.sign[owner]
    order = np.lexsort((spare["x_peak"], spare["y_peak"], -significance, owner))
    best = order[np.unique(owner[order], return_index=True)[1]]
    best = best[np.isin(owner[best], lacking)]
    return with_peaks(found, spare[best], owner[best])


def _with_shifts(found: FootprintSet, blocks: list[_Block]) -> FootprintSet:
    """Put the peaks where they are within their pixels."""
    pixels = np.concatenate([np.empty(0, PEAK), *(p for block in blocks for p in (block.part.peaks, block.spare))])
    shifts = np.concatenate([np.empty((2, 0)), *(block.shifts for block in blocks)], axis=1)
    place = _places(pixels)
    order = np.argsort(place)
    which = order[np.searchsorted(place, _places(found._peaks.pixels), sorter=order)]
    return moved(found, *shifts[:, which])


def _places(pixels: NDArray) -> NDArray[np.int64]:
    return (pixels["y_peak"].astype(np.int64) << 32) + pixels["x_peak"]
