"""Points and extents: Point - Point = Extent, Point + Extent = Point, and two points have no sum."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np

from .._validate import as_finite, as_float, as_int32
from .._values import Value, pixel_at

if TYPE_CHECKING:
    from regions import PixCoord


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
    def __add__(self, other: Extent2I) -> Point2I: ...
    @overload
    def __add__(self, other: Extent2D) -> Point2D: ...
    def __add__(self, other: Any) -> Point2I | Point2D:
        return _add_extent(self, other)

    @overload
    def __radd__(self, other: Extent2I) -> Point2I: ...
    @overload
    def __radd__(self, other: Extent2D) -> Point2D: ...
    def __radd__(self, other: Any) -> Point2I | Point2D:
        return _add_extent(self, other)

    @overload
    def __sub__(self, other: Point2I) -> Extent2I: ...
    @overload
    def __sub__(self, other: Extent2I) -> Point2I: ...
    @overload
    def __sub__(self, other: Point2D) -> Extent2D: ...
    @overload
    def __sub__(self, other: Extent2D) -> Point2D: ...
    def __sub__(self, other: Any) -> Any:
        return _subtract(self, other)

    def to_extent(self) -> Extent2I:
        """Return the extent from the origin to this point."""
        return Extent2I(self.x, self.y)

    def distance(self, other: Point2I | Point2D) -> float:
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

    def __add__(self, other: Extent2I | Extent2D) -> Point2D:
        return _add_extent(self, other)

    def __radd__(self, other: Extent2I | Extent2D) -> Point2D:
        return _add_extent(self, other)

    @overload
    def __sub__(self, other: Point2I | Point2D) -> Extent2D: ...
    @overload
    def __sub__(self, other: Extent2I | Extent2D) -> Point2D: ...
    def __sub__(self, other: Any) -> Any:
        return _subtract(self, other)

    def to_extent(self) -> Extent2D:
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

    def distance(self, other: Point2I | Point2D) -> float:
        """Return the Euclidean distance to another point."""
        return math.dist(self, other)

    @classmethod
    def from_pixcoord(cls, pixcoord: PixCoord) -> Point2D:
        """Return the point at a scalar `regions.PixCoord`.

        Raises
        ------
        ValueError
            If `pixcoord` is an array of points.
        """
        if not pixcoord.isscalar:
            raise ValueError(f"pixcoord must be scalar, not of shape {pixcoord.x.shape}")
        return cls(pixcoord.x, pixcoord.y)

    def to_pixcoord(self) -> PixCoord:
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
    def __add__(self, other: Extent2I) -> Extent2I: ...
    @overload
    def __add__(self, other: Extent2D) -> Extent2D: ...
    def __add__(self, other: Any) -> Extent2I | Extent2D:
        return _add_extents(self, other)

    @overload
    def __sub__(self, other: Extent2I) -> Extent2I: ...
    @overload
    def __sub__(self, other: Extent2D) -> Extent2D: ...
    def __sub__(self, other: Any) -> Extent2I | Extent2D:
        return _subtract_extents(self, other)

    @overload
    def __mul__(self, factor: int) -> Extent2I: ...
    @overload
    def __mul__(self, factor: float) -> Extent2D: ...
    def __mul__(self, factor: Any) -> Extent2I | Extent2D:
        if _is_integer(factor):
            return Extent2I(self.x * int(factor), self.y * int(factor))
        return _scaled(self, factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Extent2D:
        return _divided(self, divisor)

    def __floordiv__(self, divisor: int) -> Extent2I:
        if not _is_integer(divisor):
            return NotImplemented
        return Extent2I(self.x // int(divisor), self.y // int(divisor))

    def __neg__(self) -> Extent2I:
        return Extent2I(-self.x, -self.y)

    def __pos__(self) -> Extent2I:
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

    def __add__(self, other: Extent2I | Extent2D) -> Extent2D:
        return _add_extents(self, other)

    def __sub__(self, other: Extent2I | Extent2D) -> Extent2D:
        return _subtract_extents(self, other)

    def __mul__(self, factor: float) -> Extent2D:
        return _scaled(self, factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Extent2D:
        return _divided(self, divisor)

    def __neg__(self) -> Extent2D:
        return Extent2D(-self.x, -self.y)

    def __pos__(self) -> Extent2D:
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
POINTS = (Point2I, Point2D)
EXTENTS = (Extent2I, Extent2D)
_INTEGER_PAIRS = (Point2I, Extent2I)


def _add_extent(point: Any, extent: Any) -> Any:
    if not isinstance(extent, EXTENTS):
        return NotImplemented
    kind = Point2I if _both_integer(point, extent) else Point2D
    return kind(point.x + extent.x, point.y + extent.y)


def _subtract(point: Any, other: Any) -> Any:
    kinds: tuple[Any, Any]
    if isinstance(other, EXTENTS):
        kinds = Point2I, Point2D
    elif isinstance(other, POINTS):
        kinds = Extent2I, Extent2D
    else:
        return NotImplemented
    return kinds[0 if _both_integer(point, other) else 1](point.x - other.x, point.y - other.y)


def _add_extents(extent: Any, other: Any) -> Any:
    if not isinstance(other, EXTENTS):
        return NotImplemented
    kind = Extent2I if _both_integer(extent, other) else Extent2D
    return kind(extent.x + other.x, extent.y + other.y)


def _subtract_extents(extent: Any, other: Any) -> Any:
    if not isinstance(other, EXTENTS):
        return NotImplemented
    kind = Extent2I if _both_integer(extent, other) else Extent2D
    return kind(extent.x - other.x, extent.y - other.y)


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
