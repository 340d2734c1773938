"""Intervals of pixels, half-open, and of floats, closed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Literal, Self, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import INT32_MAX, as_coordinates, as_finite, as_float, as_int, as_int32, as_numbers, require
from .._values import Value, evaluable, pixel_at, scalar_or_array

Edges: TypeAlias = Literal["expand", "shrink"]


class IntervalI(Value):
    """The pixels from `start` up to but not including `stop`.

    Like a `range`, it is empty where ``stop <= start``, iterates over its pixels, and has their number as its
    length.

    Parameters
    ----------
    start, stop : int
        Half-open ends within int32; so must be their difference.

    Raises
    ------
    TypeError
        If an end is not an integer.
    OverflowError
        If an end or the size, given or computed, leaves int32.
    """

    __slots__ = ("start", "stop")
    start: int
    stop: int

    def __init__(self, start: int, stop: int):
        start, stop = as_int32(start, "start"), as_int32(stop, "stop")
        if stop <= start:
            start = stop = 0
        elif stop - start > INT32_MAX:
            raise OverflowError(f"the size must fit into int32, not {stop - start}")
        self._set(start=start, stop=stop)

    @classmethod
    def empty(cls) -> Self:
        """Return the empty interval."""
        return cls(0, 0)

    @classmethod
    def from_points(cls, points: Iterable[int]) -> Self:
        """Return the smallest interval that holds all pixels of a sequence or array, in any order.

        Raises
        ------
        TypeError
            If a pixel is no integer.
        OverflowError
            If one does not fit into int32.
        """
        values = [as_int32(value, "points") for value in np.ravel(np.asarray(points)).tolist()]
        return cls(min(values), max(values) + 1) if values else cls.empty()

    @classmethod
    def from_center_size(cls, center: float, size: int) -> Self:
        """Return the interval of `size` pixels whose middle is at most half a pixel from `center`.

        A size below one gives the empty interval.

        Raises
        ------
        TypeError
            If `center` is no number or `size` no integer.
        ValueError
            If `center` is not finite.
        OverflowError
            If the interval leaves int32.
        """
        center, size = as_finite(center, "center"), as_int32(size, "size")
        if size <= 0:
            return cls.empty()
        start = pixel_at(center - (size - 1) / 2)
        return cls(start, start + size)

    @classmethod
    def from_interval_d(cls, interval: IntervalD, edges: Edges = "expand") -> Self:
        """Return the pixels that an interval touches ("expand"), or that lie wholly in it ("shrink").

        A pixel that shares no more than its edge with an interval is not touched by it, so that intervals of
        whole pixels survive the way to `IntervalD` and back both ways. An interval of size zero
        expands to the pixel that covers it.

        Raises
        ------
        TypeError
            If `interval` is no IntervalD.
        ValueError
            If the interval is infinite or `edges` is neither.
        OverflowError
            If the result leaves int32.
        """
        require(interval, IntervalD, "interval")
        if edges not in ("expand", "shrink"):
            raise ValueError(f"edges must be 'expand' or 'shrink', not {edges!r}")
        if interval.is_empty:
            return cls.empty()
        low, high = as_finite(interval.min, "interval.min"), as_finite(interval.max, "interval.max")
        if edges == "shrink":
            return cls(1 - pixel_at(-low), pixel_at(high))
        start = pixel_at(low)
        return cls(start, max(1 - pixel_at(-high), start + 1))

    @property
    def min(self) -> int:
        """First pixel (0 if empty)."""
        return self.start

    @property
    def max(self) -> int:
        """Last pixel (-1 if empty)."""
        return self.stop - 1

    @property
    def size(self) -> int:
        """Number of pixels."""
        return self.stop - self.start

    @property
    def center(self) -> float:
        """Middle of the pixels (NaN if empty)."""
        return 0.5 * (self.min + self.max) if self else math.nan

    @property
    def is_empty(self) -> bool:
        """Whether there is no pixel."""
        return self.start == self.stop

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[int]:
        return iter(self.to_range())

    def __contains__(self, other: float | IntervalI) -> bool:
        return bool(self.contains(other))

    def to_range(self) -> range:
        """Return the pixels as a range."""
        return range(self.start, self.stop)

    def to_array(self) -> NDArray[np.int32]:
        """Return the pixels as an int32 array of shape (size,)."""
        return np.arange(self.start, self.stop, dtype=np.int32)

    def slice(self, origin: int = 0) -> slice:
        """Return the slice of these pixels in an array whose first one is pixel `origin`.

        Raises
        ------
        TypeError
            If `origin` is no integer.
        ValueError
            If the interval starts before `origin`: a slice would count from the end of the array.
        OverflowError
            If `origin` does not fit into int32.
        """
        if not self:
            return slice(0, 0)
        start = self.start - as_int32(origin, "origin")
        if start < 0:
            raise ValueError(f"the interval starts at {self.start}, before the array's origin at {origin}")
        return slice(start, start + self.size)

    @overload
    def contains(self, other: float | IntervalI) -> bool: ...
    @overload
    def contains(self, other: ArrayLike) -> NDArray[np.bool_]: ...
    def contains(self, other: Any) -> Any:
        """Return whether an interval, or the pixel that covers a coordinate, is in this interval.

        Parameters
        ----------
        other : IntervalI or array_like
            An interval gives one answer, coordinates in pixels (integers or floats) an array of their shape; NaN is
            in nothing.

        Raises
        ------
        TypeError
            If `other` is neither, or of another unit than pixels.
        ValueError
            If numbers are masked.
        """
        if isinstance(other, IntervalI):
            return other.is_empty or (self.start <= other.start and other.stop <= self.stop)
        values = as_coordinates(other, "other")
        return scalar_or_array((values >= self.start - 0.5) & (values < self.stop - 0.5))

    def overlaps(self, other: IntervalI) -> bool:
        """Return whether the two share a pixel."""
        return not self.clipped_to(other).is_empty

    def is_disjoint(self, other: IntervalI) -> bool:
        """Return whether the two share no pixel."""
        return not self.overlaps(other)

    def dilated_by(self, buffer: int) -> Self:
        """Return the interval with `buffer` more pixels at both ends; it shrinks if `buffer` is negative.

        Raises
        ------
        TypeError
            If `buffer` is no integer.
        OverflowError
            If the interval leaves int32.
        """
        buffer = as_int(buffer, "buffer")
        return type(self)._checked(self.start - buffer, self.stop + buffer) if self else self

    def eroded_by(self, buffer: int) -> Self:
        """Return the interval with `buffer` fewer pixels at both ends, empty if none is left.

        Raises
        ------
        TypeError
            If `buffer` is no integer.
        """
        return self.dilated_by(-as_int(buffer, "buffer"))

    def shifted_by(self, offset: int) -> Self:
        """Return the interval moved by `offset` pixels.

        Raises
        ------
        TypeError
            If `offset` is no integer.
        OverflowError
            If the interval leaves int32.
        """
        offset = as_int(offset, "offset")
        return type(self)(self.start + offset, self.stop + offset) if self else self

    def reflected_about(self, point: float) -> Self:
        """Return the mirror image about a pixel's centre (an integer) or edge (a half-integer).

        Reflecting about ``(n - 1) / 2`` flips within an axis of n pixels.

        Raises
        ------
        TypeError
            If `point` is no number.
        ValueError
            If `point` is neither an integer nor a half-integer.
        OverflowError
            If the interval leaves int32.
        """
        twice = 2 * as_finite(point, "point")
        if not twice.is_integer():
            raise ValueError(f"point must be a multiple of 0.5, not {point!r}")
        return type(self)(int(twice) - self.max, int(twice) - self.min + 1) if self else self

    def expanded_to(self, other: int | IntervalI) -> Self:
        """Return the smallest interval that contains this one and another, or a pixel.

        Raises
        ------
        TypeError
            If `other` is neither.
        OverflowError
            If a pixel does not fit into int32.
        """
        if not isinstance(other, IntervalI):
            other = type(self).from_points([as_int(other, "other")])
        if not other:
            return self
        if not self:
            return type(self)(other.start, other.stop)
        return type(self)(min(self.start, other.start), max(self.stop, other.stop))

    def clipped_to(self, other: IntervalI) -> Self:
        """Return what the two share, empty if nothing.

        Raises
        ------
        TypeError
            If `other` is no IntervalI.
        """
        require(other, IntervalI, "other")
        return type(self)(max(self.start, other.start), min(self.stop, other.stop))

    @classmethod
    def _checked(cls, start: int, stop: int) -> Self:
        # Eroding by more than int32 leaves nothing, which is not an overflow.
        return cls(start, stop) if stop > start else cls.empty()

    def __repr__(self) -> str:
        return f"IntervalI(start={self.start}, stop={self.stop})" if self else "IntervalI.empty()"


class IntervalD(Value):
    """The real numbers from `min` to `max`, both included.

    An interval of size zero (``min == max``) is one number, not an empty interval; ``min > max`` is empty.
    The empty interval has ``min = +inf`` and ``max = -inf``.

    Parameters
    ----------
    min, max : float
        Ends; either may be infinite.

    Raises
    ------
    TypeError
        If an end is no number.
    ValueError
        If an end is NaN, or both are the same infinity.
    """

    __slots__ = ("min", "max")
    min: float
    max: float

    def __init__(self, min: float, max: float):
        low, high = as_float(min, "min"), as_float(max, "max")
        if math.isnan(low) or math.isnan(high):
            raise ValueError(f"min and max must not be NaN, not {low} and {high}")
        if low > high:
            low, high = math.inf, -math.inf
        elif low == high and math.isinf(low):
            raise ValueError(f"min and max must not both be {low}")
        self._set(min=low, max=high)

    @classmethod
    def empty(cls) -> Self:
        """Return the empty interval."""
        return cls(math.inf, -math.inf)

    @classmethod
    def from_points(cls, points: Iterable[float]) -> Self:
        """Return the smallest interval that holds all numbers of a sequence or array.

        Raises
        ------
        TypeError
            If they are not numbers, or of a unit that is not pixels.
        ValueError
            If one is NaN or masked.
        """
        values = as_numbers(points, "points")
        return cls(values.min(), values.max()) if values.size else cls.empty()

    @classmethod
    def from_center_size(cls, center: float, size: float) -> Self:
        """Return the interval of a finite centre and size; a negative size gives the empty interval.

        Raises
        ------
        TypeError
            If one is no number.
        ValueError
            If one is not finite.
        """
        center, size = as_finite(center, "center"), as_finite(size, "size")
        return cls(center - size / 2, center + size / 2)

    @classmethod
    def from_interval_i(cls, interval: IntervalI) -> Self:
        """Return what the pixels of an interval cover, from the edge of the first to that of the last.

        Raises
        ------
        TypeError
            If `interval` is no IntervalI.
        """
        require(interval, IntervalI, "interval")
        return cls(interval.start - 0.5, interval.stop - 0.5) if interval else cls.empty()

    @property
    def size(self) -> float:
        """Length (0 if empty)."""
        return self.max - self.min if self else 0.0

    @property
    def center(self) -> float:
        """Middle (NaN if empty or infinite to both sides)."""
        return 0.5 * self.min + 0.5 * self.max

    @property
    def is_empty(self) -> bool:
        """Whether there is no number in it."""
        return self.min > self.max

    @property
    def is_finite(self) -> bool:
        """Whether both ends are finite; so is the empty interval."""
        return self.is_empty or math.isfinite(self.size)

    def __bool__(self) -> bool:
        return not self.is_empty

    def __contains__(self, other: float | IntervalD) -> bool:
        return bool(self.contains(other))

    @overload
    def contains(self, other: float | IntervalD) -> bool: ...
    @overload
    def contains(self, other: ArrayLike) -> NDArray[np.bool_]: ...
    def contains(self, other: Any) -> Any:
        """Return whether an interval, or each number of an array of any shape, is in this one; NaN is in nothing.

        Raises
        ------
        TypeError
            If `other` is neither, or of another unit than pixels.
        ValueError
            If numbers are masked.
        """
        if isinstance(other, IntervalD):
            return other.is_empty or (self.min <= other.min and other.max <= self.max)
        values = as_coordinates(other, "other")
        return scalar_or_array((values >= self.min) & (values <= self.max))

    def overlaps(self, other: IntervalD) -> bool:
        """Return whether the two share a number; touching at an end is enough.

        Raises
        ------
        TypeError
            If `other` is no IntervalD.
        """
        require(other, IntervalD, "other")
        return max(self.min, other.min) <= min(self.max, other.max)

    def is_disjoint(self, other: IntervalD) -> bool:
        """Return whether the two share no number."""
        return not self.overlaps(other)

    def dilated_by(self, buffer: float) -> Self:
        """Return the interval with both ends moved out by `buffer` pixels, or in if it is negative.

        Raises
        ------
        TypeError
            If `buffer` is no number.
        ValueError
            If `buffer` is not finite.
        """
        buffer = as_finite(buffer, "buffer")
        return type(self)(self.min - buffer, self.max + buffer) if self else self

    def eroded_by(self, buffer: float) -> Self:
        """Return the interval with both ends moved in by `buffer` pixels, empty if they pass each other.

        Raises
        ------
        TypeError
            If `buffer` is no number.
        ValueError
            If `buffer` is not finite.
        """
        return self.dilated_by(-as_finite(buffer, "buffer"))

    def shifted_by(self, offset: float) -> Self:
        """Return the interval moved by `offset` pixels.

        Raises
        ------
        TypeError
            If `offset` is no number.
        ValueError
            If `offset` is not finite.
        """
        offset = as_finite(offset, "offset")
        return type(self)(self.min + offset, self.max + offset) if self else self

    def reflected_about(self, point: float) -> Self:
        """Return the mirror image about a point.

        Raises
        ------
        TypeError
            If `point` is no number.
        ValueError
            If `point` is not finite.
        """
        twice = 2 * as_finite(point, "point")
        return type(self)(twice - self.max, twice - self.min) if self else self

    def expanded_to(self, other: float | IntervalD) -> Self:
        """Return the smallest interval that contains this one and another, or a number.

        Raises
        ------
        TypeError
            If `other` is neither.
        ValueError
            If the number is not finite.
        """
        if not isinstance(other, IntervalD):
            value = as_finite(other, "other")
            other = IntervalD(value, value)
        return type(self)(min(self.min, other.min), max(self.max, other.max))

    def clipped_to(self, other: IntervalD) -> Self:
        """Return what the two share, empty if nothing.

        Raises
        ------
        TypeError
            If `other` is no IntervalD.
        """
        require(other, IntervalD, "other")
        low, high = max(self.min, other.min), min(self.max, other.max)
        return type(self)(low, high) if low <= high else type(self).empty()

    def __repr__(self) -> str:
        if self.is_empty:
            return "IntervalD.empty()"
        return f"IntervalD(min={evaluable(self.min)}, max={evaluable(self.max)})"
