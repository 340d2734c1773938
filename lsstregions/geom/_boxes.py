"""Boxes of pixels and of floats: an interval in x and one in y."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import as_any_pair, as_coordinates, as_finite, as_pair, require
from .._values import Value, evaluable, scalar_or_array
from ._intervals import Edges, IntervalD, IntervalI
from ._points import POINTS, Extent, Extent2D, Extent2I, Point, Point2D, Point2I

if TYPE_CHECKING:
    from regions import RectanglePixelRegion, RegionBoundingBox


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
    def contains(self, x: Point | Self) -> bool: ...
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
            If `x` is no box of this class or point where there is no `y`, or the coordinates are no numbers of pixels.
        ValueError
            If coordinates are masked.
        """
        if y is None:
            if self._is_alike(x):
                return x.is_empty or (self.x.contains(x.x) and self.y.contains(x.y))
            if not isinstance(x, POINTS):
                raise TypeError(f"x must be a {type(self).__name__} or a point if y is not given, not {x!r}")
            x, y = x
        return self._contains_points(as_coordinates(x, "x"), as_coordinates(y, "y"))

    def _contains_points(self, x: Any, y: Any) -> Any:
        raise NotImplementedError

    def _is_alike(self, other: Any) -> bool:
        """Whether another is a box of pixels, or of floats, as this is."""
        return isinstance(other, _Box) and other._interval is self._interval

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
        if not self._is_alike(other):
            raise TypeError(f"other must be a {type(self).__name__}, not {other!r}")
        return type(self)(self.x.clipped_to(other.x), self.y.clipped_to(other.y))

    def _hull(self, other: _Box) -> Self:
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
        from .._reprs import box_svg

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
        (ny, nx), (x0, y0) = as_pair(shape, "shape"), as_pair(xy0, "xy0")
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
        (x, y), (width, height) = as_any_pair(center, "center"), as_any_pair(size, "size")
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
        pairs = [as_any_pair(point, "points") for point in points]
        x, y = zip(*pairs, strict=True) if pairs else ((), ())
        return cls(IntervalI.from_points(x), IntervalI.from_points(y))

    @classmethod
    def from_box2d(cls, box: Box2D, edges: Edges = "expand") -> Self:
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
        require(box, Box2D, "box")
        return cls(IntervalI.from_interval_d(box.x, edges), IntervalI.from_interval_d(box.y, edges))

    @classmethod
    def from_bounding_box(cls, bounding_box: RegionBoundingBox) -> Self:
        """Return the pixels of a `regions.RegionBoundingBox`."""
        box = bounding_box
        return cls((box.ixmin, box.ixmax), (box.iymin, box.iymax))

    def to_bounding_box(self) -> RegionBoundingBox:
        """Return this box as a `regions.RegionBoundingBox`; an empty box becomes the empty one at 0."""
        from regions import RegionBoundingBox

        return RegionBoundingBox(*self._edges)

    @property
    def xy0(self) -> tuple[int, int]:
        """First pixel, ``(x, y)``."""
        return self.x.start, self.y.start

    @property
    def _edges(self) -> tuple[int, int, int, int]:
        """Return ``x_start, x_stop, y_start, y_stop``, as kernels and files have it."""
        return self.x.start, self.x.stop, self.y.start, self.y.stop

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
        OverflowError
            If `xy0` does not fit into int32.
        """
        x0, y0 = as_any_pair(xy0, "xy0")
        return self.y.slice(y0), self.x.slice(x0)

    def grid(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the coordinates of all pixels, two int32 arrays ``x, y`` of this box's shape."""
        x, y = np.meshgrid(self.x.to_array(), self.y.to_array())
        return x, y

    def expanded_to(self, other: Point2I | Box2I) -> Self:
        """Return the smallest box that contains this one and another, or a pixel.

        Raises
        ------
        TypeError
            If `other` is neither a Box2I nor a Point2I.
        """
        if isinstance(other, Point2I):
            other = type(self).from_points([other])
        return self._hull(require(other, Box2I, "other"))

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
        (x, y), (width, height) = as_any_pair(center, "center"), as_any_pair(size, "size")
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
        pairs = [as_any_pair(point, "points") for point in points]
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
        require(box, Box2I, "box")
        return cls(IntervalD.from_interval_i(box.x), IntervalD.from_interval_i(box.y))

    @classmethod
    def from_bounding_box(cls, bounding_box: RegionBoundingBox) -> Self:
        """Return what the pixels of a `regions.RegionBoundingBox` cover."""
        return cls.from_box2i(Box2I.from_bounding_box(bounding_box))

    def to_bounding_box(self) -> RegionBoundingBox:
        """Return the pixels that this box touches as a `regions.RegionBoundingBox`."""
        return Box2I.from_box2d(self).to_bounding_box()

    @classmethod
    def from_region(cls, region: RectanglePixelRegion) -> Self:
        """Return a `regions.RectanglePixelRegion` whose angle is a multiple of 90 degrees as a box.

        Raises
        ------
        TypeError
            If `region` is no such rectangle.
        ValueError
            If the angle is another one.
        """
        from regions import RectanglePixelRegion

        require(region, RectanglePixelRegion, "region")
        quarters = region.angle.to_value("deg") / 90
        if not float(quarters).is_integer():
            raise ValueError(f"region must have an angle that is a multiple of 90 deg, not {region.angle}")
        size = (region.width, region.height) if quarters % 2 == 0 else (region.height, region.width)
        return cls.from_center_size((region.center.x, region.center.y), size)

    def to_region(self) -> RectanglePixelRegion:
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

    def expanded_to(self, other: Point | Box2D) -> Self:
        """Return the smallest box that contains this one and another, or a point (see `from_points`).

        Raises
        ------
        TypeError
            If `other` is neither.
        ValueError
            If the point is not finite.
        """
        if isinstance(other, POINTS):
            other = type(self).from_points([(as_finite(other.x, "other.x"), as_finite(other.y, "other.y"))])
        return self._hull(require(other, Box2D, "other"))

    def _contains_points(self, x: Any, y: Any) -> Any:
        return scalar_or_array((x >= self.x.min) & (x < self.x.max) & (y >= self.y.min) & (y < self.y.max))
