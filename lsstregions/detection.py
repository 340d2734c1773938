"""Detection: an image in, footprints out."""

import math
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _columns, _label, _runs, _threshold
from ._frames import Frame, as_bytes
from ._peaks import PEAK, Peaks
from ._threads import run_all
from ._validate import INT32_MAX, as_connectivity, as_float, as_int
from .footprints import FootprintSet
from .geom import Box2I, Point2I, Value

__all__ = ["Threshold", "detect_footprints"]

Kind = Literal["value", "stdev", "variance", "pixel_stdev", "bitmask"]
Polarity = Literal["positive", "negative", "both"]

_KINDS = ("value", "stdev", "variance", "pixel_stdev", "bitmask")
# Rows of an image that must be converted are converted about so many bytes at a time.
_BLOCK = 1 << 21


class Threshold(Value):
    """Which pixels are detected.

    Parameters
    ----------
    value : float or array_like of shape (ny, nx)
        For "value" the threshold itself, one number or one a pixel; for "bitmask" the bits, any of which is enough; for
        the others what the noise is multiplied by.
    kind : {"value", "stdev", "variance", "pixel_stdev", "bitmask"}, optional
        "stdev" is the clipped standard deviation of the image (3 sigma, as `astropy.stats.sigma_clip`), without masked
        and NaN pixels; "variance" and "pixel_stdev" the variance of each pixel and its square root.
    inclusive : bool, optional
        Whether a pixel that equals the threshold is detected, as in LSST; photutils and we, by default, say no.
    peak_multiplier : float, optional
        Footprints are kept only if one of their pixels passes the threshold times this (hysteresis; LSST's
        includeMultiplier).

    Raises
    ------
    TypeError
        If `value` or `peak_multiplier` is no number, or the bits of a bitmask are no integer.
    ValueError
        If `kind` is none of these, `value` is NaN, a bitmask without a bit or an array where one number is wanted, or
        `peak_multiplier` is below 1.

    Notes
    -----
    For negative polarity a pixel passes if its negative passes. Pixels and thresholds are compared as the exact numbers
    that they are, whatever their dtypes.
    """

    __slots__ = ("value", "kind", "inclusive", "peak_multiplier")  # noqa: RUF023 (the order of the parameters)

    value: Any
    kind: Kind
    inclusive: bool
    peak_multiplier: float

    def __init__(self, value: Any, kind: Kind = "value", inclusive: bool = False, peak_multiplier: float = 1.0):
        if kind not in _KINDS:
            raise ValueError(f"kind must be one of {', '.join(map(repr, _KINDS))}, not {kind!r}")
        if kind == "bitmask":
            value = as_int(value, "value")
            if value < 1:
                raise ValueError(f"value must have a bit for kind='bitmask', not {value}")
        elif np.ndim(value) == 0 and not hasattr(value, "unit"):
            value = as_float(value, "value")
            if math.isnan(value):
                raise ValueError("value must not be NaN")
        elif kind != "value" and np.ndim(value):
            raise ValueError(f"value must be one number for kind={kind!r}, not an array of shape {np.shape(value)}")
        peak_multiplier = as_float(peak_multiplier, "peak_multiplier")
        if not peak_multiplier >= 1:
            raise ValueError(f"peak_multiplier must be at least 1, not {peak_multiplier}")
        self._set(value=value, kind=kind, inclusive=bool(inclusive), peak_multiplier=peak_multiplier)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Threshold):
            return NotImplemented
        return np.array_equal(self.value, other.value) and self._parts()[1:] == other._parts()[1:]

    def __hash__(self) -> int:
        return hash((np.asarray(self.value).tobytes(), *self._parts()[1:]))


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
    image : array_like, Quantity, MaskedArray, NDData, or iterator of arrays, shape (ny, nx)
        Real numbers of any dtype and byte order; a memory-mapped one is read once, from the first row to the last. An
        iterator yields blocks of rows, all ``nx`` wide, of an image that is never held whole.
    threshold : Threshold, float or array_like of shape (ny, nx)
        A number or one a pixel is a `Threshold` of kind "value". With a Quantity, it must have a unit that converts.
    n_pixels : int, optional
        Footprints of fewer pixels are left out.
    connectivity : {8, 4}, optional
        Whether pixels that share only a corner are connected.
    polarity : {"positive", "negative", "both"}, optional
        Whether to find what is above the threshold, what is below its negative, or both; `FootprintSet.sign` tells. A
        bitmask has no polarity, and finds no peaks.
    mask : array_like of bool, shape (ny, nx), optional
        Pixels that are never detected; by default the mask of the image, if it has one.
    variance : array_like, shape (ny, nx), optional
        Variance of each pixel; by default from the image's uncertainty.
    peaks : bool, optional
        Whether to find the peaks.
    subpixel : bool, optional
        Fit a parabola in x and in y through each peak and its neighbours, for the columns ``x`` and ``y``.
    xy0 : pair of int, optional
        The pixel of ``image[0, 0]``; by default that of the image, or (0, 0).
    n_threads : int, optional
        How many threads share the rows; the result does not depend on it.

    Returns
    -------
    FootprintSet
        In the raster order of their first pixels.

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
    rule = threshold if isinstance(threshold, Threshold) else Threshold(threshold)
    if polarity not in ("positive", "negative", "both"):
        raise ValueError(f"polarity must be 'positive', 'negative' or 'both', not {polarity!r}")
    n_pixels, n_threads = as_int(n_pixels, "n_pixels"), as_int(n_threads, "n_threads")
    if n_pixels < 1 or n_threads < 1:
        raise ValueError(f"n_pixels and n_threads must be at least 1, not {n_pixels} and {n_threads}")
    options = _Options(n_pixels, as_connectivity(connectivity), bool(peaks), bool(subpixel), n_threads)
    if rule.kind == "bitmask":
        options, polarity = options._replace(peaks=False, subpixel=False), "positive"
    signs = {"positive": [1], "negative": [-1], "both": [1, -1]}[polarity]
    if isinstance(image, Iterator):
        if not all(other is None for other in (mask, variance)) or rule.kind in ("stdev", "variance", "pixel_stdev"):
            raise TypeError("an iterator of rows comes without mask, variance and statistics of the image")
        return _detect_stream(image, rule, signs, xy0, options)
    frame = Frame.of(image, variance, mask, xy0)
    rule = _resolved(rule, frame)
    found = [_detect(frame, rule, sign, options) for sign in signs]
    return found[0] if len(found) == 1 else _in_raster_order(FootprintSet.concatenate(found))


class _Options(NamedTuple):
    n_pixels: int
    connectivity: int
    peaks: bool
    subpixel: bool
    n_threads: int


class _Part(NamedTuple):
    """What the kernel found in a block of rows."""

    runs: NDArray[np.int32]
    parent: NDArray[np.int32]
    peaks: NDArray
    run_of_peak: NDArray[np.int32]


def _resolved(rule: Threshold, frame: Frame) -> Threshold:
    """Return a threshold in the image's unit, with statistics of the image put in."""
    value = rule.value
    if frame.unit is not None and (hasattr(value, "unit") or rule.kind == "value"):
        from astropy.units import Quantity

        value = Quantity(value, None if hasattr(value, "unit") else "").to_value(frame.unit)
    elif hasattr(value, "unit"):
        value = value.to_value("")
    if np.ndim(value):
        value = np.asarray(value)
        if value.shape != frame.data.shape:
            raise ValueError(
                f"threshold must be a number or of the image's shape {frame.data.shape}, not {value.shape}"
            )
        if value.dtype.kind not in "biuf":
            raise TypeError(f"threshold must be real numbers, not dtype {value.dtype}")
    kind: Kind = rule.kind
    if kind in ("variance", "pixel_stdev") and frame.variance is None:
        raise ValueError(f"variance must be given, or come with the image, for a threshold of kind={kind!r}")
    if kind == "bitmask" and frame.data.dtype.kind not in "iub":
        raise TypeError(f"image must be integers for a threshold of kind='bitmask', not of dtype {frame.data.dtype}")
    if kind == "stdev":
        value, kind = value * _clipped_stdev(frame), "value"
    return Threshold(value, kind, rule.inclusive, rule.peak_multiplier)


def _clipped_stdev(frame: Frame) -> float:
    from astropy.stats import sigma_clip

    good = np.isfinite(frame.data)
    if frame.mask is not None:
        good &= ~np.asarray(frame.mask, bool)
    kept = sigma_clip(frame.data[good], sigma=3, maxiters=3, masked=False)
    if not np.size(kept):
        raise ValueError("image has no finite pixel that is not masked: it has no standard deviation")
    return float(np.std(kept, dtype=np.float64))


def _detect(frame: Frame, rule: Threshold, sign: int, options: _Options) -> FootprintSet:
    found = _connected(_scan(frame, rule, sign, options), sign, frame.box, options)
    if rule.peak_multiplier > 1 and rule.kind != "bitmask":
        high = Threshold(rule.value * rule.peak_multiplier, rule.kind, rule.inclusive)
        strong = _scan(frame, high, sign, options._replace(peaks=False))
        found = found[_holding(found, np.concatenate([part.runs for part in strong]))]
    if options.peaks:
        found = _with_missing_peaks(found, frame)
        if options.subpixel:
            found = _with_subpixel(found, frame)
    return found


def _scan(frame: Frame, rule: Threshold, sign: int, options: _Options) -> list[_Part]:
    """Find the runs and peaks of an image in blocks of rows."""
    ny, nx = frame.data.shape
    if ny * nx == 0:
        return []
    blocks = _row_blocks(frame, rule, options.n_threads)

    calls = [partial(_scan_rows, frame, rule, sign, rows, options) for rows in blocks]
    return run_all(calls, options.n_threads)


def _row_blocks(frame: Frame, rule: Threshold, n_threads: int) -> list[tuple[int, int]]:
    ny, nx = frame.data.shape
    count = n_threads
    if (
        not _is_plain(frame.data)
        or rule.kind != "value"
        or np.ndim(rule.value)
        or (frame.mask is not None and frame.mask.dtype != bool)
    ):
        # What must be converted is converted in pieces that stay in the cache.
        count = max(count, ny * nx * 8 // _BLOCK)
    edges = np.linspace(0, ny, min(count, ny) + 1).astype(int)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _is_plain(image: NDArray) -> bool:
    """Whether the kernels can read an image as it is."""
    known = image.dtype.kind in "biu" or image.dtype in (np.float32, np.float64)
    return known and image.dtype.isnative and image.strides[1] == image.itemsize


def _scan_rows(frame: Frame, rule: Threshold, sign: int, rows: tuple[int, int], options: _Options) -> _Part:
    start, stop = rows
    # Peaks look one row further.
    low, high = max(start - 1, 0), min(stop + 1, len(frame.data))
    image = frame.data[low:high]
    mask = None if frame.mask is None else np.asarray(frame.mask[low:high], bool)
    limit: NDArray | None
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
        image = _supported(image)
        variance = None if frame.variance is None else frame.variance[low:high]
        image, limit = _limit(image, _local_threshold(rule, variance, (low, high)), sign, rule.inclusive)
    if limit is None:
        return _Part(np.empty((0, 3), np.int32), np.empty(0, np.int32), np.empty(0, PEAK), np.empty(0, np.int32))
    x0, y0 = frame.xy0
    runs, parent, peaks, run_of_peak = _threshold.scan(
        as_bytes(image),
        image.dtype,
        as_bytes(limit),
        None if mask is None else as_bytes(mask),
        sign < 0,
        options.peaks,
        options.connectivity,
        start - low,
        stop - low,
        x0,
        y0 + low,
    )
    return _Part(
        runs.view(np.int32).reshape(-1, 3), parent.view(np.int32), peaks.view(PEAK), run_of_peak.view(np.int32)
    )


def _supported(image: NDArray) -> NDArray:
    """Return pixels of a dtype that the kernels know."""
    if image.dtype.kind == "f" and image.itemsize not in (4, 8):
        return image.astype(np.float32 if image.itemsize < 4 else np.float64)
    return image.astype(image.dtype.newbyteorder("="), copy=False)


def _local_threshold(rule: Threshold, variance: NDArray | None, rows: tuple[int, int]) -> Any:
    if rule.kind == "value":
        return rule.value[rows[0] : rows[1]] if np.ndim(rule.value) else rule.value
    assert variance is not None
    variance = _supported(variance)
    with np.errstate(invalid="ignore"):
        return rule.value * (np.sqrt(variance) if rule.kind == "pixel_stdev" else variance)


def _limit(image: NDArray, threshold: Any, sign: int, inclusive: bool) -> tuple[NDArray, NDArray | None]:
    """Return the image and the least (greatest, where negative) values that pass, in one dtype; None for none."""
    if np.ndim(threshold):
        dtype = np.result_type(_as_float_dtype(image), _as_float_dtype(_supported(threshold)))
        limit = sign * threshold.astype(dtype)
        if not inclusive:
            outermost = dtype.type(sign * np.inf)
            limit = np.where(limit == outermost, dtype.type(np.nan), np.nextafter(limit, outermost))
        return image.astype(dtype, copy=False), limit
    value = float(threshold)
    if image.dtype.kind == "f":
        with np.errstate(over="ignore"):
            nearest = image.dtype.type(value)
        # As Python floats: NumPy would compare in the image's dtype.
        if float(nearest) < value or (float(nearest) == value and not inclusive):
            if nearest == math.inf:
                return image, None
            nearest = np.nextafter(nearest, image.dtype.type(np.inf))
        return image, np.array([[sign * nearest]], image.dtype)
    info = np.iinfo(np.uint8 if image.dtype == bool else image.dtype)
    least = value if math.isinf(value) else math.ceil(value)
    least += least == value and not inclusive
    lowest, highest = (info.min, info.max) if sign > 0 else (-info.max, -info.min)
    if least > highest:
        return image, None
    return image, np.array([[sign * int(max(least, lowest))]], info.dtype)


def _as_float_dtype(array: NDArray) -> np.dtype:
    return array.dtype if array.dtype == np.float32 else np.dtype(np.float64)


def _connected(parts: list[_Part], sign: int, region: Box2I | None, options: _Options) -> FootprintSet:
    """Join the components of blocks of rows and return them as footprints."""
    starts = np.cumsum([0, *(len(part.runs) for part in parts)]).tolist()
    if starts[-1] > INT32_MAX:
        raise OverflowError(f"there are more than {INT32_MAX} runs of pixels beyond the threshold")
    parents = [
        part.parent + np.int32(start) if start else part.parent for part, start in zip(parts, starts, strict=False)
    ]
    parent = _joined(parents)
    for (below, above), start in zip(pairwise(parts), starts[1:], strict=False):
        _threshold.join(below.runs, above.runs, start, parent, options.connectivity)
    count = _threshold.number(parent)
    signs = np.full(count, sign, np.int8)

    def group_runs() -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        return _label.group([part.runs for part in parts], parent, count)

    def sort_peaks() -> Peaks:
        owners = [parent[start:][part.run_of_peak] for part, start in zip(parts, starts, strict=False)]
        return Peaks.sorted([part.peaks for part in parts], _joined(owners), signs)

    (spans, offsets), peaks = run_all([group_runs, sort_peaks], options.n_threads)
    found = FootprintSet._from_columns(spans, offsets, region, peaks=peaks, sign=signs)
    if options.n_pixels > 1:
        kept = found[found.area >= options.n_pixels]
        # Peaks are numbered as they come out.
        return kept._replaced(peaks=Peaks(kept._peaks.pixels, kept._peaks.offsets))
    return found


def _joined(parts: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int32), *parts])


def _holding(found: FootprintSet, runs: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether each footprint holds any of some runs, all of which lie in footprints."""
    held = np.zeros(len(found), bool)
    held[found.at(runs[:, 1], runs[:, 0])] = True
    return held


def _with_missing_peaks(found: FootprintSet, frame: Frame) -> FootprintSet:
    """Give footprints without a peak their highest pixel, the first of several in raster order, as LSST does."""
    lacking = _columns.empty_groups(found.peak_offsets)
    if not len(lacking):
        return found
    poor = found[lacking]
    y, x = _runs.indices(poor.spans)
    signs = np.repeat(poor.sign, poor.area)
    values = signs * frame.flatten(frame.data, poor.spans).astype(float)
    owner = np.repeat(lacking.astype(np.int32), poor.area)
    highest = np.full(len(found), -np.inf)
    np.maximum.at(highest, owner, values)
    equal = np.flatnonzero(values == highest[owner])
    best = equal[np.unique(owner[equal], return_index=True)[1]]
    pixels = np.empty(len(best), PEAK)
    pixels["x_peak"], pixels["y_peak"] = x[best], y[best]
    pixels["peak_value"] = (values * signs)[best]
    all_pixels = np.concatenate([found._peaks.pixels, pixels])
    owners = np.repeat(np.arange(len(found), dtype=np.int32), np.diff(found.peak_offsets))
    labels = np.concatenate([owners, owner[best]])
    return found._replaced(peaks=Peaks.sorted([all_pixels], labels, found.sign))


def _with_subpixel(found: FootprintSet, frame: Frame) -> FootprintSet:
    """Add the vertices of parabolas through each peak and its neighbours in x and in y."""
    peaks = found._peaks
    x, y = peaks["x_peak"] - frame.xy0[0], peaks["y_peak"] - frame.xy0[1]
    data = frame.data
    middle = data[y, x].astype(float)

    def vertex(dx: int, dy: int) -> NDArray[np.float64]:
        inside = (x >= dx) & (y >= dy) & (x < data.shape[1] - dx) & (y < data.shape[0] - dy)
        below = data[y - dy * inside, x - dx * inside].astype(float)
        above = data[y + dy * inside, x + dx * inside].astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            shift = 0.5 * (below - above) / (below - 2 * middle + above)
        return np.where(inside & (np.abs(shift) <= 0.5), shift, 0.0)

    return found._replaced(peaks=peaks.with_columns(x=peaks["x"] + vertex(1, 0), y=peaks["y"] + vertex(0, 1)))


def _in_raster_order(found: FootprintSet) -> FootprintSet:
    x, y = found._first().T
    ordered = found[np.lexsort((x, y))]
    return ordered._replaced(peaks=Peaks(ordered._peaks.pixels, ordered._peaks.offsets, _without_id(ordered._peaks)))


def _without_id(peaks: Peaks) -> dict[str, NDArray]:
    return {name: column for name, column in peaks.columns.items() if name != "id"}


def _detect_stream(
    blocks: Iterator[Any], rule: Threshold, signs: list[int], xy0: Any, options: _Options
) -> FootprintSet:
    """Detect in blocks of rows that come one after the other; two rows of the one before are kept for the peaks."""
    x0, y0 = (0, 0) if xy0 is None else Frame.of(np.zeros((0, 0)), None, None, xy0).xy0
    if np.ndim(rule.value):
        raise TypeError("threshold must be one number for an iterator of rows")
    if options.subpixel or (options.peaks and options.connectivity == 4):
        raise TypeError(
            "an iterator of rows cannot have subpixel peaks, nor peaks with connectivity 4: rows are gone by then"
        )
    weak: dict[int, list[_Part]] = {sign: [] for sign in signs}
    strong: dict[int, list[_Part]] = {sign: [] for sign in signs}
    high = Threshold(rule.value * rule.peak_multiplier, rule.kind, rule.inclusive) if rule.peak_multiplier > 1 else None
    ny, nx = 0, -1

    def scan(image: NDArray, first: int, start: int, stop: int) -> None:
        frame = Frame.of(image, None, None, (x0, first))
        for sign in signs:
            weak[sign].append(_scan_rows(frame, rule, sign, (start, stop), options))
            if high is not None:
                strong[sign].append(_scan_rows(frame, high, sign, (start, stop), options._replace(peaks=False)))

    # The last row so far waits for the next one, and the row before it is needed then.
    waiting = None
    for block in blocks:
        rows = Frame.of(block, None, None, (x0, 0)).data
        if nx not in (-1, rows.shape[1]):
            raise ValueError(f"all blocks of rows must be {nx} pixels wide, not {rows.shape[1]}")
        if not rows.size:
            continue
        nx = rows.shape[1]
        image = rows if waiting is None else np.concatenate([waiting, rows])
        context = 0 if waiting is None else len(waiting) - 1
        ny += len(rows)
        scan(image, y0 + ny - len(image), context, len(image) - 1)
        waiting = image[-2:].copy()
    if waiting is not None:
        scan(waiting, y0 + ny - len(waiting), len(waiting) - 1, len(waiting))
    region = Box2I.from_shape((ny, max(nx, 0)), (x0, y0))
    found = []
    for sign in signs:
        one = _connected(weak[sign], sign, region, options)
        if high is not None:
            one = one[_holding(one, np.concatenate([part.runs for part in strong[sign]]))]
        found.append(one)
    return found[0] if len(found) == 1 else _in_raster_order(FootprintSet.concatenate(found))
