"""Detection: an image in, footprints out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._frames import Frame
from .._validate import as_connectivity, as_int
from ..footprints import FootprintSet
from ..geom import Point2I
from ._connect import connected, holding, in_raster_order, large, with_missing_peaks, with_subpixel
from ._rule import Threshold, as_levels, higher, resolved
from ._scan import Options, scan
from ._stream import detect_in_rows

__all__ = ["Threshold", "detect_footprints"]

Polarity = Literal["positive", "negative", "both"]


def detect_footprints(
    image: Any,
    threshold: Threshold | ArrayLike,
    *,
    n_pixels: int = 1,
    connectivity: int = 8,
    polarity: Polarity = "positive",
    mask: Any = None,
    variance: Any = None,
    peaks: bool = True,
    subpixel: bool = False,
    xy0: tuple[int, int] | Point2I | None = None,
    n_threads: int = 1,
) -> FootprintSet:
    """Find the connected sets of pixels beyond a threshold, and their peaks.

    Parameters
    ----------
    image : array_like, Quantity, MaskedArray, NDData, Mask, or iterator of them, shape (ny, nx)
        Real numbers of any dtype and byte order; a memory-mapped one is read from the first row to the last, once for
        each polarity and each threshold. An iterator, or another object that can be iterated over and is no array,
        yields any of the others as blocks of rows, all ``nx`` wide, of an image that is never held whole; a list is an
        array, of blocks pass ``iter(list)``. Of a `Mask` the bits are meant.
    threshold : Threshold, float or array_like of shape (ny, nx)
        A number or one a pixel is a `Threshold` of kind "value". It counts from zero, whatever its kind: subtract the
        background first. With a Quantity, it must have a unit that converts.
    n_pixels : int, optional
        Footprints of fewer pixels are left out.
    connectivity : {8, 4}, optional
        Whether pixels that share only a corner are connected.
    polarity : {"positive", "negative", "both"}, optional
        Whether to find what is above the threshold, what is below its negative, or both; `FootprintSet.sign` tells. A
        bitmask has no polarity, and finds no peaks.
    mask : array_like of bool, shape (ny, nx), optional
        Pixels that are never detected; by default the mask of the image, if it has one. A `Mask` covers what its own
        origin says. Blocks of rows bring theirs along.
    variance : array_like or Quantity, shape (ny, nx), optional
        Variance of each pixel, in the square of the image's unit; by default from the image's uncertainty.
    peaks : bool, optional
        Whether to find the peaks.
    subpixel : bool, optional
        Fit a parabola in x and in y through each peak and its neighbours, for the columns ``x`` and ``y``.
    xy0 : pair of int, optional
        The pixel of ``image[0, 0]``; by default that of the image, of a `Mask` given with it, or (0, 0).
    n_threads : int, optional
        How many threads share the rows; the result does not depend on it.

    Returns
    -------
    FootprintSet
        In the raster order of their first pixels. Values of peaks are float64, without the image's unit.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind, value or shape.
    OverflowError
        If a pixel's coordinates do not fit into int32.

    Notes
    -----
    NaN is never detected, infinity is. A peak is a pixel that none of its 8 neighbours in the image exceeds; of equal
    neighbours each is one. A footprint without one (its highest pixel has a higher neighbour that is masked, or
    diagonal where connectivity is 4, or below a threshold of its own) has its highest pixel, the first of several.

    Runs of pixels are found row by row, 64 pixels at a time, and connected by union-find as they are found (He, Chao
    and Suzuki 2008, IEEE TIP 17, 749); there is no label image, so that memory grows with what is found.
    """
    if isinstance(threshold, Threshold):
        rule = threshold
    else:
        # An array is used at once, and needs no copy.
        rule = Threshold._of(as_levels(threshold)) if np.ndim(threshold) else Threshold(threshold)
    if not isinstance(polarity, str) or polarity not in ("positive", "negative", "both"):
        raise ValueError(f"polarity must be 'positive', 'negative' or 'both', not {polarity!r}")
    n_pixels, n_threads = as_int(n_pixels, "n_pixels"), as_int(n_threads, "n_threads")
    for name, count in (("n_pixels", n_pixels), ("n_threads", n_threads)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, not {count}")
    options = Options(n_pixels, as_connectivity(connectivity), bool(peaks), bool(subpixel) and bool(peaks), n_threads)
    if rule.kind == "bitmask":
        options, polarity = options._replace(peaks=False, subpixel=False), "positive"
    signs = {"positive": [1], "negative": [-1], "both": [1, -1]}[polarity]
    if _is_in_blocks(image):
        if mask is not None or variance is not None:
            raise TypeError("mask and variance must come with the blocks of an iterator, as masked arrays or NDData")
        found = detect_in_rows(iter(image), rule, signs, xy0, options)
    else:
        frame = Frame.of(image, variance, mask, xy0)
        rule = resolved(rule, frame)
        found = [_detect(frame, rule, sign, options) for sign in signs]
    return found[0] if len(found) == 1 else in_raster_order(FootprintSet.concatenate(found))


def _is_in_blocks(image: Any) -> bool:
    """Whether an image comes as an iterator, or as anything else that yields blocks of rows and is no array itself."""
    if isinstance(image, Iterator):
        return True
    array_like = isinstance(image, list | tuple | str | bytes | PurePath | memoryview)
    array_like = array_like or any(hasattr(image, name) for name in ("__array__", "data", "dtype"))
    return isinstance(image, Iterable) and not array_like


def _detect(frame: Frame, rule: Threshold, sign: int, options: Options) -> FootprintSet:
    found, _ = connected(scan(frame, rule, sign, options), sign, frame.box, options)
    found = large(found, options.n_pixels)
    if rule.peak_multiplier > 1:
        found = holding(found, scan(frame, higher(rule), sign, options._replace(peaks=False)))
    if options.peaks:
        found = with_missing_peaks(found, frame)
        if options.subpixel:
            found = with_subpixel(found, frame)
    return found
