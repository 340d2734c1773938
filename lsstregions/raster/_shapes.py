"""Shapes given as arrays to run arrays: a million circles without a Python object each.

Every function returns ``(runs, offsets)``: the runs ``int32[n, 3]`` of all shapes, one after another, and the
``int64[shapes + 1]`` offsets at which each shape's canonical runs begin. A pixel belongs to a shape if its centre lies
strictly inside; the edge of a hole is inside.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .. import _columns, _coverage, _raster
from .._ragged import owners_of
from .._validate import INT32_MAX, INT32_MIN, MAX_ROWS, as_numbers, as_offsets

Runs = NDArray[np.int32]
Offsets = NDArray[np.int64]
Doubles = NDArray[np.float64]
Many = tuple[Runs, Offsets]
Pieces = tuple[Runs, Doubles, Offsets]

NO_RUNS = np.empty((0, 3), np.int32)

CIRCLE, ELLIPSE, RECTANGLE = range(3)

# Sizes up to which, and down to whose inverse, products of them are numbers, and coverages have digits.
MOST, MOST_MEASURED = 1e150, 1e30
# Up to which doubles tell where a slanted edge crosses a row.
FARTHEST = 2.0**50
# What the sizes of each kind, and those of its hole, are called.
_SIZES = {
    CIRCLE: ("r", "r", "inner_r", "inner_r"),
    ELLIPSE: ("a", "b", "inner_a", "inner_b"),
    RECTANGLE: ("width", "height", "inner_width", "inner_height"),
}


def circles(x: ArrayLike, y: ArrayLike, r: ArrayLike, *, inner_r: ArrayLike = 0.0, within: Any = None) -> Many:
    """Return the runs of circles, or of circular annuli.

    Parameters
    ----------
    x, y, r : array_like, shape (n_circles,) or scalar
        Centres and radii in pixels, broadcast against each other.
    inner_r : array_like, shape (n_circles,) or scalar, optional
        Radii of the holes in pixels; 0 is none.
    within : Box2I, optional
        What lies outside is left out, and costs nothing.

    Returns
    -------
    runs : ndarray of int32, shape (n, 3)
    offsets : ndarray of int64, shape (n_circles + 1,)

    Raises
    ------
    TypeError
        For what is no number.
    ValueError
        For a value that is not finite, or a radius that is negative or above 1e150.
    OverflowError
        For a circle that leaves int32 where there is no `within`.
    """
    return Shapes(CIRCLE, x, y, r, r, 0.0, inner_r, inner_r).runs(within)


def ellipses(
    x: ArrayLike,
    y: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    theta: ArrayLike,
    *,
    inner_a: ArrayLike = 0.0,
    inner_b: ArrayLike = 0.0,
    within: Any = None,
) -> Many:
    """Return the runs of ellipses, or of elliptical annuli.

    Parameters
    ----------
    x, y, a, b : array_like, shape (n_ellipses,) or scalar
        Centres and semi-axes in pixels, broadcast against each other.
    theta : array_like or Quantity, shape (n_ellipses,) or scalar
        Angles from +x to the axis `a`, counter-clockwise, in radians or with a unit.
    inner_a, inner_b : array_like, shape (n_ellipses,) or scalar, optional
        Semi-axes of the holes in pixels; 0 is none.
    within : Box2I, optional
        What lies outside is left out, and costs nothing.

    Returns
    -------
    runs, offsets : ndarray
        As of `circles`, of shapes (n, 3) and (n_ellipses + 1,).

    Raises
    ------
    TypeError, ValueError, OverflowError
        As by `circles`.
    """
    return Shapes(ELLIPSE, x, y, a, b, theta, inner_a, inner_b).runs(within)


def rectangles(
    x: ArrayLike,
    y: ArrayLike,
    width: ArrayLike,
    height: ArrayLike,
    theta: ArrayLike = 0.0,
    *,
    inner_width: ArrayLike = 0.0,
    inner_height: ArrayLike = 0.0,
    within: Any = None,
) -> Many:
    """Return the runs of rectangles around their centres, or of rectangular annuli.

    Parameters
    ----------
    x, y, width, height : array_like, shape (n_rectangles,) or scalar
        Centres and sides in pixels, broadcast against each other.
    theta : array_like or Quantity, shape (n_rectangles,) or scalar, optional
        Angles from +x to the side `width`, counter-clockwise, in radians or with a unit.
    inner_width, inner_height : array_like, shape (n_rectangles,) or scalar, optional
        Sides of the holes in pixels; 0 is none.
    within : Box2I, optional
        What lies outside is left out, and costs nothing.

    Returns
    -------
    runs, offsets : ndarray
        As of `circles`, of shapes (n, 3) and (n_rectangles + 1,).

    Raises
    ------
    TypeError, ValueError, OverflowError
        As by `circles`.
    """
    sizes = (width, height, inner_width, inner_height)
    half_width, half_height, half_inner_width, half_inner_height = (np.divide(size, 2.0) for size in sizes)
    return Shapes(RECTANGLE, x, y, half_width, half_height, theta, half_inner_width, half_inner_height).runs(within)


class Batch(Protocol):
    """Many regions, ready to become pixels.

    For exact coverage it has, besides, either a method ``pieces(within)`` that returns `Pieces` or, where regions are
    made of others, ``parts(within)`` that returns `_exact.Parts`.
    """

    def runs(self, within: Any) -> Many:
        """Return the pixels whose centres are inside."""


class Shapes:
    """Circles, ellipses or rectangles, with holes of the same centre and angle or without, in columns.

    Parameters
    ----------
    kind : int
        CIRCLE, ELLIPSE or RECTANGLE.
    x, y, a, b, theta, inner_a, inner_b : array_like
        Centres, semi-axes or half sides, angles, and the semi-axes of the holes, of which 0 is none.
    """

    __slots__ = ("columns", "kind")

    kind: int
    #: x, y, a, b, cos, sin, and the semi-axes of holes, as kernels take them: float64[8, n].
    columns: Doubles

    def __init__(
        self,
        kind: int,
        x: ArrayLike,
        y: ArrayLike,
        a: ArrayLike,
        b: ArrayLike,
        theta: ArrayLike,
        inner_a: ArrayLike = 0.0,
        inner_b: ArrayLike = 0.0,
    ):
        cos, sin = (1.0, 0.0) if kind == CIRCLE else cos_sin(theta)
        a_name, b_name, inner_a_name, inner_b_name = _SIZES[kind]
        names = ("x", "y", a_name, b_name, "cos", "sin", inner_a_name, inner_b_name)
        values = [as_numbers(v, name) for v, name in zip((x, y, a, b, cos, sin, inner_a, inner_b), names, strict=True)]
        shape = np.broadcast(*values).shape
        if len(shape) > 1:
            raise ValueError(f"shapes must come in one-dimensional arrays, not of shape {shape}")
        self.kind = kind
        self.columns = np.empty((8, *(shape or (1,))))
        for column, value in zip(self.columns, values, strict=True):
            column[:] = value
        limits = _raster.limits(self.columns)
        if not all(map(isfinite, limits.ravel().tolist())):
            for value, name in zip(values, names, strict=True):
                as_doubles(value, name)
        self.columns = _of_sizes(kind, self.columns, limits, np.inf if kind == RECTANGLE else MOST)

    def bounds(self, within: Any) -> tuple[int, int, int, int]:
        """Return the bounds to clip to."""
        bounds = _box_of(within)
        return _checked(within, bounds, *_raster.reach(self.columns, *bounds[2:]))

    def runs(self, within: Any) -> Many:
        """Return the pixels whose centres are inside."""
        return _raster.shapes(self.kind, self.columns, *self.bounds(within))

    def pieces(self, within: Any) -> Pieces:
        """Return the exact coverage."""
        if self.kind == RECTANGLE:
            origins = np.floor(self.columns[:2])
            x, y, rings, parts = self.corners(origins, within)
            holes = np.tile(np.array([0, 1], np.uint8), len(parts) - 1)
            return _coverage.polygons(x, y, rings, parts, holes, origins, *self.bounds(within))
        return _coverage.conics(self.measurable(), *self.bounds(within))

    def measurable(self) -> Doubles:
        """Return the columns with sizes of which the coverage can be told: what is too small for it is 0."""
        return _of_sizes(self.kind, self.columns, _raster.limits(self.columns), MOST_MEASURED)

    def areas(self) -> Doubles:
        """Return the area of each shape."""
        _, _, a, b, _, _, inner_a, inner_b = self.columns
        return (4.0 if self.kind == RECTANGLE else np.pi) * (a * b - inner_a * inner_b)

    def corners(self, origins: Doubles, within: Any) -> tuple[Doubles, Doubles, Offsets, Offsets]:
        """Return the polygons of rectangles, each from its origin: two rings, the outer and that of the hole."""
        x, y, a, b, cos, sin, inner_a, inner_b = (column[:, None, None] for column in self.columns)
        if within is not None:
            # Corners farther away than all that is seen would only cost digits.
            reach_x = np.maximum(np.abs(within.x.start - 1 - x), np.abs(within.x.stop + 1 - x))
            reach = reach_x + np.maximum(np.abs(within.y.start - 1 - y), np.abs(within.y.stop + 1 - y))
            a, b, inner_a, inner_b = (np.minimum(size, reach) for size in (a, b, inner_a, inner_b))
        x, y = x - origins[0][:, None, None], y - origins[1][:, None, None]
        across = np.concatenate([a, inner_a], axis=1) * [-1, 1, 1, -1]
        along = np.concatenate([b, inner_b], axis=1) * [-1, -1, 1, 1]
        count = self.columns[0].size
        return (
            np.ravel(x + across * cos - along * sin),
            np.ravel(y + across * sin + along * cos),
            np.arange(0, 8 * count + 1, 4, dtype=np.int64),
            np.arange(0, 2 * count + 1, 2, dtype=np.int64),
        )


class Polygons:
    """Polygons of rings, by the even-odd rule; see `polygons`.

    Those of several parts say which rings are `outer`; by default it is the first one of each.
    """

    __slots__ = ("outer", "parts", "rings", "x", "y")

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        offsets: ArrayLike,
        rings: ArrayLike | None = None,
        outer: NDArray[np.integer] | None = None,
    ):
        self.x, self.y = as_vertices(x, y)
        if rings is None:
            self.rings = as_offsets(offsets, self.x.size, "offsets")
            self.parts = np.arange(self.rings.size, dtype=np.int64)
        else:
            self.rings = as_offsets(rings, self.x.size, "rings")
            self.parts = as_offsets(offsets, self.rings.size - 1, "offsets")
        self.outer = np.zeros(self.rings.size - 1, bool)
        # Of an empty polygon the "first ring" is another's, which is none the worse for it: it is a first one as well.
        first = self.parts[:-1] if outer is None else outer
        self.outer[first[first < self.outer.size]] = True

    def bounds(self, within: Any) -> tuple[int, int, int, int]:
        """Return the bounds to clip to."""
        bounds, is_far = reach_of(within, self.x, self.y, self.rings[self.parts])
        if is_far:
            after = np.arange(1, self.x.size + 1)
            some = np.diff(self.rings) > 0
            after[self.rings[1:][some] - 1] = self.rings[:-1][some]
            _check_edges(self.x, self.y, self.x[after], self.y[after])
        return bounds

    def runs(self, within: Any) -> Many:
        """Return the pixels whose centres are inside."""
        return _raster.polygons(self.x, self.y, self.rings, self.parts, *self.bounds(within))

    def pieces(self, within: Any) -> Pieces:
        """Return the exact coverage; where rings cross, of what an odd number of them encloses."""
        bounds = self.bounds(within)
        from ._tangled import untangled

        holes = (~self.outer).view(np.uint8)
        origins = np.zeros((2, self.parts.size - 1))
        pieces = _coverage.polygons(self.x, self.y, self.rings, self.parts, holes, origins, *bounds)
        return untangled(self, pieces, within)


class Lines:
    """Straight lines, of which those of no length are points."""

    __slots__ = ("x", "x_end", "y", "y_end")

    def __init__(self, x: ArrayLike, y: ArrayLike, x_end: ArrayLike, y_end: ArrayLike):
        self.x, self.y = as_vertices(np.atleast_1d(x), np.atleast_1d(y))
        self.x_end, self.y_end = as_vertices(np.atleast_1d(x_end), np.atleast_1d(y_end))
        if self.x.shape != self.x_end.shape:
            raise ValueError(f"there must be as many beginnings as ends, not {self.x.size} and {self.x_end.size}")

    def runs(self, within: Any) -> Many:
        """Return the pixels that hold a point between the ends."""
        x, y = (np.ravel(ends, order="F") for ends in ((self.x, self.x_end), (self.y, self.y_end)))
        bounds, is_far = reach_of(within, x, y, np.arange(0, x.size + 1, 2))
        if is_far:
            _check_edges(self.x, self.y, self.x_end, self.y_end)
        return _raster.lines(self.x, self.y, self.x_end, self.y_end, *bounds)

    def pieces(self, within: Any) -> Pieces:
        """Return nothing: a line covers no area."""
        return NO_RUNS, np.empty(0), np.zeros(self.x.size + 1, np.int64)


def wholes(batch: Batch, offsets: NDArray) -> Batch:
    """Return regions made of several parts, or the parts where each is a whole by itself."""
    return batch if np.array_equal(offsets, np.arange(len(offsets))) else Wholes(batch, offsets)


class Wholes:
    """Regions made of several parts: whole i of the parts ``offsets[i]`` to ``offsets[i + 1]`` of a batch."""

    __slots__ = ("batch", "offsets")

    def __init__(self, batch: Batch, offsets: ArrayLike):
        self.batch = batch
        self.offsets = np.asarray(offsets, dtype=np.int64)

    def runs(self, within: Any) -> Many:
        """Return the union of the parts' pixels."""
        return self._united(self.batch.runs(within))

    def parts(self, within: Any) -> Any:
        """Return the shapes that the parts are made of."""
        from ._exact import made_from

        return made_from(self.batch, within, owners_of(self.offsets), self._united)

    def _united(self, parts: Many) -> Many:
        """Return the union of the pixels of each region's parts."""
        runs, offsets = parts
        offsets = offsets[self.offsets]
        return _columns.fuse(runs, owners_of(offsets), len(offsets) - 1)


def _of_sizes(kind: int, columns: Doubles, limits: Doubles, most: float) -> Doubles:
    """Return columns of shapes whose sizes can be computed with: what is too small is 0, what is too large refused."""
    least, greatest = limits.tolist()
    for i, name in zip((2, 3, 6, 7), _SIZES[kind], strict=True):
        # Of rectangles we have half the sides.
        times = 2 if kind == RECTANGLE else 1
        if least[i] < 0:
            raise ValueError(f"{name} must not be negative, not {_named(times * columns[i], columns[i] < 0)}")
        if greatest[i] > most:
            raise ValueError(f"{name} must be at most {most:g} pixels, not {_named(columns[i], columns[i] > most)}")
        if least[i] < 1 / most and greatest[i] > 0 and ((columns[i] > 0) & (columns[i] < 1 / most)).any():
            columns = columns.copy()
            columns[i, columns[i] < 1 / most] = 0
    return columns


def _named(values: NDArray, which: NDArray[np.bool_]) -> str:
    """Return the first of some values, and which it is if there are several."""
    first = int(np.flatnonzero(which)[0])
    return f"{values.flat[first]}" + (f" (number {first})" if values.size > 1 else "")


def as_doubles(values: ArrayLike, name: str) -> Doubles:
    """Return `values` as finite doubles."""
    array = as_numbers(values, name)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, not {_named(array, ~np.isfinite(array))}")
    return array


def cos_sin(theta: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return cosine and sine of angles, radians or a Quantity, exact at quarter turns so that edges stay level."""
    theta = as_doubles(theta.to_value("rad") if hasattr(theta, "to_value") else theta, "theta")
    cos, sin = np.cos(theta), np.sin(theta)
    tiny = np.minimum(2**-50 * np.maximum(1, np.abs(theta)), 2**-20)
    upright, level = np.abs(cos) < tiny, np.abs(sin) < tiny
    if not (upright | level).any():
        return cos, sin
    return (
        np.where(upright, 0.0, np.where(level, np.sign(cos), cos)),
        np.where(level, 0.0, np.where(upright, np.sign(sin), sin)),
    )


def reach_of(within: Any, x: Doubles, y: Doubles, offsets: Offsets) -> tuple[tuple[int, int, int, int], bool]:
    """Return the bounds to clip to, and whether some corner, of groups of them, is beyond what is told exactly."""
    bounds = _box_of(within)
    x_min, x_max, y_min, y_max, rows = _raster.reach_of_points(x, y, offsets, *bounds[2:])
    is_far = max(-x_min, x_max, -y_min, y_max) > FARTHEST
    return _checked(within, bounds, x_min, x_max, y_min, y_max, rows), is_far


def _check_edges(x: Doubles, y: Doubles, x_end: Doubles, y_end: Doubles) -> None:
    """Refuse edges that are not along an axis and so long that doubles do not tell where they cross a row."""
    slanted = (x != x_end) & (y != y_end)
    farthest = np.max(np.abs([x, y, x_end, y_end]), axis=0)
    if (too_far := slanted & (farthest > FARTHEST)).any():
        raise ValueError(f"slanted edges must end within {FARTHEST:.2g} pixels of (0, 0), not {farthest[too_far][0]:g}")


def _box_of(within: Any) -> tuple[int, int, int, int]:
    if within is None:
        return INT32_MIN, INT32_MAX, INT32_MIN, INT32_MAX
    bounds: tuple[int, int, int, int] = within._edges
    return bounds


def _checked(
    within: Any, bounds: tuple[int, int, int, int], x_min: float, x_max: float, y_min: float, y_max: float, rows: float
) -> tuple[int, int, int, int]:
    """Return bounds, if they are none too wide for shapes of this extent that are in so many rows of them."""
    low, high = min(x_min, y_min), max(x_max, y_max)
    if within is None and (low < INT32_MIN - 0.5 or high > INT32_MAX - 0.5):
        raise OverflowError(f"the region extends from {low:g} to {high:g}, beyond int32; pass `within` to clip it")
    if rows > MAX_ROWS:
        raise ValueError(f"the regions cover {rows:.3g} rows, more than {MAX_ROWS:.0e}; pass a smaller `within`")
    return bounds


def polygons(
    x: ArrayLike,
    y: ArrayLike,
    offsets: ArrayLike,
    *,
    rings: ArrayLike | None = None,
    within: Any = None,
) -> Many:
    """Return the runs of polygons, by the even-odd rule.

    Parameters
    ----------
    x, y : array_like, shape (n_vertices,)
        Coordinates of all vertices in pixels. A ring need not repeat its first vertex.
    offsets : array_like, shape (n_polygons + 1,)
        Where each polygon begins among the vertices (or among the rings), and at last where the last one ends.
    rings : array_like, shape (n_rings + 1,), optional
        Where each ring begins among the vertices, for polygons with holes or several parts.
    within : Box2I, optional
        What lies outside is left out.

    Returns
    -------
    runs : ndarray of int32, shape (n, 3)
    offsets : ndarray of int64, shape (n_polygons + 1,)

    Raises
    ------
    TypeError
        For vertices that are no real numbers in pixels, and offsets that are no integers.
    ValueError
        For vertices that are not finite, offsets that fall or do not fit.
    OverflowError
        For a polygon that leaves int32 where there is no `within`.
    """
    return Polygons(x, y, offsets, rings).runs(within)


def as_vertices(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two finite, contiguous, one-dimensional arrays of one length."""
    x = np.ascontiguousarray(as_doubles(x, "x"))
    y = np.ascontiguousarray(as_doubles(y, "y"))
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"x and y must be one-dimensional and of one length, not {x.shape} and {y.shape}")
    return x, y


def lines(x: ArrayLike, y: ArrayLike, x_end: ArrayLike, y_end: ArrayLike, *, within: Any = None) -> Many:
    """Return the runs of straight lines: every pixel that holds a point of the line strictly between its ends.

    A line of no length is the pixel that holds it.

    Parameters
    ----------
    x, y, x_end, y_end : array_like, shape (n_lines,) or scalar
        Both ends in pixels.
    within : Box2I, optional
        What lies outside is left out, and costs nothing.

    Returns
    -------
    runs, offsets : ndarray
        As of `circles`, of shapes (n, 3) and (n_lines + 1,).

    Raises
    ------
    TypeError, ValueError, OverflowError
        As by `circles`.
    """
    return Lines(x, y, x_end, y_end).runs(within)


def points(x: ArrayLike, y: ArrayLike, *, within: Any = None) -> Many:
    """Return the runs of points: the pixel that holds each.

    Parameters
    ----------
    x, y : array_like, shape (n_points,) or scalar
        Coordinates in pixels.
    within : Box2I, optional
        What lies outside is left out, and costs nothing.

    Returns
    -------
    runs, offsets : ndarray
        As of `circles`, of shapes (n, 3) and (n_points + 1,).

    Raises
    ------
    TypeError, ValueError, OverflowError
        As by `circles`.
    """
    return lines(x, y, x, y, within=within)
