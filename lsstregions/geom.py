"""Points, extents, intervals, boxes and affine maps of the pixel plane.

Pixel ``i`` covers ``[i - 0.5, i + 0.5)`` and its centre is the integer ``i``. Points are ``(x, y)``, arrays
are indexed ``[y, x]``. A name that ends in ``I`` is made of int32 pixels, one that ends in ``D`` of floats.

All classes are immutable values: they compare exactly and only with their own class, hash, pickle, and
``eval(repr(value)) == value``.

Empty intervals and boxes obey one rule: all empty ones of a class are equal; an empty one is contained by
everything, contains and overlaps nothing but other empty ones, and stays empty when it is moved or dilated.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._validate import INT32_MAX, as_finite, as_float, as_int, as_int32, as_radians

if TYPE_CHECKING:
    from astropy.modeling.models import AffineTransformation2D
    from astropy.units import Quantity
    from regions import PixCoord, RectanglePixelRegion, RegionBoundingBox

__all__ = [
    "AffineTransform",
    "Box2D",
    "Box2I",
    "Extent2D",
    "Extent2I",
    "IntervalD",
    "IntervalI",
    "LinearTransform",
    "Point2D",
    "Point2I",
]

Edges: TypeAlias = Literal["expand", "shrink"]
Angle: TypeAlias = "float | Quantity"


class Value:
    """An immutable value that is made of its slots; its constructor takes them in that order."""

    __slots__: tuple[str, ...] = ()
    # NumPy scalars and arrays leave operators to our classes in place of taking a point for an array.
    __array_ufunc__: ClassVar[None] = None

    def _set(self, **parts: Any) -> None:
        for name, part in parts.items():
            object.__setattr__(self, name, part)

    def _parts(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((type(self), *self._parts()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._parts()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(evaluable, self._parts()))})"


def evaluable(part: Any) -> str:
    """Return a repr that `eval` takes back, NaN and infinities included."""
    if isinstance(part, float) and not math.isfinite(part):
        return f"float('{part}')"
    return repr(part)


def pixel_at(coordinate: float) -> int:
    """Return the pixel that covers a coordinate, the floor of coordinate + 0.5 without its rounding error."""
    below = math.floor(coordinate)
    return below + 1 if coordinate - below >= 0.5 else below


def cos_sin(angle: float) -> tuple[float, float]:
    """Return cosine and sine; exact for what is the nearest float to a multiple of a right angle."""
    quarters = angle / (math.pi / 2)
    if quarters.is_integer() and abs(quarters) < 1e6:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarters) % 4]
    return math.cos(angle), math.sin(angle)


def scalar_or_array(inside: Any) -> Any:
    """Return a 0-d truth as a bool, an array as it is."""
    return inside if np.ndim(inside) else bool(inside)


# Points and extents


class _Pair(Value):
    """Two coordinates."""

    __slots__ = ()
    x: Any
    y: Any

    def __iter__(self) -> Iterator[Any]:
        yield self.x
        yield self.y

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        return (self.x, self.y)[index]


class Point2I(_Pair):
    """The position of a pixel.

    A point minus a point is an extent, a point plus or minus an extent is a point; two points cannot be
    added. Where an operand is of floats, so is the result.

    Parameters
    ----------
    x, y : int
        Pixel coordinates within int32; floats are refused (see `Point2D.to_pixel`).

    Raises
    ------
    TypeError
        If a coordinate is not an integer.
    OverflowError
        If a coordinate, given or computed, leaves int32.
    """

    __slots__ = ("x", "y")
    x: int
    y: int

    def __init__(self, x: int, y: int):
        self._set(x=as_int32(x, "x"), y=as_int32(y, "y"))

    @overload
    def __add__(self, other: "Extent2I") -> "Point2I": ...
    @overload
    def __add__(self, other: "Extent2D") -> "Point2D": ...
    def __add__(self, other: Any) -> "Point2I | Point2D":
        return _add_extent(self, other)

    @overload
    def __radd__(self, other: "Extent2I") -> "Point2I": ...
    @overload
    def __radd__(self, other: "Extent2D") -> "Point2D": ...
    def __radd__(self, other: Any) -> "Point2I | Point2D":
        return _add_extent(self, other)

    @overload
    def __sub__(self, other: "Point2I") -> "Extent2I": ...
    @overload
    def __sub__(self, other: "Extent2I") -> "Point2I": ...
    @overload
    def __sub__(self, other: "Point2D") -> "Extent2D": ...
    @overload
    def __sub__(self, other: "Extent2D") -> "Point2D": ...
    def __sub__(self, other: Any) -> Any:
        return _subtract(self, other)

    def to_extent(self) -> "Extent2I":
        """Return the extent from the origin to this point."""
        return Extent2I(self.x, self.y)

    def distance(self, other: "Point2I | Point2D") -> float:
        """Return the Euclidean distance to another point."""
        return math.dist(self, other)


class Point2D(_Pair):
    """A position in the pixel plane.

    Parameters
    ----------
    x, y : float
        Coordinates; NaN and infinities are allowed.

    Raises
    ------
    TypeError
        If a coordinate is no number.

    See Also
    --------
    Point2I : the same for whole pixels, with the rules of arithmetic.
    """

    __slots__ = ("x", "y")
    x: float
    y: float

    def __init__(self, x: float, y: float):
        self._set(x=as_float(x, "x"), y=as_float(y, "y"))

    def __add__(self, other: "Extent2I | Extent2D") -> "Point2D":
        return _add_extent(self, other)

    def __radd__(self, other: "Extent2I | Extent2D") -> "Point2D":
        return _add_extent(self, other)

    @overload
    def __sub__(self, other: "Point2I | Point2D") -> "Extent2D": ...
    @overload
    def __sub__(self, other: "Extent2I | Extent2D") -> "Point2D": ...
    def __sub__(self, other: Any) -> Any:
        return _subtract(self, other)

    def to_extent(self) -> "Extent2D":
        """Return the extent from the origin to this point."""
        return Extent2D(self.x, self.y)

    def to_pixel(self) -> Point2I:
        """Return the pixel that covers this point, floor(v + 0.5) on each axis.

        Raises
        ------
        ValueError
            If a coordinate is not finite.
        OverflowError
            If a coordinate leaves int32.
        """
        return Point2I(pixel_at(as_finite(self.x, "x")), pixel_at(as_finite(self.y, "y")))

    def distance(self, other: "Point2I | Point2D") -> float:
        """Return the Euclidean distance to another point."""
        return math.dist(self, other)

    @classmethod
    def from_pixcoord(cls, pixcoord: "PixCoord") -> "Point2D":
        """Return the point at a scalar `regions.PixCoord`.

        Raises
        ------
        ValueError
            If `pixcoord` is an array of points.
        """
        if not pixcoord.isscalar:
            raise ValueError(f"pixcoord must be scalar, not of shape {pixcoord.x.shape}")
        return cls(pixcoord.x, pixcoord.y)

    def to_pixcoord(self) -> "PixCoord":
        """Return this point as a `regions.PixCoord`."""
        from regions import PixCoord

        return PixCoord(self.x, self.y)


class Extent2I(_Pair):
    """The difference of two pixels, or a size in pixels.

    Extents add and subtract, and scale by a number: an integer keeps integers, a float gives `Extent2D`, and
    so does ``/``. ``//`` takes an integer and rounds down.

    Parameters
    ----------
    x, y : int
        Components within int32.

    Raises
    ------
    TypeError
        If a component is not an integer.
    OverflowError
        If a component, given or computed, leaves int32.
    """

    __slots__ = ("x", "y")
    x: int
    y: int

    def __init__(self, x: int, y: int):
        self._set(x=as_int32(x, "x"), y=as_int32(y, "y"))

    @overload
    def __add__(self, other: "Extent2I") -> "Extent2I": ...
    @overload
    def __add__(self, other: "Extent2D") -> "Extent2D": ...
    def __add__(self, other: Any) -> "Extent2I | Extent2D":
        return _add_extents(self, other)

    @overload
    def __sub__(self, other: "Extent2I") -> "Extent2I": ...
    @overload
    def __sub__(self, other: "Extent2D") -> "Extent2D": ...
    def __sub__(self, other: Any) -> "Extent2I | Extent2D":
        return _add_extents(self, -other) if isinstance(other, _EXTENTS) else NotImplemented

    @overload
    def __mul__(self, factor: int) -> "Extent2I": ...
    @overload
    def __mul__(self, factor: float) -> "Extent2D": ...
    def __mul__(self, factor: Any) -> "Extent2I | Extent2D":
        if _is_integer(factor):
            return Extent2I(self.x * int(factor), self.y * int(factor))
        return _scaled(self, factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> "Extent2D":
        return _divided(self, divisor)

    def __floordiv__(self, divisor: int) -> "Extent2I":
        if not _is_integer(divisor):
            return NotImplemented
        return Extent2I(self.x // int(divisor), self.y // int(divisor))

    def __neg__(self) -> "Extent2I":
        return Extent2I(-self.x, -self.y)

    def __pos__(self) -> "Extent2I":
        return self

    def to_point(self) -> Point2I:
        """Return the point at this extent from the origin."""
        return Point2I(self.x, self.y)

    @property
    def norm(self) -> float:
        """Length of the vector, in pixels."""
        return math.hypot(self.x, self.y)

    @property
    def squared_norm(self) -> int:
        """Square of the length; a Python int, which cannot overflow."""
        return self.x * self.x + self.y * self.y


class Extent2D(_Pair):
    """The difference of two positions, or a size.

    Parameters
    ----------
    x, y : float
        Components; NaN and infinities are allowed.

    Raises
    ------
    TypeError
        If a component is no number.

    See Also
    --------
    Extent2I : the same for whole pixels, with the rules of arithmetic.
    """

    __slots__ = ("x", "y")
    x: float
    y: float

    def __init__(self, x: float, y: float):
        self._set(x=as_float(x, "x"), y=as_float(y, "y"))

    def __add__(self, other: "Extent2I | Extent2D") -> "Extent2D":
        return _add_extents(self, other)

    def __sub__(self, other: "Extent2I | Extent2D") -> "Extent2D":
        return _add_extents(self, -other) if isinstance(other, _EXTENTS) else NotImplemented

    def __mul__(self, factor: float) -> "Extent2D":
        return _scaled(self, factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> "Extent2D":
        return _divided(self, divisor)

    def __neg__(self) -> "Extent2D":
        return Extent2D(-self.x, -self.y)

    def __pos__(self) -> "Extent2D":
        return self

    def to_point(self) -> Point2D:
        """Return the point at this extent from the origin."""
        return Point2D(self.x, self.y)

    def floor(self) -> Extent2I:
        """Return the components rounded down.

        Raises
        ------
        ValueError
            If one is not finite.
        OverflowError
            If one leaves int32.
        """
        return self._rounded(math.floor)

    def ceil(self) -> Extent2I:
        """Return the components rounded up.

        Raises
        ------
        ValueError
            If one is not finite.
        OverflowError
            If one leaves int32.
        """
        return self._rounded(math.ceil)

    def truncate(self) -> Extent2I:
        """Return the components rounded toward zero.

        Raises
        ------
        ValueError
            If one is not finite.
        OverflowError
            If one leaves int32.
        """
        return self._rounded(math.trunc)

    def _rounded(self, rounding: Callable[[float], int]) -> Extent2I:
        return Extent2I(rounding(as_finite(self.x, "x")), rounding(as_finite(self.y, "y")))

    @property
    def norm(self) -> float:
        """Length of the vector, in pixels."""
        return math.hypot(self.x, self.y)

    @property
    def squared_norm(self) -> float:
        """Square of the length."""
        return self.x * self.x + self.y * self.y


Point: TypeAlias = Point2I | Point2D
Extent: TypeAlias = Extent2I | Extent2D
_POINTS = (Point2I, Point2D)
_EXTENTS = (Extent2I, Extent2D)
_INTEGER_PAIRS = (Point2I, Extent2I)


def _add_extent(point: Any, extent: Any) -> Any:
    if not isinstance(extent, _EXTENTS):
        return NotImplemented
    kind = Point2I if _both_integer(point, extent) else Point2D
    return kind(point.x + extent.x, point.y + extent.y)


def _subtract(point: Any, other: Any) -> Any:
    if isinstance(other, _EXTENTS):
        return _add_extent(point, -other)
    if not isinstance(other, _POINTS):
        return NotImplemented
    kind = Extent2I if _both_integer(point, other) else Extent2D
    return kind(point.x - other.x, point.y - other.y)


def _add_extents(extent: Any, other: Any) -> Any:
    if not isinstance(other, _EXTENTS):
        return NotImplemented
    kind = Extent2I if _both_integer(extent, other) else Extent2D
    return kind(extent.x + other.x, extent.y + other.y)


def _scaled(extent: Any, factor: Any) -> Any:
    if not _is_number(factor):
        return NotImplemented
    return Extent2D(extent.x * float(factor), extent.y * float(factor))


def _divided(extent: Any, divisor: Any) -> Any:
    if not _is_number(divisor):
        return NotImplemented
    return Extent2D(extent.x / float(divisor), extent.y / float(divisor))


def _both_integer(a: Any, b: Any) -> bool:
    return isinstance(a, _INTEGER_PAIRS) and isinstance(b, _INTEGER_PAIRS)


def _is_integer(number: Any) -> bool:
    return isinstance(number, (int, np.integer))


def _is_number(number: Any) -> bool:
    return isinstance(number, (int, float, np.integer, np.floating))


# Intervals


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
    def from_interval_d(cls, interval: "IntervalD", edges: Edges = "expand") -> Self:
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
        _require(interval, IntervalD, "interval")
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

    def __contains__(self, other: "float | IntervalI") -> bool:
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
    def contains(self, other: "float | IntervalI") -> bool: ...
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
            If `other` is neither.
        """
        if isinstance(other, IntervalI):
            return other.is_empty or (self.start <= other.start and other.stop <= self.stop)
        values = _as_coordinates(other, "other")
        return scalar_or_array((values >= self.start - 0.5) & (values < self.stop - 0.5))

    def overlaps(self, other: "IntervalI") -> bool:
        """Return whether the two share a pixel."""
        return not self.clipped_to(other).is_empty

    def is_disjoint(self, other: "IntervalI") -> bool:
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

    def expanded_to(self, other: "int | IntervalI") -> Self:
        """Return the smallest interval that contains this one and another, or a pixel."""
        if not isinstance(other, IntervalI):
            other = type(self).from_points([other])
        if not other:
            return self
        if not self:
            return type(self)(other.start, other.stop)
        return type(self)(min(self.start, other.start), max(self.stop, other.stop))

    def clipped_to(self, other: "IntervalI") -> Self:
        """Return what the two share, empty if nothing.

        Raises
        ------
        TypeError
            If `other` is no IntervalI.
        """
        _require(other, IntervalI, "other")
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

    __slots__ = ("max", "min")
    min: float
    max: float

    def __init__(self, min: float, max: float):  # noqa: A002
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
        """Return the smallest interval that holds all numbers of a sequence or array; NaN is a ValueError."""
        values = np.asarray(points, dtype=float)
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
        _require(interval, IntervalI, "interval")
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

    def __contains__(self, other: "float | IntervalD") -> bool:
        return bool(self.contains(other))

    @overload
    def contains(self, other: "float | IntervalD") -> bool: ...
    @overload
    def contains(self, other: ArrayLike) -> NDArray[np.bool_]: ...
    def contains(self, other: Any) -> Any:
        """Return whether an interval, or each number of an array of any shape, is in this one; NaN is in nothing.

        Raises
        ------
        TypeError
            If `other` is neither.
        """
        if isinstance(other, IntervalD):
            return other.is_empty or (self.min <= other.min and other.max <= self.max)
        values = _as_coordinates(other, "other")
        return scalar_or_array((values >= self.min) & (values <= self.max))

    def overlaps(self, other: "IntervalD") -> bool:
        """Return whether the two share a number; touching at an end is enough.

        Raises
        ------
        TypeError
            If `other` is no IntervalD.
        """
        _require(other, IntervalD, "other")
        return max(self.min, other.min) <= min(self.max, other.max)

    def is_disjoint(self, other: "IntervalD") -> bool:
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

    def expanded_to(self, other: "float | IntervalD") -> Self:
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

    def clipped_to(self, other: "IntervalD") -> Self:
        """Return what the two share, empty if nothing.

        Raises
        ------
        TypeError
            If `other` is no IntervalD.
        """
        _require(other, IntervalD, "other")
        low, high = max(self.min, other.min), min(self.max, other.max)
        return type(self)(low, high) if low <= high else type(self).empty()

    def _parts(self) -> tuple[float, float]:
        return self.min, self.max

    def __repr__(self) -> str:
        if self.is_empty:
            return "IntervalD.empty()"
        return f"IntervalD(min={evaluable(self.min)}, max={evaluable(self.max)})"


# Boxes


class _Box(Value):
    """What integer and real boxes share: every operation acts on each axis by itself."""

    __slots__ = ()
    x: Any
    y: Any
    _interval: ClassVar[Any]

    def __init__(self, x: Any, y: Any):
        raise NotImplementedError

    @classmethod
    def _as_interval(cls, value: Any, name: str) -> Any:
        if isinstance(value, cls._interval):
            return value
        try:
            first, second = value
        except (TypeError, ValueError):
            raise TypeError(f"{name} must be an {cls._interval.__name__} or a pair, not {value!r}") from None
        return cls._interval(first, second)

    @classmethod
    def empty(cls) -> Self:
        """Return the empty box."""
        nothing = cls._interval.empty()
        return cls(nothing, nothing)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in the box."""
        return self.x.is_empty

    def __bool__(self) -> bool:
        return not self.is_empty

    def __contains__(self, other: Any) -> bool:
        return bool(self.contains(other))

    @overload
    def contains(self, x: "Point | Self") -> bool: ...
    @overload
    def contains(self, x: float, y: float) -> bool: ...
    @overload
    def contains(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.bool_]: ...
    def contains(self, x: Any, y: Any = None) -> Any:
        """Return whether a box, a point, or each point of two arrays is in this box.

        Parameters
        ----------
        x : box of the same class, Point2I, Point2D, or array_like
            What to look for; an array, of any shape, needs `y`.
        y : array_like, optional
            Of a shape that broadcasts against that of `x`.

        Returns
        -------
        bool or ndarray of bool
            One for a box or a point, else one a point; a point with a NaN is in nothing.

        Raises
        ------
        TypeError
            If `x` is no box of this class or point where there is no `y`, or the coordinates are no numbers.
        """
        if y is None:
            if isinstance(x, type(self)):
                return x.is_empty or (self.x.contains(x.x) and self.y.contains(x.y))
            if not isinstance(x, _POINTS):
                raise TypeError(f"x must be a {type(self).__name__} or a point if y is not given, not {x!r}")
            x, y = x
        return self._contains_points(_as_coordinates(x, "x"), _as_coordinates(y, "y"))

    def _contains_points(self, x: Any, y: Any) -> Any:
        raise NotImplementedError

    def overlaps(self, other: Self) -> bool:
        """Return whether the two boxes have anything in common; sharing an edge is not enough."""
        return not self.clipped_to(other).is_empty

    def is_disjoint(self, other: Self) -> bool:
        """Return whether the two boxes have nothing in common."""
        return not self.overlaps(other)

    def dilated_by(self, dx: Any, dy: Any = None) -> Self:
        """Return the box grown by `dx` pixels to the left and right and `dy` (by default `dx`) down and up."""
        dy = dx if dy is None else dy
        return type(self)(self.x.dilated_by(dx), self.y.dilated_by(dy))

    def eroded_by(self, dx: Any, dy: Any = None) -> Self:
        """Return the box shrunk by `dx` pixels from left and right and `dy` (by default `dx`) from down and up."""
        dy = dx if dy is None else dy
        return type(self)(self.x.eroded_by(dx), self.y.eroded_by(dy))

    def shifted_by(self, dx: Any, dy: Any) -> Self:
        """Return the box moved by (`dx`, `dy`) pixels."""
        return type(self)(self.x.shifted_by(dx), self.y.shifted_by(dy))

    def reflected_about(self, *, x: float | None = None, y: float | None = None) -> Self:
        """Return the mirror image about the vertical line at `x`, the horizontal line at `y`, or both."""
        return type(self)(
            self.x if x is None else self.x.reflected_about(x),
            self.y if y is None else self.y.reflected_about(y),
        )

    def clipped_to(self, other: Self) -> Self:
        """Return what the two boxes share, empty if nothing.

        Raises
        ------
        TypeError
            If `other` is no box of this class.
        """
        _require(other, type(self), "other")
        return type(self)(self.x.clipped_to(other.x), self.y.clipped_to(other.y))

    def _hull(self, other: Self) -> Self:
        return type(self)(self.x.expanded_to(other.x), self.y.expanded_to(other.y))

    @property
    def width(self) -> Any:
        """Size along x."""
        return self.x.size

    @property
    def height(self) -> Any:
        """Size along y."""
        return self.y.size

    @property
    def area(self) -> Any:
        """Width times height."""
        return self.width * self.height

    @property
    def center(self) -> Point2D:
        """Middle of the box (NaN if empty)."""
        return Point2D(self.x.center, self.y.center)

    def __repr__(self) -> str:
        name = type(self).__name__
        if self.is_empty:
            return f"{name}.empty()"
        x, y = (", ".join(map(evaluable, axis._parts())) for axis in (self.x, self.y))
        return f"{name}(x=({x}), y=({y}))"

    def _repr_svg_(self: Any) -> str:
        from ._reprs import box_svg

        return box_svg(self)


class Box2I(_Box):
    """A rectangle of pixels.

    Parameters
    ----------
    x, y : IntervalI or pair of int
        The pixels of each axis, half-open: ``(start, stop)``. If one axis is empty, so is the box.

    Raises
    ------
    TypeError
        If an end is not an integer.
    OverflowError
        If an end or a size, given or computed, leaves int32.
    """

    __slots__ = ("x", "y")
    x: IntervalI
    y: IntervalI
    _interval = IntervalI

    def __init__(self, x: IntervalI | tuple[int, int], y: IntervalI | tuple[int, int]):
        sides = self._as_interval(x, "x"), self._as_interval(y, "y")
        if not all(sides):
            sides = IntervalI.empty(), IntervalI.empty()
        self._set(x=sides[0], y=sides[1])

    @classmethod
    def from_shape(cls, shape: tuple[int, int], xy0: tuple[int, int] | Point2I = (0, 0)) -> Self:
        """Return the box of an array of shape ``(ny, nx)`` whose pixel ``[0, 0]`` is the pixel `xy0`.

        Raises
        ------
        TypeError
            If one is no pair of integers.
        ValueError
            If `shape` is negative.
        OverflowError
            If a coordinate does not fit into int32.
        """
        ny, nx = _as_pair(shape, "shape")
        x0, y0 = _as_pair(xy0, "xy0")
        ny, nx = as_int32(ny, "shape[0]"), as_int32(nx, "shape[1]")
        x0, y0 = as_int32(x0, "xy0[0]"), as_int32(y0, "xy0[1]")
        if ny < 0 or nx < 0:
            raise ValueError(f"shape must not be negative, not ({ny}, {nx})")
        return cls((x0, x0 + nx), (y0, y0 + ny))

    @classmethod
    def from_center_size(cls, center: Point | tuple[float, float], size: Extent2I | tuple[int, int]) -> Self:
        """Return the box of ``size = (width, height)`` centred within half a pixel of ``center = (x, y)``.

        Raises
        ------
        TypeError
            If one is no pair, or `size` not of integers.
        ValueError
            If `center` is not finite.
        OverflowError
            If the box leaves int32.
        """
        (x, y), (width, height) = _as_pair(center, "center"), _as_pair(size, "size")
        return cls(IntervalI.from_center_size(x, width), IntervalI.from_center_size(y, height))

    @classmethod
    def from_points(cls, points: Iterable[Point2I | tuple[int, int]]) -> Self:
        """Return the smallest box that holds all points: Point2I, pairs, or an int array of shape (n, 2).

        Raises
        ------
        TypeError
            If a point is no pair of integers.
        OverflowError
            If a coordinate does not fit into int32.
        """
        pairs = [_as_pair(point, "points") for point in points]
        x, y = zip(*pairs, strict=True) if pairs else ((), ())
        return cls(IntervalI.from_points(x), IntervalI.from_points(y))

    @classmethod
    def from_box2d(cls, box: "Box2D", edges: Edges = "expand") -> Self:
        """Return the pixels that a box touches ("expand"), or that lie wholly in it ("shrink").

        "expand" is the rule of `regions.RegionBoundingBox.from_float`: from floor(min + 0.5) up to and with
        ceil(max - 0.5). A box of whole pixels is the same with both.

        Raises
        ------
        TypeError
            If `box` is no Box2D.
        ValueError
            If the box is infinite or `edges` is neither.
        OverflowError
            If the result leaves int32.
        """
        _require(box, Box2D, "box")
        return cls(IntervalI.from_interval_d(box.x, edges), IntervalI.from_interval_d(box.y, edges))

    @classmethod
    def from_bounding_box(cls, bounding_box: "RegionBoundingBox") -> Self:
        """Return the pixels of a `regions.RegionBoundingBox`."""
        box = bounding_box
        return cls((box.ixmin, box.ixmax), (box.iymin, box.iymax))

    def to_bounding_box(self) -> "RegionBoundingBox":
        """Return this box as a `regions.RegionBoundingBox`; an empty box becomes the empty one at 0."""
        from regions import RegionBoundingBox

        return RegionBoundingBox(self.x.start, self.x.stop, self.y.start, self.y.stop)

    @property
    def xy0(self) -> tuple[int, int]:
        """First pixel, ``(x, y)``."""
        return self.x.start, self.y.start

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of an array of these pixels, ``(height, width)``."""
        return self.height, self.width

    @property
    def dimensions(self) -> Extent2I:
        """Width and height."""
        return Extent2I(self.width, self.height)

    @property
    def corners(self) -> tuple[Point2I, Point2I, Point2I, Point2I]:
        """Pixels at the corners, anticlockwise from (min x, min y).

        Raises
        ------
        ValueError
            If the box is empty.
        """
        if self.is_empty:
            raise ValueError("an empty box has no corners")
        x, y = self.x, self.y
        return Point2I(x.min, y.min), Point2I(x.max, y.min), Point2I(x.max, y.max), Point2I(x.min, y.max)

    def slices(self, xy0: tuple[int, int] | Point2I = (0, 0)) -> tuple[slice, slice]:
        """Return ``(slice_y, slice_x)`` of this box in an array whose pixel ``[0, 0]`` is the pixel `xy0`.

        Raises
        ------
        TypeError
            If `xy0` is no pair of integers.
        ValueError
            If the box starts before `xy0`: a slice would count from the end of the array.
        """
        x0, y0 = _as_pair(xy0, "xy0")
        return self.y.slice(y0), self.x.slice(x0)

    def grid(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the coordinates of all pixels, two int32 arrays ``x, y`` of this box's shape."""
        x, y = np.meshgrid(self.x.to_array(), self.y.to_array())
        return x, y

    def expanded_to(self, other: "Point2I | Box2I") -> Self:
        """Return the smallest box that contains this one and another, or a pixel.

        Raises
        ------
        TypeError
            If `other` is neither a Box2I nor a Point2I.
        """
        if isinstance(other, Point2I):
            other = type(self).from_points([other])
        _require(other, Box2I, "other")
        return self._hull(other)  # type: ignore[arg-type]

    def _contains_points(self, x: Any, y: Any) -> Any:
        return scalar_or_array(np.logical_and(self.x.contains(x), self.y.contains(y)))


class Box2D(_Box):
    """A rectangle of the pixel plane.

    It is the half-open set of the points with ``x.min <= x < x.max`` and ``y.min <= y < y.max``, so that a
    plane cut into boxes has every point in one of them. All operations follow: a box without width or height
    is empty, and boxes that touch do not overlap. `x` and `y` are its sides as closed intervals.

    Parameters
    ----------
    x, y : IntervalD or pair of float
        The sides, ``(min, max)``; ends may be infinite.

    Raises
    ------
    TypeError
        If a side is no interval or pair of numbers.
    ValueError
        If an end is NaN.
    """

    __slots__ = ("x", "y")
    x: IntervalD
    y: IntervalD
    _interval = IntervalD

    def __init__(self, x: IntervalD | tuple[float, float], y: IntervalD | tuple[float, float]):
        sides = self._as_interval(x, "x"), self._as_interval(y, "y")
        if not all(side.size > 0 for side in sides):
            sides = IntervalD.empty(), IntervalD.empty()
        self._set(x=sides[0], y=sides[1])

    @classmethod
    def from_center_size(cls, center: Point | tuple[float, float], size: Extent | tuple[float, float]) -> Self:
        """Return the box of a finite ``center = (x, y)`` and ``size = (width, height)``.

        Raises
        ------
        TypeError
            If one is no pair of numbers.
        ValueError
            If a number is not finite.
        """
        (x, y), (width, height) = _as_pair(center, "center"), _as_pair(size, "size")
        return cls(IntervalD.from_center_size(x, width), IntervalD.from_center_size(y, height))

    @classmethod
    def from_points(cls, points: Iterable[Point | tuple[float, float]]) -> Self:
        """Return the smallest box that contains all points: points, pairs, or an array of shape (n, 2).

        As the box is half-open, its upper ends are the next floats above the largest coordinates.

        Raises
        ------
        TypeError
            If a point is no pair of numbers.
        """
        pairs = [_as_pair(point, "points") for point in points]
        if not pairs:
            return cls.empty()
        x, y = (IntervalD.from_points(values) for values in zip(*pairs, strict=True))
        return cls((x.min, math.nextafter(x.max, math.inf)), (y.min, math.nextafter(y.max, math.inf)))

    @classmethod
    def from_box2i(cls, box: Box2I) -> Self:
        """Return what the pixels of a box cover, outer edge to outer edge.

        Raises
        ------
        TypeError
            If `box` is no Box2I.
        """
        _require(box, Box2I, "box")
        return cls(IntervalD.from_interval_i(box.x), IntervalD.from_interval_i(box.y))

    @classmethod
    def from_bounding_box(cls, bounding_box: "RegionBoundingBox") -> Self:
        """Return what the pixels of a `regions.RegionBoundingBox` cover."""
        return cls.from_box2i(Box2I.from_bounding_box(bounding_box))

    def to_bounding_box(self) -> "RegionBoundingBox":
        """Return the pixels that this box touches as a `regions.RegionBoundingBox`."""
        return Box2I.from_box2d(self).to_bounding_box()

    @classmethod
    def from_region(cls, region: "RectanglePixelRegion") -> Self:
        """Return a `regions.RectanglePixelRegion` whose angle is a multiple of 90 degrees as a box.

        Raises
        ------
        ValueError
            If the angle is another one.
        """
        quarters = region.angle.to_value("deg") / 90
        if not float(quarters).is_integer():
            raise ValueError(f"region must have an angle that is a multiple of 90 deg, not {region.angle}")
        size = (region.width, region.height) if quarters % 2 == 0 else (region.height, region.width)
        return cls.from_center_size((region.center.x, region.center.y), size)

    def to_region(self) -> "RectanglePixelRegion":
        """Return this box as a `regions.RectanglePixelRegion`.

        Raises
        ------
        ValueError
            If the box is empty or infinite.
        """
        from regions import RectanglePixelRegion

        if self.is_empty or not (self.x.is_finite and self.y.is_finite):
            raise ValueError(f"only a finite box that is not empty can be a region, not {self!r}")
        return RectanglePixelRegion(self.center.to_pixcoord(), self.width, self.height)

    @property
    def dimensions(self) -> Extent2D:
        """Width and height."""
        return Extent2D(self.width, self.height)

    @property
    def corners(self) -> tuple[Point2D, Point2D, Point2D, Point2D]:
        """Corners, anticlockwise from (min x, min y).

        Raises
        ------
        ValueError
            If the box is empty.
        """
        if self.is_empty:
            raise ValueError("an empty box has no corners")
        x, y = self.x, self.y
        return Point2D(x.min, y.min), Point2D(x.max, y.min), Point2D(x.max, y.max), Point2D(x.min, y.max)

    def expanded_to(self, other: "Point | Box2D") -> Self:
        """Return the smallest box that contains this one and another, or a point (see `from_points`).

        Raises
        ------
        TypeError
            If `other` is neither.
        ValueError
            If the point is not finite.
        """
        if isinstance(other, _POINTS):
            other = type(self).from_points([(as_finite(other.x, "other.x"), as_finite(other.y, "other.y"))])
        _require(other, Box2D, "other")
        return self._hull(other)  # type: ignore[arg-type]

    def _contains_points(self, x: Any, y: Any) -> Any:
        return scalar_or_array((x >= self.x.min) & (x < self.x.max) & (y >= self.y.min) & (y < self.y.max))


# Transforms


class LinearTransform(Value):
    """A linear map of the plane.

    Call it with a point, an extent, or two arrays ``x, y``; ``t2 @ t1`` is the map that applies t1 first, and
    ``t1 + t2`` and ``t1 - t2`` those whose results are the sum and the difference of the two.

    Parameters
    ----------
    matrix : array_like, shape (2, 2)
        ``[[xx, xy], [yx, yy]]``, finite; the identity if not given.

    Raises
    ------
    ValueError
        If `matrix` is of another shape or not finite.
    """

    __slots__ = ("_rows",)
    _rows: tuple[tuple[float, float], tuple[float, float]]

    def __init__(self, matrix: ArrayLike = ((1.0, 0.0), (0.0, 1.0))):
        (xx, xy), (yx, yy) = _as_matrix(matrix, (2, 2)).tolist()
        self._set(_rows=((xx, xy), (yx, yy)))

    @classmethod
    def scaling(cls, x: float, y: float | None = None) -> Self:
        """Return the map that multiplies x and y by their factors; one factor is for both."""
        return cls([[x, 0.0], [0.0, x if y is None else y]])

    @classmethod
    def rotation(cls, angle: Angle) -> Self:
        """Return the anticlockwise rotation by an angle, a number in radians or a Quantity.

        Right angles are exact: they map pixel centres to pixel centres.

        Raises
        ------
        TypeError
            If `angle` is no number or Quantity.
        ValueError
            If `angle` is not finite.
        """
        cosine, sine = cos_sin(as_radians(angle))
        return cls([[cosine, -sine], [sine, cosine]])

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The (2, 2) matrix, read-only."""
        return _read_only(self._rows)

    @property
    def determinant(self) -> float:
        """Signed factor by which areas grow."""
        (xx, xy), (yx, yy) = self._rows
        return xx * yy - xy * yx

    def inverse(self) -> Self:
        """Return the inverse map.

        Raises
        ------
        ValueError
            If the matrix is singular.
        """
        return type(self)(_inverse(self._rows))

    @overload
    def __call__(self, x: Point, /) -> Point2D: ...
    @overload
    def __call__(self, x: Extent, /) -> Extent2D: ...
    @overload
    def __call__(self, x: ArrayLike, y: ArrayLike, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def __call__(self, x: Any, y: Any = None, /) -> Any:
        """Map a point, an extent, or arrays of x and y.

        Parameters
        ----------
        x : Point2I, Point2D, Extent2I, Extent2D, or array_like
            What to map; an array needs `y`.
        y : array_like, optional
            Broadcast against `x`.

        Returns
        -------
        Point2D, Extent2D, or (x, y)
            Of the kind that was given; arrays are float64, of the broadcast shape.
        """
        if y is None:
            if isinstance(x, _POINTS):
                return Point2D(*self._apply(*x))
            if isinstance(x, _EXTENTS):
                return Extent2D(*self._apply(*x))
            raise TypeError(f"x must be a point or an extent if y is not given, not {x!r}")
        return self._apply(np.asarray(x, dtype=float), np.asarray(y, dtype=float))

    def _apply(self, x: Any, y: Any) -> tuple[Any, Any]:
        (xx, xy), (yx, yy) = self._rows
        return xx * x + xy * y, yx * x + yy * y

    @overload
    def __matmul__(self, other: "LinearTransform") -> "LinearTransform": ...
    @overload
    def __matmul__(self, other: "AffineTransform") -> "AffineTransform": ...
    def __matmul__(self, other: Any) -> "LinearTransform | AffineTransform":
        if isinstance(other, LinearTransform):
            return LinearTransform(self.matrix @ other.matrix)
        if isinstance(other, AffineTransform):
            return AffineTransform(self @ other.linear, self(other.translation))
        return NotImplemented

    @overload
    def __add__(self, other: "LinearTransform") -> "LinearTransform": ...
    @overload
    def __add__(self, other: "AffineTransform") -> "AffineTransform": ...
    def __add__(self, other: Any) -> "LinearTransform | AffineTransform":
        if isinstance(other, LinearTransform):
            return LinearTransform(self.matrix + other.matrix)
        return AffineTransform(self) + other if isinstance(other, AffineTransform) else NotImplemented

    @overload
    def __sub__(self, other: "LinearTransform") -> "LinearTransform": ...
    @overload
    def __sub__(self, other: "AffineTransform") -> "AffineTransform": ...
    def __sub__(self, other: Any) -> "LinearTransform | AffineTransform":
        return self + -other if isinstance(other, (LinearTransform, AffineTransform)) else NotImplemented

    def __neg__(self) -> "LinearTransform":
        return LinearTransform(-self.matrix)

    def parameter_jacobian(self, point: Point | Extent) -> NDArray[np.float64]:
        """Return the derivative of a mapped point or extent with respect to the matrix of this map.

        Returns
        -------
        ndarray, shape (2, 4)
            Rows x and y of what is mapped; columns xx, xy, yx, yy, the elements of the matrix row by row.

        Raises
        ------
        TypeError
            If `point` is no point or extent.
        """
        if not isinstance(point, (*_POINTS, *_EXTENTS)):
            raise TypeError(f"point must be a point or an extent, not {point!r}")
        x, y = point
        return np.array([[x, y, 0.0, 0.0], [0.0, 0.0, x, y]], dtype=float)

    def __repr__(self) -> str:
        return f"LinearTransform({[list(row) for row in self._rows]})"


class AffineTransform(Value):
    """A linear map followed by a translation.

    Call it with a point, an extent, or two arrays ``x, y``; an extent is a difference, so it is not
    translated. ``t2 @ t1`` is the map that applies t1 first, ``t1 + t2`` and ``t1 - t2`` add and subtract the
    matrices and translations; either may be a `LinearTransform`.

    Parameters
    ----------
    linear : LinearTransform or array_like of shape (2, 2)
        The linear part; the identity if not given.
    translation : Extent2D, Extent2I or pair of float
        Added after it; finite.

    Raises
    ------
    TypeError
        If `translation` is no pair of numbers.
    ValueError
        If `linear` is of another shape, or a number is not finite.
    """

    __slots__ = ("linear", "translation")
    linear: LinearTransform
    translation: Extent2D

    def __init__(
        self,
        linear: LinearTransform | ArrayLike = ((1.0, 0.0), (0.0, 1.0)),
        translation: Extent | tuple[float, float] = (0.0, 0.0),
    ):
        if not isinstance(linear, LinearTransform):
            linear = LinearTransform(linear)
        x, y = _as_pair(translation, "translation")
        x, y = as_finite(x, "translation[0]"), as_finite(y, "translation[1]")
        self._set(linear=linear, translation=Extent2D(x, y))

    @classmethod
    def from_matrix(cls, matrix: ArrayLike) -> Self:
        """Return the map of a homogeneous matrix, of shape (2, 3), or (3, 3) with last row ``[0, 0, 1]``.

        Raises
        ------
        ValueError
            If `matrix` is of another shape, not finite, or its last row another one.
        """
        array = _as_matrix(matrix, (2, 3), (3, 3))
        if len(array) == 3 and array[2].tolist() != [0, 0, 1]:
            raise ValueError(f"the last row of matrix must be [0, 0, 1], not {array[2].tolist()}")
        return cls(array[:2, :2], (array[0, 2], array[1, 2]))

    @classmethod
    def from_point_pairs(
        cls, sources: Iterable[Point | tuple[float, float]], targets: Iterable[Point | tuple[float, float]]
    ) -> Self:
        """Return the map that takes three points to three others.

        Parameters
        ----------
        sources, targets : three points, pairs, or an array of shape (3, 2)
            Where the points are and where they go.

        Raises
        ------
        TypeError
            If a point is no pair.
        ValueError
            If there are not three of each, one is not finite, or the sources are on one line.
        """
        start = _as_matrix([_as_pair(point, "sources") for point in sources], (3, 2), name="sources")
        end = _as_matrix([_as_pair(point, "targets") for point in targets], (3, 2), name="targets")
        try:
            inverse = _inverse((start[1:] - start[0]).T.tolist())
        except ValueError:
            raise ValueError(f"sources must not be on one line, not {start.tolist()}") from None
        linear = (end[1:] - end[0]).T @ inverse
        return cls(linear, tuple(end[0] - linear @ start[0]))

    @classmethod
    def scaling(cls, x: float, y: float | None = None) -> Self:
        """Return the map that multiplies x and y by their factors; one factor is for both."""
        return cls(LinearTransform.scaling(x, y))

    @classmethod
    def rotation(cls, angle: Angle) -> Self:
        """Return the anticlockwise rotation about the origin by an angle in radians or a Quantity."""
        return cls(LinearTransform.rotation(angle))

    @classmethod
    def shift(cls, x: float, y: float) -> Self:
        """Return the map that adds (x, y)."""
        return cls(translation=(x, y))

    @classmethod
    def from_model(cls, model: "AffineTransformation2D") -> Self:
        """Return an `astropy.modeling` AffineTransformation2D, without units or in pixels, as a map.

        Raises
        ------
        ValueError
            If a parameter has a unit that is not pixels.
        """
        for parameter in (model.matrix, model.translation):
            if str(parameter.unit or "") not in ("", "pix"):
                raise ValueError(f"{parameter.name} must have no unit or be in pixels, not in {parameter.unit}")
        return cls(model.matrix.value, tuple(np.ravel(model.translation.value)))

    def to_model(self) -> "AffineTransformation2D":
        """Return this map as an `astropy.modeling.models.AffineTransformation2D`."""
        from astropy.modeling.models import AffineTransformation2D

        return AffineTransformation2D(matrix=self.linear.matrix, translation=list(self.translation))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The homogeneous (3, 3) matrix, read-only."""
        (xx, xy), (yx, yy) = self.linear._rows
        return _read_only(((xx, xy, self.translation.x), (yx, yy, self.translation.y), (0.0, 0.0, 1.0)))

    @property
    def determinant(self) -> float:
        """Signed factor by which areas grow."""
        return self.linear.determinant

    def inverse(self) -> Self:
        """Return the inverse map; ValueError if the linear part is singular."""
        inverse = self.linear.inverse()
        return type(self)(inverse, -inverse(self.translation))

    @overload
    def __call__(self, x: Point, /) -> Point2D: ...
    @overload
    def __call__(self, x: Extent, /) -> Extent2D: ...
    @overload
    def __call__(self, x: ArrayLike, y: ArrayLike, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def __call__(self, x: Any, y: Any = None, /) -> Any:
        """Map a point, an extent (without the translation), or arrays of x and y; see `LinearTransform`."""
        if y is not None:
            u, v = self.linear(x, y)
            return u + self.translation.x, v + self.translation.y
        mapped = self.linear(x)
        return mapped + self.translation if isinstance(mapped, Point2D) else mapped

    def __matmul__(self, other: "LinearTransform | AffineTransform") -> "AffineTransform":
        if isinstance(other, LinearTransform):
            return AffineTransform(self.linear @ other, self.translation)
        if isinstance(other, AffineTransform):
            return AffineTransform(self.linear @ other.linear, self.linear(other.translation) + self.translation)
        return NotImplemented

    def __add__(self, other: "LinearTransform | AffineTransform") -> "AffineTransform":
        if isinstance(other, LinearTransform):
            return AffineTransform(self.linear + other, self.translation)
        if isinstance(other, AffineTransform):
            return AffineTransform(self.linear + other.linear, self.translation + other.translation)
        return NotImplemented

    def __sub__(self, other: "LinearTransform | AffineTransform") -> "AffineTransform":
        return self + -other if isinstance(other, (LinearTransform, AffineTransform)) else NotImplemented

    def __neg__(self) -> "AffineTransform":
        return AffineTransform(-self.linear, -self.translation)

    def parameter_jacobian(self, point: Point | Extent) -> NDArray[np.float64]:
        """Return the derivative of a mapped point or extent with respect to the matrix and translation.

        Returns
        -------
        ndarray, shape (2, 6)
            Rows x and y of what is mapped; columns xx, xy, yx, yy, the elements of the matrix row by row, then
            x and y of the translation, which does not move an extent.
        """
        moved = np.eye(2) if isinstance(point, _POINTS) else np.zeros((2, 2))
        return np.hstack([self.linear.parameter_jacobian(point), moved])

    def __repr__(self) -> str:
        rows = [list(row) for row in self.linear._rows]
        return f"AffineTransform({rows}, {[*self.translation]})"


def _inverse(rows: Any) -> list[list[float]]:
    (xx, xy), (yx, yy) = rows
    # Scaled to 1, so that the determinant of a matrix of tiny or huge numbers neither vanishes nor overflows.
    scale = max(map(abs, (xx, xy, yx, yy)))
    xx, xy, yx, yy = (element / scale if scale else 0.0 for element in (xx, xy, yx, yy))
    determinant = (xx * yy - xy * yx) * scale
    if determinant == 0:
        raise ValueError(f"the transform is singular: {rows}")
    return [[yy / determinant, -xy / determinant], [-yx / determinant, xx / determinant]]


def _as_matrix(matrix: Any, *shapes: tuple[int, int], name: str = "matrix") -> NDArray[np.float64]:
    array = np.asarray(matrix, dtype=float)
    if array.shape not in shapes:
        raise ValueError(f"{name} must have shape {' or '.join(map(str, shapes))}, not {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, not {array.tolist()}")
    return array


def _read_only(rows: Any) -> NDArray[np.float64]:
    array = np.array(rows)
    array.flags.writeable = False
    return array


def _as_pair(pair: Any, name: str) -> tuple[Any, Any]:
    try:
        first, second = pair
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a pair, not {pair!r}") from None
    return first, second


def _as_coordinates(values: Any, name: str) -> Any:
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be numbers, not {values!r}")
    return array


def _require(value: Any, kind: type, name: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be of type {kind.__name__}, not {value!r}")
