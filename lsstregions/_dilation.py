"""Dilation and erosion of run arrays by run arrays: rows of bits where it is dense, runs where it is sparse."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from . import _algebra, _label, _morphology, _runs
from ._validate import INT32_MAX, INT32_MIN

Runs = NDArray[np.int32]
# x_start, x_stop, y_start, y_stop
Box = tuple[int, int, int, int]
Components = tuple[Runs, NDArray[np.int32], int]

EVERYWHERE = INT32_MIN, INT32_MAX, INT32_MIN, INT32_MAX

# Rows of bits are worth it while there are no more words than this in them for each run.
WORDS_PER_RUN = 64


def dilate(runs: Runs, bounds: Box, element: Runs) -> Runs:
    """Return the union of `runs`, which lie within `bounds`, shifted by every pixel of `element`; neither is empty."""
    dilate_bits = _on_bits(runs, bounds, element)
    return dilate_bits(EVERYWHERE, False)[0] if dilate_bits else _dilate_runs(runs, element)


def dilate_to_components(runs: Runs, bounds: Box, element: Runs, within: Box) -> Components:
    """Return the same within another box, and its 8-connected components.

    They are numbered in the raster order of their first pixels: the number of each run, and how many there are.
    """
    dilate_bits = _on_bits(runs, bounds, element)
    if dilate_bits:
        return dilate_bits(within, True)
    runs = _runs.clip(_dilate_runs(runs, element), *within)
    return runs, *_label.label(runs, 8)


def _on_bits(runs: Runs, bounds: Box, element: Runs) -> Callable[[Box, bool], Components] | None:
    """Return the dilation on rows of bits, or None where these are not worth it."""
    x_start, x_stop, y_start, y_stop = bounds
    left, down = int(element[:, 1].min()), int(element[0, 0])
    width, height = int(element[:, 2].max()) - left, int(element[-1, 0]) - down + 1
    words = (x_stop - x_start + width) // 64 + 1
    most = WORDS_PER_RUN * len(runs) // words - height
    # Where there may be too many rows they are counted.
    if y_stop - y_start > most and _morphology.count_rows(runs) > most:
        return None
    groups, rows = _groups(element)
    return partial(_morphology.dilate_bits, runs, x_start, x_stop, groups, rows, left, down, width, height)


def _groups(element: Runs) -> tuple[NDArray[np.int64], Runs]:
    """Return an element's spans in groups of the same width and column, as ``dilate_bits`` takes them."""
    width = element[:, 2] - element[:, 1].astype(np.int64)
    order = np.lexsort((element[:, 0], element[:, 1], width))
    shape = np.column_stack((width, element[:, 1] - element[:, 1].min().astype(np.int64)))[order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (shape[1:] != shape[:-1]).any(axis=1)
    first = np.flatnonzero(is_first)
    groups = np.column_stack((shape[first], first, np.append(first[1:], len(order))))
    return np.ascontiguousarray(groups), element[order, 0] - element[0, 0]


def _dilate_runs(runs: Runs, element: Runs) -> Runs:
    if len(element) == 1:
        dy, x_start, x_stop = element[0].tolist()
        return _morphology.widen(runs, dy, x_start, x_stop - 1)
    half = len(element) // 2
    return _algebra.unite(_dilate_runs(runs, element[:half]), _dilate_runs(runs, element[half:]))


def erode(runs: Runs, bounds: Box, element: Runs) -> Runs:
    """Return the pixels from which every pixel of `element` leads into `runs`; neither is empty."""
    x_start, x_stop, y_start, y_stop = bounds
    left, right = int(element[:, 1].min()), int(element[:, 2].max()) - 1
    down, up = int(element[0, 0]), int(element[-1, 0])
    box = x_start - left, x_stop - right, y_start - down, y_stop - up
    if box[0] >= box[1] or box[2] >= box[3]:
        return runs[:0]
    words = (y_stop - y_start) * ((x_stop - x_start) // 64 + 1)
    reach = max(map(abs, (left, right, down, up)))
    leaves_int32 = min(x_start, y_start) - reach < INT32_MIN or max(x_stop, y_stop) + reach > INT32_MAX
    if words > WORDS_PER_RUN * len(runs) or leaves_int32:
        return _erode_runs(runs, element)
    # From a pixel of this box the element stays in the runs' own box; it leads out of the runs where it meets a
    # gap, and these pixels are the gaps dilated by the mirrored element.
    candidates = _runs.complement(runs[:0], *box)
    gaps = _runs.complement(runs, *bounds)
    if len(gaps) == 0:
        return candidates
    mirrored = element[::-1, [0, 2, 1]] * np.int32(-1) + np.array([0, 1, 1], np.int32)
    return _algebra.subtract(candidates, dilate(gaps, bounds, mirrored))


def _erode_runs(runs: Runs, element: Runs) -> Runs:
    # The widest spans first: what is left shrinks soonest.
    order = np.argsort(element[:, 1] - element[:, 2].astype(np.int64), kind="stable")
    left = runs[:0]
    for turn, (dy, x_start, x_stop) in enumerate(element[order].tolist()):
        narrowed = _morphology.widen(runs, -dy, -x_start, 1 - x_stop)
        left = _algebra.intersect(left, narrowed) if turn else narrowed
        if len(left) == 0:
            break
    return left
