"""Which pixels are detected."""

import math
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from .._frames import Frame
from .._validate import as_float, as_int, unmasked
from .._values import Value, evaluable

Kind = Literal["value", "stdev", "variance", "pixel_stdev", "bitmask"]

_KINDS = ("value", "stdev", "variance", "pixel_stdev", "bitmask")


class Threshold(Value):
    """Which pixels are detected.

    Parameters
    ----------
    value : float or array_like of shape (ny, nx)
        For "value" the threshold itself, one number or one a pixel, of which a copy is kept (what is masked, or NaN,
        lets nothing pass); for "bitmask" the bits,
        any of which is enough; for the others what the noise is multiplied by.
    kind : {"value", "stdev", "variance", "pixel_stdev", "bitmask"}, optional
        "stdev" is the clipped standard deviation of the image (3 sigma, as `astropy.stats.sigma_clip`), without masked
        and NaN pixels, of which it makes a copy; "variance" and "pixel_stdev" the variance of each pixel and its
        square root.
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
        `peak_multiplier` is below 1, infinite, or above 1 for a bitmask.

    Notes
    -----
    For negative polarity a pixel passes if its negative passes. Pixels and thresholds are compared as the exact numbers
    that they are, whatever their dtypes; only longdoubles, and an array of thresholds and integers beyond 2**53, meet
    as float64.
    """

    __slots__ = ("value", "kind", "inclusive", "peak_multiplier")

    value: Any
    kind: Kind
    inclusive: bool
    peak_multiplier: float

    def __init__(self, value: Any, kind: Kind = "value", inclusive: bool = False, peak_multiplier: float = 1.0):
        if kind not in _KINDS:
            raise ValueError(f"kind must be one of {', '.join(map(repr, _KINDS))}, not {kind!r}")
        if kind == "bitmask":
            value = as_int(value, "the threshold's value")
            if value < 1:
                raise ValueError(f"the threshold's value must have a bit for kind='bitmask', not {value}")
        elif np.ndim(value) == 0 and not hasattr(value, "unit"):
            # Integers beyond 2**53 would not be the same as floats.
            large = isinstance(value, int | np.integer) and abs(int(value)) > 2**53
            value = int(value) if large else as_float(value, "the threshold's value")
            if value != value:
                raise ValueError("the threshold's value must not be NaN")
        else:
            if np.ndim(value) and kind != "value":
                raise ValueError(
                    f"the threshold's value must be one number for kind={kind!r}, not of shape {np.shape(value)}"
                )
            value = np.array(as_levels(value), subok=True)
            if value.ndim == 0 and np.isnan(value):
                raise ValueError("the threshold's value must not be NaN")
            value.flags.writeable = False
        peak_multiplier = as_float(peak_multiplier, "peak_multiplier")
        if not 1 <= peak_multiplier < math.inf:
            raise ValueError(f"peak_multiplier must be at least 1 and finite, not {peak_multiplier}")
        if kind == "bitmask" and peak_multiplier > 1:
            raise ValueError("peak_multiplier has no meaning for kind='bitmask'")
        self._set(value=value, kind=kind, inclusive=bool(inclusive), peak_multiplier=peak_multiplier)

    @classmethod
    def _of(cls, value: Any, kind: Kind = "value", inclusive: bool = False, peak_multiplier: float = 1.0) -> Self:
        """Return a threshold that is as it should be, for as long as nobody writes to the value."""
        made = cls.__new__(cls)
        made._set(value=value, kind=kind, inclusive=inclusive, peak_multiplier=peak_multiplier)
        return made

    def __repr__(self) -> str:
        usual = {"kind": "value", "inclusive": False, "peak_multiplier": 1.0}
        options = "".join(f", {k}={getattr(self, k)!r}" for k, v in usual.items() if getattr(self, k) != v)
        return f"Threshold({evaluable(self.value)}{options})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Threshold):
            return NotImplemented
        return np.array_equal(self.value, other.value) and self._parts()[1:] == other._parts()[1:]

    def __hash__(self) -> int:
        # Values that are equal may be of different units and dtypes.
        return hash((np.shape(self.value), *self._parts()[1:]))


def as_levels(value: Any) -> NDArray:
    """Return thresholds, or one with a unit, as an array of real numbers, NaN where they are masked; not a copy."""
    value = np.asanyarray(unmasked(value))
    if value.dtype.kind not in "biuf":
        raise TypeError(f"threshold must be real numbers, not dtype {value.dtype}")
    return value


def higher(rule: Threshold) -> Threshold:
    """Return the threshold that one pixel of a footprint must pass."""
    value = np.asarray(rule.value, float) if np.ndim(rule.value) else _as_number(rule.value)
    return Threshold._of(value * rule.peak_multiplier, rule.kind, rule.inclusive)


def resolved(rule: Threshold, frame: Frame) -> Threshold:
    """Return a threshold in the image's unit, with statistics of the image put in."""
    value = rule.value
    if hasattr(value, "unit") or (frame.unit is not None and rule.kind == "value"):
        from astropy.units import Quantity, UnitConversionError

        # What the noise is multiplied by has no unit.
        unit = frame.unit if frame.unit is not None and rule.kind == "value" else ""
        quantity = Quantity(value, None if hasattr(value, "unit") else "")
        try:
            value = quantity.to_value(unit)
        except UnitConversionError:
            wanted = f"of the image's unit, {unit}" if unit else "a number without a unit"
            given = f"of the unit {quantity.unit}" if str(quantity.unit) else "a number without one"
            raise UnitConversionError(f"threshold must be {wanted}, not {given}") from None
        # A scalar of NumPy's would make doubles of a variance of floats.
        value = value if np.ndim(value) else float(value)
    if np.ndim(value):
        value = np.asarray(value)
        if value.shape != frame.data.shape:
            raise ValueError(
                f"threshold must be a number or of the image's shape {frame.data.shape}, not {value.shape}"
            )
    kind: Kind = rule.kind
    if kind in ("variance", "pixel_stdev") and frame.variance is None:
        raise ValueError(f"variance must be given, or come with the image, for a threshold of kind={kind!r}")
    if kind == "bitmask" and frame.data.dtype.kind not in "iub":
        raise TypeError(f"image must be integers for a threshold of kind='bitmask', not of dtype {frame.data.dtype}")
    if kind == "stdev":
        value, kind = value * clipped_stdev(frame), "value"
    return Threshold._of(value, kind, rule.inclusive, rule.peak_multiplier)


def clipped_stdev(frame: Frame) -> float:
    """Return the clipped standard deviation of the good pixels."""
    from astropy.stats import sigma_clip

    good = np.isfinite(frame.data)
    if frame.mask is not None:
        good &= ~np.asarray(frame.mask, bool)
    kept = sigma_clip(supported(frame.data[good]), sigma=3, maxiters=3, masked=False)
    if not np.size(kept):
        raise ValueError("image has no finite pixel that is not masked: it has no standard deviation")
    return float(np.std(kept, dtype=np.float64))


def supported(image: NDArray) -> NDArray:
    """Return pixels of a dtype that the kernels know."""
    if image.dtype.kind == "f" and image.itemsize not in (4, 8):
        return image.astype(np.float32 if image.itemsize < 4 else np.float64)
    return image.astype(image.dtype.newbyteorder("="), copy=False)


def local_threshold(rule: Threshold, variance: NDArray | None, rows: tuple[int, int]) -> Any:
    """Return the threshold in some rows: a number, or one a pixel."""
    if rule.kind == "value":
        return rule.value[rows[0] : rows[1]] if np.ndim(rule.value) else rule.value
    assert variance is not None
    # Of small integers NumPy would make roots of few digits.
    variance = variance.astype(float) if variance.dtype.kind in "biu" else supported(variance)
    with np.errstate(invalid="ignore"):
        if rule.kind == "variance":
            return rule.value * variance
        threshold = np.sqrt(variance)
        threshold *= rule.value
    return threshold


def limits_of(image: NDArray, thresholds: NDArray, sign: int) -> tuple[NDArray, NDArray]:
    """Return the image and the thresholds of its pixels, or their negatives, in one dtype."""
    thresholds = supported(thresholds)
    dtype = np.result_type(_as_float_dtype(image), _as_float_dtype(thresholds))
    thresholds = thresholds.astype(dtype, copy=False)
    return image.astype(dtype, copy=False), thresholds if sign > 0 else -thresholds


def limit_of(image: NDArray, threshold: float, sign: int, inclusive: bool) -> tuple[NDArray, NDArray | None]:
    """Return the image and the least (greatest, where negative) value that passes, in one dtype; None for none."""
    value = threshold if isinstance(threshold, int) else float(threshold)
    if image.dtype.kind == "f":
        value = _as_number(value)
        with np.errstate(over="ignore"):
            nearest = image.dtype.type(value)
        # As Python floats: NumPy would compare in the image's dtype.
        if float(nearest) < value or (float(nearest) == value and not inclusive):
            if nearest == math.inf:
                return image, None
            nearest = np.nextafter(nearest, image.dtype.type(np.inf))
        return image, np.array([[sign * nearest]], image.dtype)
    info = np.iinfo(np.uint8 if image.dtype == bool else image.dtype)
    least = value if value in (math.inf, -math.inf) else math.ceil(value)
    least += least == value and not inclusive
    lowest, highest = (info.min, info.max) if sign > 0 else (-info.max, -info.min)
    if least > highest:
        return image, None
    return image, np.array([[sign * int(max(least, lowest))]], info.dtype)


def _as_number(value: float) -> float:
    """Return a float, infinity for an integer that is larger than any."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _as_float_dtype(array: NDArray) -> np.dtype:
    return array.dtype if array.dtype == np.float32 else np.dtype(np.float64)
