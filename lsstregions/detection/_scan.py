"""Rows of an image to runs, their components, and peaks."""

from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _threshold
from .._frames import Frame, as_bytes
from .._peaks import PEAK
from .._threads import run_all
from ._rule import Threshold, limit_of, limits_of, local_threshold, supported

# Rows of an image that must be converted are converted about so many bytes at a time.
_BLOCK = 1 << 21


class Options(NamedTuple):
    """What is asked of a detection."""

    n_pixels: int
    connectivity: int
    peaks: bool
    subpixel: bool
    n_threads: int


class Part(NamedTuple):
    """What the kernel found in a block of rows."""

    runs: NDArray[np.int32]
    parent: NDArray[np.int32]
    peaks: NDArray
    run_of_peak: NDArray[np.int32]


def scan(frame: Frame, rule: Threshold, sign: int, options: Options) -> list[Part]:
    """Find the runs and peaks of an image in blocks of rows."""
    ny, nx = frame.data.shape
    if ny * nx == 0:
        return []
    blocks = _row_blocks(frame, rule, options.n_threads)
    calls = [partial(scan_rows, frame, rule, sign, rows, options) for rows in blocks]
    return run_all(calls, options.n_threads)


def _row_blocks(frame: Frame, rule: Threshold, n_threads: int) -> list[tuple[int, int]]:
    ny, nx = frame.data.shape
    count = n_threads
    if (
        not _is_plain(frame.data)
        or rule.kind != "value"
        or np.ndim(rule.value)
        or not isinstance(frame.mask, np.ndarray | None)
    ):
        # What must be converted is converted in pieces that stay in the cache.
        count = max(count, ny * nx * 8 // _BLOCK)
    count = min(count, ny)
    return list(pairwise(ny * i // count for i in range(count + 1)))


def _is_plain(image: NDArray) -> bool:
    """Whether the kernels can read an image as it is."""
    known = image.dtype.kind in "biu" or image.dtype in (np.float32, np.float64)
    return known and image.dtype.isnative and image.strides[1] == image.itemsize


def scan_rows(frame: Frame, rule: Threshold, sign: int, rows: tuple[int, int], options: Options) -> Part:
    """Find the runs and peaks of some rows; the row before and the one after them are looked at for the peaks."""
    start, stop = rows
    # Peaks look one row further.
    low, high = max(start - 1, 0), min(stop + 1, len(frame.data))
    image = frame.data[low:high]
    mask = None if frame.mask is None else np.asarray(frame.mask[low:high], bool)
    limit: NDArray | None
    beyond = False
    if rule.kind == "bitmask":
        bits = image.view(np.uint8) if image.dtype == bool else image
        wanted = (
            np.array(rule.value & (2 ** (8 * bits.itemsize) - 1))
            .astype(f"u{bits.itemsize}")
            .view(bits.dtype.newbyteorder("="))
        )
        image = ((bits & wanted) != 0).view(np.uint8)
        limit = np.array([[1]], np.uint8)
    else:
        image = supported(image)
        variance = None if frame.variance is None else frame.variance[low:high]
        threshold = local_threshold(rule, variance, (low, high))
        if np.ndim(threshold):
            image, limit = limits_of(image, threshold, sign)
            beyond = not rule.inclusive
        else:
            image, limit = limit_of(image, threshold, sign, rule.inclusive)
    if limit is None:
        return Part(np.empty((0, 3), np.int32), np.empty(0, np.int32), np.empty(0, PEAK), np.empty(0, np.int32))
    x0, y0 = frame.xy0
    runs, parent, peaks, run_of_peak = _threshold.scan(
        as_bytes(image),
        image.dtype,
        as_bytes(limit),
        None if mask is None else as_bytes(mask),
        beyond,
        sign < 0,
        options.peaks,
        options.connectivity,
        start - low,
        stop - low,
        x0,
        y0 + low,
    )
    return Part(runs.view(np.int32).reshape(-1, 3), parent.view(np.int32), peaks.view(PEAK), run_of_peak.view(np.int32))
